/** The store node's way to another database: export to a file, import from it. */
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, test, type TestContext } from 'node:test';
import { openTempFolder, testDatabase } from '../support/cluster';
import {
  database,
  databaseLogin,
  type FlowNode,
  type NodeRed,
  sink,
  startFlow,
  stopHelper,
  TO_SINK,
} from '../support/node-red';

after(stopHelper);

const store = (operation: string): FlowNode => ({
  ...{ id: operation, type: 'mo-batch-store', name: operation, database: 'db', operation, line: '' },
  ...{ limit: '1000', limitType: 'num', ...TO_SINK },
});

async function start(t: TestContext): Promise<NodeRed> {
  const address = await testDatabase();
  const nodes = ['enqueue', 'summary', 'export', 'import'].map(store);
  const red = await startFlow(t, [database(address), ...nodes, sink], databaseLogin(address));
  t.after(() => red.stop().then(() => address.drop()));
  return red;
}

test('an exported queue is brought into another database, once', async (t) => {
  const folder = openTempFolder();
  t.after(() => rmSync(folder, { recursive: true }));
  const filename = join(folder, 'export.jsonl');
  const red = await start(t);
  const orders = [{ mo_id: 'WH/MO/00001', consumption: 2500, equipment_id_batch: 'PLC01', finished_goods: 'JF PLUS' }];
  await red.send('enqueue', { payload: orders });
  const exported = (await red.send('export', { filename })).out[0]?.[0]?.payload as {
    file: string;
    rows: Record<string, number>;
  };
  assert.deepEqual([exported.file, exported.rows.mo_batch], [filename, 1]);
  assert.match((await red.send('import', { filename })).error?.message ?? '', /not empty \(mo_batch: 1/);
  assert.match((await red.send('export')).error?.message ?? '', /no file named: set msg\.filename/);
  await red.stop();

  const other = await start(t);
  assert.deepEqual((await other.send('import', { filename })).out[0]?.[0]?.payload, exported);
  assert.equal(((await other.send('summary')).out[0]?.[0]?.payload as { queue: number }).queue, 1);
});
