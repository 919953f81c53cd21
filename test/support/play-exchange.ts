/**
 * Plays a recorded exchange to the package's own code: the client makes its own call of that route with the request's
 * values, gets the recorded answer, and what it concludes is returned.
 */
import type { Batch } from '../../nodes/lib/domain/batch';
import type { Conclusion } from '../../nodes/lib/domain/conclusion';
import { checkManual } from '../../nodes/odoo-push-consumption/manual-api';
import { DEFAULT_SILOS, SILO_TAGS, SiloMap, type SiloTag, type SiloWeights } from '../../nodes/lib/domain/silos';
import { sameForOdoo } from '../../nodes/lib/domain/weight';
import { AddonOrders } from '../../nodes/lib/odoo/addon/orders';
import { OdooClient } from '../../nodes/lib/odoo/addon/client';
import { OdooError } from '../../nodes/lib/domain/odoo-orders';
import { Delivery, DELIVERY_DEFAULTS } from '../../nodes/lib/push/delivery';
import type { OdooAddress } from '../../nodes/lib/odoo/addon/session';
import { type Exchange, type Params, pathOf, type RecordedState, startRecordedOdoo } from './recorded-odoo';

/** `not-sent`: the client never sends such a request; `not-called`: it never calls that route. */
export type Played = Exclude<Conclusion, 'undecided'> | 'ok' | 'not-sent' | 'not-called';

/** Everything that closes an order although it differs is off. */
const OPTIONS = { ...DELIVERY_DEFAULTS, closeWarning: false, closeStrict: false, minFinishedShare: null };

interface Play {
  exchange: Exchange;
  /** The values of the request; undefined when it is not one (wrong method, content type, JSON): it asks for nothing then. */
  values: Params | undefined;
  client: (login?: Params) => OdooClient;
}

type Route = (play: Play) => Promise<string>;

/** Keys that a client may leave out: it tells such things in its own way, or not at all. */
const OPTIONAL = ['equipment_id', 'date_end_actual', 'timestamp', 'message'];

const isObject = (value: unknown): value is Params =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The values of a request, with Python's bare NaN and Infinity as text. */
function valuesOf({ request: { method, headers, body } }: Exchange): Params | undefined {
  const [, type = ''] = Object.entries(headers).find(([name]) => name.toLowerCase() === 'content-type') ?? [];
  if (method !== 'POST' || !/^application\/json\b/i.test(type)) return undefined;
  try {
    const parsed: unknown = JSON.parse((body ?? '').replace(/(:\s*)(NaN|-?Infinity)\b/g, '$1"$2"'));
    const values = isObject(parsed) && 'params' in parsed ? parsed.params : parsed;
    return isObject(values) ? values : undefined;
  } catch {
    return undefined; // Malformed JSON is one of the things that are played.
  }
}

/** Whether the client's own call carried what the request says: every value to 0.01 kg, nothing dropped. */
function carries(posted: Params, values: Params): boolean {
  return Object.entries(values).every(([key, value]) => {
    const own = posted[key];
    if (typeof value === 'number' && typeof own === 'number') return sameForOdoo(value, own);
    return own === value || (own === undefined && OPTIONAL.includes(key)) || (key === 'timestamp' && own !== undefined);
  });
}

/** An open order that holds what the exchange left behind: what a client finds before it makes the call. */
function openOrder({ stateAfter }: Exchange, finished: number): RecordedState {
  const known = { product_qty: finished, consumption: 'flexible', raw_done: {}, ...stateAfter };
  return { ...known, state: 'to_close', qty_producing: finished, qty_produced: 0 };
}

/** kg by silo tag of what an exchange left in the stock moves. */
function weightsAfter({ stateAfter }: Exchange): SiloWeights {
  const byLabel = new Map(DEFAULT_SILOS.map(({ label, tag }) => [label, tag]));
  const known = Object.entries(stateAfter?.raw_done ?? {}).filter(([label]) => byLabel.has(label));
  return Object.fromEntries(known.map(([label, kg]) => [byLabel.get(label) as SiloTag, kg]));
}

/** A silo-map in which an engineer has entered these codes, whether Odoo knows them or not. */
function mapOf(codes: readonly string[]): SiloMap {
  const known = DEFAULT_SILOS.filter(({ code }) => codes.includes(code));
  const free = SILO_TAGS.filter((tag) => !known.some((silo) => silo.tag === tag));
  const others = codes.filter((code) => !known.some((silo) => silo.code === code));
  return new SiloMap([...known, ...others.map((code, index) => ({ tag: free[index] ?? '', code }))]);
}

const login: Route = async ({ values, client }) => {
  // An odoo-server that lacks one of them is "not configured", and never calls.
  if (values && !(values.db && values.login && values.password)) return 'not-sent';
  await client(values).confirmedOrders();
  return 'ok';
};

const update: Route = async ({ values = { mo_id: 'WH/MO/00001', silo101: 1 }, client }) => {
  const { mo_id, quantity, ...others } = values;
  const silos = mapOf(Object.keys(others).filter((key) => /^(silo|lq)/i.test(key)));
  const weights = Object.fromEntries(silos.enabled.map(({ tag, code }) => [`consumption_${tag}`, others[code]]));
  const finished = quantity === undefined ? {} : { actual_weight_quantity_finished_goods: quantity };
  const { request } = checkManual('process', { mo_id, batch_data: { ...weights, ...finished } });
  if (!request) return 'not-sent';
  const delivery = new Delivery(new AddonOrders(client()), silos, OPTIONS);
  const told = request.finished === undefined ? {} : { finished: request.finished };
  return (await delivery.deliver({ mo_id: request.mo_id, odoo_id: 1 }, request.consumption ?? {}, told)).conclusion;
};

const markDone: Route = async ({ exchange, values = { mo_id: 'WH/MO/00001', finished_qty: 1 }, client }) => {
  const { mo_id, finished_qty } = values;
  const { request } = checkManual('mark-done', { mo_id, finished_qty });
  if (!request) return 'not-sent';
  const batch = {
    mo_id: request.mo_id,
    odoo_id: 1,
    actual_weight_quantity_finished_goods: request.finished ?? null,
  } as Batch;
  return (
    await new Delivery(new AddonOrders(client()), new SiloMap(), OPTIONS).finish(
      batch,
      weightsAfter(exchange),
      true,
      false,
    )
  ).conclusion;
};

/** The client sets to 0 this way, and nothing else. */
const setToZero: Route = async ({ values = {}, client }) => {
  const { mo_id, equipment_id, product_id, quantity, update_mode } = values;
  if (quantity !== 0 || update_mode !== 'replace' || typeof product_id !== 'number') return 'not-sent';
  return (await client().setToZero(String(mo_id), String(equipment_id), product_id)).conclusion;
};

const callKw: Route = async ({ values = {}, client }) => {
  const call = `${String(values.model)}.${String(values.method)}`;
  const { context } = (values.kwargs ?? {}) as { context?: { skip_consumption?: boolean; skip_backorder?: boolean } };
  if (call === 'stock.move.search_read') await client().moves([1], []);
  else if (call === 'mrp.production.search_read') await client().productions({ names: ['WH/MO/00001'] });
  else if (call !== 'mrp.production.button_mark_done' || !context?.skip_consumption || !context.skip_backorder)
    return 'not-sent';
  else return (await client().closeDespiteDifference(1)).conclusion;
  return 'ok';
};

const ROUTES: Record<string, { play: Route; reads?: boolean }> = {
  '/api/scada/authenticate': { play: login },
  '/web/session/authenticate': { play: login },
  '/api/scada/mo-list-detailed': {
    play: async ({ client }) => {
      await client().confirmedOrders();
      return 'ok';
    },
    reads: true,
  },
  '/api/scada/mo-detail': {
    play: async ({ values = { mo_id: 'WH/MO/00001' }, client }) => {
      const { mo_id } = values;
      if (!mo_id || (typeof mo_id !== 'string' && typeof mo_id !== 'number')) return 'not-sent';
      return (await client().order(Number(mo_id) || 1)) ? 'ok' : 'unknown-order';
    },
    reads: true,
  },
  // "Test connection" asks for both.
  '/api/scada/version': {
    play: async ({ client }) => ((await client().addonVersion()) ? 'ok' : 'not-permitted'),
    reads: true,
  },
  '/web/session/get_session_info': {
    play: async ({ client }) => {
      await client().sessionInfo();
      return 'ok';
    },
    reads: true,
  },
  '/api/scada/mo/update-with-consumptions': { play: update },
  '/api/scada/mo/mark-done': { play: markDone },
  '/api/scada/material-consumption': { play: setToZero },
  '/web/dataset/call_kw': { play: callKw, reads: true },
};

/** What the package makes of one exchange. */
export async function playExchange(exchange: Exchange): Promise<Played> {
  const route = ROUTES[pathOf(exchange.request.path)];
  if (!route) return 'not-called';
  const values = valuesOf(exchange);
  const finished = typeof values?.finished_qty === 'number' ? values.finished_qty : 1;
  const odoo = await startRecordedOdoo(exchange, openOrder(exchange, finished), values?.method);
  const clients: OdooClient[] = [];
  const client = (account: Params = { db: 'odoo14', login: 'scada', password: 'scada' }): OdooClient => {
    const { db: database, login: user, password } = account;
    const opened = new OdooClient({ url: odoo.url, database, user, password, timeoutMs: 10_000 } as OdooAddress);
    clients.push(opened);
    return opened;
  };
  try {
    const conclusion = (await route.play({ exchange, values, client })) as Played;
    const posted = odoo.posted();
    if (conclusion === 'unavailable' && !posted) return conclusion;
    return posted && (route.reads || !values || carries(posted, values)) ? conclusion : 'not-sent';
  } catch (error) {
    if (error instanceof OdooError) return error.concluded.conclusion as Played;
    throw error;
  } finally {
    for (const { session } of clients) session.close();
    await odoo.close();
  }
}
