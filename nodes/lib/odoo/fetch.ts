/**
 * Fetches orders for the queue, and asks for the state of queued ones.
 */
import type { Order } from '../domain/batch';
import { type OrderDetail, type OrderMove, type Production, toOrder } from '../domain/order';
import type { SiloMap } from '../domain/silos';
import type { OdooClient } from './client';
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
  const named = moIds.length > 0;
  const details = named ? await namedOrders(client, moIds, fetched, options) : await client.confirmedOrders(options);
  const ofLine = details
    .filter(({ equipment }) => named || !line || (equipment && equipment.code === line))
    .sort((a, b) => compare(a.schedule_start || '', b.schedule_start || '') || compare(a.mo_id, b.mo_id));
  if (ofLine.length === 0) return fetched;
  const moves = new Map<string, OrderMove[]>();
  for (let first = 0; first < ofLine.length; first += CHUNK) {
    const chunk = ofLine.slice(first, first + CHUNK);
    const names = chunk.map(({ mo_id }) => mo_id);
    for (const [moId, list] of await client.moves(names, chunk, options)) moves.set(moId, list);
  }
  for (const detail of ofLine) {
    const { order, refused } = toOrder(detail, moves.get(detail.mo_id) ?? [], silos);
    if (order) fetched.orders.push(order);
    else fetched.refused.push({ mo_id: detail.mo_id, reason: refused });
  }
  return fetched;
}

async function namedOrders(
  client: OdooClient,
  moIds: readonly string[],
  { refused }: Fetched,
  options: CallOptions,
): Promise<OrderDetail[]> {
  const details: OrderDetail[] = [];
  for (const mo_id of moIds) {
    const detail = await client.order(mo_id, options);
    if (!detail) refused.push({ mo_id, reason: `Odoo does not know order ${mo_id}: check its spelling` });
    else if (WEIGHABLE.includes(detail.state)) details.push(detail);
    else {
      const reason = `order ${mo_id} is "${detail.state}" in Odoo: only ${WEIGHABLE.join(', ')} orders can be queued`;
      refused.push({ mo_id, reason });
    }
  }
  if (details.length === 0) throw new Error(refused.map(({ reason }) => reason).join('; '));
  return details;
}

export interface CheckedOrder {
  mo_id: string;
  /** State in Odoo; 'unknown' when Odoo does not know the order. */
  state: Production['state'] | 'unknown';
  /** No longer to be weighed: why. */
  reason?: string;
}

/** The state of given orders in Odoo. @throws OdooError */
export async function checkOrders(
  client: OdooClient,
  moIds: readonly string[],
  signal?: AbortSignal,
): Promise<{ open: CheckedOrder[]; closed: (CheckedOrder & { reason: string })[] }> {
  if (moIds.length === 0) return { open: [], closed: [] };
  const productions = await client.productions(moIds, signal ? { signal } : {});
  const checked = moIds.map((mo_id): CheckedOrder => ({ mo_id, state: productions.get(mo_id)?.state ?? 'unknown' }));
  const closed = checked.filter(({ state }) => !WEIGHABLE.includes(state));
  return {
    open: checked.filter(({ state }) => WEIGHABLE.includes(state)),
    closed: closed.map((order) => ({ ...order, reason: `order is "${order.state}" in Odoo, and was never weighed` })),
  };
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
