/** The shipped flow and the examples, as files: what an import brings. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { demoFlow, IDS } from '../examples/plant/demo-flow';

interface FlowNode {
  id: string;
  type: string;
  z?: string;
  d?: boolean;
  g?: string;
  wires?: string[][];
  credentials?: unknown;
  [property: string]: unknown;
}

const SHIPPED = 'flows/mo-consumption-cycle.json';
const examples = readdirSync('examples').filter((name) => name.endsWith('.json'));
const flows = [SHIPPED, ...examples.map((name) => `examples/${name}`)];
/** Examples that are imported next to the shipped flow and use its config nodes. */
const BESIDE_SHIPPED = ['examples/10-operator-dashboard.json'];
const load = (file: string): FlowNode[] => JSON.parse(readFileSync(file, 'utf8')) as FlowNode[];
const { 'node-red': registered } = JSON.parse(readFileSync('package.json', 'utf8')) as {
  'node-red': { nodes: Record<string, string> };
};

test('the shipped flow is in the Import menu as it is', () => {
  assert.equal(readFileSync('examples/04-mo-consumption-cycle.json', 'utf8'), readFileSync(SHIPPED, 'utf8'));
});

test('what people import is what its sources say; `npm run examples` writes it', async () => {
  const { assembled } = (await import(pathToFileURL('examples/build.mjs').href)) as {
    assembled: () => Map<string, string>;
  };
  const files = assembled();
  assert.deepEqual([...files.keys()].sort(), [...flows].sort());
  for (const [file, contents] of files) assert.equal(readFileSync(file, 'utf8'), contents, file);
});

test('the timers run every 60, 5 and 3 minutes, and each once after a start, one after the other', () => {
  const timers = load(SHIPPED).filter(({ type, repeat, d }) => type === 'inject' && repeat && !d);
  assert.deepEqual(
    timers.map(({ repeat, once }) => [repeat, once]),
    [
      ['3600', true],
      ['300', true],
      ['180', true],
    ],
  );
  const delays = timers.map(({ onceDelay }) => Number(onceDelay));
  assert.deepEqual(
    delays,
    [...new Set(delays)].sort((a, b) => a - b),
  );
});

test('the manual API is disabled as shipped, node by node', () => {
  const nodes = load(SHIPPED);
  const group = nodes.find(({ name, type }) => type === 'group' && String(name).startsWith('Manual API'));
  const members = nodes.filter(({ g, type }) => g === group?.id && type !== 'comment');
  assert.equal(members.length, 9);
  assert.ok(members.every(({ d }) => d === true));
});

test('orders down stands between Task 1 and Task 2, with its timer and its comment, disabled node by node', () => {
  const nodes = load(SHIPPED);
  const groups = nodes.filter(({ type }) => type === 'group').sort((a, b) => Number(a.y) - Number(b.y));
  const at = groups.findIndex(({ name }) => String(name).startsWith('Orders down'));
  assert.match(String(groups[at - 1]?.name), /^Task 1/);
  assert.match(String(groups[at + 1]?.name), /^Task 2/);
  const members = nodes.filter(({ g }) => g === groups[at]?.id);
  assert.deepEqual(
    members.filter(({ d }) => d !== true).map(({ type }) => type),
    ['comment'],
  );
  const timer = members.find(({ repeat }) => repeat);
  const [next = ''] = (timer?.wires ?? []).flat();
  assert.equal(nodes.find(({ id }) => id === next)?.operation, 'hand-over');
  assert.equal(nodes.find(({ operation }) => operation === 'check')?.plans, true);
});

test('every action node of the package is in the shipped flow', () => {
  const used = new Set(load(SHIPPED).map(({ type }) => type));
  assert.deepEqual(
    Object.keys(registered.nodes).filter((type) => !used.has(type)),
    [],
  );
});

for (const file of flows) {
  test(`${file}: wires, groups and config nodes lead somewhere, and no secret is inside`, () => {
    const nodes = load(file);
    const ids = new Set(nodes.map(({ id }) => id));
    assert.equal(ids.size, nodes.length, 'ids are unique');
    const there = BESIDE_SHIPPED.includes(file) ? load(SHIPPED).filter(({ z }) => !z) : [];
    const references = new Set([...ids, ...there.map(({ id }) => id)]);
    for (const node of nodes) {
      // Node-RED takes a property that equals a config node's id for a reference, `type` included.
      assert.ok(!(node.type in registered.nodes) || node.id !== node.type, `${node.id}: id equals type`);
      for (const id of (node.wires ?? []).flat()) assert.ok(ids.has(id), `${node.id} is wired to ${id}`);
      // A config node's own `database` is a database's name.
      for (const key of ['z', 'g', 'server', 'silos', 'endpoint', ...(node.z ? ['database'] : [])]) {
        const reference = node[key];
        if (typeof reference === 'string' && reference)
          assert.ok(references.has(reference), `${node.id}: ${key} ${reference}`);
      }
      assert.equal(node.credentials, undefined);
      assert.doesNotMatch(JSON.stringify(node), /"password":\s*"[^"]/);
    }
  });
}

test('the demo with orders down enables that group and the acknowledgement, and nothing runs by itself that did not before', () => {
  const login = { interface: 'addon', database: 'odoo14', secret: 'password', user: 'a', password: 'a', apiKey: '' };
  const plant = { plc: { port: 102 }, odoo: { url: 'http://127.0.0.1', login } } as Parameters<typeof demoFlow>[0];
  const { flow } = demoFlow(plant, { fetch: 2, push: 2, archive: 2, orders: 2 });
  const shipped = load(SHIPPED);
  const repeating = (nodes: readonly FlowNode[]): string[] => nodes.filter(({ repeat }) => repeat).map(({ id }) => id);
  assert.deepEqual(repeating(flow), [...repeating(shipped)]);
  const group = shipped.find(({ id }) => id === IDS.timers.orders)?.g;
  const disabled = flow.filter(({ d }) => d).map(({ id }) => id);
  const expected = shipped.filter(({ id, g, d }) => d && g !== group && id !== IDS.acknowledge).map(({ id }) => id);
  assert.deepEqual(disabled, expected);
});
