/** The trail of an order, and how long it is kept. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  done,
  finalReading,
  finishedBatch,
  freshStore,
  leased,
  moId,
  order,
  orders,
  reading,
} from '../../support/store';

test('the trail of an order tells planned, read, sent and confirmed per silo, and when', async (t) => {
  const { store, ledger, db } = await freshStore(t);
  await store.enqueue([order(1, { component_silo_b_name: 'Copra', consumption_silo_b: 600 })], 1);
  await store.record([reading(1, { silo_a: 400 }, 1)]);
  await store.record([finalReading(1, { silo_a: 825.5, silo_b: 600.3 }, 2)]);
  await db.none('UPDATE mo_batch SET actual_consumption_silo_b = 601');
  const { batch, owner } = await leased(ledger, 1, 'finish');
  await ledger.settle(batch, owner, done({ silo_a: 825.5, silo_b: 601 }));
  const trail = await store.trail(moId(1));
  assert.deepEqual(trail.silos, [
    { silo: 'silo_a', component: 'Pollard', planned: 825, read: 825.5, sent: 825.5, confirmed: 825.5 },
    { silo: 'silo_b', component: 'Copra', planned: 600, read: 601, sent: 601, confirmed: 601 },
  ]);
  assert.equal(trail.batch?.state, 'done');
  assert.deepEqual(
    trail.events.map(({ kind, detail }) => [kind, detail.source ?? detail.conclusion]),
    [
      ['queued', undefined],
      ['changed', 'plc'],
      ['changed', 'plc'],
      ['changed', 'sql'],
      ['push', 'confirmed'],
    ],
  );
  const times = trail.events.map(({ at }) => at.getTime());
  assert.deepEqual(
    times,
    [...times].sort((a, b) => a - b),
  );
  assert.deepEqual(trail.events[2]?.detail.values, {
    actual_consumption_silo_a: 825.5,
    actual_consumption_silo_b: 600.3,
    actual_weight_quantity_finished_goods: 2500,
    status_manufacturing: true,
  });
});

test('an order that nobody knows has an empty trail; one that is only read shows the held reading', async (t) => {
  const { store } = await freshStore(t);
  await store.record([reading(2, { silo_a: 5 }, 1)]);
  assert.deepEqual(await store.trail(moId(1)), {
    mo_id: moId(1),
    silos: [],
    batch: null,
    history: [],
    held: null,
    events: [],
  });
  assert.deepEqual((await store.trail(moId(2))).held?.consumption, { silo_a: 5 });
});

test('old events of archived orders are pruned; young ones, and those of queued orders, stay', async (t) => {
  const opened = await freshStore(t);
  const { store, db } = opened;
  await store.archive([await finishedBatch(opened, 1)], { status: 'completed' });
  await store.enqueue(orders(2, 3), 10);
  // Archived by hand and queued again: a queued order, however old its history is.
  await store.archive(await store.idsOf(moId(3)), { status: 'failed', note: 'again' });
  await store.enqueue([order(3)], 1, moId(3));
  await db.none(`UPDATE mo_events SET at = at - interval '400 days' WHERE kind <> 'archived'`);
  assert.equal(await store.pruneEvents(365), 3);
  const kinds = async (n: number): Promise<string[]> => (await store.trail(moId(n))).events.map(({ kind }) => kind);
  assert.deepEqual(await kinds(1), ['archived']);
  assert.deepEqual(await kinds(2), ['queued']);
  assert.deepEqual(await kinds(3), ['queued', 'archived', 'queued']);
  assert.equal(await store.pruneEvents(365), 0);
});
