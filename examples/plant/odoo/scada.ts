/** The SCADA addon's routes, answering as recorded. Each handler returns the `result` of the envelope. */
import { NO_LOG_ACCESS, NO_MODULE_ACCESS, NO_ORDER_ACCESS, equipmentJson } from './catalogue';
import type { SimulatedUser } from './catalogue';
import type { OrderBook } from './orders';
import { str, toFloat, toInt } from './python';
import type { Params } from './python';
import { OdooError, enter, odooTime, reservedOf, roundQty, stateOf } from './records';
import type { Move, Order } from './records';

/** A business error: HTTP 200 with `result.status` "error". What was committed before stays. */
class Refusal extends Error {}

const isoTime = (time: string): string => time.replace(' ', 'T');

/** Naive end of an order: the recorded server plans one hour. */
function scheduleEnd(order: Order): string {
  return isoTime(odooTime(new Date(Date.parse(`${isoTime(order.schedule)}Z`) + 3_600_000)));
}

function readable(user: SimulatedUser): void {
  if (user.role === 'operatorOnly' || user.role === 'none') throw new Refusal(NO_ORDER_ACCESS);
}

function detail(order: Order): Params {
  const sumOf = (lineId: number, figure: (move: Move) => number) =>
    order.moves.filter((move) => move.bomLineId === lineId).reduce((sum, move) => sum + figure(move), 0);
  const product = (item: { id: number; name: string }) => ({
    product_tmpl_id: item.id,
    product_id: item.id,
    product_name: item.name,
  });
  return {
    mo_id: order.name,
    reference: order.reference,
    state: stateOf(order),
    schedule_start: isoTime(order.schedule),
    schedule_end: scheduleEnd(order),
    equipment: equipmentJson(order.line),
    ...product(order.product),
    quantity: order.quantity,
    produced_qty: order.finished.done,
    uom: order.uom.name,
    bom_id: order.bom.id,
    bom_code: order.bom.code,
    bom_components: order.bom.lines.map((line) => ({
      ...product(line.product),
      quantity: line.quantity,
      uom: line.uom.name,
    })),
    // The BoM line's figure, not scaled to the order; both others are clamped at it (exchanges 082, 128, 130).
    components_consumption: order.bom.lines.map((line) => ({
      ...product(line.product),
      to_consume: line.quantity,
      reserved: Math.min(sumOf(line.id, reservedOf), line.quantity),
      consumed: Math.min(
        sumOf(line.id, ({ done }) => done),
        line.quantity,
      ),
      uom: line.uom.name,
      equipment: equipmentJson(order.moves.find((move) => move.bomLineId === line.id)?.equipment ?? null),
    })),
  };
}

const page = (orders: Order[], limit: number, offset: number): Order[] =>
  orders.slice(offset, limit === 0 ? undefined : offset + limit);

function listConfirmed(book: OrderBook, params: Params, user: SimulatedUser): Params {
  const confirmed = book.all(user).filter((order) => stateOf(order) === 'confirmed');
  confirmed.sort((a, b) => a.id - b.id);
  const data = page(confirmed, toInt(params.limit ?? 50), toInt(params.offset ?? 0)).map((order) => ({
    mo_id: order.name,
    reference: order.reference,
    schedule: isoTime(order.schedule),
    schedule_end: scheduleEnd(order),
    product: order.product.name,
    quantity: order.quantity,
    state: 'confirmed',
    equipment: equipmentJson(order.line),
  }));
  return { status: 'success', count: data.length, data };
}

function listDetailed(book: OrderBook, params: Params, user: SimulatedUser): Params {
  const states: unknown[] = Array.isArray(params.states) ? params.states : ['confirmed'];
  const listed = book.all(user).filter((order) => states.includes(stateOf(order)));
  listed.sort((a, b) => b.schedule.localeCompare(a.schedule) || b.id - a.id);
  const data = page(listed, toInt(params.limit ?? 10), toInt(params.offset ?? 0)).map(detail);
  return { status: 'success', count: data.length, data };
}

/** Takes a text of digits for the database's id of an order. */
function showDetail(book: OrderBook, params: Params, user: SimulatedUser): Params {
  const { mo_id } = params;
  const key = typeof mo_id === 'string' && /^\d+$/.test(mo_id) ? Number(mo_id) : mo_id;
  const order = existing(book, { mo_id: key }, user);
  return { status: 'success', data: detail(order) };
}

function existing(book: OrderBook, params: Params, user: SimulatedUser): Order {
  if (!params.mo_id) throw new Refusal('mo_id is required');
  const order = book.find(params.mo_id, user);
  if (!order) throw new Refusal(`MO not found: ${str(params.mo_id)}`);
  return order;
}

/**
 * Sets what the order's moves of one equipment have consumed; several moves are filled up to their plan in turn.
 * NaN and Infinity break the server after it has wiped the value (exchanges 114, 115).
 */
function setDone(moves: Move[], quantity: number): void {
  let left = Number.isFinite(quantity) ? roundQty(quantity) : 0;
  moves.forEach((move, index) => {
    enter(move, index === moves.length - 1 ? left : Math.min(left, move.plan));
    left = roundQty(left - move.done);
  });
  if (!Number.isFinite(quantity)) {
    throw new Refusal(`Error: cannot convert float ${Number.isNaN(quantity) ? 'NaN' : 'infinity'} to integer`);
  }
}

const movesOf = (order: Order, code: unknown): Move[] => order.moves.filter((move) => move.equipment?.code === code);

/** Reads a quantity of the order itself; refuses the whole call when it is not above 0 (exchange 121). */
function positive(params: Params, keys: string[], what: string): number | undefined {
  const key = keys.find((name) => name in params);
  if (key === undefined) return undefined;
  const value = toFloat(params[key]);
  if (value === undefined) throw new Refusal(`${what} must be a number`);
  if (!(value > 0)) throw new Refusal(`${what} must be greater than 0`);
  return value;
}

const FINISHED_KEYS = ['quantity', 'finished_qty'];
const TARGET_KEYS = ['product_qty', 'target_qty', 'target_quantity'];
const NOT_CODES = new Set(['mo_id', ...FINISHED_KEYS, ...TARGET_KEYS]);

function update(book: OrderBook, params: Params, user: SimulatedUser): Params {
  if (!params.mo_id) throw new Refusal('mo_id is required');
  const found = book.find(params.mo_id, user);
  if (!found) throw new Refusal(`Manufacturing Order "${str(params.mo_id)}" not found`);
  const state = stateOf(found);
  if (state === 'done' || state === 'cancel') throw new Refusal(`Cannot update MO "${found.name}" in state "${state}"`);
  const finished = positive(params, FINISHED_KEYS, 'Finished quantity');
  const target = positive(params, TARGET_KEYS, 'Quantity');
  return halfCommit(book, found, (order) => {
    if (target !== undefined) book.rescale(order, target);
    if (finished !== undefined) {
      order.producing = roundQty(finished);
      order.finished.done = roundQty(finished);
    }
    const consumed: Params[] = [];
    const errors: string[] = [];
    for (const [code, value] of Object.entries(params)) {
      if (NOT_CODES.has(code)) continue;
      const quantity = toFloat(value);
      if (quantity === undefined) errors.push(`${code}: Invalid quantity value "${str(value)}"`);
      if (quantity === undefined || quantity <= 0) continue;
      const equipment = book.equipment.find(code);
      const moves = movesOf(order, code);
      if (!equipment) errors.push(`${code}: Equipment not found`);
      else if (moves.length === 0) errors.push(`${code}: No raw material move found for this equipment`);
      if (!equipment || moves.length === 0) continue;
      setDone(moves, quantity);
      if (user.role === 'operator') throw new Refusal(NO_LOG_ACCESS);
      consumed.push({
        equipment_code: code,
        equipment_name: equipment.name,
        applied_qty: quantity,
        move_ids: moves.map((move) => move.id),
        products: moves.map((move) => move.product.name),
      });
    }
    return {
      status: 'success',
      message: errors.length > 0 ? 'MO updated with some errors' : 'MO updated successfully',
      mo_id: order.name,
      mo_state: stateOf(order),
      consumed_items: consumed,
      ...(finished !== undefined && { updated_finished_qty: finished }),
      ...(target !== undefined && { updated_quantity: target }),
      ...(errors.length > 0 && { errors }),
    };
  });
}

/** The addon catches its errors without a rollback: what was done before a refusal is committed. */
function halfCommit(book: OrderBook, found: Order, work: (order: Order) => Params): Params {
  return book.change(found, (order) => {
    try {
      return work(order);
    } catch (error) {
      if (error instanceof Refusal || error instanceof OdooError) return refused(error);
      throw error;
    }
  });
}

const refused = (error: Error): Params => ({ status: 'error', message: error.message });

function markDone(book: OrderBook, params: Params, user: SimulatedUser): Params {
  if (!params.mo_id) throw new Refusal('mo_id is required');
  if (params.finished_qty === undefined || params.finished_qty === null) throw new Refusal('finished_qty is required');
  const finished = toFloat(params.finished_qty);
  if (finished === undefined) throw new Refusal('finished_qty must be a number');
  if (!(finished > 0)) throw new Refusal('finished_qty must be > 0');
  const found = existing(book, params, user);
  if (user.role === 'operator') throw new Refusal(NO_LOG_ACCESS);
  const state = stateOf(found);
  if (state === 'done' || state === 'cancel') throw new Refusal('No finished product move found for this MO');
  return halfCommit(book, found, (order) => {
    order.finished.done = roundQty(finished);
    const end = params.date_end_actual;
    if (end && !/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/.test(str(end))) {
      throw new Refusal(`time data '${str(end)}' does not match format '%Y-%m-%d %H:%M:%S'`);
    }
    // A wizard instead of "done" is taken for success: the false success (exchanges 171, 177, 183).
    book.closings.markDone(order);
    return {
      status: 'success',
      message: 'Manufacturing order marked as done',
      mo_id: order.name,
      auto_consumed: 0,
      materials: [],
    };
  });
}

function cancel(book: OrderBook, params: Params, user: SimulatedUser): Params {
  const found = existing(book, params, user);
  if (user.role === 'operator') throw new Refusal(NO_LOG_ACCESS);
  const state = stateOf(found);
  if (state === 'done') throw new Refusal(`Cannot cancel MO "${found.name}" in state "done"`);
  const message = `Manufacturing order ${state === 'cancel' ? 'already cancelled' : 'cancelled successfully'}`;
  if (state !== 'cancel') book.change(found, (order) => book.cancel(order));
  return { status: 'success', message, mo_id: found.name, mo_state: 'cancel' };
}

/** The checks of material-consumption. Recorded: 214, 215, 224; the other wordings are ours. */
function validConsumption(
  book: OrderBook,
  params: Params,
  user: SimulatedUser,
): { order: Order; move: Move; quantity: number } {
  const invalid = (why: string) => new Refusal(`Validation failed: ${why}`);
  if (!params.equipment_id) throw invalid('Equipment is required');
  if (!params.product_id && !params.product_tmpl_id) throw invalid('Product is required');
  if (!params.mo_id) throw invalid('Manufacturing Order is required');
  if (!params.timestamp) throw invalid('Timestamp is required');
  const quantity = toFloat(params.quantity);
  if (quantity === undefined) throw invalid('Quantity must be a number');
  if (quantity < 0) throw invalid('Quantity must be positive');
  const order = book.find(params.mo_id, user);
  if (!order) throw invalid(`Manufacturing Order "${str(params.mo_id)}" not found`);
  if (/(Z|[+-]\d\d:?\d\d)$/.test(str(params.timestamp).slice(10))) {
    throw new Refusal("Error: can't compare offset-naive and offset-aware datetimes");
  }
  const state = stateOf(order);
  if (state === 'done' || state === 'cancel') throw invalid(`MO "${order.name}" is in state "${state}"`);
  if (!book.equipment.find(str(params.equipment_id))) {
    throw invalid(`Equipment "${str(params.equipment_id)}" not found`);
  }
  const product = params.product_id ?? params.product_tmpl_id;
  const move = order.moves.find((candidate) => candidate.product.id === product);
  if (!move) throw invalid(`No raw material move for product ${str(product)} in MO "${order.name}"`);
  return { order, move, quantity };
}

/** It looks for the move of the product, whatever equipment is named. */
function materialConsumption(book: OrderBook, params: Params, user: SimulatedUser): Params {
  const { order: found, move: named, quantity } = validConsumption(book, params, user);
  const mode = params.update_mode === 'replace' ? 'replace' : 'add';
  return halfCommit(book, found, (order) => {
    const moves = order.moves.filter(({ id }) => id === named.id);
    const before = named.done;
    const left = named.plan - before;
    // Adding stops at the plan, but only once: with the plan reached it goes on (exchanges 226, 227).
    const applied = mode === 'add' && left > 0 ? Math.min(quantity, left) : quantity;
    setDone(moves, mode === 'add' ? before + applied : applied);
    if (user.role === 'operator') throw new Refusal(NO_LOG_ACCESS);
    return {
      status: 'success',
      message: `Material consumption ${mode === 'add' ? 'added' : 'replaced'} to MO moves`,
      mo_id: order.name,
      mo_state: stateOf(order),
      applied_qty: applied,
      move_ids: applied === 0 ? [] : moves.map((move) => move.id),
      update_mode: mode,
      can_update_again: true,
    };
  });
}

type Handler = (book: OrderBook, params: Params, user: SimulatedUser) => Params;

/** Routes that need a session. `reads`: they take nothing from a plain body, only from `params` (exchanges 053, 067). */
export const SCADA_ROUTES: Record<string, { reads?: true; handle: Handler }> = {
  '/api/scada/mo-list-confirmed': { reads: true, handle: listConfirmed },
  '/api/scada/mo-list-detailed': { reads: true, handle: listDetailed },
  '/api/scada/mo-detail': {
    reads: true,
    handle: showDetail,
  },
  '/api/scada/mo/update-with-consumptions': { handle: update },
  '/api/scada/mo/mark-done': { handle: markDone },
  '/api/scada/mo/cancel': { handle: cancel },
  '/api/scada/material-consumption': { handle: materialConsumption },
  '/api/scada/material-consumption/validate': {
    handle: (book, params, user) => {
      validConsumption(book, params, user);
      return { status: 'success', message: 'Validation passed', data: params };
    },
  },
};

/** Runs a handler; the addon turns every error into a business error. */
export function answerScada(handle: Handler, book: OrderBook, params: Params, user: SimulatedUser): Params {
  try {
    readable(user);
    return handle(book, params, user);
  } catch (error) {
    if (error instanceof Refusal || error instanceof OdooError) return refused(error);
    throw error;
  }
}

/** GET /api/scada/health and /version. */
export function publicAnswer(path: string, user: SimulatedUser | undefined, now: Date): Params {
  if (path.endsWith('/health')) {
    const timestamp = now.toISOString().replace('Z', '000');
    return { status: 'ok', message: 'SCADA Module is running', timestamp };
  }
  if (user?.role !== 'admin') return { status: 'error', message: NO_MODULE_ACCESS };
  return { status: 'success', version: '14.0.7.2.1', name: 'SCADA for Odoo' };
}
