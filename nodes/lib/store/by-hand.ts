/**
 * What calls by hand leave on a row: their values, once Odoo has confirmed them, or once it is known what became of them.
 */
import type { Batch, CallByHand } from '../domain/batch';
import type { Settlement } from '../domain/ledger';
import { SILO_TAGS } from '../domain/silos';
import type { Queryable } from './connection';
import { namedWhenLocked, ROW_PATIENCE } from './locked-row';
import { settle, toldOf } from './settle-sql';
import { BATCH_COLUMNS, eventOf } from './sql';

/** Takes what is known by now of unsettled calls into the row, unless it was told anew meanwhile; with the event. */
export function settleCalls(
  db: Queryable,
  batch: Batch,
  owner: string,
  { settled, arrived }: { settled: CallByHand; arrived: CallByHand },
  reason: string,
): Promise<Batch | null> {
  const { consumption = {}, finished, mark_done } = arrived;
  const pending = (key: string, column: string, value: string): string =>
    `${column} = CASE WHEN b.pending_call${key} IS NOT NULL THEN ${value} ELSE b.${column} END`;
  const sets = SILO_TAGS.filter((tag) => consumption[tag] !== undefined).map((tag) =>
    pending(
      `->'consumption'->'${tag}'`,
      `actual_consumption_${tag}`,
      `($<arrived:json>::jsonb->'consumption'->>'${tag}')::float8`,
    ),
  );
  if (finished !== undefined)
    sets.push(pending(`->'finished'`, 'actual_weight_quantity_finished_goods', '$<finished>::numeric'));
  if (mark_done) sets.push(pending(`->'mark_done'`, 'status_manufacturing', 'true'));
  const left = 'pending_call = mo_pending_settled(b.pending_call, $<settled:json>, NULL)';
  const saved = db.tx(async (tx) => {
    await tx.one(`SELECT set_config('mo_bridge.source', 'manual', true), ${ROW_PATIENCE}`);
    return tx.oneOrNone<Batch>(
      `WITH b AS (
         UPDATE mo_batch b SET ${[...sets, left].join(', ')} WHERE b.id = $<id> AND b.lease_owner = $<owner> RETURNING b.*
       ), told AS (${eventOf('settled', `jsonb_build_object('reason', $<reason>, 'settled', $<settled:json>::jsonb, 'arrived', $<arrived:json>::jsonb)`)})
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
  const told: Record<string, number | undefined> = { actual_weight_quantity_finished_goods: finished };
  for (const tag of SILO_TAGS) told[`actual_consumption_${tag}`] = consumption[tag];
  const sets = Object.keys(told)
    .filter((column) => told[column] !== undefined)
    .map(
      (column) =>
        `${column} = CASE WHEN b.${column}::float8 IS NOT DISTINCT FROM ($<batch>::jsonb->>'${column}')::float8
           THEN ($<told>::jsonb->>'${column}')::float8 ELSE b.${column} END`,
    );
  if (completed) sets.push('status_manufacturing = true');
  const saved = db.tx(async (tx) => {
    const settled = (row: Batch, what: Settlement): Promise<Batch | null> =>
      tx.oneOrNone<Batch>(settle(''), { told: [toldOf(row, owner, what)] });
    await tx.one(`SELECT set_config('mo_bridge.source', 'manual', true), ${ROW_PATIENCE}`);
    const parameters = { id: batch.id, owner, revision: batch.revision, completed, was: batch.status_manufacturing };
    const now = await tx.oneOrNone<{ whole: boolean; overtaken: boolean }>(
      `SELECT revision = $<revision> AND ($<completed> OR revision = 0 OR coalesce(lease_confirmed = revision, false)) AS whole,
         status_manufacturing AND NOT $<was> AND NOT $<completed> AS overtaken
       FROM mo_batch WHERE id = $<id> AND lease_owner = $<owner> FOR UPDATE`,
      parameters,
    );
    if (!now) return settled(batch, settlement);
    const { done, ...known } = settlement;
    if (now.overtaken) {
      const reason = 'the PLC completed the batch meanwhile: its final values stand and are told to Odoo again';
      await settled(batch, { ...known, reason, wholeRow: false, doubt: true, given });
      return null;
    }
    const row = await tx.one<Batch>(
      `UPDATE mo_batch b SET ${[...sets, 'last_read_from_plc = now()'].join(', ')},
         pending_call = mo_pending_settled(b.pending_call, $<given:json>, NULL)
       WHERE b.id = $<id> RETURNING ${BATCH_COLUMNS}`,
      { id: batch.id, batch: JSON.stringify(batch), told: JSON.stringify(told), given },
    );
    // What was read back shows the values that were sent: of a row that has others by now it proves nothing.
    const proof = now.whole && done ? { done } : {};
    return settled(row, { ...known, ...proof, wholeRow: now.whole });
  });
  return namedWhenLocked(batch.mo_id, saved);
}
