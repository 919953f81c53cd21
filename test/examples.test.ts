/** Every example as an engineer runs it: imported into a Node-RED, pointed at the (simulated) plant, its buttons pressed. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { DATA_BLOCK } from '../examples/plant/plant';
import type { FlowNode } from '../examples/plant/node-red-host';
import { startSimulatedOdoo, type SimulatedOdoo } from '../examples/plant/odoo/simulated-odoo';
import { blockSize, S7_BATCH_RECORD, writeSlot } from '../examples/plant/plc/batch-memory';
import { startS7Server, type S7Server } from '../examples/plant/plc/s7-server';
import type { Connection } from '../nodes/lib/node-red/connections';
import type { ListedBatch } from '../nodes/lib/store/reports';
import { queryOnce, testDatabase, type TestDatabase } from './support/cluster';
import { openDashboard } from './support/dashboard';
import { startLiveNodeRed, type Credentials, type LiveNodeRed } from './support/live-node-red';

const LOGIN = { user: 'scada', password: 'scada' };
const load = (file: string): FlowNode[] => JSON.parse(readFileSync(`examples/${file}`, 'utf8')) as FlowNode[];

let red: LiveNodeRed;
let odoo: SimulatedOdoo;
let plcs: S7Server[];
let server: TestDatabase;

/** A PLC with one running batch. */
async function startPlc(mo_id: string): Promise<S7Server> {
  const plc = await startS7Server({ dbs: { [DATA_BLOCK]: blockSize(S7_BATCH_RECORD, 10) } });
  const record = { mo_id, status_operation: true, actual_weight_quantity_finished_goods: 1200 };
  writeSlot(plc.memory(DATA_BLOCK), S7_BATCH_RECORD, 1, { ...record, consumption: { silo_a: 825.5, silo_b: 600.3 } });
  return plc;
}

before(async () => {
  server = await testDatabase();
  // What example 07 takes from the environment of Node-RED.
  Object.assign(process.env, { MO_DB_HOST: server.host, MO_DB_PORT: String(server.port), MO_DB_NAME: server.database });
  Object.assign(process.env, { MO_DB_USER: server.user, MO_DB_PASSWORD: server.password });
  Object.assign(process.env, { PLC01_ADDRESS: '127.0.0.1', PLC02_ADDRESS: '127.0.0.1' });
  red = await startLiveNodeRed();
});

after(async () => {
  await red?.host.stop();
  await server?.drop();
});

/** Each example finds the same orders in Odoo and the same batches in the PLCs. */
beforeEach(async () => {
  odoo = await startSimulatedOdoo();
  for (const n of [1, 2, 3, 4])
    odoo.createOrder({ name: `WH/MO/0000${n}`, quantity: 2500, line: n % 2 === 1 ? 'PLC01' : 'PLC02' });
  plcs = [await startPlc('WH/MO/00001'), await startPlc('WH/MO/00002')];
});

afterEach(async () => {
  await red.deploy([{ id: 'empty', type: 'tab', label: 'empty' }]);
  await Promise.all([odoo.stop(), ...plcs.map((plc) => plc.stop())]);
});

/** An example at the plant: addresses and logins as its comment asks for, debug nodes that also write into the log. */
function atThePlant(
  file: string,
  environment: Record<string, string>,
  beside?: string,
): { flow: FlowNode[]; credentials: Credentials } {
  const credentials: Credentials = {};
  let plc = 0;
  const changes: Record<string, (node: FlowNode) => object> = {
    debug: () => ({ active: true, console: true }),
    tab: ({ env }) => ({
      env: (env as { name: string; value: string }[]).map((each) => ({
        ...each,
        value: environment[each.name] ?? each.value,
      })),
    }),
    'odoo-server': ({ id }) => {
      credentials[id] = LOGIN;
      return { url: odoo.url, database: 'odoo14' };
    },
    'mo-database': ({ id, mode }) => {
      if (mode === 'server') credentials[id] = { user: '${MO_DB_USER}', password: '${MO_DB_PASSWORD}' };
      // A queue of its own.
      return { directory: join(red.host.userDir, file) };
    },
    's7 endpoint': ({ address }) => {
      const { port } = plcs[plc++] as S7Server;
      return { address: String(address).startsWith('$') ? address : '127.0.0.1', port: String(port) };
    },
  };
  const flow = [...(beside ? load(beside) : []), ...load(file)];
  return { flow: flow.map((node) => ({ ...node, ...changes[node.type]?.(node) })), credentials };
}

const debugged = (name: string): RegExp => new RegExp(`\\[debug:${name}\\]`);
const order = (mo_id: string): Record<string, string> => ({ MO_ID: mo_id });

interface Try {
  /** The example that has to be imported first. */
  beside?: string;
  /** Environment variables of the tab. */
  environment?: Record<string, string>;
  run: () => Promise<void>;
  /** The errors that may be logged on the way. */
  errors?: RegExp;
}

const EXAMPLES: Record<string, Try> = {
  '01-fetch-orders.json': {
    environment: order('WH/MO/00002'),
    run: async () => {
      await red.press('ex1-now');
      await red.sees(debugged('orders'));
      await red.press('ex1-named');
      await red.sees(debugged('order'));
    },
  },
  '02-read-one-slot.json': {
    run: async () => {
      await red.press('ex2-now');
      // Right after a deploy the PLC may not be connected yet: an engineer presses again.
      if (/connected again/.test(await red.sees(/\[debug:readings\]|PLC connected again/))) await red.press('ex2-now');
      await red.sees(debugged('readings'));
      await red.sees(/mo_id: 'WH\/MO\/00001'/);
    },
    errors: /PLC: offline/,
  },
  '03-store-and-push-by-hand.json': {
    environment: order('WH/MO/00003'),
    run: async () => {
      await red.press('ex3-b1');
      await red.sees(debugged('queued'));
      await red.press('ex3-b2');
      await red.sees(debugged('confirmed by Odoo'));
      assert.equal(odoo.done('WH/MO/00003')['silo101'], 825.5);
      await red.press('ex3-b3');
      await red.sees(debugged('trail'));
    },
  },
  '04-mo-consumption-cycle.json': {
    run: async () => {
      await red.sees(/consumption of MO WH\/MO\/00001 confirmed/);
    },
  },
  '05-another-plc.json': {
    run: async () => {
      await red.press('other-plc-good');
      await red.sees(debugged('held or refused, and why'));
      await red.press('other-plc-bad');
      await red.sees(/field: 'consumption\.silo_a', problem: 'must be >= 0'/);
    },
  },
  '06-manual-api.json': {
    run: async () => {
      const answer = await red.post('/api/scada/consumption/update', {
        mo_id: 'WH/MO/00004',
        equipment_id: 'PLC02',
        consumption_data: { silo_a: 100 },
      });
      assert.equal(answer.status, 200, await answer.text());
      assert.equal(odoo.done('WH/MO/00004')['silo101'], 100);
    },
  },
  '07-two-lines-one-database.json': {
    run: async () => {
      await red.sees(/consumption of MO WH\/MO\/00001 confirmed/);
      await red.sees(/consumption of MO WH\/MO\/00002 confirmed/);
      const rows = await queryOnce<{ mo_id: string; line: string }>(
        server,
        'SELECT mo_id, equipment_id_batch AS line FROM mo_batch WHERE revision > 0 ORDER BY mo_id',
      );
      assert.deepEqual(rows, [
        { mo_id: 'WH/MO/00001', line: 'PLC01' },
        { mo_id: 'WH/MO/00002', line: 'PLC02' },
      ]);
    },
  },
  '08-archive-a-cancelled-order.json': {
    environment: order('WH/MO/90001'),
    run: async () => {
      await red.press('ex8-list');
      await red.sees(debugged('set aside'));
      const database = await red.host.database('ex8-db');
      await queryOnce(database, `INSERT INTO mo_batch (mo_id) VALUES ('WH/MO/90001')`);
      await red.press('ex8-go');
      await red.sees(debugged('archived'));
      const [row] = await queryOnce<{ status: string; notes: string }>(
        database,
        `SELECT status, notes FROM mo_histories WHERE mo_id = 'WH/MO/90001'`,
      );
      assert.deepEqual(row, { status: 'cancelled', notes: 'cancelled in Odoo, never weighed' });
      await red.press('ex8-again');
      await red.sees(debugged('due again'));
    },
  },
  '09-alarms.json': {
    run: async () => {
      await red.sees(/schema \d+ in place/);
      const database = await red.host.database('ex9-db');
      await queryOnce(
        database,
        `INSERT INTO mo_batch (mo_id, equipment_id_batch, set_aside_at, set_aside_reason) VALUES ('WH/MO/90009', 'PLC01', now(), 'cancelled in Odoo')`,
      );
      await red.press('ex9-minute');
      await red.sees(/MO WH\/MO\/90009, line PLC01: set aside since .*: cancelled in Odoo/);
      await red.sees(/topic: 'ALARM set-aside WH\/MO\/90009'/);
      await red.sees(/text: 'MO WH\/MO\/90009, /);
      await red.sees(/topic: 'mo-bridge\/alarm\/set-aside\/WH-MO-90009'/);
      await queryOnce(database, `DELETE FROM mo_batch WHERE mo_id = 'WH/MO/90009'`);
      await red.press('ex9-minute');
      await red.sees(/topic: 'Over: set-aside WH\/MO\/90009'/);
    },
  },
  '10-operator-dashboard.json': {
    beside: '04-mo-consumption-cycle.json',
    run: async () => {
      await red.sees(/consumption of MO WH\/MO\/00001 confirmed/);
      const page = await openDashboard(red.host.url);
      await page.send('ex10-lights', { topic: 'look' });
      const lights = await page.receives<{ payload: Connection[] }>('ex10-lights');
      assert.deepEqual(lights.payload.map(({ kind, tried, up }) => `${kind} ${tried} ${up}`).sort(), [
        ...['database true true', 'odoo true true', 'plc true true'],
      ]);
      const { payload: rows } = await page.receives<{ payload: ListedBatch[] }>('ex10-board');
      const [first] = rows.filter(({ mo_id }) => mo_id === 'WH/MO/00001');
      assert.deepEqual([first?.state, first?.read, first?.confirmed], ['running', 1425.8, 1425.8]);
      const press = (topic: string): Promise<void> =>
        page.send('ex10-board', { topic, id: first?.id, order: first?.mo_id, note: 'cancelled by the planner' });
      // Without the id of a row it would be about all of them; the page itself never sends that.
      const before = odoo.calls.length;
      for (const topic of ['retry', 'archive'])
        for (const id of [undefined, null, '', ' \u00a0', 5, [first?.id]])
          await page.send('ex10-board', { topic, id, order: 'nobody', note: 'none' });
      await press('retry');
      const refused = await page.receives<{ payload: string }>('ex10-bad');
      assert.match(refused.payload, /WH\/MO\/00001: nothing to retry/);
      assert.equal(odoo.calls.length, before, 'nothing was pushed');
      await press('archive');
      const done = await page.receives<{ payload: string }>('ex10-good');
      assert.match(done.payload, /WH\/MO\/00001 is in the history as cancelled: cancelled by the planner/);
      await page.receives<{ payload: ListedBatch[] }>(
        'ex10-board',
        ({ payload }) => payload.length === rows.length - 1,
      );
      await page.close();
    },
  },
  '11-audit-trail.json': {
    run: async () => {
      const page = (mo_id: string): Promise<Response> =>
        fetch(`${red.host.url}/mo-bridge/audit?${new URLSearchParams({ mo_id }).toString()}`);
      assert.equal((await page('WH/MO/00001')).status, 404);
      const order = `'WH/MO/00001', 825, 825.5`;
      const columns = 'mo_id, consumption_silo_a, actual_consumption_silo_a';
      await queryOnce(await red.host.database('ex11-db'), `INSERT INTO mo_batch (${columns}) VALUES (${order})`);
      const answer = await page('WH/MO/00001');
      assert.equal(answer.status, 200);
      assert.match(await answer.text(), /<td class="kg" data-label="Read"><span>825\.50<small>[-\d :]+ · sql</);
    },
  },
  '12-daily-reconciliation.json': {
    run: async () => {
      await red.sees(/schema \d+ in place/);
      const database = await red.host.database('ex12-db');
      const archive = (mo_id: string, batch: number, time: string): Promise<unknown> =>
        queryOnce(
          database,
          `INSERT INTO mo_histories (mo_id, batch_no, status, archived_at, actual_consumption_silo_a)
           VALUES ('${mo_id}', ${batch}, 'completed', ${time}, 825.5)`,
        );
      /** Where the last good comparison ended, once that is later than a time. */
      const endAfter = async (time: string): Promise<string> => {
        for (let tries = 0; tries < 2_000; tries += 1) {
          const now = await comparedUntil();
          if (now > time) return now;
        }
        throw new Error(`no comparison succeeded after "${time}"`);
      };
      const comparedUntil = async (): Promise<string> => {
        const answer = await fetch(`${red.host.url}/context/flow/ex12-tab/compared_until`);
        const { msg, format } = (await answer.json()) as { msg: string; format: string };
        return format === 'undefined' ? '' : msg;
      };
      await archive('WH/MO/00001', 7, `now() - interval '24 hours 30 minutes'`);
      odoo.consumeByHand('WH/MO/00001', 'silo101', 825.5);
      await red.press('ex12-daily');
      // Equal: nothing is said. State, moves, and the moves again with the silos' codes.
      const first = await endAfter('');
      assert.equal(odoo.calls.filter(({ route }) => /call_kw/.test(route)).length, 3);
      assert.ok(Date.parse(first) < Date.now(), first);

      // The next order is archived where the first period ended, and Odoo is down when its turn comes.
      await archive('WH/MO/00002', 8, `'${first}'`);
      await odoo.stop();
      await red.press('ex12-daily');
      await red.sees(debugged('why not'));
      assert.equal(await comparedUntil(), first);
      await odoo.start();
      odoo.consumeByHand('WH/MO/00001', 'silo101', 900);
      odoo.consumeByHand('WH/MO/00002', 'silo101', 850);
      await red.press('ex12-daily');
      await red.sees(/WH\/MO\/00002, batch 8: silo_a \(silo101\): 825\.5 kg here, 850 kg in Odoo/);
      const second = await endAfter(first);
      // What was told is not told again.
      await red.press('ex12-daily');
      await endAfter(second);
      assert.equal(red.lines(debugged('differences')).length, 1);
      assert.deepEqual(red.lines(/WH\/MO\/00001/), []);
    },
    errors: /Odoo: .*not reachable/,
  },
};

const files = readdirSync('examples').filter((name) => name.endsWith('.json'));

test('every example is tried', () => {
  assert.deepEqual(Object.keys(EXAMPLES).sort(), files.sort());
});

for (const [file, { beside, environment = {}, run, errors }] of Object.entries(EXAMPLES)) {
  test(`${file} does what its comment says, and nothing in it fails`, async () => {
    const { flow, credentials } = atThePlant(file, environment, beside);
    await red.deploy(flow, credentials);
    await run();
    assert.deepEqual(
      red.lines(/\[error\]/).filter((line) => !errors?.test(line)),
      [],
    );
  });
}
