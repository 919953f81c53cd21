import assert from 'node:assert/strict';
import { SiloMap } from '../../../nodes/lib/domain/silos';
import { PLAN, plantTest, type PushPlant, until, UPDATE } from '../../support/push-plant';

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

plantTest('a reading that overtakes a call by hand wins: not saved, and named with both values', async (plant) => {
  const [mo = ''] = await plant.queue({});
  await plant.read(mo, { silo_a: 10, silo_b: 20 });
  await plant.push(mo);
  plant.odoo.setFault({ kind: 'delay', route: UPDATE, ms: 300 });
  const running = plant.manual({ mo_id: mo, consumption: { silo_a: 12, silo_b: 22 } });
  await until(() => plant.count(UPDATE) === 2);
  await plant.read(mo, { silo_a: 15, silo_b: 20 });
  const overtaken = await running;
  assert.deepEqual([overtaken.conclusion, overtaken.db_saved], ['confirmed', false]);
  assert.match(overtaken.warning ?? '', /silo_a: 12 kg by hand, 15 kg in the row/);
  assert.doesNotMatch(overtaken.warning ?? '', /silo_b/);
  assert.equal((await plant.row(mo)).pending_call, null);
  assert.equal((await plant.push(mo)).conclusion, 'confirmed');
  const { silo101, silo102 } = plant.odoo.done(mo);
  assert.deepEqual([silo101, silo102], [15, 22]);
});

plantTest(
  'a batch that the PLC completes under a call by hand keeps its final values, and the call is told',
  async (plant) => {
    const [mo = ''] = await plant.queue({});
    await plant.read(mo, PLAN);
    await plant.push(mo);
    plant.odoo.setFault({ kind: 'delay', route: UPDATE, ms: 300 });
    const running = plant.manual({ mo_id: mo, consumption: { silo_a: 830 } });
    await until(() => plant.count(UPDATE) === 2);
    await plant.read(mo, PLAN, { finished: 2500, complete: true });
    const overtaken = await running;
    assert.equal(overtaken.db_saved, false);
    assert.match(overtaken.warning ?? '', /silo_a: 830 kg by hand, 825 kg in the row/);
    assert.equal((await plant.push(mo, { finish: true })).done, true);
    assert.equal(plant.odoo.done(mo).silo101, 825);
  },
);

/** What a call that sent nothing must leave as it is. */
const untouched = async (plant: PushPlant, mo: string): Promise<object> => {
  const { attempts, next_attempt_at, update_odoo, sent_consumption, pending_call } = await plant.row(mo);
  return { attempts, next_attempt_at, update_odoo, sent_consumption, pending_call };
};

plantTest('a call that sent nothing leaves the pause, the attempts and what was sent as they are', async (plant) => {
  const [mo = ''] = await plant.queue({});
  await plant.read(mo, { silo_a: 10 });
  await plant.push(mo);
  await plant.db.none(`UPDATE mo_batch SET attempts = 3, next_attempt_at = now() + interval '1 hour'`);
  const before = await untouched(plant, mo);
  const off = new SiloMap([{ tag: 'silo_a', code: 'silo101' }]);
  const calls = plant.odoo.calls.length;
  for (const kg of [5, 0]) {
    const request = { mo_id: mo, consumption: { silo_b: kg }, markDone: false, correct_completed: false };
    const service = plant.pushes({}, off);
    for (const ledger of [plant.ledger, null]) {
      const refused = await service.manual(ledger, request);
      assert.deepEqual([refused.conclusion, refused.sent], ['bad-value', undefined]);
      assert.match(refused.reason, /silo_b: switched off in the silo-map/);
    }
    assert.deepEqual(await untouched(plant, mo), before);
  }
  assert.equal(plant.odoo.calls.length, calls);
  await plant.odoo.stop();
  const refused = await plant.manual({ mo_id: mo, consumption: { silo_a: 11 } });
  assert.deepEqual([refused.conclusion, refused.sent, refused.db_saved], ['unavailable', undefined, false]);
  assert.deepEqual(await untouched(plant, mo), before);
});

plantTest(
  'a push whose connection was refused is not booked as sent, and what was confirmed stays so',
  async (plant) => {
    const [mo = ''] = await plant.queue({});
    await plant.read(mo, { silo_a: 10 });
    await plant.push(mo);
    await plant.read(mo, { silo_a: 11 });
    await plant.odoo.stop();
    const refused = await plant.push(mo);
    assert.deepEqual([refused.conclusion, refused.sent], ['unavailable', undefined]);
    const { sent_consumption, attempts } = await plant.row(mo);
    assert.deepEqual([sent_consumption, attempts], [{ silo_a: 10 }, 1]);
  },
);

for (const how of ['a reading', 'SQL', 'hand'] as const) {
  plantTest(`finished goods that go back to 0 by ${how} are taken back in Odoo too`, async (plant) => {
    const [mo = ''] = await plant.queue({});
    await plant.read(mo, { silo_a: 10 }, { finished: 500 });
    await plant.push(mo);
    assert.equal(plant.odoo.order(mo).producing, 500);
    if (how === 'a reading') await plant.read(mo, { silo_a: 10 }, { finished: 0 });
    if (how === 'SQL') await plant.db.none('UPDATE mo_batch SET actual_weight_quantity_finished_goods = 0');
    if (how === 'hand') {
      const saved = await plant.manual({ mo_id: mo, consumption: { silo_a: 11 }, finished: 0 });
      assert.deepEqual([saved.conclusion, saved.db_saved], ['confirmed', true], saved.reason);
    } else {
      assert.equal((await plant.push(mo)).conclusion, 'confirmed');
    }
    assert.equal(plant.odoo.order(mo).producing, 0);
    const row = await plant.row(mo);
    assert.deepEqual([row.update_odoo, row.actual_weight_quantity_finished_goods], [true, 0]);
  });
}

plantTest(
  'where Odoo does not take finished goods back the row stays unconfirmed, and is not set aside while it runs',
  async (plant) => {
    const [mo = ''] = await plant.queue({});
    await plant.read(mo, { silo_a: 10 }, { finished: 500 });
    await plant.push(mo);
    plant.odoo.setFault({ kind: 'serverError200', route: '/call_kw', method: 'write', count: 'always' });
    await plant.read(mo, { silo_a: 10 }, { finished: 0 });
    const refused = await plant.push(mo);
    assert.deepEqual([refused.conclusion, refused.set_aside], ['unsettled', false]);
    assert.match(refused.reason, /0 kg finished here, 500 kg in Odoo/);
    const row = await plant.row(mo);
    assert.deepEqual([row.update_odoo, row.set_aside_at], [false, null]);
    plant.odoo.clearFaults();
    await plant.pausesOver();
    assert.equal((await plant.push(mo)).conclusion, 'confirmed');
    assert.equal(plant.odoo.order(mo).producing, 0);
  },
);
