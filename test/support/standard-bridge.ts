/** For tests of the package on a simulated standard Odoo: deliveries and closings as the push node makes them. */
import type { TestContext } from 'node:test';
import { startStandardOdoo, type StandardOdoo, type Version } from '../../examples/plant/odoo/standard/standard-odoo';
import type { OrderView } from '../../examples/plant/odoo/simulator';
import type { NewStandardOrder } from '../../examples/plant/odoo/standard/orders';
import type { StandardOdooOptions } from '../../examples/plant/odoo/standard/standard-odoo';
import type { Batch } from '../../nodes/lib/domain/batch';
import { DEFAULT_SILOS, SiloMap, type SiloWeights } from '../../nodes/lib/domain/silos';
import { StandardOrders } from '../../nodes/lib/odoo/standard/orders';
import { Delivery, type DeliverOptions, DELIVERY_DEFAULTS, type DeliveryOptions } from '../../nodes/lib/push/delivery';
import type { Delivered } from '../../nodes/lib/push/outcome';

const tagOf = (code: string): string => DEFAULT_SILOS.find((silo) => silo.code === code)?.tag ?? '';

export interface Bridge {
  odoo: StandardOdoo;
  orders: StandardOrders;
  silos: SiloMap;
  /** An order as a person in Odoo confirms it, reserved. */
  order: (order?: NewStandardOrder) => OrderView;
  push: (order: OrderView, weights: SiloWeights, how?: DeliverOptions) => Promise<Delivered>;
  /** Final values, and the order marked done. @param known the values were confirmed by a push before */
  close: (
    order: OrderView,
    weights: SiloWeights,
    finished?: number,
    how?: { known?: boolean; anyway?: boolean },
  ) => Promise<Delivered>;
}

/** Ends with its test. */
export async function bridgeTo(
  t: TestContext,
  version: Version,
  { isKey = false, ...options }: Partial<StandardOdooOptions> & Partial<DeliveryOptions> & { isKey?: boolean } = {},
): Promise<Bridge> {
  const odoo = await startStandardOdoo({ ...options, version });
  const { url, database } = odoo;
  const secret = isKey ? 'bridge-key' : 'bridge';
  const orders = new StandardOrders({ url, database, user: 'bridge', secret, isKey, timeoutMs: 10_000 });
  t.after(async () => {
    orders.close();
    await odoo.stop();
  });
  const silos = new SiloMap(DEFAULT_SILOS);
  const delivery = (): Delivery => new Delivery(orders, silos, { ...DELIVERY_DEFAULTS, ...options });
  const key = ({ id, name }: OrderView): { mo_id: string; odoo_id: number } => ({ mo_id: name, odoo_id: id });
  return {
    ...{ odoo, orders, silos },
    order: (order = {}) => odoo.createOrder({ reserved: true, ...order }),
    push: (order, weights, how = {}) => delivery().deliver(key(order), weights, how),
    close: (order, weights, finished, { known = false, anyway = false } = {}) => {
      const plans = order.moves.map(({ code, plan }) => [`consumption_${tagOf(code ?? '')}`, plan]);
      const row = {
        ...Object.fromEntries(plans),
        ...key(order),
        actual_weight_quantity_finished_goods: finished ?? null,
      } as Batch;
      return delivery().finish(row, weights, known, anyway);
    },
  };
}
