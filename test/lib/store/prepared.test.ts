/** What every cycle asks is prepared once per session, and goes on working whatever becomes of sessions and tables. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BatchStore } from '../../../nodes/lib/store/batch-store';
import { LOCKS, openDatabase, type Task } from '../../../nodes/lib/store/connection';
import { DatabasePushLedger } from '../../../nodes/lib/store/leases';
import { Prepared } from '../../../nodes/lib/store/prepared';
import { startPooler } from '../../support/pooler';
import { anotherPool, confirmed, freshStore, leased, orders, reading, type TestStore } from '../../support/store';

const QUEUED = new Prepared<{ mo_id: string }>('queued', 'SELECT b.* FROM mo_batch b WHERE b.mo_id = $<moId>');
const BROKEN = new Prepared('broken', 'SELECT 1 / $<by>::int AS n');
const LATER = new Prepared<{ later: string }>('later', 'SELECT later FROM mo_batch WHERE mo_id = $<moId>');
const ECHO = new Prepared<{ text: string; list: unknown; nothing: null }>(
  'echo',
  'SELECT $<text>::text AS text, $<list:json> AS list, $<nothing>::text AS nothing',
);

interface InSession {
  name: string;
  planned: number;
}
/** What a session holds, and how often it planned one for its values alone. */
const heldBy = (session: Task): Promise<InSession[]> =>
  session.any(`SELECT name, custom_plans::int AS planned FROM pg_prepared_statements WHERE name LIKE 'mo\\_queued%'`);

/** One cycle of a batch: its reading is recorded, listed, and confirmed by Odoo. */
async function cycle({ store, ledger }: TestStore, n: number, kg: number): Promise<void> {
  const [recorded] = await store.record([reading(n, { silo_a: kg }, 1)]);
  assert.equal(recorded?.outcome, 'recorded');
  assert.equal((await store.due(10)).length, 1);
  const { batch, owner } = await leased(ledger, n);
  assert.equal((await ledger.settle(batch, owner, confirmed({ silo_a: kg })))?.update_odoo, true);
}

test('a session parses each statement once and plans it for no values of its own', async (t) => {
  const { db, store } = await freshStore(t);
  await store.enqueue(orders(1, 3), 10);
  await db.task(async (session) => {
    for (let n = 1; n <= 7; n += 1) {
      assert.equal((await QUEUED.any(session, { moId: 'WH/MO/00002' })).length, 1);
      assert.equal((await QUEUED.underLock(session, { moId: 'WH/MO/00003' })).length, 1);
    }
    assert.deepEqual(await heldBy(session), [{ name: 'mo_queued_1', planned: 0 }]);
  });
});

test('values are no part of the text: quotes, backslashes, dollars, JSON and nothing arrive as they are', async (t) => {
  const { db } = await freshStore(t);
  const values = { text: `O'Neil \\ "x" $1 $<text> ;--`, list: [{ a: `'\\u0041` }, null, 600.3], nothing: undefined };
  const [echo] = await ECHO.any(db, values);
  assert.deepEqual(echo, { ...values, nothing: null });
});

test('a session that has forgotten its statements gets them again, under the lock too', async (t) => {
  const { db, store } = await freshStore(t);
  await store.enqueue(orders(1, 1), 10);
  await db.task(async (session) => {
    for (const forget of ['DEALLOCATE ALL', 'DISCARD ALL', 'DISCARD PLANS']) {
      await QUEUED.any(session, { moId: 'WH/MO/00001' });
      await session.none(forget);
      assert.equal((await QUEUED.underLock(session, { moId: 'WH/MO/00001' })).length, 1, forget);
      await session.none(forget);
      assert.equal((await QUEUED.any(session, { moId: 'WH/MO/00001' })).length, 1, forget);
    }
  });
});

test('a newer version adds a column meanwhile: an older one goes on with all its sessions', async (t) => {
  const opened = await freshStore(t);
  const { store, db } = opened;
  await store.enqueue(orders(1, 1), 10);
  const newer = anotherPool(t, opened.address);
  for (let n = 1; n <= 3; n += 1) {
    // Several sessions, each with the statements of the tables as they were.
    await Promise.all([store.due(10), store.due(10), store.due(10), cycle(opened, 1, n)]);
    await newer.db.none(`ALTER TABLE mo_batch ADD COLUMN newer_${n} int DEFAULT ${n}`);
  }
  await cycle(opened, 1, 9);
  const [row] = await QUEUED.any(db, { moId: 'WH/MO/00001' });
  assert.equal((row as unknown as { newer_3: number }).newer_3, 3);
});

test('a statement that fails under the lock leaves neither lock nor session behind', async (t) => {
  const { db, store } = await freshStore(t);
  await store.enqueue(orders(1, 1), 10);
  await db.task(async (session) => {
    await assert.rejects(BROKEN.underLock(session, { by: 0 }), /division by zero/);
    await assert.rejects(LATER.underLock(session, { moId: 'WH/MO/00001' }), /column "later" does not exist/);
    const held = `SELECT count(*)::int AS locks FROM pg_locks l JOIN pg_database d ON d.oid = l.database
      WHERE l.locktype = 'advisory' AND l.objid = ${LOCKS.queue} AND d.datname = current_database()`;
    assert.deepEqual(await session.one(held), { locks: 0 });
    assert.deepEqual(await BROKEN.underLock(session, { by: 1 }), [{ n: 1 }]);
    await session.none(`ALTER TABLE mo_batch ADD COLUMN later text DEFAULT 'there'`);
    assert.deepEqual(await LATER.underLock(session, { moId: 'WH/MO/00001' }), [{ later: 'there' }]);
    assert.deepEqual(await session.one(`SELECT current_setting('lock_timeout') AS ms`), { ms: '30s' });
  });
});

test('a lock that was not granted leaves the statement usable', async (t) => {
  const opened = await freshStore(t);
  await opened.store.enqueue(orders(1, 1), 10);
  const other = anotherPool(t, opened.address);
  await opened.db.task(async (session) => {
    await session.none(`SET lock_timeout = '20ms'`);
    await other.db.tx(async (tx) => {
      await tx.one('SELECT pg_advisory_xact_lock($1)::text', LOCKS.queue);
      await assert.rejects(QUEUED.underLock(session, { moId: 'WH/MO/00001' }), { code: '55P03' });
    });
    assert.equal((await QUEUED.underLock(session, { moId: 'WH/MO/00001' })).length, 1);
  });
});

test('behind a pooler in session mode each client prepares its own, on sessions that others had before', async (t) => {
  const { address, store } = await freshStore(t);
  await store.enqueue(orders(1, 1), 10);
  const port = await startPooler(t, address, { mode: 'session', size: 2 });
  for (let kg = 1; kg <= 4; kg += 1) {
    const db = openDatabase({ ...address, port });
    await cycle({ address, db, store: new BatchStore(db), ledger: new DatabasePushLedger(db) }, 1, kg);
    await db.$pool.end();
  }
});
