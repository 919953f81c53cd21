import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { sortForAcknowledging } from '../../../nodes/lib/plc/slot-acknowledge';

const recorded = (outcome: string, change: object = {}) => ({
  slot: 1,
  mo_id: 'WH/MO/00001',
  status_manufacturing: true,
  status_operation: false,
  actual_weight_quantity_finished_goods: 1200,
  consumption: { silo_a: 825.5 },
  read_at: '2026-03-02T08:15:00.000Z',
  outcome,
  ...change,
});

describe('which completed slots are acknowledged', () => {
  for (const outcome of ['recorded', 'unchanged', 'held', 'stale']) {
    it(`${outcome}: its values are safe in the database`, () => {
      const { safe, kept } = sortForAcknowledging([recorded(outcome)]);
      const { outcome: _outcome, ...reading } = recorded(outcome);
      assert.deepEqual([safe, kept], [[reading], []]);
    });
  }

  for (const [outcome, why] of [
    ['locked', { code: 'locked', values: {} }],
    ['older', { code: 'older', values: {} }],
    [
      'an outcome that is not known here',
      { code: 'not-stored', values: { called: 'an outcome that is not known here' } },
    ],
  ] as const) {
    it(`${outcome}: the slot is kept, with the reason`, () => {
      const { safe, kept } = sortForAcknowledging([recorded(outcome)]);
      assert.deepEqual(safe, []);
      assert.deepEqual(kept, [{ slot: 1, mo_id: 'WH/MO/00001', ...why }]);
    });
  }

  for (const reason of ['foreign-weights', 'locked-row', 'seen-once', 'a reason that is not known here']) {
    it(`held with the reason ${reason}: the slot is kept, since nobody has decided whose weights these are`, () => {
      const { safe, kept } = sortForAcknowledging([recorded('held', { reason })]);
      assert.deepEqual([safe, kept[0]?.slot], [[], 1]);
      assert.ok(kept[0]?.code === reason || kept[0]?.values.called === reason);
    });
  }

  it('a running batch is neither', () => {
    const running = recorded('recorded', { status_manufacturing: false });
    assert.deepEqual(sortForAcknowledging([running, { ...running, outcome: 'locked' }]), { safe: [], kept: [] });
  });

  it('what the store did not answer is refused whole: a reading without outcome, a batch, nothing', () => {
    const { outcome: _outcome, ...reading } = recorded('recorded');
    for (const wrong of [reading, { ...reading, outcome: 1 }, { mo_id: 'WH/MO/00001' }, null, 'WH/MO/00001']) {
      assert.throws(() => sortForAcknowledging([recorded('recorded'), wrong]), /recorded readings/);
    }
  });
});
