/** What the dialog of the silo map makes of its rows. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_SILOS, type Silo, SiloMap } from '../../nodes/lib/domain/silos';
import { nextSilo, problemsOf, proposed } from '../../nodes/silo-map/silo-rows';

const silo = (tag: string, code: string, label = '', enabled = true): Silo => ({ tag, code, label, enabled });
const told = (silos: readonly Silo[]): [number, string, string][] =>
  problemsOf(silos).map(({ index, part, error }) => [index, part, error]);

test('a further silo has a tag of its own, in small letters, and no field’s name', () => {
  assert.deepEqual(told([...DEFAULT_SILOS, silo('bin_16', 'B-16')]), []);
  const rows = [
    silo('bin_1', 'a'),
    silo('bin_1', 'b', '', false),
    silo('Bin', 'c'),
    silo('counter', 'd'),
    silo('', 'e'),
  ];
  assert.deepEqual(told(rows), [
    [1, 'tag', 'tag-twice'],
    [2, 'tag', 'tag'],
    [3, 'tag', 'tag'],
    [4, 'tag', 'tag'],
  ]);
});

test('a code is asked for where its silo is in use, and stands once', () => {
  const rows = [silo('silo_a', 'x'), silo('bin_16', 'x'), silo('bin_17', ''), silo('bin_18', '', '', false)];
  assert.deepEqual(told(rows), [
    [1, 'code', 'twice'],
    [2, 'code', 'blank'],
  ]);
  assert.deepEqual(told([silo('bin_1', 'x', '', false)]), [[-1, 'code', 'none']]);
});

test('rows that are added count on from the last one, and no code is guessed for the first', () => {
  assert.deepEqual(nextSilo(DEFAULT_SILOS), silo('silo_16', ''));
  const rows = [...DEFAULT_SILOS, silo('bin_09', 'B-099', 'Bin 9')];
  assert.deepEqual(nextSilo(rows), silo('bin_10', 'B-100', 'Bin 10'));
  assert.deepEqual(
    nextSilo([...rows.slice(0, 15), silo('bin_10', 'B-100'), ...rows.slice(15)]),
    silo('bin_11', '', 'Bin 10'),
  );
  assert.deepEqual(nextSilo([...DEFAULT_SILOS, silo('salt', 'SALT', 'Salt')]), silo('silo_17', ''));
});

test('forty silos are added one after the other, and make a map', () => {
  const rows: Silo[] = [...DEFAULT_SILOS, silo('bin_16', 'B-16')];
  while (rows.length < 40) rows.push(nextSilo(rows));
  assert.deepEqual(problemsOf(rows), []);
  const map = new SiloMap(rows);
  assert.equal(map.enabled.length, 40);
  assert.equal(map.byCode('B-40')?.tag, 'bin_40');
});

test('products of open orders become rows, each code once; what has no code is named', () => {
  const rows = [silo('silo_a', 'silo101'), silo('silo_b', 'silo102', '', false)];
  const found = [
    { product: 'Pollard', code: 'silo101' },
    { product: 'Kopra', code: 'silo102' },
    { product: 'Yeast', code: 'PRM1' },
    { product: 'Salt', code: 'PRM2' },
    { product: 'Bag', code: '' },
  ];
  const { silos, nameless } = proposed(rows, found);
  assert.deepEqual(
    silos.map(({ code, label, enabled }) => [code, label, enabled]),
    [
      ['PRM1', 'Yeast', true],
      ['PRM2', 'Salt', true],
    ],
  );
  assert.equal(nameless, 'Bag');
  assert.deepEqual(told([...rows, ...silos]), [], 'each has a tag of its own');
});
