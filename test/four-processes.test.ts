/** Several Node-REDs on one database: four processes record and push for a minute against the simulated Odoo. */
import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Batch } from '../nodes/lib/domain/batch';
import { roundForOdoo } from '../nodes/lib/domain/weight';
import { plantTest, UPDATE } from './support/push-plant';
import type { WorkerTask } from './support/push-worker';

const MINUTE = 60_000;

plantTest(
  'four processes push no order twice at the same time, lose none, archive none twice',
  async (plant) => {
    const orders = await plant.queue(...Array.from({ length: 20 }, () => ({})));
    const { host, port, user, password, database } = plant.database;
    const task: WorkerTask = {
      database: { host, port, user, password, database },
      ...{ odooUrl: plant.odoo.url, orders, milliseconds: MINUTE },
    };
    const argument = JSON.stringify([task, Date.now()]);
    const workers = Array.from({ length: 4 }, () => fork(join(__dirname, 'support', 'push-worker.js'), [argument]));
    const codes = await Promise.all(workers.map(async (worker) => ((await once(worker, 'exit')) as [number])[0]));
    assert.deepEqual(codes, [0, 0, 0, 0]);

    assert.ok(plant.count(UPDATE) > 10 * orders.length, `${plant.count(UPDATE)} updates`);
    assert.equal(plant.odoo.maxConcurrentPerOrder(), 1);
    // What the last reading left unconfirmed is pushed as the next cycle would.
    await plant.pausesOver();
    for (const { mo_id } of await plant.store.due(100)) assert.equal((await plant.push(mo_id)).conclusion, 'confirmed');
    for (const { mo_id } of await plant.store.completed(100)) await plant.push(mo_id, { finish: true });
    await plant.archive();

    const queue = await plant.db.any<Batch>('SELECT * FROM mo_batch');
    const history = await plant.db.any<Batch>('SELECT * FROM mo_histories');
    const everywhere = [...queue, ...history].map(({ mo_id }) => mo_id).sort();
    assert.deepEqual(everywhere, [...orders].sort(), 'every order once, in the queue or the history');
    assert.equal(history.length, orders.length / 2);
    for (const row of [...queue, ...history]) {
      const held = plant.odoo.done(row.mo_id);
      assert.equal(held.silo101, roundForOdoo(row.actual_consumption_silo_a), row.mo_id);
      assert.equal(held.silo102, roundForOdoo(row.actual_consumption_silo_b), row.mo_id);
    }
    for (const { mo_id } of history) assert.equal(plant.odoo.order(mo_id).state, 'done');
  },
  { latencyMs: 5 },
);
