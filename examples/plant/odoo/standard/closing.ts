/** Closing orders: `button_mark_done`, the wizards that it opens instead, backorders and cancelling. */
import { isObject } from '../python';
import type { Params } from '../python';
import { OdooError, odooTime, roundQty } from '../records';
import { fillPlan, setFigure } from './figures';
import type { OrderBook } from './orders';
import { consumedOf, figureOf, isOpen } from './records';
import type { Line, Move, Order } from './records';

/** A wizard: the order is not done. Told apart by `res_model`; names are translated. */
export function wizard(model: string, name: string, context: Params): Params {
  const shape = { type: 'ir.actions.act_window', view_mode: 'form', target: 'new', views: [[false, 'form']] };
  return { name, ...shape, res_model: model, res_id: 0, context };
}

const IMMEDIATE = 'mrp.immediate.production';
const CONSUMPTION = 'mrp.consumption.warning';
const BACKORDER = 'mrp.production.backorder';

/** Whether anything was written that counts as consumed. */
function nothingWritten(order: Order, { generation }: OrderBook): boolean {
  const counted = order.moves.filter((move) => !(generation.manualIsNothing && move.manual));
  return counted.every((move) => figureOf(move) === 0);
}

/** What stands in the way of `qty_producing` 0; undefined: nothing, the order goes on as planned from 17 on. */
function withoutQuantity(book: OrderBook, order: Order, flags: Params): unknown {
  if (book.generation.nothingProduced === 'all as planned') {
    if (order.state === 'cancel') order.producing = order.quantity;
    else fillPlan(book, order, order.quantity);
    return undefined;
  }
  if ((order.state === 'cancel' || nothingWritten(order, book)) && !flags.skip_immediate) {
    const context = { ...flags, button_mark_done_production_ids: [order.id], default_mo_ids: [[4, order.id]] };
    return wizard(IMMEDIATE, 'Immediate Production?', context);
  }
  throw new OdooError('The quantity to produce must be positive!');
}

const lotMissing = ({ product }: Order | Move): OdooError =>
  new OdooError(`You need to supply a Lot/Serial Number for product: \n - ${product.name}`);

function checkLots(book: OrderBook, order: Order): void {
  const bare = order.moves.find(
    (move) =>
      move.product.tracking !== 'none' &&
      consumedOf(move, book.generation) !== 0 &&
      move.lines.some(({ lot, figure }) => lot === null && figure !== 0),
  );
  if (bare) throw lotMissing(bare);
  if (order.product.tracking === 'none' || order.lot) return;
  if (book.generation.finishedLot === 'refused') throw lotMissing(order);
  order.lot = book.warehouse.lot(`${order.name}-LOT`, order.product);
}

/** Products whose consumption is not the plan's share, as the wizard lists them. */
function differences({ generation }: OrderBook, order: Order): unknown[] {
  const products = [...new Set(order.moves.map(({ product }) => product.id))];
  return products.flatMap((id) => {
    const moves = order.moves.filter(({ product }) => product.id === id);
    const total = (of: (move: Move) => number): number => moves.reduce((sum, move) => sum + of(move), 0);
    const consumed = total((move) => consumedOf(move, generation));
    const expected = total((move) => (move.plan * order.producing) / order.quantity);
    if (Math.abs(consumed - expected) < 0.005) return [];
    const line = { mrp_production_id: order.id, product_id: id, consumption: order.bom.policy };
    return [
      [
        0,
        0,
        {
          ...line,
          product_uom_id: moves[0]?.uom.id,
          product_consumed_qty_uom: consumed,
          product_expected_qty_uom: expected,
        },
      ],
    ];
  });
}

/** The wizard that is asked for, if one is. */
function question(book: OrderBook, order: Order, flags: Params): Params | undefined {
  const about = { default_mrp_production_ids: [order.id] };
  if (!flags.skip_consumption && order.bom.policy !== 'flexible') {
    const lines = differences(book, order);
    const context = { ...flags, ...about, default_mrp_consumption_warning_line_ids: lines };
    if (lines.length > 0) return wizard(CONSUMPTION, 'Consumption Warning', context);
  }
  if (flags.skip_backorder || order.producing >= order.quantity) return undefined;
  const lines = [[0, 0, { mrp_production_id: order.id, to_backorder: true }]];
  const context = { ...flags, ...about, default_mrp_production_backorder_line_ids: lines };
  return wizard(BACKORDER, 'You produced less than initial demand', context);
}

/** What exceeds the plan, off the lines that hold it: whole lines first, and a part of the next. */
function takenOff(book: OrderBook, move: Move, excess: number): Line[] {
  let left = excess;
  const off: Line[] = [];
  for (const line of move.lines) {
    const part = Math.min(line.figure, left);
    if (part === 0) continue;
    off.push({ ...line, id: book.lineId(), figure: part });
    line.figure = roundQty(line.figure - part, move.uom.rounding);
    left = roundQty(left - part, move.uom.rounding);
  }
  return off;
}

/** Closes one component's move; the moves that Odoo splits off it. */
function closeMove(book: OrderBook, move: Move): Move[] {
  const { generation } = book;
  const counts = !generation.picked || move.picked || (generation.manualIsConsumed && move.manual);
  const figure = counts ? figureOf(move) : 0;
  if (figure === 0) {
    move.lines = [];
    move.picked = false;
    move.state = generation.zero;
    if (generation.zero === 'done') move.plan = 0;
    return [];
  }
  move.state = 'done';
  if (generation.picked) move.picked = true;
  for (const line of move.lines) line.reserved = 0;
  const rest = roundQty(Math.abs(figure - move.plan), move.uom.rounding);
  if (rest === 0 || generation.overPlan === 'kept') return [];
  const split = (plan: number, state: Move['state']): Move => ({
    ...structuredClone(move),
    id: book.moveId(),
    plan,
    lines: [],
    manual: false,
    state,
  });
  if (figure > move.plan && generation.overPlan === 'second move') {
    return [{ ...split(rest, 'done'), lines: takenOff(book, move, rest) }];
  }
  const less = figure < move.plan;
  move.plan = figure;
  if (!less) return [];
  return [generation.underPlan === 'second move, done' ? split(0, 'done') : split(rest, 'cancel')];
}

function closeFinished(book: OrderBook, order: Order): void {
  const { generation } = book;
  const [made, ...byproducts] = order.finished;
  if (!made) return;
  const whole = order.quantity;
  made.state = 'done';
  made.picked = true;
  setFigure(book, made, order.producing);
  for (const move of byproducts.filter(({ byproduct }) => byproduct)) {
    setFigure(book, move, figureOf(move) || (move.plan * order.producing) / whole);
    move.state = 'done';
  }
  if (generation.planAfterDone === 'kept') return;
  made.plan = order.producing;
  if (order.producing < whole)
    order.finished.push({
      ...structuredClone(made),
      id: book.moveId(),
      plan: whole - order.producing,
      lines: [],
      state: 'cancel',
    });
  order.quantity = order.producing;
}

/** Splits what is not made off into an order of its own: this one becomes `…-001`, the new one is `…-002`. */
export function split(book: OrderBook, order: Order): Order {
  const made = order.producing;
  const share = (order.quantity - made) / order.quantity;
  order.sequence ||= 1;
  const named = (sequence: number): string => `${order.root}-${String(sequence).padStart(3, '0')}`;
  const { generation } = book;
  const left = (move: Move): number =>
    generation.backorderPlan === 'share' ? move.plan * share : Math.max(0, move.plan - figureOf(move));
  const fresh = (move: Move, plan: number): Move => ({
    ...structuredClone(move),
    id: book.moveId(),
    plan,
    lines: move.lines.slice(0, 1).map((line) => {
      const held = generation.picked ? { figure: plan, reserved: 0 } : { figure: 0, reserved: plan };
      return { ...line, id: book.lineId(), picked: false, ...held };
    }),
    picked: false,
    manual: false,
    state: 'confirmed',
  });
  const rest: Order = {
    ...structuredClone(order),
    id: book.orderId(),
    sequence: order.sequence + 1,
    name: named(order.sequence + 1),
    quantity: roundQty(order.quantity - made, order.uom.rounding),
    producing: 0,
    state: 'confirmed',
    begun: false,
    lot: null,
    moves: order.moves.map((move) => fresh(move, roundQty(left(move), move.uom.rounding))),
    finished: order.finished.map((move) => ({
      ...fresh(move, roundQty(move.plan * share, move.uom.rounding)),
      lines: [],
    })),
    booked: [],
  };
  order.name = named(order.sequence);
  for (const move of [...order.moves, ...order.finished])
    move.plan = roundQty(move.plan * (1 - share), move.uom.rounding);
  // What is consumed becomes the plan, so that nothing is split off it.
  if (generation.planAfterDone === 'produced') for (const move of order.moves) move.plan = figureOf(move);
  order.quantity = made;
  return book.keep(rest);
}

/** @returns `true`, or what Odoo opens instead */
export function markDone(book: OrderBook, order: Order, flags: Params): unknown {
  book.touch(order);
  if (order.state === 'done') return true;
  if (order.producing === 0) {
    const stopped = withoutQuantity(book, order, flags);
    if (stopped !== undefined) return stopped;
  }
  if (order.state === 'cancel') return true;
  const zero = order.moves.every((move) => consumedOf(move, book.generation) === 0);
  if (zero && book.generation.allZero === 'refused')
    throw new OdooError('You must indicate a non-zero amount consumed for at least one of your components');
  const asked = question(book, order, flags);
  if (asked) return asked;
  checkLots(book, order);
  const wanted = flags.mo_ids_to_backorder;
  const rest =
    Array.isArray(wanted) && wanted.includes(order.id) && order.producing < order.quantity ? split(book, order) : null;
  order.moves = order.moves.flatMap((move) => (isOpen(move) ? [move, ...closeMove(book, move)] : [move]));
  order.moves.sort((a, b) => a.id - b.id);
  closeFinished(book, order);
  for (const workOrder of order.workOrders) workOrder.state = 'done';
  order.state = 'done';
  order.finishedAt = odooTime(book.now());
  if (!rest) return true;
  const context = { skip_consumption: false, skip_backorder: false, mo_ids_to_backorder: null };
  return { res_model: 'mrp.production', type: 'ir.actions.act_window', context, view_mode: 'form', res_id: rest.id };
}

export function cancel(book: OrderBook, order: Order): true {
  book.touch(order);
  if (order.state === 'done') {
    if (book.generation.cancelOfDone === 'ignored') return true;
    throw new OdooError('You cannot cancel a manufacturing order that is already done.');
  }
  for (const move of [...order.moves, ...order.finished]) {
    move.lines = [];
    move.picked = false;
    move.state = 'cancel';
  }
  order.state = 'cancel';
  return true;
}

/** What a confirmed wizard goes on with: the orders it was about, and the flags that it sets. */
export function confirmed(book: OrderBook, model: string, method: string, context: Params): unknown {
  const ids = Array.isArray(context.default_mrp_production_ids) ? context.default_mrp_production_ids : [];
  const flags: Params = { ...context };
  if (model === CONSUMPTION) flags.skip_consumption = true;
  if (model === BACKORDER) {
    flags.skip_backorder = true;
    if (method === 'action_backorder') flags.mo_ids_to_backorder = ids;
  }
  let result: unknown = true;
  for (const id of ids) {
    const order = book.find(id);
    if (order) result = markDone(book, order, flags);
  }
  return isObject(result) ? result : true;
}

/** The wizards by the methods that confirm them. */
export const WIZARDS: Record<string, readonly string[]> = {
  [CONSUMPTION]: ['action_confirm'],
  [BACKORDER]: ['action_close_mo', 'action_backorder'],
};
