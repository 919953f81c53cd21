import assert from 'node:assert/strict';
import { PLAN, plantTest, until, UPDATE } from '../../support/push-plant';

const TEN = { ...PLAN, silo_a: 10 };

plantTest('a correction by hand of a running row stays when the PLC reads the same again', async (plant) => {
  const [mo = ''] = await plant.queue({});
  await plant.read(mo, { silo_a: 10, silo_b: 20 });
  await plant.push(mo);
  const corrected = await plant.manual({ mo_id: mo, consumption: { silo_a: 12.5 } });
  assert.deepEqual([corrected.conclusion, corrected.db_saved], ['confirmed', true], corrected.reason);
  assert.equal((await plant.row(mo)).update_odoo, true);
  await plant.read(mo, { silo_a: 10, silo_b: 20 });
  await plant.read(mo, { silo_a: 10, silo_b: 21 });
  assert.equal((await plant.push(mo)).conclusion, 'confirmed');
  const { silo101, silo102 } = plant.odoo.done(mo);
  assert.deepEqual([silo101, silo102], [12.5, 21]);
});

plantTest('a correction by hand confirms the row only if nothing else of it is unconfirmed', async (plant) => {
  const [mo = ''] = await plant.queue({});
  await plant.read(mo, { silo_a: 10, silo_b: 20 });
  assert.equal((await plant.manual({ mo_id: mo, consumption: { silo_a: 12.5 } })).conclusion, 'confirmed');
  assert.equal((await plant.row(mo)).update_odoo, false);
  assert.equal((await plant.push(mo)).conclusion, 'confirmed');
  assert.equal((await plant.row(mo)).update_odoo, true);
});

plantTest('a correction to 0 by hand works', async (plant) => {
  const [mo = ''] = await plant.queue({});
  await plant.read(mo, { silo_a: 10 });
  await plant.push(mo);
  assert.equal((await plant.manual({ mo_id: mo, consumption: { silo_a: 0 } })).conclusion, 'confirmed');
  assert.equal(plant.odoo.done(mo).silo101, 0);
});

plantTest(
  'a completed row is locked against a correction, and corrected together with Odoo on demand',
  async (plant) => {
    const [mo = ''] = await plant.queue({});
    await plant.read(mo, PLAN, { finished: 2500, complete: true });
    await plant.push(mo);
    const locked = await plant.manual({ mo_id: mo, consumption: { silo_a: 830 } });
    assert.deepEqual([locked.locked, locked.db_saved], [true, false]);
    assert.equal(plant.odoo.done(mo).silo101, 825);
    assert.equal((await plant.row(mo)).update_odoo, true);
    const corrected = await plant.manual({ mo_id: mo, consumption: { silo_a: 830 }, correct_completed: true });
    assert.deepEqual([corrected.conclusion, corrected.db_saved], ['confirmed', true]);
    assert.equal(plant.odoo.done(mo).silo101, 830);
    assert.equal((await plant.push(mo, { finish: true })).done, true);
    assert.deepEqual(await plant.archive(), [mo]);
  },
);

plantTest('mark done by hand pushes what Odoo has not confirmed, closes the order and saves both', async (plant) => {
  const [mo = ''] = await plant.queue({});
  await plant.read(mo, PLAN);
  const marked = await plant.manual({ mo_id: mo, finished: 2500, markDone: true });
  assert.deepEqual([marked.conclusion, marked.done, marked.db_saved], ['confirmed', true, true], marked.reason);
  await plant.push(mo, { finish: true });
  assert.deepEqual(await plant.archive(), [mo]);
});

plantTest(
  'a correction by hand that Odoo takes in part leaves the row unconfirmed, to be pushed again',
  async (plant) => {
    const [mo = ''] = await plant.queue({});
    await plant.read(mo, { silo_a: 10 });
    await plant.push(mo);
    plant.odoo.setFault({ kind: 'cutAfter', route: UPDATE });
    const lost = await plant.manual({ mo_id: mo, consumption: { silo_a: 11 } });
    assert.deepEqual([lost.conclusion, lost.db_saved], ['unknown-outcome', false]);
    assert.equal((await plant.row(mo)).update_odoo, false);
    assert.equal((await plant.push(mo)).conclusion, 'confirmed');
    assert.equal(plant.odoo.done(mo).silo101, 10);
  },
);

plantTest(
  'without the database, or for an order that is not in it, a manual call reaches Odoo only, and says so',
  async (plant) => {
    const mo = plant.odoo.createOrder({}).name;
    const request = { mo_id: mo, consumption: { silo_a: 10 }, markDone: false, correct_completed: false };
    const unknown = await plant.pushes().manual(plant.ledger, request);
    assert.deepEqual(
      [unknown.conclusion, unknown.db_saved, unknown.warning],
      ['confirmed', false, 'MO not in the database'],
    );
    const without = await plant.pushes().manual(null, request);
    assert.deepEqual([without.conclusion, without.db_saved], ['confirmed', false]);
    assert.match(without.warning ?? '', /no database/);
  },
);

plantTest('while one push of an order runs, another and a manual one are refused', async (plant) => {
  const [mo = ''] = await plant.queue({});
  await plant.read(mo, TEN);
  plant.odoo.setFault({ kind: 'delay', route: UPDATE, ms: 300 });
  const running = plant.push(mo);
  await until(() => plant.count(UPDATE) === 1);
  assert.equal((await plant.push(mo)).skipped, 'leased');
  const manual = await plant.manual({ mo_id: mo, consumption: { silo_a: 1 } });
  assert.deepEqual([manual.conclusion, manual.skipped], ['busy', 'leased']);
  assert.equal((await running).conclusion, 'confirmed');
});
