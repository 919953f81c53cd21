/**
 * Corrections by hand. What a call is about to send is on the row before it is sent, because a call that is cut, or a process
 * that is killed, may leave it in Odoo all the same: it stays there, unsettled, until somebody knows.
 */
import type { Batch, CallByHand } from './batch';
import { actualWeights, silosIn, type SiloMap, type SiloTag, type SiloWeights } from './silos';
import { roundDecoded, roundForOdoo, sameForOdoo } from './weight';

/** A correction as a person asks for it. */
export interface ManualRequest {
  mo_id: string;
  /** kg by silo tag: only what is to be changed. */
  consumption?: SiloWeights;
  /** kg of finished goods. */
  finished?: number;
  markDone: boolean;
  /** Correct Odoo and row together although the batch is completed. */
  correct_completed: boolean;
}

export const callOf = ({ consumption, finished, markDone }: ManualRequest): CallByHand => ({
  ...(consumption ? { consumption } : {}),
  ...(finished === undefined ? {} : { finished }),
  ...(markDone ? { mark_done: true } : {}),
});

/** What is left of a call without what another one gives; null: nothing. */
export function without<Call extends CallByHand>(call: Call | null, given: CallByHand): Call | null {
  if (!call || !overlaps(call, given)) return call;
  const { consumption = {}, finished, mark_done, ...more } = call;
  const left = unaffected(consumption, given);
  const rest: CallByHand = {
    ...(Object.keys(left).length > 0 ? { consumption: left } : {}),
    ...(finished === undefined || given.finished !== undefined ? {} : { finished }),
    ...(mark_done && !given.mark_done ? { mark_done } : {}),
  };
  return Object.keys(rest).length > 0 ? ({ ...more, ...rest } as Call) : null;
}

/** Whether two calls say something about the same. */
export const overlaps = (one: CallByHand, other: CallByHand): boolean =>
  Boolean(one.mark_done && other.mark_done) ||
  (one.finished !== undefined && other.finished !== undefined) ||
  silosIn(one.consumption).some(
    (tag) => one.consumption?.[tag] !== undefined && other.consumption?.[tag] !== undefined,
  );

/** The weights that a call says nothing about. */
export function unaffected(weights: SiloWeights, call: CallByHand | null): SiloWeights {
  const told = call?.consumption ?? {};
  return Object.fromEntries(Object.entries(weights).filter(([tag]) => told[tag] === undefined));
}

const rowKg = (batch: Batch, tag: SiloTag): number => actualWeights(batch)[tag] ?? 0;
const rowFinished = (batch: Batch): number => batch.actual_weight_quantity_finished_goods ?? 0;

/** What is unsettled, with what the row holds, in one line. */
export function describeUnsettled(call: CallByHand, batch: Batch, silos: SiloMap): string {
  const { consumption = {}, finished, mark_done } = call;
  const told = Object.entries(consumption).map(
    ([tag, kg]) => `${silos.name(tag)} (${kg} kg by hand, ${rowKg(batch, tag)} kg here)`,
  );
  if (finished !== undefined) told.push(`finished goods (${finished} kg by hand, ${rowFinished(batch)} kg here)`);
  if (mark_done) told.push('mark-done');
  return `unsettled: ${told.join(', ')}`;
}

/** An order in Odoo, as far as a call by hand is judged by it. */
export interface OrderHeld {
  /** State of the order, e.g. "done". */
  state: string;
  /** kg of finished goods. */
  finished: number;
  /** kg by silo tag, summed over the stock moves. */
  consumption: SiloWeights;
}

/** What an unsettled call came to. */
export interface Judgement {
  /** What is known by now, arrived or not: no longer unsettled. */
  settled: CallByHand;
  /** What of it is in Odoo, and goes into the row. */
  arrived: CallByHand;
  /** What Odoo holds otherwise, with all three values: a person decides. */
  strange: string[];
}

/**
 * Judges an unsettled call by what Odoo holds. The row's own value, or the one that Odoo confirmed before, means that the
 * call's had not arrived. While a batch runs its order is only asked whether it is done: its figures still change.
 * @param closing the batch is completed, or about to be closed by hand
 */
export function judge(call: CallByHand, batch: Batch, held: OrderHeld, silos: SiloMap, closing: boolean): Judgement {
  const done = held.state === 'done';
  const judgement: Judgement = { settled: {}, arrived: {}, strange: [] };
  if (call.mark_done) judgement.settled.mark_done = true;
  if (call.mark_done && done) judgement.arrived.mark_done = true;
  if (done || closing) {
    judgeWeights(call.consumption ?? {}, batch, held, silos, judgement);
    judgeFinished(call.finished, batch, held, judgement);
  }
  return judgement;
}

function judgeWeights(
  weights: SiloWeights,
  batch: Batch,
  held: OrderHeld,
  silos: SiloMap,
  { settled, arrived, strange }: Judgement,
): void {
  for (const [tag, kg] of Object.entries(weights)) {
    const found = roundForOdoo(held.consumption[tag]);
    const hasArrived = sameForOdoo(found, kg);
    const told = [rowKg(batch, tag), batch.confirmed_consumption?.[tag]];
    if (hasArrived) arrived.consumption = { ...arrived.consumption, [tag]: kg };
    if (hasArrived || told.some((before) => sameForOdoo(before, found)))
      settled.consumption = { ...settled.consumption, [tag]: kg };
    else strange.push(`${silos.name(tag)}: ${kg} kg by hand, ${rowKg(batch, tag)} kg here, ${found} kg in Odoo`);
  }
}

function judgeFinished(kg: number | undefined, batch: Batch, held: OrderHeld, judgement: Judgement): void {
  if (kg === undefined) return;
  const { settled, arrived, strange } = judgement;
  const hasArrived = sameForOdoo(held.finished, kg);
  if (hasArrived) arrived.finished = kg;
  if (hasArrived || [rowFinished(batch), batch.sent_finished].some((told) => sameForOdoo(told, held.finished)))
    settled.finished = kg;
  else strange.push(`finished goods: ${kg} kg by hand, ${rowFinished(batch)} kg here, ${held.finished} kg in Odoo`);
}

/** What an unsettled call came to, in one line. */
export function describeSettled({ settled, arrived }: Judgement, silos: SiloMap): string {
  const said = (what: string, there: boolean): string =>
    `${what}: ${there ? 'in Odoo, taken into the row' : 'had not arrived'}`;
  const told = Object.entries(settled.consumption ?? {}).map(([tag, kg]) =>
    said(`${silos.name(tag)} ${kg} kg by hand`, arrived.consumption?.[tag] !== undefined),
  );
  if (settled.finished !== undefined)
    told.push(said(`finished goods ${settled.finished} kg by hand`, arrived.finished !== undefined));
  if (settled.mark_done) told.push(said('mark-done by hand', Boolean(arrived.mark_done)));
  return told.join('; ');
}

/** The given values that a row does not hold, each with both. */
export function notInRow(call: CallByHand, row: Batch, silos: SiloMap): string[] {
  const inRow = actualWeights(row);
  const missing = silosIn(call.consumption).flatMap((tag) => {
    const kg = call.consumption?.[tag];
    const held = inRow[tag] ?? null;
    return kg === undefined || kg === held
      ? []
      : [`${silos.name(tag)}: ${kg} kg by hand, ${held ?? 'no'} kg in the row`];
  });
  const finished = row.actual_weight_quantity_finished_goods;
  if (call.finished !== undefined && roundDecoded(finished ?? 0) !== roundDecoded(call.finished))
    missing.push(`finished goods: ${call.finished} kg by hand, ${finished ?? 'no'} kg in the row`);
  if (call.mark_done && !row.status_manufacturing) missing.push('completed by hand, not completed in the row');
  return missing;
}
