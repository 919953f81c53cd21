/** What a database must be before it is used: refused by name with what to set, alike in the link's status and in the dialog. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { LinkState } from '../../../nodes/lib/domain/link-state';
import { type DatabaseAddress, openDatabase } from '../../../nodes/lib/store/connection';
import { DatabaseLink } from '../../../nodes/lib/store/database-link';
import { migrate } from '../../../nodes/lib/store/migrate';
import { probeDatabase } from '../../../nodes/lib/store/test-connection';
import { startPooler, type PoolerOptions } from '../../support/pooler';
import { plainRole } from '../../support/role';
import { freshStore, order } from '../../support/store';
import { startTcpProxy } from '../../support/tcp-proxy';

/** A link that never retries for long: the test ends it. */
function linkTo(t: TestContext, address: DatabaseAddress) {
  const warnings: string[] = [];
  const state = new LinkState();
  const link = new DatabaseLink(() => Promise.resolve(address), 'plant', state, {
    onWarning: (problem) => warnings.push(problem),
  });
  t.after(() => link.close());
  return { link, state, warnings, queue: () => link.use(async ({ batches }) => (await batches.summary()).queue) };
}

/** Both ways in refuse with the same words. */
async function refused(t: TestContext, address: DatabaseAddress, words: RegExp): Promise<void> {
  const said = await probeDatabase(address).then(
    () => 'nothing',
    ({ message }: Error) => message,
  );
  assert.match(said, words);
  const { queue, state } = linkTo(t, address);
  await assert.rejects(queue(), words);
  assert.equal(state.status.problem, `plant: ${said}`);
  assert.ok(!JSON.stringify([said, state.status]).includes(address.password));
}

test('without CREATE on the schema the grant is named; with it all is well', async (t) => {
  const { address, role, sql } = await plainRole(t);
  await refused(t, address, new RegExp(`may not create tables: GRANT CREATE ON SCHEMA "public" TO "${role}"`));
  await sql(`GRANT CREATE ON SCHEMA public TO ${role}`);
  assert.equal((await probeDatabase(address)).state, 'empty');
  assert.equal(await linkTo(t, address).queue(), 0);
});

test('a search_path that leads nowhere is refused with the statement that mends it', async (t) => {
  const { address, role, sql } = await plainRole(t);
  await sql(`ALTER ROLE ${role} SET search_path = not_there, nor_there`);
  await refused(t, address, /search_path \(not_there, nor_there\) leads to no schema.*SET search_path = public/);
});

test('tables stay where the path led at connecting, also when a schema of the role comes into being', async (t) => {
  const { address, role, sql } = await plainRole(t);
  await sql(`GRANT CREATE ON SCHEMA public TO ${role}`);
  const { queue, link } = linkTo(t, address);
  assert.equal(await queue(), 0);
  await sql(`CREATE SCHEMA ${role} AUTHORIZATION ${role}`);
  await link.use(({ batches }) => batches.enqueue([order(1)], 1));
  assert.equal(await queue(), 1);
  assert.equal((await probeDatabase(address)).counts?.queue, 1);
});

test('rights that are missing on our tables, tables of another owner, and triggers that are off are named', async (t) => {
  const { address, role, sql, server } = await plainRole(t);
  const owner = openDatabase(server);
  await migrate(owner);
  await owner.$pool.end();
  await sql(`GRANT SELECT ON ALL TABLES IN SCHEMA public TO ${role}`);
  await refused(t, address, new RegExp(`lacks rights \\(INSERT ON mo_batch.*GRANT SELECT, INSERT.*TO "${role}"`));
  await sql(`GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO ${role}`);
  assert.equal(await linkTo(t, address).queue(), 0);
  await sql('ALTER TABLE mo_batch DISABLE TRIGGER mo_batch_guard');
  await refused(t, address, /triggers are switched off \(mo_batch_guard\).*ENABLE TRIGGER mo_batch_guard/);
  await sql('ALTER TABLE mo_batch ENABLE TRIGGER mo_batch_guard');
  await sql('DELETE FROM mo_schema WHERE version > 1');
  await sql(`GRANT CREATE ON SCHEMA public TO ${role}`);
  await refused(
    t,
    address,
    new RegExp(`may not change the table mo_batch, it belongs to.*ALTER TABLE mo_batch OWNER TO "${role}"`),
  );
});

test('a right that is taken away under way is an error with its remedy, not a lost database', async (t) => {
  const { address, role, sql } = await plainRole(t);
  await sql(`GRANT CREATE ON SCHEMA public TO ${role}`);
  const { link, state, queue } = linkTo(t, address);
  assert.equal(await queue(), 0);
  await sql(`REVOKE INSERT ON mo_batch FROM ${role}`);
  await assert.rejects(
    link.use(({ batches }) => batches.enqueue([order(1)], 1)),
    /^Error: plant: permission denied for table mo_batch: grant the user/,
  );
  assert.equal(state.status.up, true);
});

test('an encoding that cannot hold every name is refused', async (t) => {
  const { server, sql } = await plainRole(t);
  const database = `${server.database}_latin`;
  await sql(`CREATE DATABASE ${database} ENCODING 'LATIN1' LOCALE_PROVIDER libc LOCALE 'C' TEMPLATE template0`);
  await refused(t, { ...server, database }, /encoding is LATIN1.*ENCODING 'UTF8' TEMPLATE template0/).finally(() =>
    sql(`DROP DATABASE ${database} WITH (FORCE)`),
  );
});

test('a role with three connections works with three, and the log says so', async (t) => {
  const { address, role, sql } = await plainRole(t);
  await sql(`GRANT CREATE ON SCHEMA public TO ${role}`);
  await sql(`ALTER ROLE ${role} CONNECTION LIMIT 3`);
  const { link, queue, warnings, state } = linkTo(t, address);
  await queue();
  const work = Array.from({ length: 30 }, (_, n) => link.use(({ batches }) => batches.enqueue([order(n + 1)], 1000)));
  await Promise.all([...work, ...Array.from({ length: 30 }, queue)]);
  assert.equal(await queue(), 30);
  assert.equal(state.status.up, true);
  assert.ok(
    warnings.some((text) => /no more than 3 connections/.test(text)),
    warnings.join('\n'),
  );
});

test('a role with one connection is told how many are needed', async (t) => {
  const { address, role, sql } = await plainRole(t);
  await sql(`GRANT CREATE ON SCHEMA public TO ${role}`);
  await sql(`ALTER ROLE ${role} CONNECTION LIMIT 1`);
  await refused(t, address, /too many connections for role .*: .*CONNECTION LIMIT.*needs 2/);
});

test('a database with all its connections taken says what to raise, and is used when there is room', async (t) => {
  const { address, sql, server, role } = await plainRole(t);
  await sql(`GRANT CREATE ON SCHEMA public TO ${role}`);
  await sql(`ALTER DATABASE ${server.database} CONNECTION LIMIT 0`);
  await refused(t, address, /too many connections for database .*: .*CONNECTION LIMIT of role and database/);
  await sql(`ALTER DATABASE ${server.database} CONNECTION LIMIT -1`);
  assert.equal(await linkTo(t, address).queue(), 0);
});

test('a server without encryption, a wrong host and a refusal of pg_hba say what to do', async (t) => {
  const { address } = await plainRole(t);
  await refused(t, { ...address, ssl: true }, /does not support SSL connections: choose no TLS config/);
  await refused(t, { ...address, host: 'no-such-host.invalid' }, /ENOTFOUND|EAI_AGAIN.*: check the name of the host/);
  await refused(t, { ...address, database: 'replication_of_nothing' }, /does not exist: create it/);
  await refused(
    t,
    { ...address, password: 'not-its-secret' },
    /password authentication failed.*: check user and password/,
  );
});

const behind = async (t: TestContext, options: PoolerOptions): Promise<DatabaseAddress> => {
  const { address } = await freshStore(t);
  return { ...address, port: await startPooler(t, address, options) };
};

test('behind a pooler in session mode that refuses start-up parameters all works', async (t) => {
  const address = await behind(t, { mode: 'session', size: 10 });
  const { link, queue } = linkTo(t, address);
  await Promise.all(
    Array.from({ length: 12 }, (_, n) => link.use(({ batches }) => batches.enqueue([order(n + 1)], 1000))),
  );
  assert.equal(await queue(), 12);
  assert.equal((await probeDatabase(address)).state, 'current');
});

test('behind a pooler in session mode that lets the fourth connection wait three do the work; one is too few', async (t) => {
  const { link, queue } = linkTo(t, await behind(t, { mode: 'session', size: 3 }));
  await queue();
  await Promise.all(
    Array.from({ length: 12 }, (_, n) => link.use(({ batches }) => batches.enqueue([order(n + 1)], 1000))),
  );
  assert.equal(await queue(), 12);
  await refused(
    t,
    await behind(t, { mode: 'session', size: 1 }),
    /a second one is not given: .*default_pool_size.*needs 2/,
  );
});

for (const size of [1, 2, 3]) {
  for (const roundRobin of [false, true]) {
    const turns = roundRobin ? 'in turns' : 'last used first';
    test(`a pooler in transaction mode with ${size} connections (${turns}) is refused by name`, async (t) => {
      const address = await behind(t, { mode: 'transaction', size, roundRobin });
      await refused(t, address, /a connection pooler in transaction mode.*set pool_mode = session/);
    });
  }
}

test('a proxy that only passes on is no pooler', async (t) => {
  const { address } = await freshStore(t);
  const proxy = await startTcpProxy(address);
  t.after(() => proxy.stop());
  assert.equal((await probeDatabase({ ...address, port: proxy.port })).state, 'current');
});
