/** One flow for many machines: `${NAME}` in every address and credential, set only in the environment of Node-RED. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { after, test } from 'node:test';
import { DATA_BLOCK } from '../../examples/plant/plant';
import { startSimulatedOdoo } from '../../examples/plant/odoo/simulated-odoo';
import { blockSize, S7_BATCH_RECORD, writeSlot } from '../../examples/plant/plc/batch-memory';
import { startS7Server } from '../../examples/plant/plc/s7-server';
import type { S7EndpointNode } from '../../nodes/lib/node-red/config-nodes';
import { queryOnce, testDatabase } from '../support/cluster';
import { type FlowNode, startFlow, stopHelper } from '../support/node-red';

after(stopHelper);

test('the shipped cycle runs with its addresses and credentials from the environment alone', async (t) => {
  const odoo = await startSimulatedOdoo();
  t.after(() => odoo.stop());
  odoo.createOrder({ name: 'WH/MO/00001', quantity: 2500, line: 'PLC07' });
  odoo.createOrder({ name: 'WH/MO/00002', quantity: 2500, line: 'PLC08' });
  const plc = await startS7Server({ dbs: { [DATA_BLOCK]: blockSize(S7_BATCH_RECORD, 10) } });
  t.after(() => plc.stop());
  const batch = { mo_id: 'WH/MO/00001', status_operation: true, consumption: { silo_a: 825.5 } };
  writeSlot(plc.memory(DATA_BLOCK), S7_BATCH_RECORD, 1, batch);
  const address = await testDatabase();
  t.after(() => address.drop());

  const environment: Record<string, string> = {
    ...{
      T_URL: odoo.url,
      T_ODOO_DB: 'odoo14',
      T_ODOO_USER: 'scada',
      T_ODOO_PASSWORD: 'scada',
      T_TIMEOUT: '2',
      T_PARALLEL: '1',
    },
    LINE: 'PLC07',
    ...{ T_PLC: plc.host, T_PLC_PORT: String(plc.port) },
    ...{ T_HOST: address.host, T_PORT: String(address.port), T_DB: address.database },
    ...{ T_USER: address.user, T_PASSWORD: address.password },
  };
  Object.assign(process.env, environment);
  t.after(() => Object.keys(environment).forEach((name) => Reflect.deleteProperty(process.env, name)));

  const changes: Record<string, object> = {
    'mo-odoo': { url: '${T_URL}', database: '${T_ODOO_DB}', timeout: '${T_TIMEOUT}', parallel: '${T_PARALLEL}' },
    'mo-db': { mode: 'server', host: '${T_HOST}', serverPort: '${T_PORT}', database: '${T_DB}' },
    'mo-plc': { address: '${T_PLC}', port: '${T_PLC_PORT}' },
  };
  const shipped = JSON.parse(readFileSync('flows/mo-consumption-cycle.json', 'utf8')) as FlowNode[];
  const wanted = [
    'tab',
    'odoo-fetch-mo',
    'mo-batch-store',
    'plc-consumption-read',
    'odoo-push-consumption',
    'odoo-server',
    'mo-database',
    'silo-map',
    's7 endpoint',
  ];
  const flow = shipped
    .filter(({ type, d }) => wanted.includes(type) && !d)
    .map((node) => ({ ...node, ...changes[node.id] }));
  const red = await startFlow(t, flow, {
    'mo-odoo': { user: '${T_ODOO_USER}', password: '${T_ODOO_PASSWORD}' },
    'mo-db': { user: '${T_USER}', password: '${T_PASSWORD}' },
  });

  // Each node passes on to the next, as wired; the last one to act on each input ends it.
  await red.send('mo-t1-fetch');
  await red.shows('mo-t1-queue', /^green: 1 /);
  const { endpoint } = red.node<S7EndpointNode>('mo-plc');
  if (endpoint && !endpoint.isConnected) await once(endpoint, 'connect');
  await red.send('mo-t2-read');
  await red.logs(/consumption of MO WH\/MO\/00001 confirmed/);
  assert.equal(odoo.done('WH/MO/00001')['silo101'], 825.5);
  const rows = await queryOnce(address, 'SELECT mo_id, actual_consumption_silo_a AS kg FROM mo_batch');
  assert.deepEqual(rows, [{ mo_id: 'WH/MO/00001', kg: 825.5 }]);
});

test('a variable that is not set leaves the node incomplete, and the status names what is missing', async (t) => {
  const server = {
    id: 'odoo',
    type: 'odoo-server',
    name: 'Odoo',
    url: '${T_NOT_SET}',
    database: 'odoo14',
    timeout: 30,
    parallel: 2,
    tls: '',
  };
  const fetchNode = {
    id: 'fetch',
    type: 'odoo-fetch-mo',
    name: '',
    server: 'odoo',
    silos: 'silos',
    operation: 'fetch',
    line: '',
    wires: [],
  };
  const flow = [server, { id: 'silos', type: 'silo-map', name: '' }, fetchNode];
  const red = await startFlow(t, flow, { odoo: { user: 'scada', password: 'scada' } });
  assert.match((await red.shows('fetch', /^red/)).text ?? '', /odoo-server "Odoo" is incomplete \(Address\)/);
});

test('a line whose variable is not set is asked of nobody: the status names the variable', async (t) => {
  const database = { id: 'db', type: 'mo-database', name: '', mode: 'embedded', directory: '', port: '' };
  const store = {
    id: 'store',
    type: 'mo-batch-store',
    database: 'db',
    operation: 'summary',
    line: '${T_NOT_SET}',
    wires: [],
  };
  const red = await startFlow(t, [
    { ...database, d: true },
    { ...store, name: '' },
  ]);
  assert.match((await red.shows('store', /^red/)).text ?? '', /the variable T_NOT_SET is not set/);
});
