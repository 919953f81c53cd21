/** Queues for the bench: databases with orders in them, in the tables of this package and in those of the stock flow. */
import type { Order } from '../../nodes/lib/domain/order';
import type { Reading } from '../../nodes/lib/domain/reading';
import { SILO_TAGS } from '../../nodes/lib/domain/silos';
import { BatchStore } from '../../nodes/lib/store/batch-store';
import { type Database, openDatabase } from '../../nodes/lib/store/connection';
import { migrate } from '../../nodes/lib/store/migrate';
import { testDatabase, type ConnectionData } from '../support/cluster';
import { OLD_COLUMNS } from '../support/old-database';

export interface Queue {
  address: ConnectionData;
  db: Database;
  /** Ends the connections and drops the database. */
  drop(): Promise<void>;
}

export interface OwnQueue extends Queue {
  store: BatchStore;
}

async function openQueue(): Promise<Queue> {
  const made = await testDatabase();
  const { host, port, user, password, database } = made;
  const address = { host, port, user, password, database };
  const db = openDatabase(address);
  return {
    address,
    db,
    drop: async () => {
      await db.$pool.end();
      await made.drop();
    },
  };
}

const bySilo = (prefix: string, kg: number): Record<string, number> =>
  Object.fromEntries(SILO_TAGS.map((tag, index) => [`${prefix}${tag}`, kg + index / 4]));

const order = (mo_id: string): Order => ({
  ...{ mo_id, consumption: 2500, equipment_id_batch: 'PLC01', finished_goods: 'JF PLUS' },
  ...bySilo('consumption_', 100),
});

/** This package's tables with the orders queued. */
export async function ownQueue(orders: readonly string[]): Promise<OwnQueue> {
  const queue = await openQueue();
  await migrate(queue.db);
  const store = new BatchStore(queue.db);
  await store.enqueue(orders.map(order), orders.length);
  return { ...queue, store };
}

/** Readings of running batches in slots 1, 2, …; every weight is `kg` plus a little per silo. */
export const readings = (orders: readonly string[], kg: number): Reading[] =>
  orders.map((mo_id, index) => ({
    ...{ slot: index + 1, mo_id, status_manufacturing: false, status_operation: true },
    actual_weight_quantity_finished_goods: kg * 10,
    consumption: bySilo('', kg),
    read_at: new Date().toISOString(),
  }));

/** The tables of the stock flow, with the index that it needs, and the orders queued. */
export async function stockQueue(orders: readonly string[]): Promise<Queue> {
  const queue = await openQueue();
  await queue.db.none(
    `CREATE TABLE mo_batch (${OLD_COLUMNS.mo_batch.join(', ')}); CREATE UNIQUE INDEX ON mo_batch (mo_id)`,
  );
  await queue.db.none(
    `INSERT INTO mo_batch (id, batch_no, mo_id, equipment_id_batch)
     SELECT gen_random_uuid(), n, mo_id, 'PLC01' FROM unnest($<orders>::text[]) WITH ORDINALITY AS o(mo_id, n)`,
    { orders },
  );
  return queue;
}

/** Lets every row of a stock queue say something that Odoo was not told. */
export const weighStock = ({ db }: Queue, kg: number): Promise<null> =>
  db.none(
    `UPDATE mo_batch SET update_odoo = false, last_read_from_plc = now(), actual_weight_quantity_finished_goods = $<kg> * 10,
     ${SILO_TAGS.map((tag, index) => `actual_consumption_${tag} = $<kg> + ${index / 4}`).join(', ')}`,
    { kg },
  );

/** Fills the history with completed batches of other orders. */
export async function fillHistory({ db }: Queue, rows: number): Promise<void> {
  const weights = SILO_TAGS.flatMap((tag) => [`consumption_${tag}`, `actual_consumption_${tag}`]);
  await db.none(
    `INSERT INTO mo_histories (id, batch_no, mo_id, consumption, equipment_id_batch, status, status_manufacturing,
       last_read_from_plc, archived_at, ${weights.join(', ')})
     SELECT gen_random_uuid(), n, 'OLD/MO/' || n, 2500, 'PLC01', 'completed', true, now(), now(),
       ${weights.map((_, index) => `n % 1000 + ${index}`).join(', ')}
     FROM generate_series(1, $<rows>) n`,
    { rows },
  );
  await db.none('VACUUM ANALYZE mo_histories');
  await db.none('CHECKPOINT');
}

/** Where each row version of two tables lies; a row written since is not in it. */
const VERSIONS = `SELECT 'b' || ctid || ' ' || xmin AS version FROM mo_batch UNION ALL SELECT 'e' || ctid || ' ' || xmin FROM mo_events`;

/** Rows of mo_batch and mo_events that the work writes. */
export async function rowsWritten({ db }: Queue, work: () => Promise<unknown>): Promise<number> {
  const versions = (): Promise<string[]> => db.map(VERSIONS, [], ({ version }: { version: string }) => version);
  const before = new Set(await versions());
  await work();
  return (await versions()).filter((version) => !before.has(version)).length;
}
