/** What a long queue costs, statement by statement and in a cycle. */
import type { Settlement } from '../../nodes/lib/domain/ledger';
import { SILO_TAGS } from '../../nodes/lib/domain/silos';
import { DatabasePushLedger } from '../../nodes/lib/store/leases';
import { shippedTask2, together } from './flows';
import { startBenchHost } from './host';
import { interleaved, median, timed } from './measure';
import { type OwnQueue, ownQueue, readings } from './queue';
import { type Figures, type Goal, growing, medians, runs, type Setting, SLOTS } from './setting';

/** Rows that wait in the queue besides those of the slots. */
const WAITING = [10, 1_000, 10_000];

const OPERATIONS: Record<string, string> = {
  summary: 'the queue counted',
  record: '30 readings recorded',
  due: '30 due rows listed',
  lease: '30 rows leased',
  settle: '30 pushes settled',
  push: '30 rows leased and settled',
};

const perQueue = (waiting: number): [string, Goal][] => {
  const besides = `${waiting} rows waiting besides 30`;
  return Object.entries(OPERATIONS).flatMap(([name, says]) => [
    [`queue${waiting}_${name}_ms`, { says: `${says}, ${besides} (ms)` }],
    [`queue${waiting}_${name}_rows`, { says: 'rows that it read' }],
  ]);
};

export const QUEUE_GOALS: Record<string, Goal> = {
  ...Object.fromEntries(WAITING.flatMap(perQueue)),
  cycle_10000_vs_10: { says: 'a cycle of 30 slots, 10,000 rows waiting besides: times one with 10', most: 1.5 },
};

export const names = (prefix: string, count: number): string[] =>
  Array.from({ length: count }, (_, n) => `${prefix}/${n + 1}`);
export const silos = (kg: number): Record<string, number> => Object.fromEntries(SILO_TAGS.map((tag) => [tag, kg]));

/** A push that Odoo confirmed, of so many kg in every silo. */
export const confirmed = (kg: number): Settlement => ({
  ...{ conclusion: 'confirmed', reason: '', setAside: false, sent: silos(kg), confirmed: silos(kg), sentFinished: kg },
  answers: [{ call: 'update', conclusion: 'confirmed', reason: '' }],
});

/** Leases rows and settles them, side by side as a push does. */
async function pushed(ledger: DatabasePushLedger, ids: readonly string[]): Promise<{ lease: number; settle: number }> {
  const taken: { batch: Parameters<typeof ledger.settle>[0]; owner: string }[] = [];
  const lease = await timed(async () => {
    for (const one of await Promise.all(ids.map((id) => ledger.lease({ id }, 'push', 60_000)))) {
      if ('refused' in one) throw new Error(`a row was not leased: ${one.refused}`);
      taken.push(one);
    }
  });
  const settle = await timed(() =>
    Promise.all(taken.map(({ batch, owner }) => ledger.settle(batch, owner, confirmed(1)))),
  );
  return { lease, settle };
}

/** Rows that the tables of a database have given to its statements so far. */
async function rowsRead({ db }: OwnQueue): Promise<number> {
  // What a session has counted shows when it says so; the pool hands out the one that was used last.
  await db.any('SELECT pg_stat_force_next_flush()');
  const counted = `SELECT pg_stat_clear_snapshot()::text, (SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0)) FROM pg_stat_user_tables)::float8 AS rows`;
  return (await db.one<{ rows: number }>(counted)).rows;
}

/** What a long queue costs, statement by statement. */
export async function longQueue({ say }: Setting): Promise<Figures> {
  const figures: Figures = {};
  for (const waiting of WAITING) {
    const orders = names('WH/MO', SLOTS);
    const queue = await ownQueue([...orders, ...names('WH/LATER', waiting)]);
    await queue.db.none('VACUUM ANALYZE');
    const ledger = new DatabasePushLedger(queue.db);
    const kg = growing();
    const times: Record<string, number[]> = {};
    const note = (name: string, ms: number): unknown => (times[name] ??= []).push(ms);
    const rows: Record<string, number> = {};
    const counting = async <T>(name: string, work: () => Promise<T>): Promise<T> => {
      const before = await rowsRead(queue);
      const began = performance.now();
      const result = await work();
      note(name, performance.now() - began);
      rows[name] = (await rowsRead(queue)) - before;
      return result;
    };
    for (let round = 0; round < 20; round += 1) {
      await counting('summary', () => queue.store.summary('PLC01'));
      await counting('record', () => queue.store.record(readings(orders, kg()), 'PLC01'));
      const due = await counting('due', () => queue.store.due(1000, 'PLC01'));
      const { lease, settle } = await counting('push', () =>
        pushed(
          ledger,
          due.map(({ id }) => id),
        ),
      );
      note('lease', lease);
      note('settle', settle);
    }
    say(`${waiting} rows wait: ${medians(times)}; rows read ${JSON.stringify(rows)}`);
    for (const name of ['summary', 'record', 'due', 'lease', 'settle'])
      figures[`queue${waiting}_${name}_ms`] = median((times[name] ?? []).slice(5));
    for (const [name, read] of Object.entries(rows)) figures[`queue${waiting}_${name}_rows`] = read;
    await queue.drop();
  }
  return figures;
}

/** A Task 2 cycle of 30 slots, with few and with many orders that wait. */
export async function longQueueCycle(setting: Setting): Promise<Figures> {
  const { plant, say } = setting;
  const { url: odooUrl, orders } = await plant.call('odoo', { orders: SLOTS, latencyMs: 0 });
  const plcPort = await plant.call('plc', { slots: SLOTS, pduSize: 480 });
  const queues = await Promise.all(
    [WAITING[0] ?? 0, WAITING.at(-1) ?? 0].map((waiting) => ownQueue([...orders, ...names('WH/LATER', waiting)])),
  );
  for (const { db } of queues) await db.none('VACUUM ANALYZE');
  const host = await startBenchHost(
    together(
      ...queues.map(({ address: database }, n) =>
        shippedTask2({ name: `queue${n}`, database, odooUrl, plcPort }, { slots: SLOTS }),
      ),
    ),
  );
  const kg = growing();
  try {
    const result = await interleaved(
      { few: () => runs(host, 'queue0', SLOTS), many: () => runs(host, 'queue1', SLOTS) },
      { rounds: 15, warmUps: 4, before: () => plant.call('weigh', { orders, kg: kg() }) },
    );
    say(`cycle of ${SLOTS} with ${WAITING[0]} and ${WAITING.at(-1)} rows more: ${medians(result.times)}`);
    return { cycle_10000_vs_10: result.ratio('many', 'few') };
  } finally {
    await host.stop();
    for (const queue of queues) await queue.drop();
  }
}
