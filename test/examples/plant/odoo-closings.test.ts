import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import type { SimulatedOdoo, SimulatedOdooOptions } from '../../../examples/plant/odoo/simulated-odoo';
import { UPDATE, callKw, client, errorOf, result, started } from './odoo-client';
import type { Answer, Post } from './odoo-client';

const DONE = '/api/scada/mo/mark-done';
const FLAGS = { context: { skip_consumption: true, skip_backorder: true } };

/** Orders that wait for being closed, each with 10 kg too much from silo101 under policy warning. */
async function toClose(
  t: TestContext,
  count: number,
  options: SimulatedOdooOptions = {},
): Promise<{ odoo: SimulatedOdoo; post: Post; close: (id: number) => Promise<Answer>; states: () => string[] }> {
  const odoo = await started(t, { closingMs: 40, ...options });
  const post = await client(odoo);
  for (let id = 1; id <= count; id += 1) {
    const { name } = odoo.createOrder();
    await post(UPDATE, { mo_id: name, silo101: 835, quantity: 2500 });
  }
  const close = (id: number) => callKw(post, 'mrp.production', 'button_mark_done', [[id]], FLAGS);
  return { odoo, post, close, states: () => odoo.orders().map(({ state }) => state) };
}

test('of two closings at a time a 14.0 of 2021 repeats one without its flags, and answers with the wizard', async (t) => {
  const { close, states } = await toClose(t, 2, { collisions: 'context-lost' });
  const answers = await Promise.all([close(1), close(2)]);
  const wizard = answers.map(result).find((made) => made !== (true as unknown));
  assert.equal(wizard?.res_model, 'mrp.consumption.warning');
  assert.equal(answers.filter((made) => result(made) === (true as unknown)).length, 1);
  assert.deepEqual(states().toSorted(), ['done', 'to_close']);
  const open = states().indexOf('to_close') + 1;
  assert.equal(result(await close(open)), true);
  assert.deepEqual(states(), ['done', 'done']);
});

test("of two closings at a time the addon's mark-done says success, and one order stays to_close", async (t) => {
  const { odoo, post, states } = await toClose(t, 0, { collisions: 'context-lost' });
  for (const name of ['A', 'B']) {
    odoo.createOrder({ name, policy: 'flexible' });
    await post(UPDATE, { mo_id: name, silo101: 835, quantity: 2500 });
  }
  const done = (mo_id: string) => post(DONE, { mo_id, finished_qty: 2500 });
  const answers = await Promise.all([done('A'), done('B')]);
  assert.deepEqual(
    answers.map((made) => result(made).status),
    ['success', 'success'],
  );
  assert.deepEqual(states().toSorted(), ['done', 'to_close']);
});

test('a fixed Odoo repeats a closing with its flags, and gives some up with error.code 200', async (t) => {
  const { close, states } = await toClose(t, 4, { collisions: 'fixed' });
  const first = await Promise.all([close(1), close(2)]);
  assert.deepEqual(first.map(result), [true, true]);
  const second = await Promise.all([close(3), close(4)]);
  const errors = second.map(errorOf).filter((error) => error !== undefined);
  assert.equal(errors.length, 1);
  assert.equal(errors[0]?.code, 200);
  assert.match(errors[0]?.data.message ?? '', /^could not serialize access/);
  assert.deepEqual(states().toSorted(), ['done', 'done', 'done', 'to_close']);
});

test('closings of orders that share no product do not meet, nor do a closing and an update', async (t) => {
  const { odoo, post, close, states } = await toClose(t, 1, { collisions: 'context-lost' });
  const other = { product: 'Other', components: [{ code: 'silo102', product: 'Rice', quantity: 5 }], quantity: 5 };
  const { name } = odoo.createOrder({ ...other, bomQty: 5 });
  await post(UPDATE, { mo_id: name, silo102: 6, quantity: 5 });
  assert.deepEqual((await Promise.all([close(1), close(2)])).map(result), [true, true]);
  assert.deepEqual(states(), ['done', 'done']);
  const { name: third } = odoo.createOrder();
  odoo.createOrder();
  await post(UPDATE, { mo_id: third, silo101: 835, quantity: 2500 });
  const [closed, updated] = await Promise.all([close(3), post(UPDATE, { mo_id: 'WH/MO/00004', silo101: 1 })]);
  assert.equal(result(closed), true);
  assert.equal(result(updated).status, 'success');
});

test('faults make one closing lose its context, or fail to serialize, and no other call', async (t) => {
  const { odoo, post, close, states } = await toClose(t, 1);
  odoo.setFault({ kind: 'contextLost', method: 'button_mark_done' });
  const read = await callKw(post, 'mrp.production', 'read', [[1], ['state']]);
  assert.deepEqual(result(read), [{ id: 1, state: 'to_close' }]);
  assert.equal(result(await close(1)).res_model, 'mrp.consumption.warning');
  odoo.setFault({ kind: 'serialization', method: 'button_mark_done' });
  assert.match(errorOf(await close(1))?.data.message ?? '', /^could not serialize access/);
  assert.deepEqual(states(), ['to_close']);
  assert.equal(result(await close(1)), true);
});

test('an order on which nothing was consumed is closed, and keeps 0 kg everywhere', async (t) => {
  for (const policy of ['warning', 'flexible'] as const) {
    const odoo = await started(t);
    const post = await client(odoo);
    odoo.createOrder({ policy });
    await post(UPDATE, { mo_id: 'WH/MO/00001', quantity: 2500 });
    assert.equal(result(await callKw(post, 'mrp.production', 'button_mark_done', [[1]], FLAGS)), true);
    const { state, finished, moves } = odoo.order('WH/MO/00001');
    assert.deepEqual([state, finished], ['done', 2500]);
    assert.deepEqual(
      moves.map(({ done }) => done),
      moves.map(() => 0),
    );
  }
});

test('a strict order that is short in proportion can still differ by a rounding of 0.01 kg', async (t) => {
  const odoo = await started(t);
  const post = await client(odoo);
  const components = [{ code: 'silo101', product: 'Pollard Angsa', quantity: 333.33 }];
  odoo.createOrder({ policy: 'strict', components, bomQty: 1000, quantity: 1000 });
  // 333.33 × 0.92 = 306.6636
  await post(UPDATE, { mo_id: 'WH/MO/00001', silo101: 306.66, quantity: 920 });
  const kwargs = { context: { skip_backorder: true } };
  const asked = await callKw(post, 'mrp.production', 'button_mark_done', [[1]], kwargs);
  assert.equal(result(asked).res_model, 'mrp.consumption.warning');
});
