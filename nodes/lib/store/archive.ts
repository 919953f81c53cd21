/**
 * Moving rows from the queue into the history, and forgetting what is old.
 */
import type { Database } from './connection';
import { HELD_ELSEWHERE, patiently } from './locked-row';
import { CLOSED_BY_HAND, eventOf, LEASED, LOCK_QUEUE, OF_LINE, SLOT_FREE, UNCONFIRMED } from './sql';
import { SHARED_COLUMNS } from './tables';

export interface Archived {
  id: string;
  mo_id: string;
  batch_no: number;
  status: 'completed' | 'cancelled' | 'failed';
}

export interface Kept {
  id: string;
  mo_id: string;
  reason: string;
}

/** What archives, and how. */
export interface Archiving {
  status: Archived['status'];
  note?: string;
  /** Who pressed. */
  by?: string;
  requires?: 'done' | 'confirmed';
  line?: string;
  /** A person named the order: one that was closed in Odoo may go although its slot still shows it. */
  named?: boolean;
}

interface Archive {
  archived: Archived[];
  kept: Kept[];
}

/** A row that may go. */
const mayGo = ({ status, requires = 'done', named = false }: Archiving): string => {
  if (status !== 'completed') return 'true';
  const closed = named ? CLOSED_BY_HAND : `(${CLOSED_BY_HAND} AND ${SLOT_FREE})`;
  return `(${closed} OR (b.status_manufacturing AND b.pending_call IS NULL AND NOT b.duplicate AND b.set_aside_at IS NULL AND NOT ${UNCONFIRMED}
      ${requires === 'done' ? 'AND b.done_readback IS NOT NULL' : ''}))`;
};

/** Why a row stays, in the order in which it matters. One that may go and is still there is locked. */
const whyKept = (goes: string): string => `CASE
         WHEN ${LEASED} THEN 'a push of it is running'
         WHEN NOT ${OF_LINE} THEN 'it belongs to line ' || b.equipment_id_batch
         WHEN ${goes} THEN '${HELD_ELSEWHERE}'
         WHEN b.set_aside_at IS NOT NULL THEN 'set aside: ' || coalesce(b.set_aside_reason, 'no reason given')
         WHEN ${CLOSED_BY_HAND} THEN 'closed in Odoo, and its slot still shows it: it goes once the slot is free, or when you name it in msg.mo_id'
         WHEN NOT b.status_manufacturing THEN 'not completed'
         WHEN b.pending_call IS NOT NULL THEN 'a call by hand is unsettled: repeat it'
         WHEN ${UNCONFIRMED} THEN 'Odoo has not confirmed its last values'
         ELSE 'not read back as done in Odoo' END`;

/**
 * Moves rows into the history in one statement, never under a live lease.
 * As completed: only rows that are confirmed as they stand and read back as done (`requires` 'confirmed': where
 * mark-done is not used). As cancelled or failed: any row that was named. One that another session holds locked stays.
 * @param ids the rows; null: all that may go (completed only)
 * @returns what went, and what stayed and why: of the named ones each, of all only those that might have gone
 */
export function archive(db: Database, ids: readonly string[] | null, archiving: Archiving): Promise<Archive> {
  const { status, note = '', by = '', line = '' } = archiving;
  if (status !== 'completed' && !ids) {
    return Promise.reject(new Error(`Archiving as ${status} needs the rows to be named`));
  }
  const goes = mayGo(archiving);
  const columns = SHARED_COLUMNS.join(', ');
  return patiently<Archive>(
    async (before) => {
      const [, archived = [], kept = []] = (await db.multi(
        `${LOCK_QUEUE}
       WITH free AS MATERIALIZED (
         SELECT b.id FROM mo_batch b WHERE ($<ids> IS NULL OR b.id = ANY($<ids>::uuid[])) AND ${OF_LINE} AND NOT ${LEASED} AND ${goes}
         ORDER BY b.id FOR UPDATE SKIP LOCKED
       ), gone AS (
         DELETE FROM mo_batch b USING free f WHERE b.id = f.id RETURNING b.*
       ), b AS (
         INSERT INTO mo_histories (${columns}, status, notes, archived_at)
         SELECT ${columns}, $<status>, nullif($<note>, ''), now() FROM gone RETURNING *
       ), told AS (${eventOf('archived', `jsonb_build_object('status', b.status, 'note', $<note>) || jsonb_strip_nulls(jsonb_build_object('by', nullif($<by>, '')))`)})
       SELECT id, mo_id, batch_no, status FROM b ORDER BY batch_no;
       SELECT b.id, b.mo_id, ${whyKept(goes)} AS reason
       FROM mo_batch b WHERE b.id = ANY($<ids>::uuid[]) OR ($<ids> IS NULL AND ${OF_LINE} AND NOT ${LEASED} AND ${goes}) ORDER BY b.batch_no`,
        { ids, status, note, by, line },
      )) as [unknown, Archived[], Kept[]];
      return { archived: [...(before?.archived ?? []), ...archived], kept };
    },
    ({ kept }) => kept.some(({ reason }) => reason === HELD_ELSEWHERE),
  );
}

/**
 * Deletes events older than so many days, of orders that are archived and not queued again; and decisions of that age about
 * tellings that their slots have no longer.
 * @returns how many events
 */
export async function pruneEvents(db: Database, days: number): Promise<number> {
  const { rowCount } = await db.result(
    `DELETE FROM mo_events e WHERE e.at < now() - make_interval(days => $<days>)
       AND EXISTS (SELECT FROM mo_histories h WHERE h.mo_id = e.mo_id) AND NOT EXISTS (SELECT FROM mo_batch b WHERE b.mo_id = e.mo_id)`,
    { days },
  );
  // A slot that was typed over tells the order before, with the figures that were thrown away for the new number.
  await db.none(
    `DELETE FROM mo_discarded_readings d WHERE d.at < now() - make_interval(days => $<days>)
       AND NOT EXISTS (SELECT FROM mo_batch b WHERE b.mo_id = d.mo_id) AND NOT EXISTS (SELECT FROM mo_slots s
         WHERE (s.line, s.source, s.slot) = (d.line, d.source, d.slot) AND (s.mo_id = d.mo_id OR s.figures = d.figures))`,
    { days },
  );
  return rowCount;
}
