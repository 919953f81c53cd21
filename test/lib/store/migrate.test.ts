/** Migrations on a real PostgreSQL: fresh, again, at once, refused. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Database } from '../../../nodes/lib/store/connection';
import { migrate } from '../../../nodes/lib/store/migrate';
import { MIGRATIONS, SCHEMA } from '../../../nodes/lib/store/migrations';
import { TABLE_NAMES } from '../../../nodes/lib/store/tables';
import { queryOnce } from '../../support/cluster';
import { anotherPool, emptyDatabase, finishedBatch, freshStore, moId, order, reading, row } from '../../support/store';

const relations = (db: Database): Promise<string[]> =>
  db.map(
    `SELECT relname || ':' || relkind::text AS name FROM pg_class WHERE relnamespace = 'public'::regnamespace ORDER BY 1`,
    [],
    ({ name }: { name: string }) => name,
  );

/** Every column, index and trigger, as text. */
const schema = (db: Database): Promise<string[]> =>
  db.map(
    `SELECT table_name || '.' || column_name || ' ' || udt_name || ' ' || is_nullable || ' ' || coalesce(column_default, '') AS line
       FROM information_schema.columns WHERE table_schema = 'public'
     UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
     UNION ALL SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1`,
    [],
    ({ line }: { line: string }) => line,
  );

test('an empty database gets every table, and nothing more the second time', async (t) => {
  const { db } = anotherPool(t, await emptyDatabase(t));
  assert.deepEqual(await migrate(db), { version: SCHEMA, applied: MIGRATIONS.map(({ name }) => name) });
  const names = await relations(db);
  for (const table of TABLE_NAMES) assert.ok(names.includes(`${table}:r`), table);
  assert.deepEqual(await migrate(db), { version: SCHEMA, applied: [] });
});

test('processes that start at once apply each migration once', async (t) => {
  const address = await emptyDatabase(t);
  const reports = await Promise.all(Array.from({ length: 4 }, () => migrate(anotherPool(t, address).db)));
  assert.equal(reports.flatMap(({ applied }) => applied).length, MIGRATIONS.length);
});

test('migrations run again change no schema and lose no row', async (t) => {
  const opened = await freshStore(t);
  const { db, store } = opened;
  await finishedBatch(opened, 1);
  await store.enqueue([order(2)], 1);
  const [before, values] = [await schema(db), await row(db, 1)];
  await db.none('DELETE FROM mo_schema');
  const { takenOver } = await migrate(db);
  assert.deepEqual(await schema(db), before);
  assert.deepEqual(takenOver, { queued: 2, duplicates: 0, orders: [], history: 0 });
  const again = await row(db, 1);
  assert.equal(again.actual_consumption_silo_a, values.actual_consumption_silo_a);
  assert.equal(again.update_odoo, false, 'what is taken over counts as unconfirmed');
});

test('a database that is newer than the package is refused by its number', async (t) => {
  const { db } = await freshStore(t);
  await db.none(`INSERT INTO mo_schema (version, name) VALUES (99, 'from the future')`);
  await assert.rejects(migrate(db), new RegExp(`schema 99, this package knows up to ${SCHEMA}: update the package`));
});

/** What the first migration left: nothing that came later. */
const asBefore = `DELETE FROM mo_schema WHERE version > 1; DROP TABLE mo_alarms; DROP TRIGGER mo_batch_guard ON mo_batch;
  DROP INDEX mo_histories_archived_at; ALTER TABLE mo_batch DROP COLUMN unconfirmed_since`;

test('a queue of the first schema learns since when its rows are unconfirmed, and keeps what it says', async (t) => {
  const opened = await freshStore(t);
  const { db, store } = opened;
  await finishedBatch(opened, 1);
  await store.enqueue([order(2), order(3)], 2);
  await store.record([reading(2, { silo_a: 5 }, 1)]);
  const [before, { events }] = [await schema(db), await store.trail(moId(2))];
  await db.none(asBefore);
  assert.deepEqual(await migrate(db), { version: SCHEMA, applied: MIGRATIONS.slice(1).map(({ name }) => name) });
  assert.deepEqual(await schema(db), before);
  const since = async (n: number): Promise<boolean> => (await row(db, n)).unconfirmed_since !== null;
  assert.deepEqual([await since(1), await since(2), await since(3)], [false, true, false]);
  const { revision, update_odoo } = await row(db, 1);
  assert.deepEqual({ revision, update_odoo }, { revision: 1, update_odoo: true });
  assert.deepEqual((await store.trail(moId(2))).events, events, 'a migration is no event');
});

test('a foreign table that a later migration needs is refused too', async (t) => {
  const { db } = await freshStore(t);
  await db.none(`${asBefore}; CREATE TABLE mo_alarms (id int, ringing bool)`);
  await assert.rejects(migrate(db), /table mo_alarms .*no column watch.*nothing was changed/);
  assert.equal((await relations(db)).includes('mo_alarms_once:i'), false);
});

for (const [what, sql, message] of [
  [
    'table',
    'CREATE TABLE mo_batch (id serial, mo_id text)',
    /table mo_batch .*id is integer, not uuid.*no column batch_no.*nothing was changed/,
  ],
  ['history', 'CREATE TABLE mo_histories (id uuid, happened text)', /table mo_histories .*no column mo_id/],
  ['view', `CREATE VIEW mo_batch AS SELECT 1 AS id`, /table mo_batch .*no table/],
  ['event table', 'CREATE TABLE mo_events (id int8, title text)', /table mo_events .*no column kind/],
] as const) {
  test(`a foreign ${what} of the same name is refused and nothing is changed`, async (t) => {
    const { db } = anotherPool(t, await emptyDatabase(t));
    await db.none(sql);
    const [names, before] = [await relations(db), await schema(db)];
    await assert.rejects(migrate(db), message);
    assert.deepEqual(await relations(db), names);
    assert.deepEqual(await schema(db), before);
  });
}

test('a migration that fails leaves nothing of itself', async (t) => {
  const { db } = anotherPool(t, await emptyDatabase(t));
  // A view in the place of an index of ours: the migration fails at its end.
  await db.none('CREATE VIEW mo_events_mo_id AS SELECT 1 AS one; CREATE TYPE mo_held_readings AS ENUM ()');
  const names = await relations(db);
  await assert.rejects(migrate(db));
  assert.deepEqual(await relations(db), names);
});

test('numbers come as numbers on our pool, and other users of the module keep their own types', async (t) => {
  const { db, address } = await freshStore(t);
  const values: unknown = await db.one('SELECT 1000.100::numeric AS numeric, 7::int8 AS int8, 600.3::float8 AS float8');
  assert.deepEqual(values, { numeric: 1000.1, int8: 7, float8: 600.3 });
  assert.deepEqual(await queryOnce(address, 'SELECT 1000.100::numeric AS numeric, 7::int8 AS int8'), [
    { numeric: '1000.100', int8: '7' },
  ]);
});

test('several pools on one database give no warning about duplicate objects', async (t) => {
  const warn = t.mock.method(console, 'warn', () => undefined);
  const error = t.mock.method(console, 'error', () => undefined);
  const address = await emptyDatabase(t);
  for (let n = 0; n < 3; n += 1) anotherPool(t, address);
  assert.equal(warn.mock.callCount() + error.mock.callCount(), 0);
});
