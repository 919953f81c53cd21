/** What displays show: the queue with its figures, and what each hour brought. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sumForOdoo } from '../../../nodes/lib/domain/weight';
import { Reports } from '../../../nodes/lib/store/reports';
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
  row,
} from '../../support/store';

const HOUR = 3_600_000;

test('the list shows every row with its figures, its slot and when a reading last named it', async (t) => {
  const { store, ledger, db } = await freshStore(t);
  const reports = new Reports(db);
  await store.enqueue([order(1, { component_silo_b_name: 'Copra', consumption_silo_b: 600.005 }), order(2)], 10);
  await store.record([reading(1, { silo_a: 400.124, silo_b: 10.005 }, 1, { slot: 4 })]);
  const { batch, owner } = await leased(ledger, 1);
  await ledger.settle(batch, owner, confirmed({ silo_a: 400.12, silo_b: 10.01 }));
  await store.setAside([{ mo_id: moId(2), reason: 'cancelled in Odoo' }]);
  // An unchanged reading: seen, though nothing is written.
  await store.record([reading(1, { silo_a: 400.124, silo_b: 10.005 }, 2, { slot: 4 })]);
  const [first, second, ...others] = await reports.list();
  assert.deepEqual(others, []);
  assert.deepEqual(
    [first?.mo_id, first?.state, first?.planned, first?.read, first?.confirmed, first?.slot],
    [moId(1), 'running', 1425.01, 410.13, 410.13, 4],
  );
  const changed = (await row(db, 1)).last_read_from_plc as Date;
  assert.ok(String(first?.last_seen) > changed.toISOString(), 'by the second reading');
  assert.deepEqual(first?.silos[1], {
    ...{ silo: 'silo_b', component: 'Copra', planned: 600.005, read: 10.005, sent: 10.01, confirmed: 10.01 },
  });
  assert.deepEqual(
    [second?.mo_id, second?.state, second?.set_aside_reason, second?.read, second?.slot, second?.last_seen],
    [moId(2), 'set-aside', 'cancelled in Odoo', 0, null, null],
  );
});

test('the list of a line leaves the others out', async (t) => {
  const { store, db } = await freshStore(t);
  const lines = ['PLC01', 'PLC02', ''];
  await store.enqueue(
    lines.map((equipment_id_batch, n) => order(n + 1, { equipment_id_batch })),
    10,
  );
  const names = async (line?: string): Promise<string[]> =>
    (await new Reports(db).list(line)).map(({ mo_id }) => mo_id).sort();
  assert.deepEqual(await names(), [1, 2, 3].map(moId));
  assert.deepEqual(await names('PLC02'), [2, 3].map(moId));
});

test('each hour tells what it added, corrections included, and the pushes that Odoo confirmed or not', async (t) => {
  const { store, ledger, db } = await freshStore(t);
  const reports = new Reports(db);
  await store.enqueue(orders(1, 2), 10);
  await store.record([reading(1, { silo_a: 400 }, 1), reading(2, { silo_a: 50.25 }, 1)]);
  // All of that was three hours ago, and 30 hours ago for the second order.
  const shift = (hours: number, which: string): Promise<null> =>
    db.none(`UPDATE mo_events SET at = date_trunc('hour', now()) - make_interval(hours => $1) WHERE mo_id = $2`, [
      hours,
      which,
    ]);
  await shift(3, moId(1));
  await shift(30, moId(2));
  await store.record([reading(1, { silo_a: 500, silo_b: 20 }, 2), finalReading(2, { silo_a: 60 }, 2)]);
  // Taken away by hand: not below what is left.
  await db.none('UPDATE mo_batch SET actual_consumption_silo_a = 490 WHERE mo_id = $1', moId(1));
  const first = await leased(ledger, 1);
  await ledger.settle(first.batch, first.owner, confirmed({ silo_a: 490, silo_b: 20 }));
  const second = await leased(ledger, 2);
  await ledger.settle(second.batch, second.owner, {
    ...confirmed({}),
    ...{ conclusion: 'unavailable', reason: 'Odoo is down', confirmed: undefined },
  });
  const hours = await reports.activity();
  assert.equal(hours.length, 24);
  const begins = hours.map(({ hour }) => Date.parse(hour));
  assert.ok(begins.every((begin, n) => n === 0 || begin - (begins[n - 1] ?? 0) === HOUR));
  const told = hours.filter(({ kg, pushes, failed }) => kg !== 0 || pushes > 0 || failed > 0);
  assert.deepEqual(
    told.map(({ kg, pushes, failed }) => ({ kg, pushes, failed })),
    [
      { kg: 400, pushes: 0, failed: 0 },
      // 100 + 20 - 10 of the first order, 60 - 50.25 of the second.
      { kg: 119.75, pushes: 1, failed: 1 },
    ],
  );
  assert.deepEqual(
    (await reports.activity('PLC09')).filter(({ kg }) => kg !== 0),
    [],
  );
});

test('an hour sums what Odoo keeps of each weight', async (t) => {
  const { store, db } = await freshStore(t);
  await store.enqueue(orders(1, 2), 2);
  const half = { silo_a: 0.005, silo_b: 10.005 };
  await store.record([reading(1, half, 1), reading(2, half, 1)]);
  const reports = new Reports(db);
  const read = sumForOdoo((await reports.list()).map((row) => row.read));
  assert.deepEqual([read, (await reports.activity()).at(-1)?.kg], [20.04, 20.04]);
});

test('neither the hours nor the period read a long past from end to end', async (t) => {
  const { db } = await freshStore(t);
  const reports = new Reports(db);
  await db.none(
    `INSERT INTO mo_events (mo_id, batch_id, kind, at, detail)
     SELECT 'WH/MO/' || n / 100, md5((n / 100)::text)::uuid, 'changed', now() - (40000 - n) * interval '10 minutes',
       jsonb_build_object('revision', n % 100 + 1, 'values', jsonb_build_object('actual_consumption_silo_a', n % 100))
     FROM generate_series(1, 40000) n;
     INSERT INTO mo_histories (mo_id, status, archived_at)
     SELECT 'WH/MO/' || n, 'completed', now() - (20000 - n) * interval '1 hour' FROM generate_series(1, 20000) n;
     ANALYZE mo_events; ANALYZE mo_histories`,
  );
  const rowsRead = async (): Promise<number> => {
    await db.any('SELECT pg_stat_force_next_flush()');
    const { read } = await db.one<{ read: number }>(
      `SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0)) AS read FROM pg_stat_user_tables WHERE relname IN ('mo_events', 'mo_histories')`,
    );
    return read;
  };
  const before = await rowsRead();
  assert.ok((await reports.activity()).some(({ kg }) => kg > 0));
  assert.equal((await reports.archived({ from: null, to: null })).length, 24);
  const read = (await rowsRead()) - before;
  assert.ok(read > 24 && read < 2_000, `${read} rows were read`);
});

test('a copy that was found at take-over does not supersede the order that was archived', async (t) => {
  const opened = await freshStore(t);
  const { db, store } = opened;
  await finishedBatch(opened, 1);
  await store.archive(null, { status: 'completed' });
  const superseded = async (): Promise<boolean[]> =>
    (await new Reports(db).archived({ from: null, to: null })).flatMap((row) =>
      row.status === 'completed' ? row.superseded : [],
    );
  await db.none(`INSERT INTO mo_batch (mo_id, duplicate, set_aside_at) VALUES ($1, true, now())`, moId(1));
  assert.deepEqual(await superseded(), [false]);
  await store.archive(await store.idsOf(moId(1)), { status: 'failed', note: 'a copy' });
  await db.none(`UPDATE mo_histories SET archived_at = archived_at - interval '1 minute' WHERE NOT duplicate`);
  assert.deepEqual(await superseded(), [false]);
  await db.none('INSERT INTO mo_batch (mo_id) VALUES ($1)', moId(1));
  assert.deepEqual(await superseded(), [true]);
});

test('what a row held before its first known event was not weighed in the hour of that event', async (t) => {
  const { store, db } = await freshStore(t);
  await store.enqueue([order(1)], 1);
  await store.record([reading(1, { silo_a: 400 }, 1)]);
  await db.none('DELETE FROM mo_events');
  await store.record([reading(1, { silo_a: 500 }, 2)]);
  await store.record([reading(1, { silo_a: 530 }, 3)]);
  assert.deepEqual(
    (await new Reports(db).activity()).flatMap(({ kg }) => (kg === 0 ? [] : [kg])),
    [30],
  );
});
