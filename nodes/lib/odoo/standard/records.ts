/**
 * Records of a standard Odoo as this package reads them; what is not there is `false` in them.
 */
import type { OrderMove, Production, Unit } from '../../domain/order';
import { matches } from '../../domain/schema';
import { consumedBy, type Generation } from '../generation';

export type Related = [id: number, name: string] | false;
type Fields = Record<string, unknown> & { id: number };

const related = {
  anyOf: [{ const: false }, { type: 'array', minItems: 2, items: [{ type: 'integer' }, { type: 'string' }] }],
} as const;
const id = { type: 'integer' } as const;
const figure = { type: 'number' } as const;

export interface ProductionRecord extends Fields {
  name: string;
  state: Production['state'];
  product_id: Related;
  product_uom_id: Related;
  product_qty: number;
  qty_producing: number;
  qty_produced: number;
}
export const areProductions = matches<ProductionRecord[]>({
  type: 'array',
  items: {
    type: 'object',
    required: ['id', 'name', 'state', 'product_qty', 'qty_producing', 'product_uom_id'],
    properties: {
      ...{ id, name: { type: 'string' }, state: { type: 'string' }, product_uom_id: related },
      ...{ product_qty: figure, qty_producing: figure, qty_produced: figure },
    },
  },
});

export interface MoveRecord extends Fields {
  raw_material_production_id: Related;
  product_id: [id: number, name: string];
  product_uom: [id: number, name: string];
  product_uom_qty: number;
  state: string;
}
export const areMoves = matches<MoveRecord[]>({
  type: 'array',
  items: {
    type: 'object',
    required: ['id', 'product_id', 'product_uom', 'product_uom_qty', 'state'],
    properties: { id, product_id: related, product_uom: related, product_uom_qty: figure, state: { type: 'string' } },
  },
});

/** A part of a move, from one lot and place. */
export interface LineRecord extends Fields {
  move_id: [id: number, name: string];
}
export const areLines = matches<LineRecord[]>({
  type: 'array',
  items: { type: 'object', required: ['id', 'move_id'], properties: { id, move_id: related } },
});

export interface ProductRecord extends Fields {
  name: string;
  tracking: 'none' | 'lot' | 'serial';
}
export const areProducts = matches<ProductRecord[]>({
  type: 'array',
  items: { type: 'object', required: ['id', 'name'], properties: { id, name: { type: 'string' } } },
});

export interface UnitRecord extends Fields {
  name: string;
  rounding: number;
}
export const areUnits = matches<UnitRecord[]>({
  type: 'array',
  items: {
    type: 'object',
    required: ['id', 'name', 'rounding'],
    properties: { id, name: { type: 'string' }, rounding: figure },
  },
});

/** @param code what stands for the silo of a product */
export function moveOf(
  move: MoveRecord,
  generation: Generation,
  product: { code: string; name: string } | undefined,
  unit: Unit | undefined,
): OrderMove {
  const [product_id, name] = move.product_id;
  const [uom_id, uom] = move.product_uom;
  return {
    ...{
      id: move.id,
      code: product?.code ?? '',
      equipment: '',
      product_id,
      product: product?.name ?? name,
      uom,
      uom_id,
    },
    ...{ planned: move.product_uom_qty, done: consumedBy(move, generation), state: move.state },
    ...(unit?.kg === undefined ? {} : { kg: unit.kg }),
  };
}

/** Quantities in kg where the order's unit can be converted exactly; one that cannot is refused when it is fetched. */
export function productionOf(record: ProductionRecord, unit: Unit | undefined): Production {
  const { product_qty, qty_producing, qty_produced, product_uom_id, id: order, name, state } = record;
  const kg = unit?.kg ?? 1;
  return {
    ...{ id: order, name, state, product_uom_id, consumption: record.consumption as Production['consumption'] },
    ...{ product_qty: product_qty * kg, qty_producing: qty_producing * kg, qty_produced: (qty_produced ?? 0) * kg },
    move_byproduct_ids: (record.move_byproduct_ids as number[] | undefined) ?? [],
  };
}
