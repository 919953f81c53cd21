/**
 * `npm run soak -- --kills N --seed S [--odoo V] [--orders-down] [--json]`: Node-RED with the shipped flow against a simulated plant in a process of its own.
 * At random moments Node-RED is killed (every third time the embedded PostgreSQL with it), connections to Odoo and PLC are
 * cut, closings meet, operators mistype and rows are held locked; at the end the plant is let run out, a person decides
 * what is shown, and every order has to be accounted for. `--odoo` names the simulated Odoo: `addon`, or 14 to 19. With
 * `--orders-down` nobody types: orders are handed over to the PLC, and the connection is cut at each telegram of that in turn.
 */
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import pgPromise from 'pg-promise';
import { demoFlow, IDS } from '../../examples/plant/demo-flow';
import { WHICH, whichOdoo } from '../../examples/plant/odoo/which';
import { type NodeRedHost, startNodeRed } from '../../examples/plant/node-red-host';
import { seededRandom } from '../../examples/plant/plc/random';
import type { Plant, PlantOptions } from '../../examples/plant/plant';
import { Person, personFlow, personOfOrders } from './person';
import { type PlantProcess, plantProcess } from './plant-client';
import { type Life, planLives } from './troubles';
import { ordersDownOf, QUEUED, type OrderTrouble, withOrders } from './orders';
import { judge, judgeHanded, type Verdict } from './verdict';

const { values: options } = parseArgs({
  options: {
    kills: { type: 'string', default: '200' },
    seed: { type: 'string', default: '1' },
    odoo: { type: 'string', default: 'addon' },
    'orders-down': { type: 'boolean', default: false },
    json: { type: 'boolean' },
  },
});
const kills = Number(options.kills);
const seed = Number(options.seed);

/** A completed slot is kept far longer than a kill and a restart take: without acknowledgement the PLC has to (ms). */
const PLANT: PlantOptions = { orders: 12, endless: true, weighMs: 4_000, keepMs: 150_000, tickMs: 200 };
const ordersDown = options['orders-down'] ? ordersDownOf(seed) : undefined;
const TIMERS = { fetch: 2, push: 1, archive: 2, ...(ordersDown && { orders: 1 }) };
/** How long a life waits for an order to be handed over: what a killed Node-RED left is another's after this (ms). */
const NEXT_ORDER = 15_000;
const SHORTLY = 2_000;
/** How long Node-RED may take to have its database (ms). */
const LONGEST_START = 60_000;
/** How long the plant may take to run out (ms). */
const PATIENCE = 300_000;

const say = (line: string): void => void process.stderr.write(`${line}\n`);

/** What an SQL session says when its server was killed, or is not up yet. */
const GONE =
  /ECONNREFUSED|ECONNRESET|terminat|has no connection yet|starting up|shutting down|fetch failed|(relation|column) .* does not exist/;

/** An SQL session of the soak, which ends with its work; none while the database is away. */
async function withSession(
  host: NodeRedHost,
  pgp: pgPromise.IMain,
  work: (db: pgPromise.IDatabase<object>) => Promise<unknown>,
): Promise<void> {
  let db: pgPromise.IDatabase<object> | undefined;
  try {
    db = pgp({ ...(await host.database(IDS.database)), max: 1 });
    await work(db);
  } catch (error) {
    // Whatever a session says whose server was killed with Node-RED.
    if (host.child.signalCode === null && !GONE.test(String(error))) throw error;
  } finally {
    await db?.$pool.end();
  }
}

/** Somebody looks at a few rows in an SQL tool, with a transaction that stays open. */
const holdRows = (db: pgPromise.IDatabase<object>, ms: number): Promise<unknown> =>
  db.tx(async (tx) => {
    await tx.any('SELECT id FROM mo_batch ORDER BY random() LIMIT 3 FOR UPDATE');
    await delay(ms);
  });

/** An operator types another number over a batch that is stored as completed. */
async function typeOver(db: pgPromise.IDatabase<object>, plant: PlantProcess, ms: number): Promise<void> {
  const orders = await db.map(
    `SELECT mo_id FROM mo_batch WHERE status_manufacturing UNION SELECT mo_id FROM mo_histories WHERE status = 'completed'`,
    [],
    ({ mo_id }: { mo_id: string }) => mo_id,
  );
  await plant.call('typeOver', { orders, ms });
}

/** Waits until Node-RED has its database: after a kill that takes longer where others use the processor. */
async function connection(host: NodeRedHost): Promise<void> {
  for (const end = performance.now() + LONGEST_START; performance.now() < end; await delay(200)) {
    const found = await host.database(IDS.database).catch(() => undefined);
    if (found) return;
  }
  throw new Error('Node-RED has had no database for a minute');
}

/** Cuts the connection at the next hand-over. Mishaps at the PLC come before, so that they can befall that one. */
async function troubleOrders({ cut, mishap }: OrderTrouble, plant: PlantProcess): Promise<void> {
  if (mishap) await plant.call('orderMishap', mishap);
  // Nothing is handed over to a PLC that takes nothing.
  await plant.call('cutOrder', { ...cut, patienceMs: mishap === 'never' ? SHORTLY : NEXT_ORDER });
}

/** One life of Node-RED, from its start to its kill. */
async function live(life: Life, host: NodeRedHost, plant: PlantProcess, pgp: pgPromise.IMain): Promise<void> {
  const { after, trouble, mishap, mishapMs, lockMs } = life;
  if (life.connected) await connection(host);
  if (life.orders && life.connected) await lookAtOrders(host, plant, pgp);
  if (mishap && mishap !== 'typed-over') await plant.call('millTrouble', { kind: mishap, ms: mishapMs });
  await delay(after / 2);
  // Before the connection suffers otherwise: without one nothing is handed over.
  if (life.orders && life.connected) await troubleOrders(life.orders, plant);
  if (trouble) await plant.call(trouble.command, trouble.argument);
  if (mishap === 'typed-over') await withSession(host, pgp, (db) => typeOver(db, plant, mishapMs));
  const locked = lockMs > 0 ? withSession(host, pgp, (db) => holdRows(db, lockMs)) : undefined;
  if (life.orders?.cut.silent && life.connected) await kill(host);
  else {
    await delay(after / 2);
    await plant.call('settleEmptied');
    await kill(host);
  }
  if (life.database) killDatabase(host.userDir);
  await locked;
  await plant.call('heal');
}

/** Somebody looks at the orders that only a person can tell about: a line whose queue stands still gets no new ones. */
const lookAtOrders = (host: NodeRedHost, plant: PlantProcess, pgp: pgPromise.IMain): Promise<void> =>
  withSession(host, pgp, async (db) => {
    const taken = (await plant.call('handed')).map(({ mo_id }) => mo_id);
    await new Person(host, (mo_id) => plant.call('weighed', mo_id), say).decideOrders(db, new Set(taken));
  });

async function kill(host: NodeRedHost): Promise<void> {
  const dead = once(host.child, 'exit');
  host.child.kill('SIGKILL');
  await dead;
}

async function main(): Promise<number> {
  const began = performance.now();
  const userDir = mkdtempSync(join(tmpdir(), 'mo-bridge-soak-'));
  chmodSync(userDir, 0o755);
  const plant = plantProcess();
  const pgp = pgPromise();
  let host: NodeRedHost | undefined;
  const log: string[] = [];
  try {
    const which = whichOdoo(options.odoo);
    if (!which) throw new Error(`--odoo takes one of ${WHICH.join(', ')}`);
    const { plcPort, odoo } = await plant.call('start', {
      ...{ ...PLANT, which, seed },
      ...(ordersDown && { ordersDown, acknowledge: true, weighMs: 2_000, orders: QUEUED }),
    });
    const remote = { plc: { port: plcPort }, odoo } as Pick<Plant, 'plc' | 'odoo'>;
    const demo = demoFlow(remote, TIMERS);
    const shipped = ordersDown ? withOrders(demo.flow, ordersDown) : demo.flow;
    const flow = [...shipped, ...personFlow(), ...(ordersDown ? personOfOrders(shipped) : [])];
    const start = (): Promise<NodeRedHost> =>
      startNodeRed({
        ...{ ...demo, flow },
        userDir,
        onLine: (line) => void (log.push(line), log.length > 400 && log.shift()),
      });
    for (const [n, life] of planLives(
      kills,
      seededRandom(seed),
      odoo.login.interface,
      ordersDown !== undefined,
    ).entries()) {
      host = await start();
      await live(life, host, plant, pgp);
      if ((n + 1) % 10 === 0) say(`${n + 1} kills, ${(await plant.call('begun')).length} orders begun`);
    }
    host = await start();
    await connection(host);
    await plant.call('runOut');
    const { verdict, asked } = await settle(plant, host, pgp);
    if (Object.values(verdict).some((value) => Array.isArray(value) && value.length > 0)) {
      say(JSON.stringify(verdict, null, 1));
      await withSession(host, pgp, async (db) => say(await evidence(db, JSON.stringify(verdict))));
      say(JSON.stringify(await plant.call('mishaps')));
    }
    const { orders, ...findings } = verdict;
    const counts = Object.fromEntries(Object.entries(findings).map(([kind, list]) => [kind, list.length]));
    const mishaps = (await plant.call('mishaps')).length;
    const seconds = Math.round((performance.now() - began) / 1000);
    const cuts = ordersDown && { cuts: await plant.call('cuts') };
    const result = { kills, orders, ...counts, mishaps, ...cuts, asked, seconds };
    if (options.json) process.stdout.write(`${JSON.stringify(result)}\n`);
    else say(JSON.stringify(result));
    return Object.values(counts).every((count) => count === 0) && orders > 0 ? 0 : 1;
  } catch (error) {
    say(log.slice(-100).join('\n'));
    throw error;
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

/** Everything that the database knows of the orders that a verdict names. */
async function evidence(db: pgPromise.IDatabase<object>, verdict: string): Promise<string> {
  const named = [...new Set(verdict.match(/[\w/]+\/MO\/\d+/g))];
  const of = (table: string, order: string): Promise<unknown[]> =>
    db.any(`SELECT to_jsonb(t) AS t FROM ${table} t WHERE mo_id = ANY($1) ORDER BY mo_id, ${order}`, [named]);
  const tables = { mo_batch: 'id', mo_histories: 'id', mo_held_readings: 'reason', mo_discarded_readings: 'slot' };
  const found = await Promise.all(
    Object.entries({ ...tables, mo_events: 'id' }).map(async ([table, order]) =>
      (await of(table, order)).map((row) => `${table} ${JSON.stringify(row)}`),
    ),
  );
  return found.flat().join('\n');
}

interface Queued {
  mo_id: string;
  set_aside_reason: string | null;
}

/** Waits until the queue is empty and nobody is asked any more, then compares both sides. */
async function settle(
  plant: PlantProcess,
  host: NodeRedHost,
  pgp: pgPromise.IMain,
): Promise<{ verdict: Verdict & Partial<ReturnType<typeof judgeHanded>>; asked: number }> {
  const patience = performance.now() + PATIENCE;
  const person = new Person(host, (mo_id) => plant.call('weighed', mo_id), say);
  let db: pgPromise.IDatabase<object> | undefined;
  let queue: Queued[] = [];
  let held: string[] = [];
  let open: string[] = [];
  while (performance.now() < patience) {
    await delay(1_000);
    const cancelled = new Set(await plant.call('cancelled'));
    try {
      db ??= pgp(await host.database(IDS.database));
      const emptied = (await plant.call('mishaps')).filter(({ kind }) => kind === 'emptied');
      await person.decide(new Set(emptied.map(({ mo_id }) => mo_id)), cancelled);
      if (ordersDown) {
        const taken = (await plant.call('handed')).map(({ mo_id }) => mo_id);
        await person.decideOrders(db, new Set(taken));
      }
      queue = await db.any<Queued>('SELECT mo_id, set_aside_reason FROM mo_batch');
      held = await db.map('SELECT mo_id FROM mo_held_readings', [], ({ mo_id }: { mo_id: string }) => mo_id);
    } catch (error) {
      say(`waiting: ${(error as Error).message.split('\n', 1)[0]}`);
      continue;
    }
    const begun = new Set(await plant.call('begun'));
    const fates = await plant.call('fates');
    // Orders that nobody began stay queued: the operator has gone home. The PLC takes them to the last.
    if (ordersDown) open = await plant.call('open');
    else queue = queue.filter(({ mo_id }) => begun.has(mo_id));
    const archived = new Set(await db.map('SELECT mo_id FROM mo_histories', [], ({ mo_id }: Queued) => mo_id));
    const made = [...begun].every((mo_id) => archived.has(mo_id) || cancelled.has(mo_id)) && open.length === 0;
    if (queue.length === 0 && held.length === 0 && fates.length === begun.size && made) break;
    for (const { mo_id, set_aside_reason } of queue) if (!set_aside_reason) await person.retry(mo_id);
  }
  if (!db) throw new Error('the database never came back');
  const history = await db.any<{ mo_id: string; n: number }>(
    `SELECT mo_id, count(*)::int AS n FROM mo_histories WHERE status = 'completed' GROUP BY mo_id`,
  );
  const left = [
    ...new Set([...queue.map(({ mo_id }) => mo_id), ...open]),
    ...held.map((mo_id) => `${mo_id}: a reading of it is held`),
  ];
  const fates = [...(await plant.call('fates')), ...(await plant.call('strays'))];
  const verdict = judge(fates, history, [...left, ...person.needless]);
  const handed = ordersDown && judgeHanded(await plant.call('handed'), await plant.call('offeredAgain'));
  return { verdict: { ...verdict, ...handed }, asked: person.asked };
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    say(error instanceof Error ? (error.stack ?? error.message) : String(error));
    process.exit(1);
  },
);
