import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkReading, checkReadings, MO_ID_PATTERN } from '../../../nodes/lib/domain/reading';

const reading = {
  slot: 1,
  mo_id: 'WH/MO/00001',
  status_manufacturing: 1,
  status_operation: 0,
  actual_weight_quantity_finished_goods: 5.5,
  consumption: { silo_a: 600.2999877929688 },
};

test('a reading comes out in the one shape: booleans, three decimals, a time', () => {
  const now = new Date('2026-01-01T00:00:00Z');
  assert.deepEqual(checkReading(reading, now).reading, {
    ...reading,
    status_manufacturing: true,
    status_operation: false,
    consumption: { silo_a: 600.3 },
    read_at: '2026-01-01T00:00:00.000Z',
  });
});

test('what a reading says about itself comes along where it is given', () => {
  const about = { source: 's7-1/DB100', reader: 'a-reader', read_no: 7, counter: 12, acknowledged: 1 };
  const { reading: checked } = checkReading({
    ...reading,
    ...about,
    status_manufacturing: 0,
    seen_once: true,
    hold: 'seen-once',
  });
  const { source, reader, read_no, counter, acknowledged, seen_once, hold } = checked ?? {};
  assert.deepEqual(
    { source, reader, read_no, counter, acknowledged, seen_once, hold },
    { ...about, acknowledged: true, seen_once: true, hold: 'seen-once' },
  );
  assert.equal('source' in (checkReading({ ...reading, source: '' }).reading ?? {}), false);
});

test('an implausible reading is rejected whole, with the field', () => {
  const wrong: [string, object][] = [
    ['consumption.silo_a', { consumption: { silo_a: -1 } }],
    ['consumption.silo_a', { consumption: { silo_a: NaN } }],
    ['consumption.silo_a', { consumption: { silo_a: Infinity } }],
    ['consumption.silo_a', { consumption: { silo_a: 1e15 } }],
    ['consumption.Silo Z', { consumption: { 'Silo Z': 1 } }],
    ['consumption', { consumption: {} }],
    ['status_manufacturing', { status_manufacturing: 2 }],
    ['mo_id', { mo_id: '' }],
    ['status_manufacturing', { status_manufacturing: undefined }],
    ['read_at', { read_at: 'yesterday noon' }],
    ['read_at', { read_at: '2026-01-01T06:00:00' }],
    ['source', { source: 7 }],
    ['read_no', { reader: 'a-reader' }],
    ['reader', { read_no: 7 }],
    ['counter', { counter: 'seven' }],
    ['acknowledged', { acknowledged: 'yes' }],
    ['seen_once', { seen_once: true }],
    ['hold', { hold: 'for a person' }],
  ];
  for (const [field, change] of wrong)
    assert.equal(checkReading({ ...reading, ...change }).problems?.[0]?.field, field);
});

test('of the readings of one message the wrong ones are refused, and of two of one order both', () => {
  const other = { ...reading, slot: 4, mo_id: 'WH/MO/00002', read_at: '2026-01-01T00:00:00Z' };
  const { readings, refused, problems } = checkReadings([
    reading,
    { ...reading, slot: 2, mo_id: 'x' },
    reading,
    other,
    null,
  ]);
  assert.deepEqual(
    readings.map(({ mo_id }) => mo_id),
    ['WH/MO/00002'],
  );
  assert.deepEqual(
    refused.map(({ slot, mo_id, problems }) => [slot, mo_id, problems[0]?.field]),
    [
      [1, 'WH/MO/00001', 'mo_id'],
      [2, 'x', 'mo_id'],
      [1, 'WH/MO/00001', 'mo_id'],
      [undefined, undefined, '(message)'],
    ],
  );
  assert.match(
    problems ?? '',
    /^reading 1: mo_id WH\/MO\/00001 stands twice; reading 2: mo_id .*; reading 3: .* stands twice; reading 5: /,
  );
  assert.equal(checkReadings([other]).problems, undefined);
});

test('a reading without a time of its own is marked: its place in the order is its arrival', () => {
  const dated = { ...reading, mo_id: 'WH/MO/00002', read_at: '2026-01-01T00:00:00Z' };
  assert.deepEqual(
    checkReadings([reading, dated]).readings.map(({ undated }) => undated),
    [true, undefined],
  );
});

test('names of Odoo orders pass, whatever else a PLC may hold does not', () => {
  const pattern = new RegExp(MO_ID_PATTERN);
  for (const name of ['WH/MO/00001', 'WH/MO/00002-001', 'JBG/MO/2026/00012', 'PT Ma/MO/00001', 'A&B (1).x/7', '飼料/1'])
    assert.match(name, pattern);
  for (const name of ['', 'WH/MO/', 'WH/MO/00001 ', '\0\0\0', 'WH//1', 'a'.repeat(65)])
    assert.doesNotMatch(name, pattern);
});
