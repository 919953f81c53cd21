/** Each trap of a standard Odoo, sprung by a client that does not know it: the simulated one catches it as the real one does. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VERSIONS } from '../../../../examples/plant/odoo/standard/standard-odoo';
import type { StandardOdoo, Version } from '../../../../examples/plant/odoo/standard/standard-odoo';
import { caller, FLAGS, standard, TWO_SILOS, type Call } from './standard-client';

const figureName = (version: Version): string => (version >= 17 ? 'quantity' : 'quantity_done');
/** The kilogram's id: what 19 makes of it was recorded (19:046). */
const kgOf = (version: Version): number => (version === 19 ? 16 : 3);

/** What a client writes on each move, beside the figure. */
type Extra = Record<string, unknown>;

const right = (version: Version): Extra => ({
  product_uom: kgOf(version),
  ...(version >= 16 && { manual_consumption: true }),
  ...(version >= 17 && { picked: true }),
});

interface Order {
  id: number;
  moves: number[];
}

function open(odoo: StandardOdoo, more: Parameters<StandardOdoo['createOrder']>[0] = {}): Order {
  const { id, moves } = odoo.createOrder({ ...TWO_SILOS, reserved: true, ...more });
  return { id, moves: moves.map((move) => move.id) };
}

const writes = (
  call: Call,
  version: Version,
  { id, moves }: Order,
  figures: number[],
  extra: Extra,
  order: Extra = {},
) => {
  const commands = figures.map((figure, index) => [1, moves[index], { [figureName(version)]: figure, ...extra }]);
  return call('mrp.production', 'write', [[id], { ...order, move_raw_ids: commands }]);
};

const done = (call: Call, { id }: Order) => call('mrp.production', 'button_mark_done', [[id]], FLAGS);

const consumed = (odoo: StandardOdoo, { id }: Order): number[] => {
  const kg = odoo.done(id);
  return [kg.SILO101 ?? 0, kg.SILO102 ?? 0];
};

const each = (
  versions: readonly Version[],
  name: string,
  run: (odoo: StandardOdoo, version: Version, call: Call) => Promise<void>,
): void => {
  for (const version of versions)
    test(`${version}: ${name}`, async (t) => {
      const odoo = await standard(t, version);
      await run(odoo, version, caller(odoo));
    });
};

const FROM_17 = VERSIONS.filter((version) => version >= 17);
const UP_TO_16 = VERSIONS.filter((version) => version < 17);

each(VERSIONS, 'the one sequence ends with the figures as they were written', async (odoo, version, call) => {
  const order = open(odoo);
  assert.deepEqual(await writes(call, version, order, [800, 370], right(version)), { result: true });
  assert.deepEqual(await writes(call, version, order, [810, 371], right(version), { qty_producing: 2480.5 }), {
    result: true,
  });
  assert.deepEqual(await done(call, order), { result: true });
  assert.deepEqual(consumed(odoo, order), [810, 371]);
  assert.equal(odoo.order(order.id).finished, 2480.5);
});

each(FROM_17, 'a figure without picked reads back and is consumed nowhere', async (odoo, version, call) => {
  const order = open(odoo);
  await writes(call, version, order, [800, 370], { product_uom: kgOf(version) }, { qty_producing: 2500 });
  const { result } = await call('stock.move', 'search_read', [[['raw_material_production_id', '=', order.id]]], {
    fields: ['quantity'],
  });
  assert.deepEqual(
    (result as { quantity: number }[]).map(({ quantity }) => quantity),
    [800, 370],
  );
  assert.deepEqual(await done(call, order), { result: true });
  assert.equal(odoo.order(order.id).state, 'done');
  assert.deepEqual(consumed(odoo, order), [0, 0]);
});

each(FROM_17, '"Check availability" turns a figure without picked into the plan', async (odoo, version, call) => {
  const order = open(odoo);
  await writes(call, version, order, [800, 370], {});
  odoo.people.checkAvailability(order.id);
  const { result } = await call('stock.move', 'read', [order.moves], { fields: ['quantity'] });
  assert.deepEqual(
    (result as { quantity: number }[]).map(({ quantity }) => quantity),
    [825, 375],
  );
});

each(FROM_17, 'mark-done before qty_producing means all as planned', async (odoo, version, call) => {
  const untouched = open(odoo);
  assert.deepEqual(await done(call, untouched), { result: true });
  assert.deepEqual(consumed(odoo, untouched), [825, 375]);
  const pickedOnly = open(odoo);
  await writes(call, version, pickedOnly, [800, 370], { picked: true });
  assert.deepEqual(await done(call, pickedOnly), { result: true });
  assert.deepEqual(consumed(odoo, pickedOnly), [825, 375]);
  const both = open(odoo);
  await writes(call, version, both, [800, 370], right(version));
  assert.deepEqual(await done(call, both), { result: true });
  assert.deepEqual([consumed(odoo, both), odoo.order(both.id).finished], [[800, 370], 2500]);
});

each(UP_TO_16, 'mark-done before qty_producing is a wizard or an error', async (odoo, version, call) => {
  const untouched = open(odoo);
  const { result } = await done(call, untouched);
  assert.equal((result as { res_model: string }).res_model, 'mrp.immediate.production');
  const written = open(odoo);
  await writes(call, version, written, [800, 370], {});
  assert.equal((await done(call, written)).error, 'odoo.exceptions.UserError');
  assert.equal(odoo.order(written.id).state, 'progress');
});

each(VERSIONS, 'a done order takes a late write without the guard', async (odoo, version, call) => {
  const order = open(odoo);
  await writes(call, version, order, [800, 370], right(version), { qty_producing: 2500 });
  await done(call, order);
  const naive = { ...right(version) };
  delete naive.product_uom;
  assert.deepEqual(await writes(call, version, order, [700, 370], naive), { result: true });
  assert.deepEqual(consumed(odoo, order), [700, 370]);
  const guarded = await writes(call, version, order, [600, 370], right(version));
  if (version === 14) {
    // There the planned start is the guard.
    const { result } = await call('mrp.production', 'read', [[order.id]], { fields: ['date_planned_start'] });
    const [{ date_planned_start: start }] = result as [{ date_planned_start: string }];
    const refused = await writes(call, version, order, [500, 370], {}, { date_planned_start: start });
    assert.deepEqual([guarded.result, refused.error], [true, 'odoo.exceptions.UserError']);
    assert.deepEqual(consumed(odoo, order), [600, 370]);
  } else {
    assert.equal(guarded.error, 'odoo.exceptions.UserError');
    assert.deepEqual(consumed(odoo, order), [700, 370]);
  }
});

each(VERSIONS, 'a quantity typed into the form replaces what is not protected', async (odoo, version, call) => {
  const bare = open(odoo);
  await writes(call, version, bare, [800, 370], version >= 17 ? { picked: true } : {});
  odoo.people.typeQuantity(bare.id, 2500);
  assert.deepEqual(consumed(odoo, bare), [825, 375]);
  const full = open(odoo);
  await writes(call, version, full, [800, 370], right(version));
  odoo.people.typeQuantity(full.id, 2500);
  assert.deepEqual(consumed(odoo, full), version >= 16 ? [800, 370] : [825, 375]);
});

each(VERSIONS, 'a figure that rises on the move leaves the silo on 17 and 18', async (odoo, version, call) => {
  const order = open(odoo);
  for (const figures of [
    [200, 100],
    [400, 200],
    [800, 370],
  ])
    await writes(call, version, order, figures, right(version));
  const leaves = version === 17 || version === 18;
  assert.deepEqual(
    odoo.takenFrom(order.id),
    leaves
      ? { 'WH/Stock/SILO101': 200, 'WH/Stock/SILO102': 100, 'WH/Stock': 870 }
      : { 'WH/Stock/SILO101': 800, 'WH/Stock/SILO102': 370 },
  );
});

each(FROM_17, 'a figure written on the line stays in the silo', async (odoo, version, call) => {
  const order = open(odoo);
  const { result } = await call(
    'stock.move.line',
    'search_read',
    [[['move_id.raw_material_production_id', '=', order.id]]],
    { fields: ['move_id'], order: 'id' },
  );
  const lines = (result as { id: number }[]).map(({ id }) => id);
  for (const figures of [
    [200, 100],
    [900, 370],
    [0, 370],
    [800, 370],
  ]) {
    const commands = figures.map((quantity, index) => [
      1,
      order.moves[index],
      {
        product_uom: kgOf(version),
        picked: true,
        manual_consumption: true,
        move_line_ids: [[1, lines[index], { quantity, picked: true }]],
      },
    ]);
    assert.deepEqual(
      await call('mrp.production', 'write', [[order.id], { qty_producing: 2500, move_raw_ids: commands }]),
      { result: true },
    );
  }
  assert.deepEqual(await done(call, order), { result: true });
  assert.deepEqual(odoo.takenFrom(order.id), { 'WH/Stock/SILO101': 800, 'WH/Stock/SILO102': 370 });
});

each(FROM_17, 'true is no proof: done on a cancelled order', async (odoo, _version, call) => {
  const order = open(odoo);
  odoo.cancel(odoo.order(order.id).name);
  assert.deepEqual(await done(call, order), { result: true });
  assert.equal(odoo.order(order.id).state, 'cancel');
});

each(VERSIONS, 'a move of another order is changed there', async (odoo, version, call) => {
  const [a, b] = [open(odoo), open(odoo)];
  assert.deepEqual(await writes(call, version, { id: a.id, moves: b.moves }, [5], right(version)), { result: true });
  assert.deepEqual(
    [consumed(odoo, a), consumed(odoo, b)],
    [
      [0, 0],
      [5, 0],
    ],
  );
});

each(VERSIONS, 'a begun order is missing where only confirmed ones are listed', async (odoo, version, call) => {
  const order = open(odoo);
  await writes(call, version, order, [5, 0], right(version));
  const listed = await call('mrp.production', 'search', [[['state', '=', 'confirmed']]]);
  const all = await call('mrp.production', 'search', [[['state', 'in', ['confirmed', 'progress', 'to_close']]]]);
  assert.deepEqual([listed.result, all.result], [[], [order.id]]);
});

each(VERSIONS, 'less produced without the flag is a wizard', async (odoo, version, call) => {
  const order = open(odoo);
  await writes(call, version, order, [800, 370], right(version), { qty_producing: 2400 });
  const { result } = await call('mrp.production', 'button_mark_done', [[order.id]], {
    context: { skip_consumption: true },
  });
  assert.equal((result as { res_model: string }).res_model, 'mrp.production.backorder');
  assert.equal(odoo.order(order.id).state, 'progress');
});

each(VERSIONS, 'a state filter hides what an emptied silo or a split move tells', async (odoo, version, call) => {
  const order = open(odoo);
  await writes(call, version, order, [900, 0], right(version), { qty_producing: 2500 });
  await done(call, order);
  const all = await call('stock.move', 'search_read', [[['raw_material_production_id', '=', order.id]]], {
    fields: ['product_uom_qty', 'state', figureName(version)],
  });
  const rows = (all.result as Record<string, unknown>[]).map(({ state, ...row }) => [
    row[figureName(version)],
    row.product_uom_qty,
    state,
  ]);
  const expected =
    version === 14
      ? [
          [825, 825, 'done'],
          [0, 0, 'done'],
          [75, 75, 'done'],
        ]
      : [
          [900, version < 17 ? 900 : 825, 'done'],
          [0, 375, 'cancel'],
        ];
  assert.deepEqual(rows, expected);
});

each(VERSIONS, 'all figures 0', async (odoo, version, call) => {
  const order = open(odoo);
  await writes(call, version, order, [0, 0], right(version), { qty_producing: 2500 });
  const answer = await done(call, order);
  if (version === 15 || version === 16) assert.equal(answer.error, 'odoo.exceptions.UserError');
  else assert.deepEqual([answer, odoo.order(order.id).state], [{ result: true }, 'done']);
});

each(VERSIONS, 'a figure in tonnes is rounded to 10 kg', async (odoo, version, call) => {
  const order = open(odoo, { components: [{ code: 'SILO101', product: 'Pollard Angsa', quantity: 0.825, uom: 't' }] });
  const extra = right(version);
  delete extra.product_uom;
  await writes(call, version, order, [0.8255], extra);
  assert.equal(odoo.done(order.id).SILO101, 830);
});

each(VERSIONS, 'one product on two moves keeps two figures', async (odoo, version, call) => {
  const components = [500, 325].map((quantity) => ({ code: 'SILO101', product: 'Pollard Angsa', quantity }));
  const order = open(odoo, { components });
  await writes(call, version, order, [800, 0], right(version), { qty_producing: 2500 });
  assert.deepEqual(await done(call, order), { result: true });
  assert.equal(odoo.done(order.id).SILO101, 800);
});

each(VERSIONS, 'a lot that the rise has lost refuses mark-done on 17 and 18', async (odoo, version, call) => {
  const lot = {
    code: 'SILO101',
    product: 'Vitamin',
    quantity: 100,
    tracking: 'lot' as const,
    reserved: [{ lot: 'VL-A', quantity: 100 }],
  };
  const order = open(odoo, { components: [lot] });
  for (const kg of [3, 6]) await writes(call, version, order, [kg], right(version), { qty_producing: 2500 });
  const answer = await done(call, order);
  if (version === 17 || version === 18) assert.equal(answer.error, 'odoo.exceptions.UserError');
  else assert.deepEqual(answer, { result: true });
});

each(VERSIONS, 'a finished product with lots needs one, but on 19', async (odoo, version, call) => {
  const order = open(odoo, { product: 'JF LOT', tracking: 'lot' });
  await writes(call, version, order, [800, 370], right(version), { qty_producing: 2500 });
  const answer = await done(call, order);
  if (version === 19) return assert.deepEqual(answer, { result: true });
  assert.equal(answer.error, 'odoo.exceptions.UserError');
  const model = version >= 16 ? 'stock.lot' : 'stock.production.lot';
  const [product] = (
    (await call('mrp.production', 'read', [[order.id]], { fields: ['product_id'] })).result as {
      product_id: [number];
    }[]
  ).map(({ product_id: [id] }) => id);
  const { result: id } = await call(model, 'create', [{ name: 'BATCH-1', product_id: product, company_id: 1 }]);
  await writes(call, version, order, [800, 370], right(version), { qty_producing: 2500, lot_producing_id: id });
  assert.deepEqual(await done(call, order), { result: true });
});

for (const version of VERSIONS)
  test(`${version}: an Odoo that forgets answers true and holds neither figures nor stock`, async (t) => {
    const odoo = await standard(t, version);
    const { id, name } = odoo.createOrder(TWO_SILOS);
    const call = caller(odoo);
    const before = odoo.takenFrom(name);
    odoo.setFault({ kind: 'forgets', method: 'button_mark_done' });
    await call('mrp.production', 'write', [[id], { qty_producing: 2500 }]);
    await call('mrp.production', 'button_mark_done', [[id]], FLAGS);
    assert.notEqual(odoo.order(name).state, 'done');
    assert.deepEqual(odoo.takenFrom(name), before);
  });

for (const [version, apiKey] of [
  [16, 'bridge'],
  [17, 'bridge-key'],
] as const)
  test(`${version}: whose password was changed is refused, by key too, until it is changed back`, async (t) => {
    const odoo = await standard(t, version);
    const call = caller(odoo, 6, apiKey);
    odoo.lockOut('bridge', true);
    assert.equal((await call('mrp.production', 'search', [[]])).error, 'odoo.exceptions.AccessDenied');
    odoo.lockOut('bridge', false);
    assert.deepEqual((await call('mrp.production', 'search', [[]])).result, []);
  });
