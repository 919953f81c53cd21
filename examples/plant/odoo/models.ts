/** The simulated Odoo's records as `read` shows them, model by model. */
import { STOCK } from './catalogue';
import type { Named, Product, SimulatedUser, Unit } from './catalogue';
import type { OrderBook } from './orders';
import type { Row } from './domain';
import { reservedOf, roundQty, stateOf } from './records';
import type { Move, Order } from './records';

type Pair = [number, string] | false;

const pair = (item: Named | null): Pair => (item ? [item.id, item.name] : false);

const everyMove = (order: Order): Move[] => [...order.moves, order.finished, ...order.byproducts];

function orderRow(order: Order): Row {
  const open = order.moves.filter((move) => move.state !== 'done' && move.state !== 'cancel');
  const assigned = open.length > 0 && open.every((move) => move.state === 'assigned');
  return {
    id: order.id,
    name: order.name,
    display_name: order.name,
    origin: order.reference,
    company_id: pair(order.company),
    procurement_group_id: pair(order.group),
    backorder_sequence: order.sequence,
    state: stateOf(order),
    product_id: pair(order.product),
    product_qty: order.quantity,
    qty_producing: order.producing,
    qty_produced: order.finished.done,
    product_uom_id: pair(order.uom),
    date_planned_start: order.schedule,
    date_finished: order.dateFinished,
    bom_id: [order.bom.id, `${order.bom.code}: ${order.product.name}`],
    consumption: order.bom.policy,
    reservation_state: assigned ? 'assigned' : 'confirmed',
    move_raw_ids: order.moves.map((move) => move.id),
    move_finished_ids: [order.finished, ...order.byproducts].map((move) => move.id),
    move_byproduct_ids: order.byproducts.map((move) => move.id),
    scada_equipment_id: pair(order.line),
  };
}

function moveRow(move: Move, order: Order): Row {
  const raw = order.moves.includes(move);
  const bomLine: Pair = [move.bomLineId, move.product.name];
  return {
    id: move.id,
    name: order.name,
    company_id: pair(order.company),
    product_id: pair(move.product),
    has_tracking: move.product.tracking,
    product_uom: pair(move.uom),
    product_uom_qty: move.plan,
    quantity_done: move.done,
    reserved_availability: reservedOf(move),
    should_consume_qty: raw ? roundQty((move.plan * order.producing) / order.quantity, move.uom.rounding) : 0,
    state: move.state,
    bom_line_id: raw && bomLine,
    byproduct_id: order.byproducts.includes(move) && bomLine,
    scada_equipment_id: pair(move.equipment),
    raw_material_production_id: raw && pair(order),
    production_id: !raw && pair(order),
    move_line_ids: linesOf(move).map(({ id }) => id),
  };
}

/** What is entered on a move is on its only line; without a reservation Odoo makes one. */
const linesOf = ({ lines, done, ownLine }: Move): Move['lines'] =>
  lines.length > 0 || done === 0 ? lines : [{ id: ownLine, lot: null, location: STOCK, reserved: 0 }];

const lineRows = (move: Move, order: Order): Row[] =>
  linesOf(move).map(({ id, lot, location, reserved }) => ({
    id,
    move_id: [move.id, order.name],
    product_id: pair(move.product),
    product_uom_id: pair(move.uom),
    product_uom_qty: reserved,
    qty_done: move.done,
    lot_id: pair(lot),
    location_id: pair(location),
    state: move.state,
    tracking: move.product.tracking,
  }));

const unitRow = (unit: Unit, book: OrderBook): Row => ({
  id: unit.id,
  name: unit.name,
  display_name: unit.name,
  category_id: pair(book.category(unit)),
  factor: unit.factor,
  factor_inv: 1 / unit.factor,
  uom_type: unit.factor === 1 ? 'reference' : unit.factor > 1 ? 'smaller' : 'bigger',
  rounding: unit.rounding,
  active: true,
});

const productRow = ({ id, name, tracking, uom }: Product, book: OrderBook): Row => ({
  id,
  name,
  display_name: name,
  default_code: false,
  barcode: false,
  type: 'product',
  tracking,
  uom_id: pair(book.units.all().find((unit) => unit.id === uom) ?? null),
  product_tmpl_id: [id, name],
  active: true,
});

/** The records of a model; of orders and moves those that a user sees, or of the given orders only. */
type Rows = (book: OrderBook, orders: readonly Order[]) => Row[];

const ROWS: Record<string, Rows> = {
  'mrp.production': (_, orders) => orders.map(orderRow),
  'stock.move': (_, orders) => orders.flatMap((order) => everyMove(order).map((move) => moveRow(move, order))),
  'stock.move.line': (_, orders) =>
    orders.flatMap((order) => everyMove(order).flatMap((move) => lineRows(move, order))),
  'uom.uom': (book) => book.units.all().map((unit) => unitRow(unit, book)),
  'product.product': (book) => book.products.all().map((product) => productRow(product, book)),
};

/** An order with one move, for the names of the fields. */
const SAMPLE: Order = (() => {
  const product: Product = { id: 0, name: '', tracking: 'none', uom: 0 };
  const uom: Unit = { id: 0, name: '', category: '', factor: 1, rounding: 0.01 };
  const figures = { id: 0, plan: 0, done: 1, ownLine: 0, bomLineId: 0 };
  const finished: Move = { ...figures, product, uom, equipment: null, lines: [], state: 'confirmed' };
  const bom: Order['bom'] = { id: 0, code: '', policy: 'warning', lines: [] };
  const texts = { name: '', reference: '', schedule: '', dateFinished: '' };
  const numbers = { id: 0, sequence: 1, quantity: 1, producing: 0, version: 0 };
  const records = { company: uom, group: uom, product, uom, bom, line: null };
  return { ...texts, ...numbers, ...records, finished, moves: [], byproducts: [] };
})();

/** The fields of a model, whether there are records or not. */
export function fieldsOf(model: string, book: OrderBook): readonly string[] {
  return Object.keys(ROWS[model]?.(book, [SAMPLE])[0] ?? {});
}

export const isModel = (model: string): boolean => model in ROWS;

export function rowsOf(model: string, book: OrderBook, orders: readonly Order[]): Row[] {
  return ROWS[model]?.(book, orders) ?? [];
}

/** Which model a many2one field leads to. */
const LEADS_TO: Record<string, string> = {
  raw_material_production_id: 'mrp.production',
  production_id: 'mrp.production',
  move_id: 'stock.move',
  product_id: 'product.product',
  product_uom: 'uom.uom',
  product_uom_id: 'uom.uom',
  uom_id: 'uom.uom',
};

/** The record that a many2one leads to; undefined when the simulated Odoo keeps only its id and name. */
export function related(
  field: string,
  id: unknown,
  book: OrderBook,
  user: SimulatedUser,
): { model: string; row: Row } | undefined {
  const model = LEADS_TO[field];
  const order = model === 'mrp.production' ? book.find(id, user) : undefined;
  const orders = model === 'mrp.production' ? (order ? [order] : []) : book.all(user);
  const row = model === undefined ? undefined : rowsOf(model, book, orders).find((candidate) => candidate.id === id);
  return model !== undefined && row ? { model, row } : undefined;
}

/** The moves of an order that a call may write to. */
export const movesToWrite = everyMove;
