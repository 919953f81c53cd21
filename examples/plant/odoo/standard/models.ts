/** The simulated standard Odoo's records as `read` shows them, model by model, in the names of its generation. */
import type { Named, Unit } from '../catalogue';
import type { Records, Row } from '../domain';
import { roundQty } from '../records';
import { OrderBook } from './orders';
import { figureOf, isOpen, reservedOf } from './records';
import type { Line, Move, Order, StockProduct } from './records';

type Pair = [number, string] | false;

const pair = (item: Named | null | undefined): Pair => (item ? [item.id, item.name] : false);
const displayed = ({ code, name }: StockProduct): string => (code === false ? name : `[${code}] ${name}`);
const productPair = (product: StockProduct): Pair => [product.id, displayed(product)];
const typeName = (name: string): string => `My Company: ${name}`;

function orderRow(order: Order, { generation }: OrderBook): Row {
  const open = order.moves.filter(isOpen);
  const reserved =
    open.length > 0 && open.every(({ state }) => state === 'assigned' || state === 'partially_available');
  const main = order.finished.filter(({ byproduct }) => !byproduct);
  return {
    id: order.id,
    name: order.name,
    display_name: order.name,
    state: order.state,
    origin: order.origin,
    company_id: pair(order.company),
    picking_type_id: [order.type.id, typeName(order.type.name)],
    product_id: productPair(order.product),
    product_qty: order.quantity,
    product_uom_id: pair(order.uom),
    qty_producing: order.producing,
    qty_produced: order.state === 'done' ? main.reduce((sum, move) => sum + figureOf(move), 0) : 0,
    date_start: false,
    [generation.start]: order.start,
    date_finished: order.finishedAt,
    bom_id: pair(order.bom),
    consumption: order.bom.policy,
    reservation_state: !isOpen(order) ? false : reserved ? 'assigned' : 'confirmed',
    backorder_sequence: order.sequence,
    [generation.lot]: generation.lot === 'lot_producing_ids' ? (order.lot ? [order.lot.id] : []) : pair(order.lot),
    move_raw_ids: order.moves.map(({ id }) => id),
    move_finished_ids: order.finished.map(({ id }) => id),
    move_byproduct_ids: order.finished.filter(({ byproduct }) => byproduct).map(({ id }) => id),
    workorder_ids: order.workOrders.map(({ id }) => id),
    ...order.custom,
  };
}

function moveRow(move: Move, order: Order, { generation }: OrderBook): Row {
  const raw = order.moves.includes(move);
  const expected =
    raw && isOpen(move) ? roundQty((move.plan * order.producing) / order.quantity, move.uom.rounding) : 0;
  const row: Row = {
    id: move.id,
    name: order.name,
    company_id: pair(order.company),
    product_id: productPair(move.product),
    has_tracking: move.product.tracking,
    product_uom: pair(move.uom),
    product_uom_qty: move.plan,
    [generation.figure]: figureOf(move),
    should_consume_qty: expected,
    state: move.state,
    location_id: pair(move.location),
    raw_material_production_id: raw && [order.id, order.name],
    production_id: !raw && [order.id, order.name],
    byproduct_id: move.byproduct && [move.id, displayed(move.product)],
    move_line_ids: move.lines.map(({ id }) => id),
  };
  if (generation.reserved) row[generation.reserved] = reservedOf(move, generation);
  if (generation.picked) row.picked = move.picked;
  if (generation.manual) row.manual_consumption = move.manual;
  return row;
}

function lineRow(line: Line, move: Move, { generation }: OrderBook): Row {
  const row: Row = {
    id: line.id,
    move_id: [move.id, `${move.product.code || move.product.name}: Stock>Production`],
    product_id: productPair(move.product),
    product_uom_id: pair(move.uom),
    location_id: pair(line.location),
    lot_id: pair(line.lot),
    state: move.state,
    tracking: move.product.tracking,
    [generation.lineFigure]: line.figure,
  };
  if (generation.lineReserved) row[generation.lineReserved] = line.reserved;
  if (generation.picked) row.picked = line.picked;
  return row;
}

function unitRow(unit: Unit, { generation, warehouse }: OrderBook): Row {
  const shared = { id: unit.id, name: unit.name, display_name: unit.name, rounding: unit.rounding, active: true };
  if (generation.units === 'category') {
    const type = unit.factor === 1 ? 'reference' : unit.factor > 1 ? 'smaller' : 'bigger';
    const category = pair(warehouse.category(unit));
    return { ...shared, category_id: category, factor: unit.factor, factor_inv: 1 / unit.factor, uom_type: type };
  }
  const named = (name: string): Unit | undefined => warehouse.units.find(name);
  const others = warehouse.units.all().filter(({ category }) => category === unit.category);
  const reference = unit.category === 'Weight' ? named('g') : others.find(({ factor }) => factor === 1);
  const per = (reference?.factor ?? 1) / unit.factor;
  if (!reference || reference.id === unit.id)
    return { ...shared, factor: 1, relative_factor: 1, relative_uom_id: false };
  const kg = unit.category === 'Weight' && unit.name !== 'kg' ? named('kg') : undefined;
  return {
    ...shared,
    factor: per,
    relative_factor: kg ? 1 / unit.factor : per,
    relative_uom_id: pair(kg ?? reference),
  };
}

const productRow = (product: StockProduct, { warehouse }: OrderBook): Row => ({
  id: product.id,
  name: product.name,
  display_name: displayed(product),
  default_code: product.code,
  barcode: product.code === false ? false : `BC-${product.code}`,
  tracking: product.tracking,
  uom_id: pair(warehouse.units.all().find(({ id }) => id === product.uom)),
  product_tmpl_id: productPair(product),
  active: true,
});

const named = (items: readonly Named[]): Row[] => items.map((item) => ({ ...item, display_name: item.name }));
const movesOf = (order: Order): Move[] => [...order.moves, ...order.finished];

/** The records of a model; of orders and what belongs to them, those of the given orders. */
export function rowsOf(model: string, book: OrderBook, orders: readonly Order[]): Row[] | undefined {
  const { warehouse, generation } = book;
  switch (model) {
    case 'mrp.production':
      return orders.map((order) => orderRow(order, book));
    case 'stock.move':
      return orders.flatMap((order) => movesOf(order).map((move) => moveRow(move, order, book)));
    case 'stock.move.line':
      return orders.flatMap(movesOf).flatMap((move) => move.lines.map((line) => lineRow(line, move, book)));
    case 'mrp.workorder':
      return orders.flatMap(({ id, name, workOrders }) =>
        workOrders.map((work) => ({
          id: work.id,
          name: work.name,
          state: work.state,
          workcenter_id: pair(work.center),
          production_id: [id, name],
        })),
      );
    case 'mrp.workcenter':
      return named(book.centers.all());
    case 'stock.picking.type':
      return book.types.all().map(({ id, name, code }) => ({
        id,
        name,
        display_name: typeName(name),
        sequence_code: code,
        code: 'mrp_operation',
      }));
    case 'product.product':
      return warehouse.products.all().map((product) => productRow(product, book));
    case 'uom.uom':
      return warehouse.units.all().map((unit) => unitRow(unit, book));
    case 'stock.location':
      return warehouse.locations
        .all()
        .map(({ id, name }) => ({ id, name: name.split('/').at(-1), display_name: name, complete_name: name }));
    case 'res.company':
      return named(book.companies.all());
    case generation.lotModel:
      return warehouse.lots
        .all()
        .map(({ id, name, product }) => ({ id, name, display_name: name, product_id: [product, ''] }));
    case 'stock.quant':
      return warehouse.quants().map(({ product, location, lot, quantity }, index) => ({
        id: index + 1,
        product_id: [product, ''],
        location_id: pair(warehouse.locations.all().find(({ id }) => id === location)),
        lot_id: lot === 0 ? false : pair(warehouse.lots.all().find(({ id }) => id === lot)),
        quantity,
      }));
    default:
      return undefined;
  }
}

/** Types by a field's name, as `fields_get` tells them; the others are texts. */
const TYPES: Record<string, readonly string[]> = {
  float: [
    'product_uom_qty',
    'quantity_done',
    'quantity',
    'qty_done',
    'reserved_availability',
    'reserved_uom_qty',
    'should_consume_qty',
    'product_qty',
    'qty_producing',
    'qty_produced',
    'factor',
    'factor_inv',
    'relative_factor',
    'rounding',
  ],
  boolean: ['picked', 'manual_consumption', 'active'],
  datetime: ['date_planned_start', 'date_start', 'date_finished'],
  many2many: ['lot_producing_ids'],
  selection: ['state', 'consumption', 'reservation_state', 'tracking', 'uom_type'],
  integer: ['id', 'backorder_sequence'],
};

export function typeOf(field: string): string {
  const type = Object.keys(TYPES).find((candidate) => TYPES[candidate]?.includes(field));
  if (type) return type;
  if (/_ids$/.test(field)) return 'one2many';
  return /(_id|^product_uom)$/.test(field) ? 'many2one' : 'char';
}

/** Which model a relational field leads to. */
function leadsTo(field: string, book: OrderBook): string | undefined {
  const fields: Record<string, readonly string[]> = {
    'mrp.production': ['raw_material_production_id', 'production_id'],
    'stock.move': ['move_id', 'move_raw_ids', 'move_finished_ids', 'move_byproduct_ids'],
    'stock.move.line': ['move_line_ids'],
    'mrp.workorder': ['workorder_ids'],
    'mrp.workcenter': ['workcenter_id'],
    'stock.picking.type': ['picking_type_id'],
    'product.product': ['product_id'],
    'uom.uom': ['product_uom', 'product_uom_id', 'uom_id', 'relative_uom_id'],
    'stock.location': ['location_id'],
    [book.generation.lotModel]: ['lot_id', book.generation.lot],
  };
  return Object.keys(fields).find((model) => fields[model]?.includes(field));
}

/** One order with all that can hang on one: what it shows are the fields, whether there are records or not. */
const SAMPLES = new Map<OrderBook['generation']['version'], OrderBook>();

function sample({ generation }: OrderBook): OrderBook {
  const made = SAMPLES.get(generation.version) ?? new OrderBook(generation, () => new Date(0));
  if (!SAMPLES.has(generation.version)) {
    const { product } = made.create({ workCenter: 'SAMPLE', reserved: true });
    made.warehouse.lot('SAMPLE', product);
    SAMPLES.set(generation.version, made);
  }
  return made;
}

/** The models for a search, seen by somebody who sees these orders. */
export function recordsOf(book: OrderBook, orders: () => readonly Order[]): Records {
  return {
    fieldsOf: (model) => {
      const shown = sample(book);
      const [row = {}] = rowsOf(model, shown, shown.all()) ?? [];
      const custom = model === 'mrp.production' ? book.all().flatMap((order) => Object.keys(order.custom)) : [];
      return [...new Set([...Object.keys(row), ...custom])];
    },
    orderOf: (model) => (model === 'mrp.production' ? `${book.generation.start} asc, id asc` : 'id asc'),
    related: (field, value) => {
      const model = leadsTo(field, book);
      if (model === undefined) return undefined;
      const ids = field.endsWith('_ids') ? value : [value[0]];
      const one =
        model === 'mrp.production' ? book.find(ids[0]) : model === 'stock.move' ? book.ownerOf(ids[0]) : undefined;
      const rows = rowsOf(model, book, one ? [one] : orders()) ?? [];
      return { model, rows: rows.filter(({ id }) => ids.includes(id)) };
    },
  };
}
