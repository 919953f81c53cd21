/**
 * What people look at: the whole queue with its figures, and what each hour brought. Reads only.
 */
import { type Batch, siloFigures, type SiloFigures } from '../domain/batch';
import { sumForOdoo } from '../domain/weight';
import type { Database } from './connection';
import { BATCH_COLUMNS, OF_LINE } from './sql';

/** A row of the queue with its figures. */
export interface ListedBatch extends Batch {
  silos: SiloFigures[];
  /** Sums over the silos (kg), each weight rounded as Odoo keeps it. */
  planned: number;
  read: number;
  confirmed: number;
  /** Where the PLC has it; null: no reading of it was accepted yet. */
  slot: number | null;
  /** When a reading last named it, changed or not (ISO 8601); null: none did yet. */
  last_seen: string | null;
}

/** What one hour brought. */
export interface HourOfActivity {
  /** Its beginning (ISO 8601). */
  hour: string;
  /** What readings and corrections added to the silos (kg); below 0 where corrections took away more. */
  kg: number;
  /** Pushes that Odoo confirmed. */
  pushes: number;
  /** Pushes that ended in any other way. */
  failed: number;
}

/** A row of the history with its figures. */
export interface ArchivedBatch
  extends Omit<Batch, 'state'>, Pick<ListedBatch, 'silos' | 'planned' | 'read' | 'confirmed'> {
  status: 'completed' | 'cancelled' | 'failed';
  notes: string | null;
  /** null only where the replaced system wrote the row. */
  archived_at: Date | null;
  /** Its order was queued again since: a later row of it is in the queue or the history. */
  superseded: boolean;
}

/** The hours that `activity` tells, the one under way included. */
const HOURS = 24;

export class Reports {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** Every row of the queue (of the line), set-aside ones included, by line and batch number. */
  async list(line = ''): Promise<ListedBatch[]> {
    const rows = await this.#db.any<Batch & { seen_at: Date | null }>(
      `SELECT ${BATCH_COLUMNS}, coalesce((SELECT max((l.seen->>b.mo_id)::timestamptz) FROM mo_lines l), b.last_read_from_plc) AS seen_at
       FROM mo_batch b WHERE ${OF_LINE} ORDER BY b.equipment_id_batch, b.batch_no, b.id`,
      { line },
    );
    return rows.map(({ seen_at, ...row }) => {
      return {
        ...row,
        ...figuresOf(row),
        slot: row.last_plc_reading?.slot ?? null,
        last_seen: seen_at?.toISOString() ?? null,
      };
    });
  }

  /**
   * One entry per hour of the last 24, the oldest first. What a row held before its first known event (taken over, or
   * pruned) was not added in that hour and does not count.
   */
  activity(line = ''): Promise<HourOfActivity[]> {
    return this.#db.map(
      `WITH hours AS (
         SELECT generate_series(date_trunc('hour', now()) - make_interval(hours => ${HOURS - 1}), date_trunc('hour', now()), '1 hour') AS hour
       ), recent AS (
         SELECT * FROM mo_events WHERE at >= date_trunc('hour', now()) - make_interval(hours => ${HOURS - 1}) AND ($<line> = '' OR line IN ('', $<line>))
       ), totals AS (
         SELECT e.id, e.batch_id, (e.detail->>'revision')::int8 AS revision,
           (SELECT coalesce(sum(round(value::numeric, 2)), 0) FROM jsonb_each_text(e.detail->'values') WHERE key LIKE 'actual\\_consumption\\_%') AS kg
         FROM mo_events e WHERE e.kind = 'changed' AND e.mo_id = ANY (ARRAY(SELECT DISTINCT mo_id FROM recent WHERE kind = 'changed'))
       ), added AS (
         SELECT id, kg - lag(kg, 1, CASE WHEN revision = 1 THEN 0 ELSE kg END) OVER (PARTITION BY batch_id ORDER BY id) AS kg FROM totals
       ), told AS (
         SELECT date_trunc('hour', e.at) AS hour, a.kg, e.kind = 'push' AND e.detail->>'conclusion' = 'confirmed' AS pushed,
           e.kind = 'push' AND e.detail->>'conclusion' <> 'confirmed' AS failed
         FROM recent e LEFT JOIN added a USING (id) WHERE e.kind IN ('changed', 'push')
       )
       SELECT h.hour, coalesce(sum(t.kg), 0)::float8 AS kg, count(*) FILTER (WHERE t.pushed)::int AS pushes,
         count(*) FILTER (WHERE t.failed)::int AS failed
       FROM hours h LEFT JOIN told t USING (hour) GROUP BY h.hour ORDER BY h.hour`,
      { line },
      ({ hour, ...row }: HourOfActivity & { hour: Date }) => ({ ...row, hour: hour.toISOString() }),
    );
  }

  /**
   * What was archived in a period, in whatever way, the oldest first.
   * @param period ISO 8601, `from` included, `to` not; null: until now, and the 24 hours before `to`, by the database's clock
   */
  async archived({ from, to }: { from: string | null; to: string | null }, line = ''): Promise<ArchivedBatch[]> {
    // In the place of each bound, and an array in `activity`: so the planner sees that little is wanted and takes the index.
    const until = 'coalesce($<to>::timestamptz, now())';
    const rows = await this.#db.any<ArchivedBatch>(
      `SELECT b.*, EXISTS (SELECT FROM mo_batch q WHERE q.mo_id = b.mo_id AND NOT q.duplicate)
           OR EXISTS (SELECT FROM mo_histories h WHERE h.mo_id = b.mo_id AND NOT h.duplicate AND h.archived_at > b.archived_at) AS superseded
       FROM mo_histories b
       WHERE b.archived_at >= coalesce($<from>::timestamptz, ${until} - interval '24 hours') AND b.archived_at < ${until} AND ${OF_LINE}
       ORDER BY b.archived_at, b.equipment_id_batch, b.batch_no, b.id`,
      { from, to, line },
    );
    return rows.map((row) => ({ ...row, ...figuresOf(row) }));
  }
}

/** The figures of a row, and their sums over the silos (kg). */
const figuresOf = (
  row: Parameters<typeof siloFigures>[0],
): Pick<ListedBatch, 'silos' | 'planned' | 'read' | 'confirmed'> => {
  const silos = siloFigures(row);
  return {
    silos,
    planned: sumForOdoo(silos.map(({ planned }) => planned)),
    read: sumForOdoo(silos.map(({ read }) => read)),
    confirmed: sumForOdoo(silos.map(({ confirmed }) => confirmed)),
  };
};
