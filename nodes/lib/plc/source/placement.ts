/**
 * Where the parts of a type lie in a data block with standard access. Positions and sizes are bits. The rules (STEP 7 "Data
 * types and parameter types"; TIA Portal "Structure of an ARRAY tag", "Structure of a STRUCT tag"):
 * BOOLs follow bit by bit; types of one byte lie at the next byte; everything else, arrays and structures included, at the
 * next even byte; arrays and structures fill up to an even byte. In an array of several dimensions the last one runs fastest,
 * and each row of BOOLs starts at a byte of its own.
 */
import {
  ELEMENTARY_BYTES,
  ONE_BYTE,
  sameName,
  type ArrayType,
  type DataType,
  type Elementary,
  type Member,
  type Source,
  type Struct,
} from './data-types';
import { SourceError } from './fault';

/** The size of a type that is being looked at. */
const OPEN = -1;
const BYTE = 8;
const WORD = 16;
/** A data block with standard access holds at most 64 KB (S7-1200/1500 system manual). */
const MOST_BITS = 65_536 * BYTE;

const upTo = (position: number, grid: number): number => Math.ceil(position / grid) * grid;
const countOf = ({ ranges }: ArrayType): number =>
  ranges.reduce((product, { low, high }) => product * (high - low + 1), 1);

/** A type without a name in between. */
export type Plain = Elementary | ArrayType | Struct;
export interface Placed<What> {
  what: What;
  /** Bits from the start of what it lies in. */
  at: number;
}

function elementaryBits({ name, length = 0 }: Elementary): number {
  if (name === 'BOOL') return 1;
  const characters = name === 'STRING' ? length : name === 'WSTRING' ? 2 * length : 0;
  return (ELEMENTARY_BYTES[name] + characters) * BYTE;
}

export class Placement {
  readonly #source: Source;
  readonly #sizes = new Map<DataType, number>();

  constructor(source: Source) {
    this.#source = source;
  }

  /** What a type is that may be known by its name. @throws SourceError naming one that the source does not declare */
  plain(type: DataType): Plain {
    if (type.kind !== 'named') return type;
    const { name, line } = type;
    const declared = this.#source.types.find((each) => sameName(each.name, name));
    if (!declared) throw new SourceError('unknownType', { line, found: name });
    if (declared.type.kind === 'named' || this.#sizes.get(declared.type) === OPEN)
      throw new SourceError('circle', { line, found: name });
    return declared.type;
  }

  /** Bits, filling included. @throws SourceError for a type that holds itself, or more than a data block does */
  size(type: DataType): number {
    const known = this.#sizes.get(type);
    if (known !== undefined) return known;
    this.#sizes.set(type, OPEN);
    const size = this.#sizeOf(type);
    this.#sizes.set(type, size);
    return size;
  }

  #sizeOf(type: DataType): number {
    switch (type.kind) {
      case 'named':
        return this.size(this.plain(type));
      case 'elementary':
        return elementaryBits(type);
      case 'array':
        return upTo((countOf(type) / this.#rowLength(type)) * this.#rowSize(type), WORD);
      case 'struct': {
        const last = this.members(type).at(-1);
        return upTo(last ? last.at + this.size(last.what.type) : 0, WORD);
      }
    }
  }

  /** The grid that a type lies on. */
  #grid(type: DataType): number {
    const plain = this.plain(type);
    if (plain.kind !== 'elementary') return WORD;
    return plain.name === 'BOOL' ? 1 : ONE_BYTE.includes(plain.name) ? BYTE : WORD;
  }

  members({ members }: Struct): Placed<Member>[] {
    let end = 0;
    return members.map((what) => {
      const at = upTo(end, this.#grid(what.type));
      end = at + this.size(what.type);
      if (end > MOST_BITS)
        throw new SourceError('tooLong', { line: what.line, found: what.name, most: MOST_BITS / BYTE });
      return { what, at };
    });
  }

  /** How many elements a row has: those of the dimension that runs fastest. */
  #rowLength({ ranges }: ArrayType): number {
    const { low, high } = ranges.at(-1)!;
    return high - low + 1;
  }

  /** From one element to the next: a STRING of odd length fills up to where the next one may start. */
  #elementSize({ of }: ArrayType): number {
    return upTo(this.size(of), this.#grid(of));
  }

  #rowSize(type: ArrayType): number {
    return upTo(this.#rowLength(type) * this.#elementSize(type), BYTE);
  }

  /** The elements of an array, each by its index: 3, or 1,3 with two dimensions. */
  *elements(type: ArrayType): Generator<Placed<string>> {
    const [row, size, count] = [this.#rowLength(type), this.#elementSize(type), countOf(type)];
    for (let number = 0; number < count; number += 1)
      yield { what: indexOf(type, number), at: Math.floor(number / row) * this.#rowSize(type) + (number % row) * size };
  }
}

function indexOf({ ranges }: ArrayType, number: number): string {
  const index: number[] = [];
  let rest = number;
  for (const { low, high } of ranges.toReversed()) {
    index.unshift(low + (rest % (high - low + 1)));
    rest = Math.floor(rest / (high - low + 1));
  }
  return index.join(',');
}
