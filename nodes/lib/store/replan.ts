/** Rows whose order has another plan in Odoo by now: what is in an order slot is fetched back from there by the trigger. */
import type { Batch } from '../domain/batch';
import type { Order } from '../domain/order';
import type { Database } from './connection';
import { BATCH_COLUMNS, eventOf } from './sql';
import { ORDER_COLUMNS } from './tables';

/** What belongs to the plan of what an order brings. */
const PLAN = ORDER_COLUMNS.filter(({ name }) => !/^(mo_id|odoo_id|odoo_name|equipment_id_batch)$/.test(name));
const columns = (row = ''): string => PLAN.map(({ name }) => row + name).join(', ');
const told = PLAN.map(({ name, type }) => (type === 'jsonb' ? `coalesce(t.${name}, '{}')` : `t.${name}::${type}`)).join(
  ', ',
);

const ORDERS = `jsonb_to_recordset($<orders:json>) AS o(mo_id text, ${PLAN.map(({ name, type }) => `${name} ${type.startsWith('varchar') ? 'text' : type}`).join(', ')})`;
/** Nothing was weighed for it, and the PLC has not taken it. */
const REPLANNABLE = `(b.revision = 0 AND b.last_plc_reading IS NULL AND b.taken_at IS NULL AND b.set_aside_at IS NULL)`;

const REPLAN = `WITH told AS MATERIALIZED (
    SELECT b.id AS row_id, o.* FROM mo_batch b JOIN ${ORDERS} ON o.mo_id = b.mo_id AND NOT b.duplicate
    WHERE ${REPLANNABLE} ORDER BY b.id FOR UPDATE OF b SKIP LOCKED
  ), before AS (
    SELECT b.id, b.consumption, jsonb_strip_nulls(mo_told_to_plc(to_jsonb(b))) AS plan FROM mo_batch b JOIN told t ON t.row_id = b.id
  ), b AS (
    UPDATE mo_batch b SET (${columns()}) = ROW (${told})
    FROM told t WHERE b.id = t.row_id AND ROW (${columns('b.')}) IS DISTINCT FROM ROW (${told})
    RETURNING b.*
  ), event AS (${eventOf('replanned', `(SELECT jsonb_build_object('before', f.plan) FROM before f WHERE f.id = b.id)`)})
  SELECT ${BATCH_COLUMNS} FROM b ORDER BY b.batch_no`;

const TAKEN = `SELECT b.mo_id FROM mo_batch b JOIN ${ORDERS} ON o.mo_id = b.mo_id AND NOT b.duplicate
  WHERE b.set_aside_at IS NULL AND NOT ${REPLANNABLE} ORDER BY b.batch_no`;

/**
 * Puts the plans that Odoo has by now into the rows of orders that nothing was weighed for.
 * @returns the rows that changed, and the orders that the PLC has taken meanwhile: they are made as they were planned
 */
export async function replan(db: Database, orders: readonly Order[]): Promise<{ changed: Batch[]; taken: string[] }> {
  if (orders.length === 0) return { changed: [], taken: [] };
  const changed = await db.any<Batch>(REPLAN, { orders });
  const taken = await db.map(TAKEN, { orders }, ({ mo_id }: { mo_id: string }) => mo_id);
  return { changed, taken };
}
