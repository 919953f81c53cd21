import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Batch } from '../../../nodes/lib/domain/batch';
import { consign, describe, differences, finishedQuantity, wholeSet } from '../../../nodes/lib/domain/consumption';
import { SiloMap } from '../../../nodes/lib/domain/silos';

const silos = new SiloMap();

test('a set names codes above 0 after rounding, and the silos that have to be 0', () => {
  const { consignment } = consign({ silo_a: 825.555, silo_b: 0.004, silo_c: 0, lq_fml: 1 }, silos);
  assert.deepEqual(consignment, {
    weights: { silo_a: 825.56, silo_b: 0, silo_c: 0, lq_fml: 1 },
    byCode: { silo101: 825.56, lq115: 1 },
    zeros: ['silo_b', 'silo_c'],
  });
});

test('a weight on a silo that is switched off refuses the row, a 0 does not', () => {
  const map = new SiloMap([{ tag: 'silo_a', code: 'silo101' }]);
  assert.match(consign({ silo_a: 1, silo_b: 2 }, map).refused ?? '', /silo_b holds 2 kg, but is switched off/);
  assert.deepEqual(consign({ silo_a: 1, silo_b: 0 }, map).consignment?.weights, { silo_a: 1 });
});

test('a weight that no silo can hold refuses the row', () => {
  for (const kg of [-1, NaN, Infinity, 1e15])
    assert.match(consign({ silo_a: kg }, silos).refused ?? '', /silo_a holds/);
});

test('differences are told with both figures, to 0.01 kg; a silo without a move counts as 0', () => {
  const open = differences({ silo_a: 10.004, silo_b: 5, silo_c: 0 }, { silo_a: 10, silo_b: 4.99 }, silos);
  assert.equal(describe(open), 'silo_b (silo102): 5 kg here, 4.99 kg in Odoo');
});

test('the finished quantity is the one that was read, else what the engineer chose', () => {
  const batch = {
    consumption: 2500,
    actual_weight_quantity_finished_goods: 0,
    actual_consumption_silo_a: 1.5,
    actual_consumption_silo_b: 2,
  } as Batch;
  assert.equal(finishedQuantity({ ...batch, actual_weight_quantity_finished_goods: 2400 }, 'planned'), 2400);
  assert.equal(finishedQuantity(batch, 'planned'), 2500);
  assert.equal(finishedQuantity(batch, 'sum'), 3.5);
  assert.equal(finishedQuantity(batch, 'set-aside'), undefined);
});

test('a silo that was sent before and that the row says nothing of has to be 0 in Odoo', () => {
  const batch = { actual_consumption_silo_a: 5, sent_consumption: { silo_a: 4, silo_m: 125 } } as Batch;
  assert.deepEqual(wholeSet(batch), { silo_a: 5, silo_m: 0 });
});

test('a 0 on a silo that was sent above 0 and switched off since refuses the row', () => {
  const map = new SiloMap([{ tag: 'silo_a', code: 'silo101' }]);
  const { refused } = consign({ silo_a: 1, silo_m: 0 }, map, { silo_m: 125 });
  assert.match(refused ?? '', /silo_m was sent with 125 kg, but is switched off/);
});
