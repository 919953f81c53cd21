import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { type Step, nextStep } from '../../../nodes/lib/domain/handover';
import { type AreaLease, DatabaseHandoverLedger, handedOrder } from '../../../nodes/lib/store/handover';
import { anotherPool, freshStore, moId, order, orders, reading, row, type TestStore } from '../../support/store';

const LINE = 'PLC01';

async function plant(t: TestContext, n = 2): Promise<TestStore & { orders: DatabaseHandoverLedger; lease: AreaLease }> {
  const opened = await freshStore(t);
  await opened.store.enqueue(orders(1, n), n);
  const ledger = new DatabaseHandoverLedger(opened.db);
  const lease = await ledger.take(LINE, 60_000);
  assert.ok(lease);
  return { ...opened, orders: ledger, lease };
}

test('one writer has the order slots of a line, until it lets go or its time is over', async (t) => {
  const { address, orders, lease, db } = await plant(t);
  const second = new DatabaseHandoverLedger(anotherPool(t, address).db);
  assert.equal(await second.take(LINE, 60_000), undefined);
  assert.ok(await second.take('PLC02', 60_000));
  await orders.release(lease);
  const taken = await second.take(LINE, 60_000);
  assert.ok(taken);
  await db.none(`UPDATE mo_order_areas SET until = clock_timestamp() - interval '1 ms' WHERE line = $1`, LINE);
  assert.equal(await second.renew(taken, 60_000), false);
  assert.ok(await orders.take(LINE, 60_000));
});

test('whoever lost the slots changes nothing', async (t) => {
  const { orders, lease, db } = await plant(t);
  const batch = await orders.claim(lease, 1);
  assert.ok(batch);
  await db.none('UPDATE mo_order_areas SET owner = gen_random_uuid()');
  assert.equal(await orders.claim(lease, 2), null);
  for (const change of [orders.offer, orders.taken, orders.withdrawn, orders.letGo])
    assert.equal(await change(lease, batch), null);
  const after = await row(db, 1);
  assert.deepEqual([after.handed_slot, after.ready_at, after.taken_at], [1, null, null]);
});

test('orders are claimed in the order of the queue, each into one slot, each slot for one', async (t) => {
  const { orders, lease } = await plant(t, 3);
  assert.equal((await orders.claim(lease, 1))?.mo_id, moId(1));
  assert.equal(await orders.claim(lease, 1), null);
  assert.equal((await orders.claim(lease, 2, [moId(2)]))?.mo_id, moId(3));
  assert.equal((await orders.claim(lease, 3))?.mo_id, moId(2));
  assert.equal(await orders.claim(lease, 4), null);
});

test('an order that is set aside, begun by another way, of another line or wanted back is not claimed', async (t) => {
  const { orders, lease, store, db } = await plant(t, 4);
  await db.none(`UPDATE mo_batch SET set_aside_at = now() WHERE mo_id = $1`, moId(1));
  await store.record([reading(2, { silo_a: 1 }, 1)]);
  await db.none(`UPDATE mo_batch SET equipment_id_batch = 'PLC02' WHERE mo_id = $1`, moId(3));
  await orders.withdraw(moId(4));
  assert.equal(await orders.claim(lease, 1), null);
});

test('ready_at stands on the row once, and only for the plan that was written and read back', async (t) => {
  const { orders, lease, db } = await plant(t);
  const batch = await orders.claim(lease, 1);
  assert.ok(batch);
  await db.none(`UPDATE mo_batch SET consumption_silo_a = 900 WHERE mo_id = $1`, moId(1));
  assert.equal((await row(db, 1)).hand_back, 'plan');
  assert.equal(await orders.offer(lease, batch), null);
  const other = await orders.claim(lease, 2);
  assert.ok(other);
  assert.ok((await orders.offer(lease, other))?.ready_at);
  assert.equal(await orders.offer(lease, other), null);
});

test('an order whose plan changes is handed over anew, with the new plan, after it was withdrawn', async (t) => {
  const { orders, lease, db } = await plant(t, 1);
  const first = await orders.claim(lease, 1);
  assert.ok(first && (await orders.offer(lease, first)));
  await db.none(`UPDATE mo_batch SET consumption_silo_a = 900`);
  assert.equal((await orders.withdrawn(lease, first))?.ready_at, null);
  assert.ok(await orders.letGo(lease, first));
  const again = await orders.claim(lease, 2);
  assert.deepEqual([again?.mo_id, again?.consumption_silo_a, again?.hand_back], [moId(1), 900, null]);
});

test('what was taken is never claimed again, and a reading of it counts as taken', async (t) => {
  const { orders, lease, store, db } = await plant(t);
  const [first, second] = [await orders.claim(lease, 1), await orders.claim(lease, 2)];
  assert.ok(first && second);
  await orders.offer(lease, first);
  assert.ok((await orders.taken(lease, first))?.taken_at);
  await store.record([reading(2, { silo_a: 1 }, 1)]);
  const standing = await orders.standing(lease, 2, moId(2));
  assert.ok(standing && 'batch' in standing);
  assert.equal(handedOrder(standing.batch, '').taken, true);
  for (const batch of [first, second]) assert.ok((await orders.letGo(lease, batch))?.taken_at);
  assert.equal(await orders.claim(lease, 1), null);
  const kinds = await db.map(
    `SELECT kind FROM mo_events WHERE mo_id = $1 ORDER BY id`,
    moId(1),
    ({ kind }: { kind: string }) => kind,
  );
  assert.deepEqual(kinds.slice(-3), ['handed', 'offered', 'taken']);
});

test('a kill after ready_at: the slot shows no ready, and a person is asked, whose word sets the order free', async (t) => {
  const { orders, lease } = await plant(t, 1);
  const batch = await orders.claim(lease, 1);
  assert.ok(batch && (await orders.offer(lease, batch)));
  const blank = { number: moId(1), record: 'aa', ready: false, taken: false, echo: '', settled: false };
  const next = async (slot = blank): Promise<Step> => {
    const standing = await orders.standing(lease, 1, slot.number);
    return nextStep(standing && 'batch' in standing ? handedOrder(standing.batch, 'aa') : undefined, slot, 'bridge');
  };
  assert.deepEqual(await next(), { do: 'ask', problem: 'ready-gone' });
  assert.ok(await orders.ask(lease, batch, 'ready-gone'));
  assert.equal(await orders.ask(lease, batch, 'ready-gone'), null);
  assert.equal((await orders.withdraw(moId(1)))?.ready_at, null);
  assert.deepEqual(await next({ ...blank, settled: true }), { do: 'clear' });
});

test('a number that the database knows, but not in this slot, is told apart from one that nobody knows', async (t) => {
  const { orders, lease } = await plant(t, 1);
  assert.deepEqual(await orders.standing(lease, 3, moId(1)), { known: moId(1) });
  assert.equal(await orders.standing(lease, 3, 'WH/MO/99999'), undefined);
  assert.equal(await orders.standing(lease, 3, ''), undefined);
});

test('two writers never name one order for two slots', async (t) => {
  const { address, orders, lease, db, store } = await plant(t, 8);
  await store.enqueue([order(9)], 1);
  const second = new DatabaseHandoverLedger(anotherPool(t, address).db);
  const claimed = await Promise.all(
    Array.from({ length: 8 }, (_, i) => (i % 2 ? orders : second).claim(lease, (i >> 1) + 1)),
  );
  const got = claimed.flatMap((batch) => (batch ? [batch.mo_id] : []));
  assert.deepEqual([got.length, new Set(got).size], [4, 4]);
  const slots = await db.one<{ n: number }>(
    `SELECT count(DISTINCT handed_slot)::int AS n FROM mo_batch WHERE handed_slot IS NOT NULL`,
  );
  assert.equal(slots.n, 4);
});
