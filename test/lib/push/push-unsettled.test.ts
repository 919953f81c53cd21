/** What calls by hand may have put into Odoo: left alone, shown, and settled before an order is closed. */
import assert from 'node:assert/strict';
import { DatabasePushLedger } from '../../../nodes/lib/store/leases';
import { MARK_DONE, PLAN, plantTest, type PushPlant, UPDATE } from '../../support/push-plant';

/** More than one time limit after the last call, by the database's clock. */
const later = (plant: PushPlant): Promise<null> =>
  plant.db.none(
    `UPDATE mo_batch SET pending_call = pending_call || jsonb_build_object('at', clock_timestamp() - interval '1 minute')`,
  );

const pending = async (plant: PushPlant, mo: string): Promise<unknown> => {
  const { at: _, ...call } = (await plant.row(mo)).pending_call ?? { at: '' };
  return call;
};

/** A running order, known to Odoo, and a call by hand on silo_b that Odoo took although its answer was cut. */
async function cutCall(plant: PushPlant, fault: 'cutAfter' | 'cutBefore' = 'cutAfter', kg = 5): Promise<string> {
  const [mo = ''] = await plant.queue({});
  await plant.read(mo, { silo_a: 10, silo_b: 0 });
  assert.equal((await plant.push(mo)).conclusion, 'confirmed');
  plant.odoo.setFault({ kind: fault, route: UPDATE });
  const cut = await plant.manual({ mo_id: mo, consumption: { silo_b: kg } });
  assert.deepEqual([cut.conclusion, cut.db_saved], ['unknown-outcome', false]);
  assert.match(cut.reason, /repeat the call$/);
  assert.doesNotMatch(cut.reason, /same is sent again/);
  return mo;
}

const events = async (plant: PushPlant, mo: string, kind: string): Promise<Record<string, unknown>[]> =>
  (await plant.store.trail(mo)).events.filter((event) => event.kind === kind).map(({ detail }) => detail);

plantTest(
  'what a cut call sent is left alone by the next pushes, shown, and settled by its repetition',
  async (plant) => {
    const mo = await cutCall(plant);
    assert.deepEqual(await pending(plant, mo), { consumption: { silo_b: 5 } });
    await plant.read(mo, { silo_a: 20, silo_b: 0 });
    const pushed = await plant.push(mo);
    assert.equal(pushed.conclusion, 'unsettled');
    assert.match(pushed.reason, /silo_b \(5 kg by hand, 0 kg here\)/);
    assert.deepEqual(pushed.sent, { silo_a: 20 });
    const { silo101, silo102 } = plant.odoo.done(mo);
    assert.deepEqual([silo101, silo102], [20, 5]);
    const row = await plant.row(mo);
    assert.deepEqual([row.update_odoo, row.set_aside_at, row.actual_consumption_silo_b], [false, null, 0]);
    assert.match(row.last_reason ?? '', /unsettled: silo_b/);
    assert.ok(row.next_attempt_at && row.next_attempt_at.getTime() > Date.now() + 20_000, 'no hammering');
    assert.equal((await plant.push(mo)).skipped, 'not-due');
    const repeated = await plant.manual({ mo_id: mo, consumption: { silo_b: 5 } });
    assert.deepEqual([repeated.conclusion, repeated.db_saved], ['confirmed', true]);
    assert.equal((await plant.row(mo)).pending_call, null);
    await plant.pausesOver();
    await plant.push(mo);
    const settled = await plant.row(mo);
    assert.deepEqual([settled.update_odoo, settled.actual_consumption_silo_b], [true, 5]);
  },
);

plantTest('a reading that tells a new value settles a call by hand: the reading wins', async (plant) => {
  const mo = await cutCall(plant);
  await plant.read(mo, { silo_a: 10, silo_b: 0 });
  assert.deepEqual(await pending(plant, mo), { consumption: { silo_b: 5 } }, 'the same again tells nothing');
  await plant.read(mo, { silo_a: 10, silo_b: 3 });
  assert.equal((await plant.row(mo)).pending_call, null);
  await plant.pausesOver();
  assert.equal((await plant.push(mo)).conclusion, 'confirmed');
  assert.equal(plant.odoo.done(mo).silo102, 3);
});

plantTest('a reading that tells 0 anew puts the 0 into Odoo, whatever the call left there', async (plant) => {
  const [mo = ''] = await plant.queue({});
  await plant.read(mo, { silo_a: 10 });
  await plant.push(mo);
  const { owner, batch } = await byHand(plant, mo, { silo_h: 7 });
  await plant.client.update(mo, { silo108: 7 });
  await plant.ledger.renew(batch.id, owner, 0);
  await plant.read(mo, { silo_a: 10, silo_h: 0 });
  assert.equal((await plant.push(mo)).conclusion, 'confirmed');
  assert.equal(plant.odoo.done(mo).silo108, 0);
});

plantTest('before an order is closed the silo is read: the value of the call goes into the row', async (plant) => {
  const mo = await cutCall(plant, 'cutAfter', 380);
  const final = { ...PLAN, silo_b: 0 };
  await plant.read(mo, final, { finished: 2500, complete: true });
  await plant.pausesOver();
  const early = await plant.push(mo, { finish: true });
  assert.equal(early.conclusion, 'unsettled', 'not earlier than one time limit after the call');
  assert.equal(plant.count(MARK_DONE), 0);
  assert.deepEqual(await plant.archive(), []);
  await later(plant);
  await plant.pausesOver();
  const closed = await plant.push(mo, { finish: true });
  assert.deepEqual([closed.conclusion, closed.done], ['confirmed', true], closed.reason);
  assert.equal((await plant.row(mo)).actual_consumption_silo_b, 380);
  assert.match(String((await events(plant, mo, 'settled'))[0]?.reason), /silo_b 380 kg by hand: in Odoo/);
  assert.equal((await events(plant, mo, 'changed')).at(-1)?.source, 'manual');
  assert.deepEqual(await plant.archive(), [mo]);
});

plantTest(
  "before an order is closed the silo is read: the row's value means that the call had not arrived",
  async (plant) => {
    const mo = await cutCall(plant, 'cutBefore');
    await plant.read(mo, { ...PLAN, silo_b: 0 }, { finished: 2500, complete: true });
    await later(plant);
    await plant.pausesOver();
    const closed = await plant.push(mo, { finish: true });
    assert.deepEqual([closed.conclusion, closed.done], ['confirmed', true], closed.reason);
    assert.equal(plant.odoo.done(mo).silo102, 0);
    assert.match(String((await events(plant, mo, 'settled'))[0]?.reason), /silo_b 5 kg by hand: had not arrived/);
    assert.deepEqual(await plant.archive(), [mo]);
  },
);

plantTest(
  'another value in Odoo sets the batch aside with all three, and the repeated call frees it',
  async (plant) => {
    const mo = await cutCall(plant);
    plant.odoo.consumeByHand(mo, 'silo102', 3);
    await plant.read(mo, { ...PLAN, silo_b: 0 }, { finished: 2500, complete: true });
    await later(plant);
    await plant.pausesOver();
    const aside = await plant.push(mo, { finish: true });
    assert.deepEqual([aside.conclusion, aside.set_aside], ['undecided', true]);
    assert.match(aside.reason, /silo_b: 5 kg by hand, 0 kg here, 3 kg in Odoo/);
    assert.equal(plant.odoo.done(mo).silo102, 3);
    assert.deepEqual(await plant.archive(), []);
    const call = { mo_id: mo, consumption: { silo_b: 4 }, correct_completed: true };
    assert.equal((await plant.manual(call)).db_saved, true);
    await plant.store.retry(mo);
    assert.equal((await plant.push(mo, { finish: true })).done, true);
    assert.deepEqual(await plant.archive(), [mo]);
  },
);

class FailingLedger extends DatabasePushLedger {
  override saveManual(): Promise<never> {
    return Promise.reject(new Error('the database is gone'));
  }
}

/** Takes the lease of a call by hand as the call does, right before its first byte goes out. */
async function byHand(plant: PushPlant, mo_id: string, consumption: object) {
  const call = { call: { consumption }, completed: true };
  const lease = await plant.ledger.lease({ mo_id }, 'manual', 60_000, call);
  if ('refused' in lease) throw new Error(lease.refused);
  return lease;
}

plantTest(
  'a call that Odoo confirmed and nobody could save is not lost: the silo is read before the close',
  async (plant) => {
    const [mo = ''] = await plant.queue({});
    const { silo_h: _, ...others } = PLAN;
    await plant.read(mo, others);
    await plant.push(mo);
    const failing = new FailingLedger(plant.db);
    const request = { mo_id: mo, consumption: { silo_h: 7 }, markDone: false, correct_completed: false };
    const unsaved = await plant.pushes().manual(failing, request);
    assert.deepEqual([unsaved.conclusion, unsaved.db_saved], ['confirmed', false]);
    assert.match(unsaved.warning ?? '', /saving for .* failed, the row is marked for the next push, which leaves/);
    const row = await plant.row(mo);
    assert.deepEqual([row.actual_consumption_silo_h, row.update_odoo], [null, false]);
    assert.deepEqual(await pending(plant, mo), { consumption: { silo_h: 7 } });
    await plant.read(mo, others, { finished: 2500, complete: true });
    await plant.db.none('UPDATE mo_batch SET lease_until = clock_timestamp()');
    assert.equal((await plant.push(mo, { finish: true })).conclusion, 'unsettled');
    assert.deepEqual(await plant.archive(), []);
    await later(plant);
    await plant.pausesOver();
    const closed = await plant.push(mo, { finish: true });
    assert.deepEqual([closed.conclusion, closed.done], ['confirmed', true], closed.reason);
    assert.equal((await plant.row(mo)).actual_consumption_silo_h, 7);
    assert.deepEqual(await plant.archive(), [mo]);
  },
);

plantTest('a mark-done that arrived although its answer was lost completes the row', async (plant) => {
  const [mo = ''] = await plant.queue({});
  await plant.read(mo, PLAN);
  await plant.push(mo);
  const call = { call: { finished: 2500, mark_done: true } as const, completed: false };
  const lease = await plant.ledger.lease({ mo_id: mo }, 'manual', 60_000, call);
  assert.ok('owner' in lease);
  await plant.client.update(mo, {}, 2500);
  await plant.client.markDone(mo, 2500);
  await plant.db.none('UPDATE mo_batch SET lease_until = clock_timestamp()');
  const before = plant.odoo.calls.length;
  assert.equal((await plant.push(mo)).conclusion, 'unsettled');
  assert.equal(plant.odoo.calls.length, before, 'an order that may be done is asked nothing before its time');
  await later(plant);
  await plant.pausesOver();
  const pushed = await plant.push(mo);
  assert.deepEqual([pushed.conclusion, pushed.done], ['confirmed', true], pushed.reason);
  const row = await plant.row(mo);
  assert.deepEqual(
    [row.status_manufacturing, row.actual_weight_quantity_finished_goods, row.pending_call],
    [true, 2500, null],
  );
  assert.deepEqual(await plant.archive(), [mo]);
});

plantTest(
  'a mark-done that had not arrived leaves the batch running, its finished weight unsettled until the close',
  async (plant) => {
    const [mo = ''] = await plant.queue({});
    await plant.read(mo, PLAN, { finished: 100 });
    await plant.push(mo);
    const call = { call: { finished: 2500, mark_done: true } as const, completed: false };
    await plant.ledger.lease({ mo_id: mo }, 'manual', 60_000, call);
    await plant.client.update(mo, {}, 2500);
    await plant.db.none('UPDATE mo_batch SET lease_until = clock_timestamp()');
    await later(plant);
    assert.equal((await plant.push(mo)).conclusion, 'unsettled');
    assert.deepEqual(await pending(plant, mo), { finished: 2500 });
    assert.equal(plant.odoo.order(mo).producing, 2500);
    await plant.read(mo, PLAN, { finished: 100, complete: true });
    await later(plant);
    await plant.pausesOver();
    const closed = await plant.push(mo, { finish: true });
    assert.deepEqual([closed.conclusion, closed.done], ['confirmed', true], closed.reason);
    assert.equal((await plant.row(mo)).actual_weight_quantity_finished_goods, 2500);
  },
);

plantTest('mark-done by hand does not close over an unsettled silo', async (plant) => {
  const mo = await cutCall(plant);
  const marked = await plant.manual({ mo_id: mo, finished: 2500, markDone: true });
  assert.equal(marked.conclusion, 'unsettled');
  assert.deepEqual(await pending(plant, mo), { consumption: { silo_b: 5 } });
  assert.equal(plant.count(MARK_DONE), 0);
  await later(plant);
  const again = await plant.manual({ mo_id: mo, finished: 2500, markDone: true });
  assert.deepEqual([again.conclusion, again.done, again.db_saved], ['confirmed', true, true], again.reason);
  const row = await plant.row(mo);
  assert.deepEqual([row.actual_consumption_silo_b, row.pending_call], [5, null]);
});

plantTest(
  'a call that Odoo takes in part leaves unsettled what it sent; a refused one only what was so before',
  async (plant) => {
    const mo = await cutCall(plant);
    // Exchange 103: a code that the order does not have is an error, the others are taken.
    const part = await plant.manual({ mo_id: mo, consumption: { silo_a: 12, lq_fml: 3 } });
    assert.equal(part.conclusion, 'partial');
    assert.deepEqual(await pending(plant, mo), { consumption: { silo_a: 12, silo_b: 5, lq_fml: 3 } });
    plant.odoo.setFault({ kind: 'serverError200', route: UPDATE });
    const refused = await plant.manual({ mo_id: mo, consumption: { silo_b: 9, silo_c: 1 } });
    assert.equal(refused.db_saved, false);
    assert.deepEqual(await pending(plant, mo), { consumption: { silo_a: 12, silo_b: 5, lq_fml: 3 } });
  },
);

plantTest('what is unsettled is listed, told with the silo, and kept in the history', async (plant) => {
  const mo = await cutCall(plant);
  const { unsettled } = await plant.store.summary();
  assert.deepEqual(
    unsettled?.map(({ since, id: _, ...call }) => ({ ...call, since: typeof since })),
    [{ mo_id: mo, consumption: { silo_b: 5 }, since: 'string' }],
  );
  const { silos, batch } = await plant.store.trail(mo);
  assert.equal(silos.find(({ silo }) => silo === 'silo_b')?.unsettled, 5);
  const { archived } = await plant.store.archive([batch?.id ?? ''], { status: 'failed', note: 'by hand' });
  assert.equal(archived.length, 1);
  const { history } = await plant.store.trail(mo);
  assert.deepEqual(history[0]?.pending_call?.consumption, { silo_b: 5 });
});
