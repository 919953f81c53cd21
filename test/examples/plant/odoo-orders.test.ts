/** Orders that are not plain: units, by-products, lots, locations, backorders, companies. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Component, NewOrder, SimulatedOdoo } from '../../../examples/plant/odoo/simulated-odoo';
import type { TestContext } from 'node:test';
import { UPDATE, callKw, client, errorOf, login, result, send, started } from './odoo-client';
import type { Post } from './odoo-client';

const DONE = '/api/scada/mo/mark-done';
const MATERIAL = '/api/scada/material-consumption';
const FLAGS = { context: { skip_consumption: true, skip_backorder: true } };
const ONE: Component = { code: 'silo101', product: 'Pollard Angsa', quantity: 100 };

async function withOrder(
  t: TestContext,
  { components = [ONE], ...order }: NewOrder = {},
): Promise<{ odoo: SimulatedOdoo; post: Post; name: string }> {
  const odoo = await started(t);
  const { name } = odoo.createOrder({ bomQty: 100, quantity: 100, policy: 'flexible', components, ...order });
  return { odoo, post: await client(odoo), name };
}

const rows = async (post: Post, model: string, domain: unknown[], fields: string[]) =>
  result(await callKw(post, model, 'search_read', [domain, fields])) as unknown as Record<string, unknown>[];
const close = (post: Post, id = 1) => callKw(post, 'mrp.production', 'button_mark_done', [[id]], FLAGS);

test('a component without a silo ends done with 0, a by-product is cancelled with 0, unless a figure was entered', async (t) => {
  const components = [ONE, { code: null, product: 'Bags', quantity: 4, uom: 'Units' }];
  const order: NewOrder = { components, byproducts: [{ product: 'Dust', quantity: 2 }] };
  for (const entered of [false, true]) {
    const { odoo, post, name } = await withOrder(t, order);
    await post(UPDATE, { mo_id: name, silo101: 100, quantity: 100 });
    const [, bags] = odoo.order(name).moves;
    const [dust] = odoo.order(name).byproducts;
    if (entered) {
      await callKw(post, 'stock.move', 'write', [[bags?.id], { quantity_done: 4 }]);
      await callKw(post, 'stock.move', 'write', [[dust?.id], { quantity_done: 2 }]);
    }
    assert.equal(result(await close(post)), true);
    const moves = [...odoo.order(name).moves, ...odoo.order(name).byproducts].slice(1);
    const expected = entered ? ['Bags 4 done', 'Dust 2 done'] : ['Bags 0 done', 'Dust 0 cancel'];
    assert.deepEqual(
      moves.map(({ product, done, state }) => `${product} ${done} ${state}`),
      expected,
    );
  }
});

test('moves tell whether they are components or by-products, and which order they belong to', async (t) => {
  const { odoo, post, name } = await withOrder(t, { byproducts: [{ product: 'Dust', quantity: 2, uom: 'g' }] });
  const { id } = odoo.order(name);
  const raw = await rows(post, 'stock.move', [['raw_material_production_id', '=', id]], ['product_id']);
  assert.equal(raw.length, 1);
  const made = await rows(post, 'stock.move', [['production_id', '=', id]], ['product_uom_qty', 'product_uom']);
  assert.deepEqual(
    made.map(({ product_uom_qty, product_uom }) => [product_uom_qty, product_uom]),
    [
      [100, [3, 'kg']],
      [2, [4, 'g']],
    ],
  );
  const [order] = await rows(post, 'mrp.production', [['id', '=', id]], ['move_byproduct_ids', 'move_finished_ids']);
  assert.deepEqual(order?.move_byproduct_ids, [made[1]?.id]);
  assert.deepEqual(order?.move_finished_ids, [made[0]?.id, made[1]?.id]);
});

test('a component reserved from two lots or locations refuses every figure until the order is unreserved', async (t) => {
  for (const part of [{ lot: 'L2' }, { location: 'WH/Stock/B' }]) {
    const reserved = [
      { lot: 'L1', location: 'WH/Stock/A', quantity: 60 },
      { ...part, quantity: 40 },
    ];
    const { odoo, post, name } = await withOrder(t, { components: [{ ...ONE, reserved }] });
    const update = async () => result(await post(UPDATE, { mo_id: name, silo101: 90, quantity: 100 }));
    const refusal = /^Cannot set the done quantity from this stock move, work directly with the move lines/;
    const refused = await update();
    assert.equal(refused.status, 'error');
    assert.match(String(refused.message), refusal);
    const [move] = odoo.order(name).moves;
    const written = await callKw(post, 'stock.move', 'write', [[move?.id], { quantity_done: 90 }]);
    assert.match(errorOf(written)?.data.message ?? '', refusal);
    const material = { mo_id: name, equipment_id: 'silo101', product_id: 2, timestamp: '2026-01-01 00:00:00' };
    const added = await post(MATERIAL, { ...material, quantity: 1 });
    assert.match(String(result(added).message), refusal);
    const lines = await rows(post, 'stock.move.line', [['move_id', '=', move?.id]], ['lot_id', 'product_uom_qty']);
    assert.deepEqual(
      lines.map(({ product_uom_qty }) => product_uom_qty),
      [60, 40],
    );
    assert.equal(odoo.done(name).silo101, 0);
    assert.equal(result(await callKw(post, 'mrp.production', 'do_unreserve', [[1]])), true);
    assert.equal((await update()).status, 'success');
    assert.equal(odoo.done(name).silo101, 90);
  }
});

test('a component reserved from one lot takes its figure and keeps the lot', async (t) => {
  const reserved = [{ lot: 'L1', quantity: 100 }];
  const { post, name } = await withOrder(t, { components: [{ ...ONE, tracking: 'lot', reserved }] });
  await post(UPDATE, { mo_id: name, silo101: 90, quantity: 100 });
  const domain = [['move_id.raw_material_production_id', '=', 1]];
  const lines = await rows(post, 'stock.move.line', domain, ['qty_done', 'lot_id', 'product_uom_id']);
  assert.deepEqual(
    lines.map(({ qty_done, lot_id, product_uom_id }) => [qty_done, lot_id, product_uom_id]),
    [[90, [1, 'L1'], [3, 'kg']]],
  );
  assert.equal(result(await close(post)), true);
});

test("a tracked product without a lot refuses the close, with the product's name on the second line", async (t) => {
  const cases: NewOrder[] = [
    { components: [{ ...ONE, product: 'Serum', tracking: 'lot' }] },
    { product: 'Serum', tracking: 'serial' },
  ];
  for (const order of cases) {
    const { odoo, post, name } = await withOrder(t, order);
    await post(UPDATE, { mo_id: name, silo101: 90, quantity: 100 });
    const [first, second] = errorOf(await close(post))?.data.message.split('\n') ?? [];
    assert.match(first ?? '', /^You need to supply a Lot\/Serial Number for product:/);
    assert.match(second ?? '', /Serum/);
    const marked = result(await post(DONE, { mo_id: name, finished_qty: 100 }));
    assert.deepEqual([marked.status, String(marked.message).split('\n').length], ['error', 2]);
    assert.equal(odoo.order(name).state, 'to_close');
  }
});

test('units are records with a category, a factor and a rounding', async (t) => {
  const components = [
    { ...ONE, uom: 't', quantity: 0.8255 },
    { code: null, product: 'Labels', quantity: 7, uom: 'Units' },
  ];
  const { odoo, post, name } = await withOrder(t, { uom: 'kilos', components });
  odoo.defineUnit({ name: 'kilos', category: 'Weight', factor: 1, rounding: 0.001 });
  const fields = ['name', 'category_id', 'factor', 'rounding'];
  assert.deepEqual(await rows(post, 'uom.uom', [['id', 'in', [3, 7]]], fields), [
    { id: 3, name: 'kg', category_id: [2, 'Weight'], factor: 1, rounding: 0.01 },
    { id: 7, name: 't', category_id: [2, 'Weight'], factor: 0.001, rounding: 0.01 },
  ]);
  const [order] = await rows(post, 'mrp.production', [['name', '=', name]], ['product_uom_id']);
  const [id] = order?.product_uom_id as [number, string];
  const [kilos] = result(await callKw(post, 'uom.uom', 'read', [[id], fields])) as unknown as object[];
  assert.deepEqual(kilos, { id, name: 'kilos', category_id: [2, 'Weight'], factor: 1, rounding: 0.001 });
  await post(UPDATE, { mo_id: name, quantity: 100 });
  const detail = result(await post('/api/scada/mo-detail', { params: { mo_id: name } })).data as { uom: string };
  assert.equal(detail.uom, 'kilos');
  assert.equal(odoo.order(name).moves[0]?.plan.toFixed(6), '0.830000', 'rounded to the unit');
});

test('closing a part by hand renames the order to -001 and leaves -002 open', async (t) => {
  const { odoo, post, name } = await withOrder(t);
  await post(UPDATE, { mo_id: name, silo101: 40, quantity: 40 });
  const rest = odoo.backorderByHand(name, 40);
  assert.equal(rest.name, `${name}-002`);
  const found = await rows(post, 'mrp.production', [['name', '=like', `${name}%`]], ['name', 'state', 'product_qty']);
  assert.deepEqual(
    found.map(({ name, state, product_qty }) => [name, state, product_qty]),
    [
      [`${name}-001`, 'done', 40],
      [`${name}-002`, 'confirmed', 60],
    ],
  );
  const [first] = await rows(post, 'mrp.production', [['id', '=', 1]], ['name', 'procurement_group_id']);
  assert.deepEqual(first, { id: 1, name: `${name}-001`, procurement_group_id: [1, name] });
  assert.match(String(result(await post(UPDATE, { mo_id: name, silo101: 1 })).message), /not found$/);
  assert.equal(result(await post(UPDATE, { mo_id: rest.name, silo101: 1 })).status, 'success');
  assert.deepEqual([odoo.done(1).silo101, odoo.done(rest.id).silo101], [40, 1]);
  const again = odoo.backorderByHand(rest.name, 20);
  assert.deepEqual([odoo.order(rest.id).name, again.name], [`${name}-002`, `${name}-003`]);
});

test('two companies can have one name: a search gives both, the addon takes the first', async (t) => {
  const odoo = await started(t, {
    users: [
      { uid: 6, login: 'scada', password: 'scada', role: 'manager' },
      { uid: 7, login: 'maju', password: 'maju', role: 'manager', companies: ['PT Maju'] },
    ],
  });
  odoo.createOrder({ name: 'PT Ma/MO/00001', schedule: '2026-01-02 00:00:00' });
  odoo.createOrder({ name: 'PT Ma/MO/00001', schedule: '2026-01-01 00:00:00', company: 'PT Maju' });
  assert.throws(() => odoo.createOrder({ name: 'PT Ma/MO/00001', company: 'PT Maju' }), /exists/);
  const post = await client(odoo);
  const named = [['name', '=', 'PT Ma/MO/00001']];
  const fields = ['company_id'];
  assert.deepEqual(await rows(post, 'mrp.production', named, fields), [
    { id: 2, company_id: [2, 'PT Maju'] },
    { id: 1, company_id: [1, 'My Company'] },
  ]);
  assert.equal((await rows(post, 'mrp.production', [['id', '=', 1]], fields)).length, 1);
  await post(UPDATE, { mo_id: 'PT Ma/MO/00001', silo101: 5 });
  assert.deepEqual([odoo.done(1).silo101, odoo.done(2).silo101], [0, 5]);
  const limited = await client(odoo, 'maju');
  assert.equal((await rows(limited, 'mrp.production', named, fields)).length, 1);
});

test('mo-detail takes a text of digits for an id', async (t) => {
  const { post, name } = await withOrder(t, { name: '02203' });
  const detail = async (mo_id: string) => result(await post('/api/scada/mo-detail', { params: { mo_id } }));
  assert.equal((await detail(name)).status, 'error');
  assert.equal(((await detail('0001')).data as { mo_id: string }).mo_id, name);
});

test('material-consumption picks the move by product, whatever silo is named', async (t) => {
  const components = [ONE, { ...ONE, code: 'silo102' }];
  const { odoo, post, name } = await withOrder(t, { components });
  await post(UPDATE, { mo_id: name, silo101: 90, silo102: 80 });
  const zero = { mo_id: name, equipment_id: 'silo102', product_id: 2, quantity: 0, update_mode: 'replace' };
  const answer = await post(MATERIAL, { ...zero, timestamp: '2026-01-01 00:00:00' });
  assert.equal(result(answer).status, 'success');
  assert.deepEqual(odoo.done(name), { silo101: 0, silo102: 80 });
});

test('a model, a field or a method that Odoo lacks fails, and a write of text changes nothing', async (t) => {
  const { odoo, post } = await withOrder(t);
  const answers = await Promise.all([
    callKw(post, 'uom.uom', 'read', [[3], ['kilos']]),
    callKw(post, 'stock.move.line', 'search_read', [[['quantity', '=', 1]]]),
    callKw(post, 'uom.uom', 'do_unreserve', [[3]]),
    callKw(post, 'stock.lot', 'search_read', [[]]),
    callKw(post, 'mrp.production', 'write', [[1], { qty_producing: 'many' }]),
    callKw(post, 'product.product', 'write', [[1], { tracking: 'lot' }]),
  ]);
  assert.deepEqual(
    answers.map((answer) => errorOf(answer)?.code),
    answers.map(() => 200),
  );
  assert.equal(odoo.order(1).producing, 0);
  assert.equal(result(await callKw(post, 'mrp.production', 'write', [[1], { qty_producing: 12.345 }])), true);
  assert.equal(odoo.order(1).producing, 12.35);
});

test('another process makes backorders, unreserves, renames and defines units', async (t) => {
  const { odoo, name } = await withOrder(t, { reserved: true });
  const control = async (what: string, body: object) =>
    (await send(odoo.url, `/__plant/odoo/${what}`, JSON.stringify(body))).body as Record<string, unknown>;
  const { moves } = (await control('unreserve', { name })) as { moves?: { state: string }[] };
  assert.equal(moves?.[0]?.state, 'confirmed');
  assert.equal((await control('rename', { name, to: 'X/1' })).name, 'X/1');
  assert.equal((await control('backorder', { name: 'X/1', quantity: 30 })).quantity, 70);
  assert.equal((await control('units', { name: 'kg', category: 'Weight', factor: 1, rounding: 1 })).rounding, 1);
  assert.equal((await control('collide', { collisions: 'fixed' })).collisions, 'fixed');
  await login(odoo.url);
});

test('what a person plans anew from a silo is what Odoo tells, over all its moves', async (t) => {
  const { odoo, post, name } = await withOrder(t, { components: [ONE, { ...ONE, quantity: 50 }] });
  odoo.planByHand(name, 'silo101', 120);
  const planned = await rows(post, 'stock.move', [['raw_material_production_id', '=', 1]], ['product_uom_qty']);
  assert.deepEqual(
    planned.map(({ product_uom_qty }) => product_uom_qty),
    [70, 50],
  );
  assert.throws(() => odoo.planByHand(name, 'silo102', 1), /no component on silo102/);
});
