/** Recording readings: what is written, what is not, and what is kept for later. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Database } from '../../../nodes/lib/store/connection';
import {
  anotherPool,
  confirmed,
  done,
  finalReading,
  finishedBatch,
  freshStore,
  leased,
  moId,
  order,
  orders,
  reading,
  row,
} from '../../support/store';
import { startTcpProxy } from '../../support/tcp-proxy';

const outcomes = (recorded: { outcome: string }[]): string[] => recorded.map(({ outcome }) => outcome);

/** Physical versions of the queue's rows and number of events: what an idle cycle must leave alone. */
const versions = (db: Database): Promise<unknown> =>
  db.one(
    `SELECT (SELECT array_agg(ctid::text || xmin::text ORDER BY id) FROM mo_batch) AS rows, (SELECT count(*) FROM mo_events) AS events`,
  );

test('a reading is written to its row, raises the revision and becomes an event', async (t) => {
  const { store, db } = await freshStore(t);
  await store.enqueue(orders(1, 2), 10);
  const { before } = await db.one<{ before: Date }>('SELECT clock_timestamp() AS before');
  const recorded = await store.record([reading(1, { silo_a: 825.5, lq_fml: 600.3 }, 1)]);
  assert.deepEqual(outcomes(recorded), ['recorded']);
  const {
    actual_consumption_silo_a,
    actual_consumption_lq_fml,
    actual_consumption_silo_b,
    revision,
    update_odoo,
    last_read_from_plc,
  } = await row(db, 1);
  assert.deepEqual(
    [actual_consumption_silo_a, actual_consumption_lq_fml, actual_consumption_silo_b],
    [825.5, 600.3, null],
  );
  assert.deepEqual([revision, update_odoo], [1, false]);
  assert.ok((last_read_from_plc as Date) >= before, "by the database's clock, whatever that of the reader says");
  assert.equal((await row(db, 2)).revision, 0, 'the other row is left alone');
  const { events } = await store.trail(moId(1));
  assert.deepEqual(
    events.map(({ kind, detail }) => [kind, detail.source, detail.revision]),
    [
      ['queued', undefined, undefined],
      ['changed', 'plc', 1],
    ],
  );
});

test('unchanged readings change no row of the queue and write no event; only the line shows that it lives', async (t) => {
  const { store, db } = await freshStore(t);
  await store.enqueue(orders(1, 3), 10);
  await store.record(
    [1, 2, 3].map((n) =>
      reading(n, { silo_a: 100.1, silo_b: 600.3 }, 1, { actual_weight_quantity_finished_goods: 1000.1 }),
    ),
    'PLC01',
  );
  const before = await versions(db);
  const again = await store.record(
    [1, 2, 3].map((n) =>
      reading(n, { silo_a: 100.1, silo_b: 600.3 }, 2, { actual_weight_quantity_finished_goods: 1000.1 }),
    ),
    'PLC01',
  );
  assert.deepEqual(outcomes(again), ['unchanged', 'unchanged', 'unchanged']);
  assert.deepEqual(await versions(db), before);
  const seen = (await store.summary('PLC01')).last_read_at;
  assert.ok(seen && Date.now() - seen.getTime() < 60_000);
});

test('a message without readings still shows that the line lives', async (t) => {
  const { store } = await freshStore(t);
  assert.deepEqual(await store.record([], 'PLC01'), []);
  assert.ok((await store.summary('PLC01')).last_read_at);
});

test('a correction by hand is not undone by an unchanged PLC, field by field', async (t) => {
  const { store, db } = await freshStore(t);
  await store.enqueue([order(1)], 1);
  await store.record([reading(1, { silo_a: 100, silo_b: 200 }, 1)]);
  await db.none(`UPDATE mo_batch SET actual_consumption_silo_a = 111 WHERE mo_id = $1`, moId(1));
  await store.record([reading(1, { silo_a: 100, silo_b: 200 }, 2)]);
  await store.record([reading(1, { silo_a: 100, silo_b: 250 }, 3)]);
  const { actual_consumption_silo_a, actual_consumption_silo_b } = await row(db, 1);
  assert.deepEqual([actual_consumption_silo_a, actual_consumption_silo_b], [111, 250]);
});

test('a reading that names fewer silos keeps the others, and compares with what was said before', async (t) => {
  const { store, db } = await freshStore(t);
  await store.enqueue([order(1)], 1);
  await store.record([reading(1, { silo_a: 100, silo_b: 200 }, 1, { actual_weight_quantity_finished_goods: 900 })]);
  assert.deepEqual(outcomes(await store.record([reading(1, { silo_a: 100 }, 2)])), ['unchanged']);
  assert.deepEqual(outcomes(await store.record([reading(1, { silo_a: 101 }, 3)])), ['recorded']);
  assert.deepEqual(outcomes(await store.record([reading(1, { silo_b: 200 }, 4)])), ['unchanged']);
  const { actual_consumption_silo_a, actual_consumption_silo_b, actual_weight_quantity_finished_goods } = await row(
    db,
    1,
  );
  assert.deepEqual(
    [actual_consumption_silo_a, actual_consumption_silo_b, actual_weight_quantity_finished_goods],
    [101, 200, 900],
  );
});

test('the reading with status 1 writes final values and lock together; no later one changes the row', async (t) => {
  const { store, db } = await freshStore(t);
  await store.enqueue([order(1)], 1);
  await store.record([reading(1, { silo_a: 800 }, 1)]);
  await store.record([finalReading(1, { silo_a: 825.5 }, 2, 2499)]);
  const before = await versions(db);
  assert.deepEqual(outcomes(await store.record([reading(1, { silo_a: 0 }, 3)])), ['locked']);
  assert.deepEqual(outcomes(await store.record([finalReading(1, { silo_a: 825.5 }, 4, 2499)])), ['unchanged']);
  assert.deepEqual(await versions(db), before);
  const { actual_consumption_silo_a, status_manufacturing, actual_weight_quantity_finished_goods, completed_at } =
    await row(db, 1);
  assert.deepEqual(
    [actual_consumption_silo_a, status_manufacturing, actual_weight_quantity_finished_goods],
    [825.5, true, 2499],
  );
  assert.ok(completed_at);
});

test('a reading older than the last accepted one is refused, also when unchanged ones came in between', async (t) => {
  const { store, db } = await freshStore(t);
  await store.enqueue([order(1)], 1);
  await store.record([reading(1, { silo_a: 100 }, 1)], 'PLC01');
  await store.record([reading(1, { silo_a: 100 }, 5)], 'PLC01');
  assert.deepEqual(outcomes(await store.record([reading(1, { silo_a: 90 }, 4)], 'PLC01')), ['older']);
  assert.deepEqual(outcomes(await store.record([reading(1, { silo_a: 90 }, 4)], 'another reader')), ['older']);
  assert.equal((await row(db, 1)).actual_consumption_silo_a, 100);
});

test('a reading without an order in the queue is held, and applied when the order is queued, completion included', async (t) => {
  const { store, db } = await freshStore(t);
  assert.deepEqual(outcomes(await store.record([reading(1, { silo_a: 100, silo_b: 7 }, 1)])), ['held']);
  assert.deepEqual(outcomes(await store.record([finalReading(1, { silo_a: 825.5 }, 2)])), ['held']);
  assert.deepEqual(outcomes(await store.record([finalReading(1, { silo_a: 825.5 }, 3)])), ['held']);
  assert.deepEqual(
    outcomes(await store.record([reading(1, { silo_a: 0 }, 4)])),
    ['locked'],
    'a held completion is final',
  );
  const { held } = await store.summary();
  assert.deepEqual(
    held.map(({ mo_id, slot, completed }) => ({ mo_id, slot, completed })),
    [{ mo_id: moId(1), slot: 1, completed: true }],
  );

  const [batch] = await store.enqueue([order(1)], 1);
  assert.equal(batch?.state, 'completed');
  assert.deepEqual([batch?.actual_consumption_silo_a, batch?.actual_consumption_silo_b], [825.5, 7]);
  assert.equal((await store.due(10)).length, 1);
  assert.equal((await store.summary()).held.length, 0);
  assert.deepEqual(outcomes(await store.record([finalReading(1, { silo_a: 825.5 }, 5)])), ['unchanged']);
  assert.equal((await row(db, 1)).revision, 1);
});

test('a held reading gives way to newer ones only', async (t) => {
  const { store } = await freshStore(t);
  await store.record([reading(1, { silo_a: 100 }, 5)]);
  assert.deepEqual(outcomes(await store.record([reading(1, { silo_a: 90 }, 4)])), ['older']);
  const [batch] = await store.enqueue([order(1)], 1);
  assert.equal(batch?.actual_consumption_silo_a, 100);
});

test('an order archived as completed makes its readings stale; archived by hand they are held', async (t) => {
  const opened = await freshStore(t);
  const { store } = opened;
  const id = await finishedBatch(opened, 1);
  await store.archive([id], { status: 'completed' });
  const [queued] = await store.enqueue([order(2)], 1);
  await store.archive([queued?.id ?? ''], { status: 'failed', note: 'silo broke' });
  assert.deepEqual(
    outcomes(await store.record([finalReading(1, { silo_a: 825.5 }, 9), reading(2, { silo_a: 2 }, 9)])),
    ['stale', 'held'],
  );
});

test('a number entered a second time, and weighed again, is told as locked, not as stale', async (t) => {
  const opened = await freshStore(t);
  const { store } = opened;
  await store.archive([await finishedBatch(opened, 1)], { status: 'completed' });
  assert.deepEqual(outcomes(await store.record([finalReading(1, { silo_a: 300 }, 9)])), ['locked']);
});

test('a completed slot whose machine has stopped since is unchanged: it may be acknowledged', async (t) => {
  const { store } = await freshStore(t);
  await store.enqueue([order(1)], 1);
  await store.record([{ ...finalReading(1, { silo_a: 100 }, 1), status_operation: true }]);
  const stopped = { ...finalReading(1, { silo_a: 100 }, 2), status_operation: false };
  assert.deepEqual(outcomes(await store.record([stopped])), ['unchanged']);
});

test('a reading of a row that is set aside is kept in the row', async (t) => {
  const { store, ledger, db } = await freshStore(t);
  await store.enqueue([order(1)], 1);
  await store.record([reading(1, { silo_a: 100 }, 1)]);
  const { batch, owner } = await leased(ledger, 1);
  await ledger.settle(batch, owner, { conclusion: 'partial', reason: 'silo_a unknown', setAside: true, answers: [] });
  assert.deepEqual(outcomes(await store.record([reading(1, { silo_a: 120 }, 2)])), ['recorded']);
  assert.equal((await row(db, 1)).actual_consumption_silo_a, 120);
  assert.deepEqual(await store.due(10), []);
});

test('nobody sets update_odoo or the revision by hand', async (t) => {
  const { store, ledger, db } = await freshStore(t);
  await store.enqueue([order(1)], 1);
  await store.record([reading(1, { silo_a: 100 }, 1)]);
  await db.none('UPDATE mo_batch SET update_odoo = true, revision = 77');
  assert.deepEqual([(await row(db, 1)).update_odoo, (await row(db, 1)).revision], [false, 1]);
  const { batch, owner } = await leased(ledger, 1);
  await ledger.settle(batch, owner, confirmed({ silo_a: 100 }));
  assert.equal((await row(db, 1)).update_odoo, true);
  await db.none('UPDATE mo_batch SET actual_consumption_silo_a = 101, update_odoo = true');
  assert.deepEqual([(await row(db, 1)).update_odoo, (await row(db, 1)).revision], [false, 2]);
  const { events } = await store.trail(moId(1));
  assert.equal(events.at(-1)?.detail.source, 'sql');
});

test('recording costs one round trip, for one reading as for 64; lease and settlement two', async (t) => {
  const { store, address } = await freshStore(t);
  await store.enqueue(orders(1, 64), 100);
  const proxy = await startTcpProxy(address);
  t.after(() => proxy.stop());
  const counted = anotherPool(t, { ...address, port: proxy.port });
  // A connection sets its session up before its first work.
  await counted.db.one('SELECT 1 AS ready');
  const trips = async (work: () => Promise<unknown>): Promise<number> => {
    proxy.queries = 0;
    await work();
    return proxy.queries;
  };
  const readings = Array.from({ length: 64 }, (_, n) => reading(n + 1, { silo_a: n + 0.5, silo_b: 600.3 }, 2));
  assert.equal(await trips(() => counted.store.record([reading(1, { silo_a: 1 }, 1)])), 1);
  assert.equal(await trips(() => counted.store.record(readings)), 1);
  assert.equal(await trips(() => counted.store.record(readings)), 1, 'unchanged');
  assert.equal((await counted.store.due(100)).length, 64);
  const push = async (): Promise<void> => {
    const { batch, owner } = await leased(counted.ledger, 1);
    await counted.ledger.settle(batch, owner, confirmed({ silo_a: 0.5 }));
  };
  assert.equal(await trips(push), 2);
  assert.equal(await trips(() => counted.store.enqueue(orders(65, 90), 100)), 1);
  assert.equal(await trips(() => counted.store.archive(null, { status: 'completed' })), 1);
});

test('a history row without a PLC reading makes final weights stale only if it holds them', async (t) => {
  const { store, db } = await freshStore(t);
  // As the replaced system left it: float32 made float8, silos that were not used NULL.
  await db.none(
    `INSERT INTO mo_histories (mo_id, status, actual_consumption_silo_a, actual_weight_quantity_finished_goods)
     VALUES ($1, 'completed', 600.2999877929688, 2500)`,
    moId(1),
  );
  const outcome = async (consumption: object, finished = 2500): Promise<string[]> =>
    outcomes(await store.record([finalReading(1, consumption, 1, finished)]));
  assert.deepEqual(await outcome({ silo_a: 600.3, silo_b: 0 }), ['stale']);
  assert.deepEqual(await outcome({ silo_a: 600.3, silo_b: 5 }), ['locked']);
  assert.deepEqual(await outcome({ silo_a: 600.4 }), ['locked']);
  assert.deepEqual(await outcome({ silo_a: 600.3 }, 2400), ['locked']);
});

test('an order that was marked done by hand makes the same final weights stale when it is archived', async (t) => {
  const { store, ledger } = await freshStore(t);
  await store.enqueue([order(1)], 1);
  await store.record([reading(1, { silo_a: 100 }, 1)]);
  const { batch, owner } = await leased(ledger, 1, 'manual');
  await ledger.saveManual(batch, owner, { finished: 2500, completed: true }, done({ silo_a: 100 }));
  assert.equal((await store.archive(null, { status: 'completed' })).archived.length, 1);
  assert.deepEqual(outcomes(await store.record([finalReading(1, { silo_a: 100 }, 2)])), ['stale']);
  assert.deepEqual(outcomes(await store.record([finalReading(1, { silo_a: 110 }, 3)])), ['locked']);
});
