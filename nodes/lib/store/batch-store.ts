/**
 * The queue, its history and its events: every rule of the store as one statement. Knows no Node-RED and no Odoo.
 */
import type { Batch, BatchState, Order } from '../domain/batch';
import type { Reading } from '../domain/reading';
import { SILO_TAGS } from '../domain/silos';
import { LOCKS, type Database } from './connection';
import { ORDER_COLUMNS, SHARED_COLUMNS } from './schema';

/** What became of one reading. */
export type RecordOutcome =
  /** Written to its row. */
  | 'recorded'
  /** The same as the last accepted one: no row was touched. */
  | 'unchanged'
  /** The row is completed: no reading changes it any more. */
  | 'locked'
  /** Read before the last accepted one of its order. */
  | 'older'
  /** Its order is not in the queue: kept until it is. */
  | 'held'
  /** Its order is archived as completed. */
  | 'stale';

export interface RecordedReading extends Reading {
  outcome: RecordOutcome;
}

export interface QueueSummary {
  /** Rows that keep Task 1 from fetching: all but the set-aside ones. */
  queue: number;
  states: Record<BatchState, number>;
  /** Unconfirmed rows with a value, due now or waiting for their next attempt. */
  unconfirmed: number;
  next_attempt_at: Date | null;
  set_aside: { mo_id: string; id: string; reason: string; since: Date }[];
  held: { mo_id: string; slot: number; completed: boolean; held_since: Date }[];
  last_read_at: Date | null;
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
  kind: string;
  detail: Record<string, unknown>;
}

/** A row that has something to tell Odoo (or still has to be closed there) and may be tried again now. */
const MAY_BE_TRIED = `b.set_aside_at IS NULL AND NOT b.duplicate
  AND (b.next_attempt_at IS NULL OR b.next_attempt_at <= now())
  AND (b.lease_until IS NULL OR b.lease_until <= clock_timestamp())`;
const UNCONFIRMED = `b.revision > 0 AND b.confirmed_revision IS DISTINCT FROM b.revision`;
const OF_LINE = `($<line> = '' OR b.equipment_id_batch = $<line>)`;

export const BATCH_STATE = `CASE
  WHEN b.set_aside_at IS NOT NULL THEN 'set-aside'
  WHEN b.done_readback IS NOT NULL AND NOT ${`(${UNCONFIRMED})`} THEN 'done'
  WHEN b.status_manufacturing THEN CASE WHEN ${UNCONFIRMED} THEN 'completed' ELSE 'confirmed' END
  WHEN b.revision > 0 THEN 'running'
  ELSE 'queued' END`;

export const BATCH_COLUMNS = `b.*, ${BATCH_STATE} AS state`;

/** Advisory transaction lock of the queue; its own statement, so that what follows sees what the last holder left. */
const lockQueue = (shared = false): string =>
  `SELECT pg_advisory_xact_lock${shared ? '_shared' : ''}(${LOCKS.queue})::text;`;

const withLineFilter = (line?: string): { line: string } => ({ line: line ?? '' });

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
            'completed', reading->'status_manufacturing', 'held_since', held_since) ORDER BY held_since), '[]')
            FROM mo_held_readings WHERE $<line> = '' OR line IN ('', $<line>)) AS held,
         (SELECT max(last_read_at) FROM mo_lines WHERE $<line> = '' OR line = $<line>) AS last_read_at`,
      withLineFilter(line),
    );
    const states = { queued: 0, running: 0, completed: 0, confirmed: 0, done: 0, 'set-aside': 0, ...row.states };
    return { ...row, states };
  }

  /**
   * Queues orders in the given order, each once: one that is queued, or archived in any way, is left alone. Readings that
   * were held for an order are applied, completion included.
   * @param limit how many new ones at most, counted after leaving those out
   * @param named whether a person named the order: then one archived by hand is queued again
   */
  enqueue(orders: readonly Order[], limit: number, named = false): Promise<Batch[]> {
    const actuals = SILO_TAGS.map((tag) => `actual_consumption_${tag}`);
    const fromHeld = SILO_TAGS.map((tag) => `(h.reading->'consumption'->>'${tag}')::float8`);
    return this.#db.tx(async (tx) => {
      await tx.one(lockQueue());
      return tx.any<Batch>(
        `WITH fresh AS (
           SELECT * FROM jsonb_populate_recordset(NULL::mo_batch, $<orders:json>) WITH ORDINALITY AS o
           WHERE NOT EXISTS (SELECT FROM mo_batch b WHERE b.mo_id = o.mo_id)
             AND NOT EXISTS (SELECT FROM mo_histories h WHERE h.mo_id = o.mo_id AND (h.status = 'completed' OR NOT $<named>))
           ORDER BY o.ordinality LIMIT $<limit>
         ), b AS (
           INSERT INTO mo_batch (id, batch_no, ${ORDER_COLUMNS.join(', ')}, ${actuals.join(', ')},
             status_manufacturing, status_operation, actual_weight_quantity_finished_goods, last_read_from_plc, last_plc_reading)
           SELECT gen_random_uuid(),
             greatest(
               (SELECT coalesce(max(q.batch_no), 0) FROM mo_batch q WHERE q.equipment_id_batch = coalesce(o.equipment_id_batch, '')),
               (SELECT coalesce(max(q.batch_no), 0) FROM mo_histories q WHERE q.equipment_id_batch = coalesce(o.equipment_id_batch, ''))
             ) + row_number() OVER (PARTITION BY coalesce(o.equipment_id_batch, '') ORDER BY o.ordinality),
             ${ORDER_COLUMNS.map((name) => (name === 'equipment_id_batch' ? `coalesce(o.${name}, '')` : `o.${name}`)).join(', ')},
             ${fromHeld.join(', ')},
             coalesce((h.reading->>'status_manufacturing')::bool, false), coalesce((h.reading->>'status_operation')::bool, false),
             (h.reading->>'actual_weight_quantity_finished_goods')::numeric, (h.reading->>'read_at')::timestamptz, h.reading
           FROM fresh o LEFT JOIN mo_held_readings h ON h.mo_id = o.mo_id
           ORDER BY o.ordinality
           RETURNING *
         ), applied AS (DELETE FROM mo_held_readings h USING b WHERE h.mo_id = b.mo_id)
         SELECT ${BATCH_COLUMNS} FROM b ORDER BY batch_no`,
        { orders, limit, named },
      );
    });
  }

  /**
   * Records readings, one statement for all: what changed since the last accepted PLC reading is written field by field
   * (so that a correction by hand is not undone by an unchanged PLC), the final values together with the lock; the rest is
   * told. No two readings may name the same order.
   */
  async record(readings: readonly Reading[], line = ''): Promise<RecordedReading[]> {
    const changedField = (column: string, read: string, last: string): string =>
      `${column} = CASE WHEN ${read} IS NOT NULL AND ${read} IS DISTINCT FROM ${last} THEN ${read} ELSE b.${column} END`;
    const [, outcomes = []] = await this.#db.multi<{ mo_id: string; outcome: RecordOutcome }>(
      `${lockQueue(true)}
       WITH input AS MATERIALIZED (
         SELECT r.*, to_jsonb(r) AS reading FROM jsonb_to_recordset($<readings:json>) AS r(slot int, mo_id text,
           status_manufacturing bool, status_operation bool, actual_weight_quantity_finished_goods numeric,
           consumption jsonb, read_at timestamptz)
       ), known AS MATERIALIZED (
         SELECT i.*, b.id, b.status_manufacturing AS completed, b.last_plc_reading AS last,
           b.last_plc_reading->'consumption' AS last_consumption,
           greatest((b.last_plc_reading->>'read_at')::timestamptz, (l.seen->>i.mo_id)::timestamptz) AS last_read_at,
           b.last_plc_reading IS NULL
             OR (b.last_plc_reading->'consumption') || i.consumption <> (b.last_plc_reading->'consumption')
             OR i.status_manufacturing <> (b.last_plc_reading->>'status_manufacturing')::bool
             OR i.status_operation <> (b.last_plc_reading->>'status_operation')::bool
             OR i.actual_weight_quantity_finished_goods IS DISTINCT FROM
                (b.last_plc_reading->>'actual_weight_quantity_finished_goods')::numeric AS changed
         FROM input i LEFT JOIN mo_batch b ON b.mo_id = i.mo_id AND NOT b.duplicate LEFT JOIN mo_lines l ON l.line = $<line>
       ), written AS (
         UPDATE mo_batch b SET
           ${SILO_TAGS.map((tag) =>
             changedField(
               `actual_consumption_${tag}`,
               `(k.consumption->>'${tag}')::float8`,
               `(k.last_consumption->>'${tag}')::float8`,
             ),
           ).join(', ')},
           ${changedField(
             'actual_weight_quantity_finished_goods',
             'k.actual_weight_quantity_finished_goods',
             `(k.last->>'actual_weight_quantity_finished_goods')::numeric`,
           )},
           status_manufacturing = k.status_manufacturing, status_operation = k.status_operation,
           last_read_from_plc = k.read_at,
           last_plc_reading = k.reading || jsonb_build_object('consumption', coalesce(k.last_consumption, '{}') || k.consumption)
         FROM known k
         WHERE b.id = k.id AND NOT b.status_manufacturing AND b.last_plc_reading IS NOT DISTINCT FROM k.last
           AND k.changed AND (k.last_read_at IS NULL OR k.read_at >= k.last_read_at)
         RETURNING b.mo_id
       ), finished AS (
         SELECT k.mo_id FROM known k JOIN mo_histories h ON h.mo_id = k.mo_id AND h.status = 'completed' WHERE k.id IS NULL
       ), held AS (
         INSERT INTO mo_held_readings AS old (mo_id, line, reading)
         SELECT mo_id, $<line>, reading FROM known k WHERE id IS NULL AND NOT EXISTS (SELECT FROM finished f WHERE f.mo_id = k.mo_id)
         ON CONFLICT (mo_id) DO UPDATE SET reading = EXCLUDED.reading, line = EXCLUDED.line
         WHERE (EXCLUDED.reading->>'read_at')::timestamptz >= (old.reading->>'read_at')::timestamptz
           AND NOT (old.reading->>'status_manufacturing')::bool
       ), alive AS (
         INSERT INTO mo_lines AS old (line, last_read_at, seen)
         SELECT $<line>, coalesce(max(read_at), now()), coalesce(jsonb_object_agg(mo_id, read_at) FILTER (WHERE mo_id IS NOT NULL), '{}') FROM input
         ON CONFLICT (line) DO UPDATE SET last_read_at = greatest(old.last_read_at, EXCLUDED.last_read_at),
           seen = (SELECT coalesce(jsonb_object_agg(mo_id, max_at), '{}') FROM (
             SELECT key AS mo_id, max(value) AS max_at FROM (
               SELECT key, value::timestamptz FROM jsonb_each_text(old.seen) WHERE EXISTS (SELECT FROM mo_batch q WHERE q.mo_id = key)
               UNION ALL SELECT key, value::timestamptz FROM jsonb_each_text(EXCLUDED.seen)) both_seen GROUP BY key) s)
       )
       SELECT k.mo_id, CASE
         WHEN EXISTS (SELECT FROM written w WHERE w.mo_id = k.mo_id) THEN 'recorded'
         WHEN EXISTS (SELECT FROM finished f WHERE f.mo_id = k.mo_id) THEN 'stale'
         WHEN k.id IS NULL THEN 'held'
         WHEN k.read_at < k.last_read_at THEN 'older'
         WHEN NOT k.changed THEN 'unchanged'
         WHEN k.completed THEN 'locked'
         ELSE 'conflict' END AS outcome
       FROM known k`,
      { readings, line },
    );
    const byOrder = new Map(outcomes.map(({ mo_id, outcome }) => [mo_id, outcome]));
    const recorded = readings.map((reading) => ({ ...reading, outcome: byOrder.get(reading.mo_id) ?? 'older' }));
    // Another recording changed the row between this statement's look and its write: look again.
    const again = recorded.filter(({ outcome }) => (outcome as string) === 'conflict');
    if (again.length === 0) return recorded;
    const second = await this.record(again, line);
    const retried = new Map(second.map((reading) => [reading.mo_id, reading]));
    return recorded.map((reading) => retried.get(reading.mo_id) ?? reading);
  }

  /** Rows whose values Odoo has not confirmed and whose pause is over; never tried ones first. */
  due(limit: number, line?: string): Promise<Batch[]> {
    return this.#db.any<Batch>(
      `SELECT ${BATCH_COLUMNS} FROM mo_batch b WHERE ${UNCONFIRMED} AND ${MAY_BE_TRIED} AND ${OF_LINE}
       ORDER BY b.last_attempt_at NULLS FIRST, b.batch_no LIMIT $<limit>`,
      { limit, ...withLineFilter(line) },
    );
  }

  /** Completed rows to confirm, mark done and archive. */
  completed(limit: number, line?: string): Promise<Batch[]> {
    return this.#db.any<Batch>(
      `SELECT ${BATCH_COLUMNS} FROM mo_batch b WHERE b.status_manufacturing AND ${MAY_BE_TRIED} AND ${OF_LINE}
       ORDER BY b.last_attempt_at NULLS FIRST, b.completed_at, b.batch_no LIMIT $<limit>`,
      { limit, ...withLineFilter(line) },
    );
  }

  /** Queued rows that no reading has reached yet: Odoo may have closed their orders meanwhile. */
  unread(line?: string): Promise<Batch[]> {
    return this.#db.any<Batch>(
      `SELECT ${BATCH_COLUMNS} FROM mo_batch b WHERE b.revision = 0 AND b.set_aside_at IS NULL AND ${OF_LINE} ORDER BY b.batch_no`,
      withLineFilter(line),
    );
  }

  /** Sets queued rows without a reading aside because Odoo has closed (or lost) their orders. */
  setAside(orders: readonly { mo_id: string; reason: string }[]): Promise<Batch[]> {
    return this.#db.any<Batch>(
      `WITH b AS (
         UPDATE mo_batch b SET set_aside_at = now(), set_aside_reason = o.reason, odoo_cancelled = true
         FROM jsonb_to_recordset($<orders:json>) AS o(mo_id text, reason text)
         WHERE b.mo_id = o.mo_id AND b.revision = 0 AND b.set_aside_at IS NULL RETURNING b.*
       ), told AS (
         INSERT INTO mo_events (mo_id, batch_id, line, kind, detail)
         SELECT mo_id, id, equipment_id_batch, 'set-aside', jsonb_build_object('reason', set_aside_reason) FROM b
       ) SELECT ${BATCH_COLUMNS} FROM b`,
      { orders },
    );
  }

  /**
   * Makes rows due at once and brings set-aside ones back: the named one (order or row id), or all of the line.
   * @throws Error when a duplicate is to come back while another row of its order is live.
   */
  async retry(which: string | null, line?: string): Promise<Batch[]> {
    const rows = await this.#db.any<Batch>(
      `WITH b AS (
         UPDATE mo_batch b SET set_aside_at = NULL, set_aside_reason = NULL, odoo_cancelled = false, attempts = 0, next_attempt_at = NULL
         WHERE ${OF_LINE} AND NOT b.duplicate AND ($<which> IS NULL OR b.mo_id = $<which> OR b.id::text = $<which>)
           AND (b.set_aside_at IS NOT NULL OR b.next_attempt_at IS NOT NULL)
         RETURNING b.*
       ), told AS (
         INSERT INTO mo_events (mo_id, batch_id, line, kind) SELECT mo_id, id, equipment_id_batch, 'retry' FROM b
       ) SELECT ${BATCH_COLUMNS} FROM b ORDER BY batch_no`,
      { which, ...withLineFilter(line) },
    );
    if (which === null || rows.length > 0) return rows;
    const duplicate = await this.#db.oneOrNone<{ mo_id: string }>(
      'SELECT mo_id FROM mo_batch b WHERE b.duplicate AND b.id::text = $<which>',
      { which },
    );
    if (duplicate) return this.#promoteDuplicate(which, duplicate.mo_id);
    return rows;
  }

  /** A duplicate may take the place of its order only when no other row holds it. */
  async #promoteDuplicate(id: string, moId: string): Promise<Batch[]> {
    const rows = await this.#db.any<Batch>(
      `WITH b AS (
         UPDATE mo_batch b SET duplicate = false, set_aside_at = NULL, set_aside_reason = NULL, next_attempt_at = NULL, attempts = 0
         WHERE b.id = $<id> AND NOT EXISTS (SELECT FROM mo_batch o WHERE o.mo_id = b.mo_id AND NOT o.duplicate) RETURNING b.*
       ) SELECT ${BATCH_COLUMNS} FROM b`,
      { id },
    );
    if (rows.length > 0) return rows;
    throw new Error(`MO ${moId}: another row of this order is live in the queue; archive one of the two as failed first`);
  }

  /** Everything known about one order: its row (queue or history), a held reading, its events in order. */
  async trail(moId: string): Promise<{
    mo_id: string;
    batch: Batch | null;
    history: Record<string, unknown>[];
    held: Reading | null;
    events: BatchEvent[];
  }> {
    return this.#db.task(async (task) => ({
      mo_id: moId,
      batch: await task.oneOrNone<Batch>(
        `SELECT ${BATCH_COLUMNS} FROM mo_batch b WHERE b.mo_id = $<moId> AND NOT b.duplicate`,
        { moId },
      ),
      history: await task.any('SELECT * FROM mo_histories WHERE mo_id = $<moId> ORDER BY archived_at', { moId }),
      held: await task.oneOrNone<Reading>(
        'SELECT reading FROM mo_held_readings WHERE mo_id = $<moId>',
        { moId },
        (row: { reading: Reading } | null) => row?.reading as Reading,
      ),
      events: await task.any<BatchEvent>('SELECT * FROM mo_events WHERE mo_id = $<moId> ORDER BY id', { moId }),
    }));
  }

  /** Row ids of an order's live row in the queue: one or none. */
  async idsOf(moId: string): Promise<string[]> {
    return this.#db.map('SELECT id FROM mo_batch WHERE mo_id = $<moId> AND NOT duplicate', { moId }, ({ id }: { id: string }) => id);
  }

  /**
   * Moves rows into the history in one statement, never under a live lease.
   * As completed: only rows that are confirmed as they stand and read back as done (`requires` 'confirmed': where
   * mark-done is not used). As cancelled or failed: any row that was named.
   * @param ids the rows; null: all that may go (completed only)
   * @returns what went, and of the named ones what stayed and why
   */
  archive(
    ids: readonly string[] | null,
    {
      status,
      note = '',
      requires = 'done',
      line,
    }: { status: Archived['status']; note?: string; requires?: 'done' | 'confirmed'; line?: string },
  ): Promise<{ archived: Archived[]; kept: Kept[] }> {
    const mayGo =
      status === 'completed'
        ? `b.status_manufacturing AND NOT b.duplicate AND b.set_aside_at IS NULL AND NOT (${UNCONFIRMED})
           ${requires === 'done' ? 'AND b.done_readback IS NOT NULL' : ''}`
        : 'true';
    const list = SHARED_COLUMNS.join(', ');
    return this.#db.tx(async (tx) => {
      await tx.one(lockQueue());
      const archived = await tx.any<Archived>(
        `WITH gone AS (
           DELETE FROM mo_batch b WHERE ($<ids> IS NULL OR b.id = ANY($<ids>::uuid[])) AND ${OF_LINE} AND ${mayGo}
             AND (b.lease_until IS NULL OR b.lease_until <= clock_timestamp())
           RETURNING *
         ), kept AS (
           INSERT INTO mo_histories (${list}, status, notes) SELECT ${list}, $<status>, nullif($<note>, '') FROM gone
           RETURNING id, mo_id, batch_no, status, equipment_id_batch
         ), told AS (
           INSERT INTO mo_events (mo_id, batch_id, line, kind, detail)
           SELECT mo_id, id, equipment_id_batch, 'archived', jsonb_build_object('status', status, 'note', $<note>) FROM kept
         ) SELECT id, mo_id, batch_no, status FROM kept ORDER BY batch_no`,
        { ids, status, note, ...withLineFilter(line) },
      );
      const went = new Set(archived.map(({ id }) => id));
      const stayed = ids?.filter((id) => !went.has(id)) ?? [];
      const kept = await tx.any<Kept>(
        `SELECT b.id, b.mo_id, CASE
           WHEN b.lease_until > clock_timestamp() THEN 'a push of it is running'
           WHEN b.set_aside_at IS NOT NULL THEN 'set aside: ' || coalesce(b.set_aside_reason, 'no reason given')
           WHEN NOT b.status_manufacturing THEN 'not completed'
           WHEN ${UNCONFIRMED} THEN 'Odoo has not confirmed its last values'
           ELSE 'not read back as done in Odoo' END AS reason
         FROM mo_batch b WHERE b.id = ANY($<stayed>::uuid[])`,
        { stayed },
      );
      return { archived, kept };
    });
  }

  /** Deletes events older than so many days, of orders that are archived and not queued again. */
  async pruneEvents(days: number): Promise<number> {
    const { rowCount } = await this.#db.result(
      `DELETE FROM mo_events e WHERE e.at < now() - make_interval(days => $<days>)
         AND EXISTS (SELECT FROM mo_histories h WHERE h.mo_id = e.mo_id) AND NOT EXISTS (SELECT FROM mo_batch b WHERE b.mo_id = e.mo_id)`,
      { days },
    );
    return rowCount;
  }
}
