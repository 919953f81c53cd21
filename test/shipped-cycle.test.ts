/** Edges of the shipped cycle on a Node-RED of its own: every task runs when its button is pressed, the clock is the database's. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, afterEach, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { demoFlow, IDS } from '../examples/plant/demo-flow';
import type { FlowNode } from '../examples/plant/node-red-host';
import { DATA_BLOCK } from '../examples/plant/plant';
import { type NewOrder, type SimulatedOdoo, startSimulatedOdoo } from '../examples/plant/odoo/simulated-odoo';
import { blankSlot, blockSize, S7_BATCH_RECORD, writeSlot } from '../examples/plant/plc/batch-memory';
import { type S7Server, startS7Server } from '../examples/plant/plc/s7-server';
import { queryOnce, type TestDatabase, testDatabase } from './support/cluster';
import { type Credentials, type LiveNodeRed, startLiveNodeRed } from './support/live-node-red';
import { timePasses } from './support/time';

const [X, Y] = ['WH/MO/00001', 'WH/MO/00002'];
const RECIPE: NewOrder = {
  ...{ quantity: 100, bomQty: 100, components: [{ code: 'silo101', product: 'Pollard', quantity: 100 }] },
  policy: 'flexible',
};
const { fetch: TASK_1, push: TASK_2, archive: TASK_3 } = IDS.timers;
/** Logs what the question for held orders came to. */
const WATCH: FlowNode[] = [
  { id: 'watch', type: 'status', z: 'mo-cycle', scope: ['mo-t2-held'], x: 100, y: 1400, wires: [['watched']] },
  {
    ...{ id: 'watched', type: 'debug', z: 'mo-cycle', name: 'asked', active: true, tosidebar: false, console: true },
    ...{ complete: 'status.text', targetType: 'msg', x: 300, y: 1400, wires: [] },
  },
];

let red: LiveNodeRed;
let odoo: SimulatedOdoo;
let plc: S7Server;
let db: TestDatabase;
let flow: FlowNode[];
let credentials: Credentials;

before(async () => {
  red = await startLiveNodeRed();
});
after(() => red?.host.stop());

beforeEach(async () => {
  [odoo, plc, db] = await Promise.all([
    startSimulatedOdoo(),
    startS7Server({ dbs: { [DATA_BLOCK]: blockSize(S7_BATCH_RECORD, 10) } }),
    testDatabase(),
  ]);
  const demo = demoFlow({ plc, odoo });
  const server = { mode: 'server', host: db.host, serverPort: String(db.port), database: db.database };
  const changes: Record<string, object> = {
    [IDS.database]: server,
    'mo-errors': { console: true },
    ...Object.fromEntries([TASK_1, TASK_2, TASK_3].map((id) => [id, { repeat: '', once: false }])),
  };
  flow = [...demo.flow.map((node) => ({ ...node, ...changes[node.id] })), ...WATCH];
  credentials = { ...demo.credentials, [IDS.database]: { user: db.user, password: db.password } };
  await red.deploy(flow, credentials);
  await shows('the tables', `SELECT to_regclass('mo_closings') IS NOT NULL`);
});
afterEach(async () => {
  await red.deploy([{ id: 'empty', type: 'tab', label: 'empty' }]);
  await Promise.all([odoo.stop(), plc.stop()]);
  await db.drop();
});

const sql = <T extends object>(text: string): Promise<T[]> => queryOnce<T>(db, text);

/** Looks again until it is so; what happens in another process has no event here. */
async function until(what: string, look: () => boolean | Promise<boolean>): Promise<void> {
  const patience = performance.now() + 30_000;
  while (!(await look())) {
    if (performance.now() > patience)
      throw new Error(`${what} did not happen; Node-RED said:\n${red.lines().slice(-40).join('\n')}`);
    await delay(50);
  }
}
const shows = (what: string, text: string): Promise<void> =>
  until(what, async () => (await sql<{ so: boolean }>(`SELECT coalesce((${text}), false) AS so`))[0]?.so === true);

/** What slot 1 shows: an order that runs, and kg from silo_a. */
const weigh = (mo_id: string, silo_a: number, more: object = {}): void =>
  writeSlot(plc.memory(DATA_BLOCK), S7_BATCH_RECORD, 1, {
    ...{ mo_id, status_operation: true, consumption: { silo_a } },
    ...more,
  });

/** Task 2, until the PLC was read and what it said is saved. */
async function read(): Promise<void> {
  const [was] = await sql<{ at: string | null }>('SELECT max(last_read_at)::text AS at FROM mo_lines');
  for (;;) {
    await red.press(TASK_2);
    const before = was?.at ? `'${was.at}'` : `'-infinity'`;
    const read = `SELECT max(last_read_at) > ${before} FROM mo_lines`;
    // A first trigger may find the PLC not connected yet.
    const done = await Promise.race([shows('a read', read).then(() => true), delay(2_000).then(() => false)]);
    if (done) return;
  }
}

/** An order is queued by Task 1 and weighed up to 50 kg, which Odoo has confirmed. */
async function running(mo_id: string): Promise<void> {
  odoo.createOrder({ ...RECIPE, name: mo_id });
  await red.press(TASK_1);
  await shows('queueing', `SELECT count(*) = 1 FROM mo_batch`);
  weigh(mo_id, 50);
  await read();
  await shows('the push', `SELECT update_odoo FROM mo_batch WHERE mo_id = '${mo_id}' AND revision > 0`);
}

/** An hour and more without a new value, in which the slot goes on showing the order. */
async function stillShown(): Promise<void> {
  await sql(timePasses(61));
  await sql(`UPDATE mo_events SET at = at - interval '61 minutes'`);
  await read();
}

test('an order that runs here and was cancelled in Odoo leaves the gate within one Task 1, although its slot shows it', async () => {
  await running(X);
  odoo.cancel(X);
  odoo.createOrder({ ...RECIPE, name: Y });
  await stillShown();
  await red.press(TASK_1);
  await shows('setting aside', `SELECT odoo_cancelled AND set_aside_at IS NOT NULL FROM mo_batch WHERE mo_id = '${X}'`);
  await shows('the next order', `SELECT true FROM mo_batch WHERE mo_id = '${Y}'`);
});

test('an order that was closed in Odoo by hand with equal figures is archived once its slot is free, not before', async () => {
  await running(X);
  odoo.markDoneByHand(X);
  await stillShown();
  await red.press(TASK_1);
  await shows('noticing', `SELECT done_readback->>'state' = 'done' FROM mo_batch WHERE mo_id = '${X}'`);
  await red.press(TASK_3);
  await read();
  assert.deepEqual(await sql('SELECT mo_id FROM mo_histories'), []);
  blankSlot(plc.memory(DATA_BLOCK), S7_BATCH_RECORD, 1);
  await sql(timePasses(11));
  await read();
  await red.press(TASK_3);
  await shows('archiving', `SELECT status = 'completed' FROM mo_histories WHERE mo_id = '${X}'`);
  assert.deepEqual(await sql('SELECT mo_id FROM mo_batch'), []);
});

test('a held order that Odoo refuses is not asked for in every cycle, over a restart too', async () => {
  odoo.createOrder({ ...RECIPE, name: X });
  odoo.cancel(X);
  weigh(X, 50);
  const refusals = (): number => red.lines(/order WH\/MO\/00001 is "cancel" in Odoo/).length;
  const silent = (): number => red.lines(/\b0 to ask for/).length;
  await read();
  await until('a refusal', () => refusals() > 0);
  const calls = odoo.calls.length;
  const told = refusals();

  for (const task of [TASK_2, TASK_2, TASK_1]) {
    const before = silent();
    await red.press(task);
    await until('the question', () => silent() > before);
  }
  assert.equal(refusals(), told);
  await red.deploy(flow, credentials);
  await read();
  await until('the question after the restart', () => silent() > 0);
  assert.equal(refusals(), 0);
  const again = odoo.calls.slice(calls).filter(({ route }) => /mo-detail|call_kw/.test(route));
  assert.deepEqual(again, [], 'but for the list of Task 1, Odoo was asked nothing');

  await sql(`UPDATE mo_held_readings SET asked_at = asked_at - interval '5 minutes'`);
  await red.press(TASK_2);
  await until('the next refusal', () => refusals() > 0);
});
