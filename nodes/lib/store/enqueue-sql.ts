/**
 * Queueing orders, and which ones to ask Odoo for because a reading waits for them.
 */
import { OWN_FIGURES } from './reading-sql';
import { ORDER_COLUMNS } from './tables';
import { ACTUAL_COLUMNS, actualValues } from './silo-sql';
import { BATCH_COLUMNS } from './sql';

/** What the order's column gets. A name longer than its column is cut, it is there to be read; only the order's own has to fit. */
const brought = ({ name, type }: { name: string; type: string }): string => {
  if (name === 'equipment_id_batch') return 'f.line';
  return name === 'mo_id' ? 'f.mo_id' : `f.${name}::${type}`;
};

/**
 * One statement for all orders. Parameters: orders (JSON array), limit, named (one order, or null). An order that is named
 * may have been begun before: what was sent to it is not known.
 */
export const ENQUEUE = `
WITH given AS (
  SELECT DISTINCT ON (o.mo_id) o.* FROM ROWS FROM (jsonb_to_recordset($<orders:json>) AS
    (${ORDER_COLUMNS.map(({ name, type }) => `${name} ${type.startsWith('varchar') ? 'text' : type}`).join(', ')})) WITH ORDINALITY AS o
  ORDER BY o.mo_id, o.ordinality
), waiting AS MATERIALIZED (
  -- One that another session holds locked is applied by the first recording that finds it free.
  SELECT w.mo_id, w.line, w.reading FROM mo_held_readings w JOIN given g ON g.mo_id = w.mo_id WHERE w.reason IS NULL FOR UPDATE OF w SKIP LOCKED
), fresh AS (
  SELECT g.*, coalesce(nullif(g.equipment_id_batch, ''), w.line, '') AS line, w.reading
  FROM given g LEFT JOIN waiting w ON w.mo_id = g.mo_id
  WHERE NOT EXISTS (SELECT FROM mo_batch q WHERE q.mo_id = g.mo_id)
    AND NOT EXISTS (SELECT FROM mo_histories h WHERE h.mo_id = g.mo_id AND (h.status = 'completed' OR g.mo_id IS DISTINCT FROM $<named>))
  ORDER BY g.ordinality LIMIT $<limit>
), b AS (
  INSERT INTO mo_batch (id, batch_no, ${ORDER_COLUMNS.map(({ name }) => name).join(', ')},
    ${ACTUAL_COLUMNS},
    status_manufacturing, status_operation, actual_weight_quantity_finished_goods, last_read_from_plc, last_plc_reading, ever_sent)
  SELECT gen_random_uuid(), greatest(
      (SELECT coalesce(max(q.batch_no), 0) FROM mo_batch q WHERE q.equipment_id_batch = f.line),
      (SELECT coalesce(max(q.batch_no), 0) FROM mo_histories q WHERE q.equipment_id_batch = f.line)
    ) + row_number() OVER (PARTITION BY f.line ORDER BY f.ordinality),
    ${ORDER_COLUMNS.map(brought).join(', ')},
    ${actualValues("(f.reading->'consumption')")},
    coalesce((f.reading->>'status_manufacturing')::bool, false), coalesce((f.reading->>'status_operation')::bool, false),
    (f.reading->>'actual_weight_quantity_finished_goods')::numeric, CASE WHEN f.reading IS NOT NULL THEN coalesce((f.reading->>'recorded_at')::timestamptz, now()) END, f.reading,
    CASE WHEN f.mo_id IS DISTINCT FROM $<named> THEN '{}'::jsonb END
  FROM fresh f
  ORDER BY f.ordinality
  RETURNING *
), applied AS (
  -- A completion of its own also answers what a person would be asked about.
  DELETE FROM mo_held_readings h USING b JOIN waiting w ON w.mo_id = b.mo_id
  WHERE h.mo_id = b.mo_id AND (h.reason IS NULL OR b.status_manufacturing) RETURNING h.*
), told AS (
  INSERT INTO mo_events (mo_id, line, kind, detail)
  SELECT a.mo_id, a.line, 'discarded', jsonb_build_object('note', '${OWN_FIGURES}', 'reason', a.reason, 'reading', a.reading)
  FROM applied a WHERE a.reason IS NOT NULL
)
SELECT ${BATCH_COLUMNS} FROM b ORDER BY b.equipment_id_batch, b.batch_no`;

/** From one question about an order to the next: 5 minutes, twice as long each time, up to an hour. */
const PAUSE = `make_interval(mins => least(5 * 2 ^ (least(h.asks, 5) - 1), 60)::int)`;

/**
 * The orders that readings wait for and that are to be asked for now; the question is noted with it, so that one that Odoo
 * refuses is not asked for in every cycle. Parameter: line.
 */
export const UNQUEUED = `
WITH due AS MATERIALIZED (
  SELECT h.mo_id FROM mo_held_readings h
  WHERE h.reason IS NULL AND ($<line> = '' OR h.line IN ('', $<line>))
    AND NOT EXISTS (SELECT FROM mo_batch q WHERE q.mo_id = h.mo_id)
    AND (h.asked_at IS NULL OR h.asked_at > now() OR h.asked_at <= now() - ${PAUSE})
  FOR UPDATE SKIP LOCKED
), asked AS (
  UPDATE mo_held_readings h SET asks = h.asks + 1, asked_at = now() FROM due d WHERE h.mo_id = d.mo_id AND h.reason IS NULL RETURNING h.*
)
SELECT mo_id, line, (reading->>'slot')::int AS slot, held_since, asks FROM asked ORDER BY held_since, mo_id`;
