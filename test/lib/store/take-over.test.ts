/** An existing database of the replaced system is taken over as it is: nothing lost, nothing trusted. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Database } from '../../../nodes/lib/store/connection';
import { migrate } from '../../../nodes/lib/store/migrate';
import { createOldDatabase, OLD_COLUMNS, oldNames } from '../../support/old-database';
import { anotherPool, emptyDatabase, leased, moId, order, reading, row } from '../../support/store';

/** The statements that people rely on, with what they have to give for a read and a completed order. */
async function peopleSql(db: Database, read: number, completed: number): Promise<unknown[]> {
  return [
    await db.any(
      `SELECT actual_consumption_silo_a, actual_consumption_silo_b, last_read_from_plc FROM mo_batch WHERE mo_id = $1`,
      moId(read),
    ),
    await db.any(
      `SELECT status_manufacturing, actual_weight_quantity_finished_goods, last_read_from_plc FROM mo_batch
       WHERE mo_id = $1 AND status_manufacturing = true`,
      moId(completed),
    ),
    await db.any(`SELECT ${oldNames('mo_histories').join(', ')} FROM mo_histories WHERE mo_id = $1`, moId(1)),
  ];
}

const everything = (db: Database, table: keyof typeof OLD_COLUMNS): Promise<object[]> =>
  db.any(
    `SELECT ${oldNames(table)
      .filter((name) => name !== 'update_odoo')
      .join(', ')} FROM ${table} ORDER BY id`,
  );

test('an old database of 500 queued rows, 5,000 archived ones and 3 duplicates keeps every value', async (t) => {
  const { db, store, ledger } = anotherPool(t, await emptyDatabase(t));
  await createOldDatabase(db);
  assert.equal(OLD_COLUMNS.mo_batch.length, 72);
  assert.equal(OLD_COLUMNS.mo_histories.length, 72);
  const before = { queue: await everything(db, 'mo_batch'), history: await everything(db, 'mo_histories') };
  const answers = await peopleSql(db, 5006, 5008);

  const { takenOver } = await migrate(db);
  assert.deepEqual(takenOver, {
    queued: 500,
    duplicates: 3,
    orders: [moId(5001), moId(5002), moId(5003)],
    history: 5000,
  });
  assert.deepEqual(await everything(db, 'mo_batch'), before.queue);
  assert.deepEqual(await everything(db, 'mo_histories'), before.history);
  assert.deepEqual(await peopleSql(db, 5006, 5008), answers);

  const counts: unknown = await db.one(
    `SELECT count(*)::int AS queued, (count(*) FILTER (WHERE update_odoo))::int AS trusted FROM mo_batch`,
  );
  assert.deepEqual(counts, { queued: 500, trusted: 0 });
  const summary = await store.summary();
  assert.equal(summary.queue, 497);
  assert.equal(summary.states['set-aside'], 3);
  assert.match(summary.set_aside[0]?.reason ?? '', /duplicate/);

  await t.test('the rows that were ever read are due, the others wait for a reading', async () => {
    const due = await store.due(1000);
    assert.equal(due.length, summary.unconfirmed);
    assert.equal(due.length + summary.states.queued, 497);
    const { batch, owner } = await leased(ledger, 5006);
    assert.equal(batch.actual_consumption_silo_a, 5006.3);
    await ledger.release(batch.id, owner);
  });

  await t.test('the SQL that people use raises the revision and is told to Odoo', async () => {
    await db.none(
      `UPDATE mo_batch SET actual_consumption_silo_a = 825.5, last_read_from_plc = now() WHERE mo_id = $1`,
      moId(5006),
    );
    const { actual_consumption_silo_a, revision, update_odoo } = await row(db, 5006);
    assert.deepEqual(
      { actual_consumption_silo_a, revision, update_odoo },
      { actual_consumption_silo_a: 825.5, revision: 2, update_odoo: false },
    );
    assert.equal(
      (
        await db.one<{ n: number }>(
          'SELECT count(*)::int AS n FROM mo_batch WHERE status_manufacturing AND update_odoo',
        )
      ).n,
      0,
    );
  });

  await t.test('it goes on: a reading is recorded, new orders follow the old batch numbers', async () => {
    const [recorded] = await store.record([reading(5005, { silo_a: 12.5 }, 1)]);
    assert.equal(recorded?.outcome, 'recorded');
    const [queued, ...more] = await store.enqueue(
      [order(4999), order(5005), order(6001, { equipment_id_batch: 'PLC02' })],
      10,
    );
    assert.deepEqual(more, [], 'archived and queued orders are not queued again');
    assert.equal(queued?.batch_no, 5498, 'highest of its line in queue and history + 1');
  });

  await t.test('a duplicate comes back only when it is alone, and goes by its id', async () => {
    const [aside] = (await store.summary()).set_aside.filter(({ mo_id }) => mo_id === moId(5001));
    assert.ok(aside);
    assert.equal(
      (await store.retry(null)).some(({ id }) => id === aside.id),
      false,
    );
    await assert.rejects(store.retry(aside.id), /WH\/MO\/05001: another row of this order is in the queue/);
    const { archived } = await store.archive((await store.idsOf(moId(5001))).slice(0, 1), {
      status: 'failed',
      note: 'the other one is right',
    });
    assert.equal(archived.length, 1);
    assert.deepEqual(
      (await store.retry(aside.id)).map(({ id, state }) => ({ id, state })),
      [{ id: aside.id, state: 'queued' }],
    );
  });
});

test('rows without id, order or line default are completed, and rows by the old insert get what they lack', async (t) => {
  const { db, store } = anotherPool(t, await emptyDatabase(t));
  await createOldDatabase(db);
  await db.none(
    `UPDATE mo_batch SET id = NULL WHERE mo_id IN ($1, $2); UPDATE mo_batch SET mo_id = NULL WHERE mo_id = $3`,
    [moId(5010), moId(5011), moId(5012)],
  );
  // The old system had copied this one to the history when it was killed.
  await db.none(
    `INSERT INTO mo_histories (id, mo_id, equipment_id_batch) SELECT id, mo_id, equipment_id_batch FROM mo_batch WHERE mo_id = $1`,
    moId(5013),
  );
  await migrate(db);
  const { n, own } = await db.one<{ n: number; own: number }>(
    `SELECT count(id)::int AS n, (count(DISTINCT id) FILTER (WHERE id NOT IN (SELECT id FROM mo_histories)))::int AS own FROM mo_batch`,
  );
  assert.deepEqual({ n, own }, { n: 500, own: 500 });
  assert.match((await store.summary()).set_aside.find(({ mo_id }) => mo_id === null)?.reason ?? '', /no mo_id/);
  const { archived } = await store.archive(await store.idsOf(moId(5013)), { status: 'failed', note: 'copied already' });
  assert.equal(archived.length, 1);

  await db.none(
    `INSERT INTO mo_batch (mo_id, equipment_id_batch, actual_consumption_silo_a, update_odoo) VALUES ('WH/MO/07000', 'PLC01', 5, true)`,
  );
  const { id, revision, update_odoo, status_manufacturing } = await row(db, 7000);
  assert.ok(id);
  assert.deepEqual(
    { revision, update_odoo, status_manufacturing },
    { revision: 1, update_odoo: false, status_manufacturing: false },
  );
});
