/** Task 1's look at orders that perhaps nobody weighs any more, against a simulated Odoo and a real database. */
import assert from 'node:assert/strict';
import { AddonOrders } from '../../../nodes/lib/odoo/addon/orders';
import { checkOrders } from '../../../nodes/lib/odoo/fetch';
import { type PushPlant, plantTest, silos } from '../../support/push-plant';

const RECIPE = {
  quantity: 150,
  bomQty: 150,
  components: [{ code: 'silo101', product: 'Pollard', quantity: 150 }],
} as const;

/** What stood still for an hour, although its slot still shows it. */
async function anHourPasses(plant: PushPlant): Promise<void> {
  await plant.db.none(`UPDATE mo_batch SET last_read_from_plc = now() - interval '61 minutes'`);
  await plant.db.none(`UPDATE mo_events SET at = at - interval '61 minutes'`);
  await shown(plant);
}

/** The PLC was read a moment ago, and its slots show every order. */
const shown = (plant: PushPlant): Promise<null> =>
  plant.db.none(`INSERT INTO mo_lines (line, last_read_at, seen)
    SELECT '', now(), coalesce(jsonb_object_agg(mo_id, now()), '{}') FROM mo_batch
    ON CONFLICT (line) DO UPDATE SET last_read_at = EXCLUDED.last_read_at, seen = EXCLUDED.seen`);

/** As Task 1 does. @returns the orders that it asked about */
async function check(plant: PushPlant): Promise<string[]> {
  const rows = await plant.store.unread();
  const { open, closed } = await checkOrders(new AddonOrders(plant.client), silos, rows);
  await plant.store.setAside([...open, ...closed]);
  return rows.map(({ mo_id }) => mo_id);
}

/** Runs an order up to a weight that Odoo has confirmed. */
async function running(plant: PushPlant, ...weights: number[]): Promise<string[]> {
  const names = await plant.queue(...weights.map(() => RECIPE));
  for (const [n, name] of names.entries()) {
    await plant.read(name, { silo_a: weights[n] ?? 0 });
    assert.equal((await plant.push(name)).conclusion, 'confirmed');
  }
  return names;
}

plantTest('a running order is asked about once its values stand still, although its slot shows it', async (plant) => {
  const [name = ''] = await running(plant, 100);
  await plant.db.none('UPDATE mo_batch SET last_read_from_plc = now()');
  await shown(plant);
  assert.deepEqual(await check(plant), []);
  await anHourPasses(plant);
  assert.deepEqual(await check(plant), [name]);
  const { state, odoo_cancelled } = await plant.row(name);
  assert.deepEqual([state, odoo_cancelled], ['running', false]);
});

plantTest('one that was cancelled in Odoo leaves the gate', async (plant) => {
  const [name = ''] = await running(plant, 100);
  plant.odoo.cancel(name);
  await anHourPasses(plant);
  await check(plant);
  const { state, odoo_cancelled, set_aside_reason } = await plant.row(name);
  assert.deepEqual([state, odoo_cancelled], ['set-aside', true]);
  assert.match(set_aside_reason ?? '', /"cancel" in Odoo/);
  assert.equal((await plant.store.summary()).queue, 0);
});

plantTest(
  'one closed by hand with the same figures is archived when its slot is free, and not before',
  async (plant) => {
    const [name = ''] = await running(plant, 100);
    plant.odoo.markDoneByHand(name);
    await anHourPasses(plant);
    await check(plant);
    const row = await plant.row(name);
    assert.deepEqual([row.state, row.update_odoo, row.done_readback?.consumption], ['done', true, { silo_a: 100 }]);
    assert.deepEqual(await check(plant), [], 'what is known is not asked for again');
    assert.deepEqual(await plant.archive(), []);
    const { kept } = await plant.store.archive([row.id], { status: 'completed' });
    assert.match(kept[0]?.reason ?? '', /closed in Odoo, and its slot still shows it/);
    await plant.db.none(`UPDATE mo_lines SET last_read_at = now() + interval '11 minutes'`);
    assert.deepEqual(
      (await plant.store.completed(10)).map(({ mo_id }) => mo_id),
      [name],
    );
    const pushed = await plant.push(name, { finish: true });
    assert.deepEqual([pushed.conclusion, pushed.skipped], ['confirmed', 'already-confirmed']);
    assert.deepEqual(await plant.archive(), [name]);
  },
);

plantTest('or when a person names it', async (plant) => {
  const [name = ''] = await running(plant, 100);
  plant.odoo.markDoneByHand(name);
  await anHourPasses(plant);
  await check(plant);
  const ids = await plant.store.idsOf(name);
  const { archived } = await plant.store.archive(ids, { status: 'completed', named: true });
  assert.deepEqual(
    archived.map(({ mo_id }) => mo_id),
    [name],
  );
});

plantTest('a weight that comes after it was closed goes to Odoo, and is told with both figures', async (plant) => {
  const [name = ''] = await running(plant, 100);
  plant.odoo.markDoneByHand(name);
  await anHourPasses(plant);
  await check(plant);
  const read_at = new Date(Date.now() + 60_000).toISOString();
  await plant.store.record([{ ...plant.reading(name, { silo_a: 120 }), read_at }]);
  assert.equal((await plant.row(name)).done_readback, null);
  const pushed = await plant.push(name);
  assert.deepEqual([pushed.conclusion, pushed.set_aside], ['order-done', true]);
  assert.match(pushed.reason, /120 kg here, 100 kg in Odoo/);
});

plantTest('one closed by hand with other figures is set aside with both, the remainder named', async (plant) => {
  const [plain = '', split = ''] = await running(plant, 100, 90);
  plant.odoo.consumeByHand(plain, 'silo101', 101);
  plant.odoo.consumeByHand(split, 'silo101', 95);
  plant.odoo.markDoneByHand(plain);
  plant.odoo.backorderByHand(split, 95);
  await anHourPasses(plant);
  const before = plant.odoo.calls.length;
  await check(plant);
  const [one, two] = [await plant.row(plain), await plant.row(split)];
  assert.deepEqual([one.state, one.odoo_cancelled], ['set-aside', false]);
  assert.match(one.set_aside_reason ?? '', /silo_a \(silo101\): 100 kg here, 101 kg in Odoo/);
  assert.match(two.set_aside_reason ?? '', /90 kg here, 95 kg in Odoo; the remainder is .*-002 \(confirmed\)/);
  assert.equal(two.odoo_name, `${split}-001`);
  assert.ok(plant.odoo.calls.length - before <= 6, `${plant.odoo.calls.length - before} calls`);
  // What the row says was confirmed is looked up by name, and a person has changed it since.
  await plant.db.none('UPDATE mo_batch SET confirmed_revision = NULL');
});

plantTest(
  'rows without an id get it in the one list call, and a name that two orders have is set aside',
  async (plant) => {
    const [alone = '', shared = ''] = await plant.queue(RECIPE, RECIPE);
    await plant.db.none('UPDATE mo_batch SET odoo_id = NULL');
    plant.odoo.createOrder({ ...RECIPE, name: shared, company: 'PT Maju' });
    const before = plant.odoo.calls.length;
    await check(plant);
    assert.equal(plant.odoo.calls.length - before, 1);
    assert.equal((await plant.row(alone)).odoo_id, plant.odoo.order(alone).id);
    const row = await plant.row(shared);
    assert.deepEqual([row.state, row.odoo_cancelled], ['set-aside', false]);
    assert.match(row.set_aside_reason ?? '', /limit the Odoo user to one company/);
  },
);

plantTest(
  'a plan that is another in Odoo by now comes into the row, and what stands in a slot is wanted back',
  async (plant) => {
    const [changed = '', same = '', taken = '', weighed = ''] = await plant.queue(RECIPE, RECIPE, RECIPE, RECIPE);
    await plant.db.none(
      `UPDATE mo_batch SET consumption = 99, consumption_silo_a = 99, finished_goods = 'old',
    component_silo_b_name = 'Maize', consumption_silo_b = 12, handed_slot = batch_no, handed_area = '' WHERE mo_id <> $1`,
      same,
    );
    await plant.db.none(`UPDATE mo_batch SET taken_at = now() WHERE mo_id = $1`, taken);
    await plant.read(weighed, { silo_a: 1 });
    const rows = await plant.store.unread();
    const { open } = await checkOrders(new AddonOrders(plant.client), silos, rows, undefined, true);
    assert.deepEqual(
      open.filter(({ plan }) => plan).map(({ mo_id }) => mo_id),
      [changed, taken],
    );
    const replanned = await plant.store.replan(open.flatMap(({ plan }) => plan ?? []));
    assert.deepEqual([replanned.changed.map(({ mo_id }) => mo_id), replanned.taken], [[changed], [taken]]);
    const [row, other] = [await plant.row(changed), await plant.row(taken)];
    assert.deepEqual(
      [
        Number(row.consumption),
        row.consumption_silo_a,
        row.consumption_silo_b,
        row.component_silo_b_name,
        row.hand_back,
      ],
      [150, 150, null, null, 'plan'],
    );
    assert.deepEqual([other.consumption_silo_a, other.hand_back], [99, null]);
    const before = await plant.db.one<{ plan: { consumption_silo_a: number } }>(
      `SELECT detail->'before' AS plan FROM mo_events WHERE kind = 'replanned'`,
    );
    assert.equal(before.plan.consumption_silo_a, 99);
    // Once it is the same, nothing changes any more.
    const again = await plant.store.replan(open.flatMap(({ plan }) => plan ?? []));
    assert.deepEqual(
      again.changed.map(({ mo_id }) => mo_id),
      [],
    );
  },
);

plantTest('an order that is not to be weighed in kg any more is set aside with its reason', async (plant) => {
  const [name = ''] = await plant.queue(RECIPE);
  plant.odoo.defineUnit({ name: 'kg', category: 'Weight', factor: 1, rounding: 1 });
  const { closed } = await checkOrders(
    new AddonOrders(plant.client),
    silos,
    await plant.store.unread(),
    undefined,
    true,
  );
  await plant.store.setAside(closed);
  const row = await plant.row(name);
  assert.deepEqual([row.state, row.odoo_cancelled], ['set-aside', false]);
  assert.match(row.set_aside_reason ?? '', /not in kg/);
});
