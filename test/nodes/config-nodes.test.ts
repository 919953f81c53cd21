/** The config nodes: what they offer to others, what they tell, and that they end. */
import assert from 'node:assert/strict';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, test, type TestContext } from 'node:test';
import type { DatabaseNode, OdooServerNode, SiloMapNode } from '../../nodes/lib/node-red/config-nodes';
import { type ConnectionData, openTempFolder, queryOnce, testDatabase } from '../support/cluster';
import {
  database,
  databaseLogin,
  type FlowNode,
  type NodeRed,
  odooServer,
  sink,
  startFlow,
  stopHelper,
  TO_SINK,
} from '../support/node-red';
import { startTcpProxy } from '../support/tcp-proxy';

after(stopHelper);

const summary: FlowNode = {
  ...{
    id: 'summary',
    type: 'mo-batch-store',
    name: 'summary',
    database: 'db',
    operation: 'summary',
    line: '',
    ...TO_SINK,
  },
};
const dialog = (red: NodeRed, id = 'db'): Promise<Response> =>
  fetch(`${red.httpAdmin}/mo-bridge/mo-database/${id}/connection`);

async function server(t: TestContext): Promise<ConnectionData> {
  const address = await testDatabase();
  t.after(() => address.drop());
  return address;
}

describe('mo-database on a PostgreSQL server', () => {
  test('migrates, tells the version once, and shows its address without the password', async (t) => {
    const address = await server(t);
    const red = await startFlow(t, [database(address), summary, sink], databaseLogin(address));
    assert.equal((await red.send('summary')).error, undefined);
    assert.match((await red.logs(/^schema \d+ in place$/)).id ?? '', /^db$/);
    const response = await dialog(red);
    const text = await response.text();
    const { host, user, database: name } = JSON.parse(text) as Record<string, string>;
    assert.deepEqual([response.status, host, user, name], [200, address.host, address.user, address.database]);
    assert.ok(!text.includes(address.password));
    assert.ok(red.permissions.includes('mo-database.read'));
    assert.equal((await dialog(red, 'other')).status, 204);
    await red.stop();
  });

  test('a wrong password is told once by error and status, without the password; no work is lost in silence', async (t) => {
    const address = await server(t);
    const password = 'wr0ng-and-never-shown';
    const red = await startFlow(t, [database(address), summary, sink], { db: { user: address.user, password } });
    const first = await red.send('summary');
    const second = await red.send('summary');
    for (const { error } of [first, second])
      assert.match(error?.message ?? '', /Batches: password authentication failed/);
    assert.equal(red.status('summary').fill, 'red');
    assert.match(red.status('summary').text ?? '', /^Batches: password authentication failed/);
    assert.equal(red.logged('error').filter(({ id }) => id === 'db').length, 1);
    const seen = JSON.stringify([red.logged(), red.status('summary'), first, second]) + String(first.error?.stack);
    assert.ok(!seen.includes(password), seen);
  });

  test('a server that is not there yet is a status; the nodes go on by themselves when it comes', async (t) => {
    const address = await server(t);
    const network = await startTcpProxy(address);
    t.after(() => network.stop());
    await network.goAway();
    const red = await startFlow(
      t,
      [database({ ...address, port: network.port }), summary, sink],
      databaseLogin(address),
    );
    const { error } = await red.send('summary');
    assert.match(error?.message ?? '', /database not available, Batches: .*ECONNREFUSED.*tried again by itself/);
    await network.comeBack();
    await red.shows('summary', /grey: ready/);
    assert.equal((await red.send('summary')).error, undefined);
    assert.equal(red.logged('info').filter(({ text }) => text === 'Batches: database back').length, 1);
  });

  test('without user or host it says what to fill in, to all who use it', async (t) => {
    const address = await server(t);
    const red = await startFlow(t, [database(address, { host: '' }), summary, sink]);
    assert.throws(() => red.node<DatabaseNode>('db').database(), /"Batches" is incomplete \(Host, User\)/);
    assert.match((await red.send('summary')).error?.message ?? '', /is incomplete \(Host, User\)/);
  });

  test("closing leaves no connection behind, and a table that is another program's is refused by name", async (t) => {
    const address = await server(t);
    await queryOnce(address, 'CREATE TABLE mo_batch (id int, something text)');
    const red = await startFlow(t, [database(address), summary, sink], databaseLogin(address));
    assert.match((await red.send('summary')).error?.message ?? '', /mo_batch/);
    assert.equal(red.status('summary').fill, 'red');
    await red.stop();
    const count = `SELECT count(*)::int AS n FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`;
    assert.deepEqual(await queryOnce(address, count), [{ n: 0 }]);
  });
});

describe('mo-database, built in', () => {
  const embedded = (directory: string): FlowNode => ({
    ...{
      id: 'db',
      type: 'mo-database',
      name: 'Batches',
      mode: 'embedded',
      directory,
      port: '',
      host: '',
      serverPort: '',
    },
    ...{ database: '', tls: '' },
  });
  const folder = (t: TestContext): string => {
    const made = openTempFolder();
    t.after(() => rmSync(made, { recursive: true, force: true }));
    return join(made, 'postgresql');
  };

  test('starts, keeps what it holds over a redeploy, and shows where it is and where its password lies', async (t) => {
    const directory = folder(t);
    const enqueue = { ...summary, id: 'enqueue', operation: 'enqueue', limit: '10', limitType: 'num' };
    const first = await startFlow(t, [embedded(directory), summary, enqueue, sink]);
    assert.equal((await first.send('enqueue', { payload: [{ mo_id: 'WH/MO/00001' }] })).error, undefined);
    const shown = (await (await dialog(first)).json()) as Record<string, string>;
    assert.deepEqual(Object.keys(shown), ['host', 'port', 'user', 'database', 'passwordFile']);
    assert.equal(shown.host, '127.0.0.1');
    assert.ok(existsSync(shown.passwordFile ?? ''));
    await first.stop();
    const second = await startFlow(t, [embedded(directory), summary, sink]);
    const { out } = await second.send('summary');
    assert.equal((out[0]?.[0]?.payload as { queue: number }).queue, 1);
    await second.stop();
    assert.ok(!existsSync(join(directory, 'cluster', 'data', 'postmaster.pid')));
  });

  test('deployed away while it is still starting, it ends, and the next one starts in the same folder', async (t) => {
    const directory = folder(t);
    const first = await startFlow(t, [embedded(directory), summary, sink]);
    const ended = first.send('summary');
    await first.stop();
    assert.match((await ended).error?.message ?? '', /./);
    const second = await startFlow(t, [embedded(directory), summary, sink]);
    assert.equal((await second.send('summary')).error, undefined);
    await second.stop();
    assert.ok(!existsSync(join(directory, 'cluster', 'data', 'postmaster.pid')));
  });
});

describe('odoo-server', () => {
  test('without address, database or login it says what to fill in', async (t) => {
    const red = await startFlow(t, [odooServer('odoo.example', { database: '' })]);
    const node = red.node<OdooServerNode>('odoo');
    assert.throws(
      () => node.connection(),
      /odoo-server "Odoo" is incomplete \(Address, Odoo database, User, Password\)/,
    );
  });

  test('gives all its users one client and one limit for parallel orders', async (t) => {
    const red = await startFlow(t, [odooServer('http://127.0.0.1:9')], { odoo: { user: 'a', password: 'b' } });
    const node = red.node<OdooServerNode>('odoo');
    assert.equal(node.connection().orders, node.connection().orders);
    assert.equal(node.connection().limiter, node.connection().limiter);
    assert.equal(node.connection().orders.timeoutMs, 2000);
  });
});

describe('silo-map', () => {
  test('maps the silos of the dialog, or the usual ones, and names a row that is wrong', async (t) => {
    const row = (tag: string, code: string): object => ({ tag, code, label: tag, enabled: true });
    const red = await startFlow(t, [
      { id: 'usual', type: 'silo-map', name: '' },
      { id: 'own', type: 'silo-map', name: '', silos: [row('silo_a', 'S-1')] },
      { id: 'wrong', type: 'silo-map', name: '', silos: [row('Silo_Z', 'S-1')] },
    ]);
    assert.doesNotThrow(() => red.node<SiloMapNode>('usual').map());
    assert.doesNotThrow(() => red.node<SiloMapNode>('own').map());
    assert.throws(() => red.node<SiloMapNode>('wrong').map(), /Silo_Z/);
  });
});
