import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { startSimulatedOdoo, type SimulatedOdoo } from '../../../examples/plant/odoo/simulated-odoo';
import { SiloMap } from '../../../nodes/lib/domain/silos';
import { OdooClient } from '../../../nodes/lib/odoo/addon/client';
import { OdooError } from '../../../nodes/lib/domain/odoo-orders';
import { AddonOrders } from '../../../nodes/lib/odoo/addon/orders';
import { checkOrders, fetchOrders } from '../../../nodes/lib/odoo/fetch';

const silos = new SiloMap();

async function plant(t: TestContext, user = 'scada'): Promise<{ odoo: SimulatedOdoo; client: OdooClient }> {
  const odoo = await startSimulatedOdoo({});
  const client = new OdooClient({ url: odoo.url, database: 'odoo14', user, password: user, timeoutMs: 5_000 });
  t.after(async () => {
    client.close();
    await odoo.stop();
  });
  return { odoo, client };
}

test('every confirmed order of the line is fetched, by schedule then name, far beyond one default page', async (t) => {
  const { odoo, client } = await plant(t);
  for (let count = 0; count < 60; count += 1) odoo.createOrder({ schedule: `2026-01-${28 - (count % 19)} 08:00:00` });
  const other = odoo.createOrder({ line: 'PLC02' }).name;
  const begun = odoo.createOrder({}).name;
  await client.update(begun, { silo101: 1 });
  const { orders } = await fetchOrders(new AddonOrders(client), silos, { line: 'PLC01' });
  assert.equal(orders.length, 60);
  assert.ok(orders.every(({ equipment_id_batch }) => equipment_id_batch === 'PLC01'));
  const keys = orders.map(({ schedule_start, mo_id }) => `${schedule_start} ${mo_id}`);
  assert.deepEqual(keys, keys.toSorted());
  assert.equal(
    (await fetchOrders(new AddonOrders(client), silos, {})).orders.some(({ mo_id }) => mo_id === other),
    true,
  );
  assert.equal((await fetchOrders(new AddonOrders(client), silos, { line: 'PLC99' })).orders.length, 0);
});

test('the plan is the one of the stock moves, scaled to the order', async (t) => {
  const { odoo, client } = await plant(t);
  odoo.createOrder({ quantity: 5000 });
  const [order] = (await fetchOrders(new AddonOrders(client), silos, {})).orders;
  assert.deepEqual(
    [
      order?.consumption,
      order?.finished_goods,
      order?.consumption_silo_a,
      order?.component_silo_a_name,
      order?.consumption_silo_c,
    ],
    [5000, 'JF PLUS', 1650, 'Pollard Angsa', 480.5],
  );
});

test('components without a silo are told, two on one silo are summed and told', async (t) => {
  const { odoo, client } = await plant(t);
  odoo.createOrder({
    components: [
      { code: 'silo101', product: 'Pollard Angsa', quantity: 825 },
      { code: 'silo101', product: 'CGF', quantity: 100.5 },
      { code: null, product: 'Premix', quantity: 10 },
    ],
  });
  const [order] = (await fetchOrders(new AddonOrders(client), silos, {})).orders;
  assert.equal(order?.consumption_silo_a, 925.5);
  assert.equal(order?.component_silo_a_name, 'Pollard Angsa + CGF');
  assert.deepEqual(order?.notes, ['SILO A: Pollard Angsa and CGF on one silo, summed', 'Premix: has no silo in Odoo']);
});

test('a component whose unit is not kg is refused by name, the other orders are fetched', async (t) => {
  const { odoo, client } = await plant(t);
  const litres = odoo.createOrder({
    components: [{ code: 'silo101', product: 'Molases', quantity: 8, uom: 'L' }],
  }).name;
  odoo.createOrder({});
  const { orders, refused } = await fetchOrders(new AddonOrders(client), silos, {});
  assert.equal(orders.length, 1);
  assert.deepEqual(
    refused.map(({ mo_id }) => mo_id),
    [litres],
  );
  assert.match(refused[0]?.reason ?? '', /Molases \(L\)/);
});

test('bags and labels in Units beside the weighed components refuse no order, and are told', async (t) => {
  const { odoo, client } = await plant(t);
  odoo.createOrder({
    components: [
      { code: 'silo101', product: 'Pollard Angsa', quantity: 2500 },
      { code: null, product: 'Bag 50 kg', quantity: 50, uom: 'Units' },
    ],
  });
  const { orders, refused } = await fetchOrders(new AddonOrders(client), silos, {});
  assert.deepEqual(refused, []);
  assert.equal(orders[0]?.consumption_silo_a, 2500);
  assert.deepEqual(orders[0]?.notes, ['Bag 50 kg: has no silo in Odoo']);
});

test('a unit is judged by what it is in Odoo, not by its word', async (t) => {
  const { odoo, client } = await plant(t);
  const ordered = (uom: string, of: 'order' | 'component'): string =>
    odoo.createOrder({
      ...(of === 'order' ? { uom } : {}),
      components: [
        { code: 'silo101', product: 'Pollard', quantity: 2500, ...(of === 'component' ? { uom } : {}) },
        { code: null, product: 'Labels', quantity: 7, uom: 'Units' },
      ],
    }).name;
  const own: [name: string, category: string, factor: number, rounding: number, why: RegExp | undefined][] = [
    ['Kilogramm', 'Weight', 1, 0.01, undefined],
    ['KG.', 'Weight', 1, 0.001, undefined],
    ['Kg ', 'Unit', 1, 0.01, /of the category Unit/],
    ['kg (coarse)', 'Weight', 1, 1, /rounded to 1/],
    ['kilo', 'Volume', 1, 0.01, /of the category Volume/],
    ['Tonne', 'Weight', 0.001, 0.01, /Tonne/],
    ['Gramm', 'Weight', 1000, 0.01, /Gramm/],
  ];
  const wrong = new Map<string, RegExp>();
  const right: string[] = [];
  for (const [name, category, factor, rounding, why] of own) {
    odoo.defineUnit({ name, category, factor, rounding });
    for (const of of ['order', 'component'] as const) {
      if (why) wrong.set(ordered(name, of), why);
      else right.push(ordered(name, of));
    }
  }
  const before = odoo.calls.length;
  const { orders, refused } = await fetchOrders(new AddonOrders(client), silos, {});
  assert.deepEqual(orders.map(({ mo_id }) => mo_id).sort(), right.sort());
  assert.deepEqual(refused.map(({ mo_id }) => mo_id).sort(), [...wrong.keys()].sort());
  for (const { mo_id, reason } of refused) {
    assert.match(reason, wrong.get(mo_id) ?? /^$/, mo_id);
    assert.match(reason, /not in kg.*(change the unit|change its unit) in Odoo/, mo_id);
  }
  // Login, list, orders, moves and, once for all of them, the units.
  assert.equal(odoo.calls.length - before, 5);
});

test('a unit named kg that counts pieces is refused, and so is one that is changed to round to whole kg', async (t) => {
  const { odoo, client } = await plant(t);
  odoo.createOrder({});
  assert.equal((await fetchOrders(new AddonOrders(client), silos, {})).orders.length, 1);
  odoo.defineUnit({ name: 'kg', category: 'Weight', factor: 1, rounding: 1 });
  const rounded = await fetchOrders(new AddonOrders(client), silos, {});
  assert.match(rounded.refused[0]?.reason ?? '', /the order is in kg rounded to 1, not in kg/);
  odoo.defineUnit({ name: 'kg', category: 'Unit', factor: 1 });
  const pieces = await fetchOrders(new AddonOrders(client), silos, {});
  assert.match(pieces.refused[0]?.reason ?? '', /the order is in kg of the category Unit, not in kg/);
});

test('by-products are no obstacle, whatever they are counted in, and are told', async (t) => {
  const { odoo, client } = await plant(t);
  const components = [{ code: 'silo101', product: 'Pollard', quantity: 2500 }];
  odoo.createOrder({
    components,
    byproducts: [
      { product: 'Dust', quantity: 12.5 },
      { product: 'Empty bags', quantity: 50, uom: 'Units' },
    ],
  });
  odoo.createOrder({ components });
  const { orders, refused } = await fetchOrders(new AddonOrders(client), silos, {});
  assert.deepEqual(refused, []);
  assert.deepEqual(
    orders.map(({ notes }) => notes),
    [
      ['Dust: by-product, 12.5 kg planned, is not weighed', 'Empty bags: by-product, 50 Units planned, is not weighed'],
      [],
    ],
  );
});

test('a name of digits is never taken for an id: no other order comes for it', async (t) => {
  const { odoo, client } = await plant(t);
  const other = odoo.createOrder({});
  const digits = odoo.createOrder({ name: '02203' });
  const { orders } = await fetchOrders(new AddonOrders(client), silos, { moIds: ['02203'] });
  assert.deepEqual(
    orders.map(({ mo_id, odoo_id }) => [mo_id, odoo_id]),
    [['02203', digits.id]],
  );
  for (const name of [String(other.id), `0${other.id}`, `${other.id}.0`]) {
    await assert.rejects(
      () => fetchOrders(new AddonOrders(client), silos, { moIds: [name] }),
      /does not know order/,
      name,
    );
    const { orders: found, refused } = await fetchOrders(new AddonOrders(client), silos, { moIds: [name, '02203'] });
    assert.deepEqual([found.map(({ mo_id }) => mo_id), refused.map(({ mo_id }) => mo_id)], [['02203'], [name]]);
  }
});

test('of many named orders that Odoo does not give, one list call asks for all', async (t) => {
  const { odoo, client } = await plant(t);
  const cancelled = odoo.createOrder({}).name;
  odoo.cancel(cancelled);
  await client.sessionInfo();
  const before = odoo.calls.length;
  const names = [cancelled, ...Array.from({ length: 30 }, (_, n) => `WH/MO/7${1000 + n}`)];
  await assert.rejects(() => fetchOrders(new AddonOrders(client), silos, { moIds: names }), /is "cancel" in Odoo/);
  assert.equal(odoo.calls.length - before, 1);
});

test('an order is fetched by its name, begun or not; a closed or unknown one is an error', async (t) => {
  const { odoo, client } = await plant(t);
  const begun = odoo.createOrder({}).name;
  const closed = odoo.createOrder({}).name;
  await client.update(begun, { silo101: 1 });
  odoo.cancel(closed);
  const { orders } = await fetchOrders(new AddonOrders(client), silos, { moIds: [begun], line: 'PLC99' });
  assert.deepEqual(
    orders.map(({ mo_id }) => mo_id),
    [begun],
  );
  await assert.rejects(() => fetchOrders(new AddonOrders(client), silos, { moIds: [closed] }), /is "cancel" in Odoo/);
  await assert.rejects(
    () => fetchOrders(new AddonOrders(client), silos, { moIds: ['WH/MO/77777'] }),
    /does not know order WH\/MO\/77777/,
  );
});

test('of several named orders the closed and unknown ones are told, the others fetched', async (t) => {
  const { odoo, client } = await plant(t);
  const [open, closed] = [odoo.createOrder({}).name, odoo.createOrder({}).name];
  odoo.cancel(closed);
  const { orders, refused } = await fetchOrders(new AddonOrders(client), silos, {
    moIds: [closed, 'WH/MO/77777', open],
  });
  assert.deepEqual(
    orders.map(({ mo_id }) => mo_id),
    [open],
  );
  assert.match(
    refused.map(({ reason }) => reason).join('; '),
    /is "cancel" in Odoo.*does not know order WH\/MO\/77777/,
  );
});

test('an error is an error, never "no orders"', async (t) => {
  const { odoo, client } = await plant(t, 'plainuser');
  odoo.createOrder({});
  await assert.rejects(
    () => fetchOrders(new AddonOrders(client), silos, {}),
    (error) => error instanceof OdooError && error.concluded.conclusion === 'not-permitted',
  );
  await assert.rejects(() => checkOrders(new AddonOrders(client), silos, [{ mo_id: 'WH/MO/00001' }]), OdooError);
  await odoo.stop();
  await assert.rejects(
    () => fetchOrders(new AddonOrders(client), silos, {}),
    (error) => error instanceof OdooError && error.concluded.conclusion === 'unavailable',
  );
});

test('the check tells which orders are still open', async (t) => {
  const { odoo, client } = await plant(t);
  const [open, done] = [odoo.createOrder({}).name, odoo.createOrder({}).name];
  odoo.markDoneByHand(done);
  const checked = await checkOrders(new AddonOrders(client), silos, [{ mo_id: open }, { mo_id: done }]);
  assert.deepEqual(
    checked.open.map(({ mo_id }) => mo_id),
    [open],
  );
  assert.deepEqual(
    checked.closed.map(({ mo_id, state }) => [mo_id, state]),
    [[done, 'done']],
  );
  assert.deepEqual(await checkOrders(new AddonOrders(client), silos, []), { open: [], closed: [] });
});
