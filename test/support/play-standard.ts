/**
 * Plays a recorded exchange with a standard Odoo to the package's own code: the package makes its own call of that model and
 * method, gets the recorded answer, and what it concludes is returned. How the request was worded does not matter.
 */
import { generation } from '../../examples/plant/odoo/standard/generations';
import type { Batch } from '../../nodes/lib/domain/batch';
import { OdooError } from '../../nodes/lib/domain/odoo-orders';
import { SILO_TAGS, SiloMap, type SiloWeights } from '../../nodes/lib/domain/silos';
import { readEnvelope, readOf } from '../../nodes/lib/odoo/answer';
import { StandardOrders } from '../../nodes/lib/odoo/standard/orders';
import { Delivery, DELIVERY_DEFAULTS, type DeliveryOptions } from '../../nodes/lib/push/delivery';
import {
  callIn,
  codeIn,
  type RecordedCall,
  type RecordedStandard,
  startRecordedStandard,
  versionOf,
} from './recorded-standard';
import type { Played } from './play-exchange';
import type { RecordedMove, StandardExchange, StandardState } from './standard-exchanges';

interface Play {
  call: RecordedCall;
  exchange: StandardExchange;
  orders: StandardOrders;
  odoo: RecordedStandard;
  before: StandardState;
  after: StandardState;
}

type Way = (play: Play) => Promise<Played>;

const KEY = { odoo_id: 1 };

/** What stands for the order of an exchange that was recorded without one. */
const SOME_ORDER: StandardState = {
  ...{ name: 'WH/MO/00001', state: 'progress', product_qty: 2500, qty_producing: 0, qty_produced: 0 },
  moves: [
    {
      ...{ id: 1, product: '[SILO101] Pollard Angsa', planned: 825, state: 'assigned' },
      ...{ quantity_done: 800, quantity: 800, picked: true },
    },
  ],
};

/** The order that an exchange left behind: of several the one that was called. */
function orderAfter({ stateAfter }: StandardExchange): StandardState | undefined {
  if (!stateAfter || Array.isArray(stateAfter)) return stateAfter?.[0];
  return 'state' in stateAfter ? (stateAfter as StandardState) : Object.values(stateAfter)[0];
}

const siloMap = ({ moves }: StandardState): SiloMap => {
  const codes = [...new Set(moves.map(({ product }) => codeIn(product)).filter(Boolean))];
  return new SiloMap(codes.map((code, index) => ({ tag: SILO_TAGS[index] ?? `silo_${index}`, code })));
};

/** kg by silo tag. @param figure of each move; undefined: its silo is not in the set */
function weights(state: StandardState, figure: (move: RecordedMove) => number | undefined): SiloWeights {
  const silos = siloMap(state);
  const sums: Record<string, number> = {};
  for (const move of state.moves) {
    const kg = figure(move);
    const tag = silos.enabled.find(({ code }) => code === codeIn(move.product))?.tag;
    if (tag && kg !== undefined) sums[tag] = (sums[tag] ?? 0) + kg;
  }
  return sums;
}

/** From 17 on a figure counts where it is picked. */
const consumed = ({ quantity, quantity_done, picked, state }: RecordedMove): number =>
  picked === false && state !== 'done' ? 0 : (quantity ?? quantity_done ?? 0);

/** What a write says of each move, where it is a figure that can be weighed. */
function written({ named }: RecordedCall): Map<unknown, number> {
  const commands = ((named.vals as { move_raw_ids?: unknown[] } | undefined)?.move_raw_ids ?? []) as [
    number,
    unknown,
    object,
  ][];
  const figures = commands.map(([, id, values]): [unknown, unknown] => {
    const { move_line_ids: lines = [], ...own } = values as { move_line_ids?: [number, number, object][] };
    const said = [own, ...lines.map(([, , line]) => line)] as { quantity?: unknown; quantity_done?: unknown }[];
    return [id, said.map((of) => of.quantity ?? of.quantity_done).find((value) => value !== undefined)];
  });
  return new Map(figures.filter((entry): entry is [unknown, number] => typeof entry[1] === 'number' && entry[1] >= 0));
}

const login: Way = async ({ orders, odoo }) => {
  odoo.arm();
  await orders.states({ ids: [1] });
  return 'ok';
};

const version: Way = async ({ orders, odoo }) => {
  odoo.arm();
  return ((await orders.rpc.version()).concluded?.conclusion as Played | undefined) ?? 'ok';
};

/** A read: it was answered, or what it means that it was not. One that asks for a name which nobody has tells just that. */
const read: Way = async ({ call: { name, named }, orders, odoo }) => {
  odoo.arm();
  const [, model = '', method = ''] = /^(.*)\.(\w+)$/.exec(name) ?? [];
  const found = await orders.reader.ask(model, method, named);
  const asksByName = JSON.stringify(named.domain ?? []).includes('["name","="');
  return name === 'mrp.production.search_read' && asksByName && (found as unknown[]).length === 0
    ? 'unknown-order'
    : 'ok';
};

/** A running push: the order is known, and its moves. */
const write: Way = async ({ call, orders, odoo, before }) => {
  const said = written(call);
  const told = weights(before, ({ id }) => said.get(id));
  const set = Object.keys(told).length > 0 ? told : weights(before, ({ planned }) => planned);
  const delivery = new Delivery(orders, siloMap(before), DELIVERY_DEFAULTS);
  const key = { ...KEY, mo_id: before.name };
  const pushed = await delivery.deliver(key, set);
  if (pushed.conclusion !== 'confirmed') throw new Error(`nothing was recorded yet, and it is ${pushed.conclusion}`);
  odoo.arm();
  const { qty_producing: finished } = (call.named.vals ?? {}) as { qty_producing?: number };
  return (await delivery.deliver(key, set, finished ? { finished } : {})).conclusion as Played;
};

/** As the request wants it: with the flags, or without. */
function closing({ context = {} }: { context?: Record<string, unknown> }): DeliveryOptions {
  const forced = Boolean(context.skip_consumption && context.skip_backorder);
  const how = { closeWarning: forced, closeStrict: forced, minFinishedShare: forced ? 0 : null };
  return { ...DELIVERY_DEFAULTS, ...how, bookUnweighed: false };
}

const markDone: Way = async ({ call, orders, odoo, before }) => {
  const delivery = new Delivery(orders, siloMap(before), closing(call.named));
  const row = { ...KEY, mo_id: before.name, actual_weight_quantity_finished_goods: before.qty_producing } as Batch;
  odoo.arm();
  return (await delivery.finish(row, weights(before, consumed), true, true)).conclusion as Played;
};

/** A lot is made for an order: it is there, or not. */
const create: Way = async ({ call: { name, named }, orders, odoo }) => {
  odoo.arm();
  const { concluded } = await orders.rpc.call(name.replace(/\.create$/, ''), 'create', named);
  return (concluded?.conclusion ?? 'ok') as Played;
};

const WAYS: Record<string, Way> = {
  'common.version': version,
  'common.login': login,
  'mrp.production.fields_get': read,
  'stock.move.fields_get': read,
  'mrp.production.search_read': read,
  'stock.move.search_read': read,
  'stock.move.line.search_read': read,
  'product.product.read': read,
  'uom.uom.search_read': read,
  'res.users.apikeys.search_read': read,
  'stock.lot.search_read': read,
  'stock.production.lot.search_read': read,
  'stock.lot.create': create,
  'stock.production.lot.create': create,
  'mrp.production.write': write,
  'mrp.production.button_mark_done': markDone,
};

/** The order as the exchange found it: open, and for a closing with all that the exchange left in it. */
function orderBefore(after: StandardState, closes: boolean, picked: boolean): StandardState {
  const nothing = after.moves.every((move) => consumed(move) === 0);
  const moves = after.moves.map((move) => {
    // A batch that weighed nothing is not closed: where nothing was taken, it had weighed its plan.
    const figure = closes ? (nothing ? move.planned : consumed(move)) : 0;
    const told = picked ? { quantity: figure, picked } : { quantity_done: figure };
    return { ...move, ...told, state: 'assigned' };
  });
  const { product_qty, qty_producing } = after;
  const producing = closes ? qty_producing || product_qty : 0;
  return { ...after, state: 'progress', qty_producing: producing, qty_produced: 0, moves };
}

/** What comes over the web session is read by the addon's login, call by call. */
function overTheWeb({ response: { status, body } }: StandardExchange): Played {
  if (status === null) return 'unknown-outcome';
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const { concluded } = readEnvelope({ kind: 'answer', status, body: text });
  return concluded ? (readOf(concluded).conclusion as Played) : 'ok';
}

/** What the package makes of one exchange. */
export async function playStandard(exchange: StandardExchange): Promise<Played> {
  const { path, body } = exchange.request;
  const called = callIn(path, body);
  // A request that names no call is refused before anything is looked at.
  const call = called ?? (path === '/jsonrpc' ? { name: 'common.version', named: {}, bare: false } : undefined);
  const way = call && WAYS[call.name];
  if (!call || !way) return 'not-called';
  if (path.startsWith('/web/')) return overTheWeb(exchange);
  const after = orderAfter(exchange) ?? SOME_ORDER;
  const { picked } = generation(versionOf(exchange));
  const before = orderBefore(after, call.name.endsWith('.button_mark_done'), picked);
  const flags = (call.named.context ?? {}) as Record<string, unknown>;
  const policy = flags.skip_consumption && flags.skip_backorder ? 'flexible' : 'warning';
  const odoo = await startRecordedStandard(exchange, { before, after: orderAfter(exchange) ?? before, policy });
  const account = { database: `odoo${versionOf(exchange)}`, user: 'bridge', secret: 'secret', isKey: call.bare };
  const orders = new StandardOrders({ url: odoo.url, ...account, timeoutMs: 10_000 });
  try {
    return await way({ call, exchange, orders, odoo, before, after });
  } catch (error) {
    if (error instanceof OdooError) return error.concluded.conclusion as Played;
    throw error;
  } finally {
    orders.close();
    await odoo.close();
  }
}
