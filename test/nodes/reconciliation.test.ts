/** From the history to the differences, node by node, and the audit that the trail carries. */
import assert from 'node:assert/strict';
import { after, test, type TestContext } from 'node:test';
import { type Cycle, push, startCycle } from '../support/cycle';
import { type FlowNode, type Message, stopHelper, TO_SINK } from '../support/node-red';

after(stopHelper);

const store = (operation: string): FlowNode => ({
  ...{ id: operation, type: 'mo-batch-store', name: operation, database: 'db', operation, line: '' },
  ...TO_SINK,
});
const compare: FlowNode = {
  ...{ id: 'compare', type: 'odoo-fetch-mo', name: 'compare', server: 'odoo', silos: 'silos', operation: 'compare' },
  ...TO_SINK,
};
const archive: FlowNode = {
  ...{ id: 'archive', type: 'history-archive', name: 'archive', database: 'db', operation: 'completed', source: 'all' },
  ...{ requires: 'done', note: '', noteType: 'str', line: '', ...TO_SINK },
};
const NODES = [store('archived'), store('trail'), compare, archive, push({ markDone: true })];
const ONE = 'WH/MO/00001';
const TWO = 'WH/MO/00002';

/** Two orders in the history, as the cycle leaves them. */
async function archivedOrders(t: TestContext): Promise<Cycle> {
  const cycle = await startCycle(t, NODES);
  await cycle.queue({ [ONE]: 100.5, [TWO]: 99 }, [ONE, TWO]);
  await cycle.red.send('push', { payload: await cycle.ask('completed') });
  await cycle.red.send('archive');
  return cycle;
}

interface Archived {
  mo_id: string;
  status: string;
  read: number;
  silos: { silo: string; read: number; confirmed: number }[];
}

test('what was archived is listed with its figures, within the period that the message names', async (t) => {
  const { red, ask, sql } = await archivedOrders(t);
  const rows = (await ask('archived')) as unknown as Archived[];
  assert.deepEqual(
    rows.map(({ mo_id, status, read, silos }) => [mo_id, status, read, silos[0]?.confirmed]),
    [
      [ONE, 'completed', 100.5, 100.5],
      [TWO, 'completed', 99, 99],
    ],
  );
  assert.match(red.status('archived').text ?? '', /^2 archived · /);
  await sql(`UPDATE mo_histories SET archived_at = '2026-03-02T06:00:00Z' WHERE mo_id = '${ONE}'`);
  await sql(`UPDATE mo_histories SET archived_at = now() - interval '25 hours' WHERE mo_id = '${TWO}'`);
  assert.deepEqual(await ask('archived'), []);
  assert.equal(red.status('archived').fill, 'grey');
  const names = async (msg: Message): Promise<string[]> => (await ask('archived', msg)).map(({ mo_id }) => mo_id);
  assert.deepEqual(await names({ from: '2026-03-02T06:00:00Z', to: '2026-03-02T06:00:01+00:00' }), [ONE]);
  assert.deepEqual(await names({ from: '2026-03-02T05:00:00Z', to: '2026-03-02T06:00:00Z' }), []);
  // Without from: the 24 hours before.
  assert.deepEqual(await names({ to: new Date('2026-03-03T05:59:00Z') }), [ONE]);
  assert.deepEqual(await names({ from: '2020-01-01' }), [ONE, TWO]);
  for (const wrong of [
    { from: 'yesterday' },
    { to: 5 },
    { from: '2026-03-02', to: '2026-03-01' },
    { from: '2999-01-01' },
  ]) {
    const { error, out } = await red.send('archived', wrong);
    assert.match(error?.message ?? '', /msg\.from and msg\.to have to be ISO times/);
    assert.deepEqual(out, [[], []]);
  }
});

test('the line of the node restricts what is listed', async (t) => {
  const { red, ask, sql } = await startCycle(t, [{ ...store('archived'), line: 'PLC02' }]);
  await ask('summary'); // The tables are there.
  const values = ['PLC01', 'PLC02', ''].map((line, n) => `('WH/MO/0000${n}', '${line}', 'completed', now())`);
  await sql(`INSERT INTO mo_histories (mo_id, equipment_id_batch, status, archived_at) VALUES ${values.join()}`);
  assert.deepEqual(
    (await ask('archived')).map(({ mo_id }) => mo_id),
    ['WH/MO/00002', 'WH/MO/00001'],
  );
  assert.match(red.status('archived').text ?? '', /^2 archived/);
});

test('nothing differs: no message at all, and the status says how many were compared', async (t) => {
  const { red, ask } = await archivedOrders(t);
  const ended = await red.send('compare', { payload: await ask('archived') });
  assert.deepEqual(ended, { error: undefined, out: [[], []] });
  assert.match(red.status('compare').text ?? '', /^2 orders compared, all equal · /);
  assert.equal(red.status('compare').fill, 'green');
  assert.deepEqual(await red.send('compare', { payload: [] }), { error: undefined, out: [[], []] });
  assert.match(red.status('compare').text ?? '', /^0 orders compared/);
  assert.equal(red.status('compare').fill, 'grey');
});

test('a weight changed by hand in Odoo is named: order, silo, kg here, kg in Odoo; lists wait their turn', async (t) => {
  const { red, odoo, ask } = await archivedOrders(t);
  odoo.consumeByHand(TWO, 'silo101', 120);
  const payload = await ask('archived');
  const res = {};
  const both = await Promise.all([red.send('compare', { payload, res }), red.send('compare', { payload })]);
  for (const { error, out } of both) {
    assert.equal(error, undefined);
    const [difference, ...more] = out[0]?.[0]?.payload as Record<string, unknown>[];
    assert.deepEqual(
      [difference?.mo_id, difference?.silo, difference?.read, difference?.odoo],
      [TWO, 'silo_a', 99, 120],
    );
    assert.equal(difference?.difference, 21);
    assert.deepEqual(more, []);
    assert.equal(out[0]?.[0]?.compared, 2);
  }
  assert.equal(both[0].out[0]?.[0]?.res, res);
  assert.match(red.status('compare').text ?? '', /^1 of 2 orders differ · /);
  assert.equal(red.status('compare').fill, 'yellow');
});

test('rows of the queue can be compared too; a list that is none, and an Odoo that is gone, are errors', async (t) => {
  const { red, odoo, ask, queue } = await startCycle(t, [compare, { ...store('list') }]);
  await queue({ [ONE]: 40 });
  const { out } = await red.send('compare', { payload: await ask('list') });
  assert.match(
    String((out[0]?.[0]?.payload as { reason: string }[])[0]?.reason),
    /silo_a .*: 40 kg here, 0 kg in Odoo/,
  );
  for (const payload of [undefined, 'WH/MO/00001', [null]]) {
    assert.match((await red.send('compare', { payload })).error?.message ?? '', /has to be a list of orders/);
  }
  await odoo.stop();
  const { error, out: none } = await red.send('compare', { payload: [{ mo_id: ONE }] });
  assert.match(error?.message ?? '', /not reachable/);
  assert.deepEqual(none, [[], []]);
  assert.equal(red.status('compare').fill, 'red');
});

test('a row without an order, found at take-over, is left out of the comparison', async (t) => {
  const { odoo, red, ask, sql } = await archivedOrders(t);
  await sql(`INSERT INTO mo_histories (mo_id, status, archived_at) VALUES (NULL, 'failed', now())`);
  const payload = await ask('archived');
  assert.equal(payload.length, 3);
  assert.equal((await red.send('compare', { payload })).error, undefined);
  assert.match(red.status('compare').text ?? '', /^2 /);
  odoo.consumeByHand(TWO, 'silo101', 120);
  assert.equal((await red.send('compare', { payload: await ask('archived') })).out[0]?.[0]?.compared, 2);
});

test('the trail of an archived order carries its audit, timeline and notes', async (t) => {
  const { red, ask, sql } = await archivedOrders(t);
  const trail = (await ask('trail', { mo_id: ONE })) as unknown as {
    audit: Record<string, unknown>[];
    timeline: { event: string }[];
    notes: string[];
    totals: object;
  };
  const [event] = await sql<{ at: Date }>(
    `SELECT at FROM mo_events WHERE mo_id = '${ONE}' AND kind = 'push' ORDER BY id DESC`,
  );
  const [silo] = trail.audit;
  assert.deepEqual(
    [
      silo?.silo,
      silo?.planned,
      silo?.read,
      silo?.source,
      silo?.sent,
      silo?.outcome,
      silo?.confirmed,
      silo?.confirmed_at,
    ],
    ['silo_a', 100, 100.5, 'plc', 100.5, 'confirmed', 100.5, event?.at.toISOString()],
  );
  assert.deepEqual(trail.notes, []);
  assert.deepEqual(trail.totals, { planned: 100, read: 100.5, sent: 100.5, confirmed: 100.5 });
  assert.deepEqual(
    [...new Set(trail.timeline.map(({ event: kind }) => kind))],
    ['queued', 'changed', 'push', 'archived'],
  );
  assert.match(red.status('trail').text ?? '', /: 5 events$/);
});
