/**
 * What several statements of the store share. `b` is always a row of mo_batch.
 */
import { LOCKS } from './connection';

/** A value of the row that Odoo has not confirmed. */
export const UNCONFIRMED = `(b.revision > 0 AND b.confirmed_revision IS DISTINCT FROM b.revision)`;

/** So many milliseconds from now, by the database's clock. */
export const UNTIL = (ttlMs: string): string => `clock_timestamp() + make_interval(secs => ${ttlMs} / 1000.0)`;

/**
 * Whether a time until which something is held lies ahead: by the database's clock, not by the start of the transaction. One
 * that ends in hours was set before that clock was set back: it binds nobody.
 */
export const TIMES_OUT = (until: string): string =>
  `(${until} > clock_timestamp() AND ${until} < clock_timestamp() + interval '2 hours')`;

/** A lease that counts. */
export const LEASED = `coalesce(${TIMES_OUT('b.lease_until')}, false)`;

/** Longer than the longest pause (45 minutes, domain/conclusion.ts): it was set by a clock that was wrong, and is over. */
const NO_PAUSE = `interval '1 hour'`;

/** Neither set aside nor waiting for its next attempt. */
export const DUE = `(b.set_aside_at IS NULL AND NOT b.duplicate AND coalesce(b.next_attempt_at NOT BETWEEN now() + interval '1 microsecond' AND now() + ${NO_PAUSE}, true))`;

/** The optional line filter; '' means every line. A row without a line is every line's: else nobody would work on it. */
export const OF_LINE = `($<line> = '' OR b.equipment_id_batch IN ('', $<line>))`;

/** When a reading last named the row's order, changed or not. */
export const LAST_SEEN = `coalesce((SELECT max((l.seen->>b.mo_id)::timestamptz) FROM mo_lines l), b.last_read_from_plc, b.queued_at)`;

/**
 * When a reading last changed the row, by the database's clock; a correction by hand changes nothing in the slot. Readings
 * that an earlier version recorded know their reader's time only.
 */
export const CHANGED_AT = `coalesce((b.last_plc_reading->>'recorded_at')::timestamptz, least((b.last_plc_reading->>'read_at')::timestamptz, now()))`;

/** A running row that no reading has named for an hour. */
export const QUIET = `(b.revision > 0 AND NOT b.status_manufacturing AND b.set_aside_at IS NULL
  AND coalesce(${LAST_SEEN} < now() - interval '1 hour', true))`;

/** No slot shows the order any more: its line was read since, for longer than one bad read lasts. Never read: no slot either. */
export const SLOT_FREE = `(NOT EXISTS (SELECT FROM mo_lines l
  WHERE (l.seen->>b.mo_id)::timestamptz > l.last_read_at - interval '10 minutes'))`;

/**
 * Its order is done in Odoo with its figures, and no reading ever said complete: a person has closed it there. It goes as
 * soon as nothing is weighed for it any more.
 */
export const CLOSED_BY_HAND = `(NOT b.status_manufacturing AND b.done_readback IS NOT NULL AND NOT ${UNCONFIRMED}
  AND b.set_aside_at IS NULL AND NOT b.duplicate)`;

export const BATCH_STATE = `CASE
  WHEN b.set_aside_at IS NOT NULL THEN 'set-aside'
  WHEN b.done_readback IS NOT NULL AND NOT ${UNCONFIRMED} THEN 'done'
  WHEN b.status_manufacturing THEN CASE WHEN ${UNCONFIRMED} THEN 'completed' ELSE 'confirmed' END
  WHEN b.revision > 0 THEN 'running'
  WHEN b.taken_at IS NOT NULL THEN 'taken'
  WHEN b.handed_slot IS NOT NULL THEN 'handed'
  ELSE 'queued' END`;

export const BATCH_COLUMNS = `b.*, ${BATCH_STATE} AS state`;

/**
 * The lock that everything takes first that touches more than one row, or decides by what is in queue and history: so an
 * order just archived is not queued again, a reading does not miss its order, and no two of them wait for each other.
 * A statement of its own, sent together with the next one: that one sees what the last holder left. Who holds it waits for
 * no locked row longer than 2 s: the others wait for them.
 */
export const LOCK_QUEUE = `SELECT pg_advisory_xact_lock(${LOCKS.queue})::text, set_config('lock_timeout', '2s', true);`;

/** An event for every row of the CTE `b`; `detail` is an SQL expression over it. */
export const eventOf = (kind: string, detail = `'{}'`): string =>
  `INSERT INTO mo_events (mo_id, batch_id, line, kind, detail)
   SELECT b.mo_id, b.id, b.equipment_id_batch, '${kind}', ${detail} FROM b`;
