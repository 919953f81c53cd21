/**
 * What is wrong on a line and for how long: alarms, each told once when it begins and once when it ends, and the figures
 * that a monitoring system asks for.
 */
import { type StateCounts } from '../domain/batch';
import { type Database, LOCKS } from './connection';
import { HELD_FOR_PERSON } from './needs';
import { BATCH_STATE, CHANGED_AT, OF_LINE } from './sql';

/**
 * stalled: the slot says that it runs, but its values stand still. unread: nobody reads the line. unconfirmed: Odoo lacks
 * values of the row. set-aside: the row waits for a person. not-taken: the order was handed to the PLC, which has not taken
 * it, or only a person can see whether it has. held: a reading waits for a person. rejected: a slot shows what cannot be.
 */
export type AlarmKind = 'stalled' | 'unread' | 'unconfirmed' | 'set-aside' | 'not-taken' | 'held' | 'rejected';

/** How long something may last before it is an alarm (minutes). */
export type AlarmLimits = Record<'stalled' | 'unread' | 'unconfirmed', number> & { handed?: number };
/** When nothing else is said (minutes). */
const HANDED = 60;

/** An alarm that has begun or ended. Times are ISO 8601, UTC. */
export interface Alarm {
  kind: AlarmKind;
  state: 'begin' | 'end';
  /** null: the alarm is about a line, or the row has no order. */
  mo_id: string | null;
  /** Odoo's equipment code, '' where none is known. */
  line: string;
  /** null: not in a slot, or in a source without slots. */
  slot: number | null;
  since: string;
  /** Only of one that has ended: when that was found. */
  ended_at?: string;
  /** Why a row is set aside, or why its last push was not confirmed. */
  reason?: string;
}

export interface AlarmNews {
  /** Ended ones first, then by their beginning. */
  news: Alarm[];
  /** Alarms that are open now. */
  open: number;
  /** To be called once the news have been sent. */
  sent: () => Promise<void>;
}

/** The queue in numbers, per line. */
export interface LineFigures {
  line: string;
  states: StateCounts;
  /** Age of the oldest values that Odoo lacks (s), set-aside rows left out; 0 when there are none. */
  oldest_unconfirmed: number;
  /** Held readings. */
  held: number;
}

const SLOT = `nullif((b.last_plc_reading->>'slot')::int, 0)`;
const ABOUT_ROW = `b.id::text, b.mo_id, b.equipment_id_batch, ${SLOT}`;
const LIVE = 'b.set_aside_at IS NULL AND NOT b.duplicate';
const minutes = (kind: keyof AlarmLimits): string => `make_interval(secs => $<${kind}> * 60.0)`;
/** When a reading last named the row's order; NULL: none did since it was queued. */
const SEEN = '(SELECT max((l.seen->>b.mo_id)::timestamptz) FROM mo_lines l)';

/**
 * As the line saw it: between the reading that last changed the row and the last one that named it the values stood still.
 * A PLC that is not read ages nothing here, and a batch that waits for its turn has no slot that says it runs.
 */
const STALLED = `SELECT 'stalled', ${ABOUT_ROW}, ${CHANGED_AT}, NULL FROM mo_batch b
  WHERE ${OF_LINE} AND ${LIVE} AND NOT b.status_manufacturing AND (b.last_plc_reading->>'status_operation')::bool
    AND ${SEEN} - ${CHANGED_AT} >= ${minutes('stalled')}`;

const UNCONFIRMED_LONG = `SELECT 'unconfirmed', ${ABOUT_ROW}, b.unconfirmed_since, b.last_reason FROM mo_batch b
  WHERE ${OF_LINE} AND ${LIVE} AND b.unconfirmed_since <= now() - ${minutes('unconfirmed')}`;

const SET_ASIDE = `SELECT 'set-aside', ${ABOUT_ROW}, b.set_aside_at, b.set_aside_reason FROM mo_batch b
  WHERE ${OF_LINE} AND b.set_aside_at IS NOT NULL`;

const NOT_TAKEN = `SELECT 'not-taken', b.id::text, b.mo_id, b.equipment_id_batch, b.handed_slot, coalesce(b.ready_at, b.handed_at), b.handover_problem
  FROM mo_batch b WHERE ${OF_LINE} AND ${LIVE} AND b.handed_slot IS NOT NULL AND b.taken_at IS NULL AND b.last_plc_reading IS NULL
    AND (b.handover_problem IS NOT NULL OR b.ready_at <= now() - ${minutes('handed')})`;

const HELD = `SELECT 'held', concat_ws(' ', h.mo_id, h.reason), h.mo_id, h.line, nullif((h.reading->>'slot')::int, 0), h.held_since, h.reason
  FROM mo_held_readings h WHERE ${HELD_FOR_PERSON}`;

const REJECTED = `SELECT 'rejected', concat_ws(' ', r.line, r.source, r.slot), r.mo_id, r.line, nullif(r.slot, 0), r.since,
    (SELECT string_agg(concat(p->>'field', ' ', p->>'problem'), '; ') FROM jsonb_array_elements(r.problems) p)
  FROM mo_rejected_slots r WHERE $<line> = '' OR r.line IN ('', $<line>)`;

/**
 * Lines that were read before. One without a name is every line's, but was perhaps given one later: it counts as long as no
 * named line is read after it, or an order of the queue was last seen by it. A time in the future is one that the database's
 * clock was set back from: no reading has come since.
 */
const NOT_READ_ANY_MORE = `SELECT 'unread', l.line, NULL, l.line, NULL::int, l.last_read_at, NULL FROM mo_lines l
  WHERE ($<line> = '' OR l.line IN ('', $<line>)) AND (l.last_read_at <= now() - ${minutes('unread')} OR l.last_read_at > now())
    AND (l.line <> '' OR NOT EXISTS (SELECT FROM mo_lines o WHERE o.line <> '' AND o.last_read_at > l.last_read_at)
      OR EXISTS (SELECT FROM mo_batch b WHERE ${OF_LINE} AND ${LIVE} AND (l.seen->>b.mo_id)::timestamptz >= ${SEEN}))`;

/** Lines that have a queue and were never read; rows that were taken over wait since then. */
const NEVER_READ = `SELECT 'unread', b.equipment_id_batch, NULL, b.equipment_id_batch, NULL::int,
    min(coalesce(b.queued_at, (SELECT min(applied_at) FROM mo_schema))) AS since, NULL FROM mo_batch b
  WHERE ${OF_LINE} AND ${LIVE} AND NOT EXISTS (SELECT FROM mo_lines l WHERE l.line IN ('', b.equipment_id_batch) OR b.equipment_id_batch = '')
  GROUP BY b.equipment_id_batch
  HAVING min(coalesce(b.queued_at, (SELECT min(applied_at) FROM mo_schema))) <= now() - ${minutes('unread')}`;

/** One after the other: of two Node-REDs that look at the same moment only one finds news. */
const LOCK_ALARMS = `SELECT pg_advisory_xact_lock(${LOCKS.alarms})::text;`;

const COLUMNS = 'kind, subject, mo_id, line, slot, since, reason';

/** Who has stored an alarm sends it at once; when it is not sent by then, its process has ended, and the next one sends it. */
const SENDING = `now() + interval '50 seconds'`;
const UNSENT = `coalesce(a.sending_until NOT BETWEEN now() AND ${SENDING}, true)`;

const NEWS = `
WITH present (${COLUMNS}) AS MATERIALIZED (
  ${[STALLED, UNCONFIRMED_LONG, SET_ASIDE, NOT_TAKEN, HELD, REJECTED, NOT_READ_ANY_MORE, NEVER_READ].join('\n  UNION ALL ')}
), mine AS MATERIALIZED (
  SELECT a.*, EXISTS (SELECT FROM present p WHERE (p.kind, p.subject) = (a.kind, a.subject)) AS lasts FROM mo_alarms a WHERE a.watch = $<watch>
), began AS (
  INSERT INTO mo_alarms AS a (watch, ${COLUMNS}, told_at, sending_until) SELECT $<watch>, p.*, NULL, ${SENDING} FROM present p
  -- What began anew before its end was sent never ended for those who are told; what was stored and not sent is sent now.
  ON CONFLICT (watch, kind, subject) DO UPDATE SET ended_at = NULL, sending_until = CASE WHEN a.told_at IS NULL THEN ${SENDING} END
    WHERE a.ended_at IS NOT NULL OR (a.told_at IS NULL AND ${UNSENT})
  RETURNING ${COLUMNS}, told_at
), ended AS (
  UPDATE mo_alarms a SET ended_at = coalesce(a.ended_at, now()), sending_until = ${SENDING} FROM mine m
  WHERE (m.watch, m.kind, m.subject) = (a.watch, a.kind, a.subject) AND NOT m.lasts AND (a.ended_at IS NULL OR ${UNSENT})
  RETURNING a.ended_at, ${COLUMNS.replaceAll(/(\w+)/g, 'a.$1')}
), news AS (
  SELECT 'end' AS state, ended.* FROM ended UNION ALL SELECT 'begin', NULL, ${COLUMNS} FROM began WHERE told_at IS NULL
)
SELECT (SELECT count(*) FROM present)::int AS open,
  (SELECT coalesce(jsonb_agg(to_jsonb(n) ORDER BY n.ended_at, n.since, n.mo_id NULLS FIRST, n.kind, n.line), '[]') FROM news n) AS news`;

/** The messages went out: what began stays until it is over, what is over goes. */
const SENT = `
WITH sent AS MATERIALIZED (SELECT * FROM jsonb_to_recordset($<news:json>) AS n(kind text, subject text, state text)), gone AS (
  DELETE FROM mo_alarms a USING sent n
  WHERE a.watch = $<watch> AND (n.kind, n.subject) = (a.kind, a.subject) AND n.state = 'end' AND a.ended_at IS NOT NULL
)
UPDATE mo_alarms a SET told_at = clock_timestamp(), sending_until = NULL FROM sent n
WHERE a.watch = $<watch> AND (n.kind, n.subject) = (a.kind, a.subject) AND n.state = 'begin'`;

type Told = Omit<Alarm, 'ended_at' | 'reason'> & { subject: string; ended_at: string | null; reason: string | null };

const iso = (time: string): string => new Date(time).toISOString();

export class Watch {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /**
   * What has become an alarm and what is none any more since this was last asked. Alarms are kept in the database until their
   * end was sent, so that neither a restart nor a second Node-RED tells one twice; one that was stored and not sent, because
   * its process ended, is news again a minute later.
   * @param watch who asks: askers of the same name and line share what was told
   * @param line only alarms of this line, and of rows without one; '': of all
   */
  async news(watch: string, limits: AlarmLimits, line = ''): Promise<AlarmNews> {
    // Each line ends its own alarms only: it does not see those of the others.
    const who = line ? `${watch} ${line}` : watch;
    const [, [found]] = (await this.#db.multi(`${LOCK_ALARMS}\n${NEWS}`, {
      ...{ watch: who, line, handed: HANDED },
      ...limits,
    })) as [unknown, [{ open: number; news: Told[] }]];
    const news = found.news.map(({ since, ended_at, reason, subject: _, ...alarm }): Alarm => ({
      ...alarm,
      since: iso(since),
      ...(ended_at ? { ended_at: iso(ended_at) } : {}),
      ...(reason ? { reason } : {}),
    }));
    const sent = async (): Promise<void> => {
      if (news.length > 0) await this.#db.none(SENT, { watch: who, news: found.news });
    };
    return { news, open: found.open, sent };
  }

  /** The queue in numbers, for every line that is known, and for '': rows and readings without one. */
  figures(): Promise<LineFigures[]> {
    return this.#db.map(
      `WITH rows AS (SELECT b.equipment_id_batch AS line, ${BATCH_STATE} AS state, b.unconfirmed_since FROM mo_batch b),
       lines AS (SELECT '' AS line UNION SELECT line FROM rows UNION SELECT line FROM mo_lines UNION SELECT line FROM mo_held_readings)
       SELECT l.line,
         (SELECT coalesce(jsonb_object_agg(state, n), '{}') FROM (SELECT state, count(*) AS n FROM rows r WHERE r.line = l.line GROUP BY state) s) AS states,
         greatest((SELECT extract(epoch FROM now() - min(unconfirmed_since)) FROM rows r WHERE r.line = l.line), 0)::float8 AS oldest_unconfirmed,
         (SELECT count(*) FROM mo_held_readings h WHERE h.line = l.line)::int AS held
       FROM lines l ORDER BY l.line`,
      [],
      ({ states, ...figures }: Omit<LineFigures, 'states'> & { states: Partial<LineFigures['states']> }) => ({
        ...figures,
        states: { queued: 0, running: 0, completed: 0, confirmed: 0, done: 0, 'set-aside': 0, ...states },
      }),
    );
  }
}
