/** The fetch node on a simulated Odoo over HTTP. */
import assert from 'node:assert/strict';
import { after, test, type TestContext } from 'node:test';
import { startSimulatedOdoo, type SimulatedOdoo } from '../../examples/plant/odoo/simulated-odoo';
import {
  eventually,
  type FlowNode,
  type NodeRed,
  ODOO_LOGIN,
  odooServer,
  silos,
  sink,
  startFlow,
  stopHelper,
  TO_SINK,
} from '../support/node-red';

after(stopHelper);

interface Order {
  mo_id: string;
  reason?: string;
}

const fetchNode: FlowNode = {
  id: 'fetch',
  type: 'odoo-fetch-mo',
  name: 'fetch',
  server: 'odoo',
  silos: 'silos',
  operation: 'fetch',
  line: '',
  ...TO_SINK,
};
const names = (payload: unknown): string[] => (payload as Order[]).map(({ mo_id }) => mo_id);

async function startOdoo(t: TestContext): Promise<SimulatedOdoo> {
  const odoo = await startSimulatedOdoo();
  t.after(() => odoo.stop());
  return odoo;
}

const start = (t: TestContext, odoo: SimulatedOdoo, more: object = {}, server: object = {}): Promise<NodeRed> =>
  startFlow(t, [odooServer(odoo.url, server), silos, { ...fetchNode, ...more }, sink], ODOO_LOGIN);

test('a trigger brings the confirmed orders of the line on the received message, and shows how many', async (t) => {
  const odoo = await startOdoo(t);
  odoo.createOrder({ name: 'WH/MO/00001', quantity: 2500 });
  odoo.createOrder({ name: 'WH/MO/00002', quantity: 2500, line: 'PLC02' });
  const red = await start(t, odoo, { line: 'PLC01' });
  assert.deepEqual(red.status('fetch'), { fill: 'grey', shape: 'ring', text: 'ready' });
  const res = {};
  const { out, error } = await red.send('fetch', { payload: 0, res, topic: 'kept' });
  assert.equal(error, undefined);
  assert.deepEqual(names(out[0]?.[0]?.payload), ['WH/MO/00001']);
  assert.equal(out[0]?.[0]?.res, res);
  assert.equal(out[0]?.[0]?.topic, 'kept');
  assert.match(red.status('fetch').text ?? '', /^1 orders · \d\d:\d\d:\d\d$/);
  assert.equal(red.status('fetch').fill, 'green');
});

test('an order named in msg.mo_id is fetched alone; one that Odoo does not know is an error that says so', async (t) => {
  const odoo = await startOdoo(t);
  odoo.createOrder({ name: 'WH/MO/00001', quantity: 2500 });
  odoo.createOrder({ name: 'WH/MO/00002', quantity: 2500 });
  const red = await start(t, odoo);
  const { out } = await red.send('fetch', { mo_id: ' WH/MO/00002 ' });
  assert.deepEqual(names(out[0]?.[0]?.payload), ['WH/MO/00002']);
  const { error } = await red.send('fetch', { mo_id: 'WH/MO/99999' });
  assert.match(error?.message ?? '', /does not know order WH\/MO\/99999: check its spelling/);
  assert.equal(red.status('fetch').fill, 'red');
  await red.send('fetch');
  assert.equal(red.status('fetch').fill, 'green');
});

test('an order that cannot be queued is named with its reason, and the others go on', async (t) => {
  const odoo = await startOdoo(t);
  odoo.createOrder({ name: 'WH/MO/00001', quantity: 2500 });
  const components = [{ code: 'silo101', product: 'Molases', quantity: 10, uom: 'L' }];
  odoo.createOrder({ name: 'WH/MO/00002', quantity: 2500, components });
  const red = await start(t, odoo);
  const { out, error } = await red.send('fetch');
  assert.equal(error, undefined);
  assert.deepEqual(names(out[0]?.[0]?.payload), ['WH/MO/00001']);
  assert.deepEqual(names(out[0]?.[0]?.refused), ['WH/MO/00002']);
  assert.match(red.status('fetch').text ?? '', /1 orders, 1 refused/);
  assert.equal(red.status('fetch').fill, 'yellow');
  assert.match((await red.logs(/WH\/MO\/00002 is not fetched/)).text, /kg/);
});

test('checking orders tells which ones Odoo has closed, and refuses a payload without orders', async (t) => {
  const odoo = await startOdoo(t);
  for (const name of ['WH/MO/00001', 'WH/MO/00002']) odoo.createOrder({ name, quantity: 2500 });
  odoo.cancel('WH/MO/00002');
  const red = await start(t, odoo, { operation: 'check' });
  const payload = ['WH/MO/00001', 'WH/MO/00002', 'WH/MO/00003'].map((mo_id) => ({ mo_id }));
  const { out } = await red.send('fetch', { payload });
  assert.deepEqual(names(out[0]?.[0]?.payload), ['WH/MO/00002', 'WH/MO/00003']);
  assert.deepEqual(names(out[0]?.[0]?.open), ['WH/MO/00001']);
  assert.match(red.status('fetch').text ?? '', /3 checked, 2 closed/);
  assert.equal((await red.send('fetch', { payload: [] })).error, undefined);
  for (const wrong of [1763755200000, undefined, [null], [{ id: 1 }]]) {
    const { error } = await red.send('fetch', { payload: wrong });
    assert.match(error?.message ?? '', /msg\.payload has to be a list of orders/);
  }
});

test('entries without an order keep none of the others from being checked, and are told', async (t) => {
  const odoo = await startOdoo(t);
  for (const name of ['WH/MO/00001', 'WH/MO/00002']) odoo.createOrder({ name, quantity: 2500 });
  odoo.cancel('WH/MO/00002');
  const red = await start(t, odoo, { operation: 'check' });
  const bad = [{ mo_id: null }, null, 7, 'WH/MO/00001', {}, { mo_id: 5 }];
  const payload = [...bad, { mo_id: 'WH/MO/00001' }, { mo_id: 'WH/MO/00002' }, { mo_id: '' }];
  const { out, error } = await red.send('fetch', { payload });
  assert.equal(error, undefined);
  assert.deepEqual(names(out[0]?.[0]?.open), ['WH/MO/00001']);
  assert.ok(names(out[0]?.[0]?.payload).includes('WH/MO/00002'));
  assert.match((await red.logs(/without mo_id/)).text, /^[67] entries without mo_id are not checked/);
});

test('a trigger that arrives while a fetch runs is skipped, and that is said', async (t) => {
  const odoo = await startOdoo(t);
  odoo.setFault({ kind: 'delay', route: /mo-list-detailed/, ms: 100 });
  const red = await start(t, odoo);
  const [first, second] = await Promise.all([red.send('fetch'), red.send('fetch')]);
  assert.equal(first.out[0]?.length, 1);
  assert.deepEqual(second, { error: undefined, out: [[], []] });
  assert.match(red.logged('warn')[0]?.text ?? '', /skipped/);
  assert.equal(odoo.calls.filter(({ route }) => route.endsWith('mo-list-detailed')).length, 1);
  assert.equal(red.dones('fetch'), 2);
});

test('an Odoo that is gone is a red status and an error with what to check, told once; its return is told and shown', async (t) => {
  const odoo = await startOdoo(t);
  const red = await start(t, odoo);
  await odoo.stop();
  for (let n = 0; n < 2; n += 1) {
    const { error } = await red.send('fetch');
    assert.match(error?.message ?? '', /not reachable .*ECONNREFUSED.*check URL/);
  }
  assert.equal(red.status('fetch').fill, 'red');
  assert.match(red.status('fetch').text ?? '', /^Odoo: Odoo is not reachable/);
  assert.equal(red.logged('error').filter(({ id }) => id === 'odoo').length, 1);
  await odoo.start();
  await red.send('fetch');
  assert.equal(red.status('fetch').fill, 'grey');
  const back = red.logged('info').filter(({ id }) => id === 'odoo');
  assert.deepEqual(
    back.map(({ text }) => text),
    ['Odoo: Odoo answers again'],
  );
});

test('a wrong password is told by status and error, and is itself nowhere to be read', async (t) => {
  const odoo = await startOdoo(t);
  const password = 'wr0ng-and-never-shown';
  const red = await startFlow(t, [odooServer(odoo.url), silos, fetchNode, sink], { odoo: { user: 'scada', password } });
  const { error, out } = await red.send('fetch');
  await red.send('fetch');
  assert.match(error?.message ?? '', /refused the login/);
  assert.match(red.status('fetch').text ?? '', /refused the login/);
  assert.equal(red.status('fetch').fill, 'red');
  // A refused login is not tried again at once: ten of them would lock the address out.
  assert.equal(odoo.calls.filter(({ route }) => route.endsWith('authenticate')).length, 1);
  const cause = JSON.stringify(error, Object.getOwnPropertyNames(error ?? {}));
  for (const text of [
    JSON.stringify(red.logged()),
    JSON.stringify(red.status('fetch')),
    JSON.stringify(out),
    cause,
    error?.stack ?? '',
  ]) {
    assert.ok(!text.includes(password), text);
  }
});

test('a missing config node or missing credentials are named in the status and in the error of every input', async (t) => {
  const odoo = await startOdoo(t);
  const flow = [
    odooServer(odoo.url),
    silos,
    { ...fetchNode, id: 'no-server', server: '' },
    { ...fetchNode, id: 'no-silos', silos: 'gone' },
    { ...odooServer(odoo.url), id: 'odoo-2' },
    { ...fetchNode, id: 'no-login', server: 'odoo-2' },
    sink,
  ];
  const red = await startFlow(t, flow, ODOO_LOGIN);
  for (const [id, what] of [
    ['no-server', /no Odoo server chosen/],
    ['no-silos', /no Silo map chosen/],
    ['no-login', /odoo-server "Odoo" is incomplete \(User, Password\).*credentials do not travel/],
  ] as const) {
    assert.match(red.status(id).text ?? '', new RegExp(what.source.slice(0, 40)));
    assert.equal(red.status(id).fill, 'red');
    for (let n = 1; n <= 2; n += 1) {
      const { error } = await red.send(id);
      assert.match(error?.message ?? '', what);
      assert.equal(red.dones(id), n);
    }
    assert.equal(red.status(id).fill, 'red');
  }
});

test('closing while Odoo hangs ends at once, with an error for the message and nothing left on the link; a restart works', async (t) => {
  const odoo = await startOdoo(t);
  odoo.createOrder({ name: 'WH/MO/00001', quantity: 2500 });
  odoo.setFault({ kind: 'hang', route: /mo-list-detailed/ });
  const red = await start(t, odoo, {}, { timeout: '600' });
  const ended = red.send('fetch');
  await eventually('the call', () => odoo.calls.some(({ route }) => route.endsWith('mo-list-detailed')));
  assert.match(red.status('fetch').text ?? '', /working/);
  await red.stop();
  const { error, out } = await ended;
  assert.match(error?.message ?? '', /closed while it worked/);
  assert.deepEqual(out, [[], []]);
  const again = await start(t, odoo);
  assert.equal((await again.send('fetch')).out[0]?.length, 1);
});
