/**
 * Fetches orders for the queue, and asks for the state of queued ones.
 */
import type { Order } from '../domain/batch';
import { identify, nameInOdoo, type OrderKey, type Production, toOrder } from '../domain/order';
import type { SiloMap } from '../domain/silos';
import type { OdooClient } from './client';
import type { OrderDetail } from './records';
import type { CallOptions } from './session';

export type FetchedOrder = Order & { schedule_start: string; notes: string[] };

export interface Fetched {
  orders: FetchedOrder[];
  /** Orders that cannot be queued, and why. */
  refused: { mo_id: string; reason: string }[];
}

/** Orders whose stock moves are read in one call: thousands at once could outlast its time limit. */
export const CHUNK = 100;

/** States in which a named order may still be weighed. */
const WEIGHABLE = ['confirmed', 'progress', 'to_close'];

/** An order with its id: the addon's details tell none. */
interface Found {
  detail: OrderDetail;
  production: Production;
}

/**
 * Every confirmed order of a line, by schedule then name, with the true plan per silo; or those that are named, begun or
 * not. @param line equipment code; '': all lines. @throws OdooError, and Error when none of the named can be weighed
 */
export async function fetchOrders(
  client: OdooClient,
  silos: SiloMap,
  { line = '', moIds = [] }: { line?: string; moIds?: readonly string[] },
  signal?: AbortSignal,
): Promise<Fetched> {
  const options = { ...(signal ? { signal } : {}) };
  const fetched: Fetched = { orders: [], refused: [] };
  const found =
    moIds.length > 0
      ? await namedOrders(client, moIds, fetched, options)
      : await confirmedOrders(client, line, fetched, options);
  found.sort(
    ({ detail: a }, { detail: b }) =>
      compare(a.schedule_start || '', b.schedule_start || '') || compare(a.mo_id, b.mo_id),
  );
  for (let first = 0; first < found.length; first += CHUNK) {
    const chunk = found.slice(first, first + CHUNK);
    const moves = await client.moves(
      chunk.map(({ production }) => production.id),
      chunk.map(({ detail }) => detail),
      options,
    );
    for (const { detail, production } of chunk) {
      const { order, refused } = toOrder(detail, moves.get(production.id) ?? [], silos);
      if (order) fetched.orders.push({ ...order, odoo_id: production.id });
      else fetched.refused.push({ mo_id: detail.mo_id, reason: refused });
    }
  }
  return fetched;
}

/** Orders by their name; those that share it with another are refused. */
async function byName(
  client: OdooClient,
  names: readonly string[],
  { refused }: Fetched,
  options: CallOptions,
): Promise<Map<string, Production>> {
  const productions = await client.productions({ names }, options);
  const only = new Map<string, Production>();
  for (const mo_id of names) {
    const { production, reason } = identify({ mo_id }, productions);
    if (production) only.set(mo_id, production);
    else if (reason) refused.push({ mo_id, reason });
  }
  return only;
}

async function confirmedOrders(
  client: OdooClient,
  line: string,
  fetched: Fetched,
  options: CallOptions,
): Promise<Found[]> {
  const details = (await client.confirmedOrders(options)).filter(
    ({ equipment }) => !line || (equipment && equipment.code === line),
  );
  if (details.length === 0) return [];
  const productions = await byName(client, [...new Set(details.map(({ mo_id }) => mo_id))], fetched, options);
  return details.flatMap((detail) => {
    const production = productions.get(detail.mo_id);
    // One that is gone since the list was made is no order any more.
    return production ? [{ detail, production }] : [];
  });
}

async function namedOrders(
  client: OdooClient,
  moIds: readonly string[],
  fetched: Fetched,
  options: CallOptions,
): Promise<Found[]> {
  const { refused } = fetched;
  const names = [...new Set(moIds)];
  const productions = await byName(client, names, fetched, options);
  const found: Found[] = [];
  for (const mo_id of names) {
    const production = productions.get(mo_id);
    if (production && !WEIGHABLE.includes(production.state)) {
      const reason = `order ${mo_id} is "${production.state}" in Odoo: only ${WEIGHABLE.join(', ')} orders can be queued`;
      refused.push({ mo_id, reason });
    } else if (production) {
      const detail = await client.order(production.id, options);
      if (detail?.mo_id === mo_id) found.push({ detail, production });
      else refused.push({ mo_id, reason: `order ${mo_id} has just got another name in Odoo: fetch it again` });
    } else if (!refused.some((other) => other.mo_id === mo_id)) {
      refused.push({ mo_id, reason: `Odoo does not know order ${mo_id}: check its spelling` });
    }
  }
  if (found.length === 0) throw new Error(refused.map(({ reason }) => reason).join('; '));
  return found;
}

export interface CheckedOrder {
  mo_id: string;
  /** State in Odoo; 'unknown' when Odoo does not know the order. */
  state: Production['state'] | 'unknown';
  /** Its id in Odoo, and its name there by now. */
  odoo_id?: number;
  odoo_name?: string;
  /** No longer to be weighed: why. */
  reason?: string;
}

/** The state of given orders in Odoo. @throws OdooError */
export async function checkOrders(
  client: OdooClient,
  orders: readonly OrderKey[],
  signal?: AbortSignal,
): Promise<{ open: CheckedOrder[]; closed: (CheckedOrder & { reason: string })[] }> {
  if (orders.length === 0) return { open: [], closed: [] };
  const ids = orders.flatMap(({ odoo_id }) => odoo_id ?? []);
  const found = await client.productions({ ids, names: orders.map(nameInOdoo) }, signal ? { signal } : {});
  const open: CheckedOrder[] = [];
  const closed: (CheckedOrder & { reason: string })[] = [];
  for (const key of orders) {
    const { production, reason } = identify(key, found);
    const state = production?.state ?? 'unknown';
    const order: CheckedOrder = {
      ...{ mo_id: key.mo_id, state },
      ...(production ? { odoo_id: production.id, odoo_name: production.name } : {}),
    };
    if (reason) closed.push({ ...order, reason });
    else if (WEIGHABLE.includes(state)) open.push(order);
    else closed.push({ ...order, reason: `order is "${state}" in Odoo, and was never weighed` });
  }
  return { open, closed };
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
