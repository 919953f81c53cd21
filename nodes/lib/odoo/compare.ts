/**
 * Compares rows of the queue or the history with what Odoo holds of their orders.
 */
import { identify, nameInOdoo } from '../domain/order';
import { type ComparedRow, type Discrepancy, reconcile } from '../domain/reconciliation';
import type { SiloMap } from '../domain/silos';
import type { OdooOrders } from '../domain/odoo-orders';
import { CHUNK } from './search';

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
  odoo: OdooOrders,
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
  for (let first = 0; first < latest.length; first += CHUNK) {
    const chunk = latest.slice(first, first + CHUNK);
    const ids = chunk.flatMap(({ odoo_id }) => odoo_id ?? []);
    const found = await odoo.states({ ids, names: chunk.map(nameInOdoo) }, options);
    const pairs = chunk.map((row) => ({ row, ...identify(row, found) }));
    const known = pairs.flatMap(({ production }) => production?.id ?? []);
    const moves = await odoo.moves(known, options);
    for (const { row, production, reason } of pairs) {
      const found = reconcile(row, production, moves.get(production?.id ?? 0) ?? [], silos);
      discrepancies.push(...found.map((one) => (reason ? { ...one, reason } : one)));
    }
  }
  return { orders: latest.length, discrepancies };
}
