/** Orders that readings wait for: when Odoo is asked for them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Database } from '../../../nodes/lib/store/connection';
import type { UnqueuedOrder } from '../../../nodes/lib/store/batch-store';
import { anotherPool, finalReading, freshStore, moId, order, reading } from '../../support/store';

/** Time passes for what was asked (minutes). */
const pass = (db: Database, minutes: number): Promise<null> =>
  db.none('UPDATE mo_held_readings SET asked_at = asked_at - make_interval(mins => $<minutes>)', { minutes });
const names = (orders: readonly UnqueuedOrder[]): string[] => orders.map(({ mo_id }) => mo_id);

test('an order that a reading waits for is asked for at once, then after pauses from 5 minutes to an hour', async (t) => {
  const { store, db } = await freshStore(t);
  await store.record([finalReading(1, { silo_a: 825.5 }, 1)]);
  for (const [asks, pause] of [5, 10, 20, 40, 60, 60, 60].entries()) {
    const asked = await store.unqueued();
    assert.deepEqual(
      asked.map(({ mo_id, slot, asks: n }) => ({ mo_id, slot, asks: n })),
      [{ mo_id: moId(1), slot: 1, asks: asks + 1 }],
    );
    await pass(db, pause - 1);
    await store.record([finalReading(1, { silo_a: 825.5 }, 2 + asks)]);
    assert.deepEqual(await store.unqueued(), [], `before ${pause} minutes are over`);
    await pass(db, 1);
  }
});

test('the pause outlives a restart, and other readings of the order do not shorten it', async (t) => {
  const { store, address } = await freshStore(t);
  await store.record([reading(1, { silo_a: 10 }, 1)]);
  assert.deepEqual(names(await store.unqueued()), [moId(1)]);
  const restarted = anotherPool(t, address).store;
  await restarted.record([reading(1, { silo_a: 20 }, 2), reading(2, { silo_a: 5 }, 2)]);
  assert.deepEqual(names(await restarted.unqueued()), [moId(2)]);
});

test('two that ask at the same time do not both ask for one order', async (t) => {
  const { store, address } = await freshStore(t);
  await store.record([1, 2, 3].map((n) => reading(n, { silo_a: n }, 1)));
  const asked = await Promise.all([store.unqueued(), anotherPool(t, address).store.unqueued()]);
  assert.deepEqual(names(asked.flat()).sort(), [moId(1), moId(2), moId(3)]);
});

test('"retry now" ends the pauses, and a time that lies ahead binds nobody', async (t) => {
  const { store, db } = await freshStore(t);
  await store.record([reading(1, { silo_a: 10 }, 1)]);
  await store.unqueued();
  assert.deepEqual(await store.unqueued(), []);
  await store.retry(null);
  assert.deepEqual(
    (await store.unqueued()).map(({ asks }) => asks),
    [1],
  );
  await db.none(`UPDATE mo_held_readings SET asked_at = now() + interval '1 year'`);
  assert.deepEqual(names(await store.unqueued()), [moId(1)]);
});

test('only readings that wait for their order ask for one: not what a person decides about, nor what waits for its row', async (t) => {
  const { store, db } = await freshStore(t);
  await store.record([finalReading(1, { silo_a: 825.5 }, 1)]);
  await store.record([finalReading(2, { silo_a: 825.5 }, 2, 2500)].map((typed) => ({ ...typed, slot: 1 })));
  const reasons = await db.any('SELECT mo_id, reason FROM mo_held_readings ORDER BY mo_id');
  assert.deepEqual(reasons, [
    { mo_id: moId(1), reason: null },
    { mo_id: moId(2), reason: 'foreign-weights' },
  ]);
  await store.enqueue([order(3)], 1);
  await db.none(`INSERT INTO mo_held_readings (mo_id, reading) VALUES ($<mo_id>, '{"slot": 3}')`, { mo_id: moId(3) });
  assert.deepEqual(names(await store.unqueued()), [moId(1)]);
});

test('a line asks for its own', async (t) => {
  const { store } = await freshStore(t);
  await store.record([reading(1, { silo_a: 10 }, 1)], 'PLC01');
  await store.record([reading(2, { silo_a: 10 }, 1)], 'PLC02');
  assert.deepEqual(names(await store.unqueued('PLC02')), [moId(2)]);
  assert.deepEqual(names(await store.unqueued()), [moId(1)]);
});
