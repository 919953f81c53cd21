import assert from 'node:assert/strict';
import type { OrderDetail } from '../../../nodes/lib/odoo/addon/records';
import { OdooClient } from '../../../nodes/lib/odoo/addon/client';
import { AddonOrders } from '../../../nodes/lib/odoo/addon/orders';
import { checkOrders } from '../../../nodes/lib/odoo/fetch';
import { LOGIN, PLAN, plantTest, silos, UPDATE } from '../../support/push-plant';

const TEN = { ...PLAN, silo_a: 10 };

plantTest(
  'the session expires in the middle of a drain of 200 batches: one login, every batch confirmed',
  async (plant) => {
    const orders = await plant.queue(...Array.from({ length: 200 }, () => ({})));
    await plant.store.record(orders.map((mo, index) => plant.reading(mo, { silo_a: 100 + index })));
    const logins = plant.count(LOGIN);
    const due = await plant.store.due(500);
    assert.equal(due.length, 200);
    const pushes = plant.pushes();
    let pushed = 0;
    const results = await Promise.all(
      due.map(async ({ id }) => {
        const result = await pushes.process(plant.ledger, { id }, false);
        pushed += 1;
        if (pushed === 100) plant.odoo.setFault({ kind: 'expireSession', route: UPDATE });
        return result;
      }),
    );
    assert.deepEqual(new Set(results.map(({ conclusion }) => conclusion)), new Set(['confirmed']));
    assert.equal(plant.count(LOGIN) - logins, 1);
    assert.equal((await plant.db.one<{ n: number }>('SELECT count(*) AS n FROM mo_batch WHERE update_odoo')).n, 200);
  },
);

plantTest(
  'a wrong password is tried once, and not again before the pause is over',
  async (plant) => {
    plant.odoo.createOrder({});
    await assert.rejects(() => plant.client.confirmedOrders(), /Access Denied/);
    await assert.rejects(() => plant.client.confirmedOrders(), /next login in \d+ s/);
    assert.equal(plant.count(LOGIN), 1);
    clock += 59_000;
    await assert.rejects(() => plant.client.confirmedOrders());
    assert.equal(plant.count(LOGIN), 1);
    clock += 1_001;
    await assert.rejects(() => plant.client.confirmedOrders());
    assert.equal(plant.count(LOGIN), 2);
    clock += 60_000;
    await assert.rejects(() => plant.client.confirmedOrders(), /next login in 60 s/);
    assert.equal(plant.count(LOGIN), 2);
  },
  { password: 'wrong', now_ms: () => clock },
);
let clock = 1_000_000;

for (const kind of ['cutBefore', 'cutAfter'] as const) {
  plantTest(`${kind}: neither success nor failure, the same set is sent again and confirmed`, async (plant) => {
    const [mo = ''] = await plant.queue({});
    await plant.read(mo, TEN);
    plant.odoo.setFault({ kind, route: UPDATE });
    const first = await plant.push(mo);
    assert.equal(first.conclusion, 'unknown-outcome');
    assert.deepEqual(first.sent, TEN);
    assert.equal((await plant.row(mo)).update_odoo, false);
    assert.equal((await plant.push(mo)).skipped, 'not-due');
    await plant.pausesOver();
    assert.equal((await plant.push(mo)).conclusion, 'confirmed');
    assert.equal((await plant.row(mo)).update_odoo, true);
  });
}

plantTest('an HTML 502 is an outage: the pause grows, then it goes through', async (plant) => {
  const [mo = ''] = await plant.queue({});
  await plant.read(mo, TEN);
  plant.odoo.setFault({ kind: 'html502', route: UPDATE, count: 2 });
  for (const attempts of [1, 2]) {
    const failed = await plant.push(mo);
    assert.equal(failed.conclusion, 'unavailable');
    assert.ok(failed.next_attempt_at);
    assert.equal((await plant.row(mo)).attempts, attempts);
    await plant.pausesOver();
  }
  assert.equal((await plant.push(mo)).conclusion, 'confirmed');
  assert.equal((await plant.row(mo)).attempts, 0);
});

plantTest('Odoo refuses connections: nothing was sent, and later it goes through', async (plant) => {
  const [mo = ''] = await plant.queue({});
  await plant.read(mo, TEN);
  await plant.odoo.stop();
  assert.equal((await plant.push(mo)).conclusion, 'unavailable');
  await plant.odoo.start();
  await plant.pausesOver();
  assert.equal((await plant.push(mo)).conclusion, 'confirmed');
});

plantTest(
  'partial: set aside with the silo named; mended in the silo map and retried, it is confirmed',
  async (plant) => {
    const components = [{ code: 'silo101', product: 'Pollard Angsa', quantity: 825 }];
    const [mo = ''] = await plant.queue({ components });
    await plant.read(mo, { silo_a: 5, silo_b: 7 });
    const pushed = await plant.push(mo);
    assert.equal(pushed.conclusion, 'partial');
    assert.match(pushed.reason, /silo102/);
    assert.equal(pushed.set_aside, true);
    assert.equal((await plant.row(mo)).update_odoo, false);
    assert.equal((await plant.push(mo)).skipped, 'set-aside');
    await plant.db.none('UPDATE mo_batch SET actual_consumption_silo_b = 0 WHERE mo_id = $1', [mo]);
    await plant.store.retry(mo);
    const mended = await plant.push(mo);
    assert.equal(mended.conclusion, 'confirmed', mended.reason);
  },
);

plantTest('cancelled by hand while queued: set aside with readings; without, the check tells it', async (plant) => {
  const [read = '', unread = ''] = await plant.queue({}, {});
  await plant.read(read, TEN);
  plant.odoo.cancel(read);
  plant.odoo.cancel(unread);
  const pushed = await plant.push(read);
  assert.equal(pushed.conclusion, 'order-cancelled');
  const row = await plant.row(read);
  assert.deepEqual([row.state, row.odoo_cancelled], ['set-aside', true]);
  const { closed, open } = await checkOrders(new AddonOrders(plant.client), silos, [
    { mo_id: unread },
    { mo_id: 'WH/MO/77777' },
  ]);
  assert.deepEqual(open, []);
  assert.deepEqual(
    closed.map(({ mo_id, state }) => [mo_id, state]),
    [
      [unread, 'cancel'],
      ['WH/MO/77777', 'unknown'],
    ],
  );
  assert.equal((await plant.store.setAside(closed)).length, 1);
  assert.equal((await plant.push(unread)).skipped, 'set-aside');
});

plantTest(
  'cancelled by hand with nothing above 0 to send: the state is read, not taken for confirmed',
  async (plant) => {
    const [mo = ''] = await plant.queue({});
    await plant.read(mo, { silo_a: 0 });
    plant.odoo.cancel(mo);
    assert.equal((await plant.push(mo)).conclusion, 'order-cancelled');
  },
);

plantTest('an order that Odoo does not know is set aside', async (plant) => {
  await plant.store.enqueue([{ mo_id: 'WH/MO/99999', consumption: 1, equipment_id_batch: '', finished_goods: '' }], 1);
  await plant.read('WH/MO/99999', TEN);
  const pushed = await plant.push('WH/MO/99999');
  assert.deepEqual([pushed.conclusion, pushed.set_aside], ['unknown-order', true]);
});

plantTest(
  'a batch that consumed nothing is confirmed by its stock moves; an update is not even sent',
  async (plant) => {
    const [mo = ''] = await plant.queue({});
    await plant.read(mo, { silo_a: 0, silo_b: 0.004 });
    const pushed = await plant.push(mo);
    assert.equal(pushed.conclusion, 'confirmed');
    assert.equal(plant.count(UPDATE), 0);
  },
);

plantTest('10 corrected to 0 reaches Odoo, also after a kill', async (plant) => {
  const [mo = ''] = await plant.queue({});
  await plant.read(mo, { silo_a: 10, silo_b: 20 });
  assert.equal((await plant.push(mo)).conclusion, 'confirmed');
  plant.restart();
  await plant.read(mo, { silo_a: 0, silo_b: 20 });
  const zeroed = await plant.push(mo);
  assert.equal(zeroed.conclusion, 'confirmed', zeroed.reason);
  const { silo101, silo102 } = plant.odoo.done(mo);
  assert.deepEqual([silo101, silo102], [0, 20]);
});

plantTest('10 corrected to 0 when only the lost push carried the 10', async (plant) => {
  const [mo = ''] = await plant.queue({});
  await plant.read(mo, { silo_a: 10 });
  plant.odoo.setFault({ kind: 'cutAfter', route: UPDATE });
  await plant.push(mo);
  await plant.pausesOver();
  await plant.read(mo, { silo_a: 0 });
  assert.equal((await plant.push(mo)).conclusion, 'confirmed');
  assert.equal(plant.odoo.done(mo).silo101, 0);
});

/** Odoo after somebody has given silo101 another code. */
class RenamedInOdoo extends OdooClient {
  override async order(...call: Parameters<OdooClient['order']>): Promise<OrderDetail | undefined> {
    const detail = await super.order(...call);
    for (const { equipment } of detail?.components_consumption ?? []) {
      if (equipment && equipment.code === 'silo101') equipment.code = 'silo901';
    }
    return detail;
  }
}

plantTest('an equipment code that is renamed in Odoo is never taken for a silo that holds 0', async (plant) => {
  const [mo = ''] = await plant.queue({});
  await plant.read(mo, { silo_a: 10 });
  await plant.push(mo, { readBack: true });
  plant.restart(RenamedInOdoo);
  await plant.read(mo, { silo_a: 0 });
  const pushed = await plant.push(mo);
  assert.equal(pushed.conclusion, 'partial');
  assert.match(pushed.reason, /silo_a \(silo101\): planned, but/);
  assert.equal((await plant.row(mo)).update_odoo, false);
});

plantTest('a silo emptied by SQL is set to 0 in Odoo, not forgotten there', async (plant) => {
  const [mo = ''] = await plant.queue({});
  await plant.store.record([plant.reading(mo, { silo_a: 10, silo_m: 125 })]);
  assert.equal((await plant.push(mo)).conclusion, 'confirmed');
  await plant.db.none('UPDATE mo_batch SET actual_consumption_silo_m = NULL');
  assert.equal((await plant.push(mo)).conclusion, 'confirmed');
  assert.equal(plant.odoo.done(mo).silo113, 0);
});

const RUNNING = { ...PLAN, lq_tetes: 0, lq_fml: 0 };

plantTest('a running push is one call: a silo that was never sent above 0 needs no proof of its 0', async (plant) => {
  const [mo = ''] = await plant.queue({});
  await plant.client.sessionInfo();
  const calls = async (weights: typeof RUNNING, finished?: number): Promise<string[]> => {
    const before = plant.odoo.calls.length;
    await plant.read(mo, weights, finished ? { finished } : {});
    const pushed = await plant.push(mo);
    assert.equal(pushed.conclusion, 'confirmed', pushed.reason);
    return plant.odoo.calls.slice(before).map(({ route }) => route);
  };
  assert.deepEqual(await calls(RUNNING), [UPDATE]);
  assert.deepEqual(await calls({ ...RUNNING, silo_a: 830 }, 100), [UPDATE]);
  assert.ok((await calls({ ...RUNNING, silo_b: 0 })).length > 1, 'a silo that was sent above 0');
  assert.equal(plant.odoo.done(mo).silo102, 0);
  assert.ok((await calls({ ...RUNNING, silo_b: 0, silo_a: 831 })).length > 1, 'ever: a call given up on may come late');
});

plantTest('killed while it sent: the next zero of that silo is proved', async (plant) => {
  const [mo = ''] = await plant.queue({});
  await plant.read(mo, { ...RUNNING, silo_b: 5 });
  const lease = await plant.ledger.lease({ mo_id: mo }, 'push', 10_000);
  assert.ok('batch' in lease);
  await plant.client.update(mo, { silo101: 825, silo102: 5 });
  await plant.db.none('UPDATE mo_batch SET lease_owner = NULL, lease_until = NULL');
  await plant.read(mo, { ...RUNNING, silo_b: 0 });
  assert.equal((await plant.push(mo)).conclusion, 'confirmed');
  assert.equal(plant.odoo.done(mo).silo102, 0);
});

plantTest('rows from before it was noted: every zero is proved', async (plant) => {
  const [mo = ''] = await plant.queue({});
  await plant.db.none('UPDATE mo_batch SET ever_sent = NULL');
  await plant.read(mo, { silo_a: 5, silo_b: 0 });
  await plant.client.update(mo, { silo102: 9 });
  assert.equal((await plant.push(mo)).conclusion, 'confirmed');
  assert.equal(plant.odoo.done(mo).silo102, 0);
});
