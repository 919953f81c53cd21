/** GET /mo-bridge/metrics: off by default, behind the editor's login, right while batches drain. */
import assert from 'node:assert/strict';
import { channel } from 'node:diagnostics_channel';
import { after, test } from 'node:test';
import type { S7Endpoint } from '@st-one-io/nodes7';
import { startNodeRed } from '../../examples/plant/node-red-host';
import { S7_BATCH_RECORD, writeSlot } from '../../examples/plant/plc/batch-memory';
import { startS7Server } from '../../examples/plant/plc/s7-server';
import type { S7EndpointNode } from '../../nodes/lib/node-red/config-nodes';
import { LAYOUT_PRESETS } from '../../nodes/lib/plc/slot-layout';
import { PUSH_CHANNEL, READ_CHANNEL } from '../../nodes/lib/node-red/telemetry';
import { testDatabase } from '../support/cluster';
import { push, startCycle } from '../support/cycle';
import { type Exposition, parseExposition } from '../support/exposition';
import {
  database,
  databaseLogin,
  eventually,
  type NodeRed,
  sink,
  startFlow,
  stopHelper,
  TO_SINK,
} from '../support/node-red';

after(stopHelper);

const PATH = '/mo-bridge/metrics';
/** "secret", as Node-RED keeps passwords (bcrypt). */
const SECRET = '$2b$04$wdqx/liBk3oi4ym5r1U1xOFxIGqoeJVwoaxWPEf/AyYT.5a4EfS2K';

async function scrape({ httpAdmin }: NodeRed): Promise<Exposition> {
  const response = await fetch(httpAdmin + PATH);
  assert.equal(response.status, 200);
  assert.match(response.headers.get('content-type') ?? '', /^text\/plain;.* version=0\.0\.4/);
  return parseExposition(await response.text());
}

const listeners = (): boolean => [PUSH_CHANNEL, READ_CHANNEL].some((name) => channel(name).hasSubscribers);
const sum = (numbers: number[]): number => numbers.reduce((total, each) => total + each, 0);

test('scrapes while 200 batches drain are well formed, count up and end at 200 confirmed', async (t) => {
  const { red, queue } = await startCycle(t, [push()], { db: { metrics: true } });
  const names = Array.from({ length: 200 }, (_, n) => `WH/MO/1${String(n).padStart(4, '0')}`);
  const due = await queue(Object.fromEntries(names.map((name, n) => [name, n + 1])), names.slice(0, 50));
  const first = await scrape(red);
  const of = { database: 'Batches' };
  assert.equal(sum(first.values('mo_bridge_pushes_total', of)), 0);
  assert.deepEqual(first.values('mo_bridge_queue_batches', { line: 'PLC01', state: 'running' }), [150]);
  assert.deepEqual(first.values('mo_bridge_queue_batches', { line: 'PLC01', state: 'completed' }), [50]);
  assert.deepEqual(first.values('mo_bridge_link_up', { kind: 'odoo' }), [], 'nothing was asked of Odoo yet');
  assert.ok((first.values('mo_bridge_oldest_unconfirmed_seconds', { line: 'PLC01' })[0] ?? 0) > 0);

  let draining = true;
  const drained = red.send('push', { payload: due }).finally(() => (draining = false));
  const counts: number[] = [];
  while (draining) {
    const [count = assert.fail()] = (await scrape(red)).values('mo_bridge_pushes_total', { conclusion: 'confirmed' });
    counts.push(count);
  }
  assert.equal((await drained).error, undefined);
  assert.deepEqual(
    counts,
    [...counts].sort((a, b) => a - b),
  );
  assert.ok(
    counts.some((count) => count > 0 && count < 200),
    counts.join(),
  );

  const last = await scrape(red);
  assert.deepEqual(last.values('mo_bridge_pushes_total', { ...of, conclusion: 'confirmed' }), [200]);
  assert.equal(sum(last.values('mo_bridge_pushes_total')), 200);
  assert.deepEqual(last.values('mo_bridge_push_duration_seconds_count', of), [200]);
  assert.deepEqual(last.values('mo_bridge_queue_batches', { line: 'PLC01', state: 'confirmed' }), [50]);
  assert.deepEqual(last.values('mo_bridge_oldest_unconfirmed_seconds', { line: 'PLC01' }), [0]);
  assert.deepEqual(last.values('mo_bridge_link_up', { kind: 'odoo', name: 'Odoo' }), [1]);
  assert.ok(red.permissions.includes('mo-bridge.read'));
});

test('pushes count by what they came to, held readings and set-aside batches show, and what was not sent counts nowhere', async (t) => {
  const { odoo, red, queue, ask } = await startCycle(t, [push()], { db: { metrics: true } });
  const [A, B] = ['WH/MO/00001', 'WH/MO/00002'];
  const due = await queue({ [A]: 10, [B]: 20 });
  const stray = { slot: 9, mo_id: 'WH/MO/00009', status_manufacturing: false, consumption: { silo_a: 1 } };
  await ask('record', { payload: [stray] });
  odoo.cancel(B);
  await red.send('push', { payload: due });
  await red.send('push', { payload: due });
  const { values } = await scrape(red);
  assert.deepEqual(values('mo_bridge_pushes_total', { conclusion: 'confirmed' }), [1]);
  assert.deepEqual(values('mo_bridge_pushes_total', { conclusion: 'order-cancelled' }), [1]);
  assert.equal(sum(values('mo_bridge_pushes_total')), 2);
  assert.deepEqual(values('mo_bridge_queue_batches', { line: 'PLC01', state: 'set-aside' }), [1]);
  assert.equal(sum(values('mo_bridge_held_readings')), 1);
});

test('reads of the PLC show their time, what was refused and why, and how they failed', async (t) => {
  const plc = await startS7Server({ dbs: { 100: 2000 } });
  t.after(() => plc.stop());
  const { stride, fields } = LAYOUT_PRESETS['S7 batch record'];
  const { red } = await startCycle(
    t,
    [
      {
        ...{ id: 'plc', type: 's7 endpoint', name: 'PLC', transport: 'iso-on-tcp', address: '127.0.0.1' },
        ...{ port: String(plc.port), rack: '0', slot: '1', connmode: 'rack-slot', cycletime: '0', timeout: '1000' },
        vartable: [{ addr: 'DB100,X22.0', name: 'one' }],
      },
      {
        ...{
          id: 'read',
          type: 'plc-consumption-read',
          name: 'mill',
          endpoint: 'plc',
          silos: 'silos',
          db: '100',
          base: '0',
        },
        ...{ fields, stride, slots: 3, settle: 1, timeout: 2000, maxSilo: 5000, maxFinished: 1e7, checkMode: false },
        ...TO_SINK,
      },
    ],
    { db: { metrics: true } },
  );
  const s7 = red.node<S7EndpointNode>('plc').endpoint as S7Endpoint;
  if (!s7.isConnected) await new Promise((resolve) => s7.once('connect', resolve));
  const put = (slot: number, mo_id: string, silo_a: number): void =>
    writeSlot(plc.memory(100), S7_BATCH_RECORD, slot, { mo_id, consumption: { silo_a } });
  put(1, 'WH/MO/00001', 10);
  put(2, 'WH/MO/00002', -1);
  put(3, '?', 9e9);
  for (let n = 0; n < 2; n += 1) assert.equal((await red.send('read')).error, undefined);
  await plc.setFault({ denyAccess: true });
  assert.ok((await red.send('read')).error);
  const { values, samples } = await scrape(red);
  assert.deepEqual(values('mo_bridge_plc_read_duration_seconds_count', { reader: 'mill' }), [2]);
  assert.deepEqual(values('mo_bridge_plc_rejected_readings_total', { reader: 'mill', reason: 'negative' }), [2]);
  assert.deepEqual(values('mo_bridge_plc_rejected_readings_total', { reader: 'mill', reason: 'bad-order' }), [2]);
  assert.equal(sum(values('mo_bridge_plc_rejected_readings_total')), 4, 'each refused reading once');
  assert.deepEqual(
    samples
      .filter(({ name }) => name === 'mo_bridge_plc_read_failures_total')
      .map(({ labels, value }) => [labels, value]),
    [[{ reader: 'mill', kind: 'access' }, 1]],
  );
  assert.deepEqual(values('mo_bridge_link_up', { kind: 'plc', name: 'PLC' }), [0]);
});

test('a database that is gone, or silent, is 0, and the rest of the page is there', async (t) => {
  const { red, network } = await startCycle(t, [], { db: { metrics: true } });
  assert.deepEqual((await scrape(red)).values('mo_bridge_database_up', { database: 'Batches' }), [1]);
  await network.goAway();
  const { values } = await scrape(red);
  assert.deepEqual(values('mo_bridge_database_up'), [0]);
  assert.deepEqual(values('mo_bridge_queue_batches'), []);
  assert.ok(values('mo_bridge_pushes_total').length > 0);
  assert.deepEqual(values('mo_bridge_link_up', { kind: 'database' }), [0]);
  await network.comeBack();
  const isUp = async (): Promise<boolean> => (await scrape(red)).values('mo_bridge_database_up')[0] === 1;
  await eventually('the database is back', isUp);
  network.hang();
  assert.equal(await isUp(), false);
});

test('nothing is there, and nobody listens, unless a database publishes', async (t) => {
  const { red } = await startCycle(t, [push()]);
  assert.equal((await fetch(red.httpAdmin + PATH)).status, 404);
  assert.equal(listeners(), false);
});

test('two databases stand side by side, also under one name, and an unfinished one is down; a stop leaves no listener', async (t) => {
  const addresses = await Promise.all([testDatabase(), testDatabase()]);
  const names = { db: 'Batches', db2: 'Batches', db3: 'silent', db4: 'unfinished' };
  const flow = Object.entries(names).map(([id, name], n) =>
    database(addresses[n % 2]!, { id, name, metrics: name !== 'silent' }),
  );
  const record = { type: 'mo-batch-store', database: 'db2', operation: 'record', line: 'PLC02', ...TO_SINK };
  const login = (n: number): object => databaseLogin(addresses[n]!).db ?? {};
  const red = await startFlow(t, [...flow, { id: 'record', ...record }, sink], {
    db: login(0),
    db2: login(1),
    db3: login(0),
  });
  t.after(() => red.stop().then(() => Promise.all(addresses.map((address) => address.drop()))));
  const reading = { slot: 1, mo_id: 'WH/MO/00009', status_manufacturing: false, consumption: { silo_a: 1 } };
  assert.equal((await red.send('record', { payload: [reading] })).error, undefined);
  await eventually('both are up', async () => sum((await scrape(red)).values('mo_bridge_database_up')) === 2);
  const { values } = await scrape(red);
  const held = (name: string): number => sum(values('mo_bridge_held_readings', { database: name }));
  assert.deepEqual([held('Batches'), held('Batches (db2)')], [0, 1]);
  assert.deepEqual(values('mo_bridge_database_up', { database: 'unfinished' }), [0]);
  assert.deepEqual(values('mo_bridge_database_up', { database: 'silent' }), []);
  assert.equal(listeners(), true);
  await red.stop();
  assert.equal(listeners(), false);
});

test('the page asks for the login of the editor, and who may only read may read it', async (t) => {
  const address = await testDatabase();
  t.after(() => address.drop());
  const adminAuth = {
    type: 'credentials',
    users: [{ username: 'monitor', password: SECRET, permissions: 'read' }],
  };
  const host = await startNodeRed({
    flow: [{ id: 'tab', type: 'tab', label: 'one' }, database(address, { metrics: true })],
    credentials: databaseLogin(address) as Record<string, Record<string, string>>,
    settings: { adminAuth },
  });
  try {
    assert.equal((await fetch(host.url + PATH)).status, 401);
    const login = await fetch(`${host.url}/auth/token`, {
      method: 'POST',
      body: new URLSearchParams({
        ...{ client_id: 'node-red-admin', grant_type: 'password', scope: 'read' },
        ...{ username: 'monitor', password: 'secret' },
      }),
    });
    const { access_token: token } = (await login.json()) as { access_token: string };
    const answer = await fetch(host.url + PATH, { headers: { authorization: `Bearer ${token}` } });
    assert.equal(answer.status, 200);
    parseExposition(await answer.text());
  } finally {
    await host.stop();
  }
});
