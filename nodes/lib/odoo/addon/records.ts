/**
 * What Odoo's answers about orders hold, as this package reads them: the addon's details, and records over `call_kw`.
 */
import type { Production } from '../../domain/order';
import { matches } from '../../domain/schema';
import { CLASSIC, unitFields } from '../generation';

/** What this package reads of mo-detail and mo-list-detailed (exchanges 058, 065). Empty text is `false` there. */
export interface OrderDetail {
  /** The order's name: the addon tells no id. */
  mo_id: string;
  state: string;
  schedule_start: string | false;
  equipment: { id: number; code: string } | null | false;
  product_name: string;
  quantity: number;
  uom: string;
  components_consumption?: { equipment: { id: number; code: string } | null | false }[];
}

/** A unit of measure as Odoo's `search_read` gives it (odoo-standard 14, exchange 043), beside what it hangs on. */
interface UnitRecord extends Record<string, unknown> {
  id: number;
  name: string;
  rounding: number;
}

/** A record of stock.move as Odoo's `search_read` gives it, beside its figure; an empty relation is `false` there (exchanges 265, 312). */
export interface MoveRecord extends Record<string, unknown> {
  id: number;
  raw_material_production_id: Related;
  product_id: Related;
  product_uom: Related;
  product_uom_qty: number;
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
    required: [CLASSIC.figure, 'scada_equipment_id'],
    properties: {
      raw_material_production_id: related,
      [CLASSIC.figure]: figure,
      product_uom_qty: figure,
      scada_equipment_id: related,
      product_id: related,
    },
  },
});

/** Whether an answer holds move lines: each is a part of a move, from one lot and place. */
export const areMoveLines = matches<{ move_id: Related }[]>({
  type: 'array',
  items: { type: 'object', required: ['move_id'], properties: { move_id: related } },
});

/** Whether an answer holds units of measure. */
export const areUnitRecords = matches<UnitRecord[]>({
  type: 'array',
  items: {
    type: 'object',
    required: ['id', 'name', 'rounding', ...unitFields(CLASSIC)],
    properties: { id: { type: 'integer' }, name: text, rounding: figure, [CLASSIC.unit.factor]: figure },
  },
});

/** Whether an answer is a window that Odoo wants to open before it goes on (exchanges 290, 296). */
export const isWizard = matches<{ res_model?: string }>({
  type: 'object',
  properties: { res_model: text },
});

/** Equipment codes by Odoo's id, as the orders' own details tell them: a move names its equipment, not its code. */
export function codesById(details: readonly OrderDetail[]): Map<number, string> {
  const codes = new Map<number, string>();
  for (const { components_consumption = [] } of details) {
    for (const { equipment: silo } of components_consumption) if (silo) codes.set(silo.id, silo.code);
  }
  return codes;
}
