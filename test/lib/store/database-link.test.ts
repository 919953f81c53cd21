/** A database that goes, hangs and comes back: a status and a recovery, never a crash or a stuck pool. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';
import { LinkState, type LinkStatus } from '../../../nodes/lib/domain/link-state';
import { type DatabaseAddress, LOCKS, openDatabase } from '../../../nodes/lib/store/connection';
import { DatabaseLink, type LinkOptions } from '../../../nodes/lib/store/database-link';
import type { MigrationReport } from '../../../nodes/lib/store/migrate';
import { SCHEMA } from '../../../nodes/lib/store/migrations';
import {
  anotherPool,
  emptyDatabase,
  finishedBatch,
  freshStore,
  moId,
  order,
  orders,
  reading,
} from '../../support/store';
import { startTcpProxy } from '../../support/tcp-proxy';

interface Watched {
  link: DatabaseLink;
  state: LinkState;
  /** Every turn of the status: true when back, false when lost. */
  turns: boolean[];
  /** Resolves at the first status that fits, the present one included. */
  until: (fits: (status: LinkStatus) => boolean) => Promise<LinkStatus>;
}

function watch(t: TestContext, source: () => Promise<DatabaseAddress>, options: LinkOptions = {}): Watched {
  const turns: boolean[] = [];
  const state = new LinkState(({ up }) => turns.push(up));
  const link = new DatabaseLink(source, 'plant database', state, options);
  t.after(() => link.close());
  const until = (fits: (status: LinkStatus) => boolean): Promise<LinkStatus> =>
    new Promise((resolve) => {
      const leave = state.watch((status) => {
        if (!fits(status)) return;
        resolve(status);
        // Not at once: the first call comes before watch() has returned.
        setImmediate(() => leave());
      });
    });
  return { link, state, turns, until };
}

/** A link through a proxy, connected. */
async function linked(t: TestContext, options: LinkOptions = {}, timeoutMs?: number) {
  const address = await emptyDatabase(t);
  const proxy = await startTcpProxy(address);
  t.after(() => proxy.stop());
  const watched = watch(
    t,
    () => Promise.resolve({ ...address, port: proxy.port, ...(timeoutMs ? { timeoutMs } : {}) }),
    options,
  );
  await watched.link.use(({ batches }) => batches.enqueue(orders(1, 3), 10));
  return { ...watched, proxy, address };
}

/** Asks again, and lets the process go on between, until it is so. */
async function eventually(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setImmediate(resolve));
}

const queue = (link: DatabaseLink): Promise<number> => link.use(async ({ batches }) => (await batches.summary()).queue);

test('work waits for the first connection, and the migration is told once', async (t) => {
  const reports: MigrationReport[] = [];
  const { link, proxy, turns } = await linked(t, { onMigrated: (report) => reports.push(report) });
  assert.equal(await queue(link), 3);
  proxy.cut();
  await eventually(async () => (await queue(link).catch(() => 0)) === 3);
  assert.deepEqual(
    reports.map(({ applied }) => applied.length),
    [SCHEMA],
  );
  assert.equal(turns.filter((up) => !up).length, turns.filter((up) => up).length);
});

test('a server that goes away is a status that says so; the link is back by itself when the server is', async (t) => {
  const { link, proxy, until, turns } = await linked(t);
  await proxy.goAway();
  // No work is needed to notice it: the idle connection broke.
  const { problem } = await until(({ up }) => !up);
  assert.match(problem, /^plant database: /);
  await until(({ problem: now }) => /ECONNREFUSED/.test(now));
  await assert.rejects(queue(link), /database not available, plant database: .*ECONNREFUSED.*tried again by itself/);
  await proxy.comeBack();
  await until(({ up }) => up);
  assert.equal(await queue(link), 3);
  assert.deepEqual(turns, [false, true], 'told once per outage');
});

test('work that is under way when connections are cut ends with an error, and the next work is done', async (t) => {
  const { link, proxy, until } = await linked(t);
  const cut = link.use(async ({ batches }) => {
    const summary = batches.summary();
    proxy.cut();
    await summary;
    return batches.summary();
  });
  await assert.rejects(cut, /database not available/);
  await until(({ up }) => up);
  assert.equal(await queue(link), 3);
});

test('a connection that the administrator ends does no harm', async (t) => {
  const { link, address, until } = await linked(t);
  const admin = anotherPool(t, address).db;
  for (let round = 0; round < 3; round += 1) {
    await admin.any(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`,
    );
    await until(({ up }) => up);
    await eventually(async () => (await queue(link).catch(() => 0)) === 3);
  }
});

test('a server that stops answering is given up after the time limit, and its connections do not stay in the pool', async (t) => {
  const { link, proxy, until } = await linked(t, {}, 200);
  proxy.hang();
  await assert.rejects(queue(link), /Query read timeout|timeout exceeded/);
  assert.equal((await until(({ up }) => !up)).up, false);
  proxy.cut();
  await proxy.comeBack();
  await until(({ up }) => up);
  assert.deepEqual(await Promise.all(Array.from({ length: 12 }, () => queue(link))), Array(12).fill(3));
});

test('a pool with more work than connections does all of it', async (t) => {
  const { link } = await linked(t);
  const work = Array.from({ length: 40 }, (_, n) =>
    link.use(({ batches }) => batches.record([reading(1, { silo_a: n }, n)])),
  );
  assert.equal((await Promise.all(work)).flat().length, 40);
});

test('without a server at the start the first work fails with the reason, not after a long wait', async (t) => {
  const listener = createServer().listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address() as AddressInfo;
  listener.close();
  await once(listener, 'close');
  const { link, state } = watch(t, () =>
    Promise.resolve({ host: '127.0.0.1', port, database: 'x', user: 'u', password: 'secret-word' }),
  );
  await assert.rejects(
    queue(link),
    (error: Error) => /ECONNREFUSED/.test(error.message) && !error.message.includes('secret-word'),
  );
  assert.equal(state.status.up, false);
});

test('refused credentials and a foreign database are a status with the reason', async (t) => {
  const { address } = await freshStore(t);
  const refused = watch(t, () => Promise.resolve({ ...address, password: 'wrong-secret' }));
  const { problem } = await refused.until(({ up }) => !up);
  assert.match(problem, /password authentication failed/);
  assert.doesNotMatch(problem, /wrong-secret/);

  const foreign = await emptyDatabase(t);
  await anotherPool(t, foreign).db.none('CREATE TABLE mo_batch (id serial)');
  const { link, until } = watch(t, () => Promise.resolve(foreign));
  assert.match((await until(({ up }) => !up)).problem, /is not the one of this package/);
  await assert.rejects(queue(link), /choose another database/);
});

test('a source that moves is followed, and its old pool ends', async (t) => {
  const [first, second] = [await freshStore(t), await freshStore(t)];
  await second.store.enqueue([order(7)], 1);
  const proxy = await startTcpProxy(first.address);
  t.after(() => proxy.stop());
  let address: DatabaseAddress = { ...first.address, port: proxy.port };
  const { link, until } = watch(t, () => Promise.resolve(address));
  assert.equal(await queue(link), 0);
  address = second.address;
  await proxy.goAway();
  await until(({ up }) => !up);
  await until(({ up }) => up);
  assert.equal(await queue(link), 1);
  const others =
    'SELECT count(*)::int AS n FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()';
  await eventually(async () => (await first.db.one<{ n: number }>(others)).n === 0);
});

test('closing ends the pool: no connection stays, and later work is refused', async (t) => {
  const { link, address } = await linked(t);
  const other = anotherPool(t, address).db;
  const count = async (): Promise<number> =>
    (
      await other.one<{ n: number }>(
        `SELECT count(*)::int AS n FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`,
      )
    ).n;
  assert.ok((await count()) > 0);
  await link.close();
  await link.close();
  await eventually(async () => (await count()) === 0);
  await assert.rejects(queue(link), /database not available/);
});

test('closing while the server is silent, or was never there, ends all the same', async (t) => {
  const { link, proxy } = await linked(t);
  proxy.hang();
  const hanging = queue(link).catch(() => undefined);
  await link.close();
  proxy.cut();
  await hanging;
  const never = watch(t, () => Promise.reject(new Error('no cluster here')));
  await never.until(({ problem }) => /no cluster here/.test(problem));
  await never.link.close();
});

test('rows locked by somebody else are an error that says what to do, not a lost database', async (t) => {
  const { link, address, state } = await linked(t, {}, 300);
  const other = openDatabase(address);
  t.after(() => other.$pool.end());
  await other.tx(async (tx) => {
    await tx.one('SELECT pg_advisory_xact_lock($1)::text', LOCKS.queue);
    await assert.rejects(
      link.use(({ batches }) => batches.enqueue([order(9)], 1)),
      /plant database: another program holds the queue locked.*end it/,
    );
  });
  assert.equal(state.status.up, true);
  assert.equal((await link.use(({ batches }) => batches.enqueue([order(9)], 1))).length, 1);
});

test('old events are pruned when the link comes up', async (t) => {
  const opened = await freshStore(t);
  await opened.store.archive([await finishedBatch(opened, 1)], { status: 'completed' });
  await opened.db.none(`UPDATE mo_events SET at = at - interval '40 days'`);
  const { link } = watch(t, () => Promise.resolve(opened.address), { keepDays: 30 });
  await queue(link);
  await eventually(async () => (await opened.store.trail(moId(1))).events.length === 0);
});

for (const [what, shift, said] of [
  ['six minutes behind', 360_000, /plant database: its clock is 3(59|60) s behind this machine's/],
  ['an hour ahead', -3_600_000, /plant database: its clock is 360[01] s ahead of this machine's/],
  ['as good as equal', 30_000, undefined],
] as const) {
  test(`a database whose clock is ${what}: times are told by this machine's clock, and it is said at most once`, async (t) => {
    const warnings: string[] = [];
    const { link } = await linked(t, {
      now: () => Date.now() + shift,
      onWarning: (warning) => warnings.push(warning),
    });
    await queue(link);
    await queue(link);
    assert.equal(warnings.length, said ? 1 : 0);
    if (said) assert.match(warnings[0] ?? '', said);
    const time = new Date('2026-03-02T08:15:00.000Z');
    assert.ok(Math.abs(link.here(time).getTime() - time.getTime() - shift) < 2_000);
    assert.equal(link.here(time.toISOString()).getTime(), link.here(time).getTime());
  });
}
