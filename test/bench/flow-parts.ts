/** The parts of the bench in which flows work: the shipped Task 2 against the one from stock nodes. */
import { type IncomingMessage, request } from 'node:http';
import { SILO_TAGS, SiloMap } from '../../nodes/lib/domain/silos';
import { PARALLEL, shippedTask2, stockTask2, together } from './flows';
import { startBenchHost } from './host';
import { interleaved, median, timed } from './measure';
import { fillHistory, ownQueue, readings, rowsWritten, stockQueue, weighStock } from './queue';
import { type Figures, growing, list, medians, profiled, runs, type Setting, SLOTS } from './setting';
import { startStatementCounter } from './statement-counter';

const HISTORY = 1_000_000;
const DRAIN = { orders: 1000, latencyMs: 50, rounds: 5 };

/** Task 2 cycles with Odoo at 0 ms: against the stock flow, with a long history, and what they cost the database. */
export async function cycle(setting: Setting): Promise<Figures> {
  const { plant, say } = setting;
  const counts = [1, 10, SLOTS, 64];
  const { url: odooUrl, orders } = await plant.call('odoo', { orders: 64, latencyMs: 0 });
  const plcPort = await plant.call('plc', { slots: 64, pduSize: 480 });
  const queued = orders.slice(0, SLOTS);
  const [empty, long, stock, counted] = [
    await ownQueue(queued),
    await ownQueue(queued),
    await stockQueue(queued),
    await ownQueue(orders),
  ];
  say(`writing ${HISTORY} rows of history`);
  await fillHistory(long, HISTORY);
  const counter = await startStatementCounter(counted.address);
  const place = (name: string, { address }: { address: typeof empty.address }) => ({
    name,
    database: address,
    odooUrl,
    plcPort,
  });
  const host = await startBenchHost(
    together(
      shippedTask2(place('empty', empty), { slots: SLOTS }),
      shippedTask2(place('long', long), { slots: SLOTS }),
      stockTask2(place('stock', stock)),
      ...counts.map((slots) =>
        shippedTask2(place(`counted${slots}`, { address: { ...counted.address, port: counter.port } }), { slots }),
      ),
    ),
  );
  const kg = growing();
  const figures: Figures = {};
  try {
    const result = await interleaved(
      {
        empty: () => runs(host, 'empty', SLOTS),
        long: () => runs(host, 'long', SLOTS),
        stock: () => runs(host, 'stock', SLOTS),
        bare: () => bareUpdates(odooUrl, queued, kg()),
      },
      { rounds: 15, warmUps: 3, before: () => plant.call('weigh', { orders: queued, kg: kg() }) },
    );
    say(`cycle of ${SLOTS}: ${medians(result.times)}`);
    await profiled(setting, host, 'cycle', async () => {
      for (let round = 0; round < 10; round += 1) {
        await plant.call('weigh', { orders: queued, kg: kg() });
        await runs(host, 'empty', SLOTS);
      }
    });
    figures['cycle_vs_stock'] = result.ratio('stock', 'empty');
    figures['cycle_vs_bare_http'] = result.ratio('empty', 'bare');
    figures['cycle_with_1m_history'] = result.ratio('long', 'empty');

    const statements = async (name: string, batches: number): Promise<number> => {
      const before = counter.statements();
      await runs(host, name, batches);
      return counter.statements() - before;
    };
    const perPush: number[] = [];
    for (const slots of counts) {
      await plant.call('weigh', { orders: orders.slice(0, slots), kg: kg() });
      const all = await statements(`counted${slots}`, slots);
      // Nothing is left to push: what remains is to read, record and list.
      const calls = await plant.call('calls');
      let idle = 0;
      const rows = await rowsWritten(counted, async () => (idle = await statements(`counted${slots}`, 0)));
      figures[`statements_${slots}`] = idle;
      perPush.push((all - idle) / slots);
      figures['idle_rows'] = Math.max(figures['idle_rows'] ?? 0, rows);
      figures['idle_odoo_calls'] = Math.max(figures['idle_odoo_calls'] ?? 0, (await plant.call('calls')) - calls);
    }
    figures['statements_per_push'] = Math.max(...perPush);
  } finally {
    await host.stop();
    await counter.stop();
    for (const queue of [empty, long, stock, counted]) await queue.drop();
  }
  return figures;
}

/** The updates of a drain by node:http alone, 8 at a time: what this machine and the simulated Odoo allow. */
async function bareUpdates(odooUrl: string, orders: readonly string[], kg: number): Promise<void> {
  const post = (route: string, params: object, cookie = ''): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => {
      const headers = { 'Content-Type': 'application/json', ...(cookie ? { Cookie: cookie } : {}) };
      request(`${odooUrl}${route}`, { method: 'POST', headers }, (answer) =>
        answer.resume().once('end', () => resolve(answer)),
      )
        .once('error', reject)
        .end(JSON.stringify({ jsonrpc: '2.0', method: 'call', params }));
    });
  const { headers } = await post('/api/scada/authenticate', { db: 'odoo14', login: 'scada', password: 'scada' });
  const silos = new SiloMap();
  const weights: Record<string, number> = {};
  SILO_TAGS.forEach((tag, index) => (weights[silos.byTag(tag)?.code ?? tag] = kg + index / 4));
  const waiting = orders.values();
  const work = async (): Promise<void> => {
    for (const mo_id of waiting)
      await post(
        '/api/scada/mo/update-with-consumptions',
        { mo_id, quantity: kg * 10, ...weights },
        headers['set-cookie']?.[0],
      );
  };
  await Promise.all(Array.from({ length: PARALLEL }, work));
}

/** 1,000 unconfirmed batches, Odoo at 50 ms a call. */
export async function drain(setting: Setting): Promise<Figures> {
  const { plant, say } = setting;
  const { url: odooUrl, orders } = await plant.call('odoo', DRAIN);
  const plcPort = await plant.call('plc', { slots: SLOTS, pduSize: 480 });
  const [own, stock] = [await ownQueue(orders), await stockQueue(orders)];
  const host = await startBenchHost(
    together(
      shippedTask2({ name: 'own', database: own.address, odooUrl, plcPort }, { slots: SLOTS, from: 'due' }),
      stockTask2({ name: 'stock', database: stock.address, odooUrl, plcPort }, { from: 'due' }),
    ),
  );
  const kg = growing();
  const [ideals, delays]: [number[], number[]] = [[], []];
  const ownDrain = async (): Promise<void> => {
    const calls = await plant.call('calls');
    await runs(host, 'own', orders.length);
    ideals.push((((await plant.call('calls')) - calls) * DRAIN.latencyMs) / PARALLEL);
  };
  const weigh = (): Promise<unknown> => own.store.record(readings(orders, kg()));
  try {
    const result = await interleaved(
      {
        package: async () => {
          await host.command('delay-start');
          await ownDrain();
          delays.push((await host.command<{ p99: number }>('delay-stop')).p99);
        },
        bare: () => bareUpdates(odooUrl, orders, kg()),
      },
      { rounds: DRAIN.rounds, warmUps: 0, before: weigh },
    );
    const { times } = result;
    say(`drain: package ${list(times.package)} ms, bare ${list(times.bare)} ms, ideal ${list(ideals)} ms`);
    // Once: it is 1,000 times the same, one after the other, and takes two minutes. A drain of the package on either side.
    await weighStock(stock, kg());
    say('drain with the stock flow: about two minutes');
    const stockTime = await timed(() => runs(host, 'stock', orders.length));
    await weigh();
    const after = await timed(ownDrain);
    say(`drain: stock flow ${list([stockTime])} ms, package after it ${list([after])} ms`);
    await weigh();
    await profiled(setting, host, 'drain', ownDrain);
    return {
      drain_vs_ideal: median(times.package.map((ms, round) => ms / (ideals[round] as number))),
      drain_vs_bare_http: result.ratio('package', 'bare'),
      drain_vs_stock: stockTime / median([...times.package.slice(-1), after]),
      loop_delay_p99_ms: median(delays),
    };
  } finally {
    await host.stop();
    for (const queue of [own, stock]) await queue.drop();
  }
}
