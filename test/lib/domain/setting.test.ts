import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setting } from '../../../nodes/lib/domain/setting';

/** A time limit of 1 to 600 s, 30 by default. */
const RANGE = { standard: 30, least: 1, most: 600 };

const CASES: [entered: unknown, value: number, instead?: string][] = [
  [30, 30],
  ['30', 30],
  [' 30 ', 30],
  ['2.5', 2.5],
  [1, 1],
  [600, 600],
  ['', 30],
  ['  ', 30],
  [undefined, 30],
  [null, 30],
  [true, 30],
  [{}, 30],
  [30000, 600, '30000'],
  ['30000', 600, '30000'],
  [1800, 600, '1800'],
  ['1e9', 600, '1e9'],
  [Infinity, 600, 'Infinity'],
  ['Infinity', 600, 'Infinity'],
  [0, 1, '0'],
  ['0', 1, '0'],
  [-30, 1, '-30'],
  [-Infinity, 1, '-Infinity'],
  [0.2, 1, '0.2'],
  [NaN, 30, 'NaN'],
  ['30 s', 30, '30 s'],
  ['30,5', 30, '30,5'],
  ['thirty', 30, 'thirty'],
];
for (const [entered, value, instead] of CASES) {
  test(`of 1 to 600, by default 30: ${JSON.stringify(entered) ?? String(entered)} is ${value}`, () => {
    assert.deepEqual(setting(entered, RANGE), instead === undefined ? { value } : { value, instead });
  });
}
