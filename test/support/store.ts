/** A store on a database of its own, and the orders, readings and settlements that tests feed it. */
import type { TestContext } from 'node:test';
import type { Order } from '../../nodes/lib/domain/order';
import type { Settlement } from '../../nodes/lib/domain/ledger';
import type { Reading } from '../../nodes/lib/domain/reading';
import type { SiloWeights } from '../../nodes/lib/domain/silos';
import { BatchStore } from '../../nodes/lib/store/batch-store';
import { type Database, type DatabaseAddress, openDatabase } from '../../nodes/lib/store/connection';
import { migrate } from '../../nodes/lib/store/migrate';
import { DatabasePushLedger } from '../../nodes/lib/store/leases';
import { testDatabase } from './cluster';

export interface TestStore {
  address: DatabaseAddress;
  db: Database;
  store: BatchStore;
  ledger: DatabasePushLedger;
}

/** Another pool on the same database: what a second Node-RED has. */
export function anotherPool(t: TestContext, address: DatabaseAddress): TestStore {
  const db = openDatabase(address);
  t.after(() => db.$pool.end());
  return { address, db, store: new BatchStore(db), ledger: new DatabasePushLedger(db) };
}

/** An empty database, which goes when the test ends. */
export async function emptyDatabase(t: TestContext): Promise<DatabaseAddress> {
  const created = await testDatabase();
  t.after(() => created.drop());
  const { host, port, user, password, database } = created;
  return { host, port, user, password, database };
}

/** A store on an empty, migrated database. */
export async function freshStore(t: TestContext): Promise<TestStore> {
  const opened = anotherPool(t, await emptyDatabase(t));
  await migrate(opened.db);
  return opened;
}

export const moId = (n: number): string => `WH/MO/${String(n).padStart(5, '0')}`;

export const order = (n: number, more: Partial<Order> = {}): Order => ({
  mo_id: moId(n),
  consumption: 2500,
  equipment_id_batch: 'PLC01',
  finished_goods: 'JF PLUS 25',
  component_silo_a_name: 'Pollard',
  consumption_silo_a: 825,
  ...more,
});

export const orders = (from: number, to: number): Order[] =>
  Array.from({ length: to - from + 1 }, (_, i) => order(from + i));

/** Time of the n-th reading: a minute apart. */
export const at = (n: number): string => new Date(Date.UTC(2026, 2, 2, 8, n)).toISOString();

export const reading = (n: number, consumption: SiloWeights, minute: number, more: Partial<Reading> = {}): Reading => ({
  slot: n,
  mo_id: moId(n),
  status_manufacturing: false,
  status_operation: true,
  actual_weight_quantity_finished_goods: null,
  consumption,
  read_at: at(minute),
  ...more,
});

export const finalReading = (n: number, consumption: SiloWeights, minute: number, finished = 2500): Reading =>
  reading(n, consumption, minute, { status_manufacturing: true, actual_weight_quantity_finished_goods: finished });

export const confirmed = (consumption: SiloWeights, more: Partial<Settlement> = {}): Settlement => ({
  conclusion: 'confirmed',
  reason: '',
  setAside: false,
  sent: consumption,
  confirmed: consumption,
  answers: [{ call: 'update', conclusion: 'confirmed', reason: '' }],
  ...more,
});

export const done = (consumption: SiloWeights): Settlement =>
  confirmed(consumption, { done: { state: 'done', finished: 2500, consumption, read_at: at(59) } });

/** What the ledger gives when the lease has to succeed. @throws Error with the refusal */
export async function leased(
  ledger: DatabasePushLedger,
  n: number,
  purpose: 'push' | 'finish' | 'manual' = 'push',
  ttlMs = 60_000,
) {
  const taken = await ledger.lease({ mo_id: moId(n) }, purpose, ttlMs);
  if ('refused' in taken) throw new Error(`lease refused: ${taken.refused}`);
  return taken;
}

/** Queues order n, reads its final weights and has Odoo confirm and close it. */
export async function finishedBatch({ store, ledger }: TestStore, n: number): Promise<string> {
  await store.enqueue([order(n)], 1);
  await store.record([finalReading(n, { silo_a: 825.5 }, 1)]);
  const { batch, owner } = await leased(ledger, n, 'finish');
  await ledger.settle(batch, owner, done({ silo_a: 825.5 }));
  return batch.id;
}

/** The columns of one row of the queue. */
export const row = (db: Database, n: number): Promise<Record<string, unknown>> =>
  db.one('SELECT * FROM mo_batch WHERE mo_id = $1 AND NOT duplicate', moId(n));

/**
 * Holds the queue's lock while `start` begins its work; `start` may await `waiting(n)`: until n others wait for it.
 * @returns what `start` gives, after the lock is released: promises of the work
 */
export async function whileQueueIsLocked<T extends readonly unknown[]>(
  { db }: TestStore,
  lock: number,
  start: (waiting: (n: number) => Promise<void>) => Promise<{ [K in keyof T]: Promise<T[K]> }>,
): Promise<T> {
  const begun = await db.tx(async (tx) => {
    await tx.one('SELECT pg_advisory_xact_lock($1)::text', lock);
    const waiting = async (n: number): Promise<void> => {
      const others = `SELECT count(*)::int AS n FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`;
      while ((await tx.one<{ n: number }>(others)).n < n);
    };
    // In an object: a transaction that returned the promises would wait for them, and they wait for its end.
    return { work: await start(waiting) };
  });
  const results: unknown = await Promise.all(begun.work);
  return results as T;
}
