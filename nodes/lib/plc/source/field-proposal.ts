/** Proposes which member of a batch is which field, by the names that they have. A person decides. */
import type { SlotFieldName } from '../slot-layout';
import { batchArrays, type BatchArray } from './batch-arrays';
import type { ElementaryName } from './data-types';
import type { PlacedMember } from './layout';
import { FIELD_HINTS, type Hint, hintScore, LIQUIDS, ORDER_HINTS, SETPOINT, SILO_HINT, wordsOf } from './name-hints';

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

/** What the members of one kind of slot may be. */
export interface Vocabulary {
  /** The fields that a slot has once, with the types that each may have, in the order in which they are asked for. */
  once: readonly (readonly [field: SlotFieldName, hint: Hint, types: readonly ElementaryName[]])[];
  /** The order's number. */
  number: SlotFieldName;
  /** By which an array is known to be slots of this kind. */
  needed: readonly SlotFieldName[];
  /** Whether the weights are those that are wanted, or those that were. */
  wanted: boolean;
}

/** Batches that are read. */
export const BATCH_WORDS: Vocabulary = {
  once: [
    ['mo_id', FIELD_HINTS.mo_id, TEXTS],
    ['acknowledged', FIELD_HINTS.acknowledged, FLAGS],
    ['status_manufacturing', FIELD_HINTS.status_manufacturing, FLAGS],
    ['status_operation', FIELD_HINTS.status_operation, FLAGS],
    ['counter', FIELD_HINTS.counter, WHOLE],
    ['actual_weight_quantity_finished_goods', FIELD_HINTS.actual_weight_quantity_finished_goods, WEIGHTS],
  ],
  number: 'mo_id',
  needed: ['mo_id', 'status_manufacturing', 'status_operation'],
  wanted: false,
};

/** Orders that are handed over. */
export const ORDER_WORDS: Vocabulary = {
  once: [
    ['echo', ORDER_HINTS.echo, TEXTS],
    ['bill', ORDER_HINTS.bill, TEXTS],
    ['product', ORDER_HINTS.product, TEXTS],
    ['number', FIELD_HINTS.mo_id, TEXTS],
    ['taken', ORDER_HINTS.taken, FLAGS],
    ['ready', ORDER_HINTS.ready, FLAGS],
    ['batch_no', ORDER_HINTS.batch_no, WHOLE],
    ['planned', ORDER_HINTS.planned, WEIGHTS],
  ],
  number: 'number',
  needed: ['number', 'ready', 'taken'],
  wanted: true,
};

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
export function proposeFields(
  members: readonly PlacedMember[],
  silos: readonly NamedSilo[],
  { once, number, wanted }: Vocabulary = BATCH_WORDS,
): Proposal {
  const proposal = new Map<string, SlotFieldName>();
  const left = new Set(members.map((member) => ({ member, words: wordsOf(member.path) })));
  const propose = (named: Named, field: string): void => {
    if ([...proposal.values()].includes(field)) return;
    proposal.set(named.member.path, field);
    left.delete(named);
  };
  const of = (types: readonly ElementaryName[]): Named[] =>
    [...left].filter(({ member }) => types.includes(member.type));

  const weights = (): Named[] => of(WEIGHTS).filter((each) => wanted || !isWanted(each));
  for (const named of weights()) {
    const silo = namedSilo(named, silos);
    if (silo) propose(named, silo.tag);
  }
  for (const [field, hint, types] of once) {
    const candidates = of(types);
    const score = ({ words, member }: Named): number =>
      hintScore(words, hint) * 2 + hintScore(wordsOf(member.comment), hint);
    const best = candidates.toSorted((a, b) => score(b) - score(a))[0];
    // The only text of a batch is its number, whatever it is called.
    if (best && (score(best) > 0 || (field === number && candidates.length === 1))) propose(best, field);
  }
  for (const row of siloRows(weights())) {
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

/** How well a row of structures looks like such slots. */
function likeness({ proposal, slots }: ProposedArray, { needed: names }: Vocabulary): number {
  const fields = [...proposal.values()];
  const needed = fields.filter((field) => names.includes(field)).length;
  return needed * 100 + Math.min(fields.length, 50) + (slots > 1 ? 10 : 0);
}

/**
 * The rows of batches that a source may mean, the likeliest first; of two that are alike the inner one: the slots of a line,
 * not the lines.
 * @throws SourceError for a source that cannot be read, or a block with optimized access
 */
export function proposeArrays(text: string, silos: readonly NamedSilo[], vocabulary = BATCH_WORDS): ProposedArray[] {
  const arrays = batchArrays(text).map((array) => ({
    ...array,
    proposal: proposeFields(array.members, silos, vocabulary),
  }));
  const depth = ({ path }: BatchArray): number => (path === '' ? 0 : path.split('.').length);
  return arrays.sort((a, b) => likeness(b, vocabulary) - likeness(a, vocabulary) || depth(b) - depth(a));
}
