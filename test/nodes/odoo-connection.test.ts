/** "Test connection" against a simulated standard Odoo: what it finds, and what it says to do, in a real Node-RED. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, test, type TestContext } from 'node:test';
import {
  type StandardOdoo,
  type StandardOdooOptions,
  startStandardOdoo,
  VERSIONS,
} from '../../examples/plant/odoo/standard/standard-odoo';
import { type LiveNodeRed, startLiveNodeRed } from '../support/live-node-red';

interface Component {
  product: string;
  code: string;
}
interface Answer {
  ok: boolean;
  problem?: string;
  user?: string;
  server?: string;
  lines?: { line: string; orders: number; known: Component[]; unknown: Component[] }[];
  standard?: { versions: string; addonThere: boolean; daysLeft?: number };
}

let red: LiveNodeRed;
before(async () => {
  process.env['MO_TEST_LINE'] = 'PLC02';
  red = await startLiveNodeRed();
});
beforeEach(() => red.deploy([{ id: 'empty', type: 'tab', label: 'empty' }]).then(() => undefined));
after(() => red?.host.stop());

async function standard(t: TestContext, options: StandardOdooOptions): Promise<StandardOdoo> {
  const odoo = await startStandardOdoo(options);
  t.after(() => odoo.stop());
  odoo.createOrder({ line: 'OTHER' });
  return odoo;
}

const entered = ({ url, database }: StandardOdoo, more: object = {}): object => ({
  ...{ id: 'odoo', url, database, interface: 'standard', secret: 'password', user: 'bridge', password: 'bridge' },
  ...{ timeout: '30', tls: '', siloBy: 'reference', siloField: '', ...more },
});

async function tested(values: object): Promise<Answer> {
  const response = await red.post('/mo-bridge/odoo-server/test', values);
  return (await response.json()) as Answer;
}

const BAG = { product: 'Bag 50 kg', code: null, quantity: 50, uom: 'Units' };
const ORDER = {
  line: 'PLC01',
  components: [
    { product: 'Pollard Angsa', code: 'silo101', quantity: 825 },
    { product: 'Yeast', code: 'PRM1', quantity: 5 },
    BAG,
  ],
};

for (const version of VERSIONS)
  test(`${version}: says its version, the orders of the line, and which components are on a silo of its map`, async (t) => {
    const odoo = await standard(t, { version });
    odoo.createOrder(ORDER);
    odoo.createOrder({ line: 'PLC02' });
    const lines = [{ line: 'PLC01', by: 'operation-type', field: '', codes: ['silo101', 'silo102'] }];
    const { ok, problem, ...found } = await tested(entered(odoo, { lines }));
    assert.ok(ok, problem);
    assert.deepEqual([found.user, found.server?.slice(0, 2)], ['bridge', String(version)]);
    assert.match(found.standard?.versions ?? '', new RegExp(String(version)));
    const [line, ...others] = found.lines ?? [];
    assert.deepEqual([line?.line, line?.orders, others], ['PLC01', 1, []]);
    assert.deepEqual(line?.known, [{ product: 'Pollard Angsa', code: 'silo101' }]);
    assert.deepEqual(line?.unknown, [
      { product: 'Bag 50 kg', code: '' },
      { product: 'Yeast', code: 'PRM1' },
    ]);
  });

test('without a line all open orders are told, and what names a silo at all is known', async (t) => {
  const odoo = await standard(t, { version: 17 });
  odoo.createOrder(ORDER);
  const { lines } = await tested(entered(odoo));
  assert.deepEqual(
    lines?.map(({ line, orders, unknown }) => [line, orders, unknown.map(({ product }) => product)]),
    [['', 2, ['Bag 50 kg']]],
  );
});

test('a line that a variable names is the one of the deployed fetch node', async (t) => {
  const odoo = await standard(t, { version: 17 });
  odoo.createOrder({ line: 'PLC02' });
  const { url, database } = odoo;
  await red.deploy([
    { id: 'tab', type: 'tab', label: 'tab' },
    { id: 'odoo', type: 'odoo-server', name: '', url, database, interface: 'standard', configVersion: 2 },
    { id: 'silos', type: 'silo-map', name: '' },
    {
      ...{ id: 'fetch', z: 'tab', type: 'odoo-fetch-mo', name: '', server: 'odoo', silos: 'silos', wires: [[]] },
      ...{ operation: 'fetch', line: '${MO_TEST_LINE}', lineBy: 'operation-type', lineField: '', configVersion: 2 },
    },
  ]);
  const { lines, problem } = await tested(entered(odoo));
  assert.deepEqual(
    lines?.map(({ line, orders }) => [line, orders]),
    [['PLC02', 1]],
    problem,
  );
  assert.equal(lines?.[0]?.unknown.length, 0, JSON.stringify(lines));
});

test('the rights that a user lacks are named, and where to give them', async (t) => {
  for (const version of [14, 19] as const) {
    const odoo = await standard(t, { version });
    const { ok, problem = '' } = await tested(entered(odoo, { user: 'plain', password: 'plain' }));
    assert.equal(ok, false);
    assert.match(problem, /change mrp\.production, change stock\.move.*Manufacturing \/ User/);
  }
});

test('two-factor authentication asks for an API key, a wrong database is named', async (t) => {
  const odoo = await standard(t, { version: 17 });
  const refused = await tested(entered(odoo, { user: 'totp', password: 'totp' }));
  assert.match(refused.problem ?? '', /two-factor authentication needs an API key/);
  const key = await tested(entered(odoo, { user: 'totp', secret: 'key', apiKey: 'totp-key' }));
  assert.ok(key.ok, key.problem);
  assert.match((await tested(entered(odoo, { database: 'other' }))).problem ?? '', /"other" does not exist/);
});

test('the days that are left of an API key are told; one that has expired is refused with what to do', async (t) => {
  const day = 86_400_000;
  const key = (days: number): object => {
    const expires = new Date(Date.now() + days * day).toISOString().slice(0, 19).replace('T', ' ');
    return {
      uid: 6,
      login: 'bridge',
      password: 'bridge',
      role: 'manufacturing',
      keys: [{ name: 'k', key: 'k', expires }],
    };
  };
  for (const version of [18, 19] as const) {
    const users = [key(20.5)] as StandardOdooOptions['users'] & object;
    const odoo = await standard(t, { version, users });
    const { standard: facts, problem } = await tested(entered(odoo, { secret: 'key', apiKey: 'k' }));
    assert.equal(facts?.daysLeft, 20, problem);
    const old = await standard(t, { version, users: [key(-1)] as StandardOdooOptions['users'] & object });
    const refused = await tested(entered(old, { secret: 'key', apiKey: 'k' }));
    assert.match(refused.problem ?? '', /may have expired, make a new one/);
  }
});

test('an Odoo 14 with several databases that makes a page of every error: says what may be behind it', async (t) => {
  const odoo = await standard(t, { version: 14, severalDatabases: true });
  const { ok, problem = '' } = await tested(entered(odoo, { database: 'other' }));
  assert.equal(ok, false);
  assert.match(problem, /HTTP 500 with a web page.*name of the database.*rights/);
  assert.ok((await tested(entered(odoo))).ok);
});

test('the silo map proposes the products of open orders, of an Odoo that is deployed', async (t) => {
  const odoo = await standard(t, { version: 17 });
  odoo.createOrder(ORDER);
  const { url, database } = odoo;
  const propose = async (server: string): Promise<{ ok: boolean; problem?: string; components?: Component[] }> =>
    (await (await red.post('/mo-bridge/silo-map/propose', { id: 'silos', server })).json()) as never;
  assert.match((await propose('odoo')).problem ?? '', /odoo-server that is deployed/);
  await red.deploy(
    [
      { id: 'tab', type: 'tab', label: 'tab' },
      { id: 'odoo', type: 'odoo-server', name: '', url, database, interface: 'standard', configVersion: 2 },
      { id: 'silos', type: 'silo-map', name: '' },
      { id: 'fetch', z: 'tab', type: 'odoo-fetch-mo', name: '', server: 'odoo', silos: 'silos', wires: [[]] },
    ],
    { odoo: { user: 'bridge', password: 'bridge' } },
  );
  const { components = [], problem } = await propose('odoo');
  const found = components.map(({ product, code }) => `${code} ${product}`);
  assert.ok(found.includes('PRM1 Yeast') && found.includes('silo101 Pollard Angsa'), problem ?? found.join());
  assert.ok(found.includes(' Bag 50 kg'), 'what has no code is told, too');
});
