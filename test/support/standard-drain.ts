/** What piled up while a standard Odoo was away: batches with a database and the package's own store and pushes between. */
import { startStandardOdoo, type Version } from '../../examples/plant/odoo/standard/standard-odoo';
import { checkReading } from '../../nodes/lib/domain/reading';
import { SiloMap } from '../../nodes/lib/domain/silos';
import { fetchOrders } from '../../nodes/lib/odoo/fetch';
import { StandardOrders } from '../../nodes/lib/odoo/standard/orders';
import { DELIVERY_DEFAULTS } from '../../nodes/lib/push/delivery';
import { Limiter } from '../../nodes/lib/push/limiter';
import { PushService } from '../../nodes/lib/push/push';
import { BatchStore } from '../../nodes/lib/store/batch-store';
import { openDatabase } from '../../nodes/lib/store/connection';
import { DatabasePushLedger } from '../../nodes/lib/store/leases';
import { migrate } from '../../nodes/lib/store/migrate';
import { testDatabase } from './cluster';

/** A stretch of work: how long it took, and how long Odoo's own calls take (ms). */
export interface Stretch {
  calls: number;
  ms: number;
  own: number;
}

export interface Drained {
  /** The first push of each order: its moves and lines are not known yet. */
  first: Stretch;
  /** Further pushes of figures that have risen. */
  risen: Stretch;
  /** Final values, read back. */
  final: Stretch;
  /** Mark-done of each, between two looks at it. */
  closing: Stretch;
  /** Orders in the history as completed, and those whose kg in Odoo differ from what was weighed. */
  archived: number;
  differ: string[];
}

/** How many pushes run side by side where a standard Odoo is spoken to. */
const PARALLEL = 1;
const FINISHED = 2500;

const weights = (order: number, share: number) => ({ silo_a: (825 + order / 10) * share, silo_b: 375 * share });

/**
 * Pushes every order twice while it runs and once when it is completed, then closes all of them.
 * @param measured times the measured time of each call; 0: at once
 */
export async function drainStandard(version: Version, batches: number, measured: number): Promise<Drained> {
  const [odoo, database] = await Promise.all([startStandardOdoo({ version, measured }), testDatabase()]);
  const db = openDatabase(database);
  const { url, login } = odoo;
  const isKey = login.secret === 'key';
  const account = { user: login.user, secret: isKey ? login.apiKey : login.password, isKey };
  const orders = new StandardOrders({ url, database: login.database, ...account, timeoutMs: 10_000 });
  try {
    await migrate(db);
    const [store, ledger, silos] = [new BatchStore(db), new DatabasePushLedger(db), new SiloMap()];
    const push = new PushService(orders, new Limiter(PARALLEL), silos, DELIVERY_DEFAULTS);
    const components = [
      { code: 'silo101', product: 'Pollard Angsa', quantity: 825 },
      { code: 'silo102', product: 'Kopra Mesh', quantity: 375 },
    ];
    for (let n = 0; n < batches; n += 1) odoo.createOrder({ components, reserved: true });
    const queued = await store.enqueue((await fetchOrders(orders, silos, {})).orders, batches);
    const names = queued.map(({ mo_id }) => mo_id);

    /** A reading of every order. */
    const weighed = async (share: number, minute: number, complete = false): Promise<void> => {
      const readings = names.map((mo_id, index) => {
        const read_at = new Date(Date.UTC(2026, 0, 1, 6, minute));
        const told = {
          status_manufacturing: complete,
          actual_weight_quantity_finished_goods: complete ? FINISHED : null,
        };
        const consumption = weights(index, share);
        const { reading } = checkReading({ slot: index + 1, mo_id, consumption, ...told, read_at });
        if (!reading) throw new Error(`${mo_id}: no reading`);
        return reading;
      });
      await store.record(readings);
    };
    /** All of them at once, as the push node does it. */
    const all = async (finish: boolean): Promise<Stretch> => {
      const before = odoo.calls.length;
      const began = performance.now();
      await Promise.all(names.map((mo_id) => push.process(ledger, { mo_id }, finish)));
      const ms = performance.now() - began;
      const calls = odoo.calls.slice(before);
      return { calls: calls.length, ms, own: calls.reduce((sum, { takes }) => sum + takes, 0) };
    };

    await weighed(0.25, 1);
    const first = await all(false);
    await weighed(0.5, 2);
    const risen = await all(false);
    await weighed(1, 3, true);
    const final = await all(false);
    const closing = await all(true);
    const { archived } = await store.archive(null, { status: 'completed' });
    const differ = names.filter((mo_id, index) => {
      const { silo101, silo102 } = odoo.done(mo_id);
      return silo101 !== Math.round(weights(index, 1).silo_a * 100) / 100 || silo102 !== 375;
    });
    return { first, risen, final, closing, archived: archived.length, differ };
  } finally {
    orders.close();
    await odoo.stop();
    await db.$pool.end();
    await database.drop();
  }
}
