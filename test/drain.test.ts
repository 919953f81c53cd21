/** What piled up while Odoo was away: 60 completed batches are closed, though closings that meet undo each other. */
import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { NewOrder } from '../examples/plant/odoo/simulated-odoo';
import type { DrainTask } from './support/drain-worker';
import { LOGIN, plantTest, type PushPlant, UPDATE } from './support/push-plant';

const BATCHES = 60;

/** The policies ask in turn: of a strict order only what is exactly right is closed without a question. */
const ORDERS: NewOrder[] = Array.from({ length: BATCHES }, (_, n) => ({
  policy: n % 2 === 0 ? 'warning' : 'flexible',
  components: [
    { code: 'silo101', product: 'Pollard Angsa', quantity: 825 },
    { code: 'silo102', product: 'Kopra Mesh', quantity: 375 },
  ],
}));

/** Completed batches, each with weights of its own. @returns the orders */
async function complete(plant: PushPlant): Promise<string[]> {
  const orders = await plant.queue(...ORDERS);
  for (const [n, mo_id] of orders.entries()) {
    await plant.read(mo_id, { silo_a: 825 + n / 10, silo_b: 375 - n / 10 }, { finished: 2500, complete: true });
  }
  return orders;
}

for (const { nodeReds, parallel, collisions } of [
  { nodeReds: 1, parallel: 2, collisions: 'context-lost' },
  { nodeReds: 1, parallel: 4, collisions: 'context-lost' },
  { nodeReds: 2, parallel: 2, collisions: 'context-lost' },
  { nodeReds: 2, parallel: 4, collisions: 'fixed' },
] as const) {
  const who = nodeReds === 1 ? 'one Node-RED' : 'two Node-REDs';
  plantTest(
    `${BATCHES} completed batches drain with ${who}, ${parallel} pushes side by side, closings that meet: ${collisions}`,
    async (plant, t) => {
      const orders = await complete(plant);
      const { host, port, user, password, database } = plant.database;
      const task: DrainTask = {
        database: { host, port, user, password, database },
        odooUrl: plant.odoo.url,
        parallel,
      };
      const workers = Array.from({ length: nodeReds }, () =>
        fork(join(__dirname, 'support', 'drain-worker.js'), [JSON.stringify(task)]),
      );
      const waits: number[] = [];
      for (const worker of workers) worker.on('message', ({ longest }: { longest: number }) => waits.push(longest));
      const codes = await Promise.all(workers.map(async (worker) => ((await once(worker, 'exit')) as [number])[0]));
      assert.deepEqual(
        codes,
        workers.map(() => 0),
      );
      const aside = await plant.db.any('SELECT mo_id, set_aside_reason FROM mo_batch ORDER BY mo_id');
      assert.deepEqual(aside, [], 'none is set aside');
      const archived = await plant.db.map(
        `SELECT mo_id FROM mo_histories WHERE status = 'completed' ORDER BY mo_id`,
        [],
        ({ mo_id }: { mo_id: string }) => mo_id,
      );
      assert.deepEqual(archived, [...orders].sort());
      const longest = Math.max(...waits) / 1000;
      t.diagnostic(`the longest wait for a turn was ${longest.toFixed(1)} s`);
      assert.ok(longest < 300, `${longest} s`);
    },
    { latencyMs: 2, closingMs: 10, collisions },
  );
}

plantTest('a running push is one call, and no closing is asked of it', async (plant) => {
  const orders = await plant.queue(...ORDERS.slice(0, 10));
  for (const push of [1, 2, 3]) {
    for (const mo_id of orders) await plant.read(mo_id, { silo_a: 100 * push, silo_b: 50 * push, silo_c: 0 });
    const before = plant.odoo.calls.length;
    const results = await Promise.all(orders.map((mo_id) => plant.push(mo_id)));
    assert.deepEqual(
      results.map(({ conclusion }) => conclusion),
      orders.map(() => 'confirmed'),
    );
    const calls = plant.odoo.calls.slice(before).map(({ route }) => route);
    assert.deepEqual(
      calls.filter((route) => route !== LOGIN),
      orders.map(() => UPDATE),
    );
  }
});
