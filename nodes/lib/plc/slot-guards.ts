/**
 * Guards: turns a slot's bytes into a reading, or refuses the whole slot with every reason. Nothing is repaired, nothing
 * defaults to 0.
 */
import { MO_ID_PATTERN, type Reading } from '../domain/reading';
import { SILO_TAGS, type SiloTag, type SiloWeights } from '../domain/silos';
import { decodeField, type Decoded } from './slot-decode';
import { problem, type SlotProblem } from './slot-problem';
import { type SlotField, type SlotFieldName, type SlotLayout, type WeightField } from './slot-layout';
import { roundDecoded, sumForOdoo } from '../domain/weight';

/**
 * A reading of this adapter: `falling` names the silos that weigh less than in the slot's last reading of the order;
 * `may_be_cut`: the MO id fills its field, so that a longer one would show as another order's.
 */
export interface SlotReading extends Reading {
  falling?: SiloTag[];
  may_be_cut?: true;
}

/** A breach with what the PLC said: the decoded value (NaN and infinities as text, for JSON) and the field's bytes. */
export interface FieldProblem extends SlotProblem {
  field: string;
  value: number | boolean | string;
  /** hex */
  raw: string;
}

/** A slot that was refused whole. */
export interface Rejection {
  slot: number;
  /** null when the id itself cannot be relied on. */
  mo_id: string | null;
  problems: FieldProblem[];
  /** The slot's bytes, hex. */
  raw: string;
  /** ISO 8601, UTC. */
  read_at: string;
  /** It was told before and shows the same: not told again. */
  repeated?: true;
}

/** What is weighed of a batch. */
export type Figures = Pick<Reading, 'consumption' | 'actual_weight_quantity_finished_goods'>;

/** What a slot says about itself, where the layout has the fields. */
export type Marks = Pick<Reading, 'acknowledged' | 'counter'>;

/** What a slot holds; an empty one (no MO id, nothing weighed, not complete) says nothing. */
export type SlotOutcome =
  | { kind: 'empty' }
  | { kind: 'reading'; reading: SlotReading; marks: Marks; raw: Buffer; mo_id_raw: Buffer }
  | {
      kind: 'rejected';
      rejection: Rejection;
      /** The figures of a batch without a readable MO id, as far as they are plausible. */
      unnamed?: Figures & { status_manufacturing: boolean };
    };

/** The highest plausible weights in kg: `silo` holds for every silo without an own limit. */
export type Limits = Partial<Record<'silo' | WeightField, number>>;
export const DEFAULT_LIMITS = { silo: 5000, actual_weight_quantity_finished_goods: 10_000_000 } as const;

export interface Guards {
  limits?: Limits;
  /** What an MO id must match besides MO_ID_PATTERN, which the store asks of every reading. */
  moIdPattern?: string | RegExp;
  /** A weight that is no further from 0 than this counts as 0 (kg, default 0): scales at rest show −0.2. */
  zeroBand?: number;
}

const SILOS: ReadonlySet<string> = new Set(SILO_TAGS);
const isSilo = (field: SlotFieldName): field is SiloTag => SILOS.has(field);

const limitOf = (field: WeightField, limits: Limits): number =>
  limits[field] ?? (isSilo(field) ? (limits.silo ?? DEFAULT_LIMITS.silo) : DEFAULT_LIMITS[field]);

/** A weight as it is judged and kept: 3 decimals, 0 within the zero band (kg). */
function settle(kg: number, zeroBand: number): number {
  const rounded = roundDecoded(kg);
  return Math.abs(rounded) <= zeroBand ? 0 : rounded;
}

/** Why a weight (kg, settled) is not plausible, or undefined. */
function weightProblem(kg: number, limit: number): SlotProblem | undefined {
  if (!Number.isFinite(kg)) return problem('not-finite');
  if (kg < 0) return problem('negative');
  return kg > limit ? problem('above-limit', { limit }) : undefined;
}

const shown = (value: Decoded['value']): FieldProblem['value'] =>
  typeof value === 'number' && !Number.isFinite(value) ? String(value) : value;

/** A batch in kg, as people compare it: what lies in its silos together, and what is finished. */
export const inKg = ({ consumption, actual_weight_quantity_finished_goods: finished }: Figures) => ({
  silos: sumForOdoo(Object.values(consumption)),
  finished: finished ?? 0,
});

/**
 * Decodes one slot and checks every field of it.
 * @param bytes the slot, from its first byte to the end of its last field
 * @param readAt when the PLC's answer arrived
 */
export function readSlot(bytes: Buffer, layout: SlotLayout, slot: number, readAt: Date, guards: Guards): SlotOutcome {
  const { limits = {}, moIdPattern = MO_ID_PATTERN, zeroBand = 0 } = guards;
  const problems: FieldProblem[] = [];
  const refuse = ({ field }: SlotField, { value, raw }: Decoded, found: SlotProblem): void => {
    problems.push({ field, ...found, value: shown(value), raw: raw.toString('hex') });
  };
  const reading: SlotReading = {
    slot,
    mo_id: '',
    status_manufacturing: false,
    status_operation: false,
    actual_weight_quantity_finished_goods: null,
    consumption: {},
    read_at: readAt.toISOString(),
  };
  let moIdRaw: Buffer = bytes;
  const marks: Marks = {};
  let [numberless, weighed] = [false, false];
  for (const row of layout.fields) {
    const decoded = decodeField(bytes, row);
    const { value } = decoded;
    if (row.field === 'mo_id') {
      moIdRaw = decoded.raw;
      numberless = decoded.headless ?? (value === '' && !decoded.problem);
      reading.mo_id = String(value);
      if (reading.mo_id.length === row.length) reading.may_be_cut = true;
      const wellFormed = [MO_ID_PATTERN, moIdPattern].every((pattern) => new RegExp(pattern).test(reading.mo_id));
      const malformed = wellFormed || numberless ? undefined : problem('bad-order');
      const found = decoded.problem ?? malformed;
      if (found) refuse(row, decoded, found);
    } else if (row.field === 'status_manufacturing' || row.field === 'status_operation') {
      reading[row.field] = Number(value) === 1;
      if (row.field === 'status_manufacturing' && Number(value) !== 0) weighed = true;
      if (Number(value) !== 0 && Number(value) !== 1) refuse(row, decoded, problem('bad-status'));
    } else if (row.field === 'acknowledged') {
      marks.acknowledged = Number(value) === 1;
    } else if (row.field === 'counter') {
      marks.counter = Number(value);
    } else {
      const kg = settle(Number(value) * (row.scale ?? 1), zeroBand);
      const found = weightProblem(kg, limitOf(row.field, limits));
      if (!(kg <= 0)) weighed = true;
      if (found) refuse(row, decoded, found);
      else if (isSilo(row.field)) reading.consumption[row.field] = kg;
      else reading[row.field] = kg;
    }
  }
  if (numberless && reading.mo_id === '') {
    if (!weighed) return { kind: 'empty' };
    const found = problem(reading.status_manufacturing ? 'no-number-complete' : 'no-number', inKg(reading));
    problems.unshift({ field: 'mo_id', ...found, value: '', raw: moIdRaw.toString('hex') });
  }
  if (problems.length === 0) return { kind: 'reading', reading, marks, raw: bytes, mo_id_raw: moIdRaw };
  const trusted = !problems.some(({ field }) => field === 'mo_id');
  const rejection = {
    slot,
    mo_id: trusted ? reading.mo_id : null,
    problems,
    raw: bytes.toString('hex'),
    read_at: reading.read_at,
  };
  const { consumption, actual_weight_quantity_finished_goods, status_manufacturing } = reading;
  const unnamed = { consumption, actual_weight_quantity_finished_goods, status_manufacturing };
  return { kind: 'rejected', rejection, ...(numberless ? { unnamed } : {}) };
}

/** A reading refused for a reason that lies in its MO id's place among the slots or in time. */
export function rejectReading(
  { reading, raw, mo_id_raw }: SlotOutcome & { kind: 'reading' },
  found: SlotProblem,
): Rejection {
  const { slot, mo_id, read_at } = reading;
  const breach = { field: 'mo_id', ...found, value: mo_id, raw: mo_id_raw.toString('hex') } as const;
  return { slot, mo_id, problems: [breach], raw: raw.toString('hex'), read_at };
}

/** The order that a slot names; null: none, or one that cannot be relied on. */
export const moIdOf = (outcome: SlotOutcome): string | null =>
  outcome.kind === 'reading' ? outcome.reading.mo_id : outcome.kind === 'rejected' ? outcome.rejection.mo_id : null;

/**
 * Refuses every slot whose MO stands in another slot of the same read as well: which of them is right cannot be known.
 * @param outcomes one per slot, in the order of the slots
 */
export function rejectDuplicates<Outcome extends SlotOutcome | undefined>(
  outcomes: readonly Outcome[],
): (Outcome | (SlotOutcome & { kind: 'rejected' }))[] {
  const slotsOf = new Map<string, number[]>();
  outcomes.forEach((outcome, index) => {
    const moId = outcome ? moIdOf(outcome) : null;
    if (moId !== null) slotsOf.set(moId, [...(slotsOf.get(moId) ?? []), index + 1]);
  });
  return outcomes.map((outcome) => {
    if (outcome?.kind !== 'reading') return outcome;
    const slots = slotsOf.get(outcome.reading.mo_id) ?? [];
    if (slots.length < 2) return outcome;
    return { kind: 'rejected', rejection: rejectReading(outcome, problem('two-slots', { slots: slots.join(', ') })) };
  });
}

/** Whether two batches weigh the same, silo by silo, and have the same finished quantity. */
export const sameFigures = (a: Figures, b: Figures): boolean =>
  a.actual_weight_quantity_finished_goods === b.actual_weight_quantity_finished_goods &&
  SILO_TAGS.every((tag) => a.consumption[tag] === b.consumption[tag]);

/** Whether two readings of a slot say the same about its batch: status_operation may go on changing after completion. */
export const sameWeights = (a: Reading, b: Reading): boolean =>
  a.slot === b.slot && a.mo_id === b.mo_id && a.status_manufacturing === b.status_manufacturing && sameFigures(a, b);

/** Whether two readings of a slot say the same, whenever they were taken. */
export const sameValues = (a: SlotReading | undefined, b: SlotReading): boolean =>
  a !== undefined && a.status_operation === b.status_operation && sameWeights(a, b);

/** The silos that weigh less than in an earlier reading of the same order. */
export function fallingSilos(before: SlotReading | undefined, now: SlotReading): SiloTag[] {
  if (before?.mo_id !== now.mo_id) return [];
  const earlier: SiloWeights = before.consumption;
  return SILO_TAGS.filter((tag) => (now.consumption[tag] ?? 0) < (earlier[tag] ?? 0));
}
