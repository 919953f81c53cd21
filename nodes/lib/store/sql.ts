/**
 * What several statements of the store share. `b` is always a row of mo_batch.
 */
import { LOCKS } from './connection';

/** A value of the row that Odoo has not confirmed. */
export const UNCONFIRMED = `(b.revision > 0 AND b.confirmed_revision IS DISTINCT FROM b.revision)`;

/** A lease counts by the database's clock, not by the start of the transaction. */
export const LEASED = `coalesce(b.lease_until > clock_timestamp(), false)`;

/** Neither set aside nor waiting for its next attempt. */
export const DUE = `(b.set_aside_at IS NULL AND NOT b.duplicate AND (b.next_attempt_at IS NULL OR b.next_attempt_at <= now()))`;

/** The optional line filter; '' means every line. */
export const OF_LINE = `($<line> = '' OR b.equipment_id_batch = $<line>)`;

export const BATCH_STATE = `CASE
  WHEN b.set_aside_at IS NOT NULL THEN 'set-aside'
  WHEN b.done_readback IS NOT NULL AND NOT ${UNCONFIRMED} THEN 'done'
  WHEN b.status_manufacturing THEN CASE WHEN ${UNCONFIRMED} THEN 'completed' ELSE 'confirmed' END
  WHEN b.revision > 0 THEN 'running'
  ELSE 'queued' END`;

export const BATCH_COLUMNS = `b.*, ${BATCH_STATE} AS state`;

/**
 * The lock that everything takes first that touches more than one row, or decides by what is in queue and history: so an
 * order just archived is not queued again, a reading does not miss its order, and no two of them wait for each other.
 * A statement of its own, sent together with the next one: that one sees what the last holder left.
 */
export const LOCK_QUEUE = `SELECT pg_advisory_xact_lock(${LOCKS.queue})::text;`;

/** An event for every row of the CTE `b`; `detail` is an SQL expression over it. */
export const eventOf = (kind: string, detail = `'{}'`): string =>
  `INSERT INTO mo_events (mo_id, batch_id, line, kind, detail)
   SELECT b.mo_id, b.id, b.equipment_id_batch, '${kind}', ${detail} FROM b`;
