/**
 * Recording readings: one statement for all of them. Parameters: readings (JSON array), line.
 */
import { SILO_TAGS } from '../domain/silos';

/** Takes what was read if it differs from the last accepted reading; otherwise the row keeps what it has. */
const changed = (column: string, read: string, last: string): string =>
  `${column} = CASE WHEN ${read} IS DISTINCT FROM ${last} THEN coalesce(${read}, b.${column}) ELSE b.${column} END`;

const weights = SILO_TAGS.map((tag) => changed(`actual_consumption_${tag}`, `read.${tag}`, `last.${tag}`)).join(
  ',\n    ',
);

/** The silos of a reading as columns, so that each of them is taken out of the JSON once. */
const silosOf = (reading: string, name: string): string =>
  `jsonb_to_record(coalesce(${reading}->'consumption', '{}')) AS ${name}(${SILO_TAGS.map((tag) => `${tag} float8`).join(', ')})`;

const FINISHED = 'actual_weight_quantity_finished_goods';

/** A newer reading over an older one, field by field: what the newer one does not say stays. */
const merged = (older: string, newer: string): string =>
  `${older} || ${newer} || jsonb_build_object('consumption', coalesce(${older}->'consumption', '{}') || (${newer}->'consumption'))`;

/** What a reading says, without where and when: jsonb's @> then compares field by field, and 600.30 equals 600.3. */
const SAID = `(i.reading - '{slot,read_at}'::text[])`;
/** The same of a completed batch, whose slot may go on telling whether the machine runs. */
const SAID_OF_COMPLETED = `(i.reading - '{slot,read_at,status_operation}'::text[])`;
const COMPLETED_BEFORE = `SELECT FROM mo_histories h WHERE h.mo_id = i.mo_id AND h.status = 'completed'`;

/** Two weights (kg), as decoded: 3 decimals; one that is not there is 0. */
const differ = (one: string, other: string): string =>
  `round(coalesce((${one})::numeric, 0), 3) <> round(coalesce((${other})::numeric, 0), 3)`;
/** The history row holds every weight of the reading: rows of the replaced system, or completed by hand, have no such reading. */
const HOLDS = `(NOT EXISTS (SELECT FROM jsonb_each_text(i.reading->'consumption') c
    WHERE ${differ('c.value', `to_jsonb(h)->>('actual_consumption_' || c.key)`)})
  AND NOT ${differ(`i.reading->>'${FINISHED}'`, `h.${FINISHED}`)})`;

export const RECORD = `
WITH input AS MATERIALIZED (
  SELECT r.mo_id, r.status_manufacturing, r.status_operation, r.read_at::timestamptz AS read_at,
    r.read_at::timestamptz > clock_timestamp() + interval '5 minutes' AS ahead, jsonb_strip_nulls(to_jsonb(r)) AS reading
  FROM jsonb_to_recordset($<readings:json>) AS r(slot int, mo_id text, status_manufacturing bool, status_operation bool,
    ${FINISHED} numeric, consumption jsonb, read_at text)
), known AS MATERIALIZED (
  SELECT i.*, b.id, coalesce(b.last_plc_reading, '{}') AS last, coalesce(b.last_plc_reading @> CASE WHEN b.status_manufacturing THEN ${SAID_OF_COMPLETED} ELSE ${SAID} END, false) AS unchanged,
    greatest((b.last_plc_reading->>'read_at')::timestamptz,
      (SELECT max((l.seen->>i.mo_id)::timestamptz) FROM mo_lines l)) AS last_read_at,
    b.id IS NULL AND EXISTS (${COMPLETED_BEFORE}) AS finished,
    i.status_manufacturing AND NOT EXISTS (${COMPLETED_BEFORE} AND (coalesce(h.last_plc_reading @> ${SAID_OF_COMPLETED}, false) OR ${HOLDS})) AS otherwise,
    coalesce(w.reading @> ${SAID}, false) AS held_already, (w.reading->>'status_manufacturing')::bool AS held_completed
  FROM input i
  LEFT JOIN mo_batch b ON b.mo_id = i.mo_id AND NOT b.duplicate
  LEFT JOIN mo_held_readings w ON w.mo_id = i.mo_id
), written AS (
  UPDATE mo_batch b SET
    ${weights},
    ${changed(FINISHED, `(k.reading->>'${FINISHED}')::numeric`, `(k.last->>'${FINISHED}')::numeric`)},
    status_manufacturing = k.status_manufacturing, status_operation = k.status_operation,
    last_read_from_plc = k.read_at, last_plc_reading = ${merged('k.last', 'k.reading')}
  FROM known k, ${silosOf('k.reading', 'read')}, ${silosOf('k.last', 'last')}
  WHERE b.id = k.id AND NOT k.ahead AND NOT k.unchanged AND NOT b.status_manufacturing AND (k.last_read_at IS NULL OR k.read_at >= k.last_read_at)
  RETURNING b.mo_id
), held AS (
  INSERT INTO mo_held_readings AS old (mo_id, line, reading)
  SELECT k.mo_id, $<line>, k.reading FROM known k WHERE k.id IS NULL AND NOT k.finished AND NOT k.ahead
  ON CONFLICT (mo_id) DO UPDATE SET line = EXCLUDED.line, reading = ${merged('old.reading', 'EXCLUDED.reading')}
  WHERE (EXCLUDED.reading->>'read_at')::timestamptz >= (old.reading->>'read_at')::timestamptz
    AND NOT (old.reading->>'status_manufacturing')::bool
  RETURNING mo_id
), alive AS (
  INSERT INTO mo_lines AS old (line, last_read_at, seen)
  SELECT $<line>, coalesce(max(read_at), now()), coalesce(jsonb_object_agg(mo_id, read_at) FILTER (WHERE mo_id IS NOT NULL), '{}')
  FROM input WHERE NOT ahead
  ON CONFLICT (line) DO UPDATE SET last_read_at = greatest(old.last_read_at, EXCLUDED.last_read_at), seen = (
    SELECT coalesce(jsonb_object_agg(mo_id, read_at), '{}') FROM (
      SELECT s.key AS mo_id, max(s.value::timestamptz) AS read_at
      FROM (SELECT * FROM jsonb_each_text(old.seen) UNION ALL SELECT * FROM jsonb_each_text(EXCLUDED.seen)) s
      WHERE EXISTS (SELECT FROM mo_batch q WHERE q.mo_id = s.key) GROUP BY s.key) latest)
)
SELECT k.mo_id, CASE
  WHEN k.ahead THEN 'ahead'
  WHEN EXISTS (SELECT FROM written w WHERE w.mo_id = k.mo_id) THEN 'recorded'
  WHEN k.finished THEN CASE WHEN k.otherwise THEN 'locked' ELSE 'stale' END
  WHEN k.id IS NULL THEN CASE
    WHEN k.held_already OR EXISTS (SELECT FROM held h WHERE h.mo_id = k.mo_id) THEN 'held'
    WHEN k.held_completed THEN 'locked'
    ELSE 'older' END
  WHEN k.read_at < k.last_read_at THEN 'older'
  WHEN k.unchanged THEN 'unchanged'
  ELSE 'locked' END AS outcome
FROM known k`;
