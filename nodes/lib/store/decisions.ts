/**
 * What a person decides about readings that are not applied by themselves, and about a completion that was seen once.
 */
import type { Batch } from '../domain/batch';
import type { Database } from './connection';
import { decide, type Decided, type Decision, detail, parameters, telling } from './decide';
import { RECORD } from './record-sql';
import { holds, merged, SEEN_ONCE } from './reading-sql';
import { eventOf } from './sql';

/** The row whose completion was seen once: either final now, or running on. */
const decidedRow = (sets: string, unless = 'true'): string => `
  UPDATE mo_batch b SET ${sets}, attempts = 0, next_attempt_at = NULL,
    set_aside_at = CASE WHEN ${SEEN_ONCE} THEN NULL ELSE b.set_aside_at END,
    set_aside_reason = CASE WHEN ${SEEN_ONCE} THEN NULL ELSE b.set_aside_reason END
  WHERE b.mo_id = $<moId> AND NOT b.duplicate AND NOT b.status_manufacturing AND b.last_plc_reading ? 'seen_once' AND ${unless}
  RETURNING b.*`;

const COMPLETED_HERE = 'mo_batch q WHERE q.mo_id = h.mo_id AND NOT q.duplicate AND q.status_manufacturing';
const COMPLETED_BEFORE = `mo_histories q WHERE q.mo_id = h.mo_id AND q.status = 'completed'`;
const COMPLETED = `(EXISTS (SELECT FROM ${COMPLETED_HERE}) OR EXISTS (SELECT FROM ${COMPLETED_BEFORE}))`;
const HOLDS = holds('q', 'h.reading');

const ACCEPT = `
WITH kept AS (
  DELETE FROM mo_held_readings h WHERE h.mo_id = $<moId> AND h.reason IS NOT NULL AND NOT ${COMPLETED} RETURNING *
), there_already AS (
  -- Completed meanwhile with these very weights: nothing is left to apply.
  DELETE FROM mo_held_readings h WHERE h.mo_id = $<moId> AND h.reason IS NOT NULL
    AND (EXISTS (SELECT FROM ${COMPLETED_HERE} AND ${HOLDS}) OR EXISTS (SELECT FROM ${COMPLETED_BEFORE} AND ${HOLDS})) RETURNING *
), accepted AS (
  SELECT k.*, (k.reading - 'hold' - 'seen_once') || CASE WHEN k.reading ? 'seen_once' THEN '{"status_manufacturing": true}' ELSE '{}' END::jsonb AS own
  FROM kept k
), over_waiting AS (
  UPDATE mo_held_readings h SET reading = ${merged('h.reading', 'a.own')} FROM accepted a WHERE h.mo_id = a.mo_id AND h.reason IS NULL RETURNING h.mo_id
), waits AS (
  INSERT INTO mo_held_readings (mo_id, line, reading) SELECT a.mo_id, a.line, a.own FROM accepted a
  WHERE NOT EXISTS (SELECT FROM over_waiting o WHERE o.mo_id = a.mo_id)
), slot AS (
  -- From now on the slot tells this order, if it still shows these weights.
  UPDATE mo_slots s SET mo_id = a.mo_id, at = now() FROM (SELECT a.mo_id, ${telling('a')} FROM accepted a) a
  WHERE (s.line, s.source, s.slot, s.figures) = (a.line, a.source, a.slot, a.figures)
), b AS (${decidedRow(`status_manufacturing = true, last_plc_reading = (b.last_plc_reading - 'seen_once') || '{"status_manufacturing": true}'`, 'NOT EXISTS (SELECT FROM kept)')}
), told AS (
  ${eventOf('accepted', detail())}
  UNION ALL
  SELECT a.mo_id, NULL, a.line, 'accepted', ${detail(`, 'reason', a.reason, 'weights_of', a.weights_of, 'reading', a.own`)} FROM accepted a
  UNION ALL
  SELECT a.mo_id, NULL, a.line, 'accepted', ${detail(`, 'reason', a.reason, 'weights_of', a.weights_of, 'reading', a.reading`)} FROM there_already a
)
SELECT mo_id FROM accepted UNION SELECT mo_id FROM there_already UNION SELECT mo_id FROM b;`;

const QUEUED = 'EXISTS (SELECT FROM mo_batch q WHERE q.mo_id = h.mo_id)';
const DISCARD = `
WITH gone AS (
  -- What a person was asked about; else, and at an archive, what waits for an order that is not queued.
  DELETE FROM mo_held_readings h WHERE h.mo_id = $<moId> AND CASE WHEN $<status> <> '' THEN NOT ${QUEUED}
    WHEN h.reason IS NOT NULL THEN true
    ELSE NOT ${QUEUED} AND NOT EXISTS (SELECT FROM mo_held_readings p WHERE p.mo_id = h.mo_id AND p.reason IS NOT NULL) END
  RETURNING *
), remembered AS (
  INSERT INTO mo_discarded_readings (mo_id, line, source, slot, figures, decided_by, note)
  SELECT g.mo_id, ${telling('g')}, nullif($<by>, ''), nullif($<note>, '') FROM gone g
), b AS (${decidedRow(`last_plc_reading = b.last_plc_reading - 'seen_once'`, `$<status> = '' AND NOT EXISTS (SELECT FROM gone)`)}
), told AS (
  ${eventOf('discarded', detail())}
  UNION ALL
  SELECT g.mo_id, NULL, g.line, 'discarded', ${detail(`, 'reason', g.reason, 'weights_of', g.weights_of, 'reading', g.reading`)} FROM gone g
)
SELECT mo_id FROM gone UNION SELECT mo_id FROM b;`;

const CLOSE_ANYWAY = `
WITH b AS (
  UPDATE mo_batch b SET close_anyway = b.revision, set_aside_at = NULL, set_aside_reason = NULL, attempts = 0, next_attempt_at = NULL
  WHERE b.mo_id = $<moId> AND NOT b.duplicate AND b.status_manufacturing AND b.done_readback IS NULL RETURNING b.*
), told AS (${eventOf('close-anyway', detail(", 'revision', b.revision"))})
SELECT mo_id FROM b;`;

const FINISHED_WEIGHT = `
WITH b AS (
  UPDATE mo_batch b SET actual_weight_quantity_finished_goods = $<kg>, set_aside_at = NULL, set_aside_reason = NULL,
    attempts = 0, next_attempt_at = NULL, refusals = 0, failing_since = NULL
  WHERE b.mo_id = $<moId> AND NOT b.duplicate AND b.status_manufacturing AND b.done_readback IS NULL
    AND coalesce(b.actual_weight_quantity_finished_goods, 0) = 0 RETURNING b.*
), told AS (${eventOf('finished-weight', detail(", 'kg', $<kg>"))})
SELECT mo_id FROM b;`;

/**
 * "Its own batch": applies a reading that was kept back to its row, completion included; where the order is not queued, it
 * waits like any other. A row whose completion was seen once is completed with the weights that it has. Of an order that was
 * completed meanwhile, a reading with the very same weights is there already, and goes.
 * @returns null: nothing of this order waits for a person, or it is completed already with other weights
 * @throws Error naming the order, when another session holds its row locked
 */
export function accept(db: Database, moId: string, decision: Decision): Promise<Decided | null> {
  const nothingRead = { readings: [], line: '', source: '', emptied: [], alive: false };
  return decide(db, moId, `${ACCEPT}\n${RECORD};`, { ...parameters(moId, decision), ...nothingRead });
}

/**
 * Throws the held reading of an order away: the same telling is stale from then on. A row whose completion was seen once
 * goes on as running.
 * @returns null: there is nothing to throw away
 * @throws Error naming the order, when another session holds its row locked
 */
export function discard(db: Database, moId: string, decision: Decision): Promise<Decided | null> {
  return decide(db, moId, DISCARD, parameters(moId, decision));
}

/**
 * "Close all the same": the row's values as they are now may be closed although too little was weighed; other ones may not.
 * It is due at once.
 * @returns null: no completed batch of this order is in the queue that is still to be closed
 * @throws Error naming the order, when another session holds its row locked
 */
export async function closeAnyway(db: Database, moId: string, decision: Decision): Promise<Batch | null> {
  const decided = await decide(db, moId, CLOSE_ANYWAY, parameters(moId, decision));
  return decided?.batch ?? null;
}

/**
 * Enters the finished weight of a completed batch that was told without one: it is due at once, and is closed with it.
 * @param kg above 0, 3 decimals
 * @returns null: no completed batch of this order without a finished weight is in the queue
 * @throws Error naming the order, when another session holds its row locked
 */
export async function finishedWeight(db: Database, moId: string, kg: number, by: Decision): Promise<Batch | null> {
  const decided = await decide(db, moId, FINISHED_WEIGHT, { ...parameters(moId, by), kg });
  return decided?.batch ?? null;
}
