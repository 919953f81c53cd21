/** A flow as an earlier version of the package saved it, in today's Node-RED nodes. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { startSimulatedOdoo } from '../../examples/plant/odoo/simulated-odoo';
import { testDatabase } from '../support/cluster';
import {
  database,
  databaseLogin,
  ODOO_LOGIN,
  odooServer,
  silos,
  sink,
  startFlow,
  stopHelper,
  TO_SINK,
} from '../support/node-red';

after(stopHelper);

test('nodes whose config lacks properties and a version work as they did', async (t) => {
  const odoo = await startSimulatedOdoo();
  t.after(() => odoo.stop());
  odoo.createOrder({ name: 'WH/MO/00001', quantity: 2500 });
  const address = await testDatabase();
  t.after(() => address.drop());
  const flow = [
    odooServer(odoo.url, { timeout: undefined, parallel: undefined, tls: undefined }),
    database(address, { tls: undefined }),
    silos,
    { id: 'fetch', type: 'odoo-fetch-mo', server: 'odoo', silos: 'silos', ...TO_SINK },
    { id: 'queue', type: 'mo-batch-store', database: 'db', operation: 'enqueue', ...TO_SINK },
    { id: 'summary', type: 'mo-batch-store', database: 'db', ...TO_SINK },
    { id: 'archive', type: 'history-archive', database: 'db', ...TO_SINK },
    { id: 'newer', type: 'mo-batch-store', database: 'db', configVersion: 99, ...TO_SINK },
    sink,
  ];
  const red = await startFlow(t, flow, { ...ODOO_LOGIN, ...databaseLogin(address) });
  const { out: orders } = await red.send('fetch');
  const { out: queued } = await red.send('queue', { payload: orders[0]?.[0]?.payload });
  assert.equal((queued[0]?.[0]?.payload as unknown[]).length, 1);
  const { out: summary } = await red.send('summary');
  assert.equal((summary[0]?.[0]?.payload as { queue: number }).queue, 1);
  assert.equal((await red.send('archive', { payload: [] })).error, undefined);
  assert.match((await red.send('newer')).error?.message ?? '', /saved by a newer version/);
  assert.equal(red.status('newer').fill, 'red');
});
