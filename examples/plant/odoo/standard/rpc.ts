/** Calls of models' methods: what `execute_kw`, `call_kw` and /json/2 share. */
import { checkNames, matches, picked, sorted, valueError } from '../domain';
import type { Row } from '../domain';
import { isObject, repr, str } from '../python';
import type { Params } from '../python';
import { OdooError } from '../records';
import type { User } from './access';
import { WIZARDS, cancel, confirmed, markDone } from './closing';
import { fillPlan, reserve, unreserve } from './figures';
import { recordsOf, rowsOf, typeOf } from './models';
import type { OrderBook } from './orders';
import type { Order } from './records';
import { Writing, noRecord } from './write';

/** One call of a model's method, as the client asked for it. */
export interface ModelCall {
  model: string;
  method: string;
  args: unknown[];
  kwargs: Params;
}

const RESTRICTED = /^(mrp\.|stock\.(move|picking|quant))/;
const NO_RIGHT =
  "You are not allowed to access 'Production Order' (mrp.production) records.\n\nThis operation is allowed for the following groups:\n\t- Manufacturing/Administrator\n\t- Manufacturing/User\n\t- Inventory/User\n\nContact your administrator to request access if necessary.";

const idsOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : [value]);
const sees = ({ companies }: User, { company }: Order): boolean => companies?.includes(company.name) ?? true;

/** The orders that a call would change; none for a reading call. */
export function ordersWritten({ model, method, args }: ModelCall, book: OrderBook): Order[] {
  const ids = idsOf(args[0]);
  if (model === 'mrp.production' && (method === 'write' || method in ACTIONS))
    return ids.flatMap((id) => book.find(id) ?? []);
  if (method !== 'write') return [];
  if (model === 'stock.move') return [...new Set(ids.flatMap((id) => book.ownerOf(id) ?? []))];
  if (model !== 'stock.move.line') return [];
  return book.all().filter((order) => order.moves.some((move) => move.lines.some(({ id }) => ids.includes(id))));
}

type Action = (book: OrderBook, order: Order, flags: Params) => unknown;

/** Methods of mrp.production that change an order. */
const ACTIONS: Record<string, Action> = {
  button_mark_done: markDone,
  action_cancel: cancel,
  action_assign: (book, order) => {
    book.touch(order).moves.forEach((move) => reserve(book, move));
    return true;
  },
  do_unreserve: (book, order) => {
    book.touch(order).moves.forEach((move) => unreserve(book, move));
    return book.generation.unreserveAnswers;
  },
};

/** An operator starts a work order; from 15 on the plan is filled in as consumed. */
export function startWorkOrder(book: OrderBook, id: unknown): unknown {
  const order = book.all().find(({ workOrders }) => workOrders.some((work) => work.id === id));
  if (!order) throw noRecord('mrp.workorder', id, 0);
  book.touch(order);
  for (const work of order.workOrders) if (work.id === id) work.state = 'progress';
  if (book.generation.workOrderStart === 'plan') fillPlan(book, order, order.quantity);
  return book.generation.startAnswers;
}

function write(call: ModelCall, book: OrderBook, user: User): true {
  const values = call.args[1] ?? call.kwargs.vals;
  if (!isObject(values)) throw valueError(`Invalid values ${repr(values)}`);
  const writing = new Writing(book, user.uid);
  for (const id of idsOf(call.args[0])) {
    const [order] = ordersWritten({ ...call, args: [id] }, book);
    if (!order) throw noRecord(call.model, id, user.uid);
    allow(user, order);
    const moves = [...order.moves, ...order.finished];
    const move = moves.find((known) => known.id === id || known.lines.some((line) => line.id === id));
    if (call.model === 'mrp.production') writing.order(order, values);
    else if (call.model === 'stock.move' && move) writing.move(move, order, values);
    else if (move) writing.lineValues(move, id, (book.touch(order), values));
  }
  return true;
}

function allow(user: User, order: Order): void {
  if (sees(user, order)) return;
  const text = `Sorry, ${user.login} (id=${user.uid}) doesn't have 'write' access to:\n- Production Order (mrp.production)\n\nBlame the following rules:\n- Production multi-company`;
  throw new OdooError(text, 'odoo.exceptions.AccessError');
}

function act(call: ModelCall, book: OrderBook, user: User): unknown {
  const flags = isObject(call.kwargs.context) ? call.kwargs.context : {};
  let result: unknown = true;
  for (const id of idsOf(call.args[0])) {
    const order = book.find(id);
    if (!order) throw noRecord(call.model, id, user.uid);
    allow(user, order);
    result = ACTIONS[call.method]?.(book, order, flags);
    if (result !== true) break;
  }
  return result;
}

function create(call: ModelCall, book: OrderBook): unknown {
  const [values = call.kwargs.vals_list] = call.args;
  const all = Array.isArray(values) ? (values as unknown[]) : [values];
  const ids = all.map((vals) => {
    if (!isObject(vals)) throw valueError(`Invalid values ${repr(vals)}`);
    if (call.model in WIZARDS) return 1;
    const product = book.warehouse.products.all().find(({ id }) => id === vals.product_id);
    if (!product) throw noRecord('product.product', vals.product_id, 0);
    if (book.warehouse.lots.find(str(vals.name))) {
      const text = `The combination of serial number and product must be unique across a company. ${str(vals.name)}`;
      throw new OdooError(text, 'odoo.exceptions.ValidationError');
    }
    return book.warehouse.lot(str(vals.name), product).id;
  });
  return Array.isArray(values) ? ids : ids[0];
}

/** The orders that a term which must hold names: an index, so that a search stays quick among thousands of orders. */
function candidates(domain: unknown[], model: string, book: OrderBook, orders: () => Order[]): Order[] {
  const names = model === 'mrp.production' ? /^id$/ : /^(move_id\.)?raw_material_production_id(\.id)?$/;
  const leaves = domain.every(Array.isArray) ? (domain as unknown[][]) : [];
  const leaf = leaves.find(([path, operator]) => names.test(str(path)) && (operator === '=' || operator === 'in'));
  const own =
    model === 'stock.move' ? leaves.find(([path, operator]) => path === 'id' && operator === 'in') : undefined;
  const wanted = idsOf((leaf ?? own)?.[2]);
  if (leaf) return orders().filter(({ id }) => wanted.includes(id));
  return own ? orders().filter((order) => wanted.some((id) => book.ownerOf(id) === order)) : orders();
}

function search(call: ModelCall, book: OrderBook, orders: () => Order[]): unknown {
  const { model, method, args, kwargs } = call;
  // search(domain, offset, limit, order) but search_read(domain, fields, offset, limit, order)
  const [domain = kwargs.domain ?? [], ...positional] = args;
  const fields = method === 'search_read' ? (positional.shift() ?? kwargs.fields) : undefined;
  const [offset = kwargs.offset ?? 0, limit = kwargs.limit, order = kwargs.order] = positional;
  if (!Array.isArray(domain)) throw valueError(`Invalid domain ${repr(domain)}`);
  const records = recordsOf(book, orders);
  checkNames(model, domain, fields, records);
  const rows = rowsOf(model, book, candidates(domain, model, book, orders)) ?? [];
  const found = rows.filter((row) => matches(row, domain, model, records));
  if (method === 'search_count') return found.length;
  const start = Number(offset);
  const cut = sorted(found, order, model, records).slice(start, limit ? start + Number(limit) : undefined);
  return method === 'search' ? cut.map(({ id }) => id) : picked(cut, fields, model);
}

function fieldsGet({ model, args, kwargs }: ModelCall, book: OrderBook): unknown {
  const wanted = (args[0] ?? kwargs.allfields) as string[] | undefined;
  const known = recordsOf(book, () => book.all()).fieldsOf(model);
  const names = wanted?.length ? known.filter((name) => wanted.includes(name)) : known;
  return Object.fromEntries(names.map((name) => [name, { type: typeOf(name) }]));
}

/** Rows that belong to no order: the user, and his keys where they expire. */
function ownRows(model: string, user: User): Row[] | undefined {
  if (model === 'res.users')
    return [
      { id: user.uid, name: user.login, login: user.login, lang: user.lang ?? 'en_US', company_id: [1, 'My Company'] },
    ];
  if (model !== 'res.users.apikeys') return undefined;
  return (user.keys ?? []).map(({ name, expires }, index) => ({
    id: index + 1,
    name,
    user_id: [user.uid, user.login],
    expiration_date: expires ?? false,
  }));
}

/**
 * Runs a call.
 * @throws OdooError: answered as the call's error, nothing written.
 */
export function callModel(call: ModelCall, book: OrderBook, user: User): unknown {
  const { model, method, args, kwargs } = call;
  const orders = (): Order[] => book.all().filter((order) => sees(user, order));
  const own = ownRows(model, user);
  if (own && ['read', 'search_read'].includes(method)) return picked(own, args[1] ?? kwargs.fields, model);
  if (!own && !(model in WIZARDS) && !rowsOf(model, book, [])) throw new OdooError(`Object ${model} doesn't exist`);
  if (method === 'check_access_rights' || method === 'has_access') return user.role !== 'none';
  if (user.role === 'none' && RESTRICTED.test(model)) throw new OdooError(NO_RIGHT, 'odoo.exceptions.AccessError');
  if (method === 'fields_get') return fieldsGet(call, book);
  if (['search', 'search_read', 'search_count'].includes(method)) return search(call, book, orders);
  if (method === 'read') {
    const ids = idsOf(args[0]);
    const found = (rowsOf(model, book, orders()) ?? []).filter(({ id }) => ids.includes(id));
    const lost = ids.find((id) => !found.some((row) => row.id === id));
    if (lost !== undefined) throw noRecord(model, lost, user.uid);
    return picked(found, args[1] ?? kwargs.fields, model);
  }
  return book.transaction(() => {
    if (method === 'write' && /^(mrp\.production|stock\.move(\.line)?)$/.test(model)) return write(call, book, user);
    if (method === 'create' && (model === book.generation.lotModel || model in WIZARDS)) return create(call, book);
    if (model === 'mrp.production' && method in ACTIONS) return act(call, book, user);
    if (model === 'mrp.workorder' && method === 'button_start') return startWorkOrder(book, idsOf(args[0])[0]);
    if (WIZARDS[model]?.includes(method))
      return confirmed(book, model, method, isObject(kwargs.context) ? kwargs.context : {});
    throw new OdooError(`The method '${model}.${method}' does not exist`, 'builtins.AttributeError');
  });
}
