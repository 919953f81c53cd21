/** What is decided before an order is closed: too little weighed, things no silo weighs, reservations, figures of others. */
import assert from 'node:assert/strict';
import { MARK_DONE, PLAN, plantTest, UPDATE } from '../../support/push-plant';

const NOTHING = Object.fromEntries(Object.keys(PLAN).map((silo) => [silo, 0]));
const BOTH = ['warning', 'strict'] as const;
const COMPONENTS = [
  { code: 'silo101', product: 'Pollard', quantity: 825 },
  { code: null, product: 'Premix', quantity: 50 },
  { code: null, product: 'Bags', quantity: 100, uom: 'Units' },
];

plantTest(
  'nothing weighed: not closed until a person says so, and not any more once a value changes',
  async (plant) => {
    const [mo = ''] = await plant.queue({ policy: 'warning' });
    await plant.read(mo, NOTHING, { finished: 2500, complete: true });
    const kept = await plant.push(mo, { finish: true });
    assert.deepEqual([kept.conclusion, kept.set_aside], ['undecided', true]);
    assert.match(kept.reason, /2500 kg finished, 0 kg weighed/);
    assert.equal(plant.count(MARK_DONE), 0);
    await plant.store.retry(mo);
    assert.equal((await plant.push(mo, { finish: true })).set_aside, true, 'a retry changes nothing');
    assert.equal((await plant.store.closeAnyway(mo, { by: 'Sari', note: 'test run' }))?.set_aside_at, null);
    await plant.db.none('UPDATE mo_batch SET actual_consumption_silo_a = 1');
    assert.equal((await plant.push(mo, { finish: true })).set_aside, true, 'other values were not meant');
    await plant.store.closeAnyway(mo, { by: 'Sari', note: 'test run' });
    assert.equal((await plant.push(mo, { finish: true })).done, true);
    const { events } = await plant.store.trail(mo);
    const said = events.find(({ kind }) => kind === 'close-anyway');
    assert.deepEqual([said?.detail.by, said?.detail.note], ['Sari', 'test run']);
  },
);

plantTest(
  'less weighed than the share of the plan is not closed; an order without a planned silo is',
  async (plant) => {
    const [little = '', none = ''] = await plant.queue(
      {},
      { components: [{ code: null, product: 'Premix', quantity: 5 }] },
    );
    await plant.read(little, { ...NOTHING, silo_a: 24 }, { finished: 2500, complete: true });
    await plant.read(none, { silo_a: 0 }, { finished: 2500, complete: true });
    assert.equal((await plant.push(little, { finish: true })).conclusion, 'undecided');
    await plant.store.retry(little);
    assert.equal((await plant.push(little, { finish: true, minWeighedShare: 0 })).done, true);
    assert.equal((await plant.push(none, { finish: true })).done, true);
  },
);

for (const policy of BOTH) {
  plantTest(`what no silo weighs is booked as planned before the order is closed: ${policy}`, async (plant) => {
    const byproducts = [{ product: 'Dust', quantity: 10 }];
    const [mo = ''] = await plant.queue({ policy, components: COMPONENTS, byproducts });
    await plant.read(mo, { silo_a: 830 }, { finished: 2400, complete: true });
    const closed = await plant.push(mo, { finish: true, closeStrict: true });
    assert.equal(closed.done, true, closed.reason);
    const { moves, byproducts: made } = plant.odoo.order(mo);
    const done = [...moves, ...made].map(({ product, done: kg }) => [product, kg]);
    for (const [product, kg] of [
      ['Premix', 48],
      ['Bags', 96],
      ['Dust', 9.6],
    ]) {
      assert.ok(
        done.some(([name, booked]) => name === product && booked === kg),
        JSON.stringify(done),
      );
    }
  });
}

plantTest('booking switched off: set aside with names and quantities', async (plant) => {
  const [mo = ''] = await plant.queue({ components: COMPONENTS });
  await plant.read(mo, { silo_a: 825 }, { finished: 2500, complete: true });
  const kept = await plant.push(mo, { finish: true, bookUnweighed: false });
  assert.deepEqual([kept.conclusion, kept.set_aside], ['undecided', true]);
  assert.match(kept.reason, /Premix: 50 kg, Bags: 100 Units/);
  assert.equal(plant.count(MARK_DONE), 0);
});

plantTest('reserved from two lots: silo, product and remedy are told; the option frees it', async (plant) => {
  const reserved = [
    { lot: 'L1', quantity: 400 },
    { lot: 'L2', quantity: 425 },
  ];
  const components = [{ code: 'silo101', product: 'Pollard', quantity: 825, reserved }];
  const [told = '', freed = ''] = await plant.queue({ components }, { components });
  for (const mo of [told, freed]) await plant.read(mo, { silo_a: mo === told ? 820 : 821 });
  const refused = await plant.push(told);
  assert.deepEqual([refused.conclusion, refused.set_aside], ['bad-value', true]);
  assert.match(
    refused.reason,
    /silo_a \(silo101\), Pollard: reserved from several lots .*unreserve the order in Odoo, then retry/,
  );
  const pushed = await plant.push(freed, { unreserve: true });
  assert.equal(pushed.conclusion, 'confirmed', pushed.reason);
  assert.equal(plant.odoo.done(freed).silo101, 821);
});

plantTest('a figure that somebody changed in Odoo between two pushes is told when it is overwritten', async (plant) => {
  const [mo = ''] = await plant.queue({});
  await plant.read(mo, PLAN, { finished: 2500, complete: true });
  await plant.push(mo);
  plant.odoo.consumeByHand(mo, 'silo102', 380);
  const closed = await plant.push(mo, { finish: true });
  assert.equal(closed.done, true, closed.reason);
  assert.match(closed.overwritten ?? '', /silo_b \(silo102\): 380 kg stood in Odoo, where 375 kg were confirmed/);
  const { events } = await plant.store.trail(mo);
  assert.match(JSON.stringify(events.at(-1)?.detail.answers), /380 kg stood in Odoo/);
  assert.equal(plant.odoo.done(mo).silo102, 375);
});

for (const fault of [
  { kind: 'serialization', route: MARK_DONE },
  { kind: 'contextLost', method: 'button_mark_done' },
] as const) {
  plantTest(`a closing that met another one is repeated soon: ${fault.kind}`, async (plant) => {
    const [mo = ''] = await plant.queue({ policy: 'warning' });
    await plant.read(mo, { ...PLAN, silo_a: 830 }, { finished: 2500, complete: true });
    plant.odoo.setFault(fault);
    const closed = await plant.push(mo, { finish: true });
    assert.equal(closed.done, true, closed.reason);
    const pushes = (await plant.store.trail(mo)).events.filter(({ kind }) => kind === 'push');
    assert.ok(
      pushes.some(({ detail }) => detail.conclusion === 'collided'),
      JSON.stringify(pushes),
    );
    assert.equal((await plant.row(mo)).closing_collisions, 0);
  });
}

plantTest('after ten repeats in a quarter of an hour a person has to look', async (plant) => {
  const [mo = ''] = await plant.queue({});
  await plant.read(mo, PLAN);
  const settle = async (): Promise<boolean> => {
    await plant.db.none('UPDATE mo_batch SET next_attempt_at = NULL, confirmed_revision = NULL');
    const lease = await plant.ledger.lease({ mo_id: mo }, 'push', 10_000);
    assert.ok('owner' in lease);
    const collided = {
      conclusion: 'collided',
      reason: 'Odoo asks (mrp.consumption.warning)',
      setAside: false,
    } as const;
    const row = await plant.ledger.settle(lease.batch, lease.owner, collided);
    return row?.set_aside_at != null;
  };
  for (let collisions = 1; collisions <= 10; collisions += 1) assert.equal(await settle(), false, `${collisions}`);
  assert.equal(await settle(), true);
  assert.match((await plant.row(mo)).set_aside_reason ?? '', /mrp\.consumption\.warning\); closing it failed 11 times/);
  assert.equal(plant.count(UPDATE), 0);
});
