/**
 * Stock moves of orders whose details nobody has read.
 */
import type { OrderMove } from '../../domain/order';
import type { OdooClient } from './client';
import type { OrderDetail } from './records';
import type { CallOptions } from './session';

/**
 * The moves of orders with their silos' codes, which only the details of orders tell: orders share their silos, so one
 * order is asked for each silo, and every order only where that was not enough.
 * @param details what was asked already; grows
 */
export async function movesWithCodes(
  client: OdooClient,
  ids: readonly number[],
  details: OrderDetail[],
  options: CallOptions,
): Promise<Map<number, OrderMove[]>> {
  if (ids.length === 0) return new Map();
  let moves = await client.moves(ids, details, options);
  for (const enough of ['one per silo', 'each'] as const) {
    const ask = new Map<number | string, number>();
    for (const [id, list] of moves) {
      const nameless = list.filter(({ code, equipment }) => equipment && !code);
      for (const { equipment } of nameless) ask.set(enough === 'each' ? id : equipment, id);
    }
    if (ask.size === 0) break;
    for (const id of new Set(ask.values())) {
      const detail = await client.order(id, options);
      if (detail) details.push(detail);
    }
    moves = await client.moves(ids, details, options);
  }
  return moves;
}
