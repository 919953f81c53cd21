/** The labels that people gave their silos, in what the store node lists for people. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { SiloMap } from '../../nodes/lib/domain/silos';
import type { Audit } from '../../nodes/lib/store/audit';
import type { ListedBatch } from '../../nodes/lib/store/reports';
import { refusedIn } from '../../nodes/plc-order-write/refused';
import { testDatabase } from '../support/cluster';
import {
  database,
  databaseLogin,
  type FlowNode,
  type Message,
  sink,
  startFlow,
  stopHelper,
  TO_SINK,
} from '../support/node-red';
import { wordsOf } from '../support/words';

after(stopHelper);

const MO = 'WH/MO/00001';
const store = (operation: string, more: object = {}): FlowNode => ({
  ...{ id: operation, type: 'mo-batch-store', name: operation, database: 'db', operation, line: '' },
  ...{ limit: '1000', limitType: 'num', ...TO_SINK },
  ...more,
});
const map = (id: string, labels: Record<string, string>): FlowNode => ({
  ...{ id, type: 'silo-map', name: '' },
  silos: Object.entries(labels).map(([tag, label]) => ({ tag, code: `${id}-${tag}`, label, enabled: true })),
});

/** A batch that weighs on silo_a and two further silos, with these silo maps in the flow. */
async function weighed(t: Parameters<typeof startFlow>[0], maps: FlowNode[], more: object = {}) {
  const address = await testDatabase();
  const operations = ['enqueue', 'record', 'list', 'trail', 'archived', 'needs'];
  const flow = [database(address), ...maps, ...operations.map((each) => store(each, more)), sink];
  const red = await startFlow(t, flow, databaseLogin(address));
  t.after(() => red.stop().then(() => address.drop()));
  await red.send('enqueue', { payload: [{ mo_id: MO, consumption: 100, more_consumption: { bin_16: 12 } }] });
  const consumption = { silo_a: 5, bin_16: 12, bin_17: 3 };
  const reading = { slot: 1, mo_id: MO, status_manufacturing: false, status_operation: true, consumption };
  await red.send('record', { payload: [reading] });
  const ask = async <T>(operation: string, msg: Message = {}): Promise<T> => {
    const { error, out } = await red.send(operation, msg);
    if (error) throw error;
    return out[0]?.[0]?.payload as T;
  };
  const labels = async (): Promise<(string | undefined)[]> =>
    (await ask<ListedBatch[]>('list'))[0]?.silos.map(({ label }) => label) ?? [];
  return { red, ask, labels };
}

test('list, trail and what needs a person have the labels of the flow’s silo map, without a choice', async (t) => {
  const { red, ask, labels } = await weighed(t, [map('one', { silo_a: 'Maize', bin_16: 'Lysine', bin_17: '' })]);
  assert.deepEqual(await labels(), ['Maize', 'Lysine', undefined]);
  const { audit, timeline } = await ask<Audit>('trail', { mo_id: MO });
  assert.deepEqual(
    audit.map(({ silo, label }) => [silo, label]),
    [
      ['silo_a', 'Maize'],
      ['bin_16', 'Lysine'],
      ['bin_17', undefined],
    ],
  );
  assert.ok(timeline.some(({ silo, label }) => silo === 'bin_16' && label === 'Lysine'));
  const held = { ...{ slot: 2, mo_id: 'WH/MO/00099', hold: 'look' }, status_manufacturing: false };
  await red.send('record', { payload: [{ ...held, status_operation: true, consumption: { bin_16: 7 } }] });
  const refused = { slot: 3, mo_id: null, problems: [{ field: 'bin_16', problem: 'is no number' }] };
  await red.send('record', { payload: [], read: { source: 'plc', rejected: [refused] } });
  const needs = await ask<{ code: string; weights: object[]; reason: string }[]>('needs');
  const weights = needs.filter(({ code }) => code.startsWith('held')).map((need) => need.weights);
  assert.deepEqual(weights, [[{ silo: 'bin_16', kg: 7, label: 'Lysine' }]]);
});

const TWO = [map('one', { silo_a: 'Maize', bin_16: 'Lysine' }), map('two', { silo_a: 'Maize', bin_16: 'Salt' })];

test('silo maps that call a silo by two names leave it its tag', async (t) => {
  const { labels } = await weighed(t, TWO);
  assert.deepEqual(await labels(), ['Maize', undefined, undefined]);
});

test('of several silo maps the chosen one counts', async (t) => {
  const chosen = await weighed(t, TWO, { silos: 'two' });
  assert.deepEqual(await chosen.labels(), ['Maize', 'Salt', undefined]);
});

test('without a silo map silos are called by their tags', async (t) => {
  const { labels } = await weighed(t, []);
  assert.deepEqual(await labels(), [undefined, undefined, undefined]);
});

test('with a silo map that cannot be used silos are called by their tags', async (t) => {
  const wrong = await weighed(t, [{ ...map('wrong', { silo_a: 'Maize', 'Bin 16': 'Lysine' }) }]);
  assert.deepEqual(await wrong.labels(), [undefined, undefined, undefined]);
});

test('a plan that a slot for orders cannot carry is refused by the silo’s label', () => {
  const silos = new SiloMap([{ tag: 'bin_16', code: 'B-16', label: 'Lysine' }]);
  const refused = [{ problem: 'above-limit' as const, field: 'bin_16', value: 900 }];
  const passed = { told: [], asked: [], unfit: [{ mo_id: MO, refused }], slots: [], waiting: 0, errors: [] };
  const [order] = refusedIn(passed, wordsOf('plc-order-write'), silos);
  assert.match(order?.problems[0]?.problem ?? '', /^Lysine: 900 kg/);
  assert.equal(order?.problems[0]?.field, 'bin_16', 'a flow reads the tag');
});
