/** The package's own calls against a simulated standard Odoo of each version: from the first push to the closed order. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VERSIONS } from '../../../../examples/plant/odoo/standard/standard-odoo';
import type { Batch } from '../../../../nodes/lib/domain/batch';
import { SiloMap } from '../../../../nodes/lib/domain/silos';
import { StandardOrders } from '../../../../nodes/lib/odoo/standard/orders';
import { Delivery, DELIVERY_DEFAULTS } from '../../../../nodes/lib/push/delivery';
import { standard } from '../../../examples/plant/standard/standard-client';

for (const version of VERSIONS)
  test(`${version}: figures that rise come out of their silos, a push is one call, a closing at most six`, async (t) => {
    const odoo = await standard(t, version);
    const { id: odoo_id, name: mo_id } = odoo.createOrder({ line: 'PLC01', reserved: true });
    const address = { url: odoo.url, database: odoo.database, user: 'bridge', secret: 'bridge' };
    const orders = new StandardOrders({ ...address, isKey: false, timeoutMs: 5000 });
    t.after(() => orders.close());
    const delivery = new Delivery(orders, new SiloMap(), DELIVERY_DEFAULTS);
    const key = { mo_id, odoo_id };
    await delivery.deliver(key, { silo_a: 200, silo_b: 100 }, {});
    const before = odoo.calls.length;
    assert.equal((await delivery.deliver(key, { silo_a: 400, silo_b: 200 }, {})).conclusion, 'confirmed');
    assert.equal(odoo.calls.length - before, 1);
    const weights = { silo_a: 800, silo_b: 370 };
    assert.equal((await delivery.deliver(key, weights, { finished: 2480 })).conclusion, 'confirmed');
    const open = odoo.calls.length;
    const batch = { ...key, actual_weight_quantity_finished_goods: 2480 } as Batch;
    assert.equal((await delivery.finish(batch, weights, true, false)).conclusion, 'confirmed');
    assert.ok(odoo.calls.length - open <= 6, `${odoo.calls.length - open} calls`);
    assert.deepEqual([odoo.order(odoo_id).state, odoo.order(odoo_id).finished], ['done', 2480]);
    assert.deepEqual(odoo.done(odoo_id), { silo101: 800, silo102: 370 });
    assert.deepEqual(odoo.takenFrom(odoo_id), { 'WH/Stock/SILO101': 800, 'WH/Stock/SILO102': 370 });
  });
