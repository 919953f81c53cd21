/** An order is its id in Odoo: two companies may have orders of one name, and a backorder renames one. */
import assert from 'node:assert/strict';
import { AddonOrders } from '../../../nodes/lib/odoo/addon/orders';
import { fetchOrders } from '../../../nodes/lib/odoo/fetch';
import { type PushPlant, plantTest, silos, UPDATE } from '../../support/push-plant';

const CALL_KW = '/web/dataset/call_kw';
const FINAL = { silo_a: 100.5, silo_b: 49 };
const RECIPE = {
  quantity: 150,
  bomQty: 150,
  components: [
    { code: 'silo101', product: 'Pollard', quantity: 100 },
    { code: 'silo102', product: 'Copra', quantity: 50 },
  ],
} as const;

/** An order of another company with the same name. */
const namesake = (plant: PushPlant, name: string): number =>
  plant.odoo.createOrder({ ...RECIPE, name, company: 'PT Maju' }).id;

plantTest('a fetched order brings its id, and a running push is one call', async (plant) => {
  const [name = ''] = await plant.queue(RECIPE);
  assert.equal((await plant.row(name)).odoo_id, plant.odoo.order(name).id);
  await plant.read(name, { silo_a: 10 });
  const before = plant.odoo.calls.length;
  assert.equal((await plant.push(name)).conclusion, 'confirmed');
  assert.deepEqual(
    plant.odoo.calls.slice(before).map(({ route }) => route),
    [UPDATE],
  );
});

plantTest('of two orders of one name none is fetched, and both are named with the remedy', async (plant) => {
  const { name } = plant.odoo.createOrder(RECIPE);
  const other = plant.odoo.createOrder(RECIPE).name;
  namesake(plant, name);
  for (const moIds of [[], [name, other]]) {
    const { orders, refused } = await fetchOrders(new AddonOrders(plant.client), silos, { moIds });
    assert.deepEqual(
      orders.map(({ mo_id }) => mo_id),
      [other],
    );
    assert.deepEqual(
      refused.map(({ mo_id }) => mo_id),
      [name],
    );
    assert.match(refused[0]?.reason ?? '', /2 orders named .*: limit the Odoo user to one company/);
  }
});

plantTest('a row without an id gets it at its first push, by one list call, and once', async (plant) => {
  const [name = ''] = await plant.queue(RECIPE);
  await plant.db.none('UPDATE mo_batch SET odoo_id = NULL');
  await plant.read(name, { silo_a: 10 });
  const lists = plant.count(CALL_KW);
  assert.equal((await plant.push(name)).conclusion, 'confirmed');
  assert.equal((await plant.row(name)).odoo_id, plant.odoo.order(name).id);
  await plant.read(name, { silo_a: 11 });
  assert.equal((await plant.push(name)).conclusion, 'confirmed');
  assert.equal(plant.count(CALL_KW) - lists, 1);
});

plantTest(
  'a row without an id whose name two orders have is set aside, and neither of them is touched',
  async (plant) => {
    const [name = ''] = await plant.queue(RECIPE);
    await plant.db.none('UPDATE mo_batch SET odoo_id = NULL');
    const [own = 0, other = 0] = [plant.odoo.order(name).id, namesake(plant, name)];
    await plant.read(name, { silo_a: 10 });
    const pushed = await plant.push(name);
    assert.deepEqual([pushed.conclusion, pushed.set_aside], ['ambiguous-order', true]);
    assert.match(pushed.reason, /limit the Odoo user to one company/);
    for (const id of [own, other]) assert.equal(plant.odoo.done(id).silo101, 0);
  },
);

plantTest('an order is not closed while another one has its name', async (plant) => {
  const [name = ''] = await plant.queue(RECIPE);
  const own = plant.odoo.order(name).id;
  await plant.read(name, FINAL, { finished: 150, complete: true });
  const other = namesake(plant, name);
  const pushed = await plant.push(name, { finish: true });
  assert.deepEqual([pushed.conclusion, pushed.set_aside], ['ambiguous-order', true]);
  assert.deepEqual([plant.odoo.order(own).state, plant.odoo.order(other).state], ['confirmed', 'confirmed']);
});

plantTest('a call by hand is refused while two orders have its name, and nothing is sent', async (plant) => {
  const [name = ''] = await plant.queue(RECIPE);
  namesake(plant, name);
  const answered = await plant.manual({ mo_id: name, consumption: { silo_a: 5 } });
  assert.equal(answered.conclusion, 'ambiguous-order');
  assert.equal(plant.count(UPDATE), 0);
});

plantTest(
  'an order that is renamed while it runs is pushed under its new name, and stays what the PLC tells',
  async (plant) => {
    const [name = ''] = await plant.queue(RECIPE);
    plant.odoo.renameByHand(name, 'WH/MO/RENAMED-7');
    await plant.read(name, { silo_a: 10 });
    assert.equal((await plant.push(name)).conclusion, 'confirmed');
    const row = await plant.row(name);
    assert.deepEqual([row.mo_id, row.odoo_name], [name, 'WH/MO/RENAMED-7']);
    assert.equal(plant.odoo.done('WH/MO/RENAMED-7').silo101, 10);
    await plant.read(name, { silo_a: 11 });
    const before = plant.odoo.calls.length;
    assert.equal((await plant.push(name)).conclusion, 'confirmed');
    assert.equal(plant.odoo.calls.length - before, 1);
    plant.odoo.renameByHand('WH/MO/RENAMED-7', name);
  },
);

plantTest(
  'an order closed with a backorder by hand: with our figures archived, with others set aside and the remainder named',
  async (plant) => {
    const [equal = '', other = ''] = await plant.queue(RECIPE, RECIPE);
    for (const name of [equal, other]) {
      // Other weights for each: else they would be taken for what the order before left in the slot.
      await plant.read(name, { ...FINAL, silo_b: name === equal ? 49 : 48 });
      await plant.push(name);
      plant.odoo.backorderByHand(name, 140);
      assert.equal(plant.odoo.order(`${name}-001`).state, 'done');
    }
    await plant.read(equal, FINAL, { finished: 140, complete: true });
    await plant.read(other, { ...FINAL, silo_b: 51 }, { finished: 140, complete: true });
    const [done, aside] = [await plant.push(equal, { finish: true }), await plant.push(other, { finish: true })];
    assert.deepEqual([done.conclusion, done.done], ['confirmed', true], done.reason);
    assert.deepEqual([aside.conclusion, aside.set_aside], ['order-done', true]);
    assert.match(
      aside.reason,
      /-001 there by now.*silo_b \(silo102\): 51 kg here, 48 kg in Odoo.*the remainder is .*-002 \(confirmed\)/,
    );
    assert.equal((await plant.row(equal)).odoo_name, `${equal}-001`);
    const { archived } = await plant.store.archive(null, { status: 'completed' });
    assert.deepEqual(
      archived.map(({ mo_id }) => mo_id),
      [equal],
    );
    // The promise is looked up by the order's name here.
    plant.odoo.renameByHand(`${equal}-001`, equal);
  },
);
