/** Export while work goes on, import into an empty database: everything arrives, or nothing. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { type Database, LOCKS } from '../../../nodes/lib/store/connection';
import { SCHEMA } from '../../../nodes/lib/store/migrations';
import { TABLE_NAMES } from '../../../nodes/lib/store/tables';
import { exportTo, importFrom, type Transferred } from '../../../nodes/lib/store/transfer';
import { Watch } from '../../../nodes/lib/store/watch';
import { openTempFolder } from '../../support/cluster';
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

const folder = (t: TestContext): string => {
  const path = openTempFolder();
  t.after(() => rmSync(path, { recursive: true }));
  return path;
};

/** Every row of every table as the database writes it. */
const dump = async (db: Database): Promise<string[][]> =>
  Promise.all(
    TABLE_NAMES.map((table) =>
      db.map(`SELECT row_to_json(t)::text AS row FROM ${table} t ORDER BY 1`, [], ({ row }: { row: string }) => row),
    ),
  );

test('queue, history, held readings, lines and events arrive as they were, and work goes on there', async (t) => {
  const from = await freshStore(t);
  await finishedBatch(from, 1);
  await from.store.archive(null, { status: 'completed' });
  await from.store.enqueue(orders(2, 4), 10);
  await from.store.record(
    [
      reading(2, { silo_a: 600.3, lq_fml: 0.1 }, 1),
      finalReading(3, { silo_a: 825.5 }, 1),
      reading(9, { silo_b: 5 }, 1),
    ],
    'PLC01',
  );
  const { batch, owner } = await leased(from.ledger, 2);
  await from.ledger.settle(batch, owner, confirmed({ silo_a: 600.3, lq_fml: 0.1 }));
  // More digits than a JavaScript number has.
  await from.db.none(`UPDATE mo_batch SET consumption = 123456789012345.678 WHERE mo_id = $1`, moId(4));

  const file = join(folder(t), 'export.jsonl');
  const { rows } = await exportTo(from.db, file);
  assert.deepEqual([rows.mo_batch, rows.mo_histories, rows.mo_held_readings, rows.mo_lines], [3, 1, 1, 2]);
  const to = await freshStore(t);
  assert.deepEqual(await importFrom(to.db, file), { file, rows });
  assert.deepEqual(await dump(to.db), await dump(from.db));
  assert.equal((await row(to.db, 2)).update_odoo, true, 'a confirmed row is not told again');

  await to.db.none('UPDATE mo_batch SET actual_consumption_silo_a = 1 WHERE mo_id = $1', moId(2));
  assert.equal((await row(to.db, 2)).update_odoo, false, 'the triggers are back');
  assert.deepEqual(
    (await to.store.enqueue([order(5)], 1)).map(({ batch_no }) => batch_no),
    [5],
  );
});

test('an export shows one moment while orders move from the queue into the history', async (t) => {
  const opened = await freshStore(t);
  const ids = [];
  for (let n = 1; n <= 12; n += 1) ids.push(await finishedBatch(opened, n));
  const path = folder(t);
  const archiving = (async () => {
    for (const id of ids) await opened.store.archive([id], { status: 'completed' });
  })();
  for (let n = 0; n < 6; n += 1) {
    const { rows } = await exportTo(opened.db, join(path, `${n}.jsonl`));
    assert.equal(rows.mo_batch + rows.mo_histories, 12, 'every order once');
  }
  await archiving;
});

test('thousands of events go through', async (t) => {
  const [from, to] = [await freshStore(t), await freshStore(t)];
  await from.db.none(
    `INSERT INTO mo_events (mo_id, kind, detail) SELECT 'WH/MO/1', 'push', jsonb_build_object('n', n) FROM generate_series(1, 4321) n`,
  );
  const file = join(folder(t), 'events.jsonl');
  await exportTo(from.db, file);
  assert.equal((await importFrom(to.db, file)).rows.mo_events, 4321);
  assert.deepEqual(await dump(to.db), await dump(from.db));
});

test('a database that is not empty is refused, with what is in it', async (t) => {
  const from = await freshStore(t);
  await from.store.enqueue(orders(1, 2), 10);
  const file = join(folder(t), 'export.jsonl');
  await exportTo(from.db, file);
  const before = await dump(from.db);
  await assert.rejects(importFrom(from.db, file), /not empty \(mo_batch: 2, mo_events: 2\)/);
  assert.deepEqual(await dump(from.db), before);
});

test('a file that is cut short, from a newer package, or something else imports nothing', async (t) => {
  const from = await freshStore(t);
  await from.store.enqueue(orders(1, 3), 10);
  const path = folder(t);
  const file = join(path, 'export.jsonl');
  await exportTo(from.db, file);
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
  const to = await freshStore(t);
  const attempt = async (name: string, content: string[], message: RegExp): Promise<void> => {
    writeFileSync(join(path, name), `${content.join('\n')}\n`);
    await assert.rejects(importFrom(to.db, join(path, name)), message);
    assert.equal((await dump(to.db)).flat().length, 0, name);
  };
  await attempt('short', lines.slice(0, -2), /cut short or damaged/);
  await attempt(
    'without a row',
    lines.filter((_, n) => n !== 2),
    /cut short or damaged/,
  );
  await attempt('half a line', [...lines.slice(0, 2), lines[2]?.slice(0, 40) ?? ''], /cut short or damaged/);
  await attempt(
    'newer',
    [lines[0]?.replace(`"schema":${SCHEMA}`, '"schema":99') ?? '', ...lines.slice(1)],
    /newer version of the package \(schema 99\)/,
  );
  await attempt('other', ['some text'], /is not an export of this package/);
  await attempt('empty', [], /is not an export of this package/);
  await assert.rejects(importFrom(to.db, join(path, 'missing')), /ENOENT/);
  await to.db.none(`UPDATE mo_batch SET revision = 1`);
  assert.equal((await importFrom(to.db, file)).rows.mo_batch, 3, 'the right file still goes in');
});

test('a file of the first schema goes in as well, and its rows are late from then on', async (t) => {
  const from = await freshStore(t);
  await from.store.enqueue(orders(1, 2), 10);
  await from.store.record([reading(1, { silo_a: 5 }, 1)]);
  const file = join(folder(t), 'export.jsonl');
  await exportTo(from.db, file);
  const older = readFileSync(file, 'utf8')
    .replace(`"schema":${SCHEMA}`, '"schema":1')
    .replaceAll(/,"unconfirmed_since":("[^"]*"|null)/g, '')
    .replace(',"mo_alarms":0', '');
  writeFileSync(file, older);
  const to = await freshStore(t);
  assert.equal((await importFrom(to.db, file)).rows.mo_batch, 2);
  assert.deepEqual(
    [(await row(to.db, 1)).unconfirmed_since !== null, (await row(to.db, 2)).unconfirmed_since],
    [true, null],
  );
});

test('alarms that were told go along, and are not told again', async (t) => {
  const from = await freshStore(t);
  await from.store.enqueue(orders(1, 1), 10);
  await from.store.setAside([{ mo_id: moId(1), reason: 'cancelled' }]);
  const limits = { stalled: 15, unread: 15, unconfirmed: 30 };
  assert.equal((await new Watch(from.db).news('node', limits)).news.length, 1);
  const file = join(folder(t), 'export.jsonl');
  await exportTo(from.db, file);
  const to = await freshStore(t);
  await importFrom(to.db, file);
  const { news, open } = await new Watch(to.db).news('node', limits);
  assert.deepEqual({ news, open }, { news: [], open: 1 });
});

test('an alarm that is told while an import begins does not stand in its way', async (t) => {
  const [from, to] = [await freshStore(t), await freshStore(t)];
  const alarm = `INSERT INTO mo_alarms (watch, kind, subject, since) VALUES ('node', 'unread', 'PLC01', now())`;
  await from.db.none(alarm);
  const file = join(folder(t), 'export.jsonl');
  await exportTo(from.db, file);
  const { importing } = await to.db.tx(async (tx) => {
    await tx.one('SELECT pg_advisory_xact_lock($<alarms>)::text', LOCKS);
    await tx.none(alarm);
    const importing = importFrom(to.db, file).catch((error: unknown) => error);
    while ((await tx.any('SELECT FROM pg_locks WHERE pg_backend_pid() = ANY (pg_blocking_pids(pid))')).length === 0);
    // In an object: a transaction that returned the promise would wait for it, and it waits for its end.
    return { importing };
  });
  assert.equal(((await importing) as Transferred).rows?.mo_alarms, 1, String(await importing));
});

test('an export that fails leaves no file', async (t) => {
  const { db } = await freshStore(t);
  const file = join(folder(t), 'export.jsonl');
  await db.none('DROP TABLE mo_lines');
  await assert.rejects(exportTo(db, file), /mo_lines/);
  assert.deepEqual([existsSync(file), existsSync(`${file}.partial`)], [false, false]);
});
