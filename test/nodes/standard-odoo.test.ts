/** The shipped cycle on a standard Odoo of each generation: from the list of orders to the history, over the real nodes. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { after, test } from 'node:test';
import { startStandardOdoo } from '../../examples/plant/odoo/standard/standard-odoo';
import { DATA_BLOCK } from '../../examples/plant/plant';
import { blockSize, S7_BATCH_RECORD, writeSlot } from '../../examples/plant/plc/batch-memory';
import { startS7Server } from '../../examples/plant/plc/s7-server';
import type { S7EndpointNode } from '../../nodes/lib/node-red/config-nodes';
import { queryOnce, testDatabase } from '../support/cluster';
import { databaseLogin, eventually, type FlowNode, startFlow, stopHelper } from '../support/node-red';

after(stopHelper);

const SHIPPED = JSON.parse(readFileSync('flows/mo-consumption-cycle.json', 'utf8')) as FlowNode[];
const isUsed = ({ type, d }: FlowNode): boolean =>
  !d && (type === 's7 endpoint' || /^(odoo-|mo-|plc-|silo-|history-)/.test(type));

for (const [version, secret] of [
  [14, 'password'],
  [16, 'key'],
  [17, 'password'],
  [19, 'key'],
] as const) {
  test(`a standard Odoo ${version}, logged in with a ${secret}: fetched, weighed, pushed, closed and archived`, async (t) => {
    const odoo = await startStandardOdoo({ version });
    t.after(() => odoo.stop());
    const { name } = odoo.createOrder({ line: 'PLC01' });
    const plc = await startS7Server({ dbs: { [DATA_BLOCK]: blockSize(S7_BATCH_RECORD, 10) } });
    t.after(() => plc.stop());
    const shows = (record: object): void =>
      writeSlot(plc.memory(DATA_BLOCK), S7_BATCH_RECORD, 1, { mo_id: name, ...record });
    const address = await testDatabase();
    t.after(() => address.drop());
    process.env['LINE'] = 'PLC01';
    t.after(() => Reflect.deleteProperty(process.env, 'LINE'));

    const { user, password } = databaseLogin(address)['db'] as { user: string; password: string };
    const changes: Record<string, object> = {
      'mo-odoo': { url: odoo.url, database: odoo.database, interface: 'standard', secret, siloBy: 'reference' },
      'mo-db': { mode: 'server', host: address.host, serverPort: String(address.port), database: address.database },
      'mo-plc': { address: plc.host, port: String(plc.port) },
    };
    const flow = SHIPPED.filter(isUsed).map((node) => ({ ...node, ...changes[node.id] }));
    const red = await startFlow(t, flow, {
      'mo-odoo': { user: 'bridge', password: 'bridge', apiKey: 'bridge-key' },
      'mo-db': { user, password },
    });
    const { endpoint } = red.node<S7EndpointNode>('mo-plc');
    if (endpoint && !endpoint.isConnected) await once(endpoint, 'connect');

    await red.send('mo-t1-fetch');
    await red.shows('mo-t1-queue', /^green: 1 /);
    shows({ status_operation: true, consumption: { silo_a: 400, silo_b: 370.25 } });
    await red.send('mo-t2-read');
    await red.logs(/confirmed/);
    const taken = (): Record<string, number> => odoo.done(name);
    assert.deepEqual([taken()['silo101'], taken()['silo102']], [400, 370.25]);

    const final = { silo_a: 825.5, silo_b: 370.25, silo_c: 240.13 };
    shows({ status_manufacturing: true, consumption: final, actual_weight_quantity_finished_goods: 2480 });
    await red.send('mo-t2-read');
    await eventually('the final values in Odoo', async () => {
      const rows = await queryOnce(address, 'SELECT FROM mo_batch WHERE status_manufacturing AND update_odoo');
      return rows.length === 1;
    });
    await red.send('mo-t3-completed');
    await eventually('the history', async () => {
      const rows = await queryOnce(address, `SELECT FROM mo_histories WHERE status = 'completed'`);
      return rows.length === 1;
    });
    assert.equal(odoo.order(name).state, 'done');
    assert.deepEqual([taken()['silo101'], taken()['silo102'], taken()['silo103']], [825.5, 370.25, 240.13]);
  });
}
