/**
 * Compares rows of the queue or the history with what Odoo holds of their orders.
 */
import { identify, nameInOdoo, type OrderMove } from '../domain/order';
import { type ComparedRow, type Discrepancy, reconcile } from '../domain/reconciliation';
import type { SiloMap } from '../domain/silos';
import type { OdooClient } from './client';
import { CHUNK } from './fetch';
import type { OrderDetail } from './records';
import type { CallOptions } from './session';

export interface Compared {
  /** Orders that were compared. */
  orders: number;
  discrepancies: Discrepancy[];
}

/**
 * Of several rows of one order the last one counts, as the one that Odoo was told last.
 * @throws OdooError
 */
export async function compareWithOdoo(
  client: OdooClient,
  silos: SiloMap,
  rows: readonly ComparedRow[],
  signal?: AbortSignal,
): Promise<Compared> {
  const options = signal ? { signal } : {};
  const latest = [
    ...new Map(
      rows.filter(({ superseded, duplicate }) => !superseded && !duplicate).map((row) => [row.mo_id, row]),
    ).values(),
  ];
  const discrepancies: Discrepancy[] = [];
  const details: OrderDetail[] = [];
  for (let first = 0; first < latest.length; first += CHUNK) {
    const chunk = latest.slice(first, first + CHUNK);
    const ids = chunk.flatMap(({ odoo_id }) => odoo_id ?? []);
    const found = await client.productions({ ids, names: chunk.map(nameInOdoo) }, options);
    const pairs = chunk.map((row) => ({ row, ...identify(row, found) }));
    const known = pairs.flatMap(({ production }) => production?.id ?? []);
    const moves = await movesWithCodes(client, known, details, options);
    for (const { row, production, reason } of pairs) {
      const found = reconcile(row, production, moves.get(production?.id ?? 0) ?? [], silos);
      discrepancies.push(...found.map((one) => (reason ? { ...one, reason } : one)));
    }
  }
  return { orders: latest.length, discrepancies };
}

/**
 * The moves of orders with their silos' codes, which only the details of orders tell: orders share their silos, so one
 * order is asked for each silo, and every order only where that was not enough.
 * @param details what was asked already; grows
 */
async function movesWithCodes(
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
