/** "Test connection" and "Read now", as the dialogs call them: in a real Node-RED, before and after a deploy. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { createServer } from 'node:net';
import { after, before, beforeEach, describe, test } from 'node:test';
import { DATA_BLOCK } from '../../examples/plant/plant';
import { startSimulatedOdoo, type SimulatedOdoo } from '../../examples/plant/odoo/simulated-odoo';
import { blockSize, S7_BATCH_RECORD, writeSlot } from '../../examples/plant/plc/batch-memory';
import { startS7Server, type S7Server } from '../../examples/plant/plc/s7-server';
import { LAYOUT_PRESETS } from '../../nodes/lib/plc/slot-layout';
import { queryOnce, testDatabase, type TestDatabase } from '../support/cluster';
import { startLiveNodeRed, type LiveNodeRed } from '../support/live-node-red';
import { startFlow, stopHelper } from '../support/node-red';

interface Answer {
  ok: boolean;
  problem?: string;
  [fact: string]: unknown;
}

let red: LiveNodeRed;

async function call(path: string, values: object): Promise<Answer> {
  const response = await red.post(`/mo-bridge/${path}`, values);
  const text = await response.text();
  assert.equal(response.status, 200, text);
  // What was sent never comes back; the simulated Odoo's passwords are its users' names.
  const { user, password } = values as { user?: string; password?: string };
  if (password && password !== user) assert.ok(!text.includes(password), text);
  return JSON.parse(text) as Answer;
}

/** A port where nobody listens. */
async function deadPort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as { port: number };
  probe.close();
  return port;
}

before(async () => {
  Object.assign(process.env, { MO_TEST_ODOO_USER: 'scada', MO_TEST_ODOO_PASSWORD: 'scada' });
  red = await startLiveNodeRed();
});
beforeEach(() => red.deploy([{ id: 'empty', type: 'tab', label: 'empty' }]).then(() => undefined));
after(async () => {
  await red?.host.stop();
  await stopHelper();
});

test('every call asks for the permission to change its node', async (t) => {
  const { permissions } = await startFlow(t, [{ id: 'silos', type: 'silo-map', name: 'Silos' }]);
  for (const type of ['odoo-server', 'mo-database', 'plc-consumption-read']) {
    assert.ok(permissions.includes(`${type}.write`), type);
  }
});

describe('"Test connection" of odoo-server', () => {
  let odoo: SimulatedOdoo;
  const values = (more: object = {}): object => ({
    ...{ id: 'odoo', url: odoo.url, database: 'odoo14', user: 'scada', password: 'scada', timeout: '30', tls: '' },
    ...more,
  });
  before(async () => {
    odoo = await startSimulatedOdoo();
    for (let n = 0; n < 3; n += 1) odoo.createOrder({ quantity: 2500 });
  });
  after(() => odoo.stop());

  test('tells who logged in, the versions and how many orders are confirmed, before any deploy', async () => {
    assert.deepEqual(await call('odoo-server/test', values()), { ok: true, user: 'scada', server: '14.0', orders: 3 });
    const admin = await call('odoo-server/test', values({ user: 'admin', password: 'admin' }));
    assert.deepEqual(admin, { ok: true, user: 'admin', server: '14.0', addon: '14.0.7.2.1', orders: 3 });
  });

  test('a wrong password, a database that is not there and an Odoo that is not there are told apart', async () => {
    const problem = async (more: object): Promise<string> => {
      const { ok, problem = '' } = await call('odoo-server/test', values(more));
      assert.equal(ok, false);
      return problem;
    };
    assert.match(
      await problem({ password: 'wr0ng-and-never-shown' }),
      /Access Denied: check user, password and database$/,
    );
    assert.match(await problem({ database: 'other' }), /database "other" does not exist/);
    assert.match(
      await problem({ url: `http://127.0.0.1:${await deadPort()}` }),
      /not reachable.*check URL, network and server/,
    );
    assert.match(await problem({ url: 'odoo.example', user: '' }), /^fill in first: Address, User$/);
    assert.match(await problem({ url: 'odoo.example' }), /^Address: say whether it begins with http/);
    assert.match(await problem({ url: 'http://scada:pw@odoo.example' }), /^Address: without user and password/);
    assert.match(await problem({ url: 'http://' }), /^Address: is not the address of a server/);
    assert.match(await problem({ url: `${odoo.url}/web?db=other` }), /^Address: it names another database/);
    assert.match(await problem({ password: '${MO_TEST_NOT_SET}' }), /environment variable MO_TEST_NOT_SET is not set/);
    assert.match(await problem({ tls: 'not-deployed' }), /TLS configuration is not deployed yet/);
  });

  test('mends what was copied from the browser, and tells where Odoo was found', async () => {
    const { ok, address } = await call(
      'odoo-server/test',
      values({ url: ` ${odoo.url}/web?db=odoo14#menu `, database: '' }),
    );
    assert.deepEqual([ok, address], [true, odoo.url]);
  });

  const node = { id: 'odoo', type: 'odoo-server', name: '', database: 'odoo14', timeout: 30, parallel: 2, tls: '' };
  const tab = { id: 'tab', type: 'tab', label: 'tab' };
  const refused = async (more: object): Promise<string> => {
    const { ok, problem = '' } = await call('odoo-server/test', values(more));
    assert.equal(ok, false);
    return problem;
  };

  test('takes ${NAME} from the environment, and the deployed password for one that was not touched', async () => {
    const variables = { user: '${MO_TEST_ODOO_USER}', password: '${MO_TEST_ODOO_PASSWORD}' };
    assert.match(await refused(variables), /\$\{MO_TEST_ODOO_USER\} is looked up only where the deployed node has it/);
    await red.deploy([tab, { ...node, url: odoo.url }], { odoo: variables });
    const { ok, user } = await call('odoo-server/test', values({ ...variables, password: '__PWRD__' }));
    assert.deepEqual([ok, user], [true, 'scada']);
    const other = await call('odoo-server/test', values({ id: 'another', password: '__PWRD__' }));
    assert.match(other.problem ?? '', /^fill in first: Password$/);
  });

  test('what is kept here never goes to an address that somebody typed', async (t) => {
    const came: string[] = [];
    const evil = createHttpServer((req, res) => {
      req.on('data', (chunk: Buffer) => came.push(chunk.toString()));
      req.on('end', () => res.end('{}'));
    }).listen(0, '127.0.0.1');
    t.after(() => evil.close());
    await once(evil, 'listening');
    const url = `http://127.0.0.1:${(evil.address() as { port: number }).port}`;
    const insecure = { id: 'insecure', type: 'tls-config', name: '', verifyservercert: false };
    const broker = { id: 'broker', type: 'mqtt-broker', name: '', broker: 'localhost', port: '1883' };
    const kept = { odoo: { user: '${MO_TEST_ODOO_USER}', password: 'k3pt-secret' }, broker: { password: 'k3pt-too' } };
    await red.deploy([tab, insecure, broker, { ...node, url: odoo.url }], kept);
    const changed = /kept for the deployed address/;
    assert.match(await refused({ url, password: '__PWRD__' }), changed);
    assert.match(await refused({ tls: 'insecure', password: '__PWRD__' }), changed);
    assert.match(await refused({ database: 'other', password: '__PWRD__' }), changed);
    assert.match(await refused({ id: 'broker', url, password: '__PWRD__' }), /^fill in first: Password$/);
    // A variable that the node has, in a dialog with another address; and one that it has elsewhere.
    assert.match(await refused({ url, user: '${MO_TEST_ODOO_USER}', password: 'x' }), /looked up only where/);
    assert.match(await refused({ url, user: '${MO_TEST_ODOO_PASSWORD}', password: 'x' }), /looked up only where/);
    assert.match(await refused({ user: '${MO_TEST_ODOO_PASSWORD}' }), /looked up only where/);
    assert.match(await refused({ url: '${MO_TEST_ODOO_USER}' }), /looked up only where/);
    assert.match(await refused({ tls: 'broker', url: 'https://127.0.0.1:1' }), /TLS configuration is not deployed/);
    assert.deepEqual(came, []);
  });

  test('an Odoo without the addon is named so', async () => {
    // As exchanges 317 to 320 tell it of a database whose routes are not there.
    const bare = createHttpServer(({ url = '' }, response) => {
      const [status, result] = url.startsWith('/web/session')
        ? [200, { uid: 6, username: 'scada', server_version: '14.0' }]
        : [404, {}];
      response.writeHead(status, { 'Content-Type': 'application/json', 'Set-Cookie': 'session_id=abc; Path=/' });
      response.end(JSON.stringify({ jsonrpc: '2.0', id: null, result }));
    }).listen(0, '127.0.0.1');
    await once(bare, 'listening');
    const { port } = bare.address() as { port: number };
    const { problem } = await call('odoo-server/test', values({ url: `http://127.0.0.1:${port}` }));
    bare.close();
    assert.match(problem ?? '', /no SCADA addon in this database: install it/);
  });
});

describe('"Test connection" of mo-database', () => {
  let server: TestDatabase;
  const values = (more: object = {}): object => {
    const { host, port, database, user, password } = server;
    return { id: 'db', mode: 'server', host, serverPort: String(port), database, user, password, tls: '', ...more };
  };
  const tab = { id: 'tab', type: 'tab', label: 'tab' };
  before(async () => {
    server = await testDatabase();
  });
  after(() => server.drop());

  test('tells version and state of the schema, changes nothing, and counts once the tables are there', async () => {
    const empty = await call('mo-database/test', values());
    assert.deepEqual([empty.ok, empty.state, empty.schema], [true, 'empty', 0]);
    assert.match(String(empty.server), /^\d+/);
    assert.deepEqual(await queryOnce(server, `SELECT to_regclass('mo_schema')::text AS found`), [{ found: null }]);

    const { host, port, database, user, password } = server;
    const node = {
      id: 'db',
      type: 'mo-database',
      name: '',
      mode: 'server',
      host,
      serverPort: String(port),
      database,
      tls: '',
    };
    await red.deploy([tab, node], { db: { user, password } });
    await red.sees(/schema \d+ in place/);
    await queryOnce(
      server,
      `INSERT INTO mo_batch (mo_id, actual_consumption_silo_a) VALUES ('WH/MO/00001', 5), ('WH/MO/00002', NULL)`,
    );
    const current = await call('mo-database/test', values({ password: '__PWRD__' }));
    assert.equal(current.state, 'current');
    const elsewhere = { password: '__PWRD__', serverPort: String(await deadPort()) };
    const kept = /kept for the deployed host, port, database and TLS/;
    assert.match((await call('mo-database/test', values(elsewhere))).problem ?? '', kept);
    assert.match((await call('mo-database/test', values({ ...elsewhere, host: 'localhost' }))).problem ?? '', kept);
    assert.deepEqual(current.counts, { queue: 2, unconfirmed: 1, set_aside: 0, held: 0, history: 0 });
  });

  test('wrong password, missing database, dead port and a foreign table say what to do', async () => {
    const problem = async (more: object): Promise<string> => {
      const { ok, problem = '' } = await call('mo-database/test', values(more));
      assert.equal(ok, false);
      return problem;
    };
    assert.match(
      await problem({ password: 'wr0ng-and-never-shown' }),
      /password authentication failed.*check user and password/,
    );
    assert.match(await problem({ database: 'not_there' }), /"not_there" does not exist: create it/);
    assert.match(await problem({ serverPort: String(await deadPort()) }), /check the port/);
    assert.match(await problem({ host: '' }), /^fill in first: Host$/);
    assert.match(await problem({ serverPort: '543299' }), /^fill in first: Port$/);
    const foreign = await testDatabase();
    await queryOnce(foreign, 'CREATE TABLE mo_batch (something text)');
    assert.match(await problem({ database: foreign.database }), /not the one of this package/);
    await foreign.drop();
  });

  test('the built-in database is asked once it runs', async () => {
    const embedded = { id: 'db', mode: 'embedded', directory: '', port: '' };
    assert.match((await call('mo-database/test', embedded)).problem ?? '', /does not run: deploy first/);
    await red.deploy([tab, { type: 'mo-database', name: '', ...embedded }]);
    await red.sees(/schema \d+ in place/);
    const { ok, state } = await call('mo-database/test', embedded);
    assert.deepEqual([ok, state], [true, 'current']);
  });
});

describe('"Read now" of plc-consumption-read', () => {
  let plc: S7Server;
  const endpoint = (more: object = {}): object => ({
    ...{ id: 'plc', transport: 'iso-on-tcp', connmode: 'rack-slot', address: '127.0.0.1', port: String(plc.port) },
    ...{ rack: '0', slot: '1', timeout: '2000', changed: false },
    ...more,
  });
  const values = (more: object = {}): object => {
    const { db, base, stride, fields } = LAYOUT_PRESETS['S7 batch record'];
    const numbers = {
      db: String(db),
      base: String(base),
      stride: String(stride),
      slots: '3',
      settle: '10',
      timeout: '1000',
    };
    return {
      id: 'read',
      ...numbers,
      fields,
      maxSilo: '5000',
      maxFinished: '10000000',
      moPattern: '',
      endpoint: endpoint(),
      ...more,
    };
  };
  before(async () => {
    plc = await startS7Server({ dbs: { [DATA_BLOCK]: blockSize(S7_BATCH_RECORD, 10) } });
    const memory = plc.memory(DATA_BLOCK);
    writeSlot(memory, S7_BATCH_RECORD, 1, {
      mo_id: 'WH/MO/00001',
      status_operation: true,
      consumption: { silo_a: 825.5 },
    });
    writeSlot(memory, S7_BATCH_RECORD, 2, { mo_id: 'WH/MO/00002', consumption: { silo_a: -1 } });
  });
  after(() => plc.stop());

  interface Slots extends Answer {
    readings: { slot: number; mo_id: string; consumption: Record<string, number> }[];
    rejected: { slot: number; problems: { field: string }[] }[];
    empty: number;
  }

  test('live values: each field of one slot, in the order of the rows, with its bytes; nothing is judged', async () => {
    interface Sights extends Answer {
      own: boolean;
      fields: { field: string; value: string; hex: string }[];
    }
    const { ok, own, fields } = (await call('plc-consumption-read/live', values({ slot: 1 }))) as Sights;
    assert.deepEqual([ok, own], [true, true]);
    assert.deepEqual(
      fields.map(({ field }) => field),
      LAYOUT_PRESETS['S7 batch record'].fields.map(({ field }) => field),
    );
    const seen = (name: string) => fields.filter(({ field }) => field === name);
    const text = Buffer.concat([Buffer.from([20, 11]), Buffer.from('WH/MO/00001'), Buffer.alloc(9)]);
    const hex = text.toString('hex').toUpperCase().match(/../g)!.join(' ');
    assert.deepEqual(seen('mo_id'), [{ field: 'mo_id', value: 'WH/MO/00001', hex }]);
    assert.deepEqual(seen('status_operation'), [{ field: 'status_operation', value: '1', hex: '02' }]);
    assert.deepEqual(seen('silo_a'), [{ field: 'silo_a', value: '825.5', hex: '44 4E 60 00' }]);
    const second = (await call('plc-consumption-read/live', values({ slot: 2 }))) as Sights;
    assert.equal(second.fields.find(({ field }) => field === 'silo_a')?.value, '-1');
    const beyond = await call('plc-consumption-read/live', values({ slot: 4 }));
    assert.equal(beyond.ok, false);
    assert.match(beyond.problem ?? '', /no slot 4/);
  });

  test('decodes the slots over a connection of its own before any deploy, and hangs up', async () => {
    const { ok, readings, rejected, empty } = (await call('plc-consumption-read/read', values())) as Slots;
    assert.deepEqual([ok, empty], [true, 1]);
    assert.deepEqual([readings[0]?.mo_id, readings[0]?.consumption['silo_a']], ['WH/MO/00001', 825.5]);
    assert.deepEqual([rejected[0]?.slot, rejected[0]?.problems[0]?.field], [2, 'silo_a']);
    const { connections } = plc.counters;
    await call('plc-consumption-read/read', values());
    assert.equal(plc.counters.connections, connections + 1);
  });

  test('uses the connection of the deployed endpoint, as long as that was not changed in the editor', async () => {
    const { changed: _changed, ...settings } = endpoint() as Record<string, unknown>;
    const tsaps = { localtsaphi: '01', localtsaplo: '00', remotetsaphi: '01', remotetsaplo: '00' };
    const node = {
      ...settings,
      ...tsaps,
      id: 'plc',
      type: 's7 endpoint',
      cycletime: '0',
      name: '',
      vartable: [{ addr: 'DB100,X22.0', name: 'x' }],
    };
    const { connections } = plc.counters;
    await red.deploy([{ id: 'tab', type: 'tab', label: 'tab' }, node]);
    let answer: Answer;
    // Until the endpoint has connected it says that it is offline.
    do answer = await call('plc-consumption-read/read', values());
    while (/offline/.test(answer.problem ?? ''));
    assert.equal(answer.ok, true);
    assert.equal(plc.counters.connections, connections + 1);
    assert.equal((await call('plc-consumption-read/read', values({ endpoint: endpoint({ changed: true }) }))).ok, true);
    assert.equal(plc.counters.connections, connections + 2);
  });

  test('a PLC that is not there, a missing data block and a bad layout say what to do; Node-RED lives on', async () => {
    const problem = async (more: object): Promise<string> => {
      const { ok, problem = '' } = await call('plc-consumption-read/read', values(more));
      assert.equal(ok, false);
      return problem;
    };
    assert.match(
      await problem({ endpoint: endpoint({ port: String(await deadPort()) }) }),
      /PLC: offline.*Check power and cable/,
    );
    assert.match(await problem({ endpoint: endpoint({ address: '' }) }), /has no address/);
    assert.match(await problem({ endpoint: endpoint({ address: '${PATH}' }) }), /PATH\} is looked up only where/);
    assert.match(await problem({ db: '77' }), /DB77 does not exist/);
    assert.match(await problem({ stride: '20' }), /slot layout is not valid/);
    assert.equal((await call('plc-consumption-read/read', values())).ok, true);
  });
});
