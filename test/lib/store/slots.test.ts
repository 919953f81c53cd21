/** A completion belongs to the order that was weighed: what a slot told before decides whose weights it shows now. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Reading } from '../../../nodes/lib/domain/reading';
import type { BatchStore, SlotsRead } from '../../../nodes/lib/store/batch-store';
import { anotherPool, finalReading, finishedBatch, freshStore, moId, orders, reading, row } from '../../support/store';

const X = 1;
const Y = 2;
const Z = 3;
const W = { silo_a: 825.5, silo_b: 600.3, silo_c: 0 };
const SOURCE = 's7/DB100';

/** Slot 1 of the source shows order n, complete with these weights. */
const shows = (n: number, more: Partial<Reading> = {}): Reading => ({
  ...finalReading(n, W, 1),
  ...{ slot: 1, source: SOURCE },
  ...more,
});
const running = { status_manufacturing: false };

/** What became of the last of these readings, each one a recording of its own. */
async function last(store: BatchStore, ...cycles: [Reading[], SlotsRead?, string?][]): Promise<string> {
  let told = '';
  for (const [readings, read, line = 'PLC01'] of cycles) {
    const recorded = await store.record(readings, line, { source: SOURCE, ...read });
    told = recorded.map(({ outcome, reason }) => (reason ? `${outcome}: ${reason}` : outcome)).join();
  }
  return told;
}

const FOREIGN = 'held: foreign-weights';

const CASES: [string, string, [Reading[], SlotsRead?, string?][]][] = [
  ['complete', FOREIGN, [[[shows(Y)]]]],
  ['running', FOREIGN, [[[shows(Y, running)]]]],
  ['read by another process after a restart', FOREIGN, [[[shows(Y, { reader: 'another', read_no: 1 })]]]],
  ['twice in a row', FOREIGN, [[[shows(Y)]], [[shows(Y)]]]],
  ['after a third order', FOREIGN, [[[shows(Z)]], [[shows(Y)]]]],
  ['first running, then complete', FOREIGN, [[[shows(Y, running)]], [[shows(Y)]]]],
  [
    'with the finished weight told as null where it was',
    FOREIGN,
    [
      [[shows(X, { actual_weight_quantity_finished_goods: 0 })]],
      [[shows(Y, { actual_weight_quantity_finished_goods: null })]],
    ],
  ],
  ['a silo that is not told counts as 0', FOREIGN, [[[shows(Y, { consumption: { silo_a: 825.5, silo_b: 600.3 } })]]]],
  ['other weights', 'recorded', [[[shows(Y, { consumption: { ...W, silo_c: 0.001 } })]]]],
  ['another finished weight', 'recorded', [[[shows(Y, { actual_weight_quantity_finished_goods: 2499 })]]]],
  [
    'other weights, then the first ones',
    'recorded',
    [[[shows(Y, { ...running, consumption: { silo_a: 1 } })]], [[shows(Y)]]],
  ],
  ['another slot', 'recorded', [[[shows(Y, { slot: 2 })]]]],
  ['another data block', 'recorded', [[[shows(Y, { source: 's7/DB200' })]]]],
  ['another line', 'recorded', [[[shows(Y)], {}, 'PLC02']]],
  ['an empty number in between', 'recorded', [[[], { emptied: [1] }], [[shows(Y)]]]],
  ['an empty number in between, told by the same message', 'recorded', [[[shows(Y)], { emptied: [1] }]]],
  ['an empty number of another slot', FOREIGN, [[[shows(Y)], { emptied: [2] }]]],
  ['an empty number of another source', FOREIGN, [[[shows(Y)], { emptied: [1], source: 's7/DB200' }]]],
  ['after a third one that came with an empty number', FOREIGN, [[[shows(Z)], { emptied: [1] }], [[shows(Y)]]]],
  ['an empty number in another slot', FOREIGN, [[[], { emptied: [2] }], [[shows(Y)]]]],
  ['an empty number in another source', FOREIGN, [[[], { source: 's7/DB200', emptied: [1] }], [[shows(Y)]]]],
  ['a slot that is merely not told', FOREIGN, [[[]], [[shows(Y)]]]],
  [
    'the acknowledge bit reads 0 again',
    'recorded',
    [[[shows(X, { acknowledged: true })]], [[shows(Y, { acknowledged: false })]]],
  ],
  [
    'the acknowledge bit fell while it showed X',
    'recorded',
    [
      [[shows(X, { acknowledged: true })]],
      [[shows(X, { acknowledged: false })]],
      [[shows(Y, { acknowledged: false })]],
    ],
  ],
  [
    'the acknowledge bit was never set',
    FOREIGN,
    [[[shows(X, { acknowledged: false })]], [[shows(Y, { acknowledged: false })]]],
  ],
  [
    'the acknowledge bit is still set',
    FOREIGN,
    [[[shows(X, { acknowledged: true })]], [[shows(Y, { acknowledged: true })]]],
  ],
  ['another batch counter', 'recorded', [[[shows(X, { counter: 7 })]], [[shows(Y, { counter: 8 })]]]],
  ['the same batch counter', FOREIGN, [[[shows(X, { counter: 7 })]], [[shows(Y, { counter: 7 })]]]],
  ['a counter that is new in the layout', FOREIGN, [[[shows(Y, { counter: 7 })]]]],
  ['slot 0', 'recorded', [[[shows(X, { slot: 0 })]], [[shows(Y, { slot: 0 })]]]],
  [
    'nothing weighed',
    'recorded',
    [
      [[shows(X, { slot: 4, consumption: { silo_a: 0 }, actual_weight_quantity_finished_goods: 0 })]],
      [[shows(Y, { slot: 4, consumption: { silo_a: 0 }, actual_weight_quantity_finished_goods: null })]],
    ],
  ],
  [
    'X with other weights, though it is completed',
    FOREIGN,
    [[[shows(X, { consumption: { silo_a: 9 } })]], [[shows(Y, { consumption: { silo_a: 9 } })]]],
  ],
];

for (const [what, expected, cycles] of CASES) {
  test(`order Y in the slot that told X with these weights, ${what}: ${expected}`, async (t) => {
    const { store, db } = await freshStore(t);
    await store.enqueue(orders(X, Z), 10);
    assert.equal(await last(store, [[shows(X)]]), 'recorded');
    assert.equal(await last(store, ...cycles), expected);
    const { status_manufacturing, revision } = await row(db, Y);
    if (expected === FOREIGN) assert.deepEqual([status_manufacturing, revision], [false, 0]);
    else assert.ok(Number(revision) > 0);
  });
}

test('what is held as the weights of another order is told with both, and stays after the order is queued', async (t) => {
  const { store, db } = await freshStore(t);
  await store.enqueue(orders(X, X), 10);
  await last(store, [[shows(X)]]);
  const [told] = await store.record([shows(Y)], 'PLC01');
  assert.deepEqual([told?.outcome, told?.reason, told?.weights_of], ['held', 'foreign-weights', moId(X)]);
  await store.enqueue(orders(Y, Y), 10);
  assert.equal((await row(db, Y)).revision, 0);
  const [held] = (await store.summary()).held;
  assert.deepEqual([held?.mo_id, held?.reason, held?.weights_of], [moId(Y), 'foreign-weights', moId(X)]);
  const { events } = await store.trail(moId(Y));
  assert.deepEqual(
    events.map(({ kind }) => kind),
    ['held', 'queued'],
  );
});

test('a held completion of an order is not touched by what another slot tells under its number', async (t) => {
  const { store } = await freshStore(t);
  await store.enqueue(orders(X, X), 10);
  await store.record([{ ...finalReading(Y, { silo_a: 77 }, 1), slot: 3 }], 'PLC01');
  await last(store, [[shows(X)]], [[shows(Y)]], [[shows(Y)]]);
  assert.equal((await store.summary()).held.length, 2, 'each is shown');
  const [batch] = await store.enqueue(orders(Y, Y), 10);
  assert.deepEqual([batch?.state, batch?.actual_consumption_silo_a], ['completed', 77]);
});

test('what was held is dropped when figures of its own are recorded', async (t) => {
  const { store, db } = await freshStore(t);
  await store.enqueue(orders(X, Y), 10);
  await last(store, [[shows(X)]], [[shows(Y)]]);
  const own = shows(Y, { consumption: { silo_a: 3 } });
  assert.equal(await last(store, [[own]]), 'recorded');
  assert.deepEqual((await store.summary()).held, []);
  assert.equal((await row(db, Y)).actual_consumption_silo_a, 3);
});

test('a slot that tells an archived order tells it all the same', async (t) => {
  const opened = await freshStore(t);
  const { store } = opened;
  await store.archive([await finishedBatch(opened, X)], { status: 'completed' });
  await store.enqueue(orders(Y, Y), 10);
  const told = { consumption: { silo_a: 825.5 } };
  assert.equal(await last(store, [[shows(X, told)]]), 'stale');
  assert.equal(await last(store, [[shows(Y, told)]]), FOREIGN);
  assert.equal(await last(store, [[shows(X, { consumption: { silo_a: 1 } })]]), 'locked');
  assert.equal(await last(store, [[shows(Y, { consumption: { silo_a: 1 } })]]), FOREIGN);
});

test('an idle cycle leaves slots, held readings and events as they are', async (t) => {
  const opened = await freshStore(t);
  const { store, db } = opened;
  await store.enqueue(orders(X, X), 10);
  const cycle = (): Promise<unknown> =>
    store.record([shows(X), { ...reading(Z, { silo_a: 1 }, 1), source: SOURCE }, shows(Y, { slot: 1 })], 'PLC01', {
      source: SOURCE,
      emptied: [5, 6],
    });
  const versions = (): Promise<unknown> =>
    db.one(`SELECT (SELECT array_agg(ctid::text || xmin::text || xmax::text ORDER BY slot) FROM mo_slots) AS slots,
      (SELECT array_agg(ctid::text || xmin::text || xmax::text ORDER BY mo_id) FROM mo_batch) AS rows, (SELECT count(*) FROM mo_events) AS events`);
  await store.record([shows(X)], 'PLC01');
  await cycle();
  const before = await versions();
  await cycle();
  assert.deepEqual(await versions(), before);
  assert.deepEqual(await anotherPool(t, opened.address).store.record([], 'PLC01'), []);
});

test('a batch without a number is a leftover where it weighs what its slot told last, whoever reads it', async (t) => {
  const { store } = await freshStore(t);
  const told = { ...W, silo_c: 12 };
  await store.record([{ ...shows(X), consumption: told, actual_weight_quantity_finished_goods: 1400 }], 'PLC01', {
    source: SOURCE,
  });
  const unnamed = (change: object = {}) => ({
    ...{ slot: 1, consumption: { ...told, silo_d: 0 }, actual_weight_quantity_finished_goods: 1400 },
    ...change,
  });
  const asked = (change?: object, line = 'PLC01', source = SOURCE): Promise<number[]> =>
    store.leftovers([unnamed(change)], line, { source });
  assert.deepEqual(await asked(), [1]);
  await store.record([], 'PLC01', { source: SOURCE, emptied: [1] });
  assert.deepEqual(await asked(), [1], 'also in the next cycles');
  for (const [name, slots] of Object.entries({
    'another slot': asked({ slot: 2 }),
    'other weights': asked({ consumption: W }),
    'another finished quantity': asked({ actual_weight_quantity_finished_goods: 1 }),
    'another line': asked({}, 'PLC02'),
    'another source': asked({}, 'PLC01', 'other/DB100'),
  })) {
    assert.deepEqual(await slots, [], name);
  }
});
