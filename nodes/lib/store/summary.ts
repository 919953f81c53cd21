/**
 * What a person and Task 1's gate need to know of the queue, and all that is known of one order. Reads only.
 */
import {
  type Batch,
  type BatchState,
  type StateCounts,
  type CallByHand,
  siloFigures,
  type SiloFigures,
} from '../domain/batch';
import type { Reading } from '../domain/reading';
import type { Database } from './connection';
import { LOCKED_ROW } from './reading-sql';
import { BATCH_COLUMNS, LAST_SEEN, OF_LINE, QUIET, UNCONFIRMED } from './sql';

/** Times in the lists are ISO 8601. */
export interface QueueSummary {
  /** Rows that keep Task 1 from fetching: all but the set-aside ones. */
  queue: number;
  states: StateCounts;
  /** Unconfirmed rows with a value, due now or waiting for their next attempt. */
  unconfirmed: number;
  next_attempt_at: Date | null;
  set_aside: { mo_id: string | null; id: string; reason: string; since: string }[];
  /** `reason`: null where they wait for their order, else why they are held (Judgement). */
  held: {
    mo_id: string;
    slot: number;
    completed: boolean;
    held_since: string;
    reason: string | null;
    weights_of: string | null;
  }[];
  /** Running batches that no reading has named for an hour: their slots were perhaps cleared or used again. */
  quiet: { mo_id: string; last_seen: string | null }[];
  /** Calls by hand that may have put this into Odoo, and nobody knows (kg): repeat them; absent without any. */
  unsettled?: ({ mo_id: string; id: string; since: string } & CallByHand)[];
  /** With a line filter: rows of other lines that nobody has ever read, so that perhaps no flow works on them. */
  other_lines: { line: string; rows: number }[];
  last_read_at: Date | null;
}

export interface BatchEvent {
  id: number;
  at: Date;
  mo_id: string;
  batch_id: string | null;
  line: string;
  kind:
    | 'queued'
    | 'taken-over'
    | 'changed'
    | 'push'
    | 'settled'
    | 'set-aside'
    | 'retry'
    | 'close-anyway'
    | 'closed-by-hand'
    | 'handed'
    | 'offered'
    | 'taken'
    | 'withdraw'
    | 'withdrawn'
    | 'wanted-again'
    | 'handover-asked'
    | 'never-handed'
    | 'replanned'
    | 'archived'
    | 'held'
    | 'accepted'
    | 'discarded'
    | 'belongs-to'
    | 'finished-weight';
  detail: Record<string, unknown>;
}

/** Everything known about one order. */
export interface Trail {
  mo_id: string;
  /** Planned, read, sent and confirmed kg per silo, of the row in the queue or else of the last one in the history. */
  silos: SiloFigures[];
  batch: Batch | null;
  /** Its rows in the history, oldest first. */
  history: (Omit<Batch, 'state'> & { status: string; notes: string | null; archived_at: Date | null })[];
  held: Reading | null;
  events: BatchEvent[];
}

/** Counts, what is set aside and why, what is held: all that Task 1's gate and a person need. */
export async function summary(db: Database, line = ''): Promise<QueueSummary> {
  const row = await db.one<Omit<QueueSummary, 'states'> & { states: Partial<Record<BatchState, number>> }>(
    `WITH rows AS (SELECT ${BATCH_COLUMNS} FROM mo_batch b WHERE ${OF_LINE})
     SELECT (SELECT count(*) FROM rows WHERE set_aside_at IS NULL)::int AS queue,
       (SELECT coalesce(jsonb_object_agg(state, n), '{}') FROM (SELECT state, count(*) AS n FROM rows GROUP BY state) s) AS states,
       (SELECT count(*) FROM rows b WHERE ${UNCONFIRMED} AND set_aside_at IS NULL)::int AS unconfirmed,
       (SELECT min(next_attempt_at) FROM rows WHERE set_aside_at IS NULL) AS next_attempt_at,
       (SELECT coalesce(jsonb_agg(jsonb_build_object('mo_id', mo_id, 'id', id, 'reason', set_aside_reason, 'since', set_aside_at)
          ORDER BY set_aside_at), '[]') FROM rows WHERE set_aside_at IS NOT NULL) AS set_aside,
       (SELECT coalesce(jsonb_agg(jsonb_build_object('mo_id', mo_id, 'slot', reading->'slot',
          'completed', reading->'status_manufacturing', 'held_since', held_since, 'weights_of', h.weights_of, 'reason', coalesce(h.reason,
          CASE WHEN EXISTS (SELECT FROM mo_batch q WHERE q.mo_id = h.mo_id AND NOT q.duplicate) THEN '${LOCKED_ROW}' END)) ORDER BY held_since), '[]')
          FROM mo_held_readings h WHERE $<line> = '' OR line IN ('', $<line>)) AS held,
       (SELECT coalesce(jsonb_agg(jsonb_build_object('mo_id', mo_id, 'last_seen', ${LAST_SEEN}) ORDER BY batch_no), '[]')
          FROM rows b WHERE ${QUIET}) AS quiet,
       (SELECT jsonb_agg(pending_call - 'at' || jsonb_build_object('mo_id', mo_id, 'id', id, 'since', pending_call->'at') ORDER BY batch_no)
          FROM rows WHERE pending_call IS NOT NULL) AS unsettled,
       (SELECT coalesce(jsonb_agg(o ORDER BY line), '[]') FROM (
          SELECT b.equipment_id_batch AS line, count(*) AS rows FROM mo_batch b
          WHERE NOT ${OF_LINE} AND NOT EXISTS (SELECT FROM mo_lines l WHERE l.line = b.equipment_id_batch) GROUP BY 1) o) AS other_lines,
       (SELECT max(last_read_at) FROM mo_lines WHERE $<line> = '' OR line = $<line>) AS last_read_at`,
    { line },
  );
  const states = { queued: 0, running: 0, completed: 0, confirmed: 0, done: 0, 'set-aside': 0, ...row.states };
  const { unsettled, ...summary } = row;
  return { ...summary, ...(unsettled ? { unsettled } : {}), states };
}

/** Everything known about one order, from one look at the database. */
export async function trail(db: Database, moId: string): Promise<Trail> {
  const [[batch = null], history, [held], events] = (await db.multi(
    `SELECT ${BATCH_COLUMNS} FROM mo_batch b WHERE b.mo_id = $<moId> ORDER BY b.duplicate LIMIT 1;
     SELECT * FROM mo_histories WHERE mo_id = $<moId> ORDER BY archived_at NULLS FIRST;
     SELECT reading FROM mo_held_readings WHERE mo_id = $<moId>;
     SELECT * FROM mo_events WHERE mo_id = $<moId> ORDER BY id`,
    { moId },
  )) as [[Batch?], Trail['history'], [{ reading: Reading }?], BatchEvent[]];
  const row = batch ?? history.at(-1);
  return { mo_id: moId, silos: row ? siloFigures(row) : [], batch, history, held: held?.reading ?? null, events };
}
