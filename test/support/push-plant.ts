/** A simulated Odoo and a real database with this package's own store and pushes between them: all but Node-RED and PLC. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import {
  type NewOrder,
  type SimulatedOdoo,
  type SimulatedOdooOptions,
  startSimulatedOdoo,
} from '../../examples/plant/odoo/simulated-odoo';
import { actualWeights, type Batch } from '../../nodes/lib/domain/batch';
import type { ManualRequest } from '../../nodes/lib/domain/correction';
import { checkReading, type Reading } from '../../nodes/lib/domain/reading';
import { SILO_TAGS, SiloMap, type SiloWeights } from '../../nodes/lib/domain/silos';
import { roundForOdoo } from '../../nodes/lib/domain/weight';
import { AddonOrders } from '../../nodes/lib/odoo/addon/orders';
import { OdooClient } from '../../nodes/lib/odoo/addon/client';
import { DELIVERY_DEFAULTS, type DeliveryOptions } from '../../nodes/lib/push/delivery';
import { fetchOrders } from '../../nodes/lib/odoo/fetch';
import { Limiter } from '../../nodes/lib/push/limiter';
import { PushService } from '../../nodes/lib/push/push';
import { messageOf, type PushMessage } from '../../nodes/odoo-push-consumption/message';
import type { OdooAddress } from '../../nodes/lib/odoo/addon/session';
import { BatchStore } from '../../nodes/lib/store/batch-store';
import { type Database, openDatabase } from '../../nodes/lib/store/connection';
import { migrate } from '../../nodes/lib/store/migrate';
import { DatabasePushLedger } from '../../nodes/lib/store/leases';
import { type ConnectionData, testDatabase } from './cluster';

export const UPDATE = '/api/scada/mo/update-with-consumptions';
export const MARK_DONE = '/api/scada/mo/mark-done';
export const LOGIN = '/api/scada/authenticate';

/** The plan of the simulated recipe (kg for 2500 kg). */
export const PLAN: SiloWeights = {
  silo_a: 825,
  silo_b: 375,
  silo_c: 240.25,
  silo_d: 50,
  silo_e: 300,
  silo_f: 159.75,
  silo_g: 100,
  silo_h: 75.5,
  silo_i: 124.5,
  silo_j: 90,
  silo_k: 10.25,
  silo_l: 24.75,
  silo_m: 125,
};

export const silos = new SiloMap();

/** A push service whose outcomes are told as the node's messages tell them. */
export type Told = {
  [Method in 'process' | 'manual']: (...given: Parameters<PushService[Method]>) => Promise<PushMessage>;
};

export interface PlantOptions extends SimulatedOdooOptions {
  user?: string;
  password?: string;
  timeoutMs?: number;
  now_ms?: () => number;
}

export class PushPlant {
  readonly odoo: SimulatedOdoo;
  readonly db: Database;
  /** Where the database is, for other processes. */
  readonly database: ConnectionData;
  readonly store: BatchStore;
  readonly ledger: DatabasePushLedger;
  client: OdooClient;
  limiter = new Limiter(2);
  readonly #options: PlantOptions;
  #seconds = 0;

  constructor(odoo: SimulatedOdoo, db: Database, database: ConnectionData, options: PlantOptions) {
    this.odoo = odoo;
    this.db = db;
    this.database = database;
    this.#options = options;
    this.store = new BatchStore(db);
    this.ledger = new DatabasePushLedger(db);
    this.client = this.#open();
  }

  #open(Client = OdooClient): OdooClient {
    const { user = 'scada', password = user, timeoutMs = 10_000, now_ms } = this.#options;
    const address: OdooAddress = { url: this.odoo.url, database: 'odoo14', user, password, timeoutMs };
    return new Client(address, now_ms);
  }

  /** What a Node-RED that was killed and started again has: nothing in memory. */
  restart(Client = OdooClient): void {
    this.client.close();
    this.client = this.#open(Client);
    this.limiter = new Limiter(2);
  }

  pushes(options: Partial<DeliveryOptions> = {}, map = silos): Told {
    const orders = new AddonOrders(this.client);
    const service = new PushService(orders, this.limiter, map, { ...DELIVERY_DEFAULTS, ...options });
    return {
      process: async (...given) => messageOf(await service.process(...given)),
      manual: async (...given) => messageOf(await service.manual(...given)),
    };
  }

  /** Creates orders in Odoo, fetches and queues them, as Task 1 does. @returns their names */
  async queue(...orders: NewOrder[]): Promise<string[]> {
    for (const order of orders) this.odoo.createOrder({ policy: 'flexible', ...order });
    const fetched = await fetchOrders(new AddonOrders(this.client), silos, {});
    const queued = await this.store.enqueue(fetched.orders, 10_000);
    assert.equal(queued.length, orders.length);
    return queued.map(({ mo_id }) => mo_id);
  }

  /** A reading of an order, every one a second later than the one before. */
  reading(mo_id: string, consumption: SiloWeights, more: { finished?: number; complete?: boolean } = {}): Reading {
    this.#seconds += 1;
    const checked = checkReading({
      // Every order in a slot of its own: weights that a slot showed under another number are held.
      slot: Number(/\d+$/.exec(mo_id)?.[0] ?? 1),
      mo_id,
      consumption,
      status_manufacturing: more.complete ?? false,
      actual_weight_quantity_finished_goods: more.finished ?? null,
      read_at: new Date(Date.UTC(2026, 0, 1) + this.#seconds * 1000),
    });
    return checked.reading ?? assert.fail(JSON.stringify(checked.problems));
  }

  async read(
    mo_id: string,
    consumption: SiloWeights,
    more: { finished?: number; complete?: boolean } = {},
  ): Promise<void> {
    await this.store.record([this.reading(mo_id, consumption, more)]);
  }

  /** Task 2's push, or with `finish` Task 3's, of one order. */
  push(
    mo_id: string,
    { finish = false, ...options }: Partial<DeliveryOptions> & { finish?: boolean } = {},
  ): Promise<PushMessage> {
    return this.pushes(options).process(this.ledger, { mo_id }, finish);
  }

  manual(request: Partial<ManualRequest> & { mo_id: string }): Promise<PushMessage> {
    return this.pushes().manual(this.ledger, { markDone: false, correct_completed: false, ...request });
  }

  /** Lets every pause be over. */
  async pausesOver(): Promise<void> {
    await this.db.none('UPDATE mo_batch SET next_attempt_at = NULL');
  }

  async row(mo_id: string): Promise<Batch> {
    return (await this.store.trail(mo_id)).batch ?? assert.fail(`${mo_id} is not in the queue`);
  }

  /** Archives everything that may go. @returns the orders that went */
  async archive(): Promise<string[]> {
    const { archived } = await this.store.archive(null, { status: 'completed' });
    return archived.map(({ mo_id }) => mo_id);
  }

  /** Calls of a route that Odoo saw. */
  count(route: string): number {
    return this.odoo.calls.filter((call) => call.route === route).length;
  }

  /**
   * The promise of the product: whatever the database says Odoo has confirmed, Odoo's own stock moves hold; what is
   * archived as completed is done there.
   */
  async assertTruth(): Promise<void> {
    const rows = await this.db.any<Batch>('SELECT * FROM mo_batch WHERE update_odoo');
    const archived = await this.db.any<Batch>(`SELECT * FROM mo_histories WHERE status = 'completed'`);
    for (const row of [...rows, ...archived]) {
      const held = this.odoo.done(row.mo_id);
      const weights = actualWeights(row);
      for (const tag of SILO_TAGS) {
        if (weights[tag] === undefined) continue;
        const code = silos.byTag(tag)?.code ?? '';
        assert.equal(
          held[code] ?? 0,
          roundForOdoo(weights[tag]),
          `${row.mo_id} ${tag}: what Odoo holds, and what the row says`,
        );
      }
    }
    for (const { mo_id, actual_weight_quantity_finished_goods } of archived) {
      assert.equal(this.odoo.order(mo_id).state, 'done', `${mo_id} is archived as completed`);
      const finished = actual_weight_quantity_finished_goods;
      if (finished !== null) assert.equal(this.odoo.order(mo_id).finished, finished, `${mo_id}: finished goods`);
    }
    assert.ok(this.odoo.maxConcurrentPerOrder() <= 1, 'one writer per order');
  }
}

/** Waits until something holds. @throws Error when that takes absurdly long */
export async function until(holds: () => boolean): Promise<void> {
  for (let tries = 0; !holds(); tries += 1) {
    if (tries > 2000) throw new Error(`never came true: ${holds.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** A plant that ends with its test, after its promise has been checked. */
export async function withPlant(
  t: TestContext,
  options: PlantOptions,
  work: (plant: PushPlant) => Promise<void>,
): Promise<void> {
  const [odoo, database] = await Promise.all([startSimulatedOdoo(options), testDatabase()]);
  const db = openDatabase(database);
  const plant = new PushPlant(odoo, db, database, options);
  t.after(async () => {
    plant.client.close();
    await odoo.stop();
    await db.$pool.end();
    await database.drop();
  });
  await migrate(db);
  await work(plant);
  await plant.assertTruth();
}

/** A test on a plant of its own. */
export const plantTest = (
  name: string,
  work: (plant: PushPlant, t: TestContext) => Promise<void>,
  options: PlantOptions = {},
): void => {
  test(name, (t) => withPlant(t, options, (plant) => work(plant, t)));
};
