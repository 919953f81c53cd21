/** The elementary members of a data block or PLC data type, each with its place. */
import {
  sameName,
  type ArrayType,
  type Block,
  type DataType,
  type Declared,
  type ElementaryName,
  type Source,
} from './data-types';
import { parseSource } from './declarations';
import { SourceError } from './fault';
import { Placement } from './placement';

/** One elementary member; STRING, WSTRING and DTL are one, an array is one per element. */
export interface PlacedMember {
  /** From the block on: Batch[1].Flags[9]. */
  path: string;
  type: ElementaryName;
  /** As declared, in upper case: STRING[20]. */
  declared: string;
  /** Characters of a text. */
  length?: number;
  byte: number;
  /** 0 for every type but BOOL. */
  bit: number;
  /** What the source says beside it. */
  comment: string;
}

const joined = (path: string, name: string): string => (path === '' ? name : `${path}.${name}`);

/** CHARs in a row are a text: how many; undefined: no such array. */
function textArray({ ranges, of }: ArrayType): { type: ElementaryName; length: number } | undefined {
  const [range, ...more] = ranges;
  if (!range || more.length > 0 || of.kind !== 'elementary') return undefined;
  return of.name === 'CHAR' || of.name === 'WCHAR' ? { type: of.name, length: range.high - range.low + 1 } : undefined;
}

export interface Listing {
  /** What comes before each path. */
  path?: string;
  /** Bits before the first. */
  at?: number;
  comment?: string;
  /** An array of CHAR or WCHAR is one member with its length. */
  texts?: boolean;
}

/** @throws SourceError for what cannot be placed */
export function* elementaryMembers(
  placement: Placement,
  type: DataType,
  listing: Listing = {},
): Generator<PlacedMember> {
  const { path = '', at = 0, comment = '', texts = false } = listing;
  const plain = placement.plain(type);
  placement.size(plain);
  if (plain.kind === 'struct') {
    for (const { what, at: offset } of placement.members(plain)) {
      const within = { path: joined(path, what.name), at: at + offset, comment: what.comment || comment, texts };
      yield* elementaryMembers(placement, what.type, within);
    }
    return;
  }
  const place = { path, byte: Math.floor(at / 8), bit: at % 8, comment };
  const text = texts && plain.kind === 'array' ? textArray(plain) : undefined;
  if (plain.kind === 'elementary') {
    const { name, declared, length } = plain;
    yield { ...place, type: name, declared, ...(length === undefined ? {} : { length }) };
  } else if (text) {
    yield { ...place, ...text, declared: `${text.type}[${text.length}]` };
  } else {
    for (const { what, at: offset } of placement.elements(plain))
      yield* elementaryMembers(placement, plain.of, { ...listing, path: `${path}[${what}]`, at: at + offset });
  }
}

/** @throws SourceError naming the block whose values have no addresses */
export function refuseOptimized({ blocks }: Pick<Source, 'blocks'>): void {
  const optimized = blocks.find((block) => block.optimized);
  if (optimized) throw new SourceError('optimized', { line: optimized.line, found: optimized.name });
}

/** Whether a type, or what it holds, names another one. */
function names(type: DataType, name: string): boolean {
  if (type.kind === 'named') return sameName(type.name, name);
  if (type.kind === 'array') return names(type.of, name);
  return type.kind === 'struct' && type.members.some((member) => names(member.type, name));
}

/** What a source is about: its data blocks; without any, the PLC data types that no other one holds. */
export function subjectsOf({ types, blocks }: Source): (Declared | Block)[] {
  if (blocks.length > 0) return [...blocks];
  const free = types.filter(({ name }) => !types.some(({ type }) => names(type, name)));
  return free.length > 0 ? free : [...types];
}

/**
 * Every elementary member of a source. Of several blocks, the path starts with the block's name.
 * @throws SourceError for a source that cannot be read, or a block with optimized access
 */
export function layOut(text: string): PlacedMember[] {
  const source = parseSource(text);
  refuseOptimized(source);
  const placement = new Placement(source);
  const subjects = subjectsOf(source);
  return subjects.flatMap(({ name, type }) => [
    ...elementaryMembers(placement, type, { path: subjects.length > 1 ? name : '' }),
  ]);
}

/** A member as a line: path, type and byte.bit, with tabs between. */
export const lineOf = ({ path, declared, byte, bit }: PlacedMember): string => `${path}\t${declared}\t${byte}.${bit}`;
