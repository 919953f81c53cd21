/** The archive node on a real PostgreSQL, after real pushes to a simulated Odoo. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { push, type Row, startCycle } from '../support/cycle';
import { type FlowNode, type Message, stopHelper, TO_SINK } from '../support/node-red';

after(stopHelper);

const [A, B, C] = ['WH/MO/00001', 'WH/MO/00002', 'WH/MO/00003'] as const;
const archive = (more: object = {}): FlowNode => ({
  ...{
    id: 'archive',
    type: 'history-archive',
    name: 'archive',
    database: 'db',
    operation: 'completed',
    source: 'message',
  },
  ...{ requires: 'done', note: '', noteType: 'str', line: '', ...TO_SINK },
  ...more,
});

interface Told {
  archived: Row[];
  kept: { mo_id: string; reason: string }[];
  queue: number;
}
const told = (out: Message[][]): Told => out[0]?.[0]?.payload as Told;
const names = (rows: readonly { mo_id: string }[]): string[] => rows.map(({ mo_id }) => mo_id);
const HISTORY = 'SELECT mo_id, status, notes FROM mo_histories ORDER BY mo_id';

test('what Odoo shows as done goes into the history; the rest stays, with its reason', async (t) => {
  const { red, queue, sql } = await startCycle(t, [push({ markDone: true }), archive()]);
  const due = await queue({ [A]: 100, [B]: 40, [C]: 100 }, [A, C]);
  await red.send('push', { payload: due.filter(({ mo_id }) => mo_id !== C) });
  const res = {};
  const { out, error } = await red.send('archive', { payload: due, res });
  assert.equal(error, undefined);
  assert.equal(out[0]?.[0]?.res, res);
  const { archived, kept, queue: left } = told(out);
  assert.deepEqual(names(archived), [A]);
  assert.deepEqual(kept.map(({ mo_id, reason }) => [mo_id, reason]).sort(), [
    [B, 'not completed'],
    [C, 'Odoo has not confirmed its last values'],
  ]);
  assert.equal(left, 2);
  assert.deepEqual(await sql(HISTORY), [{ mo_id: A, status: 'completed', notes: null }]);
  assert.equal(red.status('archive').fill, 'yellow');
  assert.match(red.status('archive').text ?? '', /^1 archived, 2 kept · /);
  assert.deepEqual((await red.logs(/archived, queue/)).text, `MO ${A} archived, queue now 2`);
});

test('all that may go is archived without being named', async (t) => {
  const { red, queue } = await startCycle(t, [push({ markDone: true }), archive({ source: 'all' })]);
  const due = await queue({ [A]: 100, [B]: 40 }, [A]);
  await red.send('push', { payload: due });
  const { out } = await red.send('archive', { payload: 1763755200000 });
  assert.deepEqual(names(told(out).archived), [A]);
  assert.equal(red.status('archive').fill, 'green');
  assert.deepEqual(told((await red.send('archive')).out).archived, []);
  assert.equal(red.status('archive').fill, 'grey');
});

test('where mark-done is not used, the confirmation is enough', async (t) => {
  const { red, queue } = await startCycle(t, [push(), archive({ requires: 'confirmed' })]);
  const due = await queue({ [A]: 100 }, [A]);
  await red.send('push', { payload: due });
  assert.deepEqual(names(told((await red.send('archive', { payload: due })).out).archived), [A]);
});

test('a batch is archived by hand with a note that says why, and not without one', async (t) => {
  const nodes = [
    archive({ operation: 'cancelled', note: 'why', noteType: 'msg' }),
    archive({ id: 'failed', operation: 'failed', note: 'no such order' }),
  ];
  const { red, queue, sql } = await startCycle(t, nodes);
  const [, second] = await queue({ [A]: 10, [B]: 20 });
  for (const why of [undefined, '  ']) {
    assert.match((await red.send('archive', { mo_id: A, why })).error?.message ?? '', /Note: say why/);
  }
  assert.equal(red.status('archive').fill, 'red');
  assert.deepEqual(names(told((await red.send('archive', { mo_id: A, why: 'customer cancelled' })).out).archived), [A]);
  assert.deepEqual(names(told((await red.send('failed', { payload: second })).out).archived), [B]);
  assert.deepEqual(await sql(HISTORY), [
    { mo_id: A, status: 'cancelled', notes: 'customer cancelled' },
    { mo_id: B, status: 'failed', notes: 'no such order' },
  ]);
});

test('a message that names no batch, or one that is not queued, is an error that says so', async (t) => {
  const { red } = await startCycle(t, [archive(), archive({ id: 'failed', operation: 'failed', note: 'x' })]);
  for (const payload of [1763755200000, undefined, [null], [{ mo_id: A }]]) {
    assert.match((await red.send('archive', { payload })).error?.message ?? '', /no batch named/);
  }
  assert.match((await red.send('failed', { payload: [] })).error?.message ?? '', /no batch named/);
  assert.match((await red.send('failed', { mo_id: A })).error?.message ?? '', /WH\/MO\/00001 is not in the queue/);
  assert.deepEqual(told((await red.send('archive', { payload: [] })).out), { archived: [], kept: [], queue: 0 });
});

test('a batch under a live lease stays, with the reason', async (t) => {
  const { red, queue, sql } = await startCycle(t, [archive({ operation: 'failed', note: 'x' })]);
  const due = await queue({ [A]: 10 });
  await sql(`UPDATE mo_batch SET lease_owner = gen_random_uuid(), lease_until = now() + interval '1 minute'`);
  const { out } = await red.send('archive', { payload: due });
  assert.deepEqual(
    told(out).kept.map(({ reason }) => reason),
    ['a push of it is running'],
  );
});

test('a lost database is a red status and an error, and the node recovers by itself', async (t) => {
  const { red, network } = await startCycle(t, [archive({ source: 'all' })]);
  await network.goAway();
  assert.match((await red.send('archive')).error?.message ?? '', /database not available, Batches: /);
  assert.equal(red.status('archive').fill, 'red');
  await network.comeBack();
  await red.shows('archive', /grey: ready/);
  assert.equal((await red.send('archive')).error, undefined);
});

test('a missing database node is named in the status and in every error', async (t) => {
  const { red } = await startCycle(t, [archive({ database: '' })]);
  assert.match(red.status('archive').text ?? '', /no Database chosen/);
  assert.match((await red.send('archive', { payload: [] })).error?.message ?? '', /no Database chosen/);
});

test('an order with several rows, or several orders in msg.mo_id, are refused by name', async (t) => {
  const { red, queue, sql } = await startCycle(t, [archive({ operation: 'failed', note: 'x' })]);
  const [batch] = await queue({ [A]: 10 });
  await sql(`INSERT INTO mo_batch (mo_id, duplicate, set_aside_at) VALUES ('${A}', true, now())`);
  const [aside] = await sql(`SELECT id FROM mo_batch WHERE duplicate`);
  const { message = '' } = (await red.send('archive', { mo_id: A })).error ?? {};
  assert.match(message, /WH\/MO\/00001 has several rows .* msg\.payload = \[\{"id"/);
  for (const row of [batch, aside]) assert.ok(message.includes((row as { id: string }).id));
  assert.match((await red.send('archive', { mo_id: [A, B] })).error?.message ?? '', /msg\.mo_id names one order/);
  assert.equal(told((await red.send('archive', { payload: [aside] })).out).archived.length, 1);
  assert.deepEqual(names(told((await red.send('archive', { mo_id: A })).out).archived), [A]);
});

test('the held reading of an order that is not queued is discarded by hand, with a note', async (t) => {
  const { red, ask } = await startCycle(t, [
    archive(),
    archive({ id: 'failed', operation: 'failed', note: 'typed wrong on the panel' }),
  ]);
  await ask('record', { payload: [{ slot: 1, mo_id: A, status_manufacturing: true, consumption: { silo_a: 5 } }] });
  assert.match((await red.send('archive', { mo_id: A })).error?.message ?? '', /is not in the queue/);
  const { out } = await red.send('failed', { mo_id: A });
  assert.deepEqual(out[0]?.[0]?.payload, { archived: [], kept: [], discarded: [{ mo_id: A }], queue: 0 });
  assert.match(red.status('failed').text ?? '', /^held reading of MO WH\/MO\/00001 discarded · /);
  assert.match((await red.send('failed', { mo_id: A })).error?.message ?? '', /is not in the queue/);
});
