/** Clocks that are wrong: no reading is refused, and no row is left alone, because of a time that another machine told. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Reading } from '../../../nodes/lib/domain/reading';
import { finalReading, finishedBatch, freshStore, leased, moId, order, reading, row } from '../../support/store';

const outcomes = (recorded: { outcome: string }[]): string[] => recorded.map(({ outcome }) => outcome);
const from = (ms: number): string => new Date(Date.now() + ms).toISOString();
const HOUR = 3_600_000;

test('a reading dated an hour ahead is recorded, and the right ones after it too, completion included', async (t) => {
  const { store, db } = await freshStore(t);
  await store.enqueue([order(1)], 1);
  const dated = (silo_a: number, ms: number): Reading[] => [reading(1, { silo_a }, 1, { read_at: from(ms) })];
  assert.deepEqual(outcomes(await store.record(dated(100, HOUR), 'PLC01')), ['recorded']);
  assert.deepEqual(outcomes(await store.record(dated(100, HOUR + 1000), 'PLC01')), ['unchanged']);
  assert.deepEqual(outcomes(await store.record(dated(110, 0), 'PLC01')), ['recorded']);
  assert.deepEqual(outcomes(await store.record(dated(105, -60_000), 'PLC01')), ['older']);
  const final = { ...finalReading(1, { silo_a: 120 }, 1), read_at: from(1000) };
  assert.deepEqual(outcomes(await store.record([final], 'PLC01')), ['recorded']);
  const { last_read_from_plc } = await row(db, 1);
  assert.ok((last_read_from_plc as Date).getTime() < Date.now() + 60_000);
  const { last_read_at } = await store.summary('PLC01');
  assert.ok(last_read_at && last_read_at.getTime() < Date.now() + 60_000);
});

test('a held reading dated ahead gives way to the right ones after it', async (t) => {
  const { store } = await freshStore(t);
  await store.record([reading(1, { silo_a: 100 }, 1, { read_at: from(HOUR) })]);
  assert.deepEqual(outcomes(await store.record([reading(1, { silo_a: 110 }, 1, { read_at: from(0) })])), ['held']);
  const [batch] = await store.enqueue([order(1)], 1);
  assert.equal(batch?.actual_consumption_silo_a, 110);
});

test('a row that an earlier version damaged with a time in the future takes right readings', async (t) => {
  const { store, db } = await freshStore(t);
  await store.enqueue([order(1)], 1);
  await store.record([reading(1, { silo_a: 100 }, 1)], 'PLC01');
  const damaged = JSON.stringify(reading(1, { silo_a: 100 }, 1, { read_at: from(HOUR) }));
  await db.none('UPDATE mo_batch SET last_plc_reading = $1::jsonb, last_read_from_plc = $2', [damaged, from(HOUR)]);
  await db.none('UPDATE mo_lines SET seen = jsonb_build_object($1, $2), last_read_at = $2', [moId(1), from(HOUR)]);
  const right = { ...finalReading(1, { silo_a: 120 }, 1), read_at: from(0) };
  assert.deepEqual(outcomes(await store.record([right], 'PLC01')), ['recorded']);
});

const ORDERS: [string, Partial<Reading>, Partial<Reading>, string][] = [
  ['one reader counts', { reader: 'r1', read_no: 5 }, { reader: 'r1', read_no: 4 }, 'older'],
  [
    'its clock is set back between two reads',
    { reader: 'r1', read_no: 5 },
    { reader: 'r1', read_no: 6, read_at: from(-HOUR) },
    'recorded',
  ],
  [
    'a reader starts again',
    { reader: 'r1', read_no: 500 },
    { reader: 'r2', read_no: 1, read_at: from(-HOUR) },
    'recorded',
  ],
  ['a source gives times', { source: 'opc' }, { source: 'opc', read_at: from(-HOUR) }, 'older'],
  ['another source has another clock', { source: 'opc' }, { source: 'modbus', read_at: from(-HOUR) }, 'recorded'],
  [
    'a reader after a source that gives times',
    { source: 's' },
    { source: 's', reader: 'r', read_no: 1, read_at: from(-HOUR) },
    'recorded',
  ],
  ['a source that gives no times', {}, { undated: true, read_at: from(-HOUR) }, 'recorded'],
];

for (const [what, first, second, expected] of ORDERS) {
  test(`of two readings the second is ${expected}: ${what}`, async (t) => {
    const { store } = await freshStore(t);
    await store.enqueue([order(1)], 1);
    await store.record([reading(1, { silo_a: 100 }, 1, { read_at: from(0), ...first })], 'PLC01');
    const [then] = await store.record([reading(1, { silo_a: 110 }, 1, { read_at: from(0), ...second })], 'PLC01');
    assert.equal(then?.outcome, expected);
  });
}

test('a pause that is longer than the longest one means now', async (t) => {
  const opened = await freshStore(t);
  const { store, ledger, db } = opened;
  await store.enqueue([order(1)], 1);
  await store.record([reading(1, { silo_a: 100 }, 1)]);
  await finishedBatch(opened, 2);
  const due = async (wait: string): Promise<number[]> => {
    await db.none(`UPDATE mo_batch SET next_attempt_at = now() + $1::interval`, wait);
    return [(await store.due(10)).length, (await store.completed(10)).length];
  };
  assert.deepEqual(await due('1 year'), [1, 1]);
  assert.ok((await leased(ledger, 1)).owner);
  await ledger.release((await row(db, 1)).id as string, (await row(db, 1)).lease_owner as string);
  assert.deepEqual(await due('45 minutes'), [0, 0], 'the longest pause counts');
});
