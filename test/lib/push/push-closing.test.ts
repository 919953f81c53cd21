import assert from 'node:assert/strict';
import { MARK_DONE, PLAN, plantTest, until, UPDATE } from '../../support/push-plant';

const TEN = { ...PLAN, silo_a: 10 };

plantTest('a reading reaches Odoo, is marked done, read back and archived', async (plant) => {
  const [mo = ''] = await plant.queue({});
  await plant.read(mo, PLAN, { finished: 2500, complete: true });
  const pushed = await plant.push(mo, { finish: true });
  assert.equal(pushed.conclusion, 'confirmed', pushed.reason);
  assert.equal(pushed.done, true);
  assert.deepEqual(pushed.confirmed, PLAN);
  assert.deepEqual(await plant.archive(), [mo]);
});

plantTest(
  'a call that commits late, after a newer one was confirmed, is put right before the order is closed',
  async (plant) => {
    const [mo = ''] = await plant.queue({});
    await plant.read(mo, TEN);
    plant.odoo.setFault({ kind: 'commitLate', route: UPDATE, ms: 400 });
    assert.equal((await plant.push(mo)).conclusion, 'unknown-outcome');
    await plant.pausesOver();
    await plant.read(mo, PLAN, { finished: 2500, complete: true });
    assert.equal((await plant.push(mo)).conclusion, 'confirmed');
    await until(() => plant.odoo.done(mo).silo101 === 10);
    const closed = await plant.push(mo, { finish: true });
    assert.equal(closed.done, true, closed.reason);
    assert.equal(plant.odoo.done(mo).silo101, 825);
    assert.deepEqual(await plant.archive(), [mo]);
  },
);

plantTest(
  'a late commit between read-back and mark-done: the order is not archived, and both figures are told',
  async (plant) => {
    const [mo = ''] = await plant.queue({});
    await plant.read(mo, TEN);
    plant.odoo.setFault({ kind: 'commitLate', route: UPDATE, ms: 700 });
    await plant.push(mo);
    await plant.pausesOver();
    await plant.read(mo, PLAN, { finished: 2500, complete: true });
    plant.odoo.setFault({ kind: 'delay', route: MARK_DONE, ms: 1500 });
    const closed = await plant.push(mo, { finish: true });
    assert.equal(closed.conclusion, 'order-done');
    assert.match(closed.reason, /silo_a \(silo101\): 825 kg here, 10 kg in Odoo/);
    assert.equal(closed.set_aside, true);
    assert.deepEqual(await plant.archive(), []);
  },
);

plantTest(
  'done by hand while queued: equal figures are confirmed and archived, others set aside with both',
  async (plant) => {
    const [equal = '', other = ''] = await plant.queue({}, {});
    for (const mo of [equal, other]) plant.odoo.markDoneByHand(mo);
    await plant.read(equal, PLAN, { finished: 2500, complete: true });
    await plant.read(other, { ...PLAN, silo_b: 380 }, { finished: 2500, complete: true });
    const same = await plant.push(equal, { finish: true });
    assert.deepEqual([same.conclusion, same.done], ['confirmed', true]);
    const refused = await plant.push(other, { finish: true });
    assert.equal(refused.conclusion, 'order-done');
    assert.match(refused.reason, /silo_b \(silo102\): 380 kg here, 375 kg in Odoo/);
    assert.deepEqual(await plant.archive(), [equal]);
  },
);

plantTest('done by hand with another finished quantity is told too', async (plant) => {
  const [mo = ''] = await plant.queue({});
  plant.odoo.markDoneByHand(mo);
  await plant.read(mo, PLAN, { finished: 2400, complete: true });
  assert.match((await plant.push(mo, { finish: true })).reason, /finished goods: 2400 kg here, 2500 kg in Odoo/);
});

const MORE = { ...PLAN, silo_a: 833.25 };

plantTest(
  'false success under policy warning: closed the certain way, or with that switched off set aside',
  async (plant) => {
    const [closing = '', kept = ''] = await plant.queue({ policy: 'warning' }, { policy: 'warning' });
    for (const mo of [closing, kept]) await plant.read(mo, MORE, { finished: 2500, complete: true });
    const closed = await plant.push(closing, { finish: true });
    assert.deepEqual([closed.conclusion, closed.done], ['confirmed', true], closed.reason);
    const open = await plant.push(kept, { finish: true, closeWarning: false });
    assert.deepEqual([open.conclusion, open.set_aside], ['not-done', true]);
    assert.match(open.reason, /still "to_close" \(policy "warning"\)/);
    assert.equal((await plant.row(kept)).update_odoo, true);
    assert.deepEqual(await plant.archive(), [closing]);
  },
);

plantTest(
  'false success under policy strict: set aside until the engineer switches closing on and retries',
  async (plant) => {
    const [mo = ''] = await plant.queue({ policy: 'strict' });
    await plant.read(mo, MORE, { finished: 2500, complete: true });
    const open = await plant.push(mo, { finish: true });
    assert.deepEqual([open.conclusion, open.set_aside], ['not-done', true]);
    await plant.store.retry(mo);
    const closed = await plant.push(mo, { finish: true, closeStrict: true });
    assert.equal(closed.done, true, closed.reason);
    assert.deepEqual(await plant.archive(), [mo]);
  },
);

plantTest(
  'less finished than planned: closed without a backorder from 90 % on, below it a person decides',
  async (plant) => {
    const [enough = '', short = ''] = await plant.queue({}, {});
    await plant.read(enough, MORE, { finished: 2250, complete: true });
    await plant.read(short, MORE, { finished: 2249, complete: true });
    assert.equal((await plant.push(enough, { finish: true })).done, true);
    const undecided = await plant.push(short, { finish: true });
    assert.deepEqual([undecided.conclusion, undecided.set_aside], ['undecided', true]);
    assert.match(undecided.reason, /2249 kg finished of 2500 kg planned/);
    assert.equal((await plant.row(short)).update_odoo, true);
    assert.deepEqual(
      plant.odoo.orders().map(({ name }) => name),
      [enough, short],
    );
    assert.deepEqual(await plant.archive(), [enough]);
  },
);

plantTest('no finished weight: consumption is confirmed, the order closed as chosen, or set aside', async (plant) => {
  const [aside = '', planned = '', sum = ''] = await plant.queue({}, {}, {});
  for (const mo of [aside, planned, sum]) await plant.read(mo, PLAN, { complete: true });
  const undecided = await plant.push(aside, { finish: true });
  assert.deepEqual([undecided.conclusion, undecided.set_aside], ['undecided', true]);
  assert.match(undecided.reason, /no finished weight/);
  assert.equal((await plant.row(aside)).update_odoo, true);
  assert.equal((await plant.push(planned, { finish: true, noFinishedWeight: 'planned' })).done, true);
  assert.equal((await plant.push(sum, { finish: true, noFinishedWeight: 'sum' })).done, true);
  assert.equal(plant.odoo.order(planned).finished, 2500);
  assert.equal(plant.odoo.order(sum).finished, 2500);
});

plantTest('the answer to mark-done is lost: the state is read, and tells', async (plant) => {
  const [after = '', before = ''] = await plant.queue({}, {});
  for (const mo of [after, before]) await plant.read(mo, PLAN, { finished: 2500, complete: true });
  plant.odoo.setFault({ kind: 'cutAfter', route: MARK_DONE });
  assert.equal((await plant.push(after, { finish: true })).done, true);
  plant.odoo.setFault({ kind: 'cutBefore', route: MARK_DONE });
  assert.equal((await plant.push(before, { finish: true })).conclusion, 'unknown-outcome');
  assert.equal((await plant.row(before)).update_odoo, true);
  await plant.pausesOver();
  assert.equal((await plant.push(before, { finish: true })).done, true);
});
