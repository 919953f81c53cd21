/** Deploys of every kind while the shipped cycle runs: nothing hangs, nothing is left behind, nothing is lost in silence. */
import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { after, before, test } from 'node:test';
import { account } from '../examples/plant/account';
import { demoFlow, IDS } from '../examples/plant/demo-flow';
import { type FlowNode, freePort } from '../examples/plant/node-red-host';
import { startPlant, type Plant } from '../examples/plant/plant';
import pgPromise from 'pg-promise';
import { startLiveNodeRed, type Credentials, type Deployment, type LiveNodeRed } from './support/live-node-red';

const pgp = pgPromise();

/** Answers with the names of what keeps the process alive (process.getActiveResourcesInfo). */
const RESOURCES: FlowNode[] = [
  { id: 'res', type: 'tab', label: 'resources' },
  { id: 'res-in', type: 'http in', z: 'res', url: '/resources-in-use', method: 'get', wires: [['res-f']] },
  {
    ...{ id: 'res-f', type: 'function', z: 'res', outputs: 1, libs: [{ var: 'process', module: 'process' }] },
    ...{ func: 'msg.payload = process.getActiveResourcesInfo(); return msg;', wires: [['res-out']] },
  },
  { id: 'res-out', type: 'http response', z: 'res', wires: [] },
];

/** The debug nodes behind the catch nodes of the shipped flow. */
const ERRORS = ['mo-errors', 'mo-t2-failed'];

let plant: Plant;
let red: LiveNodeRed;
let flow: FlowNode[];

before(async () => {
  plant = await startPlant({ endless: true, weighMs: 4_000, keepMs: 20_000, tickMs: 200 });
  red = await startLiveNodeRed();
  const demo = demoFlow(plant, { fetch: 3, push: 1, archive: 2 });
  // What the flow's catch nodes take is in the log too.
  const shown = Object.fromEntries(ERRORS.map((id) => [id, { console: true }]));
  // A port of its own: the first free one could be another test's between a stop and a start.
  const port = await freePort();
  const changes: Record<string, object> = { ...shown, [IDS.odoo]: { timeout: 3 }, [IDS.database]: { port } };
  const told = demo.flow.map((node) => ({ ...node, ...changes[node.id] }));
  flow = [...told, ...RESOURCES];
  await deploy({}, 'full', demo.credentials);
  await red.sees(/\[odoo-push-consumption:push to Odoo\] consumption of MO .* confirmed/);
});

after(async () => {
  await red?.host.stop();
  await plant?.stop();
  pgp.end();
});

/** Deploys the flow with some nodes changed, or left out (null); no node may fail to stop, nor Node-RED fall over. */
async function deploy(
  changes: Record<string, object | null>,
  type: Deployment,
  credentials: Credentials = {},
): Promise<void> {
  const changed = flow.filter(({ id }) => changes[id] !== null).map((node) => ({ ...node, ...changes[node.id] }));
  await red.deploy(changed, credentials, type);
  assert.deepEqual(red.lines(/Error stopping node|Close timed out|uncaught|unhandled/i), []);
}

/** What is held open in the end, once the nodes have settled: by kind, without timers that come and go. */
async function resources(): Promise<Record<string, number>> {
  const answer = await fetch(`${red.host.url}/resources-in-use`);
  const kinds = (await answer.json()) as string[];
  const counts: Record<string, number> = {};
  for (const kind of kinds) if (/Socket|Server|Process|Pipe|FSEvent/.test(kind)) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}

const CYCLE_GOES_ON = /consumption of MO .* confirmed|confirmed and done in Odoo/;
const database = (): ReturnType<LiveNodeRed['host']['database']> => red.host.database(IDS.database);

test('full, modified-flows and modified-nodes deploys leave no socket, process or connection behind', async () => {
  const { port } = await database();
  const atFirst = await resources();
  for (let n = 0; n < 3; n += 1) {
    await deploy({}, 'full');
    await red.sees(CYCLE_GOES_ON);
    await deploy({ 'mo-cycle': { info: `changed ${n}` }, 'mo-t2-push': { name: `push ${n}` } }, 'flows');
    await red.sees(CYCLE_GOES_ON);
    await deploy({ 'mo-odoo': { parallel: 1 + (n % 2) }, 'mo-plc': { cycletime: '0', name: `PLC ${n}` } }, 'nodes');
    await red.sees(CYCLE_GOES_ON);
  }
  const address = await database();
  assert.equal(address.port, port);
  const db = pgp(address);
  const { pools } = await db.one<{ pools: number }>(
    `SELECT count(*)::int AS pools FROM pg_stat_activity WHERE application_name = 'mo-bridge'`,
  );
  await db.$pool.end();
  // One pool of 6 at most, and the connection that owns the data directory.
  assert.ok(pools <= 7, `${pools} connections`);
  const atLast = await resources();
  // A push or two may be under way at either look; nine deploys would leave far more.
  for (const [kind, count] of Object.entries(atLast)) {
    assert.ok(count <= (atFirst[kind] ?? 0) + 4, `${kind}: ${atFirst[kind] ?? 0} at first, ${count} at last`);
  }
});

test(
  'a deploy in the middle of a call to Odoo ends the call, and the order is confirmed by a later run',
  { timeout: 60_000 },
  async () => {
    plant.odoo.setFault({ kind: 'hang', route: /update-with-consumptions/ });
    const before = plant.odoo.calls.length;
    const hanging = (): string | null | undefined =>
      plant.odoo.calls.slice(before).find(({ route }) => /update-with/.test(route))?.mo_id;
    while (!hanging()) await delay(50);
    await deploy({}, 'full');
    plant.odoo.clearFaults();
    // Its lease ends by the database's clock, at the latest; then the same is sent again.
    await red.sees(new RegExp(`MO ${hanging()} confirmed|of MO ${hanging()} confirmed`));
  },
);

test('a disabled node stops its own work only, and goes on when it is enabled', async () => {
  await deploy({ 'mo-t2-push': { d: true } }, 'nodes');
  await red.press(IDS.timers.push);
  await red.press(IDS.timers.archive);
  await red.sees(/confirmed and done in Odoo/);
  await deploy({}, 'nodes');
});

for (const { id, property, what, message } of [
  { id: IDS.database, property: 'database', what: 'database', message: /no Database chosen \(or it is disabled\)/ },
  { id: IDS.plc, property: 'endpoint', what: 's7 endpoint', message: /no PLC chosen \(or it is disabled\)/ },
]) {
  test(`a ${what} deleted while nodes use it: they say so, and go on when it is back`, async () => {
    // As the editor does it: whoever used it has nothing chosen any more.
    const users = flow.filter((node) => node[property] === id);
    await deploy({ [id]: null, ...Object.fromEntries(users.map((node) => [node.id, { [property]: '' }])) }, 'nodes');
    await red.sees(message);
    await deploy({}, 'nodes');
    await red.sees(CYCLE_GOES_ON);
  });
}

test(
  'after all of it every order that was begun is archived, and the kilograms agree',
  { timeout: 120_000 },
  async () => {
    plant.stopOrders();
    const db = pgp(await database());
    try {
      for (;;) {
        // What failed waits out its pause; a person presses "retry now" instead.
        await red.press('mo-retry');
        await delay(500);
        const { archived, differences } = await account(db, plant);
        if (archived < plant.begun().length) continue;
        assert.deepEqual(differences, []);
        break;
      }
    } finally {
      await db.$pool.end();
    }
  },
);
