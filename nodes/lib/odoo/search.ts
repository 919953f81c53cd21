/** How both interfaces ask for many orders. */

/** Orders that are read in one call, with their moves: thousands at once could outlast its time limit. */
export const CHUNK = 100;

/**
 * Odoo's domain for the orders with these ids, and every one that has one of these names: several where the user sees the
 * orders of several companies. undefined: nothing is asked.
 */
export function namedOrders(ids: readonly number[] = [], names: readonly string[] = []): unknown[] | undefined {
  const byId = ids.length > 0 ? [['id', 'in', ids]] : [];
  const byName = names.length > 0 ? [['name', 'in', names]] : [];
  const domain = [...byId, ...byName];
  if (domain.length === 0) return undefined;
  return domain.length === 2 ? ['|', ...domain] : domain;
}
