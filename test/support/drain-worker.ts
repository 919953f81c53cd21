/**
 * One of several Node-REDs that bring what is completed to Odoo, close it and archive it, until nothing is left to do.
 * Argument: JSON of a DrainTask. Tells its parent how long a closing waited for its turn at most (ms).
 */
import { setTimeout as delay } from 'node:timers/promises';
import { SiloMap } from '../../nodes/lib/domain/silos';
import { AddonOrders } from '../../nodes/lib/odoo/addon/orders';
import { OdooClient } from '../../nodes/lib/odoo/addon/client';
import { DELIVERY_DEFAULTS } from '../../nodes/lib/push/delivery';
import { Limiter } from '../../nodes/lib/push/limiter';
import { PushService } from '../../nodes/lib/push/push';
import { BatchStore } from '../../nodes/lib/store/batch-store';
import { type DatabaseAddress, openDatabase } from '../../nodes/lib/store/connection';
import { DatabasePushLedger } from '../../nodes/lib/store/leases';

export interface DrainTask {
  database: DatabaseAddress;
  odooUrl: string;
  /** Pushes side by side. */
  parallel: number;
}

async function drain({ database, odooUrl, parallel }: DrainTask): Promise<number> {
  const db = openDatabase(database);
  const store = new BatchStore(db);
  const ledger = new DatabasePushLedger(db);
  const address = { url: odooUrl, database: 'odoo14', user: 'scada', password: 'scada', timeoutMs: 5_000 };
  const client = new OdooClient(address);
  const push = new PushService(new AddonOrders(client), new Limiter(parallel), new SiloMap(), DELIVERY_DEFAULTS);
  let longest = 0;
  const open = () => db.one<{ n: number }>('SELECT count(*)::int AS n FROM mo_batch WHERE set_aside_at IS NULL');
  while ((await open()).n > 0) {
    const completed = await store.completed(100);
    const results = await Promise.all(completed.map(({ id }) => push.process(ledger, { id }, true)));
    longest = Math.max(longest, ...results.map((one) => (one.kind === 'tried' ? (one.waited ?? 0) * 1000 : 0)));
    await store.archive(null, { status: 'completed' });
    if (completed.length === 0) await delay(20);
  }
  client.close();
  await db.$pool.end();
  return longest;
}

drain(JSON.parse(process.argv[2] ?? '') as DrainTask).then(
  (longest) => process.send?.({ longest }, () => process.exit()),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
    process.exit(1);
  },
);
