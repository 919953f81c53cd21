/** Writing on orders, moves and lines, with the guards that refuse it. */
import { valueError } from '../domain';
import { isObject, repr, toFloat } from '../python';
import type { Params } from '../python';
import { OdooError, roundQty } from '../records';
import { setFigure, setLineFigure, setPicked } from './figures';
import type { OrderBook } from './orders';
import { figureOf, isOpen, refreshMove } from './records';
import type { Move, Order } from './records';
import { isWithin } from './warehouse';

/** Null counts as 0, as Odoo writes it. */
function floatOf(value: unknown): number {
  const number = value === null || value === false ? 0 : toFloat(value);
  if (number === undefined) throw valueError(`could not convert string to float: ${repr(value)}`);
  return number;
}

const missing = (model: string, id: unknown, uid: number): OdooError =>
  new OdooError(
    `Record does not exist or has been deleted.\n(Record: ${model}(${String(id)},), User: ${uid})`,
    'odoo.exceptions.MissingError',
  );

export const noRecord = missing;

const MOVE_FIELDS = [
  'product_uom',
  'product_uom_qty',
  'location_id',
  'move_line_ids',
  'name',
  'product_id',
  'location_dest_id',
];
const ORDER_FIELDS = ['qty_producing', 'move_raw_ids', 'origin', 'product_qty'];

/** One call's writing. */
export class Writing {
  constructor(
    private readonly book: OrderBook,
    private readonly uid: number,
  ) {}

  order(order: Order, values: Params): void {
    const { generation } = this.book;
    this.check(
      values,
      [...ORDER_FIELDS, generation.start, generation.lot, ...Object.keys(order.custom)],
      'mrp.production',
    );
    this.book.touch(order);
    if (generation.start in values) this.reschedule(order, values[generation.start]);
    if (order.state === 'draft' && generation.writeOnDraft === 'confirms' && 'move_raw_ids' in values)
      order.state = 'confirmed';
    if ('qty_producing' in values) this.produce(order, floatOf(values.qty_producing));
    if (generation.lot in values) order.lot = this.lotOf(values[generation.lot]);
    if (Array.isArray(values.move_raw_ids)) values.move_raw_ids.forEach((command) => this.command(order, command));
    for (const name of Object.keys(order.custom)) if (name in values) order.custom[name] = values[name];
  }

  move(move: Move, order: Order, values: Params): void {
    const { generation } = this.book;
    const known = [...MOVE_FIELDS, generation.figure];
    if (generation.picked) known.push('picked');
    if (generation.manual) known.push('manual_consumption');
    this.check(values, known, 'stock.move');
    this.book.touch(order);
    if (move.state === 'cancel' && generation.writeOnCancelled === 'refused')
      throw new OdooError('You cannot change a cancelled stock move, create a new line instead.');
    if ('product_uom' in values) this.unit(move, values.product_uom);
    if ('product_uom_qty' in values) move.plan = roundQty(floatOf(values.product_uom_qty), move.uom.rounding);
    const elsewhere = 'location_id' in values && values.location_id !== move.location.id;
    if (elsewhere) this.place(move, values.location_id);
    if ('picked' in values) setPicked(move, Boolean(values.picked));
    if ('manual_consumption' in values) move.manual = Boolean(values.manual_consumption);
    if (generation.figure in values) setFigure(this.book, move, floatOf(values[generation.figure]));
    if (Array.isArray(values.move_line_ids)) values.move_line_ids.forEach((command) => this.line(move, command));
    if (elsewhere && generation.otherLocation === 'drops the lines')
      move.lines = move.lines.filter((line) => isWithin(line.location, move.location));
    if (move.state === 'done' && generation.planAfterDone === 'produced') move.plan = figureOf(move);
    refreshMove(move, generation);
  }

  /** A line that is written by itself. */
  lineValues(move: Move, id: unknown, values: Params): void {
    const { generation } = this.book;
    const line = move.lines.find((part) => part.id === id);
    if (!line) throw missing('stock.move.line', id, this.uid);
    this.check(values, [generation.lineFigure, ...(generation.picked ? ['picked'] : []), 'lot_id'], 'stock.move.line');
    if (generation.lineFigure in values) setLineFigure(this.book, move, line, floatOf(values[generation.lineFigure]));
    if ('lot_id' in values) line.lot = this.lotOf(values.lot_id);
    if (!('picked' in values)) return;
    line.picked = Boolean(values.picked);
    move.picked = move.lines.some(({ picked }) => picked);
  }

  private check(values: Params, known: readonly string[], model: string): void {
    const wrong = Object.keys(values).find((name) => !known.includes(name));
    if (wrong === undefined) return;
    const where = this.book.generation.version === 19 ? 'in' : 'on model';
    throw valueError(`Invalid field ${repr(wrong)} ${where} ${repr(model)}`);
  }

  private reschedule(order: Order, start: unknown): void {
    if (!isOpen(order)) throw new OdooError('You cannot move a manufacturing order once it is cancelled or done.');
    if (order.workOrders.some(({ state }) => state !== 'ready'))
      throw new OdooError('Some work orders have already started, so you cannot unplan this manufacturing order.');
    order.start = String(start);
  }

  private produce(order: Order, quantity: number): void {
    order.producing = roundQty(quantity, order.uom.rounding);
    if (order.state !== 'done') return;
    const [made] = order.finished;
    if (!made) return;
    setFigure(this.book, made, order.producing);
    if (this.book.generation.planAfterDone === 'produced') made.plan = order.producing;
  }

  private lotOf(value: unknown): Order['lot'] {
    const [command] = Array.isArray(value) ? (value as unknown[]) : [];
    const id = Array.isArray(command) ? (command[2] as unknown[])[0] : value;
    if (id === false || id === undefined) return null;
    const lot = this.book.warehouse.lots.all().find((known) => known.id === id);
    if (!lot) throw missing(this.book.generation.lotModel, id, this.uid);
    return lot;
  }

  /** The unit is the guard: a done move refuses it, changed or not. */
  private unit(move: Move, value: unknown): void {
    if (move.state === 'done' && this.book.generation.unitGuard)
      throw new OdooError("You cannot change the UoM for a stock move that has been set to 'Done'.");
    const unit = this.book.warehouse.units.all().find(({ id }) => id === value);
    if (!unit) throw missing('uom.uom', value, this.uid);
    move.uom = unit;
  }

  private place(move: Move, value: unknown): void {
    const location = this.book.warehouse.locations.all().find(({ id }) => id === value);
    if (!location) throw missing('stock.location', value, this.uid);
    move.location = location;
  }

  /** One command of the order's moves. Ids are not held against the order: a move of another one is changed there. */
  private command(order: Order, command: unknown): void {
    const [verb, id, values] = Array.isArray(command) ? (command as unknown[]) : [];
    if (!isObject(values) || (verb !== 0 && verb !== 1))
      throw valueError(`Wrong value for move_raw_ids: ${repr(command)}`);
    if (verb === 0) return this.add(order, values);
    const owner = this.book.ownerOf(id);
    const move = [...(owner?.moves ?? []), ...(owner?.finished ?? [])].find((known) => known.id === id);
    if (!owner || !move) throw missing('stock.move', id, this.uid);
    this.move(move, owner, values);
  }

  /** A component that is not in the bill of materials. */
  private add(order: Order, values: Params): void {
    const product = this.book.warehouse.products.all().find(({ id }) => id === values.product_id);
    if (!product) throw missing('product.product', values.product_id, this.uid);
    const move = this.book.component({ product: product.name, code: product.code || null });
    order.moves.push(move);
    if (this.book.generation.addedMove === 'draft') move.state = 'draft';
    this.move(move, order, values);
  }

  private line(move: Move, command: unknown): void {
    const [verb, id, values] = Array.isArray(command) ? (command as unknown[]) : [];
    if (verb !== 1 || !isObject(values)) throw valueError(`Wrong value for move_line_ids: ${repr(command)}`);
    this.lineValues(move, id, values);
  }
}
