import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import type { Fault, SimulatedOdoo } from '../../../examples/plant/odoo/simulated-odoo';
import { UPDATE, client, errorOf, result, started, until } from './odoo-client';
import type { Answer, Post } from './odoo-client';

const DONE = '/api/scada/mo/mark-done';
const silo101 = (odoo: SimulatedOdoo) => odoo.done('WH/MO/00001').silo101;

/** What a fault does to one update of 100 kg: the answer's status, or "cut", and what is on the stock move then. */
async function strike(
  t: TestContext,
  fault: Fault,
): Promise<{ answer: Answer | 'cut'; odoo: SimulatedOdoo; post: Post }> {
  const odoo = await started(t);
  odoo.createOrder();
  const post = await client(odoo);
  odoo.setFault({ route: 'update-with', ...fault });
  const answer = await post(UPDATE, { mo_id: 'WH/MO/00001', silo101: 100 }).catch((error: NodeJS.ErrnoException) => {
    assert.equal(error.code, 'ECONNRESET');
    return 'cut' as const;
  });
  return { answer, odoo, post };
}

test('cutBefore ends the connection and nothing is committed', async (t) => {
  const { answer, odoo } = await strike(t, { kind: 'cutBefore' });
  assert.equal(answer, 'cut');
  assert.equal(silo101(odoo), 0);
});

test('cutAfter ends the connection after the commit', async (t) => {
  const { answer, odoo } = await strike(t, { kind: 'cutAfter' });
  assert.equal(answer, 'cut');
  assert.equal(silo101(odoo), 100);
});

test('commitLate ends the connection at once and overwrites what a retry has written meanwhile', async (t) => {
  const { answer, odoo, post } = await strike(t, { kind: 'commitLate', ms: 500 });
  assert.equal(answer, 'cut');
  await post(UPDATE, { mo_id: 'WH/MO/00001', silo101: 120 });
  await until(() => odoo.calls.some((call) => call.outcome === 'cut, late success'));
  assert.equal(silo101(odoo), 100);
});

test('a stopped server gives up what it would have committed late', async (t) => {
  const { odoo } = await strike(t, { kind: 'commitLate', ms: 20 });
  await odoo.stop();
  await new Promise((resolve) => setTimeout(resolve, 40));
  assert.equal(silo101(odoo), 0);
});

test('http500 and html502 answer with HTML and commit nothing', async (t) => {
  for (const [kind, status] of [
    ['http500', 500],
    ['html502', 502],
  ] as const) {
    const { answer, odoo } = await strike(t, { kind });
    assert.ok(answer !== 'cut');
    assert.equal(answer.status, status);
    assert.match(String(answer.body), /<title>50\d/);
    assert.equal(silo101(odoo), 0);
  }
});

test('expireSession answers with code 100 until the next login', async (t) => {
  const { answer, odoo, post } = await strike(t, { kind: 'expireSession' });
  assert.ok(answer !== 'cut');
  assert.equal(errorOf(answer)?.code, 100);
  assert.equal(errorOf(await post(UPDATE, { mo_id: 'WH/MO/00001', silo101: 100 }))?.code, 100);
  await (
    await client(odoo)
  )(UPDATE, { mo_id: 'WH/MO/00001', silo101: 100 });
  assert.equal(silo101(odoo), 100);
});

test('serverError200 answers with error.code 200 and commits nothing', async (t) => {
  const { answer, odoo } = await strike(t, { kind: 'serverError200' });
  assert.ok(answer !== 'cut');
  assert.equal(answer.status, 200);
  assert.equal(errorOf(answer)?.code, 200);
  assert.equal(silo101(odoo), 0);
});

test('delay lets the call pass later, hang commits and never answers', async (t) => {
  const late = await strike(t, { kind: 'delay', ms: 10 });
  assert.ok(late.answer !== 'cut');
  assert.equal(result(late.answer).status, 'success');
  const odoo = await started(t);
  odoo.createOrder();
  const post = await client(odoo);
  odoo.setFault({ kind: 'hang' });
  const never = post(UPDATE, { mo_id: 'WH/MO/00001', silo101: 100 }).catch((error: Error) => error);
  await until(() => silo101(odoo) === 100);
  await odoo.stop();
  assert.ok((await never) instanceof Error);
});

test('a fault strikes the routes and as often as it says', async (t) => {
  const odoo = await started(t);
  odoo.createOrder();
  const post = await client(odoo);
  odoo.setFault({ kind: 'http500', route: /mark-done$/, count: 2 });
  const update = () => post(UPDATE, { mo_id: 'WH/MO/00001', silo101: 1, quantity: 2500 });
  const done = () => post(DONE, { mo_id: 'WH/MO/00001', finished_qty: 2500 });
  assert.deepEqual([(await update()).status, (await done()).status, (await done()).status], [200, 500, 500]);
  assert.equal((await done()).status, 200);
  odoo.setFault({ kind: 'html502', count: 'always' });
  assert.deepEqual([(await update()).status, (await update()).status], [502, 502]);
  odoo.clearFaults();
  assert.equal((await update()).status, 200);
  assert.throws(() => odoo.setFault({ kind: 'nonsense' as 'delay' }), /unknown fault nonsense/);
});

test('forgets answers a writing call as usual and keeps nothing of it; reading calls are not touched', async (t) => {
  const odoo = await started(t);
  odoo.createOrder();
  const post = await client(odoo);
  odoo.setFault({ kind: 'forgets' });
  assert.equal(errorOf(await post('/api/scada/mo-list-detailed', { limit: 1, offset: 0 })), undefined);
  const answer = await post(UPDATE, { mo_id: 'WH/MO/00001', silo101: 100 });
  assert.equal(result(answer).status, 'success');
  assert.equal(silo101(odoo), 0);
  await post(UPDATE, { mo_id: 'WH/MO/00001', silo101: 100 });
  assert.equal(silo101(odoo), 100);
});

test('a changed password ends the sessions of its user and refuses the old one', async (t) => {
  const odoo = await started(t);
  odoo.createOrder();
  const post = await client(odoo);
  odoo.lockOut('scada', true);
  assert.equal(errorOf(await post(UPDATE, { mo_id: 'WH/MO/00001', silo101: 100 }))?.code, 100);
  const refused = await client(odoo);
  assert.equal(errorOf(await refused(UPDATE, { mo_id: 'WH/MO/00001', silo101: 100 }))?.code, 100);
  odoo.lockOut('scada', false);
  await (
    await client(odoo)
  )(UPDATE, { mo_id: 'WH/MO/00001', silo101: 100 });
  assert.equal(silo101(odoo), 100);
});
