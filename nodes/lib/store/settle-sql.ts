/**
 * What came of a push, stored with its event while its lease ends: one statement for all that ended meanwhile.
 */
import type { Batch } from '../domain/batch';
import { GIVEN_UP } from '../domain/conclusion';
import type { Settlement } from '../domain/ledger';
import { BATCH_COLUMNS } from './sql';

/** A closing that collided with another one is repeated so many times, within so long, before a person has to look. */
const MOST_REPEATS = 10;
const COLLISION_WINDOW = `interval '15 minutes'`;

/** Whether a statement waits for rows that another transaction holds locked, or leaves them out. */
type Locked = '' | 'SKIP LOCKED';

/** Odoo itself answered this row in words that nobody knows; a call by hand does not count. */
const COUNTS = `(t.conclusion = 'unexplained' AND NOT t.doubt)`;
/** The answer that makes too many of them, over too long. */
const GIVES_UP = `(${COUNTS} AND b.refusals + 1 >= ${GIVEN_UP.answers}
  AND coalesce(b.failing_since <= now() - interval '${GIVEN_UP.hours} hours', false))`;
const COLLIDED = `t.conclusion = 'collided'`;
/** A closing that collides goes on with the count of those before it, unless the last try is long ago. */
const MET_BEFORE = `coalesce(b.closing_since IS NOT NULL AND b.last_attempt_at > now() - ${COLLISION_WINDOW}, false)`;
/** So many repeats, or so long, and a person has to look. */
const MET_TOO_OFTEN = `(b.closing_collisions >= ${MOST_REPEATS} OR b.closing_since < now() - ${COLLISION_WINDOW})`;

/** What was sent and not confirmed may have arrived in part (`open`): update_odoo would claim too much. */
export const settle = (locked: Locked): string => `
  WITH told AS MATERIALIZED (
    SELECT *, conclusion = 'confirmed' AS ok, doubt OR (sent IS NOT NULL AND confirmed IS NULL) AS open
    FROM jsonb_to_recordset($<told:json>) AS t(id uuid, owner uuid, mo_id text, line text, revision int8, conclusion text,
      reason text, pause_ms float8, set_aside bool, cancelled bool, whole_row bool, doubt bool, sent jsonb, confirmed jsonb,
      sent_finished float8, given jsonb, earlier jsonb, done jsonb, odoo_id int, odoo_name text, answers jsonb)
  ), held AS MATERIALIZED (
    SELECT t.*, ${COUNTS} AS counts, ${GIVES_UP} AS gives_up, ${COLLIDED} AS collided, ${COLLIDED} AND ${MET_BEFORE} AS again,
      ${COLLIDED} AND ${MET_BEFORE} AND ${MET_TOO_OFTEN} AS enough,
      t.confirmed IS NOT NULL AND t.whole_row AND b.revision = t.revision AS all_told
    FROM mo_batch b JOIN told t ON b.id = t.id AND b.lease_owner = t.owner ORDER BY b.id FOR UPDATE OF b ${locked}
  ), b AS (
    UPDATE mo_batch b SET lease_owner = NULL, lease_until = NULL, lease_confirmed = NULL, last_attempt_at = now(),
      last_conclusion = h.conclusion, last_reason = nullif(h.reason, ''),
      sent_consumption = coalesce(b.sent_consumption || h.sent, h.sent, b.sent_consumption),
      ever_sent = b.ever_sent || (SELECT coalesce(jsonb_object_agg(key, value), '{}') FROM jsonb_each(h.sent) WHERE value > '0'),
      confirmed_consumption = coalesce(b.confirmed_consumption || h.confirmed, h.confirmed, b.confirmed_consumption),
      sent_finished = coalesce(h.sent_finished, b.sent_finished),
      pending_call = CASE WHEN h.given IS NOT NULL THEN mo_pending_settled(b.pending_call, h.given, h.earlier)
        WHEN h.doubt THEN b.pending_call || jsonb_build_object('at', clock_timestamp()) ELSE b.pending_call END,
      confirmed_revision = CASE WHEN h.open THEN NULL WHEN h.all_told THEN b.revision ELSE b.lease_confirmed END,
      done_readback = CASE WHEN b.revision = h.revision THEN coalesce(h.done, b.done_readback) ELSE b.done_readback END,
      attempts = CASE WHEN h.ok THEN 0 WHEN h.doubt THEN b.attempts ELSE b.attempts + 1 END,
      next_attempt_at = CASE WHEN h.doubt THEN b.next_attempt_at ELSE now() + make_interval(secs => h.pause_ms / 1000.0) END,
      refusals = CASE WHEN h.ok THEN 0 WHEN h.counts THEN b.refusals + 1 ELSE b.refusals END,
      failing_since = CASE WHEN h.ok THEN NULL WHEN h.counts THEN coalesce(least(b.failing_since, now()), now())
        ELSE b.failing_since END,
      closing_collisions = CASE WHEN h.again THEN b.closing_collisions + 1 WHEN h.collided THEN 1 ELSE 0 END,
      closing_since = CASE WHEN h.again THEN b.closing_since WHEN h.collided THEN now() END,
      set_aside_at = CASE WHEN h.set_aside OR h.gives_up OR h.enough THEN now() WHEN h.ok AND h.all_told THEN NULL ELSE b.set_aside_at END,
      set_aside_reason = CASE WHEN h.gives_up THEN format('%s (answered so %s times since %s: see the log of Odoo, then retry)',
          h.reason, b.refusals + 1, to_char(b.failing_since, 'YYYY-MM-DD HH24:MI'))
        WHEN h.enough THEN format('%s; closing it failed %s times', h.reason, b.closing_collisions + 1)
        WHEN h.set_aside THEN h.reason WHEN h.ok AND h.all_told THEN NULL ELSE b.set_aside_reason END,
      odoo_cancelled = coalesce(b.odoo_cancelled, false) OR h.cancelled,
      odoo_id = coalesce(h.odoo_id, b.odoo_id),
      odoo_name = CASE WHEN h.odoo_id IS NULL THEN b.odoo_name ELSE nullif(h.odoo_name, b.mo_id) END
    FROM held h WHERE b.id = h.id RETURNING b.*, h.owner AS told_by
  ), event AS (
    INSERT INTO mo_events (mo_id, batch_id, line, kind, detail)
    SELECT mo_id, id, line, 'push', jsonb_strip_nulls(jsonb_build_object('conclusion', conclusion,
      'reason', nullif(reason, ''), 'revision', revision, 'sent', sent, 'confirmed', confirmed,
      'done', done, 'answers', answers, 'set_aside',
      nullif(set_aside OR EXISTS (SELECT FROM held h WHERE h.owner = t.owner AND (h.gives_up OR h.enough)), false)))
    FROM told t ${locked ? 'WHERE EXISTS (SELECT FROM b WHERE b.told_by = t.owner)' : ''}
  ) SELECT ${BATCH_COLUMNS} FROM b`;

/** A settlement as it goes to the database. */
export type Told = ReturnType<typeof toldOf>;

export const toldOf = (batch: Batch, owner: string, settlement: Settlement) => {
  const { conclusion, reason, pauseMs, setAside, sent, confirmed, done, order, answers } = settlement;
  const { cancelled = false, wholeRow = true, doubt = false, sentFinished, given, earlier } = settlement;
  const { id, mo_id, equipment_id_batch: line, revision } = batch;
  return {
    ...{ id, owner, mo_id, line, revision, conclusion, reason, pause_ms: pauseMs, set_aside: setAside, cancelled },
    ...{ whole_row: wholeRow, doubt, sent, confirmed, sent_finished: sentFinished, given, earlier, done },
    ...{ odoo_id: order?.id, odoo_name: order?.name, answers },
  };
};
