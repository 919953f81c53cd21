/** Another session holds rows locked, e.g. an open transaction in an SQL tool: what it holds is left and named, the rest is done. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { Reading } from '../../../nodes/lib/domain/reading';
import { LOCKS, type Task } from '../../../nodes/lib/store/connection';
import type { Left } from '../../../nodes/lib/store/set-aside';
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
  type TestStore,
} from '../../support/store';

/** Far below the 15 s that a statement waits for a lock, far above what a busy machine takes without waiting (ms). */
const NOT_LONG = 5_000;
const NAMED =
  /another program holds its row locked, perhaps an open transaction in an SQL tool: end it, then try again/;
const ROW_1 = `SELECT FROM mo_batch WHERE mo_id = '${moId(1)}' FOR UPDATE`;

/**
 * Does work while a session of somebody else holds rows locked: it does not take long, and the queue's lock is free all the
 * while, but for moments.
 */
async function whileLocked<T>(t: TestContext, opened: TestStore, locked: string, work: () => Promise<T>): Promise<T> {
  const { db } = anotherPool(t, opened.address);
  const began = performance.now();
  const { done } = await db.tx(async (tx: Task) => {
    assert.notEqual((await tx.any(locked)).length, 0, 'something is locked');
    const done = await work().then(
      (value) => ({ value }),
      (error: unknown) => ({ error }),
    );
    const free = 'SELECT pg_try_advisory_xact_lock($1) AS free';
    assert.equal((await tx.one<{ free: boolean }>(free, LOCKS.queue)).free, true, 'the lock of the queue is free');
    return { done };
  });
  assert.ok(performance.now() - began < NOT_LONG, 'nothing waited long');
  if ('error' in done) throw done.error;
  return done.value;
}

const names = (rows: readonly { mo_id: string | null }[]): (string | null)[] => rows.map(({ mo_id }) => mo_id);
const CLOSED = [1, 2].map((n) => ({ mo_id: moId(n), reason: 'cancelled in Odoo' }));

test('of orders that Odoo has closed, the row that is locked is left and named, and set aside the next time', async (t) => {
  const opened = await freshStore(t);
  const { store } = opened;
  await store.enqueue(orders(1, 2), 10);
  const left: Left[] = [];
  const aside = await whileLocked(t, opened, ROW_1, () => store.setAside(CLOSED, (one) => left.push(one)));
  assert.deepEqual([names(aside), names(left)], [[moId(2)], [moId(1)]]);
  assert.match(left[0]?.reason ?? '', NAMED);
  assert.deepEqual(names(await store.setAside(CLOSED)), [moId(1)]);
  const kinds = (await store.trail(moId(2))).events.map(({ kind }) => kind);
  assert.deepEqual(kinds, ['queued', 'set-aside'], 'once, however often it was tried');
});

test('"retry now" of all brings back what is free and names what is locked; of the locked one it says why', async (t) => {
  const opened = await freshStore(t);
  const { store } = opened;
  await store.enqueue(orders(1, 2), 10);
  await store.setAside(CLOSED);
  const left: Left[] = [];
  const retry = (which: string | null) => () => store.retry(which, '', (one) => left.push(one));
  assert.deepEqual(names(await whileLocked(t, opened, ROW_1, retry(null))), [moId(2)]);
  assert.deepEqual(names(left), [moId(1)]);
  assert.match(left[0]?.reason ?? '', NAMED);
  await assert.rejects(whileLocked(t, opened, ROW_1, retry(moId(1))), (error: Error) => {
    assert.match(error.message, NAMED);
    assert.match(error.message, /^MO WH\/MO\/00001: /);
    return true;
  });
  assert.deepEqual(names(await store.retry(moId(1))), [moId(1)]);
});

test('"retry now" does not wait for a held reading that is locked', async (t) => {
  const opened = await freshStore(t);
  const { store } = opened;
  await store.enqueue(orders(1, 2), 10);
  await store.setAside(CLOSED);
  await store.record([reading(3, { silo_a: 1 }, 1)]);
  const held = 'SELECT mo_id FROM mo_held_readings FOR UPDATE';
  assert.equal((await whileLocked(t, opened, held, () => store.retry(null))).length, 2);
});

test('archiving all that may go leaves the locked row and names it; a named one stays with the reason', async (t) => {
  const opened = await freshStore(t);
  const { store } = opened;
  const ids = [await finishedBatch(opened, 1), await finishedBatch(opened, 2)];
  const all = await whileLocked(t, opened, ROW_1, () => store.archive(null, { status: 'completed' }));
  assert.deepEqual([names(all.archived), names(all.kept)], [[moId(2)], [moId(1)]]);
  assert.match(all.kept[0]?.reason ?? '', NAMED);
  for (const status of ['completed', 'failed'] as const) {
    const one = await whileLocked(t, opened, ROW_1, () => store.archive(ids, { status, note: 'by hand' }));
    assert.deepEqual([names(one.archived), names(one.kept)], [[], [moId(1)]]);
    assert.match(one.kept[0]?.reason ?? '', NAMED);
  }
  assert.deepEqual(names((await store.archive(null, { status: 'completed' })).archived), [moId(1)]);
});

test('a row that is free again in a moment is archived, not reported', async (t) => {
  const opened = await freshStore(t);
  const id = await finishedBatch(opened, 1);
  const other = anotherPool(t, opened.address);
  const { archiving } = await other.db.tx(async (tx) => {
    await tx.any(ROW_1);
    const archiving = opened.store.archive([id], { status: 'completed' });
    // Until it has been tried once, and came too early.
    const tried = `SELECT count(*)::int AS n FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND state = 'idle'
      AND datname = current_database() AND query LIKE '%WITH free AS%'`;
    for (let n = 0; n === 0;) ({ n } = await other.db.one<{ n: number }>(tried));
    return { archiving };
  });
  assert.deepEqual(names((await archiving).archived), [moId(1)]);
});

const X = 1;
const Y = 2;
const shows = (n: number, more: Partial<Reading> = {}): Reading => ({
  ...finalReading(n, { silo_a: 825.5 }, 1),
  ...{ slot: 1, source: 's7' },
  ...more,
});

for (const [what, locked] of [
  ['row', `SELECT FROM mo_batch WHERE mo_id = '${moId(Y)}' FOR UPDATE`],
  ['held reading', 'SELECT mo_id FROM mo_held_readings FOR UPDATE'],
  ['slot', 'SELECT slot FROM mo_slots FOR UPDATE'],
] as const) {
  for (const decision of ['accept', 'discard'] as const) {
    test(`"${decision}" of an order whose ${what} is locked says so and changes nothing`, async (t) => {
      const opened = await freshStore(t);
      const { store } = opened;
      await store.enqueue(orders(X, Y), 10);
      for (const n of [X, Y]) await store.record([shows(n)], 'PLC01');
      const decide = () => store[decision](moId(Y), { by: 'anna' });
      await assert.rejects(whileLocked(t, opened, locked, decide), (error: Error) => {
        assert.match(error.message, NAMED);
        assert.match(error.message, /^MO WH\/MO\/00002: /);
        return true;
      });
      assert.equal((await store.summary()).held.length, 1);
      assert.equal((await decide())?.batch?.state, decision === 'accept' ? 'completed' : 'queued');
      assert.deepEqual((await store.summary()).held, []);
    });
  }
}

test('"close all the same" of a row that is locked says so, waits for nobody and changes nothing', async (t) => {
  const opened = await freshStore(t);
  const { store } = opened;
  await store.enqueue([order(1)], 1);
  await store.record([finalReading(1, { silo_a: 1 }, 1)]);
  const close = () => store.closeAnyway(moId(1), { by: 'anna' });
  await assert.rejects(whileLocked(t, opened, ROW_1, close), (error: Error) => {
    assert.match(error.message, NAMED);
    assert.match(error.message, /^MO WH\/MO\/00001: /);
    return true;
  });
  assert.equal((await row(opened.db, 1)).close_anyway, null);
  assert.equal((await close())?.close_anyway, 1);
});

async function queuedOne(t: TestContext): Promise<TestStore> {
  const opened = await freshStore(t);
  await opened.store.enqueue([order(1)], 1);
  await opened.store.record([reading(1, { silo_a: 100 }, 1)]);
  return opened;
}

test('a call by hand gets no lease on a locked row, and is told why', async (t) => {
  const opened = await queuedOne(t);
  const { ledger } = opened;
  const call = { call: { consumption: { silo_a: 105 } }, completed: false };
  const lease = () => ledger.lease({ mo_id: moId(1) }, 'manual', 60_000, call);
  const taken = await whileLocked(t, opened, ROW_1, lease);
  assert.equal('refused' in taken && taken.refused, 'locked');
  assert.equal((await row(opened.db, 1)).pending_call, null, 'nothing is about to be sent');
  assert.ok('owner' in (await lease()));
});

test('what a call by hand sent stays unsettled while its row is locked, and the error names the order', async (t) => {
  const opened = await queuedOne(t);
  const { ledger, db } = opened;
  const sent = { silo_a: 105 };
  const taken = await ledger.lease({ mo_id: moId(1) }, 'manual', 60_000, {
    call: { consumption: sent },
    completed: false,
  });
  if ('refused' in taken) return assert.fail(taken.refused);
  const { batch, owner } = taken;
  const save = () => ledger.saveManual(batch, owner, { consumption: sent }, confirmed(sent));
  await assert.rejects(whileLocked(t, opened, ROW_1, save), (error: Error) => {
    assert.match(error.message, NAMED);
    assert.match(error.message, /^MO WH\/MO\/00001: /);
    return true;
  });
  const { pending_call } = (await row(db, 1)) as { pending_call?: { consumption?: object } };
  assert.deepEqual(pending_call?.consumption, sent);
  assert.equal((await save())?.actual_consumption_silo_a, 105);
});

test('settling a call by hand does not wait long for a locked row, and names the order', async (t) => {
  const opened = await queuedOne(t);
  const { batch, owner } = await leased(opened.ledger, 1);
  const known = { settled: { consumption: { silo_a: 105 } }, arrived: {} };
  const settle = () => opened.ledger.settleCalls(batch, owner, known, 'it had not arrived');
  await assert.rejects(whileLocked(t, opened, ROW_1, settle), /^Error: MO WH\/MO\/00001: another program/);
  assert.notEqual(await settle(), null);
});

test('a lease whose row is locked when it is given back ends by the clock', async (t) => {
  const opened = await queuedOne(t);
  const { batch, owner } = await leased(opened.ledger, 1);
  await whileLocked(t, opened, ROW_1, () => opened.ledger.release(batch.id, owner));
  assert.equal((await row(opened.db, 1)).lease_owner, owner);
  await opened.ledger.release(batch.id, owner);
  assert.equal((await row(opened.db, 1)).lease_owner, null);
});

test('a locked row does not keep the readings of others from being saved, and its own is applied once it is free', async (t) => {
  const opened = await freshStore(t);
  const { store, db } = opened;
  await store.enqueue(orders(1, 2), 10);
  const final = [1, 2].map((n) => finalReading(n, { silo_a: 825.5 }, 1));
  const told = async () => (await store.record(final, 'PLC01')).map(({ outcome, reason }) => [outcome, reason ?? '']);
  assert.deepEqual(await whileLocked(t, opened, ROW_1, told), [
    ['held', 'locked-row'],
    ['recorded', ''],
  ]);
  assert.deepEqual(
    (await store.summary()).held.map(({ mo_id, reason, completed }) => [mo_id, reason, completed]),
    [[moId(1), 'locked-row', true]],
  );
  // The slot is cleared meanwhile: what it told is applied all the same.
  await store.record([], 'PLC01');
  const { status_manufacturing, actual_consumption_silo_a } = await row(db, 1);
  assert.deepEqual([status_manufacturing, actual_consumption_silo_a], [true, 825.5]);
  assert.deepEqual((await store.summary()).held, []);
});

for (const table of ['mo_held_readings', 'mo_slots', 'mo_lines']) {
  test(`rows of ${table} that are locked keep no reading from being saved, or held and applied later`, async (t) => {
    const opened = await freshStore(t);
    const { store, db } = opened;
    await store.enqueue(orders(1, 2), 10);
    const shown = (minute: number): Reading[] =>
      [1, 2, 3].map((n) => reading(n, { silo_a: 10 * minute + n }, minute, { source: 's7' }));
    await store.record(shown(1), 'PLC01');
    const recorded = await whileLocked(t, opened, `SELECT line FROM ${table} FOR UPDATE`, () =>
      store.record(shown(2), 'PLC01', { source: 's7' }),
    );
    assert.deepEqual(
      recorded.map(({ outcome }) => outcome),
      ['recorded', 'recorded', 'held'],
    );
    assert.equal((await row(db, 2)).actual_consumption_silo_a, 22);
    await store.record(shown(3), 'PLC01');
    const [queued] = await store.enqueue([order(3)], 1);
    assert.equal(queued?.actual_consumption_silo_a, 33);
  });
}
