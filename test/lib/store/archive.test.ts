/** Leaving the queue: into the history only, in one statement, complete. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  confirmed,
  finalReading,
  finishedBatch,
  freshStore,
  leased,
  moId,
  order,
  orders,
  reading,
} from '../../support/store';

test('a batch goes as completed only when it is confirmed as it stands and read back as done', async (t) => {
  const { store, ledger } = await freshStore(t);
  await store.enqueue([order(1)], 1);
  const [id = ''] = await store.idsOf(moId(1));
  const kept = async (requires: 'done' | 'confirmed' = 'done'): Promise<unknown> =>
    (await store.archive([id], { status: 'completed', requires })).kept.map(({ reason }) => reason);
  assert.deepEqual(await kept(), ['not completed']);
  await store.record([finalReading(1, { silo_a: 825.5 }, 1)]);
  assert.deepEqual(await kept('confirmed'), ['Odoo has not confirmed its last values']);
  const { batch, owner } = await leased(ledger, 1);
  assert.deepEqual(await kept(), ['a push of it is running']);
  await ledger.settle(batch, owner, confirmed({ silo_a: 825.5 }));
  assert.deepEqual(await kept(), ['not read back as done in Odoo']);
  assert.deepEqual(await kept('confirmed'), [], 'where mark-done is switched off, the confirmation is enough');
  assert.equal((await store.trail(moId(1))).history[0]?.status, 'completed');
});

test('the four figures per silo, the batch number and the note go along', async (t) => {
  const opened = await freshStore(t);
  const { store, db } = opened;
  const id = await finishedBatch(opened, 1);
  const { archived } = await store.archive([id], { status: 'completed', note: 'night shift' });
  assert.deepEqual(archived, [{ id, mo_id: moId(1), batch_no: 1, status: 'completed' }]);
  assert.equal((await db.one<{ n: number }>('SELECT count(*)::int AS n FROM mo_batch')).n, 0);
  const { history, batch, silos, events } = await store.trail(moId(1));
  assert.equal(batch, null);
  assert.deepEqual(silos, [
    { silo: 'silo_a', component: 'Pollard', planned: 825, read: 825.5, sent: 825.5, confirmed: 825.5 },
  ]);
  assert.deepEqual([history[0]?.notes, history[0]?.done_readback?.state], ['night shift', 'done']);
  assert.ok(history[0]?.archived_at);
  assert.deepEqual(
    events.map(({ kind }) => kind),
    ['queued', 'changed', 'push', 'archived'],
  );
});

test('all that may go goes in one statement, the rest stays', async (t) => {
  const opened = await freshStore(t);
  for (const n of [1, 2, 3]) await finishedBatch(opened, n);
  await opened.store.enqueue(orders(4, 6), 10);
  await opened.store.record([finalReading(4, { silo_a: 1 }, 1), reading(5, { silo_a: 1 }, 1)]);
  const { archived, kept } = await opened.store.archive(null, { status: 'completed' });
  assert.deepEqual(
    archived.map(({ mo_id }) => mo_id),
    [1, 2, 3].map(moId),
  );
  assert.deepEqual(kept, []);
  assert.equal((await opened.store.summary()).queue, 3);
});

test('a batch is archived once, and one of another line is left to it', async (t) => {
  const opened = await freshStore(t);
  const id = await finishedBatch(opened, 1);
  const other = await opened.store.archive([id], { status: 'completed', line: 'PLC02' });
  assert.deepEqual(other, { archived: [], kept: [{ id, mo_id: moId(1), reason: 'it belongs to line PLC01' }] });
  assert.equal((await opened.store.archive([id], { status: 'completed' })).archived.length, 1);
  assert.deepEqual(await opened.store.archive([id], { status: 'completed' }), { archived: [], kept: [] });
});

test('as cancelled or failed goes any row that is named, but none unnamed and none under a live lease', async (t) => {
  const { store, ledger } = await freshStore(t);
  await store.enqueue(orders(1, 2), 10);
  await store.record([reading(1, { silo_a: 100 }, 1)]);
  await assert.rejects(store.archive(null, { status: 'failed', note: 'all' }), /needs the rows to be named/);
  const ids = [...(await store.idsOf(moId(1))), ...(await store.idsOf(moId(2)))];
  const { batch, owner } = await leased(ledger, 1);
  const first = await store.archive(ids, { status: 'cancelled', note: 'line stopped' });
  assert.deepEqual(
    [first.archived.map(({ mo_id }) => mo_id), first.kept.map(({ reason }) => reason)],
    [[moId(2)], ['a push of it is running']],
  );
  await ledger.settle(batch, owner, {
    conclusion: 'order-cancelled',
    reason: 'cancelled',
    setAside: true,
    cancelled: true,
    answers: [],
  });
  const completed = await store.archive([batch.id], { status: 'completed' });
  assert.deepEqual(
    completed.kept.map(({ reason }) => reason),
    ['set aside: cancelled'],
  );
  const [gone] = (await store.archive([batch.id], { status: 'failed', note: 'cancelled in Odoo' })).archived;
  assert.equal(gone?.status, 'failed');
});

test('a held reading is discarded only while its order is not queued, and its event keeps it', async (t) => {
  const { store } = await freshStore(t);
  await store.record([finalReading(1, { silo_a: 5 }, 1), reading(2, { silo_a: 6 }, 1)], 'PLC01');
  assert.equal(await store.discardHeld(moId(1), 'failed', 'typed wrong on the panel'), true);
  assert.equal(await store.discardHeld(moId(1), 'failed', 'again'), false);
  const { held, events } = await store.trail(moId(1));
  assert.equal(held, null);
  assert.deepEqual(
    events.map(({ kind, line, detail }) => [kind, line, detail.note, (detail.reading as { mo_id: string }).mo_id]),
    [['discarded', 'PLC01', 'typed wrong on the panel', moId(1)]],
  );
  const [batch] = await store.enqueue([order(2)], 1);
  assert.equal(batch?.actual_consumption_silo_a, 6);
  assert.equal(await store.discardHeld(moId(2), 'failed', 'too late'), false);
});
