/**
 * Each trap of a standard Odoo on every version that has it: the package walks round it. What becomes of a client that does
 * not is in test/examples/plant/standard/pitfalls.test.ts.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VERSIONS, type Version } from '../../../../examples/plant/odoo/standard/standard-odoo';
import { fetchOrders } from '../../../../nodes/lib/odoo/fetch';
import { caller } from '../../../examples/plant/standard/standard-client';
import { type Bridge, bridgeTo } from '../../../support/standard-bridge';

const TWO = [
  { code: 'silo101', product: 'Pollard Angsa', quantity: 825 },
  { code: 'silo102', product: 'Kopra Mesh', quantity: 375 },
];

const each = (
  versions: readonly Version[],
  name: string,
  run: (bridge: Bridge, version: Version) => Promise<void>,
): void => {
  for (const version of versions) test(`${version}: ${name}`, async (t) => run(await bridgeTo(t, version), version));
};

const of = (...versions: Version[]): readonly Version[] => versions;
const FROM_17 = of(17, 18, 19);

each(
  FROM_17,
  'what is pushed is picked: "Check availability" and mark-done leave it alone',
  async ({ odoo, order, push, close }) => {
    const one = order({ components: TWO });
    await push(one, { silo_a: 800, silo_b: 370 });
    odoo.people.checkAvailability(one.id);
    const closed = await close(one, { silo_a: 800, silo_b: 370 }, 2480, { known: true });
    assert.equal(closed.conclusion, 'confirmed', closed.reason);
    assert.deepEqual(odoo.done(one.id), { silo101: 800, silo102: 370 });
  },
);

each(FROM_17, 'what is only reserved is not taken for consumed', async ({ orders, order, push }) => {
  const one = order({ components: TWO });
  const found = await orders.moves([one.id]);
  assert.deepEqual(
    found.get(one.id)?.map(({ done }) => done),
    [0, 0],
  );
  const pushed = await push(one, { silo_a: 0 }, { readBack: true });
  assert.equal(pushed.conclusion, 'confirmed', pushed.reason);
});

each(VERSIONS, 'no order is closed before its finished goods are read back', async ({ odoo, order, push, close }) => {
  const one = order({ components: TWO });
  await push(one, { silo_a: 800, silo_b: 370 });
  const without = await close(one, { silo_a: 800, silo_b: 370 }, undefined, { known: true });
  assert.equal(without.conclusion, 'undecided');
  assert.notEqual(odoo.order(one.id).state, 'done');
  const closed = await close(one, { silo_a: 800, silo_b: 370 }, 2480, { known: true });
  assert.equal(closed.conclusion, 'confirmed', closed.reason);
  assert.deepEqual([odoo.done(one.id), odoo.order(one.id).finished], [{ silo101: 800, silo102: 370 }, 2480]);
});

each(
  VERSIONS,
  'a push that comes after the order was done is refused, and changes nothing',
  async ({ odoo, order, push }) => {
    const one = order({ components: TWO });
    await push(one, { silo_a: 800, silo_b: 370 });
    odoo.people.markDone(one.id);
    const late = await push(one, { silo_a: 700, silo_b: 370 });
    assert.equal(late.conclusion, 'order-done', late.reason);
    assert.equal(odoo.done(one.id).silo101, 800);
  },
);

each(
  VERSIONS,
  'the same where a work order was begun, which takes the date guard of 14 away',
  async ({ odoo, order, push }) => {
    const one = order({ components: TWO, workCenter: 'PLC01' });
    odoo.people.startWorkOrder(one.id);
    const pushed = await push(one, { silo_a: 800, silo_b: 370 });
    assert.equal(pushed.conclusion, 'confirmed', pushed.reason);
    odoo.people.markDone(one.id);
    const late = await push(one, { silo_a: 700, silo_b: 370 });
    assert.equal(late.conclusion, 'order-done', late.reason);
    assert.equal(odoo.done(one.id).silo101, 800);
  },
);

each(VERSIONS, 'a quantity typed into the form before the close is put right', async ({ odoo, order, push, close }) => {
  const one = order({ components: TWO });
  await push(one, { silo_a: 800, silo_b: 370 }, { finished: 2480 });
  odoo.people.typeQuantity(one.id, 2500);
  const closed = await close(one, { silo_a: 800, silo_b: 370 }, 2480, { known: true });
  assert.equal(closed.conclusion, 'confirmed', closed.reason);
  assert.deepEqual([odoo.done(one.id), odoo.order(one.id).finished], [{ silo101: 800, silo102: 370 }, 2480]);
});

each(
  VERSIONS,
  'figures that rise, fall to 0 and rise again come out of their silos',
  async ({ odoo, order, push, close }) => {
    const one = order({ components: TWO });
    for (const [silo_a, silo_b] of [
      [200, 100],
      [900, 370],
      [0, 370],
      [800, 370],
    ])
      assert.equal((await push(one, { silo_a, silo_b })).conclusion, 'confirmed');
    assert.equal((await close(one, { silo_a: 800, silo_b: 370 }, 2480)).conclusion, 'confirmed');
    assert.deepEqual(odoo.takenFrom(one.id), { 'WH/Stock/SILO101': 800, 'WH/Stock/SILO102': 370 });
  },
);

each(
  VERSIONS,
  'true is no proof: an order that was cancelled is told as cancelled',
  async ({ odoo, order, push, close }) => {
    const one = order({ components: TWO });
    await push(one, { silo_a: 800, silo_b: 370 }, { finished: 2480 });
    odoo.cancel(one.name);
    const closed = await close(one, { silo_a: 800, silo_b: 370 }, 2480);
    assert.equal(closed.conclusion, 'order-cancelled', closed.reason);
  },
);

each(
  VERSIONS,
  'true is no proof: a close that did nothing is told as not done',
  async ({ odoo, order, push, close }) => {
    const one = order({ components: TWO });
    await push(one, { silo_a: 800, silo_b: 370 });
    odoo.setFault({ kind: 'forgets', method: 'button_mark_done' });
    const closed = await close(one, { silo_a: 800, silo_b: 370 }, 2480);
    assert.equal(closed.conclusion, 'not-done', closed.reason);
  },
);

each(VERSIONS, 'two orders by turns: each keeps its own figures', async ({ odoo, order, push }) => {
  const [a, b] = [order({ components: TWO }), order({ components: TWO })];
  for (const kg of [100, 200, 300]) {
    await push(a, { silo_a: kg });
    await push(b, { silo_a: 2 * kg, silo_b: kg });
  }
  assert.deepEqual([odoo.done(a.id), odoo.done(b.id)], [{ silo101: 300 }, { silo101: 600, silo102: 300 }]);
});

each(
  VERSIONS,
  'ids that are gone are read again: a reservation given back, a component added',
  async ({ odoo, order, push }) => {
    const one = order({ components: TWO });
    await push(one, { silo_a: 100, silo_b: 0 });
    odoo.people.unreserve(one.id);
    const again = await push(one, { silo_a: 200, silo_b: 50 });
    assert.equal(again.conclusion, 'confirmed', again.reason);
    odoo.people.addComponent(one.id, { product: 'PKE Pellet', code: 'silo103', quantity: 240 });
    const added = await push(one, { silo_a: 300, silo_b: 50, silo_c: 20 });
    assert.equal(added.conclusion, 'confirmed', added.reason);
    assert.deepEqual(odoo.done(one.id), { silo101: 300, silo102: 50, silo103: 20 });
  },
);

each(
  VERSIONS,
  'an order that an operator has begun is listed, and its filled-in plan is replaced',
  async ({ odoo, orders, silos, order, push }) => {
    const one = order({ components: TWO, workCenter: 'PLC01' });
    odoo.people.startWorkOrder(one.id);
    const { orders: listed } = await fetchOrders(orders, silos, {});
    assert.deepEqual(
      listed.map(({ mo_id, consumption_silo_a }) => [mo_id, consumption_silo_a]),
      [[one.name, 825]],
    );
    await push(one, { silo_a: 10, silo_b: 0 });
    assert.equal(odoo.done(one.id).silo101, 10);
    assert.equal(odoo.done(one.id).silo102 ?? 0, 0);
  },
);

each(
  VERSIONS,
  'less produced than planned closes without a window and without a backorder',
  async ({ odoo, order, close }) => {
    const one = order({ components: TWO });
    const closed = await close(one, { silo_a: 800, silo_b: 370 }, 2400);
    assert.equal(closed.conclusion, 'confirmed', closed.reason);
    assert.deepEqual(
      odoo.orders().map(({ name, state }) => [name, state]),
      [[one.name, 'done']],
    );
  },
);

each(VERSIONS, 'an order renamed for its backorder is still the same by its id', async ({ odoo, order, push }) => {
  const one = order({ components: TWO });
  await push(one, { silo_a: 800, silo_b: 370 });
  const rest = odoo.backorderByHand(one.name, 2400);
  const late = await push(one, { silo_a: 810, silo_b: 370 });
  assert.equal(late.conclusion, 'order-done', late.reason);
  assert.equal(odoo.done(one.id).silo101, 800);
  assert.deepEqual(odoo.done(rest.id), {});
});

each(
  VERSIONS,
  'after done the figures are summed over all moves, whatever their state',
  async ({ odoo, order, close }) => {
    const one = order({ components: TWO });
    const closed = await close(one, { silo_a: 900, silo_b: 0 }, 2480);
    assert.equal(closed.conclusion, 'confirmed', closed.reason);
    assert.deepEqual(closed.done?.consumption.silo_a, 900);
    assert.equal(odoo.done(one.id).silo101, 900);
  },
);

each(
  VERSIONS,
  'all figures 0: not closed unless a person wants it, and then as Odoo lets it',
  async ({ odoo, order, close }, version) => {
    const one = order({ components: TWO });
    const zero = { silo_a: 0, silo_b: 0 };
    const row = await close(one, zero, 2480);
    assert.notEqual(row.conclusion, 'confirmed');
    assert.notEqual(odoo.order(one.id).state, 'done');
    const anyway = await close(one, zero, 2480, { anyway: true });
    if (version === 15 || version === 16) assert.equal(anyway.conclusion, 'not-done', anyway.reason);
    else assert.deepEqual([anyway.conclusion, odoo.order(one.id).state], ['confirmed', 'done']);
  },
);

each(
  VERSIONS,
  'a unit that rounds to 10 kg is refused by name, a finer one is converted exactly',
  async ({ odoo, orders, silos, order, push }) => {
    const tonnes = order({
      components: [{ ...TWO[0], code: 'silo101', product: 'By the tonne', quantity: 0.82, uom: 't' }],
    });
    const grams = order({ components: [{ code: 'silo102', product: 'By the gram', quantity: 375_000, uom: 'g' }] });
    const { orders: taken, refused } = await fetchOrders(orders, silos, {});
    assert.deepEqual(
      taken.map(({ mo_id, consumption_silo_b }) => [mo_id, consumption_silo_b]),
      [[grams.name, 375]],
    );
    assert.deepEqual(
      refused.map(({ mo_id }) => mo_id),
      [tonnes.name],
    );
    assert.match(refused[0]?.reason ?? '', /By the tonne/);
    await push(grams, { silo_b: 370.13 });
    assert.equal(odoo.done(grams.id).silo102, 370.13);
  },
);

each(
  VERSIONS,
  'one product on two moves: the total on the first, 0 on the second',
  async ({ odoo, order, push, close }) => {
    const components = [500, 325].map((quantity) => ({ code: 'silo101', product: 'Pollard Angsa', quantity }));
    const one = order({ components });
    await push(one, { silo_a: 800 });
    assert.deepEqual(
      odoo.order(one.id).moves.map(({ done }) => done),
      [800, 0],
    );
    assert.equal((await close(one, { silo_a: 810 }, 2480)).conclusion, 'confirmed');
    assert.equal(odoo.done(one.id).silo101, 810);
  },
);

each(VERSIONS, 'a component with a lot keeps it above its reservation too', async ({ odoo, order, push, close }) => {
  const vitamin = { code: 'silo101', product: 'Vitamin', quantity: 100, tracking: 'lot' as const };
  const one = order({ components: [{ ...vitamin, reserved: [{ lot: 'VL-A', quantity: 100 }] }] });
  for (const silo_a of [30, 60, 105]) assert.equal((await push(one, { silo_a })).conclusion, 'confirmed');
  const closed = await close(one, { silo_a: 105 }, 2480);
  assert.equal(closed.conclusion, 'confirmed', closed.reason);
  const lots = odoo.order(one.id).moves.flatMap(({ lines }) => lines.map(({ lot }) => lot));
  assert.deepEqual([...new Set(lots)], ['VL-A']);
});

each(
  VERSIONS,
  'what is made gets a lot named after its order where Odoo wants one',
  async ({ odoo, order, close }, version) => {
    const one = order({ components: TWO, product: 'JF LOT', tracking: 'lot' });
    const closed = await close(one, { silo_a: 800, silo_b: 370 }, 2480);
    assert.equal(closed.conclusion, 'confirmed', closed.reason);
    const model = version >= 16 ? 'stock.lot' : 'stock.production.lot';
    const { result } = await caller(odoo)(model, 'search_read', [[]], { fields: ['name'] });
    assert.deepEqual(
      (result as { name: string }[]).map(({ name }) => name),
      [one.name],
    );
  },
);
