/** Orders with their true plans, as Odoo has them now. */
import type { Calling, FoundOrder, OdooOrders } from '../domain/odoo-orders';
import type { Order, Production } from '../domain/order';
import { toOrder } from '../domain/planned-order';
import { samePlan } from '../domain/plan';
import type { ComparedRow } from '../domain/reconciliation';
import type { SiloMap } from '../domain/silos';

export type FetchedOrder = Order & { schedule_start: string; notes: string[] };

export interface Fetched {
  orders: FetchedOrder[];
  /** Orders that cannot be queued, and why. */
  refused: { mo_id: string; reason: string }[];
}

const unitOf = ({ production: { product_uom_id } }: FoundOrder): number => (product_uom_id ? product_uom_id[0] : 0);

/** What can be queued of what was found, and why the rest cannot. @throws OdooError */
export async function plansOf(
  odoo: OdooOrders,
  silos: SiloMap,
  found: readonly FoundOrder[],
  call: Calling,
): Promise<Fetched> {
  const plans: Fetched = { orders: [], refused: [] };
  const weighed = found.flatMap(({ moves }) => moves).filter(({ code }) => silos.byCode(code));
  const wanted = new Set([...found.map(unitOf), ...weighed.map(({ uom_id }) => uom_id)]);
  const units = await odoo.units(
    [...wanted].filter((id) => id > 0),
    call,
  );
  for (const one of found) {
    const { listed, production, moves, byproducts } = one;
    const { order, refused } = toOrder(listed, moves, silos, { unit: unitOf(one), units, byproducts });
    if (order) plans.orders.push({ ...order, odoo_id: production.id });
    else plans.refused.push({ mo_id: listed.mo_id, reason: refused });
  }
  return plans;
}

/** A row that was queued with its plan, and that nothing was weighed for. */
const isPlanned = ({ revision, consumption }: ComparedRow): boolean => revision === 0 && consumption != null;

/**
 * What Odoo plans by now for orders that nothing was weighed for, as far as it is another plan than the row's; and those
 * whose plan cannot be queued any more. One call for all. @throws OdooError
 */
export async function changedPlans(
  odoo: OdooOrders,
  silos: SiloMap,
  open: readonly { row: ComparedRow; production: Production }[],
  call: Calling,
): Promise<Fetched> {
  const planned = open.filter(({ row }) => isPlanned(row));
  if (planned.length === 0) return { orders: [], refused: [] };
  const found = await odoo.orders({ productions: planned.map(({ production }) => production) }, call);
  const rows = new Map(planned.map(({ row, production }) => [production.id, row as ComparedRow & Order]));
  const { orders, refused } = await plansOf(odoo, silos, found, call);
  // By its id: an order may have another name in Odoo by now.
  const named = (id: number | null | undefined): (ComparedRow & Order) | undefined => rows.get(id ?? 0);
  return {
    orders: orders.flatMap((order) => {
      const row = named(order.odoo_id);
      return !row || samePlan(row, order) ? [] : [{ ...order, mo_id: row.mo_id }];
    }),
    refused: refused.map(({ mo_id, reason }) => {
      const { production } = found.find(({ listed }) => listed.mo_id === mo_id)!;
      return { mo_id: named(production.id)?.mo_id ?? mo_id, reason };
    }),
  };
}
