/** Deploys, and a stop, while somebody waits for the answer to a call by hand: an answer comes, whatever is taken away. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { type SimulatedOdoo, startSimulatedOdoo } from '../examples/plant/odoo/simulated-odoo';
import type { FlowNode } from '../examples/plant/node-red-host';
import { type Deployment, type LiveNodeRed, startLiveNodeRed } from './support/live-node-red';
import { ODOO_LOGIN, odooServer, silos } from './support/node-red';
import { until } from './support/push-plant';

const MO = 'WH/MO/00001';
/** What has no place on the canvas is a config node to Node-RED. */
const SEEN = { x: 100, y: 100 };
const UPDATE = /update-with-consumptions/;

let odoo: SimulatedOdoo;
let red: LiveNodeRed;
let flow: FlowNode[];

before(async () => {
  odoo = await startSimulatedOdoo();
  odoo.createOrder({ name: MO, policy: 'flexible' });
  red = await startLiveNodeRed();
  const wires = [['answer'], ['answer']];
  flow = [
    { id: 'api', type: 'tab', label: 'manual API' },
    { id: 'other', type: 'tab', label: 'another flow' },
    { ...SEEN, id: 'idle', type: 'comment', z: 'other', name: 'something' },
    odooServer(odoo.url, { timeout: '600' }),
    silos,
    { ...SEEN, id: 'in', type: 'http in', z: 'api', url: '/update', method: 'post', wires: [['push']] },
    {
      ...{ ...SEEN, id: 'push', type: 'odoo-push-consumption', z: 'api', name: 'push', operation: 'update' },
      ...{ server: 'odoo', silos: 'silos', database: '', wires },
    },
    { ...SEEN, id: 'answer', type: 'http response', z: 'api', wires: [] },
  ] as FlowNode[];
});

beforeEach(async () => {
  odoo.clearFaults();
  await red.deploy(flow, { odoo: ODOO_LOGIN.odoo });
});

after(async () => {
  await red?.host.stop();
  await odoo?.stop();
});

interface Answered {
  status: number;
  body: { status?: string; message?: string };
}

/** A call by hand whose request Odoo has, and does not answer. */
async function waitingCall(): Promise<{ answered: Promise<Answered> }> {
  odoo.setFault({ kind: 'hang', route: UPDATE });
  const before = odoo.calls.length;
  const body = { mo_id: MO, consumption_data: { silo_a: 5 } };
  const answered = red.post('/update', body).then(async (response) => ({
    status: response.status,
    body: (await response.json()) as Answered['body'],
  }));
  await until(() => odoo.calls.slice(before).some(({ route }) => UPDATE.test(route)));
  return { answered };
}

const without = (...ids: string[]): FlowNode[] => flow.filter(({ id }) => !ids.includes(id));
const changed = (id: string, change: object): FlowNode[] =>
  flow.map((node) => (node.id === id ? { ...node, ...change } : node));
const disabled = (id: string): FlowNode[] => changed(id, { disabled: true, d: true });

const CASES: [string, Deployment, () => FlowNode[]][] = [
  ['a full deploy', 'full', () => flow],
  ['a flows deploy that changes its flow', 'flows', () => changed('answer', { name: 'changed' })],
  ['a nodes deploy that changes the push node', 'nodes', () => changed('push', { name: 'changed' })],
  ['a nodes deploy that changes the server it uses', 'nodes', () => changed('odoo', { timeout: '500' })],
  ['a full deploy without the flow', 'full', () => without('api', 'in', 'push', 'answer')],
  ['a flows deploy that disables the flow', 'flows', () => disabled('api')],
  ['a nodes deploy that deletes both the push node and the response', 'nodes', () => without('push', 'answer')],
];

for (const [what, type, after] of CASES) {
  test(`who waits for a call by hand is answered 504 at ${what}`, { timeout: 60_000 }, async () => {
    const { answered } = await waitingCall();
    await red.deploy(after(), {}, type);
    const { status, body } = await answered;
    assert.deepEqual([status, body.status], [504, 'error']);
    assert.match(body.message ?? '', /WH\/MO\/00001.*repeat the call/);
    assert.deepEqual(red.lines(/headers after they are sent|uncaught|Error stopping/i), []);
  });
}

test('who waits is answered although only the response behind the node was deleted', { timeout: 60_000 }, async () => {
  odoo.setFault({ kind: 'delay', route: UPDATE, ms: 1_000 });
  const before = odoo.calls.length;
  const answered = red.post('/update', { mo_id: MO, consumption_data: { silo_a: 6 } });
  await until(() => odoo.calls.length > before);
  const left = without('answer').map((node) => (node.id === 'push' ? { ...node, wires: [[], []] } : node));
  await red.deploy(left, {}, 'nodes');
  assert.equal((await answered).status, 200);
});

test('who waits is answered when Node-RED stops', { timeout: 60_000 }, async () => {
  const { answered } = await waitingCall();
  await Promise.all([red.host.stop(), answered]);
  assert.equal((await answered).status, 504);
});
