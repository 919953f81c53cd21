/** The store node's operations for displays: the queue with figures, the last hours, and the connections. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { DATA_BLOCK } from '../../examples/plant/plant';
import { startSimulatedOdoo } from '../../examples/plant/odoo/simulated-odoo';
import { blockSize, S7_BATCH_RECORD } from '../../examples/plant/plc/batch-memory';
import { startS7Server } from '../../examples/plant/plc/s7-server';
import type { Connection } from '../../nodes/lib/node-red/connections';
import { LAYOUT_PRESETS } from '../../nodes/lib/plc/slot-layout';
import type { HourOfActivity, ListedBatch } from '../../nodes/lib/store/reports';
import { testDatabase } from '../support/cluster';
import {
  database,
  databaseLogin,
  eventually,
  type FlowNode,
  ODOO_LOGIN,
  odooServer,
  silos,
  sink,
  startFlow,
  stopHelper,
  TO_SINK,
} from '../support/node-red';

after(stopHelper);

const store = (operation: string, more: object = {}): FlowNode => ({
  ...{ id: operation, type: 'mo-batch-store', name: operation, database: 'db', operation, line: '' },
  ...{ limit: '1000', limitType: 'num', ...TO_SINK },
  ...more,
});

test('the queue and the last hours are listed for a display', async (t) => {
  const address = await testDatabase();
  const flow = [database(address), ...['enqueue', 'record', 'list', 'activity'].map((each) => store(each)), sink];
  const red = await startFlow(t, flow, databaseLogin(address));
  t.after(() => red.stop().then(() => address.drop()));
  const order = { consumption: 2500, equipment_id_batch: 'PLC01', finished_goods: 'JF PLUS', consumption_silo_a: 825 };
  await red.send('enqueue', { payload: [{ mo_id: 'WH/MO/00001', ...order }] });
  const reading = { status_manufacturing: false, status_operation: true, consumption: { silo_a: 410.5 } };
  await red.send('record', { payload: [{ slot: 3, mo_id: 'WH/MO/00001', ...reading }] });
  const [row] = (await red.send('list')).out[0]?.[0]?.payload as ListedBatch[];
  assert.deepEqual(
    [row?.mo_id, row?.state, row?.planned, row?.read, row?.slot],
    ['WH/MO/00001', 'running', 825, 410.5, 3],
  );
  assert.match(red.status('list').text ?? '', /^1 batches · /);
  const hours = (await red.send('activity')).out[0]?.[0]?.payload as HourOfActivity[];
  assert.deepEqual([hours.length, hours.reduce((sum, { kg }) => sum + kg, 0)], [24, 410.5]);
  assert.match(red.status('activity').text ?? '', /^410.5 kg, 0 pushes in 24 h · /);
});

test('the connections tell of Odoo, PLC and database as they are, also when the database is lost', async (t) => {
  const [address, odoo] = [await testDatabase(), await startSimulatedOdoo()];
  const plc = await startS7Server({ dbs: { [DATA_BLOCK]: blockSize(S7_BATCH_RECORD, 1) } });
  const { stride, fields } = LAYOUT_PRESETS['S7 batch record'];
  const endpoint = {
    ...{ id: 'plc', type: 's7 endpoint', name: 'Mixer', transport: 'iso-on-tcp', address: '127.0.0.1' },
    ...{
      port: String(plc.port),
      rack: '0',
      slot: '1',
      connmode: 'rack-slot',
      cycletime: '0',
      timeout: '1000',
      vartable: [],
    },
  };
  const read = {
    ...{ id: 'read', type: 'plc-consumption-read', endpoint: 'plc', silos: 'silos', db: String(DATA_BLOCK), base: '0' },
    ...{ stride: String(stride), slots: '1', fields, settle: '1', timeout: '1000', checkMode: false, ...TO_SINK },
  };
  const fetchOrders = {
    id: 'fetch',
    type: 'odoo-fetch-mo',
    server: 'odoo',
    silos: 'silos',
    operation: 'fetch',
    line: '',
  };
  const flow = [
    ...[database(address), odooServer(odoo.url), { ...odooServer(odoo.url), id: 'spare', name: 'Unused' }, silos],
    ...[endpoint, read, { ...fetchOrders, ...TO_SINK }, store('list'), store('connections'), sink],
  ];
  const red = await startFlow(t, flow, { ...databaseLogin(address), ...ODOO_LOGIN });
  let dropped = false;
  const drop = (): Promise<void> => (dropped ? Promise.resolve() : ((dropped = true), address.drop()));
  t.after(() => red.stop().then(() => Promise.all([odoo.stop(), plc.stop(), drop()])));
  const connections = async (): Promise<Record<string, Connection>> => {
    const { error, out } = await red.send('connections');
    assert.equal(error, undefined);
    const list = out[0]?.[0]?.payload as Connection[];
    assert.deepEqual(list.map(({ kind, name }) => `${kind} ${name}`).sort(), [
      ...['database Batches', 'odoo Odoo', 'plc Mixer'],
    ]);
    return Object.fromEntries(list.map((each) => [each.kind, each]));
  };
  await red.send('list');
  await eventually('PLC and database up', async () => {
    const { plc, database } = await connections();
    return plc?.up === true && database?.up === true;
  });
  // Nothing has asked Odoo for anything.
  const { odoo: untried } = await connections();
  assert.deepEqual([untried?.tried, untried?.up, untried?.problem], [false, false, '']);
  assert.equal(red.status('connections').fill, 'grey');
  assert.match(red.status('connections').text ?? '', /^2 of 3 connected, 1 not tried yet/);
  await red.send('fetch');
  await eventually('all three up', async () => Object.values(await connections()).every(({ up }) => up));
  assert.match(red.status('connections').text ?? '', /^3 connected/);

  await Promise.all([odoo.stop(), plc.stop(), drop()]);
  await Promise.all([red.send('list'), red.send('fetch'), red.send('read')]);
  const lost = await connections();
  for (const [kind, { tried, up, problem, since }] of Object.entries(lost)) {
    assert.deepEqual([kind, tried, up], [kind, true, false]);
    assert.ok(problem, kind);
    assert.ok(Date.now() - Date.parse(since) < 60_000, kind);
  }
  assert.equal(red.status('connections').fill, 'red');
  assert.match(red.status('connections').text ?? '', /^3 of 3 not connected/);
});
