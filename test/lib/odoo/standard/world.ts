/** For tests of the package's own calls: a simulated standard Odoo, and the deliveries of a row into it. */
import type { TestContext } from 'node:test';
import {
  type NewStandardOrder,
  type StandardOdoo,
  type StandardOdooOptions,
  startStandardOdoo,
  type Version,
} from '../../../../examples/plant/odoo/standard/standard-odoo';
import type { Batch } from '../../../../nodes/lib/domain/batch';
import type { OrderKey } from '../../../../nodes/lib/domain/order';
import { SiloMap, type SiloWeights } from '../../../../nodes/lib/domain/silos';
import { StandardOrders } from '../../../../nodes/lib/odoo/standard/orders';
import { Delivery, DELIVERY_DEFAULTS, type DeliveryOptions } from '../../../../nodes/lib/push/delivery';
import type { Delivered } from '../../../../nodes/lib/push/outcome';

export interface World {
  odoo: StandardOdoo;
  orders: StandardOrders;
  /** The order, as a row knows it. */
  key: OrderKey;
  /** A running push. */
  push(weights: SiloWeights): Promise<Delivered>;
  /** The push of a completed row, and the closing of its order. */
  finish(weights: SiloWeights, finished: number, options?: Partial<DeliveryOptions>): Promise<Delivered>;
  /** As after a restart: nothing is known of any order. */
  restarted(): void;
}

export async function world(
  t: TestContext,
  version: Version,
  order: NewStandardOrder = {},
  options: Partial<StandardOdooOptions> = {},
): Promise<World> {
  const odoo = await startStandardOdoo({ ...options, version });
  const { id: odoo_id, name: mo_id } = odoo.createOrder({ line: 'PLC01', reserved: true, ...order });
  const { url, database } = odoo;
  const open = (): StandardOrders =>
    new StandardOrders({ url, database, user: 'bridge', secret: 'bridge', isKey: false, timeoutMs: 5000 });
  const at = { orders: open() };
  t.after(async () => {
    at.orders.close();
    await odoo.stop();
  });
  const key = { mo_id, odoo_id };
  const silos = new SiloMap();
  const delivery = (more: Partial<DeliveryOptions> = {}): Delivery =>
    new Delivery(at.orders, silos, { ...DELIVERY_DEFAULTS, ...more });
  return {
    odoo,
    get orders() {
      return at.orders;
    },
    key,
    push: (weights) => delivery().deliver(key, weights),
    finish: async (weights, finished, more) => {
      const told = await delivery(more).deliver(key, weights, { finished, readBack: true, final: true });
      if (told.conclusion !== 'confirmed' || told.done) return told;
      const batch = { ...key, actual_weight_quantity_finished_goods: finished } as Batch;
      return delivery(more).finish(batch, weights, true, false);
    },
    restarted: () => {
      at.orders.close();
      at.orders = open();
    },
  };
}
