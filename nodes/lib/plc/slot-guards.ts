/**
 * Guards: turns a slot's bytes into a reading, or refuses the whole slot with every reason. Nothing is repaired, nothing
 * defaults to 0.
 */
import { type Reading } from '../domain/reading';
import { type SiloTag, type SiloWeights } from '../domain/silos';
import { sumForOdoo } from '../domain/weight';
import { Collected } from './slot-collect';
import { decoderOf } from './slot-decode';
import { Plausible } from './slot-plausible';
import { problem, type SlotProblem } from './slot-problem';
import type { SlotLayout } from './slot-layout';
import type { Figures, Guards, Rejection, SlotOutcome, SlotReading } from './slot-outcome';

export * from './slot-outcome';

/**
 * Judges one slot.
 * @param bytes the slot, from its first byte to the end of its last field
 * @param readAt when the PLC's answer arrived (ISO 8601, UTC)
 */
export type SlotGuard = (bytes: Buffer, slot: number, readAt: string) => SlotOutcome;

/** A batch in kg, as people compare it: what lies in its silos together, and what is finished. */
export const inKg = ({ consumption, actual_weight_quantity_finished_goods: finished }: Figures) => ({
  silos: sumForOdoo(Object.values(consumption)),
  finished: finished ?? 0,
});

/**
 * What decodes the slots of a layout and checks every field of them.
 * @param fields with their offsets in a slot's bytes
 */
export function slotGuard({ fields }: Pick<SlotLayout, 'fields'>, guards: Guards): SlotGuard {
  const plausible = new Plausible(guards);
  const rows = fields.map((row) => ({ row, decode: decoderOf(row), limit: plausible.limitOf(row.field) }));
  return (bytes, slot, readAt) => {
    const collected = new Collected(slot, bytes, readAt, plausible);
    for (const { row, decode, limit } of rows) collected.take(row, decode(bytes), limit);
    collected.finish();
    return outcomeOf(collected, bytes);
  };
}

/** What a slot says, as far as it was collected, comes to. */
function outcomeOf(collected: Collected, bytes: Buffer): SlotOutcome {
  const { reading, problems, moIdRaw, numberless } = collected;
  if (numberless && reading.mo_id === '') {
    if (!collected.weighed) return { kind: 'empty' };
    const found = problem(reading.status_manufacturing ? 'no-number-complete' : 'no-number', inKg(reading));
    problems.unshift({ field: 'mo_id', ...found, value: '', raw: moIdRaw.toString('hex') });
  }
  if (problems.length === 0) return { kind: 'reading', reading, raw: bytes, mo_id_raw: moIdRaw };
  const trusted = !problems.some(({ field }) => field === 'mo_id');
  const rejection = {
    slot: reading.slot,
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

/** Whether two batches weigh the same in the same silos. */
const sameWeightsOf = (a: SiloWeights, b: SiloWeights): boolean =>
  Object.keys(a).every((tag) => a[tag] === b[tag]) && Object.keys(b).every((tag) => a[tag] !== undefined);

/** Whether two batches weigh the same, silo by silo, and have the same finished quantity. */
export const sameFigures = (a: Figures, b: Figures): boolean =>
  a.actual_weight_quantity_finished_goods === b.actual_weight_quantity_finished_goods &&
  sameWeightsOf(a.consumption, b.consumption);

/** Whether two readings of a slot say the same about its batch: status_operation may go on changing after completion. */
export const sameWeights = (a: Reading, b: Reading): boolean =>
  a.slot === b.slot && a.mo_id === b.mo_id && a.status_manufacturing === b.status_manufacturing && sameFigures(a, b);

/** The silos that weigh less than in an earlier reading of the same order. */
export function fallingSilos(before: SlotReading | undefined, now: SlotReading): SiloTag[] {
  if (before?.mo_id !== now.mo_id) return [];
  const earlier: SiloWeights = before.consumption;
  return Object.keys(earlier).filter((tag) => (now.consumption[tag] ?? 0) < (earlier[tag] ?? 0));
}
