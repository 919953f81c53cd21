/** A server that stops taking writes while its sessions live: the link leaves it, says why, and follows to one that does. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { appendFileSync, chownSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { LinkState, type LinkStatus } from '../../../nodes/lib/domain/link-state';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../../nodes/lib/postgres/embedded-postgres';
import type { DatabaseAddress } from '../../../nodes/lib/store/connection';
import { DatabaseLink } from '../../../nodes/lib/store/database-link';
import { isLost } from '../../../nodes/lib/store/explain';
import { openTempFolder, queryOnce } from '../../support/cluster';
import { orders } from '../../support/store';
import { startTcpProxy } from '../../support/tcp-proxy';

const asRoot = process.getuid?.() === 0;

/** What has to go before the folders can. */
const leave: (() => void | Promise<void>)[] = [];

interface Linked {
  link: DatabaseLink;
  until: (fits: (status: LinkStatus) => boolean) => Promise<LinkStatus>;
  queue: () => Promise<number>;
}

function linkTo(t: TestContext, address: DatabaseAddress): Linked {
  const state = new LinkState();
  const link = new DatabaseLink(() => Promise.resolve(address), 'plant', state);
  // The link's own timers keep no process alive.
  const alive = setInterval(() => undefined, 1000);
  t.after(() => {
    clearInterval(alive);
    return link.close();
  });
  const until = (fits: (status: LinkStatus) => boolean): Promise<LinkStatus> =>
    new Promise((resolve) => {
      const leave = state.watch((status) => {
        if (!fits(status)) return;
        resolve(status);
        setImmediate(() => leave());
      });
    });
  return { link, until, queue: () => link.use(async ({ batches }) => (await batches.summary()).queue) };
}

function folderFor(t: TestContext): string {
  const folder = openTempFolder();
  t.after(async () => {
    for (const end of leave.splice(0).reverse()) await end();
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}

async function serverIn(directory: string): Promise<EmbeddedPostgres> {
  const server = await startEmbeddedPostgres({ directory, log: () => undefined });
  leave.push(() => server.stop());
  return server;
}

const addressOf = ({ host, port, user, password, database }: EmbeddedPostgres): DatabaseAddress => ({
  ...{ host, port, user, password, database },
});

const eventually = async (isSo: () => Promise<boolean>): Promise<void> => {
  while (!(await isSo())) await pause(20);
};

/** A primary and a streaming standby of it, both real. */
async function primaryAndStandby(t: TestContext): Promise<[EmbeddedPostgres, EmbeddedPostgres]> {
  const folder = folderFor(t);
  const [one, two] = [join(folder, 'one'), join(folder, 'two')];
  const first = await startEmbeddedPostgres({ directory: one, log: () => undefined });
  await first.stop();
  execFileSync('cp', ['-a', one, two]);
  const primary = await serverIn(one);
  const { host, port, user, password } = primary;
  const data = join(two, 'cluster/data');
  writeFileSync(join(data, 'standby.signal'), '');
  appendFileSync(
    join(data, 'postgresql.auto.conf'),
    `primary_conninfo = 'host=${host} port=${port} user=${user} password=${password}'\n`,
  );
  return [primary, await serverIn(two)];
}

const sessions = async (server: EmbeddedPostgres): Promise<number> =>
  (
    await queryOnce<{ n: number }>(
      addressOf(server),
      `SELECT count(*)::int AS n FROM pg_stat_activity WHERE datname = 'mo_bridge' AND application_name = 'mo-bridge'`,
    )
  )[0]?.n ?? 0;

const sql = (server: EmbeddedPostgres, text: string) => queryOnce(server, text);

test('a failover: the link leaves the server that takes no writes, refuses a standby, and follows to the new primary', async (t) => {
  const [primary, standby] = await primaryAndStandby(t);
  const target = { host: primary.host, port: primary.port };
  const proxy = await startTcpProxy(target);
  t.after(() => proxy.stop());
  const { link, until, queue } = linkTo(t, { ...addressOf(primary), port: proxy.port });
  await link.use(({ batches }) => batches.enqueue(orders(1, 3), 10));

  // Fenced as before a switch-over: the sessions live, every write fails.
  await sql(primary, 'ALTER SYSTEM SET default_transaction_read_only = on');
  await sql(primary, 'SELECT pg_reload_conf()');
  // The session hears of it a moment later: until then the fourth order may still be queued.
  let confirmed = 3;
  await assert.rejects(async () => {
    for (;;) {
      await link.use(({ batches }) => batches.enqueue(orders(4, 4), 10));
      confirmed = 4;
    }
  }, /database not available, plant: .*tried again by itself/);
  assert.match((await until(({ problem }) => /takes no writes/.test(problem))).problem, /^plant: .*lead to the server/);
  await eventually(async () => (await sessions(primary)) === 0);
  await assert.rejects(queue(), /takes no writes/);

  target.port = standby.port;
  assert.match(
    (await until(({ problem }) => /standby/.test(problem))).problem,
    /^plant: the server is a standby.*primary/,
  );
  assert.equal(await sessions(standby), 0);

  await sql(standby, 'SELECT pg_promote()');
  await until(({ up }) => up);
  assert.equal(await queue(), confirmed, 'what was confirmed before is there');
  await link.use(({ batches }) => batches.enqueue(orders(5, 5), 10));
  assert.equal(await queue(), confirmed + 1);
});

test('a server that becomes read-only while nobody works is noticed by itself', async (t) => {
  const server = await serverIn(join(folderFor(t), 'one'));
  const { queue, until } = linkTo(t, addressOf(server));
  assert.equal(await queue(), 0);
  await sql(server, 'ALTER SYSTEM SET default_transaction_read_only = on');
  await sql(server, 'SELECT pg_reload_conf()');
  await until(({ up }) => !up);
  await sql(server, 'ALTER SYSTEM RESET default_transaction_read_only');
  await sql(server, 'SELECT pg_reload_conf()');
  await until(({ up }) => up);
  assert.equal(await queue(), 0);
});

test(
  'a full disk is a lost link until there is room again',
  { skip: !asRoot && 'mounting a small disk needs root' },
  async (t) => {
    const folder = folderFor(t);
    const server = await serverIn(join(folder, 'one'));
    const small = join(folder, 'small');
    mkdirSync(small);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'none', small]);
    leave.push(() => void execFileSync('umount', ['-l', small]));
    const { uid, gid } = statSync(join(server.directory, 'cluster/data'));
    chownSync(small, uid, gid);
    await sql(server, `CREATE TABLESPACE small LOCATION '${small}'`);
    await sql(server, 'CREATE DATABASE on_small TABLESPACE small');
    const { link, until, queue } = linkTo(t, { ...addressOf(server), database: 'on_small' });
    assert.equal(await queue(), 0);
    const filler = join(small, 'filler');
    assert.throws(() => writeFileSync(filler, Buffer.alloc(32_000_000)), /ENOSPC/);
    await assert.rejects(async () => {
      for (let n = 1; ; n += 50) await link.use(({ batches }) => batches.enqueue(orders(n, n + 49), 1e6));
    }, /No space left on device: make room on the server's disk/);
    // It answers, and yet it is not back: the trial at connecting needs room too.
    await until(({ up, problem }) => !up && /No space left/.test(problem));
    await assert.rejects(queue(), /No space left on device/);
    rmSync(filler);
    await until(({ up }) => up);
    await link.use(({ batches }) => batches.enqueue(orders(90_000, 90_001), 1e6));
  },
);

test('what cannot be written for the file system is a lost link; a missing right is not', () => {
  assert.equal(isLost({ code: '42501', file: 'md.c', message: 'could not extend file: Read-only file system' }), true);
  assert.equal(isLost({ code: '58030', file: 'md.c', message: 'could not write block: Input/output error' }), true);
  assert.equal(isLost({ code: '42501', file: 'aclchk.c', message: 'permission denied for table mo_batch' }), false);
});
