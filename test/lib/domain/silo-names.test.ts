/** People read the label that they gave a silo, wherever it is spoken of. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Batch } from '../../../nodes/lib/domain/batch';
import { consign, describe, differences } from '../../../nodes/lib/domain/consumption';
import { describeSettled, describeUnsettled, judge, notInRow } from '../../../nodes/lib/domain/correction';
import { reconcile } from '../../../nodes/lib/domain/reconciliation';
import { DEFAULT_SILOS, SiloMap } from '../../../nodes/lib/domain/silos';

const silos = new SiloMap([
  { tag: 'silo_a', code: 'S-1', label: 'Maize north' },
  { tag: 'bin_16', code: 'B-16', label: 'Lysine' },
  { tag: 'bin_17', code: 'B-17', label: '' },
  { tag: 'bin_18', code: 'B-18', label: 'Old salt', enabled: false },
]);
const batch = { mo_id: 'WH/MO/1', silo_a: 101, more_actual_consumption: { bin_16: 12 } } as unknown as Batch;

test('a silo is called as people call it; by its tag while they gave no label of their own', () => {
  const names = ['silo_a', 'bin_16', 'bin_17', 'bin_18', 'bin_19'].map((tag) => silos.name(tag));
  assert.deepEqual(names, ['Maize north', 'Lysine', 'bin_17', 'Old salt', 'bin_19']);
  const usual = new SiloMap([...DEFAULT_SILOS, { tag: 'silo_16', code: 'x', label: 'Silo 16' }]);
  for (const tag of ['lq_fml', 'silo_16'])
    assert.equal(usual.name(tag), tag, 'a label that says the tag again is none');
});

test('why a row is not sent, and what differs in Odoo, name silos by their labels', () => {
  assert.match(consign({ bin_18: 2 }, silos).refused ?? '', /^Old salt holds 2 kg, but is switched off/);
  assert.match(consign({ bin_16: -1 }, silos).refused ?? '', /^Lysine holds -1 kg/);
  assert.equal(
    describe(differences({ silo_a: 5, bin_16: 12 }, { silo_a: 4 }, silos)),
    'Maize north (S-1): 5 kg here, 4 kg in Odoo; Lysine (B-16): 12 kg here, 0 kg in Odoo',
  );
});

test('what a call by hand left behind names silos by their labels', () => {
  const call = { consumption: { bin_16: 13 } };
  assert.equal(describeUnsettled(call, batch, silos), 'unsettled: Lysine (13 kg by hand, 12 kg here)');
  const held = { state: 'done', finished: 0, consumption: { bin_16: 99 } };
  const [strange] = judge(call, batch, held, silos, true).strange;
  assert.equal(strange, 'Lysine: 13 kg by hand, 12 kg here, 99 kg in Odoo');
  const known = judge(call, batch, { ...held, consumption: { bin_16: 13 } }, silos, true);
  assert.equal(describeSettled(known, silos), 'Lysine 13 kg by hand: in Odoo, taken into the row');
  assert.deepEqual(notInRow(call, batch, silos), ['Lysine: 13 kg by hand, 12 kg in the row']);
});

test('a finding of the reconciliation has the silo’s tag and its label', () => {
  const production = { id: 1, name: 'WH/MO/1', state: 'confirmed', qty_produced: 0, qty_producing: 0, backorders: [] };
  const [found] = reconcile(batch, production as unknown as Parameters<typeof reconcile>[1], [], silos);
  assert.deepEqual([found?.silo, found?.label], ['bin_16', 'Lysine']);
  assert.match(found?.reason ?? '', /^Lysine \(B-16\): 12 kg here/);
});
