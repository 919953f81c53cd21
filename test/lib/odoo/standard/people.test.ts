/** What people do in a standard Odoo while an order is weighed: each ends as a rule of the design says, on every generation. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VERSIONS } from '../../../../examples/plant/odoo/standard/standard-odoo';
import { world } from './world';

const RUNNING = { silo_a: 400, silo_b: 200 };
const FINAL = { silo_a: 800.5, silo_b: 370 };
const BOOKED = { silo101: 800.5, silo102: 370 };
const silos = (done: Record<string, number>): object => ({ silo101: done['silo101'], silo102: done['silo102'] });
const TWO = {
  components: [
    { product: 'Pollard Angsa', code: 'silo101', quantity: 825 },
    { product: 'Kopra Mesh', code: 'silo102', quantity: 375 },
  ],
};

for (const version of VERSIONS) {
  const meanwhile = (
    what: string,
    act: (one: Awaited<ReturnType<typeof world>>) => void,
    check: (one: Awaited<ReturnType<typeof world>>) => Promise<void>,
    order = {},
  ): void =>
    void test(`${version}: ${what}`, async (t) => {
      const one = await world(t, version, { ...TWO, ...order });
      assert.equal((await one.push(RUNNING)).conclusion, 'confirmed');
      act(one);
      await check(one);
    });
  const closes = async (one: Awaited<ReturnType<typeof world>>): Promise<void> => {
    const { conclusion, reason, done } = await one.finish(FINAL, 2400);
    assert.equal(conclusion, 'confirmed', reason);
    assert.equal(done?.finished, 2400);
    assert.deepEqual(silos(one.odoo.done(one.key.odoo_id ?? 0)), BOOKED);
  };

  meanwhile(
    'a quantity typed into the form is no figure of ours: the weights win',
    ({ odoo, key }) => odoo.people.typeQuantity(key.odoo_id ?? 0, 1250),
    closes,
  );
  meanwhile(
    '"Check availability" changes no weight',
    ({ odoo, key }) => odoo.people.checkAvailability(key.odoo_id ?? 0),
    closes,
  );
  meanwhile('"Unreserve" changes no weight', ({ odoo, key }) => odoo.people.unreserve(key.odoo_id ?? 0), closes);
  meanwhile(
    'an order that was renamed is found by its id',
    ({ odoo, key }) => odoo.people.rename(key.odoo_id ?? 0, 'WH/X/7'),
    closes,
  );
  meanwhile(
    'a plan that was raised is closed by what was weighed',
    ({ odoo, key }) => odoo.people.rescale(key.odoo_id ?? 0, 2600),
    closes,
  );
  meanwhile(
    'an operator’s work order fills in the plan: the weights win',
    ({ odoo, key }) => odoo.people.startWorkOrder(key.odoo_id ?? 0),
    closes,
    {
      workCenter: 'WC1',
    },
  );
  meanwhile(
    'a component that was added is weighed from the next push on',
    ({ odoo, key }) => odoo.people.addComponent(key.odoo_id ?? 0, { product: 'Soya', code: 'silo103', quantity: 100 }),
    async (one) => {
      assert.equal((await one.push({ ...RUNNING, silo_c: 50 })).conclusion, 'confirmed');
      const { conclusion, reason } = await one.finish({ ...FINAL, silo_c: 99 }, 2400);
      assert.equal(conclusion, 'confirmed', reason);
      assert.equal(one.odoo.done(one.key.odoo_id ?? 0)['silo103'], 99);
    },
  );
  meanwhile(
    'cancelled: set aside, and nothing is written any more',
    ({ odoo, key }) => odoo.people.cancel(key.odoo_id ?? 0),
    async (one) => {
      const { conclusion } = await one.push(FINAL);
      assert.equal(conclusion, 'order-cancelled');
      assert.equal((await one.finish(FINAL, 2400)).conclusion, 'order-cancelled');
    },
  );
  meanwhile(
    'done with other figures: set aside with both, and they stay as the person left them',
    ({ odoo, key }) => odoo.people.markDone(key.odoo_id ?? 0),
    async (one) => {
      const said = await one.push(FINAL);
      assert.equal(said.conclusion, 'order-done');
      assert.match(said.reason, /800\.5 kg here, 400 kg in Odoo/);
      assert.deepEqual(silos(one.odoo.done(one.key.odoo_id ?? 0)), { silo101: 400, silo102: 200 });
    },
  );
  meanwhile(
    'a part was closed with a backorder: told with the order of what is left',
    ({ odoo, key }) => void odoo.people.backorder(key.odoo_id ?? 0, 1000),
    async (one) => {
      const said = await one.push(FINAL);
      assert.equal(said.conclusion, 'order-done');
      assert.match(said.reason, /-002/);
    },
  );
  test(`${version}: a reference that is wrong in Odoo sets aside, and is seen when it was corrected`, async (t) => {
    const wrong = { product: 'Kopra Mesh', code: 'SILO102', quantity: 375 };
    const one = await world(t, version, { components: [...TWO.components.slice(0, 1), wrong] });
    const said = await one.push(RUNNING);
    assert.equal(said.conclusion, 'partial');
    assert.match(said.reason, /silo102.*correct the reference/);
  });
}

test('14: a work order that was begun takes the guard away: an order that is closed meanwhile is seen', async (t) => {
  const one = await world(t, 14, { ...TWO, workCenter: 'WC1' });
  one.odoo.people.startWorkOrder(one.key.odoo_id ?? 0);
  assert.equal((await one.push(RUNNING)).conclusion, 'confirmed');
  one.odoo.people.markDone(one.key.odoo_id ?? 0);
  assert.equal((await one.push(FINAL)).conclusion, 'order-done');
  assert.deepEqual(silos(one.odoo.done(one.key.odoo_id ?? 0)), { silo101: 400, silo102: 200 });
});
