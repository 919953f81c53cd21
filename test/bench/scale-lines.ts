/** Several Node-REDs on one PostgreSQL, each with its own line of 30 slots. */
import { setTimeout as delay } from 'node:timers/promises';
import { shippedTask2 } from './flows';
import { type BenchHost, startBenchHost } from './host';
import { median } from './measure';
import { type OwnQueue, ownQueue } from './queue';
import { startPlantProcess } from './plant-process';
import { type Figures, type Goal, growing, runs, type Setting, SLOTS } from './setting';

const NODE_REDS = [1, 4, 8];
/** How long each number of them is measured, and how often the database is asked who waits (ms). */
const MEASURED = 10_000;
const LOOK = 5;

export const LINES_GOALS: Record<string, Goal> = Object.fromEntries(
  NODE_REDS.flatMap((count): [string, Goal][] => [
    [`lines${count}_cycles_per_minute`, { says: `cycles of 30 slots a minute, ${count} Node-REDs together` }],
    [`lines${count}_lock_wait_ms`, { says: 'the wait of a recording for those of others, median (ms)', most: 50 }],
  ]),
);

/** A Node-RED with a plant of its own, and one cycle of its line. */
interface Line {
  cycle(): Promise<void>;
  stop(): Promise<void>;
}

async function startLine({ address: database, store }: OwnQueue, line: string): Promise<Line> {
  const plant = startPlantProcess();
  const { url: odooUrl, orders } = await plant.call('odoo', { orders: SLOTS, latencyMs: 0, line });
  const plcPort = await plant.call('plc', { slots: SLOTS, pduSize: 480 });
  await store.enqueue(
    orders.map((mo_id) => ({ mo_id, consumption: 2500, equipment_id_batch: line, finished_goods: 'JF PLUS' })),
    SLOTS,
  );
  const host: BenchHost = await startBenchHost(
    shippedTask2({ name: 'line', database, odooUrl, plcPort }, { slots: SLOTS, line }),
  );
  const kg = growing();
  return {
    cycle: async () => {
      await plant.call('weigh', { orders, kg: kg() });
      await runs(host, 'line', SLOTS);
    },
    stop: async () => {
      await host.stop();
      await plant.stop();
    },
  };
}

/** Watches until it is told to end who waits for an advisory lock. @returns the waits (ms) that it saw */
async function waits({ db }: OwnQueue, signal: AbortSignal): Promise<number[]> {
  const longest = new Map<string, number>();
  const waiting = `SELECT pid || ' ' || waitstart AS wait, EXTRACT(EPOCH FROM clock_timestamp() - waitstart)::float8 * 1000 AS ms
    FROM pg_locks WHERE NOT granted AND locktype = 'advisory' AND waitstart IS NOT NULL
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`;
  while (!signal.aborted) {
    for (const { wait, ms } of await db.any<{ wait: string; ms: number }>(waiting)) longest.set(wait, ms + LOOK);
    await delay(LOOK);
  }
  return [...longest.values()];
}

/** Cycles a minute of so many Node-REDs in all, and how long a recording waits for others. */
export async function lines({ say }: Setting): Promise<Figures> {
  const figures: Figures = {};
  for (const count of NODE_REDS) {
    const queue = await ownQueue([]);
    const all: Line[] = [];
    try {
      for (let n = 1; n <= count; n += 1) all.push(await startLine(queue, `PLC${String(n).padStart(2, '0')}`));
      for (let warmUp = 0; warmUp < 3; warmUp += 1) await Promise.all(all.map((line) => line.cycle()));
      const end = new AbortController();
      const watching = waits(queue, end.signal);
      const began = performance.now();
      let cycles = 0;
      await Promise.all(
        all.map(async (line) => {
          for (; performance.now() - began < MEASURED; cycles += 1) await line.cycle();
        }),
      );
      const minutes = (performance.now() - began) / 60_000;
      end.abort();
      const seen = await watching;
      // A recording that nobody saw waiting did not wait.
      const each = [...seen, ...Array.from({ length: Math.max(0, cycles - seen.length) }, () => 0)];
      figures[`lines${count}_cycles_per_minute`] = cycles / minutes;
      figures[`lines${count}_lock_wait_ms`] = median(each);
      say(
        `${count} Node-REDs: ${cycles} cycles, ${seen.length} waits seen, longest ${Math.max(0, ...seen).toFixed(0)} ms`,
      );
    } finally {
      for (const line of all) await line.stop();
      await queue.drop();
    }
  }
  return figures;
}
