import assert from 'node:assert/strict';
import { test } from 'node:test';
import { roundDecoded, roundForOdoo, sameForOdoo, sumForOdoo } from '../../../nodes/lib/domain/weight';

test('decoded weights are rounded to 3 decimals: a float32 600.3 is 600.3', () => {
  assert.equal(roundDecoded(Math.fround(600.3)), 600.3);
  assert.equal(roundDecoded(Math.fround(825.5)), 825.5);
});

test('what Odoo keeps is rounded half-up in decimal (exchanges 088, 094, 267)', () => {
  const cases = [
    [123.456, 123.46],
    [0.004, 0],
    [0.005, 0.01],
    [1.005, 1.01],
    [2.675, 2.68],
    [1.115, 1.12],
    [8.345, 8.35],
    [-1.005, -1.01],
    [123.46000000000001, 123.46],
  ];
  for (const [kg = 0, rounded] of cases) assert.equal(roundForOdoo(kg), rounded, String(kg));
});

test('every hundredth up to 10 000 kg is left as it is', () => {
  for (let hundredths = 0; hundredths <= 1_000_000; hundredths += 1)
    assert.equal(roundForOdoo(hundredths / 100), hundredths / 100);
});

test('every half of a hundredth goes up', () => {
  for (let n = 0; n < 200_000; n += 1)
    assert.equal(roundForOdoo(Number(`${(n - (n % 100)) / 100}.${String(n % 100).padStart(2, '0')}5`)), (n + 1) / 100);
});

test('a total is the sum of the rounded weights', () => {
  assert.equal(sumForOdoo([0.1, 0.2, 0.005, null, undefined]), 0.31);
  assert.equal(sumForOdoo(Array.from({ length: 1000 }, () => 0.1)), 100);
});

test('weights are the same when Odoo cannot tell them apart', () => {
  assert.equal(sameForOdoo(123.456, 123.46), true);
  assert.equal(sameForOdoo(null, 0.004), true);
  assert.equal(sameForOdoo(1, 1.01), false);
});
