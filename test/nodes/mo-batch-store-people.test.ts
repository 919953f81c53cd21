/** What the store node asks of a person, and the decisions as messages: over the simulated Odoo, to what stands there afterwards. */
import assert from 'node:assert/strict';
import { after, test, type TestContext } from 'node:test';
import { push, startCycle } from '../support/cycle';
import { type FlowNode, stopHelper, TO_SINK } from '../support/node-red';
import { timePasses } from '../support/time';
import { queryOnce } from '../support/cluster';

after(stopHelper);

const TYPO = 'WH/MO/77777';
const MEANT = 'WH/MO/00001';
const store = (operation: string): FlowNode => ({
  ...{ id: operation, type: 'mo-batch-store', name: operation, database: 'db', operation, line: 'PLC01' },
  ...{ limit: '1000', limitType: 'num', ...TO_SINK },
});
const fetch: FlowNode = {
  ...{ id: 'fetch', type: 'odoo-fetch-mo', name: 'fetch', server: 'odoo', silos: 'silos', operation: 'fetch' },
  ...{ line: '', ...TO_SINK },
};
interface Asked {
  code: string;
  text: string;
  what: string;
  todo: string;
  mo_id: string;
  remedies: string[];
}

async function plant(t: TestContext, ...more: FlowNode[]) {
  const operations = [
    'needs',
    'belongs-to',
    'finished-weight',
    'unqueued',
    'trail',
    'accept',
    'discard',
    'close-anyway',
  ];
  const cycle = await startCycle(t, [...operations.map(store), fetch, push({ markDone: true }), ...more]);
  const { red, ask, address } = cycle;
  const reading = (mo_id: string, fields: object = {}): object => ({
    ...{ slot: 3, mo_id, status_manufacturing: true, status_operation: false, consumption: { silo_a: 80 } },
    ...{ actual_weight_quantity_finished_goods: 100, ...fields },
  });
  return {
    ...cycle,
    reading,
    needs: async () => (await ask('needs')) as unknown as Asked[],
    /** A completed batch under a number that Odoo, asked for it, does not know. */
    mistyped: async () => {
      await ask('record', { payload: [reading(TYPO)] });
      await red.send('unqueued');
      await queryOnce(address, timePasses(2));
    },
  };
}

test('a mistyped number is told in one sentence, and its reading becomes that of the order which Odoo gives under the right one', async (t) => {
  const { odoo, red, ask, needs, mistyped, queue } = await plant(t);
  await queue({});
  odoo.createOrder({
    ...{ name: MEANT, quantity: 100, bomQty: 100, policy: 'flexible' },
    components: [{ code: 'silo101', product: 'Pollard Angsa', quantity: 100 }],
  });
  await mistyped();
  const [need] = await needs();
  assert.match(
    need?.text ?? '',
    /^MO WH\/MO\/77777, slot 3: 80 kg weighed, and Odoo has no confirmed order of this number, since \d{4}-\d\d-\d\d \d\d:\d\d\. Was it mistyped\? Say which order/,
  );
  assert.equal(red.status('needs').text?.replace(/ · .*/, ''), '1 need a person');

  const unknown = await red.send('fetch', { mo_id: 'WH/MO/00099', told: TYPO, slot: 3 });
  assert.match(unknown.error?.message ?? '', /^Odoo does not know order WH\/MO\/00099/);
  const refused = await red.send('belongs-to', { mo_id: 'WH/MO/00099', told: TYPO, payload: [] });
  assert.match(refused.error?.message ?? '', /^MO WH\/MO\/00099: Odoo gives no confirmed order of this name/);

  const fetched = await red.send('fetch', { mo_id: MEANT, told: TYPO, slot: 3, user: 'anna', note: 'typed wrongly' });
  const given = await red.send('belongs-to', fetched.out[0]?.[0]);
  assert.equal(given.error, undefined);
  await red.send('push', given.out[0]?.[0]);
  assert.deepEqual(await needs(), []);
  const order = odoo.order(MEANT);
  assert.deepEqual([order?.state, order?.moves.map(({ done }) => done)], ['done', [80]]);
  const trail = (await ask('trail', { mo_id: MEANT })) as unknown as { timeline: { event: string; text: string }[] };
  const told = trail.timeline.find(({ event }) => event === 'belongs-to');
  assert.equal(told?.text, `slot told ${TYPO}: it belongs to ${MEANT}; typed wrongly; by anna`);
});

test('what cannot be given is refused in words that say what to do', async (t) => {
  const { red, ask, queue, reading, mistyped } = await plant(t);
  await queue({ [MEANT]: 5 });
  await mistyped();
  const say = async (msg: object): Promise<string | undefined> =>
    (await red.send('belongs-to', { ...msg })).error?.message;
  const order = { payload: [{ mo_id: MEANT, consumption: 100 }], mo_id: MEANT };
  assert.match((await say({ ...order })) ?? '', /^name both/);
  assert.match((await say({ ...order, told: TYPO })) ?? '', /has a reading of its own: two batches would become one/);
  assert.match((await say({ ...order, told: 'WH/MO/3' })) ?? '', /no reading of this number is held any more/);
  await ask('record', { payload: [reading(TYPO)] });
});

test('a completed batch without a finished weight is asked about, and closed in Odoo with what a person enters', async (t) => {
  const { odoo, red, ask, needs, queue, reading } = await plant(t);
  await queue({ [MEANT]: 5 });
  await ask('record', { payload: [reading(MEANT, { actual_weight_quantity_finished_goods: null })] });
  await red.send('push', { payload: await ask('completed') });
  const [need] = await needs();
  assert.deepEqual([need?.code, need?.remedies], ['no-finished-weight', ['finished-weight', 'archive']]);
  assert.match(need?.text ?? '', /is complete with 80 kg weighed, and nobody told how much was finished/);
  for (const finished of [0, -3, 'much', undefined]) {
    const { error } = await red.send('finished-weight', { mo_id: MEANT, finished });
    assert.match(error?.message ?? '', /has to be kg, more than 0/);
  }
  const { out } = await red.send('finished-weight', { mo_id: MEANT, finished: '98.5', user: 'anna' });
  await red.send('push', { payload: out[0]?.[0]?.payload });
  assert.deepEqual([odoo.order(MEANT)?.state, await needs()], ['done', []]);
  const again = await red.send('finished-weight', { mo_id: MEANT, finished: 1 });
  assert.match(again.error?.message ?? '', /no completed batch of this order without a finished weight/);
});

test('what the read node refuses is kept with its words until it says that the slot is right', async (t) => {
  const { ask, needs, reading, queue } = await plant(t);
  await queue({});
  const problems = [{ field: 'silo_a', problem: 'is below 0', code: 'negative', value: -5, raw: 'c0a00000' }];
  const read = (...rejected: object[]) => ({
    payload: [],
    read: { source: 's7/DB1', emptied: [], unnamed: [], rejected },
  });
  await ask('record', read({ slot: 4, mo_id: MEANT, problems, raw: 'ff' }));
  const [need] = await needs();
  assert.match(
    need?.text ?? '',
    /^MO WH\/MO\/00001, slot 4(, line \w+)? cannot be taken: silo_a is below 0 \(-5\), since .+ Correct it in the PLC/,
  );
  await ask('record', read());
  assert.deepEqual(await needs(), []);
  // A source of its own says nothing of its other slots.
  await ask('record', { payload: [reading(MEANT, { consumption: { silo_a: -1 } })] });
  assert.match((await needs())[0]?.what ?? '', /slot 3 cannot be taken: consumption/);
  await ask('record', { payload: [reading(MEANT, { slot: 2 })] });
  assert.equal((await needs()).filter(({ code }) => code === 'rejected').length, 1);
  await ask('record', { payload: [reading(MEANT)] });
  assert.equal((await needs()).filter(({ code }) => code === 'rejected').length, 0);
});
