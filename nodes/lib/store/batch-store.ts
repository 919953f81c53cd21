/**
 * The queue, its history and its events: every rule of the store as one statement. Knows no Node-RED and no Odoo.
 */
import { setTimeout as delay } from 'node:timers/promises';
import {
  type Batch,
  type BatchState,
  type DoneReadback,
  type CallByHand,
  gotNoAnswer,
  siloFigures,
  type SiloFigures,
} from '../domain/batch';
import type { Order } from '../domain/order';
import type { Reading } from '../domain/reading';
import { SILO_TAGS } from '../domain/silos';
import { LARGEST_WEIGHT } from '../domain/weight';
import type { Database } from './connection';
import { accept, closeAnyway, type Decided, type Decision, discard } from './decisions';
import { ENQUEUE, UNQUEUED } from './enqueue-sql';
import { figuresOf, LOCKED_ROW } from './reading-sql';
import { RECORD } from './record-sql';
import { ORDER_COLUMNS, SHARED_COLUMNS } from './tables';
import {
  BATCH_COLUMNS,
  CLOSED_BY_HAND,
  DUE,
  eventOf,
  LAST_SEEN,
  LEASED,
  LOCK_QUEUE,
  OF_LINE,
  QUIET,
  SLOT_FREE,
  UNCONFIRMED,
} from './sql';

/** What became of one reading. */
export type RecordOutcome =
  /** Written to its row. */
  | 'recorded'
  /** The same as the last accepted one: no row was touched. */
  | 'unchanged'
  /** The batch is completed, in the queue or the history, with other values: no reading changes them any more. */
  | 'locked'
  /** Read before the last accepted one of its order. */
  | 'older'
  /** Kept: until its order is queued, its row is free, or a person decides; `reason` tells. */
  | 'held'
  /** Its order is archived as completed, with these values if it tells final ones; or a person threw this telling away. */
  | 'stale';

/** Why a reading is held: absent where its order is not in the queue, else 'foreign-weights', 'locked-row' or the reading's `hold`. */
export interface Judgement {
  outcome: RecordOutcome;
  reason?: string;
  /** The order whose weights these are: its slot told them before. */
  weights_of?: string;
}

export interface RecordedReading extends Reading, Judgement {}

/** A batch without a readable order number, as its slot shows it. */
export type UnnamedSlot = Pick<Reading, 'slot' | 'consumption' | 'actual_weight_quantity_finished_goods'>;

/** What else a read of the PLC found: slots of one source that show no order now. */
export interface SlotsRead {
  source?: string;
  emptied?: readonly number[];
}

/** Times in the lists are ISO 8601. */
export interface QueueSummary {
  /** Rows that keep Task 1 from fetching: all but the set-aside ones. */
  queue: number;
  states: Record<BatchState, number>;
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

/** An order that a held reading waits for. */
export interface UnqueuedOrder {
  mo_id: string;
  /** The line that its reading came from. */
  line: string;
  slot: number;
  held_since: Date;
  /** How often it was asked for, this time included. */
  asks: number;
}

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
    | 'archived'
    | 'held'
    | 'accepted'
    | 'discarded';
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

/** A running row whose values have not changed for an hour, whether its slot still shows it or not. */
const STILL = `(b.revision > 0 AND NOT b.status_manufacturing AND b.done_readback IS NULL AND (
  coalesce(b.last_read_from_plc < now() - interval '1 hour', true) OR NOT EXISTS (
    SELECT FROM mo_events e WHERE e.mo_id = b.mo_id AND e.batch_id = b.id AND e.kind = 'changed' AND e.at >= now() - interval '1 hour')))`;

/** What only Odoo can tell more about: a person may have closed or cancelled the order there. */
const UNREAD = `(b.set_aside_at IS NULL AND b.mo_id IS NOT NULL AND NOT b.duplicate AND (b.revision = 0 OR ${QUIET} OR ${STILL}))`;

/** What a person has to mend before a set-aside row can come back; NULL: nothing. */
const TO_MEND = `CASE
  WHEN b.mo_id IS NULL THEN 'it has no mo_id: enter it by SQL, or archive the row'
  WHEN b.duplicate AND EXISTS (SELECT FROM mo_batch o WHERE o.mo_id = b.mo_id AND o.id <> b.id)
    THEN 'another row of this order is in the queue; archive one of the two as failed first'
  WHEN NOT (${SILO_TAGS.map((tag) => `coalesce(b.actual_consumption_${tag}, 0) BETWEEN 0 AND ${LARGEST_WEIGHT}`).join(' AND ')})
    THEN 'a silo holds a weight that is none: correct the row first' END`;

/** Pauses (ms) in which a row that another session works on usually becomes free: a push's own statements take a few ms. */
const PATIENCE = [30, 200, 500];

const ofLine = (line?: string): { line: string } => ({ line: line ?? '' });

/**
 * Of the rows chosen, those whose last call got no answer come after the others: each may hold a turn for a whole time
 * limit. Chosen they are like any other, or they would never have a turn.
 */
const slowLast = (rows: readonly Batch[]): Batch[] => [
  ...rows.filter((row) => !gotNoAnswer(row)),
  ...rows.filter(gotNoAnswer),
];

export class BatchStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** Counts, what is set aside and why, what is held: all that Task 1's gate and a person need. */
  async summary(line?: string): Promise<QueueSummary> {
    const row = await this.#db.one<Omit<QueueSummary, 'states'> & { states: Partial<Record<BatchState, number>> }>(
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
      ofLine(line),
    );
    const states = { queued: 0, running: 0, completed: 0, confirmed: 0, done: 0, 'set-aside': 0, ...row.states };
    const { unsettled, ...summary } = row;
    return { ...summary, ...(unsettled ? { unsettled } : {}), states };
  }

  /**
   * Queues orders in the given order, each once: one that is queued, or archived in any way, is left alone. Readings that
   * were held for an order are applied, completion included; where Odoo names no line, it gets the one they came from.
   * @param limit how many new ones at most, counted after leaving those out
   * @param named the order that a person named: only this one is queued again if it was archived by hand
   */
  enqueue(orders: readonly Order[], limit: number, named: string | null = null): Promise<Batch[]> {
    // Whatever else a message's orders carry stays out of the statement: it could make the database refuse all of them.
    const known = orders.map((order) =>
      Object.fromEntries(ORDER_COLUMNS.map(({ name }) => [name, order[name as keyof Order]])),
    );
    return this.#underLock<Batch>(ENQUEUE, { orders: known, limit, named });
  }

  /**
   * The orders of held readings that are not in the queue and are to be asked for now: at once, and again after pauses that
   * grow from 5 to 60 minutes by the database's clock. Reading this list is the question: it is noted in the same statement.
   */
  unqueued(line?: string): Promise<UnqueuedOrder[]> {
    return this.#underLock<UnqueuedOrder>(UNQUEUED, ofLine(line));
  }

  /** Which of these orders are left alone by enqueue because a person archived them: they have to be named. */
  archivedByHand(moIds: readonly string[]): Promise<string[]> {
    return this.#db.map(
      `SELECT h.mo_id FROM mo_histories h WHERE h.mo_id = ANY($<moIds>) AND NOT EXISTS (SELECT FROM mo_batch b WHERE b.mo_id = h.mo_id)
       GROUP BY h.mo_id HAVING NOT bool_or(h.status = 'completed') ORDER BY h.mo_id`,
      { moIds },
      ({ mo_id }: { mo_id: string }) => mo_id,
    );
  }

  /**
   * Records readings, one statement for all: what changed since the last accepted PLC reading is written field by field
   * (so that a correction by hand is not undone by an unchanged PLC), the final values together with the lock; the rest is
   * told. No two readings may name the same order.
   * A row that another session holds locked is tried for a moment; then its reading is held until a recording finds it free.
   * @param line the line that was read; its liveness is noted
   */
  async record(readings: readonly Reading[], line = '', read: SlotsRead = {}): Promise<RecordedReading[]> {
    const byOrder = new Map<string, Judgement>();
    let waiting = readings;
    for (const pause of [...PATIENCE, 0]) {
      for (const { mo_id, ...judgement } of await this.#record(waiting, line, read)) byOrder.set(mo_id, judgement);
      waiting = readings.filter(({ mo_id }) => byOrder.get(mo_id)?.reason === LOCKED_ROW);
      if (waiting.length === 0) break;
      await delay(pause);
    }
    return readings.map((reading) => ({ ...reading, ...(byOrder.get(reading.mo_id) as Judgement) }));
  }

  /**
   * Which of these batches without a number are leftovers: they weigh what their slot told last, whose number alone was cleared.
   * @returns numbers of slots
   */
  leftovers(unnamed: readonly UnnamedSlot[], line = '', { source = '' }: SlotsRead = {}): Promise<number[]> {
    return this.#db.map(
      `SELECT s.slot FROM jsonb_to_recordset($<unnamed:json>) AS u(slot int, consumption jsonb, finished numeric)
       JOIN mo_slots s ON (s.line, s.source, s.slot) = ($<line>, $<source>, u.slot) AND s.figures = ${figuresOf('u.consumption', 'u.finished')}`,
      {
        unnamed: unnamed.map(({ actual_weight_quantity_finished_goods: finished, ...slot }) => ({ ...slot, finished })),
        ...{ line, source },
      },
      ({ slot }: { slot: number }) => slot,
    );
  }

  async #record(
    readings: readonly Reading[],
    line: string,
    { source = '', emptied = [] }: SlotsRead,
  ): Promise<(Judgement & { mo_id: string })[]> {
    type Row = { mo_id: string; outcome: RecordOutcome; reason: string | null; weights_of: string | null };
    const rows = await this.#underLock<Row>(RECORD, { readings, line, source, emptied, alive: true });
    return rows.map(({ mo_id, outcome, reason, weights_of }) => ({
      ...{ mo_id, outcome },
      ...(reason && outcome === 'held' ? { reason } : {}),
      ...(weights_of && outcome === 'held' ? { weights_of } : {}),
    }));
  }

  /** Rows whose values Odoo has not confirmed and whose pause is over; never tried ones first, those that got no answer last. */
  async due(limit: number, line?: string): Promise<Batch[]> {
    const rows = await this.#db.any<Batch>(
      `SELECT ${BATCH_COLUMNS} FROM mo_batch b WHERE ${UNCONFIRMED} AND b.mo_id IS NOT NULL AND ${DUE} AND NOT ${LEASED} AND ${OF_LINE}
       ORDER BY b.last_attempt_at NULLS FIRST, b.batch_no LIMIT $<limit>`,
      { limit, ...ofLine(line) },
    );
    return slowLast(rows);
  }

  /** Completed rows to confirm, mark done and archive; and those that a person has closed in Odoo, once their slot is free. */
  async completed(limit: number, line?: string): Promise<Batch[]> {
    const rows = await this.#db.any<Batch>(
      `SELECT ${BATCH_COLUMNS} FROM mo_batch b WHERE (b.status_manufacturing OR (${CLOSED_BY_HAND} AND ${SLOT_FREE}))
         AND b.mo_id IS NOT NULL AND ${DUE} AND NOT ${LEASED} AND ${OF_LINE}
       ORDER BY b.last_attempt_at NULLS FIRST, b.completed_at, b.batch_no LIMIT $<limit>`,
      { limit, ...ofLine(line) },
    );
    return slowLast(rows);
  }

  /** Rows that no reading has reached yet, and running ones that none has changed for an hour: Odoo may have closed their orders. */
  unread(line?: string): Promise<Batch[]> {
    return this.#db.any<Batch>(
      `SELECT ${BATCH_COLUMNS} FROM mo_batch b WHERE ${UNREAD} AND ${OF_LINE} ORDER BY b.batch_no`,
      ofLine(line),
    );
  }

  /**
   * Notes what Odoo told of orders: their ids and names there; and, of rows that no reading has changed since they were
   * listed, that the order is closed (or lost): set aside with the reason, or done with the figures of the row.
   * @returns the rows that were set aside or found done
   */
  setAside(
    orders: readonly {
      mo_id: string;
      reason?: string;
      state?: string;
      odoo_id?: number;
      odoo_name?: string;
      done?: DoneReadback;
    }[],
  ): Promise<Batch[]> {
    return this.#underLock<Batch>(
      `WITH told AS MATERIALIZED (
         SELECT b.id AS row_id, o.*, o.reason IS NOT NULL AND ${UNREAD} AS closes
         FROM mo_batch b JOIN jsonb_to_recordset($<orders:json>) AS o(mo_id text, reason text, state text, odoo_id int, odoo_name text, done jsonb)
           ON b.mo_id = o.mo_id AND NOT b.duplicate
         WHERE NOT ${LEASED} FOR UPDATE OF b
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
       SELECT ${BATCH_COLUMNS} FROM b ORDER BY b.batch_no`,
      { orders },
    );
  }

  /**
   * Makes rows due at once and brings set-aside ones back: the named one (order or row id), or all of the line. A duplicate
   * comes back only when it is named. What a person has to mend first stays where it is.
   * @throws Error with what has to be mended, when that keeps the named row from coming back
   */
  async retry(which: string | null, line?: string): Promise<Batch[]> {
    const rows = await this.#underLock<Batch>(
      `WITH held AS (
         UPDATE mo_held_readings SET asks = 0, asked_at = NULL WHERE $<which> IS NULL OR mo_id = $<which>
       ), b AS (
         UPDATE mo_batch b SET duplicate = false, set_aside_at = NULL, set_aside_reason = NULL, odoo_cancelled = false,
           attempts = 0, next_attempt_at = NULL, refusals = 0, failing_since = NULL, closing_collisions = 0, closing_since = NULL
         WHERE ${OF_LINE} AND ($<which> IS NULL OR b.mo_id = $<which> OR b.id::text = $<which>)
           AND (b.set_aside_at IS NOT NULL OR b.next_attempt_at IS NOT NULL)
           AND (NOT b.duplicate OR $<which> IS NOT NULL) AND ${TO_MEND} IS NULL
         RETURNING b.*
       ), told AS (${eventOf('retry')})
       SELECT ${BATCH_COLUMNS} FROM b ORDER BY b.batch_no`,
      { which, ...ofLine(line) },
    );
    if (which === null || rows.length > 0) return rows;
    for (const { id, mo_id, reason } of await this.toMend(which, line)) {
      throw new Error(`${mo_id === null ? `row ${id}` : `MO ${mo_id}`}: ${reason}`);
    }
    return rows;
  }

  /** Set-aside rows that a retry leaves where they are, and what a person has to mend first. */
  toMend(which: string | null, line?: string): Promise<{ id: string; mo_id: string | null; reason: string }[]> {
    return this.#db.any(
      `SELECT b.id, b.mo_id, ${TO_MEND} AS reason FROM mo_batch b
       WHERE b.set_aside_at IS NOT NULL AND ${TO_MEND} IS NOT NULL AND ${OF_LINE}
         AND ($<which> IS NULL OR b.mo_id = $<which> OR b.id::text = $<which>) ORDER BY b.batch_no, b.id`,
      { which, ...ofLine(line) },
    );
  }

  /** Everything known about one order, from one look at the database. */
  async trail(moId: string): Promise<Trail> {
    const [[batch = null], history, [held], events] = (await this.#db.multi(
      `SELECT ${BATCH_COLUMNS} FROM mo_batch b WHERE b.mo_id = $<moId> ORDER BY b.duplicate LIMIT 1;
       SELECT * FROM mo_histories WHERE mo_id = $<moId> ORDER BY archived_at NULLS FIRST;
       SELECT reading FROM mo_held_readings WHERE mo_id = $<moId>;
       SELECT * FROM mo_events WHERE mo_id = $<moId> ORDER BY id`,
      { moId },
    )) as [[Batch?], Trail['history'], [{ reading: Reading }?], BatchEvent[]];
    const row = batch ?? history.at(-1);
    return { mo_id: moId, silos: row ? siloFigures(row) : [], batch, history, held: held?.reading ?? null, events };
  }

  /** Row ids of an order in the queue, the live one first; more than one only where duplicates were taken over. */
  async idsOf(moId: string): Promise<string[]> {
    return this.#db.map(
      'SELECT id FROM mo_batch WHERE mo_id = $<moId> ORDER BY duplicate, batch_no, id',
      { moId },
      ({ id }: { id: string }) => id,
    );
  }

  /** "Its own batch": see decisions.ts. */
  accept(moId: string, decision: Decision = {}): Promise<Decided | null> {
    return accept(this.#db, moId, decision);
  }

  /** "Close all the same": see decisions.ts. */
  closeAnyway(moId: string, decision: Decision = {}): Promise<Batch | null> {
    return closeAnyway(this.#db, moId, decision);
  }

  /** Throws what was kept back for a person away: see decisions.ts. */
  discard(moId: string, decision: Decision = {}): Promise<Decided | null> {
    return discard(this.#db, moId, decision);
  }

  /**
   * Throws the held readings of an order away that is not queued, because a person archived it; events keep them.
   * @returns whether there was one
   */
  async discardHeld(moId: string, status: Archived['status'], note: string): Promise<boolean> {
    return (await discard(this.#db, moId, { status, note })) !== null;
  }

  /**
   * Moves rows into the history in one statement, never under a live lease.
   * As completed: only rows that are confirmed as they stand and read back as done (`requires` 'confirmed': where
   * mark-done is not used). As cancelled or failed: any row that was named.
   * @param ids the rows; null: all that may go (completed only)
   * @returns what went, and of the named ones what stayed and why
   */
  async archive(
    ids: readonly string[] | null,
    {
      status,
      note = '',
      requires = 'done',
      line,
      named = false,
    }: {
      status: Archived['status'];
      note?: string;
      requires?: 'done' | 'confirmed';
      line?: string;
      /** A person named the order: one that was closed in Odoo may go although its slot still shows it. */
      named?: boolean;
    },
  ): Promise<{ archived: Archived[]; kept: Kept[] }> {
    if (status !== 'completed' && !ids) throw new Error(`Archiving as ${status} needs the rows to be named`);
    const closed = named ? CLOSED_BY_HAND : `(${CLOSED_BY_HAND} AND ${SLOT_FREE})`;
    const complete = `(${closed} OR (b.status_manufacturing AND b.pending_call IS NULL AND NOT b.duplicate AND b.set_aside_at IS NULL AND NOT ${UNCONFIRMED}
      ${requires === 'done' ? 'AND b.done_readback IS NOT NULL' : ''}))`;
    const columns = SHARED_COLUMNS.join(', ');
    const [, archived = [], kept = []] = (await this.#db.multi(
      `${LOCK_QUEUE}
       WITH gone AS (
         DELETE FROM mo_batch b WHERE ($<ids> IS NULL OR b.id = ANY($<ids>::uuid[])) AND ${OF_LINE} AND NOT ${LEASED}
           AND ${status === 'completed' ? complete : 'true'}
         RETURNING *
       ), b AS (
         INSERT INTO mo_histories (${columns}, status, notes, archived_at)
         SELECT ${columns}, $<status>, nullif($<note>, ''), now() FROM gone RETURNING *
       ), told AS (${eventOf('archived', `jsonb_build_object('status', b.status, 'note', $<note>)`)})
       SELECT id, mo_id, batch_no, status FROM b ORDER BY batch_no;
       SELECT b.id, b.mo_id, CASE
         WHEN ${LEASED} THEN 'a push of it is running'
         WHEN NOT ${OF_LINE} THEN 'it belongs to line ' || b.equipment_id_batch
         WHEN b.set_aside_at IS NOT NULL THEN 'set aside: ' || coalesce(b.set_aside_reason, 'no reason given')
         WHEN ${CLOSED_BY_HAND} THEN 'closed in Odoo, and its slot still shows it: it goes once the slot is free, or when you name it in msg.mo_id'
         WHEN NOT b.status_manufacturing THEN 'not completed'
         WHEN b.pending_call IS NOT NULL THEN 'a call by hand is unsettled: repeat it'
         WHEN ${UNCONFIRMED} THEN 'Odoo has not confirmed its last values'
         ELSE 'not read back as done in Odoo' END AS reason
       FROM mo_batch b WHERE b.id = ANY($<ids>::uuid[]) ORDER BY b.batch_no`,
      { ids, status, note, ...ofLine(line) },
    )) as [unknown, Archived[], Kept[]];
    return { archived, kept };
  }

  /** Deletes events older than so many days, of orders that are archived and not queued again. @returns how many */
  async pruneEvents(days: number): Promise<number> {
    const { rowCount } = await this.#db.result(
      `DELETE FROM mo_events e WHERE e.at < now() - make_interval(days => $<days>)
         AND EXISTS (SELECT FROM mo_histories h WHERE h.mo_id = e.mo_id) AND NOT EXISTS (SELECT FROM mo_batch b WHERE b.mo_id = e.mo_id)`,
      { days },
    );
    return rowCount;
  }

  /** One statement under the queue's lock, both in one round trip. */
  async #underLock<Row>(statement: string, parameters: object): Promise<Row[]> {
    const [, rows = []] = (await this.#db.multi(`${LOCK_QUEUE}\n${statement}`, parameters)) as [unknown, Row[]];
    return rows;
  }
}
