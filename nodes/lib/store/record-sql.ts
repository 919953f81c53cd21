/**
 * Recording readings: one statement for all of them, which waits for nobody: what another session holds locked is left out,
 * and its readings are held. Parameters: readings (JSON array), line, source and emptied (its slots that show no number,
 * JSON array), alive (whether the line was read).
 */
import {
  FINISHED,
  FOREIGN,
  figuresOf,
  holds,
  later,
  LOCKED_ROW,
  merged,
  newWeights,
  OWN_FIGURES,
  said,
  SEEN_ONCE,
} from './reading-sql';
import { setActual } from './silo-sql';

/** Takes what was read if it differs from the last accepted reading; otherwise the row keeps what it has. */
const changed = (column: string, read: string, last: string): string =>
  `${column} = CASE WHEN ${read} IS DISTINCT FROM ${last} THEN coalesce(${read}, b.${column}) ELSE b.${column} END`;

/** What a reading says of a completed batch, whose slot may go on telling whether the machine runs. */
const saidOfCompleted = `(${said('i.reading')} - 'status_operation' || jsonb_build_object('status_manufacturing', i.final))`;

const COMPLETED_BEFORE = `SELECT FROM mo_histories h WHERE h.mo_id = i.mo_id AND h.status = 'completed'`;
/** Rows of the replaced system, or completed by hand, have no such reading. */
const HOLDS = holds('h', 'i.reading');

/** The readings of the message. `final`: complete, or seen so once. */
const INPUT = `
  SELECT r.mo_id, r.slot, coalesce(r.source, '') AS source, r.reader, r.read_no, r.read_at::timestamptz AS read_at,
    coalesce(r.undated, false) AS undated, r.counter, r.acknowledged, r.hold, coalesce(r.seen_once, false) AS seen_once,
    r.status_manufacturing OR coalesce(r.seen_once, false) AS final, ${figuresOf('r.consumption', `r.${FINISHED}`)} AS figures,
    jsonb_strip_nulls(to_jsonb(r) - 'undated') || jsonb_build_object('recorded_at', now()) AS reading
  FROM jsonb_to_recordset($<readings:json>) AS r(slot int, mo_id text, status_manufacturing bool, status_operation bool,
    ${FINISHED} numeric, consumption jsonb, read_at text, source text, reader text, read_no int8, counter numeric,
    acknowledged bool, seen_once bool, hold text, undated bool)`;

/** Held readings that wait: for their order, or for its row to be free. */
const WAITING = `
  SELECT w.mo_id, w.reading FROM mo_held_readings w WHERE w.reason IS NULL AND (EXISTS (SELECT FROM input i WHERE i.mo_id = w.mo_id)
    OR EXISTS (SELECT FROM mo_batch q WHERE q.mo_id = w.mo_id AND NOT q.duplicate))`;

/** The slot showed no number in between. */
const emptied = (source: string, slot: string): string =>
  `(${source} = $<source> AND $<emptied:json>::jsonb @> to_jsonb(${slot}))`;

/** The slot has told X, now Y with X's weights: they are not Y's, unless the slot was set free in between. */
const FOREIGN_WEIGHTS = `coalesce(s.mo_id <> i.mo_id AND s.figures = i.figures AND i.figures <> '{}'
  AND NOT coalesce(s.released OR ${emptied('i.source', 'i.slot')} OR (s.acknowledged AND NOT i.acknowledged) OR s.counter <> i.counter, false), false)`;
const DISCARDED = `EXISTS (SELECT FROM mo_discarded_readings d
  WHERE (d.line, d.source, d.slot, d.mo_id, d.figures) = ($<line>, i.source, i.slot, i.mo_id, i.figures))`;

/** What is known of each reading of the message, and of each order whose reading waits. */
const KNOWN = `
  SELECT coalesce(i.mo_id, w.mo_id) AS mo_id, i.slot, i.source, i.read_no, i.counter, i.acknowledged, i.hold, i.figures, i.reading,
    b.id, coalesce(b.status_manufacturing, false) AS locked, coalesce(b.last_plc_reading, '{}') AS last,
    w.reading AS waiting, coalesce((w.reading->>'status_manufacturing')::bool, false) AS waiting_final,
    coalesce(w.reading @> ${said('i.reading')}, false) AS waits_already,
    i.seen_once AND coalesce(w.reading @> ${saidOfCompleted}, false) AS waits_complete,
    p.reason AS kept_for, coalesce(p.reading @> ${said('i.reading')}, false) AS kept_already,
    w.mo_id IS NULL AND coalesce(CASE WHEN b.status_manufacturing THEN b.last_plc_reading @> ${saidOfCompleted}
      ELSE b.last_plc_reading @> ${said('i.reading')} AND (b.last_plc_reading ? 'seen_once') = i.seen_once END, false) AS unchanged,
    EXISTS (SELECT FROM (SELECT l.latest->i.mo_id FROM mo_lines l UNION ALL VALUES (b.last_plc_reading), (w.reading)) e(o)
      WHERE ${later('e.o')}) AS older,
    b.id IS NULL AND EXISTS (${COMPLETED_BEFORE}) AS finished,
    i.final AND NOT EXISTS (${COMPLETED_BEFORE} AND (coalesce(h.last_plc_reading @> ${saidOfCompleted}, false) OR ${HOLDS})) AS otherwise,
    ${DISCARDED} AS discarded, ${FOREIGN_WEIGHTS} AS foreign_weights,
    s.mo_id AS told, s.figures AS told_figures, s.counter AS told_counter, s.acknowledged AS told_acknowledged, s.released AS told_released
  FROM input i FULL JOIN waiting w ON w.mo_id = i.mo_id
  LEFT JOIN mo_batch b ON b.mo_id = coalesce(i.mo_id, w.mo_id) AND NOT b.duplicate
  LEFT JOIN mo_held_readings p ON p.mo_id = i.mo_id AND p.reason IS NOT NULL
  LEFT JOIN mo_slots s ON (s.line, s.source, s.slot) = ($<line>, i.source, i.slot) AND i.slot > 0`;

/** `aside`: why a reading is not applied by itself. `counts`: it is, and what waits for its row is not final yet. */
const JUDGED = `
  SELECT a.*, a.reading IS NOT NULL AND a.aside IS NULL AND NOT a.older AND NOT a.waiting_final AS counts FROM (
    SELECT k.*, CASE WHEN k.discarded THEN 'discarded' WHEN k.foreign_weights THEN '${FOREIGN}' ELSE k.hold END AS aside FROM known k) a`;

/** What rows are written with: the reading over one that waited. */
const APPLIED = `
  SELECT j.mo_id, j.id, j.last, j.waiting IS NOT NULL AS waited,
    CASE WHEN j.counts THEN coalesce(${merged('j.waiting', 'j.reading')}, j.reading) ELSE j.waiting END AS reading
  FROM judged j WHERE j.id IS NOT NULL AND NOT j.locked AND NOT j.unchanged AND (j.counts OR j.waiting IS NOT NULL)`;

const FREE_HELD = `
  SELECT h.mo_id, h.reason IS NULL AS waits FROM mo_held_readings h JOIN judged j ON j.mo_id = h.mo_id
  WHERE j.id IS NOT NULL OR CASE WHEN h.reason IS NULL THEN j.counts AND NOT j.waits_already ELSE j.aside IS NOT NULL END
  ORDER BY h.mo_id, h.reason FOR UPDATE OF h SKIP LOCKED`;

const WRITTEN = `
  UPDATE mo_batch b SET
    ${setActual('told.weights')},
    ${changed(FINISHED, `(a.reading->>'${FINISHED}')::numeric`, `(a.last->>'${FINISHED}')::numeric`)},
    status_manufacturing = (a.reading->>'status_manufacturing')::bool, status_operation = (a.reading->>'status_operation')::bool,
    last_read_from_plc = coalesce((a.reading->>'recorded_at')::timestamptz, now()),
    last_plc_reading = ${merged('a.last', 'a.reading')},
    set_aside_at = CASE WHEN ${SEEN_ONCE} THEN NULL ELSE b.set_aside_at END,
    set_aside_reason = CASE WHEN ${SEEN_ONCE} THEN NULL ELSE b.set_aside_reason END
  FROM applied a JOIN free f ON f.id = a.id, LATERAL (SELECT ${newWeights('a.reading', 'a.last')} AS weights OFFSET 0) told
  WHERE b.id = a.id AND NOT b.status_manufacturing
    AND (NOT a.waited OR EXISTS (SELECT FROM free_held t WHERE t.mo_id = a.mo_id AND t.waits))
  RETURNING b.mo_id, b.status_manufacturing AS completed`;

const DECIDED = `
  SELECT o.*, CASE WHEN o.outcome = 'held' THEN coalesce(o.aside, CASE WHEN o.id IS NOT NULL THEN '${LOCKED_ROW}' END) END AS reason
  FROM (SELECT j.*, CASE
    WHEN j.finished THEN CASE WHEN j.otherwise THEN 'locked' ELSE 'stale' END
    WHEN j.older AND NOT (j.id IS NULL AND j.waits_already) THEN 'older'
    WHEN j.unchanged OR j.waits_complete THEN 'unchanged'
    WHEN j.discarded THEN 'stale'
    WHEN j.locked THEN 'locked'
    WHEN j.aside IS NOT NULL THEN 'held'
    WHEN j.waiting_final AND NOT j.waits_already THEN 'locked'
    WHEN EXISTS (SELECT FROM written w WHERE w.mo_id = j.mo_id) THEN 'recorded'
    ELSE 'held' END AS outcome FROM judged j) o`;

/** Held readings: one that waits and one that a person is asked about, at most, per order. */
const WEIGHTS_OF = `CASE WHEN d.aside = '${FOREIGN}' THEN d.told END`;
const HELD = `
  UPDATE mo_held_readings h SET line = $<line>, reason = d.aside, weights_of = ${WEIGHTS_OF},
    reading = CASE WHEN f.waits THEN ${merged('h.reading', 'd.reading')} ELSE d.reading END
  FROM decided d JOIN free_held f ON f.mo_id = d.mo_id AND f.waits = (d.aside IS NULL)
  WHERE h.mo_id = d.mo_id AND (h.reason IS NULL) = f.waits AND d.outcome = 'held' AND CASE WHEN f.waits
    THEN d.counts AND NOT d.waits_already
    -- What can still be read in its slot does not replace what was seen once.
    ELSE NOT (d.kept_already AND d.kept_for = d.aside) AND NOT (d.aside = '${FOREIGN}' AND d.kept_for <> '${FOREIGN}') END
  RETURNING h.*`;
const NEWLY_HELD = `
  INSERT INTO mo_held_readings (mo_id, line, reading, reason, weights_of)
  SELECT d.mo_id, $<line>, d.reading, d.aside, ${WEIGHTS_OF} FROM decided d
  WHERE d.outcome = 'held' AND CASE WHEN d.aside IS NULL THEN d.waiting IS NULL ELSE d.kept_for IS NULL END
  ON CONFLICT DO NOTHING RETURNING *`;
const HELD_NO_MORE = `
  DELETE FROM mo_held_readings h USING free_held f, decided d
  WHERE f.mo_id = h.mo_id AND f.waits = (h.reason IS NULL) AND d.mo_id = h.mo_id AND (d.locked
    OR EXISTS (SELECT FROM written w WHERE w.mo_id = h.mo_id AND (f.waits OR w.completed))
    OR (h.reason = '${FOREIGN}' AND d.outcome IN ('recorded', 'unchanged')))
  RETURNING h.*`;

/** What the slots tell now; an idle one keeps its row as it is. */
const TELLING = `
  SELECT DISTINCT ON (d.source, d.slot) d.source, d.slot, d.mo_id, d.figures,
    coalesce(d.counter, CASE WHEN n.same THEN d.told_counter END) AS counter,
    coalesce(d.acknowledged, CASE WHEN n.same THEN d.told_acknowledged END) AS acknowledged,
    coalesce(n.same AND (d.told_released OR n.emptied OR (d.told_acknowledged AND NOT d.acknowledged)), false) AS released
  FROM decided d, LATERAL (SELECT coalesce((d.told, d.told_figures) = (d.mo_id, d.figures) AND coalesce(d.told_counter = d.counter, true), false) AS same,
    ${emptied('d.source', 'd.slot')} AS emptied) n
  WHERE d.slot > 0 AND d.outcome <> 'older' AND NOT d.foreign_weights
  ORDER BY d.source, d.slot, d.read_no DESC NULLS LAST`;
const OF_SLOT = `(s.line, s.source, s.slot) = ($<line>, t.source, t.slot)`;
const EMPTIED = `s.line = $<line> AND ${emptied('s.source', 's.slot')} AND NOT s.released
  AND NOT EXISTS (SELECT FROM telling t WHERE ${OF_SLOT})`;
const DIFFERS = `(s.mo_id, s.figures, s.counter, s.acknowledged, s.released) IS DISTINCT FROM (t.mo_id, t.figures, t.counter, t.acknowledged, t.released)`;

/** The line lives, by the database's clock, and which reading of each order was the last one. */
const latestOf = (what: string): string => `(
    SELECT coalesce(jsonb_object_agg(e.key, e.value), '{}') FROM jsonb_each(l.${what} || i.${what}) e
    WHERE EXISTS (SELECT FROM mo_batch q WHERE q.mo_id = e.key) OR EXISTS (SELECT FROM mo_held_readings q WHERE q.mo_id = e.key))`;
const ALIVE = `
  SELECT coalesce(jsonb_object_agg(d.mo_id, now()), '{}') AS seen,
    coalesce(jsonb_object_agg(d.mo_id, jsonb_strip_nulls(jsonb_build_object('source', d.reading->'source', 'reader', d.reading->'reader',
      'read_no', d.reading->'read_no', 'read_at', d.reading->'read_at'))) FILTER (WHERE d.outcome <> 'older'), '{}') AS latest
  FROM decided d WHERE d.reading IS NOT NULL`;

export const RECORD = `
WITH input AS MATERIALIZED (${INPUT}
), waiting AS MATERIALIZED (${WAITING}
), known AS MATERIALIZED (${KNOWN}
), judged AS MATERIALIZED (${JUDGED}
), applied AS MATERIALIZED (${APPLIED}
), free AS MATERIALIZED (
  SELECT b.id FROM mo_batch b WHERE b.id IN (SELECT id FROM applied) ORDER BY b.id FOR UPDATE SKIP LOCKED
), free_held AS MATERIALIZED (${FREE_HELD}
), written AS (${WRITTEN}
), decided AS MATERIALIZED (${DECIDED}
), held AS (${HELD}
), newly_held AS (${NEWLY_HELD}
), held_no_more AS (${HELD_NO_MORE}
), events AS (
  INSERT INTO mo_events (mo_id, line, kind, detail)
  SELECT k.mo_id, k.line, 'held', jsonb_strip_nulls(jsonb_build_object('reason', k.reason, 'weights_of', k.weights_of, 'reading', k.reading))
  FROM (SELECT * FROM held UNION ALL SELECT * FROM newly_held) k WHERE k.reason IS NOT NULL
  UNION ALL
  SELECT k.mo_id, k.line, 'discarded', jsonb_build_object('note', '${OWN_FIGURES}', 'reason', k.reason, 'reading', k.reading)
  FROM held_no_more k WHERE k.reason IS NOT NULL
), telling AS MATERIALIZED (${TELLING}
), free_slots AS MATERIALIZED (
  SELECT s.source, s.slot FROM mo_slots s LEFT JOIN telling t ON ${OF_SLOT} WHERE s.line = $<line> AND (${DIFFERS} AND t.slot IS NOT NULL OR ${EMPTIED})
  ORDER BY s.source, s.slot FOR UPDATE OF s SKIP LOCKED
), slots AS (
  UPDATE mo_slots s SET mo_id = t.mo_id, figures = t.figures, counter = t.counter, acknowledged = t.acknowledged, released = t.released, at = now()
  FROM telling t JOIN free_slots USING (source, slot) WHERE ${OF_SLOT} AND ${DIFFERS}
), new_slots AS (
  INSERT INTO mo_slots (line, source, slot, mo_id, figures, counter, acknowledged, released)
  SELECT $<line>, t.* FROM telling t WHERE NOT EXISTS (SELECT FROM mo_slots s WHERE ${OF_SLOT}) ON CONFLICT DO NOTHING
), emptied AS (
  UPDATE mo_slots s SET released = true, at = now() FROM free_slots f WHERE (f.source, f.slot) = (s.source, s.slot) AND ${EMPTIED}
), input_line AS MATERIALIZED (${ALIVE}
), free_line AS MATERIALIZED (
  SELECT l.line FROM mo_lines l WHERE l.line = $<line> FOR UPDATE SKIP LOCKED
), alive AS (
  UPDATE mo_lines l SET last_read_at = now(), seen = ${latestOf('seen')}, latest = ${latestOf('latest')}
  FROM input_line i, free_line f WHERE l.line = f.line AND $<alive>
), new_line AS (
  INSERT INTO mo_lines (line, last_read_at, seen, latest) SELECT $<line>, now(), i.seen, i.latest FROM input_line i
  WHERE $<alive> AND NOT EXISTS (SELECT FROM mo_lines l WHERE l.line = $<line>) ON CONFLICT DO NOTHING
)
SELECT d.mo_id, d.outcome, d.reason, ${WEIGHTS_OF} AS weights_of FROM decided d WHERE d.reading IS NOT NULL`;
