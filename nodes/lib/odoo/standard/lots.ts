/**
 * Lots at a standard Odoo: one named after the order for what it makes, so that it can be closed; and what its components
 * took beyond the lots that were reserved for them.
 */
import { type Concluded, concluded } from '../../domain/conclusion';
import type { Calling, OrderState } from '../../domain/odoo-orders';
import { hasLot, withLot } from '../generation';
import { clean } from './figures';
import type { KnownOrder } from './known';
import type { Reader } from './reader';
import type { ProductionRecord, Related } from './records';
import type { OrderWriter } from './writer';

/** What has to be written into an order to give it its lot, or why there is none. */
export type Lot =
  { values: Readonly<Record<string, unknown>>; concluded?: never } | { values?: never; concluded: Concluded };

/** Whether what an order makes needs a lot that it has not got. */
export async function lacksLot(reader: Reader, record: ProductionRecord, call: Calling): Promise<boolean> {
  if (hasLot(record, await reader.generation(call))) return false;
  const [product] = record.product_id || [0];
  return (await reader.products([product], call)).get(product)?.tracking === 'lot';
}

/** The lot of the order's name, which is made where there is none. */
export async function finishedLot(
  reader: Reader,
  writer: OrderWriter,
  record: ProductionRecord,
  call: Calling,
): Promise<Lot> {
  const generation = await reader.generation(call);
  const { model } = generation.finishedLot;
  const { name } = record;
  const [product_id] = record.product_id || [0];
  const domain = [
    ['name', '=', name],
    ['product_id', '=', product_id],
  ];
  const [found] = (await reader.ask(model, 'search_read', { domain, fields: ['name'] }, call)) as { id: number }[];
  if (found) return { values: withLot(found.id, generation) };
  const [company] = (record.company_id as Related) || [false];
  const lot = { name, product_id, ...(company ? { company_id: company } : {}) };
  const { said, result } = await writer.asked('lot', model, 'create', { vals_list: lot });
  const made: unknown = Array.isArray(result) ? result[0] : result;
  if (typeof made === 'number') return { values: withLot(made, generation) };
  const reason = said.reason || 'Odoo made it without saying which';
  return {
    concluded: {
      ...said,
      ...concluded(
        said.conclusion === 'confirmed' ? 'unexplained' : said.conclusion,
        `a lot named ${name} for what is made: ${reason}`,
      ),
    },
  };
}

/** Components tracked by lot that took more than was reserved for them, which is booked on their last reserved lot. */
export async function beyondReservation(
  reader: Reader,
  { moves }: OrderState,
  known: KnownOrder,
  call: Calling,
): Promise<string> {
  const products = await reader.products([], call);
  const beyond = moves.flatMap(({ id, product_id, product, code, uom, done, planned }) => {
    if (products.get(product_id)?.tracking !== 'lot') return [];
    const { lines = [] } = known.moves.find((move) => move.id === id) ?? {};
    // Odoo reserves the plan at most; figures may have taken the reservation's place since.
    const reserved = Math.min(planned, clean(lines.reduce((sum, line) => sum + line.reserved, 0)));
    const more = clean(done - reserved);
    return more > 0 ? [`${product} (${code}): ${done} ${uom} taken, ${reserved} ${uom} reserved`] : [];
  });
  if (beyond.length === 0) return '';
  return `more was taken than the lots reserved for it hold: ${beyond.join('; ')}; enter the lot it came from in Odoo, then close it there, or let the push node book it on the last reserved lot`;
}
