import assert from 'node:assert/strict';
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { chmodSync, cpSync, existsSync, lstatSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '../../../nodes/lib/postgres/embedded-postgres';
import {
  findPostgresPackage,
  preparePostgresBinaries,
  unprivilegedUser,
  unsupportedReason,
} from '../../../nodes/lib/postgres/binaries';
import { openTempFolder, postmasterPid, queryOnce, testDatabase } from '../../support/cluster';

const asRoot = process.getuid?.() === 0;
const MODULE = join(__dirname, '../../../nodes/lib/postgres/embedded-postgres.js');

let folder: string;
let started: EmbeddedPostgres[];
let others: ChildProcess[];

// Folders made by the tests are reachable for the user that runs PostgreSQL.
process.umask(0o022);

beforeEach(() => {
  folder = openTempFolder();
  started = [];
  others = [];
});

afterEach(async () => {
  for (const other of others) await killed(other, 'SIGKILL');
  for (const server of started) await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

const inFolder = () => join(folder, 'postgresql');

async function start(options: { directory?: string; port?: number; onExit?: (reason: string) => void } = {}) {
  const server = await startEmbeddedPostgres({
    directory: inFolder(),
    fallbackRoot: join(folder, 'fallback'),
    log: () => undefined,
    ...options,
  });
  started.push(server);
  return server;
}

/** Starts the server in another Node process, as another Node-RED would. Gives the process and what it said. */
async function startElsewhere(): Promise<{ other: ChildProcess; said: string }> {
  const script = `require(${JSON.stringify(MODULE)})
    .startEmbeddedPostgres({ directory: ${JSON.stringify(inFolder())}, log: () => {} })
    .then(() => console.log('started'), (error) => console.log(error.message));
    setInterval(() => {}, 1000);`;
  const other = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  others.push(other);
  const [said] = (await once(other.stdout, 'data')) as [Buffer];
  return { other, said: said.toString().trim() };
}

async function killed(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill(signal);
  await exit;
}

async function writeRow(server: EmbeddedPostgres): Promise<void> {
  await queryOnce(server, `create table kept as select 42 as answer`);
}

async function assertRowIsThere(server: EmbeddedPostgres): Promise<void> {
  assert.deepEqual(await queryOnce(server, 'select answer from kept'), [{ answer: 42 }]);
}

/** Every file below a folder with its content's time: equal before and after means untouched. */
const snapshot = (root: string) =>
  readdirSync(root, { recursive: true }).map((name) => {
    const { mtimeMs, size } = lstatSync(join(root, String(name)));
    return { name, mtimeMs, size };
  });

test('a fresh start gives a UTF-8 database on 127.0.0.1 that asks for its password', async () => {
  const server = await start();
  assert.equal(server.host, '127.0.0.1');
  assert.equal(server.adopted, false);
  const [facts] = await queryOnce<Record<string, string>>(
    server,
    `select current_database() as database, current_setting('listen_addresses') as listen,
      current_setting('unix_socket_directories') as sockets, current_setting('fsync') as fsync,
      current_setting('server_encoding') as encoding, upper('é') as upper`,
  );
  assert.deepEqual(facts, {
    ...{ database: 'mo_bridge', listen: '127.0.0.1', sockets: '', fsync: 'on', encoding: 'UTF8', upper: 'É' },
  });
  await assert.rejects(queryOnce({ ...server, password: 'wrong' }, 'select 1'), /password authentication failed/);
});

test('a umask that shuts everybody else out changes nothing', async () => {
  const before = process.umask(0o077);
  try {
    await queryOnce(await start(), 'select 1');
  } finally {
    process.umask(before);
  }
  assert.deepEqual(readdirSync(folder), ['postgresql']);
});

test('the password is kept in a file that only its owner can read', async () => {
  const server = await start();
  assert.equal(statSync(server.passwordFile).mode & 0o777, 0o600);
  assert.equal(readFileSync(server.passwordFile, 'utf8'), server.password);
  assert.ok(server.password.length >= 24);
});

test('a restart keeps data, port and password', async () => {
  const first = await start();
  await writeRow(first);
  await first.stop();
  const portFile = join(first.directory, 'cluster/port');
  assert.equal(readFileSync(portFile, 'utf8').trim(), String(first.port));
  // Another one is kept for the restart: the first free one may be any other test's by now.
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  writeFileSync(portFile, String(port));
  const second = await start();
  await assertRowIsThere(second);
  assert.deepEqual([second.port, second.password, second.adopted], [port, first.password, false]);
});

test('a kept port that another program has taken meanwhile is replaced, and the log says so', async () => {
  const first = await start();
  await first.stop();
  // As if it had run on the thief's port: the real one may be any other test's by now.
  const thief = createServer().listen(0, '127.0.0.1');
  await once(thief, 'listening');
  const { port } = thief.address() as AddressInfo;
  writeFileSync(join(first.directory, 'cluster/port'), `${port}\n`);
  const lines: string[] = [];
  try {
    const second = await startEmbeddedPostgres({ directory: inFolder(), log: (line) => lines.push(line) });
    started.push(second);
    assert.notEqual(second.port, port);
    assert.ok(lines.some((line) => line.includes(`Port ${port} is in use`)));
  } finally {
    thief.close();
  }
});

test('a configured port is used, and refused by name when it is taken', async () => {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  await assert.rejects(start({ port }), new RegExp(`Port ${port} .* in use`));
  probe.close();
  await once(probe, 'close');
  assert.equal((await start({ port })).port, port);
});

test('stop ends the server and may be repeated', async () => {
  const server = await start();
  await Promise.all([server.stop(), server.stop()]);
  await server.stop();
  assert.equal(existsSync(join(server.directory, 'cluster/data/postmaster.pid')), false);
});

test('two users in one process share one server until the last one stops', async () => {
  const [first, second] = await Promise.all([start(), start()]);
  assert.equal(first.port, second.port);
  const pid = postmasterPid(first.directory);
  await first.stop();
  await first.stop();
  await queryOnce(second, 'select 1');
  const third = await start();
  assert.equal(postmasterPid(third.directory), pid);
  await second.stop();
  await third.stop();
  await assert.rejects(queryOnce(third, 'select 1'), /ECONNREFUSED/);
});

test('a start right after a stop, as in a redeploy, waits for it and works', async () => {
  const first = await start();
  await writeRow(first);
  const ending = first.stop();
  const second = await start();
  await ending;
  const endingAgain = second.stop();
  const third = await start();
  await endingAgain;
  await assertRowIsThere(third);
  assert.equal(third.adopted, false);
});

test('a second process is refused, naming the directory and the owner', async () => {
  await start();
  const { said } = await startElsewhere();
  assert.ok(said.includes(inFolder()), said);
  assert.ok(said.includes(`mo-bridge owner ${process.pid}`), said);
});

test('two processes starting at once in an empty directory end with one owner', async () => {
  const results = await Promise.all([startElsewhere(), startElsewhere()]);
  const said = results.map((result) => result.said).sort();
  assert.ok(said.includes('started'), said.join('\n'));
  assert.match(said.find((line) => line !== 'started') ?? '', /in use by another process/);
  for (const { other } of results) await killed(other, 'SIGKILL');
  await start();
});

test('the server of a killed owner is adopted with its data', async () => {
  await writeRow(await start());
  await started.pop()?.stop();
  const { other, said } = await startElsewhere();
  assert.equal(said, 'started');
  const pid = postmasterPid(inFolder());
  await killed(other, 'SIGKILL');
  const server = await start();
  assert.equal(server.adopted, true);
  assert.equal(postmasterPid(server.directory), pid);
  await assertRowIsThere(server);
  await server.stop();
  await assert.rejects(queryOnce(server, 'select 1'), /ECONNREFUSED/);
});

test('after kill -9 of the owner and of PostgreSQL a start recovers the committed rows', async () => {
  const { other } = await startElsewhere();
  await killed(other, 'SIGKILL');
  const adopter = await start({ onExit: () => undefined });
  await writeRow(adopter);
  process.kill(postmasterPid(adopter.directory), 'SIGKILL');
  await adopter.stop();
  const server = await start();
  assert.equal(server.adopted, false);
  await assertRowIsThere(server);
});

test('the end of PostgreSQL is reported once, and a new start works', async () => {
  const reasons: string[] = [];
  const exits = new EventEmitter();
  const server = await start({ onExit: (reason) => exits.emit('exit', reasons.push(reason)) });
  const exit = once(exits, 'exit');
  // The server's connection alone keeps no process alive: this does until the end was reported.
  const waiting = setInterval(() => undefined, 1000);
  process.kill(postmasterPid(server.directory), 'SIGKILL');
  await exit;
  clearInterval(waiting);
  assert.match(reasons[0] ?? '', /ended by itself/);
  const again = await start();
  await server.stop();
  await queryOnce(again, 'select 1');
  assert.equal(reasons.length, 1);
});

test('ownership is taken again after PostgreSQL restarted its connections', async () => {
  const reasons: string[] = [];
  const server = await start({ onExit: (reason) => reasons.push(reason) });
  const owners = () =>
    queryOnce<{ pid: number }>(
      server,
      `select pid from pg_stat_activity join pg_locks using (pid)
        where application_name = 'mo-bridge owner ${process.pid}' and locktype = 'advisory'`,
    ).catch(() => []);
  const before = (await owners())[0]?.pid ?? 0;
  process.kill(before, 'SIGKILL');
  for (let now = before; now === before; now = (await owners())[0]?.pid ?? before) await pause(10);
  assert.match((await startElsewhere()).said, /in use by another process/);
  assert.deepEqual(reasons, []);
});

test('a stale postmaster.pid whose number another process has now does not stop the start', async () => {
  const first = await start();
  await writeRow(first);
  const data = join(first.directory, 'cluster/data');
  const file = readFileSync(join(data, 'postmaster.pid'), 'utf8');
  await first.stop();
  const { uid, gid } = statSync(data);
  const stranger = spawn('/bin/sh', ['-c', 'read line'], { uid, gid, cwd: '/', stdio: ['pipe', 'ignore', 'ignore'] });
  others.push(stranger);
  await once(stranger, 'spawn');
  writeFileSync(join(data, 'postmaster.pid'), file.replace(/^\d+/, String(stranger.pid)));
  await assertRowIsThere(await start());
});

test('a data directory of another PostgreSQL major is refused by name and left untouched', async () => {
  const first = await start();
  await writeRow(first);
  await first.stop();
  const version = join(first.directory, 'cluster/data/PG_VERSION');
  const own = readFileSync(version, 'utf8');
  writeFileSync(version, '17\n');
  const before = snapshot(folder);
  await assert.rejects(
    start(),
    (error: Error) => error.message.includes(first.directory) && /PostgreSQL 17/.test(error.message),
  );
  assert.deepEqual(snapshot(folder), before);
  writeFileSync(version, own);
  await assertRowIsThere(await start());
});

for (const [what, file] of [
  ['foreign files', 'notes.txt'],
  ['a PostgreSQL data directory of its own', 'PG_VERSION'],
  ['a cluster without our marker', 'cluster/data/PG_VERSION'],
] as const)
  test(`a directory with ${what} is refused by name and left untouched`, async () => {
    mkdirSync(join(inFolder(), file, '..'), { recursive: true });
    writeFileSync(join(inFolder(), file), '18\n');
    const before = snapshot(folder);
    await assert.rejects(
      start(),
      (error: Error) => error.message.includes(inFolder()) && /another package/.test(error.message),
    );
    assert.deepEqual(snapshot(folder), before);
  });

test('what a killed first start left behind is cleared away', async () => {
  const dead = spawn(process.execPath, ['-e', '']);
  await once(dead, 'exit');
  const leftover = join(inFolder(), `cluster.new-${dead.pid}`);
  mkdirSync(join(leftover, 'data'), { recursive: true });
  await start();
  assert.equal(existsSync(leftover), false);
});

test('root keeps the data under the fallback root when the unprivileged user cannot enter; others where asked', async () => {
  const parent = join(folder, 'home');
  mkdirSync(parent);
  chmodSync(parent, 0o700);
  const directory = join(parent, 'mo-bridge/postgresql');
  const server = await start({ directory });
  if (!asRoot) assert.equal(server.directory, directory);
  else {
    assert.ok(server.directory.startsWith(join(folder, 'fallback', 'postgresql-')), server.directory);
    assert.deepEqual(readdirSync(parent), []);
    assert.notEqual(statSync(join(server.directory, 'cluster/data')).uid, 0);
    // Once there, it stays there: what was written must not vanish because a mode was changed.
    await writeRow(server);
    await server.stop();
    chmodSync(parent, 0o755);
    await assertRowIsThere(await start({ directory }));
  }
});

test(
  'a user id without a name is told what to do; a database that exists is used by it all the same',
  { skip: !asRoot && 'becoming another user needs root' },
  async () => {
    const uid = 1_000_650_000;
    const asNobodyKnown = async (): Promise<string> => {
      const script = `process.setgroups([]); process.setgid(${uid}); process.setuid(${uid});
        require(${JSON.stringify(MODULE)}).startEmbeddedPostgres({ directory: ${JSON.stringify(inFolder())}, log: () => {} })
          .then((server) => server.stop()).then(() => console.log('started and stopped'), (error) => console.log(error.message));`;
      const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
      others.push(child);
      const [said] = (await once(child.stdout, 'data')) as [Buffer];
      return said.toString();
    };
    const giveAway = () => execFileSync('chown', ['-R', `${uid}:${uid}`, inFolder()]);
    mkdirSync(inFolder());
    giveAway();
    assert.match(await asNobodyKnown(), /user 1000650000 .*has no name .*\/etc\/passwd.*runAsUser.*PostgreSQL server/);
    assert.deepEqual(readdirSync(inFolder()), [], 'nothing is left behind');
    rmSync(inFolder(), { recursive: true });
    await (await start()).stop();
    giveAway();
    assert.match(await asNobodyKnown(), /started and stopped/);
  },
);

test('missing library links are created; where that or executing is not allowed, a copy is used', async () => {
  const installed = await findPostgresPackage();
  const directory = join(folder, 'package');
  cpSync(installed.directory, directory, { recursive: true, verbatimSymlinks: true });
  const lib = join(directory, 'native/lib');
  const links = readdirSync(lib).filter((name) => lstatSync(join(lib, name)).isSymbolicLink());
  const removeLinks = () => links.forEach((name) => rmSync(join(lib, name)));
  assert.ok(links.length > 0);
  const user = asRoot ? unprivilegedUser(readFileSync('/etc/passwd', 'utf8')) : undefined;
  const source = { ...installed, directory };
  const root = join(folder, 'root');
  mkdirSync(root);
  chmodSync(root, 0o755);

  removeLinks();
  const inPlace = await preparePostgresBinaries(source, root, user);
  assert.ok(inPlace.postgres.startsWith(directory));
  assert.deepEqual(readdirSync(root), []);

  removeLinks();
  chmodSync(lib, 0o500); // root may write it all the same, but its unprivileged user cannot enter
  const copied = await preparePostgresBinaries(source, root, user).finally(() => chmodSync(lib, 0o700));
  assert.deepEqual(readdirSync(root), [`bin-${installed.version}`]);
  assert.ok(copied.postgres.startsWith(root));
});

test('a platform without a build is told what to use instead', async () => {
  await assert.rejects(findPostgresPackage('sunos', 'x64'), /sunos x64.*PostgreSQL server/s);
  assert.match(unsupportedReason('linux', undefined) ?? '', /musl.*PostgreSQL server.*[Dd]ebian/s);
  assert.equal(unsupportedReason('linux', '2.36'), undefined);
  assert.equal(unsupportedReason('darwin', undefined), undefined);
});

test('as root PostgreSQL runs as postgres, else as nobody, never as root', () => {
  const nobody = 'root:x:0:0::/root:/bin/sh\nnobody:x:65534:65533::/:/bin/false\n';
  assert.deepEqual(unprivilegedUser(nobody), { name: 'nobody', uid: 65534, gid: 65533 });
  assert.equal(unprivilegedUser(`${nobody}postgres:x:70:70::/:/bin/sh`).name, 'postgres');
  assert.throws(() => unprivilegedUser('root:x:0:0::/root:/bin/sh\n'), /neither/);
});

test('a test database is empty, separate, and gone after drop', async () => {
  const [one, two] = await Promise.all([testDatabase(), testDatabase()]);
  await queryOnce(one, 'create table only_here ()');
  await assert.rejects(queryOnce(two, 'table only_here'), /does not exist/);
  await Promise.all([one.drop(), two.drop()]);
  await assert.rejects(queryOnce(one, 'select 1'), /does not exist/);
});
