/** The parts of the bench that need no flow at work, and what Node-RED needs; each in processes and databases of its own. */
import { SILO_TAGS } from '../../nodes/lib/domain/silos';
import { shippedTask2 } from './flows';
import { startBenchHost, startTime } from './host';
import { interleaved, median } from './measure';
import { ownQueue, readings } from './queue';
import { type Figures, growing, list, medians, runs, type Setting, SLOTS } from './setting';

const MEMORY = { slots: 10, early: 1000, late: 5000 };

/** Recording 30 readings against 30 single UPDATEs of the same table, with the same triggers. */
export async function record({ say }: Setting): Promise<Figures> {
  const orders = Array.from({ length: SLOTS }, (_, n) => `WH/MO/${n + 1}`);
  const queue = await ownQueue(orders);
  const kg = growing();
  const single = `UPDATE mo_batch SET ${SILO_TAGS.map((tag, index) => `actual_consumption_${tag} = $<kg> + ${index / 4}`).join(', ')},
    status_operation = true, last_read_from_plc = now() WHERE mo_id = $<mo_id>`;
  const result = await interleaved(
    {
      record: () => queue.store.record(readings(orders, kg())),
      single: async () => {
        const weight = kg();
        for (const mo_id of orders) await queue.db.none(single, { mo_id, kg: weight });
      },
    },
    { rounds: 25, warmUps: 5 },
  );
  say(`30 readings: ${medians(result.times)}`);
  await queue.drop();
  return { record30_vs_single: result.ratio('single', 'record') };
}

/** What Node-RED needs with the package at work, above what it needs without it. One of ten slots changes in a cycle. */
export async function memory({ plant, say }: Setting): Promise<Figures> {
  const without: number[] = [];
  for (let round = 0; round < 5; round += 1) {
    const host = await startBenchHost(undefined, false);
    without.push((await host.memory()).rss);
    await host.stop();
  }
  const { url: odooUrl, orders } = await plant.call('odoo', { orders: MEMORY.slots, latencyMs: 0 });
  const plcPort = await plant.call('plc', { slots: MEMORY.slots, pduSize: 480 });
  const queue = await ownQueue(orders);
  const host = await startBenchHost(
    shippedTask2({ name: 'cycle', database: queue.address, odooUrl, plcPort }, { slots: MEMORY.slots }),
  );
  const kg = growing();
  try {
    await plant.call('weigh', { orders, kg: kg() });
    await runs(host, 'cycle', MEMORY.slots);
    const cycles = async (count: number): Promise<void> => {
      for (let n = 0; n < count; n += 1) {
        await plant.call('weigh', { orders: orders.slice(0, 1), kg: kg() });
        await runs(host, 'cycle', 1);
      }
    };
    await cycles(MEMORY.early);
    const early = await host.memory();
    await cycles(MEMORY.late - MEMORY.early);
    const late = await host.memory();
    say(
      `memory without ${list(without)}, after ${MEMORY.early} cycles ${list([early.rss, early.live])}, ${MEMORY.late} ${list([late.rss, late.live])} MB (RSS, live)`,
    );
    return {
      memory_mb: early.rss - median(without),
      memory_growth_mb: late.live - early.live,
      memory_growth_rss_mb: late.rss - early.rss,
    };
  } finally {
    await host.stop();
    await queue.drop();
  }
}

/** Until the flows of an empty Node-RED run. */
export async function start({ say }: Setting): Promise<Figures> {
  const [without, withPackage]: [number[], number[]] = [[], []];
  for (let round = -1; round < 7; round += 1) {
    for (const loaded of round % 2 === 0 ? [false, true] : [true, false]) {
      const ms = await startTime(loaded);
      if (round >= 0) (loaded ? withPackage : without).push(ms);
    }
  }
  say(`start without: ${list(without)} ms; with: ${list(withPackage)} ms`);
  return { start_ms: median(withPackage) - median(without) };
}
