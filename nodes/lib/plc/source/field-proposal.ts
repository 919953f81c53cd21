/** Proposes which member of a batch is which field, by the names that they have. A person decides. */
import type { SlotFieldName } from '../slot-layout';
import { batchArrays, type BatchArray } from './batch-arrays';
import type { ElementaryName } from './data-types';
import type { PlacedMember } from './layout';
import { FIELD_HINTS, hintScore, LIQUIDS, SETPOINT, SILO_HINT, wordsOf } from './name-hints';

/** A silo in use, as the map names it. */
export interface NamedSilo {
  tag: string;
  code: string;
  label: string;
}

/** Field by the path of its member. */
export type Proposal = ReadonlyMap<string, SlotFieldName>;

const TEXTS: readonly ElementaryName[] = ['STRING', 'WSTRING', 'CHAR', 'WCHAR'];
const WHOLE: readonly ElementaryName[] = ['BYTE', 'SINT', 'USINT', 'WORD', 'INT', 'UINT', 'DWORD', 'DINT', 'UDINT'];
const WEIGHTS: readonly ElementaryName[] = ['REAL', 'LREAL', 'INT', 'UINT', 'DINT', 'UDINT', 'WORD', 'DWORD'];
const FLAGS: readonly ElementaryName[] = ['BOOL', ...WHOLE];

/** The types that a field may have, in the order in which they are asked for. */
const ONCE: readonly [field: keyof typeof FIELD_HINTS, types: readonly ElementaryName[]][] = [
  ['mo_id', TEXTS],
  ['acknowledged', FLAGS],
  ['status_manufacturing', FLAGS],
  ['status_operation', FLAGS],
  ['counter', WHOLE],
  ['actual_weight_quantity_finished_goods', WEIGHTS],
];

interface Named {
  member: PlacedMember;
  words: string[];
}

const isWanted = ({ words }: Named): boolean => words.some((word) => SETPOINT.includes(word));
const squashed = (name: string): string => wordsOf(name).join('');

/** What identifies a member among its likes: the last number or single letter of its path. */
function ordinalOf({ words }: Named): { shape: string; ordinal: number; letter: boolean } | undefined {
  const at = words.findLastIndex((word) => /^(\d{1,3}|[a-z])$/.test(word));
  if (at < 0) return undefined;
  const word = words[at]!;
  const letter = /^[a-z]$/.test(word);
  const shape = words.with(at, letter ? '@' : '#').join(' ');
  return { shape, letter, ordinal: letter ? word.charCodeAt(0) - 97 : Number(word) };
}

/** The silo that is named outright: by tag, code or label, or by what a liquid is called. */
function namedSilo({ member, words }: Named, silos: readonly NamedSilo[]): NamedSilo | undefined {
  const names = [member.path, member.path.split('.').at(-1)!, member.comment].map(squashed);
  return silos.find(({ tag, code, label }) => {
    const own = [tag, code, label].map(squashed).filter(Boolean);
    return names.some((name) => own.includes(name)) || LIQUIDS[tag]?.some((word) => words.includes(word));
  });
}

/** Members that differ in a number or letter only: silos in their order. */
function siloRows(members: readonly Named[]): Named[][] {
  const shapes = new Map<string, Named[]>();
  for (const named of members) {
    const shape = ordinalOf(named)?.shape;
    if (shape) shapes.set(shape, [...(shapes.get(shape) ?? []), named]);
  }
  const score = (row: readonly Named[]): number =>
    hintScore(row[0]!.words, { strong: [...SILO_HINT.strong, ...SILO_HINT.weak!] });
  return [...shapes.values()]
    .filter((row) => score(row) > 0)
    .sort((a, b) => score(b) - score(a) || b.length - a.length);
}

/** The silo that a member of a row stands for: silo_c for C, 3, or 2 where the row begins with 0; silo103 for 103. */
function siloInRow(named: Named, row: readonly Named[], silos: readonly NamedSilo[]): NamedSilo | undefined {
  const { ordinal, letter } = ordinalOf(named)!;
  if (letter) return silos.find(({ tag }) => tag === `silo_${String.fromCharCode(97 + ordinal)}`);
  const first = Math.min(...row.map((each) => ordinalOf(each)!.ordinal));
  const byCode = silos.find(({ code }) => Number(/\d+$/.exec(code)?.[0]) === ordinal);
  return byCode ?? (first <= 1 ? silos[ordinal - first] : undefined);
}

/** @param silos those in use, in their order */
export function proposeFields(members: readonly PlacedMember[], silos: readonly NamedSilo[]): Proposal {
  const proposal = new Map<string, SlotFieldName>();
  const left = new Set(members.map((member) => ({ member, words: wordsOf(member.path) })));
  const propose = (named: Named, field: string): void => {
    if ([...proposal.values()].includes(field as SlotFieldName)) return;
    proposal.set(named.member.path, field as SlotFieldName);
    left.delete(named);
  };
  const of = (types: readonly ElementaryName[]): Named[] =>
    [...left].filter(({ member }) => types.includes(member.type));

  for (const named of of(WEIGHTS).filter((each) => !isWanted(each))) {
    const silo = namedSilo(named, silos);
    if (silo) propose(named, silo.tag);
  }
  for (const [field, types] of ONCE) {
    const candidates = of(types);
    const score = ({ words, member }: Named): number =>
      hintScore(words, FIELD_HINTS[field]) * 2 + hintScore(wordsOf(member.comment), FIELD_HINTS[field]);
    const best = candidates.toSorted((a, b) => score(b) - score(a))[0];
    // The only text of a batch is its number, whatever it is called.
    if (best && (score(best) > 0 || (field === 'mo_id' && candidates.length === 1))) propose(best, field);
  }
  for (const row of siloRows(of(WEIGHTS).filter((each) => !isWanted(each)))) {
    for (const named of row) {
      const silo = siloInRow(named, row, silos);
      if (silo) propose(named, silo.tag);
    }
  }
  return proposal;
}

export interface ProposedArray extends BatchArray {
  proposal: Proposal;
}

const NEEDED: readonly SlotFieldName[] = ['mo_id', 'status_manufacturing', 'status_operation'];

/** How well a row of structures looks like batches. */
function likeness({ proposal, slots }: ProposedArray): number {
  const fields = [...proposal.values()];
  const needed = fields.filter((field) => NEEDED.includes(field)).length;
  return needed * 100 + Math.min(fields.length, 50) + (slots > 1 ? 10 : 0);
}

/**
 * The rows of batches that a source may mean, the likeliest first; of two that are alike the inner one: the slots of a line,
 * not the lines.
 * @throws SourceError for a source that cannot be read, or a block with optimized access
 */
export function proposeArrays(text: string, silos: readonly NamedSilo[]): ProposedArray[] {
  const arrays = batchArrays(text).map((array) => ({ ...array, proposal: proposeFields(array.members, silos) }));
  const depth = ({ path }: BatchArray): number => (path === '' ? 0 : path.split('.').length);
  return arrays.sort((a, b) => likeness(b) - likeness(a) || depth(b) - depth(a));
}
