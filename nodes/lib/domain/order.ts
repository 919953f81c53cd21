/**
 * Orders as Odoo tells them, and what of them goes into the queue.
 */
import type { Order } from './batch';
import { matches } from './schema';
import type { SiloMap, SiloTag, SiloWeights } from './silos';
import { roundForOdoo, sumForOdoo } from './weight';

/** What this package reads of mo-detail and mo-list-detailed (exchanges 058, 065). Empty text is `false` there. */
export interface OrderDetail {
  mo_id: string;
  state: string;
  schedule_start: string | false;
  equipment: { id: number; code: string } | null | false;
  product_name: string;
  quantity: number;
  uom: string;
  components_consumption?: { equipment: { id: number; code: string } | null | false }[];
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

/** A record of stock.move as Odoo's `search_read` gives it; an empty relation is `false` there (exchanges 265, 312). */
export interface MoveRecord {
  raw_material_production_id: Related;
  product_id: Related;
  product_uom: Related;
  product_uom_qty: number;
  quantity_done: number;
  scada_equipment_id: Related;
  state: string;
}

type Related = [id: number, name: string] | false;

const text = { type: 'string' } as const;
const figure = { type: 'number' } as const;
const equipment = {
  anyOf: [
    { type: 'object', required: ['id', 'code'], properties: { id: { type: 'integer' }, code: text } },
    { enum: [null, false] },
  ],
} as const;
const related = {
  anyOf: [{ const: false }, { type: 'array', minItems: 2, items: [{ type: 'integer' }, text] }],
} as const;

const orderDetail = {
  type: 'object',
  required: ['mo_id', 'state', 'quantity'],
  properties: {
    mo_id: text,
    state: text,
    quantity: figure,
    equipment,
    components_consumption: { type: 'array', items: { type: 'object', properties: { equipment } } },
  },
} as const;

/** Whether an answer holds orders as mo-list-detailed and mo-detail tell them. */
export const areOrderDetails = matches<OrderDetail[]>({ type: 'array', items: orderDetail });

/** Whether an answer holds orders as `search_read` tells them. */
export const areProductions = matches<Production[]>({
  type: 'array',
  items: {
    type: 'object',
    required: ['id', 'name', 'state'],
    properties: { id: { type: 'integer' }, name: text, state: text },
  },
});

/** Whether an answer holds raw moves as `search_read` tells them. */
export const areMoves = matches<MoveRecord[]>({
  type: 'array',
  items: {
    type: 'object',
    required: ['quantity_done', 'scada_equipment_id'],
    properties: { quantity_done: figure, product_uom_qty: figure, scada_equipment_id: related, product_id: related },
  },
});

/** Equipment codes by Odoo's id, as the orders' own details tell them: a move names its equipment, not its code. */
export function codesById(details: readonly OrderDetail[]): Map<number, string> {
  const codes = new Map<number, string>();
  for (const { components_consumption = [] } of details) {
    for (const { equipment: silo } of components_consumption) if (silo) codes.set(silo.id, silo.code);
  }
  return codes;
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
  detail: OrderDetail,
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
