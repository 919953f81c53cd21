/**
 * "This reading belongs to order …": a number was typed wrongly, and a person says which one was meant.
 */
import type { Batch } from '../domain/batch';
import type { Order } from '../domain/order';
import type { Database, Task } from './connection';
import { type Decision, detail, parameters, ROW, telling, whenFree } from './decide';
import { ENQUEUE } from './enqueue-sql';
import { merged } from './reading-sql';
import { RECORD } from './record-sql';
import { ORDER_COLUMNS } from './tables';

/** Which reading, and whose it is. */
export interface Belonging {
  /** The number that the slot shows. */
  told: string;
  /** Only a reading of this slot; null: whichever is held under that number. */
  slot: number | null;
  /** As Odoo gave it just now. */
  order: Order;
}

/** Why it is not applied. */
export type NotGiven =
  /** No reading of that number, or slot, is held: it was applied or decided about meanwhile. */
  | 'nothing-held'
  /** The order that was named is the number itself. */
  | 'same-order'
  /** The order is archived as completed. */
  | 'archived'
  /** The order is set aside: it has to be retried first. */
  | 'set-aside'
  /** The order has a reading of its own: two batches would become one. */
  | 'own-reading';

/** The reading that is meant: of two under one number the one that only a person applies. */
const MEANT = `
  SELECT * FROM mo_held_readings h WHERE h.mo_id = $<told> AND ($<slot> IS NULL OR (h.reading->>'slot')::int = $<slot>)
  ORDER BY h.reason NULLS LAST LIMIT 1`;

/** What was said to belong to this order before came from the same slot under the same number: it is one batch, going on. */
const SAME_BATCH = `EXISTS (SELECT FROM (SELECT ${telling('m')} FROM meant m) t JOIN mo_discarded_readings d
  ON (d.line, d.source, d.slot, d.mo_id, d.belongs_to) = (t.line, t.source, t.slot, $<told>, $<moId>))`;

const WHY_NOT = `
WITH meant AS (${MEANT}), b AS (SELECT * FROM mo_batch b WHERE b.mo_id = $<moId> AND NOT b.duplicate)
SELECT CASE
  WHEN $<told> = $<moId> THEN 'same-order'
  WHEN NOT EXISTS (SELECT FROM meant) THEN 'nothing-held'
  WHEN EXISTS (SELECT FROM mo_histories h WHERE h.mo_id = $<moId> AND h.status = 'completed') THEN 'archived'
  WHEN EXISTS (SELECT FROM b WHERE b.status_manufacturing) THEN 'own-reading'
  WHEN EXISTS (SELECT FROM b WHERE b.set_aside_at IS NOT NULL) THEN 'set-aside'
  WHEN (EXISTS (SELECT FROM b WHERE b.revision > 0 OR b.last_plc_reading IS NOT NULL)
    OR EXISTS (SELECT FROM mo_held_readings h WHERE h.mo_id = $<moId>)) AND NOT ${SAME_BATCH} THEN 'own-reading' END AS why_not`;

/** The reading waits for its order under the right number; the same telling of its slot is stale from now on. */
const GIVE = `
WITH meant AS (${MEANT}
), kept AS (
  DELETE FROM mo_held_readings h USING meant m WHERE h.mo_id = m.mo_id AND h.reason IS NOT DISTINCT FROM m.reason RETURNING h.*
), given AS (
  SELECT k.*, (k.reading - 'hold' - 'seen_once') || jsonb_build_object('mo_id', $<moId>)
    || CASE WHEN k.reading ? 'seen_once' THEN '{"status_manufacturing": true}' ELSE '{}' END::jsonb AS own FROM kept k
), over_waiting AS (
  UPDATE mo_held_readings h SET reading = ${merged('h.reading', 'g.own')} FROM given g WHERE h.mo_id = $<moId> AND h.reason IS NULL RETURNING h.mo_id
), waits AS (
  INSERT INTO mo_held_readings (mo_id, line, reading) SELECT $<moId>, g.line, g.own FROM given g WHERE NOT EXISTS (SELECT FROM over_waiting)
), remembered AS (
  INSERT INTO mo_discarded_readings (mo_id, line, source, slot, figures, decided_by, note, belongs_to)
  SELECT g.mo_id, ${telling('g')}, nullif($<by>, ''), nullif($<note>, ''), $<moId> FROM given g
)
INSERT INTO mo_events (mo_id, line, kind, detail)
SELECT n.mo_id, g.line, 'belongs-to', ${detail(`, 'told', $<told>, 'belongs_to', $<moId>, 'reason', g.reason, 'reading', g.reading`)}
FROM given g, (VALUES ($<told>), ($<moId>)) n(mo_id);`;

/**
 * Takes a held reading as another order's, completion included: the order is queued if it is not, and the reading applied to
 * its row. Both numbers are kept, in an event of each.
 * @returns the order's row as it is now, or why nothing was done
 * @throws Error naming the order, when another session holds its row locked
 */
export function belongsTo(
  db: Database,
  { told, slot, order }: Belonging,
  decision: Decision,
): Promise<Batch | NotGiven> {
  const { mo_id: moId } = order;
  const values = { ...parameters(moId, decision), told, slot };
  return whenFree(db, [moId, told], async (tx) => {
    const { why_not } = await tx.one<{ why_not: NotGiven | null }>(WHY_NOT, values);
    return why_not ?? give(tx, order, values);
  });
}

const NOTHING_READ = { readings: [], line: '', source: '', emptied: [], alive: false };

async function give(tx: Task, order: Order, values: { moId: string }): Promise<Batch> {
  const known = Object.fromEntries(ORDER_COLUMNS.map(({ name }) => [name, order[name as keyof Order]]));
  await tx.any(ENQUEUE, { orders: [known], limit: 1, named: values.moId });
  await tx.none(GIVE, values);
  await tx.any(RECORD, NOTHING_READ);
  return tx.one<Batch>(ROW, values);
}
