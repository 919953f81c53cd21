/**
 * What calls by hand leave on a row: their values, once Odoo has confirmed them, or once it is known what became of them.
 */
import type { Batch, CallByHand } from '../domain/batch';
import type { Settlement } from '../domain/ledger';
import { actualWeights, type SiloWeights } from '../domain/silos';
import type { Queryable } from './connection';
import { namedWhenLocked, ROW_PATIENCE } from './locked-row';
import { settle, toldOf } from './settle-sql';
import { actualOf, setActual } from './silo-sql';
import { BATCH_COLUMNS, eventOf } from './sql';

/** Takes what is known by now of unsettled calls into the row, unless it was told anew meanwhile; with the event. */
export function settleCalls(
  db: Queryable,
  batch: Batch,
  owner: string,
  { settled, arrived }: { settled: CallByHand; arrived: CallByHand },
  reason: string,
): Promise<Batch | null> {
  const { finished, mark_done } = arrived;
  const pending = (key: string, column: string, value: string): string =>
    `${column} = CASE WHEN b.pending_call ? '${key}' THEN ${value} ELSE b.${column} END`;
  const sets = [setActual('told.weights')];
  if (finished !== undefined)
    sets.push(pending('finished', 'actual_weight_quantity_finished_goods', '$<finished>::numeric'));
  if (mark_done) sets.push(pending('mark_done', 'status_manufacturing', 'true'));
  const left = 'pending_call = mo_pending_settled(b.pending_call, $<settled:json>, NULL)';
  const saved = db.tx(async (tx) => {
    await tx.one(`SELECT set_config('mo_bridge.source', 'manual', true), ${ROW_PATIENCE}`);
    return tx.oneOrNone<Batch>(
      `WITH told AS MATERIALIZED (
         SELECT w.id, (SELECT coalesce(jsonb_object_agg(key, value), '{}') FROM jsonb_each($<arrived:json>::jsonb->'consumption')
           WHERE w.pending_call->'consumption' ? key) AS weights
         FROM mo_batch w WHERE w.id = $<id> AND w.lease_owner = $<owner> FOR UPDATE
       ), b AS (
         UPDATE mo_batch b SET ${[...sets, left].join(', ')} FROM told WHERE b.id = told.id RETURNING b.*
       ), event AS (${eventOf('settled', `jsonb_build_object('reason', $<reason>, 'settled', $<settled:json>::jsonb, 'arrived', $<arrived:json>::jsonb)`)})
       SELECT ${BATCH_COLUMNS} FROM b`,
      { id: batch.id, owner, settled, arrived, finished, reason },
    );
  });
  return namedWhenLocked(batch.mo_id, saved);
}

/**
 * Saves values that a person sent and Odoo confirmed, except where a reading wrote another one while the call was under
 * way: what the PLC said since then goes to Odoo with the next push. The row counts as confirmed only if nothing else of
 * it was unconfirmed: before the call, or because mark-done sends every value of the row. One transaction, under the lease.
 */
export function saveManual(
  db: Queryable,
  batch: Batch,
  owner: string,
  values: Omit<CallByHand, 'mark_done'> & { completed?: boolean },
  settlement: Settlement,
): Promise<Batch | null> {
  const { consumption = {}, finished, completed = false } = values;
  const given: CallByHand = {
    consumption,
    ...(finished === undefined ? {} : { finished }),
    ...(completed ? { mark_done: true } : {}),
  };
  const before = actualWeights(batch);
  const { actual_weight_quantity_finished_goods: finishedBefore } = batch;
  const sets = [setActual('$<told:json>::jsonb')];
  if (finished !== undefined)
    sets.push(`actual_weight_quantity_finished_goods = CASE WHEN b.actual_weight_quantity_finished_goods::float8 IS NOT DISTINCT FROM $<finishedBefore>::float8
      THEN $<finished> ELSE b.actual_weight_quantity_finished_goods END`);
  if (completed) sets.push('status_manufacturing = true');
  const saved = db.tx(async (tx) => {
    const settled = (row: Batch, what: Settlement): Promise<Batch | null> =>
      tx.oneOrNone<Batch>(settle(''), { told: [toldOf(row, owner, what)] });
    await tx.one(`SELECT set_config('mo_bridge.source', 'manual', true), ${ROW_PATIENCE}`);
    const parameters = { id: batch.id, owner, revision: batch.revision, completed, was: batch.status_manufacturing };
    const now = await tx.oneOrNone<{ whole: boolean; overtaken: boolean; weights: SiloWeights }>(
      `SELECT revision = $<revision> AND ($<completed> OR revision = 0 OR coalesce(lease_confirmed = revision, false)) AS whole,
         status_manufacturing AND NOT $<was> AND NOT $<completed> AS overtaken, ${actualOf('b')} AS weights
       FROM mo_batch b WHERE id = $<id> AND lease_owner = $<owner> FOR UPDATE`,
      parameters,
    );
    if (!now) return settled(batch, settlement);
    const { done, ...known } = settlement;
    if (now.overtaken) {
      const reason = 'the PLC completed the batch meanwhile: its final values stand and are told to Odoo again';
      await settled(batch, { ...known, reason, wholeRow: false, doubt: true, given });
      return null;
    }
    const told = Object.fromEntries(Object.entries(consumption).filter(([tag]) => now.weights[tag] === before[tag]));
    const row = await tx.one<Batch>(
      `UPDATE mo_batch b SET ${[...sets, 'last_read_from_plc = now()'].join(', ')},
         pending_call = mo_pending_settled(b.pending_call, $<given:json>, NULL)
       WHERE b.id = $<id> RETURNING ${BATCH_COLUMNS}`,
      { id: batch.id, told, finished, finishedBefore, given },
    );
    // What was read back shows the values that were sent: of a row that has others by now it proves nothing.
    const proof = now.whole && done ? { done } : {};
    return settled(row, { ...known, ...proof, wholeRow: now.whole });
  });
  return namedWhenLocked(batch.mo_id, saved);
}
