/**
 * `npm run soak -- --kills N --seed S [--json]`: Node-RED with the shipped flow against a simulated plant in a process of its own.
 * At random moments Node-RED is killed (every third time the embedded PostgreSQL with it), connections to Odoo and PLC are
 * cut, and everything is started again; at the end the plant is let run out, and every order has to be accounted for.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import pgPromise from 'pg-promise';
import { demoFlow, IDS } from '../../examples/plant/demo-flow';
import { type NodeRedHost, startNodeRed } from '../../examples/plant/node-red-host';
import { seededRandom } from '../../examples/plant/plc/random';
import type { Plant, PlantOptions } from '../../examples/plant/plant';
import type { Commands, OrderFate } from './plant-process';

const { values: options } = parseArgs({
  options: {
    kills: { type: 'string', default: '200' },
    seed: { type: 'string', default: '1' },
    json: { type: 'boolean' },
  },
});
const kills = Number(options.kills);
const seed = Number(options.seed);

/** A completed slot is kept far longer than a kill and a restart take: without acknowledgement the PLC has to (ms). */
const PLANT: PlantOptions = { orders: 12, endless: true, weighMs: 4_000, keepMs: 90_000, tickMs: 200 };
const TIMERS = { fetch: 2, push: 1, archive: 2 };
/** How long Node-RED lives between two kills (ms). */
const LIFE = { shortest: 2_500, longest: 6_000 };
/** How long the plant may take to run out (ms). */
const PATIENCE = 240_000;

const say = (line: string): void => void process.stderr.write(`${line}\n`);

/** The plant's process, as functions. */
function plantProcess(): {
  call<K extends keyof Commands>(command: K, argument?: unknown): Promise<Awaited<ReturnType<Commands[K]>>>;
  end(): void;
} {
  const child = fork(join(__dirname, 'plant-process.js'));
  const waiting = new Map<number, { resolve: (value: never) => void; reject: (error: Error) => void }>();
  child.on('message', ({ id, result, error }: { id: number; result: never; error?: string }) => {
    const call = waiting.get(id);
    waiting.delete(id);
    if (error) call?.reject(new Error(error));
    else call?.resolve(result);
  });
  let calls = 0;
  return {
    call: (command, argument) =>
      new Promise((resolve, reject) => {
        calls += 1;
        waiting.set(calls, { resolve, reject });
        child.send({ id: calls, command, argument });
      }),
    end: () => child.disconnect(),
  };
}

/** What one life of Node-RED suffers besides its end: a plan that the seed alone decides. */
const TROUBLES = [
  { command: 'odooFault', argument: { kind: 'cutBefore', count: 2 } },
  { command: 'odooFault', argument: { kind: 'cutAfter', count: 2 } },
  { command: 'odooFault', argument: { kind: 'commitLate', route: 'update-with-consumptions', count: 1, ms: 1500 } },
  { command: 'odooFault', argument: { kind: 'html502', count: 2 } },
  { command: 'odooFault', argument: { kind: 'expireSession', count: 1 } },
  { command: 'odooOutage', argument: 800 },
  { command: 'plcDrop', argument: undefined },
  { command: 'plcRefuse', argument: undefined },
  undefined,
] as const;

async function main(): Promise<number> {
  const began = performance.now();
  const random = seededRandom(seed);
  const plan = Array.from({ length: kills }, (_, n) => ({
    after: LIFE.shortest + random() * (LIFE.longest - LIFE.shortest),
    trouble: TROUBLES[Math.floor(random() * TROUBLES.length)],
    database: n % 3 === 2,
  }));
  const userDir = mkdtempSync(join(tmpdir(), 'mo-bridge-soak-'));
  chmodSync(userDir, 0o755);
  const plant = plantProcess();
  const pgp = pgPromise();
  let host: NodeRedHost | undefined;
  const log: string[] = [];
  try {
    const { plcPort, odooUrl } = await plant.call('start', { ...PLANT, seed });
    const remote = { plc: { port: plcPort }, odoo: { url: odooUrl } } as Pick<Plant, 'plc' | 'odoo'>;
    const start = (): Promise<NodeRedHost> =>
      startNodeRed({
        ...demoFlow(remote, TIMERS),
        userDir,
        onLine: (line) => void (log.push(line), log.length > 400 && log.shift()),
      });
    for (const [n, { after, trouble, database }] of plan.entries()) {
      host = await start();
      await delay(after / 2);
      if (trouble) await plant.call(trouble.command, trouble.argument);
      await delay(after / 2);
      const dead = once(host.child, 'exit');
      host.child.kill('SIGKILL');
      await dead;
      if (database) killDatabase(userDir);
      await plant.call('heal');
      if ((n + 1) % 10 === 0) say(`${n + 1} kills, ${(await plant.call('begun')).length} orders begun`);
    }
    await plant.call('runOut');
    host = await start();
    const verdict = await settle(plant, host, pgp);
    if (Object.values(verdict).some((value) => Array.isArray(value) && value.length > 0))
      say(JSON.stringify(verdict, null, 1) + log.slice(-60).join('\n'));
    const { orders, lost, doubled, stuck, kg_differs } = verdict;
    const counts = { lost: lost.length, doubled: doubled.length, stuck: stuck.length, kg_differs: kg_differs.length };
    const result = { kills, orders, ...counts, seconds: Math.round((performance.now() - began) / 1000) };
    if (options.json) process.stdout.write(`${JSON.stringify(result)}\n`);
    else say(JSON.stringify(result));
    return Object.values(counts).every((count) => count === 0) && orders > 0 ? 0 : 1;
  } finally {
    await host?.stop();
    killDatabase(userDir);
    plant.end();
    rmSync(userDir, { recursive: true, force: true });
  }
}

/** Kills the embedded PostgreSQL of a Node-RED that is dead, if it still runs. */
function killDatabase(userDir: string): void {
  const file = join(userDir, 'mo-bridge/postgresql/cluster/data/postmaster.pid');
  if (!existsSync(file)) return;
  const pid = Number.parseInt(readFileSync(file, 'utf8'), 10);
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    // It ended by itself meanwhile.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

interface Verdict {
  orders: number;
  lost: string[];
  doubled: string[];
  stuck: string[];
  kg_differs: string[];
}

/** Waits until the queue is empty (a person presses "retry now", pauses are long), then compares both sides. */
async function settle(
  plant: ReturnType<typeof plantProcess>,
  host: NodeRedHost,
  pgp: pgPromise.IMain,
): Promise<Verdict> {
  const patience = performance.now() + PATIENCE;
  let db: pgPromise.IDatabase<object> | undefined;
  let queue: { mo_id: string; set_aside_reason: string | null; revision: number }[] = [];
  const asides = new Set<string>();
  let fates: OrderFate[] = [];
  while (performance.now() < patience) {
    await delay(1_000);
    try {
      db ??= pgp(await host.database(IDS.database));
      queue = await db.any('SELECT mo_id, set_aside_reason, revision FROM mo_batch');
    } catch (error) {
      say(`waiting: ${(error as Error).message.split('\n', 1)[0]}`);
      continue;
    }
    for (const { mo_id, set_aside_reason } of queue) if (set_aside_reason) asides.add(`${mo_id}: ${set_aside_reason}`);
    fates = await plant.call('fates');
    const begun = new Set(await plant.call('begun'));
    // Orders that nobody began stay queued: the operator has gone home.
    queue = queue.filter(({ mo_id }) => begun.has(mo_id));
    const archived = await db.one<{ n: number }>('SELECT count(DISTINCT mo_id)::int AS n FROM mo_histories');
    if (queue.length === 0 && fates.length === begun.size && archived.n >= begun.size) break;
    await fetch(`${host.url}/inject/mo-retry`, { method: 'POST' }).catch(() => undefined);
  }
  if (!db) throw new Error('the database never came back');
  const history = await db.any<{ mo_id: string; n: number }>(
    'SELECT mo_id, count(*)::int AS n FROM mo_histories GROUP BY mo_id',
  );
  const times = new Map(history.map(({ mo_id, n }) => [mo_id, n]));
  const differs = ({ plc, odoo }: OrderFate): string =>
    Object.keys({ ...plc, ...odoo })
      .filter((tag) => (plc[tag] ?? 0) !== (odoo[tag] ?? 0))
      .map((tag) => `${tag} ${plc[tag] ?? 0}/${odoo[tag] ?? 0}`)
      .join(', ');
  return {
    orders: fates.length,
    lost: fates.filter(({ mo_id }) => !times.has(mo_id)).map(({ mo_id }) => mo_id),
    doubled: history.filter(({ n }) => n > 1).map(({ mo_id }) => mo_id),
    stuck: [
      ...queue.map(({ mo_id }) => mo_id),
      ...asides,
      ...fates.filter(({ state }) => state !== 'done').map(({ mo_id, state }) => `${mo_id} is ${state}`),
    ],
    kg_differs: fates.flatMap((fate) => (differs(fate) ? [`${fate.mo_id}: ${differs(fate)}`] : [])),
  };
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    say(error instanceof Error ? (error.stack ?? error.message) : String(error));
    process.exit(1);
  },
);
