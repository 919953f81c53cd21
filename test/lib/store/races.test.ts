/** What happens at the same time, with two pools on one database: whoever comes first, nothing is lost, doubled or stranded. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LOCKS } from '../../../nodes/lib/store/connection';
import {
  anotherPool,
  confirmed,
  finalReading,
  finishedBatch,
  freshStore,
  leased,
  moId,
  order,
  orders,
  reading,
  row,
  whileQueueIsLocked,
} from '../../support/store';

for (const first of ['enqueue', 'record'] as const) {
  test(`a reading is never stranded when its order is queued at the same moment (${first} first)`, async (t) => {
    const opened = await freshStore(t);
    const other = anotherPool(t, opened.address);
    await whileQueueIsLocked(opened, LOCKS.queue, async (waiting) => {
      const enqueue = () => opened.store.enqueue([order(1)], 1);
      const record = () => other.store.record([reading(1, { silo_a: 100 }, 1)]);
      const begun = first === 'enqueue' ? enqueue() : record();
      await waiting(1);
      const then = first === 'enqueue' ? record() : enqueue();
      await waiting(2);
      return [begun, then];
    });
    assert.equal((await row(opened.db, 1)).actual_consumption_silo_a, 100);
    assert.deepEqual((await opened.store.summary()).held, []);
  });
}

for (const first of ['archive', 'enqueue'] as const) {
  test(`an order that is just being archived is not queued again (${first} first)`, async (t) => {
    const opened = await freshStore(t);
    const other = anotherPool(t, opened.address);
    const id = await finishedBatch(opened, 1);
    await whileQueueIsLocked(opened, LOCKS.queue, async (waiting) => {
      const archive = () => opened.store.archive([id], { status: 'completed' });
      const enqueue = () => other.store.enqueue([order(1)], 1);
      const begun = first === 'archive' ? archive() : enqueue();
      await waiting(1);
      const then = first === 'archive' ? enqueue() : archive();
      await waiting(2);
      return [begun, then] as [Promise<unknown>, Promise<unknown>];
    });
    const { batch, history } = await opened.store.trail(moId(1));
    assert.deepEqual([batch, history.length], [null, 1]);
  });
}

for (const first of ['archive', 'record'] as const) {
  test(`a reading of an order that is just being archived is stale or unchanged, never held (${first} first)`, async (t) => {
    const opened = await freshStore(t);
    const other = anotherPool(t, opened.address);
    const id = await finishedBatch(opened, 1);
    const outcome = await whileQueueIsLocked<readonly unknown[]>(opened, LOCKS.queue, async (waiting) => {
      const archive = () => opened.store.archive([id], { status: 'completed' });
      const record = () => other.store.record([finalReading(1, { silo_a: 825.5 }, 9)]);
      const begun = first === 'archive' ? archive() : record();
      await waiting(1);
      const then = first === 'archive' ? record() : archive();
      await waiting(2);
      return [begun, then];
    });
    const recorded = outcome.find(Array.isArray) as { outcome: string }[];
    assert.deepEqual(
      recorded.map((one) => one.outcome),
      [first === 'archive' ? 'stale' : 'unchanged'],
    );
    const { held, history } = await opened.store.trail(moId(1));
    assert.deepEqual([held, history.length], [null, 1]);
  });
}

test('an order is archived or leased, never both', async (t) => {
  const opened = await freshStore(t);
  const other = anotherPool(t, opened.address);
  for (let n = 1; n <= 20; n += 1) {
    const id = await finishedBatch(opened, n);
    const [{ archived }, taken] = await Promise.all([
      opened.store.archive([id], { status: 'failed', note: 'race' }),
      other.ledger.lease({ id }, 'manual', 60_000),
    ]);
    assert.notEqual(archived.length === 1, 'owner' in taken, `order ${n}`);
  }
});

test('orders queued by two Node-REDs at once are queued once, with batch numbers of their own', async (t) => {
  const opened = await freshStore(t);
  const other = anotherPool(t, opened.address);
  const queued = await Promise.all(
    [opened, other, opened, other].map(({ store }, n) => store.enqueue(orders(1 + n, 10 + n), 20)),
  );
  assert.equal(queued.flat().length, 13);
  assert.equal(new Set(queued.flat().map(({ batch_no }) => batch_no)).size, 13);
});

test('readings of two readers end with the newest one, in whichever order they come', async (t) => {
  const opened = await freshStore(t);
  const other = anotherPool(t, opened.address);
  await opened.store.enqueue(orders(1, 8), 10);
  for (let minute = 1; minute <= 20; minute += 2) {
    // In opposite orders: rows that are locked one after the other would make the two wait for each other.
    const readings = (at: number) => Array.from({ length: 8 }, (_, n) => reading(n + 1, { silo_a: at + 0.25 }, at));
    await Promise.all([opened.store.record(readings(minute)), other.store.record(readings(minute + 1).reverse())]);
    for (let n = 1; n <= 8; n += 1) assert.equal((await row(opened.db, n)).actual_consumption_silo_a, minute + 1.25);
  }
});

test('a reading that comes with a settlement is kept, and the row counts as confirmed only without it', async (t) => {
  const opened = await freshStore(t);
  const other = anotherPool(t, opened.address);
  await opened.store.enqueue([order(1)], 1);
  for (let minute = 1; minute <= 15; minute += 1) {
    await opened.store.record([reading(1, { silo_a: minute }, 2 * minute)]);
    const { batch, owner } = await leased(opened.ledger, 1);
    await Promise.all([
      opened.ledger.settle(batch, owner, confirmed({ silo_a: minute })),
      other.store.record([reading(1, { silo_a: minute + 0.5 }, 2 * minute + 1)]),
    ]);
    const { actual_consumption_silo_a, update_odoo } = await row(opened.db, 1);
    assert.deepEqual([actual_consumption_silo_a, update_odoo], [minute + 0.5, false]);
  }
});

test('a batch completed by hand in an open transaction is not waited for, and keeps what the person said', async (t) => {
  const opened = await freshStore(t);
  const other = anotherPool(t, opened.address);
  await opened.store.enqueue([order(1)], 1);
  await opened.store.record([reading(1, { silo_a: 100 }, 1)]);
  await opened.db.tx(async (tx) => {
    await tx.none(`UPDATE mo_batch SET status_manufacturing = true, actual_consumption_silo_a = 111`);
    const [held] = await other.store.record([reading(1, { silo_a: 105 }, 2)]);
    assert.deepEqual([held?.outcome, held?.reason], ['held', 'locked-row']);
  });
  const [after] = await other.store.record([reading(1, { silo_a: 105 }, 3)]);
  assert.equal(after?.outcome, 'locked');
  assert.equal((await row(opened.db, 1)).actual_consumption_silo_a, 111);
  assert.deepEqual((await opened.store.summary()).held, []);
});
