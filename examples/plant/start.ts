/**
 * `npm start`: the simulated plant, Node-RED with the shipped flow and the pages to open; orders are handed over to the
 * PLC, and nobody types. With `--until-archived N` it needs no person: it ends when N batches are in the history and the
 * account agrees for every order and silo. `--odoo` names the simulated Odoo: `addon` (14 with the SCADA addon), or the
 * version of a standard one, 14 to 19.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import pgPromise from 'pg-promise';
import { account, type Account } from './account';
import { demoFlow, IDS } from './demo-flow';
import { startNodeRed, type NodeRedHost } from './node-red-host';
import { WHICH, whichOdoo } from './odoo/which';
import { startPlant, type Plant, type PlantOptions } from './plant';
import { startWatched } from './watched';

/** For a person to watch, and for nobody to wait for. */
const WATCHED = { plant: { weighMs: 60_000, keepMs: 60_000 }, timers: { fetch: 30, push: 10, archive: 15, orders: 5 } };
const UNWATCHED = {
  plant: { weighMs: 6_000, keepMs: 15_000, tickMs: 200 },
  timers: { fetch: 4, push: 2, archive: 2, orders: 2 },
};
/** An unwatched run gives up after this (ms). */
const PATIENCE = 170_000;

const { values: options } = parseArgs({
  options: {
    'until-archived': { type: 'string' },
    json: { type: 'boolean' },
    port: { type: 'string' },
    odoo: { type: 'string', default: 'addon' },
  },
});
const which = whichOdoo(options.odoo);
if (!which) {
  process.stderr.write(`--odoo takes one of ${WHICH.join(', ')}\n`);
  process.exit(2);
}
const target = options['until-archived'] === undefined ? undefined : Number(options['until-archived']);
if (target !== undefined && (!Number.isInteger(target) || target < 1)) {
  process.stderr.write('--until-archived takes a whole number from 1\n');
  process.exit(2);
}

const say = (line: string): void => void process.stderr.write(`${line}\n`);

const plantOptions: PlantOptions = {
  ...{ which, orders: Math.max(12, target ?? 0) },
  ...{ ordersDown: {}, acknowledge: true },
};

async function watch(): Promise<number> {
  const watched = await startWatched({
    plant: { ...plantOptions, endless: true, ...WATCHED.plant },
    timers: WATCHED.timers,
    port: Number(options.port) || 1880,
    onLine: (line) => process.stdout.write(`${line}\n`),
  });
  const { page, nodeRed } = watched;
  const { url } = nodeRed.host;
  say(`
The plant, and buttons that pull things:  ${page.url}
The flow in Node-RED's editor:            ${url}
The operator's dashboard:                 ${url}/dashboard

Odoo is a simulated one (${options.odoo}), timers are shortened for the show. Ctrl-C ends it.
`);
  const signal = new Promise((resolve) => ['SIGINT', 'SIGTERM'].forEach((name) => process.once(name, resolve)));
  await Promise.race([signal, nodeRed.ended]);
  await watched.stop();
  return 0;
}

async function untilArchived(wanted: number, plant: Plant, host: NodeRedHost): Promise<Account | undefined> {
  const pgp = pgPromise();
  const began = performance.now();
  let db: pgPromise.IDatabase<object> | undefined;
  let shown = '';
  try {
    while (performance.now() - began < PATIENCE) {
      if (host.child.exitCode !== null) throw new Error(`Node-RED ended by itself (${host.child.exitCode})`);
      try {
        db ??= pgp(await host.database(IDS.database));
        const now = await account(db, plant);
        const line = `${now.queued} queued, ${now.pushed} pushed, ${now.archived} archived`;
        if (line !== shown) say((shown = line));
        if (now.archived >= wanted) return now;
      } catch (error) {
        // The database is still starting, or its tables are not there yet.
        const text = `waiting for the database: ${(error as Error).message.split('\n', 1)[0]}`;
        if (text !== shown) say((shown = text));
      }
      await delay(500);
    }
    return undefined;
  } finally {
    await db?.$pool.end();
  }
}

async function unwatched(wanted: number): Promise<number> {
  const began = performance.now();
  const plant = await startPlant({ ...plantOptions, ...UNWATCHED.plant });
  const log: string[] = [];
  let host: NodeRedHost | undefined;
  const stop = async (): Promise<void> => {
    await host?.stop();
    await plant.stop();
  };
  for (const name of ['SIGINT', 'SIGTERM'] as const)
    process.once(name, () => void stop().finally(() => process.exit(1)));
  try {
    host = await startNodeRed({
      ...demoFlow(plant, UNWATCHED.timers),
      port: Number(options.port) || 0,
      onLine: (line) => log.push(line),
    });
    const result = await untilArchived(wanted, plant, host);
    if (!result) {
      say(`gave up after ${PATIENCE / 1000} s; Node-RED's last words:\n${log.slice(-40).join('\n')}`);
      return 1;
    }
    const { differences, ...told } = result;
    const seconds = Math.round((performance.now() - began) / 100) / 10;
    for (const { mo_id, silo, kg } of differences)
      say(`${mo_id} ${silo}: read ${kg.read}, sent ${kg.sent}, confirmed ${kg.confirmed}`);
    if (options.json) process.stdout.write(`${JSON.stringify({ ...told, seconds })}\n`);
    else say(`${told.archived} archived, ${told.kg.confirmed} kg confirmed in ${seconds} s`);
    return differences.length === 0 ? 0 : 1;
  } finally {
    await stop();
  }
}

(target === undefined ? watch() : unwatched(target)).then(
  (code) => process.exit(code),
  (error: unknown) => {
    say(error instanceof Error ? (error.stack ?? error.message) : String(error));
    process.exit(1);
  },
);
