/**
 * Rows that leave the gate because Odoo has closed their orders, and rows that a person brings back.
 */
import type { Batch, DoneReadback } from '../domain/batch';
import { LARGEST_WEIGHT } from '../domain/weight';
import type { Database } from './connection';
import { type Decision, detail, parameters } from './decide';
import { HELD_ELSEWHERE, patiently } from './locked-row';
import { SEEN_ONCE } from './reading-sql';
import { actualOf } from './silo-sql';
import { BATCH_COLUMNS, eventOf, LEASED, LOCK_QUEUE, OF_LINE, QUIET } from './sql';

/** A row that stays as it is, and why. */
export interface Left {
  id: string;
  mo_id: string | null;
  reason: string;
}

/** What became of a list of rows. */
export interface Moved {
  batches: Batch[];
  left: Left[];
}

/** What Odoo told of an order: its id and name; and, with a reason, that it is closed, or done with the figures of its row. */
export interface Told {
  mo_id: string;
  reason?: string;
  state?: string;
  odoo_id?: number;
  odoo_name?: string;
  done?: DoneReadback;
}

/** A running row whose values have not changed for an hour, whether its slot still shows it or not. */
const STILL = `(b.revision > 0 AND NOT b.status_manufacturing AND b.done_readback IS NULL AND (
  coalesce(b.last_read_from_plc < now() - interval '1 hour', true) OR NOT EXISTS (
    SELECT FROM mo_events e WHERE e.mo_id = b.mo_id AND e.batch_id = b.id AND e.kind = 'changed' AND e.at >= now() - interval '1 hour')))`;

/** What only Odoo can tell more about: a person may have closed or cancelled the order there. */
export const UNREAD = `(b.set_aside_at IS NULL AND b.mo_id IS NOT NULL AND NOT b.duplicate AND (b.revision = 0 OR ${QUIET} OR ${STILL}))`;

/** What a person has to mend before a set-aside row can come back; NULL: nothing. */
const TO_MEND = `CASE
  WHEN b.mo_id IS NULL THEN 'it has no mo_id: enter it by SQL, or archive the row'
  WHEN b.duplicate AND EXISTS (SELECT FROM mo_batch o WHERE o.mo_id = b.mo_id AND o.id <> b.id)
    THEN 'another row of this order is in the queue; archive one of the two as failed first'
  WHEN EXISTS (SELECT FROM jsonb_each_text(${actualOf('b')}) WHERE NOT value::float8 BETWEEN 0 AND ${LARGEST_WEIGHT})
    THEN 'a silo holds a weight that is none: correct the row first'
  WHEN ${SEEN_ONCE}
    THEN 'its completion was seen once: accept it, or discard it (operations of the batch store), or let its slot show it again' END`;

/** Orders as Odoo told them, and the rows of the queue that are theirs. */
const TOLD = `mo_batch b JOIN jsonb_to_recordset($<orders:json>) AS o(mo_id text, reason text, state text, odoo_id int, odoo_name text, done jsonb)
    ON b.mo_id = o.mo_id AND NOT b.duplicate`;

const SET_ASIDE = `${LOCK_QUEUE}
WITH told AS MATERIALIZED (
   SELECT b.id AS row_id, o.*, o.reason IS NOT NULL AND ${UNREAD} AS closes
   FROM ${TOLD}
   WHERE NOT ${LEASED} ORDER BY b.id FOR UPDATE OF b SKIP LOCKED
 ), noted AS (
   UPDATE mo_batch b SET odoo_id = coalesce(t.odoo_id, b.odoo_id),
     odoo_name = CASE WHEN t.odoo_id IS NULL THEN b.odoo_name ELSE nullif(t.odoo_name, b.mo_id) END,
     set_aside_at = CASE WHEN t.closes AND t.done IS NULL THEN now() ELSE b.set_aside_at END,
     set_aside_reason = CASE WHEN t.closes AND t.done IS NULL THEN t.reason ELSE b.set_aside_reason END,
     odoo_cancelled = coalesce(b.odoo_cancelled, false) OR (t.closes AND t.done IS NULL
       AND (t.state IS NULL OR t.state IN ('cancel', 'unknown') OR (t.state = 'done' AND b.revision = 0))),
     done_readback = CASE WHEN t.closes THEN coalesce(t.done, b.done_readback) ELSE b.done_readback END,
     confirmed_revision = CASE WHEN t.closes AND t.done IS NOT NULL THEN b.revision ELSE b.confirmed_revision END
   FROM told t WHERE b.id = t.row_id AND (t.closes OR t.odoo_id IS DISTINCT FROM b.odoo_id
     OR nullif(t.odoo_name, b.mo_id) IS DISTINCT FROM b.odoo_name)
   RETURNING b.*, t.closes, t.reason, t.done
 ), b AS (
   SELECT * FROM noted WHERE closes
 ), event AS (
   INSERT INTO mo_events (mo_id, batch_id, line, kind, detail)
   SELECT b.mo_id, b.id, b.equipment_id_batch, CASE WHEN b.done IS NULL THEN 'set-aside' ELSE 'closed-by-hand' END,
     jsonb_strip_nulls(jsonb_build_object('reason', b.reason, 'done', b.done)) FROM b
 )
 SELECT ${BATCH_COLUMNS} FROM b ORDER BY b.batch_no;
SELECT b.id, b.mo_id, '${HELD_ELSEWHERE}' AS reason FROM ${TOLD}
WHERE NOT ${LEASED} AND o.reason IS NOT NULL AND ${UNREAD} AND (o.done IS NULL OR b.done_readback IS NULL) ORDER BY b.batch_no, b.id`;

/** The rows that a person asked for: one by its order or id, or all of the line. */
const ASKED = `${OF_LINE} AND ($<which> IS NULL OR b.mo_id = $<which> OR b.id::text = $<which>)
  AND (b.set_aside_at IS NOT NULL OR b.next_attempt_at IS NOT NULL)`;

const RETRY = `${LOCK_QUEUE}
WITH free_held AS MATERIALIZED (
  SELECT h.mo_id, h.reason IS NULL AS waits FROM mo_held_readings h WHERE $<which> IS NULL OR h.mo_id = $<which>
  ORDER BY 1, 2 FOR UPDATE OF h SKIP LOCKED
), held AS (
  UPDATE mo_held_readings h SET asks = 0, asked_at = NULL FROM free_held f WHERE f.mo_id = h.mo_id AND f.waits = (h.reason IS NULL)
), free AS MATERIALIZED (
  SELECT b.id FROM mo_batch b WHERE ${ASKED} AND (NOT b.duplicate OR $<which> IS NOT NULL) AND ${TO_MEND} IS NULL
  ORDER BY b.id FOR UPDATE SKIP LOCKED
), b AS (
  UPDATE mo_batch b SET duplicate = false, set_aside_at = NULL, set_aside_reason = NULL, odoo_cancelled = false,
    attempts = 0, next_attempt_at = NULL, refusals = 0, failing_since = NULL,
    closing_collisions = 0, closing_since = NULL
  FROM free f WHERE b.id = f.id RETURNING b.*
), told AS (${eventOf('retry', detail())})
SELECT ${BATCH_COLUMNS} FROM b ORDER BY b.batch_no;
SELECT b.id, b.mo_id, coalesce(${TO_MEND}, '${HELD_ELSEWHERE}') AS reason FROM mo_batch b
WHERE ${ASKED} AND CASE WHEN ${TO_MEND} IS NULL THEN NOT b.duplicate OR $<which> IS NOT NULL ELSE b.set_aside_at IS NOT NULL END
ORDER BY b.batch_no, b.id`;

const waitsForRow = ({ left }: Moved): boolean => left.some(({ reason }) => reason === HELD_ELSEWHERE);

/** What two attempts came to: the later one knows what is left. */
const together = (before: Moved | undefined, { batches, left }: Moved): Moved => ({
  batches: [...(before?.batches ?? []).filter(({ id }) => !batches.some((batch) => batch.id === id)), ...batches],
  left,
});

/**
 * Notes what Odoo told of orders: their ids and names there; and, of rows that no reading has changed since they were
 * listed, that the order is closed (or lost): set aside with the reason, or done with the figures of the row. Rows that
 * another session holds locked are left.
 * @returns the rows that were set aside or found done, and those that should have been
 */
export function setAside(db: Database, orders: readonly Told[]): Promise<Moved> {
  return patiently<Moved>(async (before) => {
    const waiting = before ? orders.filter(({ mo_id }) => before.left.some((left) => left.mo_id === mo_id)) : orders;
    const [, batches = [], left = []] = (await db.multi(SET_ASIDE, { orders: waiting })) as [unknown, Batch[], Left[]];
    return together(before, { batches, left });
  }, waitsForRow);
}

/**
 * Makes rows due at once and brings set-aside ones back: the named one (order or row id), or all of the line. A duplicate
 * comes back only when it is named. What a person has to mend first stays where it is, and what another session holds locked.
 * @returns the rows that are due now, and those that were left
 * @throws Error with what has to be mended, when that keeps the named row from coming back
 */
export async function retry(db: Database, which: string | null, line = '', decision: Decision = {}): Promise<Moved> {
  const moved = await patiently<Moved>(async (before) => {
    const [, batches = [], left = []] = (await db.multi(RETRY, { ...parameters('', decision), which, line })) as [
      unknown,
      Batch[],
      Left[],
    ];
    return together(before, { batches, left });
  }, waitsForRow);
  const [first] = moved.left;
  if (which === null || moved.batches.length > 0 || !first) return moved;
  throw new Error(`${first.mo_id === null ? `row ${first.id}` : `MO ${first.mo_id}`}: ${first.reason}`);
}
