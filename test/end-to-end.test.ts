/** The whole cycle as a user runs it: Node-RED with the shipped flow, the embedded PostgreSQL, and the simulated plant. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import pgPromise from 'pg-promise';
import { account } from '../examples/plant/account';
import { demoFlow, IDS } from '../examples/plant/demo-flow';
import { startNodeRed } from '../examples/plant/node-red-host';
import { startPlant } from '../examples/plant/plant';

const pgp = pgPromise();
after(() => pgp.end());

/** Asks again until it is so; a watcher outside the process has no event to wait for. */
async function until<T>(what: string, look: () => Promise<T | undefined | false>, log: readonly string[]): Promise<T> {
  const patience = performance.now() + 90_000;
  for (;;) {
    const found = await look();
    if (found) return found;
    if (performance.now() > patience)
      throw new Error(`${what} did not happen; Node-RED said:\n${log.slice(-40).join('\n')}`);
    await delay(200);
  }
}

test('orders go from Odoo to the history, through an Odoo and a PLC that fail on the way, and the kilograms agree', async () => {
  const plant = await startPlant({ orders: 12, weighMs: 5_000, keepMs: 20_000, tickMs: 200 });
  const log: string[] = [];
  const timers = { fetch: 3, push: 1, archive: 2 };
  const host = await startNodeRed({ ...demoFlow(plant, timers), onLine: (line) => log.push(line) });
  try {
    const address = await until('the database', () => host.database(IDS.database).catch(() => undefined), log);
    const db = pgp(address);
    try {
      const count = (sql: string): Promise<number> =>
        db.one<{ n: number }>(`SELECT count(*)::int AS n ${sql}`).then(
          ({ n }) => n,
          () => 0,
        );
      await until('queueing', () => count('FROM mo_batch').then((n) => n === 10), log);

      // Odoo cuts a call after it has committed, another before, and answers with a proxy's page.
      plant.odoo.setFault({ kind: 'cutAfter', route: /update-with-consumptions/, count: 1 });
      plant.odoo.setFault({ kind: 'html502', route: /update-with-consumptions/, count: 1 });
      plant.odoo.setFault({ kind: 'expireSession', count: 1 });
      await until(
        'a failed push',
        () => count(`FROM mo_events WHERE kind = 'push' AND detail->>'conclusion' <> 'confirmed'`),
        log,
      );
      await plant.plc.setFault({ refuse: true });
      await until('a lost PLC', () => Promise.resolve(log.some((line) => /\[error\].*PLC/.test(line))), log);
      await plant.plc.clearFaults();

      // What failed waits out its pause; a person presses "retry now" instead.
      await until(
        'ten archived orders',
        async () => {
          await fetch(`${host.url}/inject/mo-retry`, { method: 'POST' });
          await delay(1_000);
          return (await count(`FROM mo_histories WHERE status = 'completed'`)) >= 10;
        },
        log,
      );
      const result = await account(db, plant);
      assert.deepEqual(result.differences, []);
      assert.ok(result.kg.confirmed > 0);
      assert.equal(result.kg.read, result.kg.confirmed);
      const open = await db.any('SELECT mo_id FROM mo_histories WHERE confirmed_revision IS DISTINCT FROM revision');
      assert.deepEqual(open, []);
      const done = (await db.any<{ mo_id: string }>('SELECT mo_id FROM mo_histories')).map(
        ({ mo_id }) => plant.odoo.order(mo_id).state,
      );
      assert.deepEqual([...new Set(done)], ['done']);
    } finally {
      await db.$pool.end();
    }
  } finally {
    await host.stop();
    await plant.stop();
  }
});
