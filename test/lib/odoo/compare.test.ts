/** What was archived, against the simulated Odoo's own stock moves. */
import assert from 'node:assert/strict';
import { AddonOrders } from '../../../nodes/lib/odoo/addon/orders';
import { compareWithOdoo } from '../../../nodes/lib/odoo/compare';
import { OdooError } from '../../../nodes/lib/domain/odoo-orders';
import { Reports } from '../../../nodes/lib/store/reports';
import { plantTest, type PushPlant, silos } from '../../support/push-plant';

const DETAIL = '/api/scada/mo-detail';
const TWO_SILOS = [
  { code: 'silo101', product: 'Pollard', quantity: 100 },
  { code: 'silo102', product: 'Copra', quantity: 50 },
] as const;
const OTHER_SILO = [{ code: 'lq114', product: 'Molasses', quantity: 150 }] as const;
const recipe = (components: typeof TWO_SILOS | typeof OTHER_SILO) => ({ quantity: 150, bomQty: 150, components });

/** Runs orders from the queue into the history. */
async function archived(plant: PushPlant, ...orders: (typeof TWO_SILOS | typeof OTHER_SILO)[]): Promise<string[]> {
  const names = await plant.queue(...orders.map(recipe));
  for (const [n, name] of names.entries()) {
    const consumption = orders[n] === OTHER_SILO ? { lq_tetes: 149.5 } : { silo_a: 100.5, silo_b: 49 };
    await plant.read(name, consumption, { finished: 150, complete: true });
    await plant.push(name, { finish: true });
  }
  assert.deepEqual(await plant.archive(), names);
  return names;
}

const history = (plant: PushPlant) => new Reports(plant.db).archived({ from: null, to: null });
const compare = async (plant: PushPlant) => compareWithOdoo(new AddonOrders(plant.client), silos, await history(plant));

plantTest(
  'archived orders that Odoo holds as they are differ in nothing, and few details are asked for',
  async (plant) => {
    await archived(plant, TWO_SILOS, TWO_SILOS, OTHER_SILO, TWO_SILOS, OTHER_SILO);
    const before = plant.count(DETAIL);
    assert.deepEqual(await compare(plant), { orders: 5, discrepancies: [] });
    // One for each silo at most, and not one for each order.
    assert.ok(plant.count(DETAIL) - before <= 3, `${plant.count(DETAIL) - before} details`);
  },
);

plantTest('a stock move that was changed by hand after archiving is found and named', async (plant) => {
  const [, second = ''] = await archived(plant, TWO_SILOS, TWO_SILOS);
  plant.odoo.consumeByHand(second, 'silo102', 60);
  const { orders, discrepancies } = await compare(plant);
  assert.equal(orders, 2);
  assert.deepEqual(discrepancies, [
    {
      ...{ mo_id: second, batch_no: 2, finding: 'silo', silo: 'silo_b', component: 'Copra' },
      ...{ read: 49, odoo: 60, difference: 11, reason: 'silo_b (silo102): 49 kg here, 60 kg in Odoo' },
    },
  ]);
  // Else the plant's own promise would not hold.
  plant.odoo.consumeByHand(second, 'silo102', 49);
});

plantTest(
  'an order archived as cancelled, weighed and cancelled in Odoo, is named with what was weighed',
  async (plant) => {
    const [name = '', unweighed = ''] = await plant.queue(recipe(TWO_SILOS), recipe(TWO_SILOS));
    await plant.read(name, { silo_a: 30 });
    await plant.push(name);
    for (const each of [name, unweighed]) plant.odoo.cancel(each);
    const ids = [...(await plant.store.idsOf(name)), ...(await plant.store.idsOf(unweighed))];
    await plant.store.archive(ids, { status: 'cancelled', note: 'cancelled in Odoo' });
    const { orders, discrepancies } = await compare(plant);
    assert.equal(orders, 2);
    assert.deepEqual(
      discrepancies.map(({ mo_id, finding, silo, read, odoo }) => [mo_id, finding, silo, read, odoo]),
      [
        [name, 'cancelled', null, null, null],
        [name, 'silo', 'silo_a', 30, 0],
      ],
    );
  },
);

plantTest('an order that was queued again counts by its last row', async (plant) => {
  const [name = ''] = await plant.queue(recipe(TWO_SILOS));
  await plant.read(name, { silo_a: 30 });
  await plant.store.archive(await plant.store.idsOf(name), { status: 'failed', note: 'scale broken' });
  assert.deepEqual(
    (await compare(plant)).discrepancies.map(({ silo, read, odoo }) => [silo, read, odoo]),
    [['silo_a', 30, 0]],
  );
  const order = { mo_id: name, consumption: 150, equipment_id_batch: 'PLC01', finished_goods: '' };
  await plant.store.enqueue([order], 1, name);
  assert.deepEqual(await compare(plant), { orders: 0, discrepancies: [] });
  await plant.read(name, { silo_a: 100.5 }, { finished: 150, complete: true });
  await plant.push(name, { finish: true });
  assert.deepEqual(await plant.archive(), [name]);
  assert.deepEqual(await compare(plant), { orders: 1, discrepancies: [] });
  const rows = (await history(plant)).map(({ status, superseded, read }) => [status, superseded, read]);
  assert.deepEqual(rows, [
    ['failed', true, 30],
    ['completed', false, 100.5],
  ]);
});

plantTest('of a duplicate that was taken over only the live row counts', async (plant) => {
  const [name = ''] = await archived(plant, TWO_SILOS);
  const rows = await history(plant);
  const duplicate = { mo_id: name, duplicate: true, actual_consumption_silo_a: 1 };
  const compared = await compareWithOdoo(new AddonOrders(plant.client), silos, [...rows, duplicate]);
  assert.deepEqual(compared, { orders: 1, discrepancies: [] });
});

plantTest('many orders are asked for in several calls; each that Odoo does not know is named', async (plant) => {
  const rows = Array.from({ length: 250 }, (_, n) => ({ mo_id: `WH/MO/9${String(n).padStart(4, '0')}` }));
  const { orders, discrepancies } = await compareWithOdoo(new AddonOrders(plant.client), silos, rows);
  assert.equal(orders, 250);
  assert.deepEqual(
    discrepancies.map(({ mo_id, finding }) => [mo_id, finding]),
    rows.map(({ mo_id }) => [mo_id, 'unknown-order']),
  );
  assert.equal(plant.count('/web/dataset/call_kw'), 3);
});

plantTest('an Odoo that is gone is an error, never "all equal"', async (plant) => {
  await archived(plant, TWO_SILOS);
  await plant.odoo.stop();
  await assert.rejects(compare(plant), OdooError);
  await plant.odoo.start();
});
