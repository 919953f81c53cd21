/** The standard calls on Odoo's models: `/web/dataset/call_kw` and `/jsonrpc` share them. */
import { NO_ORDER_ACCESS } from './catalogue';
import type { SimulatedUser } from './catalogue';
import { checkNames, matches, picked, sorted, valueError } from './domain';
import type { Records } from './domain';
import { fieldsOf, isModel, movesToWrite, related, rowsOf } from './models';
import type { OrderBook } from './orders';
import { isObject, repr, str, toFloat } from './python';
import type { Params } from './python';
import { OdooError, enter, roundQty, unreserve } from './records';
import type { Move, Order } from './records';

/** Null counts as 0, as Odoo writes it. */
function floatOf(value: unknown): number {
  const number = value === null || value === false ? 0 : toFloat(value);
  if (number === undefined) throw valueError(`could not convert string to float: ${repr(value)}`);
  return number;
}

function writeMove(move: Move, values: Params): void {
  for (const [field, value] of Object.entries(values)) {
    const number = floatOf(value);
    if (number < 0) throw new OdooError('You can not enter negative quantities.', 'odoo.exceptions.ValidationError');
    if (field === 'quantity_done') enter(move, number);
    else if (field === 'product_uom_qty') move.plan = roundQty(number, move.uom.rounding);
    else throw valueError(`Invalid field ${repr(field)} on model 'stock.move'`);
  }
}

function writeOrder(order: Order, values: Params): void {
  for (const [field, value] of Object.entries(values)) {
    if (field === 'qty_producing') {
      order.producing = roundQty(floatOf(value), order.uom.rounding);
    } else if (field === 'move_raw_ids' && Array.isArray(value)) {
      for (const command of value as unknown[]) {
        const [verb, id, change] = Array.isArray(command) ? (command as unknown[]) : [];
        const move = order.moves.find((candidate) => candidate.id === id);
        if (verb !== 1 || !move || !isObject(change)) throw valueError(`Invalid command ${repr(command)}`);
        writeMove(move, change);
      }
    } else {
      throw valueError(`Invalid field ${repr(field)} on model 'mrp.production'`);
    }
  }
}

/** One call of a model's method, as the client asked for it. */
export interface ModelCall {
  model: string;
  method: string;
  args: unknown[];
  kwargs: Params;
}

const idsOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : [value]);

/** The orders that a call would change; none for a reading call. */
export function ordersWritten({ model, method, args }: ModelCall, book: OrderBook): Order[] {
  if (method !== 'write' && !(method in ACTIONS)) return [];
  const ids = idsOf(args[0]);
  return book
    .all()
    .filter((order) =>
      model === 'stock.move' ? movesToWrite(order).some(({ id }) => ids.includes(id)) : ids.includes(order.id),
    );
}

function write(call: ModelCall, book: OrderBook): true {
  const [ids, values] = [idsOf(call.args[0]), call.args[1] ?? call.kwargs.vals];
  if (!isObject(values)) throw valueError(`Invalid values ${repr(values)}`);
  const orders = ordersWritten(call, book);
  // All copies are changed before the first is committed: one bad value and nothing is written (exchange 277).
  const copies = orders.map((order) => structuredClone(order));
  for (const order of copies) {
    if (call.model === 'mrp.production') writeOrder(order, values);
    else
      movesToWrite(order)
        .filter(({ id }) => ids.includes(id))
        .forEach((move) => writeMove(move, values));
  }
  copies.forEach((order) => book.commit(order));
  return true;
}

/** Methods of mrp.production that change an order. */
const ACTIONS: Record<string, (order: Order, book: OrderBook, flags: Params) => unknown> = {
  button_mark_done: (order, book, flags) => book.closings.markDone(order, flags),
  action_cancel: (order, book) => {
    book.cancel(order);
    return true;
  },
  do_unreserve: (order) => {
    order.moves.forEach(unreserve);
    return true;
  },
};

function act(call: ModelCall, book: OrderBook): unknown {
  const flags = isObject(call.kwargs.context) ? call.kwargs.context : {};
  let result: unknown = true;
  for (const order of ordersWritten(call, book)) {
    result = book.change(order, (copy) => ACTIONS[call.method]?.(copy, book, flags));
    if (result !== true) break;
  }
  return result;
}

/** The orders named by a term that must hold: an index, so that a search stays quick among thousands of orders. */
function candidates(domain: unknown[], model: string, book: OrderBook, user: SimulatedUser): Order[] {
  const names = model === 'mrp.production' ? /^(id|name)$/ : /^(move_id\.)?raw_material_production_id(\.(id|name))?$/;
  const leaves = domain.every(Array.isArray) ? (domain as unknown[][]) : [];
  const leaf = leaves.find(([path, operator]) => names.test(str(path)) && (operator === '=' || operator === 'in'));
  if (!leaf) return book.all(user);
  const wanted: unknown[] = Array.isArray(leaf[2]) ? leaf[2] : [leaf[2]];
  return [
    ...new Set(
      wanted.flatMap((key) => (typeof key === 'string' ? book.named(key, user) : (book.find(key, user) ?? []))),
    ),
  ];
}

/** The addon's models as a user's search sees them. */
function recordsFor(book: OrderBook, user: SimulatedUser): Records {
  return {
    fieldsOf: (model) => fieldsOf(model, book),
    orderOf: (model) => (model === 'mrp.production' ? 'date_planned_start asc, id asc' : 'id asc'),
    related: (field, [id]) => {
      const found = related(field, id, book, user);
      return found && { model: found.model, rows: [found.row] };
    },
  };
}

/**
 * Runs a call of search, search_read, search_count, read, write, or one of the actions on orders.
 * @throws OdooError: answered as error.code 200, nothing written.
 */
export function callModel(call: ModelCall, book: OrderBook, user: SimulatedUser): unknown {
  const { model, method, args, kwargs } = call;
  if (!isModel(model)) throw new OdooError(model, 'builtins.KeyError');
  if (user.role === 'operatorOnly' || user.role === 'none') {
    throw new OdooError(NO_ORDER_ACCESS, 'odoo.exceptions.AccessError');
  }
  if (method === 'write' && (model === 'mrp.production' || model === 'stock.move')) return write(call, book);
  if (model === 'mrp.production' && method in ACTIONS) return act(call, book);
  if (method === 'read') {
    const ids = idsOf(args[0]);
    const found = rowsOf(model, book, book.all(user)).filter((row) => ids.includes(row.id));
    if (found.length < ids.length) {
      throw new OdooError('Record does not exist or has been deleted.', 'odoo.exceptions.MissingError');
    }
    return picked(found, args[1] ?? kwargs.fields, model);
  }
  if (!['search', 'search_read', 'search_count'].includes(method)) {
    throw new OdooError(`type object '${model}' has no attribute '${method}'`, 'builtins.AttributeError');
  }
  // search(domain, offset, limit, order) but search_read(domain, fields, offset, limit, order)
  const [domain = kwargs.domain ?? [], ...positional] = args;
  const fields = method === 'search_read' ? (positional.shift() ?? kwargs.fields) : undefined;
  const [offset = kwargs.offset ?? 0, limit = kwargs.limit, order = kwargs.order] = positional;
  if (!Array.isArray(domain)) throw valueError(`Invalid domain ${repr(domain)}`);
  const records = recordsFor(book, user);
  checkNames(model, domain, fields, records);
  const found = rowsOf(model, book, candidates(domain, model, book, user)).filter((row) =>
    matches(row, domain, model, records),
  );
  if (method === 'search_count') return found.length;
  const start = Number(offset);
  const cut = sorted(found, order, model, records).slice(start, limit ? start + Number(limit) : undefined);
  return method === 'search' ? cut.map((row) => row.id) : picked(cut, fields, model);
}
