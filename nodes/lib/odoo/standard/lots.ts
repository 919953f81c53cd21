/**
 * The lot of what an order makes: one named after the order, made where there is none, so that Odoo lets the order be closed.
 */
import { type Concluded, concluded } from '../../domain/conclusion';
import type { Calling } from '../../domain/odoo-orders';
import type { Reader } from './reader';
import type { ProductionRecord, Related } from './records';

/** @returns what has to be written into the order; nothing when it has a lot already */
export async function finishedLot(
  reader: Reader,
  record: ProductionRecord,
  call: Calling,
): Promise<{ values?: Record<string, unknown>; concluded?: Concluded }> {
  const { field, many, model } = (await reader.generation(call)).finishedLot;
  const given = record[field] as Related | number[];
  if (Array.isArray(given) && given.length > 0) return {};
  const [product_id] = record.product_id || [0];
  const domain = [
    ['name', '=', record.name],
    ['product_id', '=', product_id],
  ];
  const found = (await reader.ask(model, 'search_read', { domain, fields: ['name'] }, call)) as { id: number }[];
  const id = found[0]?.id ?? (await create(reader, model, record, product_id, call));
  if (typeof id !== 'number') return { concluded: id };
  return { values: { [field]: many ? [[6, 0, [id]]] : id } };
}

async function create(
  reader: Reader,
  model: string,
  { name, company_id }: ProductionRecord,
  product_id: number,
  call: Calling,
): Promise<number | Concluded> {
  const [company] = (company_id as Related) || [false];
  const lot = { name, product_id, ...(company ? { company_id: company } : {}) };
  const read = await reader.rpc.call(model, 'create', { vals_list: lot }, call);
  if (read.concluded)
    return { ...read.concluded, reason: `a lot named ${name} for what is made: ${read.concluded.reason}` };
  const made: unknown = Array.isArray(read.result) ? read.result[0] : read.result;
  return typeof made === 'number' ? made : concluded('unexplained', 'Odoo made the lot without saying which');
}
