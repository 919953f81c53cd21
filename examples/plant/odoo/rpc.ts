/** The standard calls on mrp.production and stock.move: `/web/dataset/call_kw` and `/jsonrpc` share them. */
import { NO_ORDER_ACCESS } from './catalogue';
import type { Named, SimulatedUser } from './catalogue';
import type { OrderBook } from './orders';
import { isObject, repr, str, toFloat } from './python';
import type { Params } from './python';
import { OdooError, roundQty, stateOf } from './records';
import type { Move, Order } from './records';

type Pair = [number, string] | false;
/** A record as `read` shows it, every field of it. */
type Row = Params & { id: number };

const pair = (item: Named | null): Pair => (item ? [item.id, item.name] : false);

function orderRow(order: Order): Row {
  const open = order.moves.filter((move) => move.state !== 'done' && move.state !== 'cancel');
  const assigned = open.length > 0 && open.every((move) => move.state === 'assigned');
  return {
    id: order.id,
    name: order.name,
    display_name: order.name,
    origin: order.reference,
    state: stateOf(order),
    product_id: pair(order.product),
    product_qty: order.quantity,
    qty_producing: order.producing,
    qty_produced: order.finished.done,
    product_uom_id: [3, 'kg'],
    date_planned_start: order.schedule,
    date_finished: order.dateFinished,
    bom_id: [order.bom.id, `${order.bom.code}: ${order.product.name}`],
    consumption: order.bom.policy,
    reservation_state: assigned ? 'assigned' : 'confirmed',
    move_raw_ids: order.moves.map((move) => move.id),
    scada_equipment_id: pair(order.line),
  };
}

function moveRow(move: Move, order: Order): Row {
  return {
    id: move.id,
    product_id: pair(move.product),
    product_uom: pair(move.uom),
    product_uom_qty: move.plan,
    quantity_done: move.done,
    reserved_availability: move.reserved,
    should_consume_qty: roundQty((move.plan * order.producing) / order.quantity),
    state: move.state,
    bom_line_id: [move.bomLineId, move.product.name],
    scada_equipment_id: pair(move.equipment),
    raw_material_production_id: pair(order),
  };
}

const valueError = (message: string): OdooError => new OdooError(message, 'builtins.ValueError');

function fieldOf(row: Row, field: string, model: string): unknown {
  if (!(field in row)) throw valueError(`Invalid field ${repr(field)} on model ${repr(model)}`);
  return row[field];
}

/** The values that a search compares with: of a many2one its id and its name, of `x.y` the field y of record x. */
function searched(row: Row, path: string, model: string, book: OrderBook): unknown[] {
  const [field = '', next] = path.split('.');
  const value = fieldOf(row, field, model);
  if (!Array.isArray(value)) return [value];
  if (next === undefined) return value;
  if (field === 'raw_material_production_id') {
    const order = book.find(value[0]);
    return order ? searched(orderRow(order), next, 'mrp.production', book) : [];
  }
  if (next === 'id') return [value[0]];
  if (next === 'name' || next === 'display_name') return [value[1]];
  throw valueError(`Invalid field ${repr(next)} in leaf ${repr(path)}`);
}

function holds(row: Row, leaf: unknown, model: string, book: OrderBook): boolean {
  if (!Array.isArray(leaf) || leaf.length !== 3) throw valueError(`Invalid leaf ${repr(leaf)}`);
  const [path, operator, wanted] = leaf as [unknown, unknown, unknown];
  const values = searched(row, str(path), model, book);
  const among = (list: unknown[]) => list.some((item) => values.includes(item));
  const compare = (test: (a: string | number, b: string | number) => boolean) =>
    values.some((value) => {
      const comparable = (typeof value === 'number' && typeof wanted === 'number') || typeof value === typeof wanted;
      return comparable && test(value as string | number, wanted as string | number);
    });
  switch (operator) {
    case '=':
      return among([wanted]);
    case '!=':
      return !among([wanted]);
    case 'in':
      return among(Array.isArray(wanted) ? wanted : [wanted]);
    case 'not in':
      return !among(Array.isArray(wanted) ? wanted : [wanted]);
    case '>':
      return compare((a, b) => a > b);
    case '>=':
      return compare((a, b) => a >= b);
    case '<':
      return compare((a, b) => a < b);
    case '<=':
      return compare((a, b) => a <= b);
    default:
      throw valueError(`Invalid operator ${repr(operator)} in leaf ${repr(leaf)}`);
  }
}

/** Evaluates a domain in Odoo's prefix notation; terms that no operator joins are joined by "and". */
function matches(row: Row, domain: unknown[], model: string, book: OrderBook): boolean {
  const rest = [...domain];
  const term = (): boolean => {
    const item = rest.shift();
    if (item === '!') return !term();
    if (item !== '&' && item !== '|') return holds(row, item, model, book);
    const [left, right] = [term(), term()];
    return item === '&' ? left && right : left || right;
  };
  let all = true;
  while (rest.length > 0) all = term() && all;
  return all;
}

/** The orders named by a term that must hold: an index, so that a search stays quick among thousands of orders. */
function candidates(domain: unknown[], model: string, book: OrderBook): Order[] {
  const names = model === 'mrp.production' ? /^(id|name)$/ : /^raw_material_production_id(\.(id|name))?$/;
  const leaves = domain.every(Array.isArray) ? (domain as unknown[][]) : [];
  const leaf = leaves.find(([path, operator]) => names.test(str(path)) && (operator === '=' || operator === 'in'));
  if (!leaf) return book.all();
  const wanted: unknown[] = Array.isArray(leaf[2]) ? leaf[2] : [leaf[2]];
  return [...new Set(wanted.map((key) => book.find(key)))].filter((order) => order !== undefined);
}

function sorted(rows: Row[], order: unknown, model: string): Row[] {
  const keys = str(order || 'id asc').split(',');
  const parsed = keys
    .map((key) => key.trim().split(/\s+/))
    .map(([field = 'id', way]) => ({ field, down: way === 'desc' }));
  return [...rows].sort((a, b) => {
    for (const { field, down } of parsed) {
      const [x, y] = [fieldOf(a, field, model), fieldOf(b, field, model)] as [string, string];
      if (x !== y) return x < y === down ? 1 : -1;
    }
    return 0;
  });
}

function picked(rows: Row[], fields: unknown, model: string): Params[] {
  if (!Array.isArray(fields) || fields.length === 0) return rows;
  return rows.map((row) => {
    const entries = fields.map((field: unknown) => [str(field), fieldOf(row, str(field), model)] as const);
    return { id: row.id, ...Object.fromEntries(entries) };
  });
}

function writeMove(move: Move, values: Params): void {
  for (const [field, value] of Object.entries(values)) {
    const number = toFloat(value);
    if (number === undefined) throw valueError(`could not convert string to float: ${repr(value)}`);
    if (number < 0) throw new OdooError('You can not enter negative quantities.', 'odoo.exceptions.ValidationError');
    if (field === 'quantity_done') move.done = roundQty(number);
    else if (field === 'product_uom_qty') move.plan = roundQty(number);
    else throw valueError(`Invalid field ${repr(field)} on model 'stock.move'`);
  }
}

function writeOrder(order: Order, values: Params): void {
  for (const [field, value] of Object.entries(values)) {
    if (field === 'qty_producing') {
      order.producing = roundQty(toFloat(value) ?? 0);
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
  if (!['write', 'button_mark_done', 'action_cancel'].includes(method)) return [];
  const ids = idsOf(args[0]);
  return book
    .all()
    .filter((order) =>
      model === 'stock.move' ? order.moves.some((move) => ids.includes(move.id)) : ids.includes(order.id),
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
    else order.moves.filter((move) => ids.includes(move.id)).forEach((move) => writeMove(move, values));
  }
  copies.forEach((order) => book.commit(order));
  return true;
}

function act(call: ModelCall, book: OrderBook): unknown {
  const flags = isObject(call.kwargs.context) ? call.kwargs.context : {};
  let result: unknown = true;
  for (const order of ordersWritten(call, book)) {
    result = book.change(order, (copy) => {
      if (call.method === 'button_mark_done') return book.closings.markDone(copy, flags);
      book.cancel(copy);
      return true;
    });
    if (result !== true) break;
  }
  return result;
}

/**
 * Runs a call of search, search_read, search_count, read, write, button_mark_done or action_cancel.
 * @throws OdooError: answered as error.code 200, nothing written.
 */
export function callModel(call: ModelCall, book: OrderBook, user: SimulatedUser): unknown {
  const { model, method, args, kwargs } = call;
  if (model !== 'mrp.production' && model !== 'stock.move') throw new OdooError(model, 'builtins.KeyError');
  if (user.role === 'operatorOnly' || user.role === 'none') {
    throw new OdooError(NO_ORDER_ACCESS, 'odoo.exceptions.AccessError');
  }
  if (method === 'write') return write(call, book);
  if (model === 'mrp.production' && (method === 'button_mark_done' || method === 'action_cancel'))
    return act(call, book);
  const rows = (orders = book.all()): Row[] =>
    model === 'mrp.production'
      ? orders.map(orderRow)
      : orders.flatMap((order) => order.moves.map((move) => moveRow(move, order)));
  if (method === 'read') {
    const ids = idsOf(args[0]);
    const found = rows().filter((row) => ids.includes(row.id));
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
  const found = rows(candidates(domain, model, book)).filter((row) => matches(row, domain, model, book));
  if (method === 'search_count') return found.length;
  const start = Number(offset);
  const cut = sorted(found, order, model).slice(start, limit ? start + Number(limit) : undefined);
  return method === 'search' ? cut.map((row) => row.id) : picked(cut, fields, model);
}
