/** One owner per data folder, also where nobody sees the other's processes: containers that share a volume. */
import assert from 'node:assert/strict';
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test, type TestContext } from 'node:test';
import { findPostgresPackage, preparePostgresBinaries } from '../../../nodes/lib/postgres/binaries';
import { claimFolder } from '../../../nodes/lib/postgres/claim';
import { createCluster, findPlace } from '../../../nodes/lib/postgres/cluster';
import { startEmbeddedPostgres } from '../../../nodes/lib/postgres/embedded-postgres';
import { openServer } from '../../../nodes/lib/postgres/server';
import { openTempFolder, postmasterPid } from '../../support/cluster';

const MODULE = join(__dirname, '../../../nodes/lib/postgres/embedded-postgres.js');
const SUPPORT = join(__dirname, '../../support/cluster.js');

/** How long a container may keep its answer back (ms) before the test fails. */
const PATIENCE = 120_000;

/** Namespaces as containers have them; the loopback of a new one is down. */
const CONTAINER = ['--pid', '--ipc', '--net', '--mount', '--uts', '--mount-proc', '--fork', '--kill-child=SIGKILL'];
const inContainer = (host: string, script: string): string[] => [
  ...[...CONTAINER, 'sh', '-c', 'ip link set lo up && hostname "$0" && exec "$1" -e "$2"', host, process.execPath],
  script,
];
const permitted = spawnSync('unshare', inContainer('trial', '')).status === 0;
const skip = !permitted && 'unshare (pid, ipc, net, mount, uts) is not permitted here, or ip is missing';

/** A Node-RED as far as the database goes: starts it, tries again while it is refused, writes a row when told to. */
const owner = (directory: string): string => `
  const { startEmbeddedPostgres } = require(${JSON.stringify(MODULE)});
  const { queryOnce } = require(${JSON.stringify(SUPPORT)});
  const say = (text) => console.log(text.replaceAll('\\n', ' '));
  let server;
  const start = () => startEmbeddedPostgres({
    directory: ${JSON.stringify(directory)}, log: () => {}, onExit: (reason) => say('lost: ' + reason),
  }).then(async (started) => {
    server = started;
    await queryOnce(server, 'create table if not exists kept (n int)');
    say('started');
  }, (error) => { say('refused: ' + error.message); setTimeout(start, 200); });
  start();
  require('node:readline').createInterface({ input: process.stdin }).on('line', async (line) => {
    if (line === 'row') {
      await queryOnce(server, 'insert into kept values (1)');
      say('rows: ' + (await queryOnce(server, 'select count(*)::int as n from kept'))[0].n);
    } else { await server.stop(); say('stopped'); process.exit(); }
  });`;

interface Container {
  /** Resolves with the next line that fits, also one that came before. */
  says: (words: RegExp) => Promise<string>;
  said: string[];
  tell: (line: string) => void;
  /** Ends everything in it at once, as the machine does. */
  kill: () => Promise<void>;
  /** Everything in it (or its Node-RED alone). */
  signal: (signal: NodeJS.Signals, which?: 'all' | 'node') => void;
}

function container(t: TestContext, host: string, directory: string): Container {
  const child: ChildProcess = spawn('unshare', inContainer(host, owner(directory)), {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const { stdout, stdin } = child;
  assert.ok(stdout && stdin);
  const said: string[] = [];
  const lines = createInterface({ input: stdout });
  lines.on('line', (line) => said.push(line));
  const kill = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exit = once(child, 'exit');
    child.kill('SIGKILL');
    await exit;
  };
  t.after(kill);
  return {
    said,
    says: async (words) => {
      for (const signal = AbortSignal.timeout(PATIENCE); ;) {
        const found = said.findIndex((line) => words.test(line));
        if (found >= 0) return said.splice(0, found + 1).at(-1) ?? '';
        await once(lines, 'line', { signal }).catch(() =>
          assert.fail(`${host} did not say ${words} within ${PATIENCE / 1000} s, but: ${said.join(' | ')}`),
        );
      }
    },
    tell: (line) => stdin.write(`${line}\n`),
    kill,
    signal: (signal, which = 'all') => {
      const first = Number(readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').trim());
      const space = readlinkSync(`/proc/${first}/ns/pid`);
      const inIt = readdirSync('/proc').filter((pid) => {
        try {
          return /^\d+$/.test(pid) && readlinkSync(`/proc/${pid}/ns/pid`) === space;
        } catch {
          return false; // ended meanwhile
        }
      });
      for (const pid of which === 'node' ? [first] : inIt.map(Number)) {
        try {
          process.kill(pid, signal);
        } catch (error) {
          // One that has ended meanwhile, as a session of PostgreSQL does.
          if (pid === first || (error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
        }
      }
    },
  };
}

function folderFor(t: TestContext): string {
  const folder = openTempFolder();
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, 'postgresql');
}

const REFUSED = /^refused: .*in use by another MO Bridge, on host first \(process \d+\) since \d{4}-/;

test(
  'a rolling update: the second container is refused by name, and goes on when the first has ended',
  { skip },
  async (t) => {
    const directory = folderFor(t);
    const first = container(t, 'first', directory);
    await first.says(/^started/);
    const second = container(t, 'second', directory);
    await second.says(REFUSED);
    first.tell('row');
    await first.says(/^rows: 1/);
    first.tell('stop');
    await first.says(/^stopped/);
    await second.says(/^started/);
    second.tell('row');
    await second.says(/^rows: 2/);
    await second.kill();
  },
);

test(
  'a killed container is followed once it gives no sign of life; what it committed is there',
  { skip },
  async (t) => {
    const directory = folderFor(t);
    const first = container(t, 'first', directory);
    await first.says(/^started/);
    const second = container(t, 'second', directory);
    await second.says(REFUSED);
    for (const n of [1, 2, 3]) {
      first.tell('row');
      await first.says(new RegExp(`^rows: ${n}`));
    }
    await first.kill();
    await second.says(/^started/);
    second.tell('row');
    await second.says(/^rows: 4/);
    await second.kill();
  },
);

test('two containers that start at once on an empty volume end with one owner', { skip }, async (t) => {
  const directory = folderFor(t);
  const both = [container(t, 'first', directory), container(t, 'second', directory)];
  const firstWord = await Promise.all(
    both.map(({ says }) => says(/^(started|refused: .*in use by another MO Bridge)/)),
  );
  assert.deepEqual(firstWord.map((word) => word.slice(0, 7)).sort(), ['refused', 'started']);
  for (const { kill } of both) await kill();
});

test('a Node-RED that stalls keeps its folder as long as its PostgreSQL lives', { skip }, async (t) => {
  const directory = folderFor(t);
  const first = container(t, 'first', directory);
  await first.says(/^started/);
  first.signal('SIGSTOP', 'node');
  const second = container(t, 'second', directory);
  for (let n = 0; n < 8; n += 1) await second.says(REFUSED);
  assert.ok(!second.said.includes('started'));
  first.signal('SIGCONT', 'node');
  first.tell('row');
  await first.says(/^rows: 1/);
  for (const { kill } of [second, first]) await kill();
});

test('an owner that was frozen and taken for dead gives way when it wakes, and harms nothing', { skip }, async (t) => {
  const directory = folderFor(t);
  const first = container(t, 'first', directory);
  await first.says(/^started/);
  first.tell('row');
  await first.says(/^rows: 1/);
  first.signal('SIGSTOP');
  const second = container(t, 'second', directory);
  await second.says(/^started/);
  second.tell('row');
  await second.says(/^rows: 2/);
  first.signal('SIGCONT');
  await first.says(/^lost: .*in use by another MO Bridge, on host second/);
  second.tell('row');
  await second.says(/^rows: 3/);
  assert.ok(existsSync(join(directory, 'cluster/data/postmaster.pid')), "the living server's file is still there");
  for (const { kill } of [first, second]) await kill();
});

test('after kill -9 on one machine nobody waits: the owner is seen to be dead', async (t) => {
  const directory = folderFor(t);
  const other = spawn(process.execPath, ['-e', owner(directory)], { stdio: ['pipe', 'pipe', 'inherit'] });
  t.after(() => other.kill('SIGKILL'));
  const [said] = (await once(other.stdout, 'data')) as [Buffer];
  assert.match(String(said), /^started/);
  const exit = once(other, 'exit');
  other.kill('SIGKILL');
  await exit;
  process.kill(postmasterPid(directory), 'SIGKILL');
  const log: string[] = [];
  const server = await startEmbeddedPostgres({ directory, log: (line) => log.push(line) });
  await server.stop();
  assert.ok(!log.some((line) => /sign of life/.test(line)), log.join('\n'));
  assert.ok(!existsSync(join(directory, 'owner.json')), 'a clean end leaves no owner behind');
});

test(
  'an owner whose number another process has by now is dead',
  { skip: process.platform !== 'linux' && 'needs /proc' },
  async (t) => {
    const directory = folderFor(t);
    await (await startEmbeddedPostgres({ directory, log: () => undefined })).stop();
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    const namespace = readlinkSync('/proc/self/ns/pid');
    const before = { id: 'x', host: 'h', pid: process.ppid, started: '1', boot, namespace, since: 'then', beat: 7 };
    writeFileSync(join(directory, 'owner.json'), JSON.stringify(before));
    const server = await startEmbeddedPostgres({ directory, log: () => undefined });
    assert.notEqual((JSON.parse(readFileSync(join(directory, 'owner.json'), 'utf8')) as { id: string }).id, 'x');
    await server.stop();
  },
);

test('beats and confirmations of one claim may meet', async (t) => {
  const place = await findPlace(folderFor(t), '/nowhere', () => undefined);
  const claim = await claimFolder(place, () => undefined);
  await Promise.all(Array.from({ length: 50 }, () => claim.confirm()));
  await claim.release();
  assert.deepEqual(readdirSync(place.root), []);
});

test('a start that fails once it owns the server keeps no later one out', async (t) => {
  const directory = folderFor(t);
  const place = await findPlace(directory, '/nowhere', () => undefined);
  const installed = await findPostgresPackage();
  const binaries = await preparePostgresBinaries(installed, place.root, place.user);
  await createCluster(place, binaries, installed.major);
  const claim = await claimFolder(place, () => undefined);
  const full = { ...claim, confirm: () => Promise.reject(new Error('no space left')) };
  const request = { place, claim: full, binaries, port: 0, log: () => undefined, onExit: () => undefined };
  await assert.rejects(openServer(request), /no space left/);
  await claim.release();
  const server = await startEmbeddedPostgres({ directory, log: () => undefined });
  assert.equal(server.adopted, true);
  await server.stop();
});
