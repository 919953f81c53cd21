/** Lots and units at a standard Odoo, on every generation. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VERSIONS } from '../../../../examples/plant/odoo/standard/standard-odoo';
import { hasLot } from '../../../../nodes/lib/odoo/generation';
import { world } from './world';

const BY_LOT = {
  components: [
    {
      ...{ product: 'Lysine', code: 'silo101', quantity: 825, tracking: 'lot' as const },
      reserved: [
        { lot: 'L1', location: 'WH/Stock/SILO101', quantity: 500 },
        { lot: 'L2', location: 'WH/Stock/SILO101', quantity: 325 },
      ],
    },
  ],
};
type Lines = { lot: string | null; figure: number }[];

for (const version of VERSIONS) {
  test(`${version}: reserved lots stay, in their order; what exceeds them is on the last one`, async (t) => {
    const one = await world(t, version, BY_LOT);
    for (const silo_a of [200, 600, 700]) {
      const said = await one.push({ silo_a });
      assert.equal(said.conclusion, 'confirmed', said.reason);
    }
    const open = one.odoo.calls.length;
    const { conclusion, reason } = await one.finish({ silo_a: 840 }, 2500);
    assert.equal(conclusion, 'confirmed', reason);
    assert.ok(one.odoo.calls.length - open <= 13, `${one.odoo.calls.length - open} calls`);
    assert.deepEqual(one.odoo.done(one.key.mo_id), { silo101: 840 });
    const lots = one.odoo.order(one.key.mo_id).moves.flatMap(({ lines }) => lines as unknown as Lines);
    assert.ok(
      lots.every(({ lot }) => lot === 'L1' || lot === 'L2'),
      JSON.stringify(lots),
    );
    assert.deepEqual(one.odoo.takenFrom(one.key.mo_id), { 'WH/Stock/SILO101': 840 });
  });

  test(`${version}: where it is not wanted, an excess is refused at the close alone, by name, with what to do`, async (t) => {
    const one = await world(t, version, BY_LOT);
    assert.equal((await one.push({ silo_a: 840 })).conclusion, 'confirmed');
    const said = await one.finish({ silo_a: 840 }, 2500, { refuseExcess: true });
    assert.equal(said.conclusion, 'undecided');
    assert.match(said.reason, /Lysine \(silo101\): 840 kg taken, 825 kg reserved; enter the lot/);
    assert.notEqual(one.odoo.order(one.key.mo_id).state, 'done');
    assert.equal((await one.finish({ silo_a: 825 }, 2500, { refuseExcess: true })).conclusion, 'confirmed');
  });

  test(`${version}: a product tracked by lot gets one named after the order, in at most six calls of closing`, async (t) => {
    const one = await world(t, version, { tracking: 'lot' });
    assert.equal((await one.push({ silo_a: 400 })).conclusion, 'confirmed');
    const { conclusion, reason } = await one.finish({ silo_a: 800 }, 2400);
    assert.equal(conclusion, 'confirmed', reason);
    assert.equal(one.odoo.order(one.key.mo_id).state, 'done');
    const { reader } = one.orders;
    const generation = await reader.generation();
    const [record] = await reader.productions([['id', '=', one.key.odoo_id]]);
    assert.ok(record && hasLot(record, generation));
    const named = { domain: [['name', '=', one.key.mo_id]], fields: ['name'] };
    assert.equal(((await reader.ask(generation.finishedLot.model, 'search_read', named)) as unknown[]).length, 1);
  });

  test(`${version}: an order and a component in grams are weighed exactly`, async (t) => {
    const grams = { product: 'Vitamin', code: 'silo102', quantity: 375_000, uom: 'g' };
    const one = await world(t, version, {
      components: [{ product: 'Pollard Angsa', code: 'silo101', quantity: 825 }, grams],
    });
    assert.equal((await one.push({ silo_a: 400, silo_b: 12.34 })).conclusion, 'confirmed');
    const { conclusion, reason } = await one.finish({ silo_a: 800, silo_b: 370.05 }, 2400);
    assert.equal(conclusion, 'confirmed', reason);
    assert.deepEqual(one.odoo.done(one.key.mo_id), { silo101: 800, silo102: 370.05 });
  });
}

for (const version of VERSIONS)
  test(`${version}: an excess is seen after a restart, too, and a lot that is there already is taken`, async (t) => {
    const one = await world(t, version, { ...BY_LOT, tracking: 'lot' });
    assert.equal((await one.push({ silo_a: 600 })).conclusion, 'confirmed');
    one.restarted();
    assert.equal((await one.finish({ silo_a: 840 }, 2500, { refuseExcess: true })).conclusion, 'undecided');
    one.restarted();
    const { conclusion, reason } = await one.finish({ silo_a: 840 }, 2500);
    assert.equal(conclusion, 'confirmed', reason);
  });
