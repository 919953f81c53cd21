/**
 * One of several processes that record and push on one database at once: a line's reader and all three tasks, as fast as they go.
 * Argument: JSON of {database, odooUrl, orders, milliseconds, complete}. Ends by itself.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { checkReadings } from '../../nodes/lib/domain/reading';
import { SiloMap } from '../../nodes/lib/domain/silos';
import { AddonOrders } from '../../nodes/lib/odoo/addon/orders';
import { OdooClient } from '../../nodes/lib/odoo/addon/client';
import { DELIVERY_DEFAULTS } from '../../nodes/lib/push/delivery';
import { Limiter } from '../../nodes/lib/push/limiter';
import { PushService } from '../../nodes/lib/push/push';
import { BatchStore } from '../../nodes/lib/store/batch-store';
import { type DatabaseAddress, openDatabase } from '../../nodes/lib/store/connection';
import { DatabasePushLedger } from '../../nodes/lib/store/leases';

export interface WorkerTask {
  database: DatabaseAddress;
  odooUrl: string;
  orders: string[];
  /** How long it runs. */
  milliseconds: number;
}

/** kg of an order at a time: every process sees the same scale, and it only rises. */
const weighed = (order: number, at: number, began: number): number =>
  Math.round((order + (at - began) / 100) * 100) / 100;

async function main({ database, odooUrl, orders, milliseconds }: WorkerTask, began: number): Promise<void> {
  const db = openDatabase(database);
  const store = new BatchStore(db);
  const ledger = new DatabasePushLedger(db);
  const address = { url: odooUrl, database: 'odoo14', user: 'scada', password: 'scada', timeoutMs: 5_000 };
  const client = new OdooClient(address);
  const push = new PushService(new AddonOrders(client), new Limiter(4), new SiloMap(), DELIVERY_DEFAULTS);
  const end = Date.now() + milliseconds;
  const record = async (): Promise<void> => {
    const now = Date.now();
    const readings = orders.map((mo_id, n) => {
      // The first half of the orders completes, one after the other, on the way.
      const completed = n < orders.length / 2 && now > began + ((n + 1) * milliseconds) / orders.length;
      const at = completed ? began + ((n + 1) * milliseconds) / orders.length : now;
      return {
        ...{ slot: n + 1, mo_id, status_manufacturing: completed, status_operation: !completed },
        actual_weight_quantity_finished_goods: completed ? 2500 : 0,
        ...{
          consumption: { silo_a: weighed(n, at, began), silo_b: weighed(n + 1, at, began) },
          read_at: new Date(now),
        },
      };
    });
    const checked = checkReadings(readings);
    await store.record(checked.readings ?? []);
  };
  while (Date.now() < end) {
    await record();
    const due = await store.due(100);
    await Promise.all(due.map(({ id }) => push.process(ledger, { id }, false)));
    const completed = await store.completed(100);
    await Promise.all(completed.map(({ id }) => push.process(ledger, { id }, true)));
    await store.archive(null, { status: 'completed' });
    await delay(20);
  }
  client.close();
  await db.$pool.end();
}

const [task, began] = JSON.parse(process.argv[2] ?? '') as [WorkerTask, number];
main(task, began).catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  process.exit(1);
});
