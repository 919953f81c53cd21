/**
 * Fetches orders for the queue, and asks for the state of queued ones.
 */
import type { Order } from '../domain/batch';
import { type OrderDetail, type Production, toOrder } from '../domain/order';
import type { SiloMap } from '../domain/silos';
import type { OdooClient } from './client';
import type { CallOptions } from './session';

export type FetchedOrder = Order & { schedule_start: string; notes: string[] };

export interface Fetched {
  orders: FetchedOrder[];
  /** Orders that cannot be queued, and why. */
  refused: { mo_id: string; reason: string }[];
}

/** States in which a named order may still be weighed. */
const WEIGHABLE = ['confirmed', 'progress', 'to_close'];

/**
 * Every confirmed order of a line, by schedule then name, with the true plan per silo; or the one that is named, begun or
 * not. @param line equipment code; '': all lines. @throws OdooError, and Error when the named order cannot be weighed
 */
export async function fetchOrders(
  client: OdooClient,
  silos: SiloMap,
  { line = '', moId }: { line?: string; moId?: string },
  signal?: AbortSignal,
): Promise<Fetched> {
  const options = { ...(signal ? { signal } : {}) };
  const details = moId ? [await named(client, moId, options)] : await client.confirmedOrders(options);
  const ofLine = details
    .filter(({ equipment }) => moId || !line || (equipment && equipment.code === line))
    .sort((a, b) => compare(a.schedule_start || '', b.schedule_start || '') || compare(a.mo_id, b.mo_id));
  if (ofLine.length === 0) return { orders: [], refused: [] };
  const moves = await client.moves(
    ofLine.map(({ mo_id }) => mo_id),
    ofLine,
    options,
  );
  const fetched: Fetched = { orders: [], refused: [] };
  for (const detail of ofLine) {
    const { order, refused } = toOrder(detail, moves.get(detail.mo_id) ?? [], silos);
    if (order) fetched.orders.push(order);
    else fetched.refused.push({ mo_id: detail.mo_id, reason: refused });
  }
  return fetched;
}

async function named(client: OdooClient, moId: string, options: CallOptions): Promise<OrderDetail> {
  const detail = await client.order(moId, options);
  if (!detail) throw new Error(`Odoo does not know order ${moId}: check its spelling`);
  if (WEIGHABLE.includes(detail.state)) return detail;
  throw new Error(`Order ${moId} is "${detail.state}" in Odoo: only ${WEIGHABLE.join(', ')} orders can be queued`);
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
