import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { type StandardOdoo, startStandardOdoo, VERSIONS } from '../../../../examples/plant/odoo/standard/standard-odoo';
import { consign } from '../../../../nodes/lib/domain/consumption';
import type { OrderVisit } from '../../../../nodes/lib/domain/odoo-orders';
import { SiloMap, type SiloWeights } from '../../../../nodes/lib/domain/silos';
import { StandardOrders } from '../../../../nodes/lib/odoo/standard/orders';

const silos = new SiloMap();
const call = {};

interface Plant {
  odoo: StandardOdoo;
  orders: StandardOrders;
  visit: (name: string) => OrderVisit;
  answers: string[];
}

async function plant(t: TestContext, version: (typeof VERSIONS)[number], isKey = false): Promise<Plant> {
  const odoo = await startStandardOdoo({ version });
  const { url, database } = odoo;
  const secret = isKey ? 'bridge-key' : 'bridge';
  const orders = new StandardOrders({ url, database, user: 'bridge', secret, isKey, timeoutMs: 5_000 });
  t.after(async () => {
    orders.close();
    await odoo.stop();
  });
  const answers: string[] = [];
  const visit = (name: string): OrderVisit =>
    orders.visit({ mo_id: name, odoo_id: odoo.order(name).id }, silos, {
      unreserve: false,
      onAnswer: (what, { conclusion, reason }) => void answers.push(`${what}: ${conclusion} ${reason}`.trim()),
    });
  return { odoo, orders, visit, answers };
}

const set = (weights: SiloWeights) => consign(weights, silos).consignment ?? assert.fail('refused');
const written = ({ odoo }: Plant): number => odoo.calls.length;

for (const version of VERSIONS) {
  test(`${version}: a whole order, from the list to the moves after it was marked done`, async (t) => {
    const one = await plant(t, version);
    const { name } = one.odoo.createOrder({ policy: 'warning' });
    const [found] = await one.orders.orders({ line: '' }, call);
    assert.equal(found?.listed.mo_id, name);
    assert.equal(found.moves.find(({ code }) => code === 'silo101')?.planned, 825);
    assert.deepEqual(new Set(found.moves.map(({ done }) => done)), new Set([0]), 'what is reserved is not consumed');

    const first = await one.visit(name).deliver(set({ silo_a: 200, silo_b: 100 }));
    assert.equal(first.conclusion, 'confirmed', first.reason);
    const before = written(one);
    await one.visit(name).deliver(set({ silo_a: 400, silo_b: 0 }));
    assert.equal(written(one) - before, 1, 'a push is one call');
    const visit = one.visit(name);
    assert.equal(
      (await visit.deliver(set({ silo_a: 830.5, silo_b: 370 }), { finished: 2400, final: true })).conclusion,
      'confirmed',
    );
    const held = await visit.read();
    assert.deepEqual(
      [held.consumption.silo_a, held.consumption.silo_b, held.production?.qty_producing],
      [830.5, 370, 2400],
    );
    const closing = written(one);
    const closed = await visit.close(2400, () => true);
    assert.ok(written(one) - closing <= 4, `${written(one) - closing} calls`);
    assert.equal(closed.said.conclusion, 'confirmed', closed.said.reason);
    assert.deepEqual([closed.held.production?.state, closed.held.production?.qty_produced], ['done', 2400]);
    assert.deepEqual(one.odoo.done(name), { silo101: 830.5, silo102: 370 });
  });

  test(`${version}: a write that comes late is refused by an order that is done`, async (t) => {
    const one = await plant(t, version);
    const { name } = one.odoo.createOrder({ policy: 'flexible' });
    const visit = one.visit(name);
    await visit.deliver(set({ silo_a: 800 }), { finished: 2500 });
    const late = one.visit(name);
    one.odoo.markDoneByHand(name);
    const said = await late.deliver(set({ silo_a: 5 }));
    assert.notEqual(said.conclusion, 'confirmed');
    assert.equal(one.odoo.done(name).silo101, 800);
  });
}
