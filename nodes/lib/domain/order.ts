/**
 * Orders as Odoo tells them, and what of them goes into the queue.
 */
import type { Order } from './batch';
import type { SiloMap, SiloTag, SiloWeights } from './silos';
import { roundForOdoo, sumForOdoo } from './weight';

/**
 * An order as Odoo is asked about it: by its id; by its name there only where a route of the addon takes nothing else, since
 * two companies of one Odoo may have orders of one name.
 */
export interface OrderRef {
  id: number;
  name: string;
}

/** What a row says of its order: the name that the PLC tells, the id in Odoo, the name there where it is another by now. */
export interface OrderKey {
  mo_id: string;
  /** null: not asked for yet. */
  odoo_id?: number | null;
  odoo_name?: string | null;
}

/** The name that the addon's routes know the order by. */
export const nameInOdoo = ({ mo_id, odoo_name }: OrderKey): string => odoo_name || mo_id;

/** Why an order cannot be worked on by name, and what a person has to do. */
export const ambiguous = (name: string, count: number): string =>
  `Odoo has ${count} orders named ${name}, and its SCADA routes take a name: limit the Odoo user to one company`;

/** An order as Odoo lists it. */
export interface ListedOrder {
  mo_id: string;
  /** Empty text is `false`. */
  schedule_start: string | false;
  equipment: { code: string } | null | false;
  product_name: string;
  quantity: number;
  uom: string;
}

/** One raw move of an order: the truth about plan and consumption. */
export interface OrderMove {
  /** Equipment code, '' when the component has no silo. */
  code: string;
  equipment: string;
  product_id: number;
  product: string;
  uom: string;
  /** kg, scaled to the order. */
  planned: number;
  /** kg consumed so far. */
  done: number;
  state: string;
}

/** State of an order in Odoo. */
export interface Production {
  id: number;
  name: string;
  state: 'draft' | 'confirmed' | 'progress' | 'to_close' | 'done' | 'cancel';
  /** Planned, entered so far and finished quantity (kg). */
  product_qty: number;
  qty_producing: number;
  qty_produced: number;
  /** What the bill of materials allows to differ. */
  consumption: 'flexible' | 'warning' | 'strict';
}

/**
 * The order that a row means, among those that were read by its id and its name.
 * @param found at most one order per id
 * @returns neither of both: Odoo does not know it. A reason: the name cannot be worked with.
 */
export function identify(key: OrderKey, found: readonly Production[]): { production?: Production; reason?: string } {
  const { odoo_id } = key;
  const byId = odoo_id ? found.find(({ id }) => id === odoo_id) : undefined;
  if (odoo_id && !byId) return {};
  const name = byId?.name ?? nameInOdoo(key);
  const namesakes = found.filter((one) => one.name === name);
  const production = byId ?? (namesakes.length === 1 ? namesakes[0] : undefined);
  return {
    ...(production ? { production } : {}),
    ...(namesakes.length > 1 ? { reason: ambiguous(name, namesakes.length) } : {}),
  };
}

/** The unit that weights are kept in. */
const KG = 'kg';

const isLive = ({ state }: OrderMove): boolean => state !== 'cancel';

/** kg consumed per silo, over all live moves of an order. A cancelled order's moves are all cancelled: they count. */
export function consumedBySilo(moves: readonly OrderMove[], silos: SiloMap): SiloWeights {
  const live = moves.some(isLive) ? moves.filter(isLive) : moves;
  const parts: { [T in SiloTag]?: number[] } = {};
  for (const { code, done } of live) {
    const tag = silos.byCode(code)?.tag;
    if (tag) (parts[tag] ??= []).push(done);
  }
  return Object.fromEntries(Object.entries(parts).map(([tag, kgs]) => [tag, sumForOdoo(kgs)]));
}

/**
 * An order as it is queued: the true plan per silo from its moves.
 * @returns the order with notes on what a person should know (components without a silo, two on one silo), or why it is
 * refused: a unit that is not kg cannot be weighed.
 */
export function toOrder(
  detail: ListedOrder,
  moves: readonly OrderMove[],
  silos: SiloMap,
):
  { order: Order & { schedule_start: string; notes: string[] }; refused?: never } | { order?: never; refused: string } {
  if (String(detail.uom).toLowerCase() !== KG) {
    return { refused: `the order is in ${detail.uom || 'no unit'}, not in kg; change the unit in Odoo` };
  }
  const live = moves.filter(isLive);
  const foreign = live
    .filter(({ uom }) => uom.toLowerCase() !== KG)
    .map(({ product, uom }) => `${product} (${uom || 'no unit'})`);
  if (foreign.length > 0)
    return { refused: `component not in kg: ${foreign.join(', ')}; change its unit in Odoo's bill of materials` };
  const notes: string[] = [];
  const order: Order = {
    mo_id: detail.mo_id,
    consumption: detail.quantity,
    equipment_id_batch: detail.equipment ? detail.equipment.code : '',
    finished_goods: detail.product_name || '',
  };
  let mapped = 0;
  for (const { code, product, equipment, planned } of live) {
    const silo = silos.byCode(code);
    if (!silo) {
      notes.push(
        `${product}: ${code || equipment ? `${code || equipment} is not in the silo-map` : 'has no silo in Odoo'}`,
      );
      continue;
    }
    mapped += 1;
    const [name, plan] = [`component_${silo.tag}_name`, `consumption_${silo.tag}`] as const;
    if (order[name]) notes.push(`${silo.label}: ${order[name]} and ${product} on one silo, summed`);
    order[name] = (order[name] ? `${order[name]} + ${product}` : product).slice(0, 64);
    order[plan] = roundForOdoo((order[plan] ?? 0) + planned);
  }
  if (mapped === 0) notes.push('no component is on a silo of the silo-map: nothing will be weighed for this order');
  return { order: { ...order, schedule_start: detail.schedule_start || '', notes } };
}
