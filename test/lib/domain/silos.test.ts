import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_SILOS, siloNumber, siloNumberColumn, SiloMap } from '../../../nodes/lib/domain/silos';

test('the default map names silo101 to silo113, lq114 and lq115', () => {
  assert.deepEqual(DEFAULT_SILOS.map(({ code }) => code).slice(11), ['silo112', 'silo113', 'lq114', 'lq115']);
  assert.deepEqual([siloNumber('silo_a'), siloNumber('lq_fml')], [101, 115]);
  assert.deepEqual([siloNumberColumn('silo_m'), siloNumberColumn('lq_tetes')], ['silo_m', 'lq114']);
});

test('silos that are switched off are in no lookup', () => {
  const map = new SiloMap([
    { tag: 'silo_a', code: 'x1' },
    { tag: 'silo_b', code: 'x2', enabled: false },
  ]);
  assert.deepEqual([map.byTag('silo_a')?.code, map.byCode('x1')?.tag], ['x1', 'silo_a']);
  assert.deepEqual([map.byTag('silo_b'), map.byCode('x2')], [undefined, undefined]);
});

test('a map with an unknown tag, without a code, or with one twice is refused by name', () => {
  for (const tag of ['Silo_z', '1st', 'bin-7', '', 'b'.repeat(32), 'counter', 'finished'])
    assert.throws(() => new SiloMap([{ tag, code: 'x' }]), new RegExp(`"${tag}" is no silo tag`));
  assert.throws(() => new SiloMap([{ tag: 'silo_a', code: '' }]), /silo_a has no Odoo equipment code/);
  assert.throws(
    () =>
      new SiloMap([
        { tag: 'silo_a', code: 'x' },
        { tag: 'silo_a', code: 'y' },
      ]),
    /silo_a stands twice/,
  );
  assert.throws(
    () =>
      new SiloMap([
        { tag: 'silo_a', code: 'x' },
        { tag: 'silo_b', code: 'x' },
      ]),
    /code x stands twice/,
  );
});
