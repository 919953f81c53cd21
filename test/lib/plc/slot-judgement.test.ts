/** What two reads of one slot come to, as a table. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { SlotOutcome, SlotReading } from '../../../nodes/lib/plc/slot-guards';
import { cleared, judge } from '../../../nodes/lib/plc/slot-judgement';

const reading = (change: Partial<SlotReading> = {}): SlotReading => ({
  ...{
    slot: 1,
    mo_id: 'X/1',
    status_manufacturing: false,
    status_operation: false,
    read_at: '2026-01-02T03:04:05.678Z',
  },
  ...{ actual_weight_quantity_finished_goods: 900, consumption: { silo_a: 600.3, silo_b: 300 } },
  ...change,
});
const seen = (change: Partial<SlotReading> = {}): SlotOutcome => ({
  ...{ kind: 'reading', reading: reading(change), raw: Buffer.alloc(0), mo_id_raw: Buffer.alloc(0) },
});
const refused = (mo_id: string | null): SlotOutcome => ({
  kind: 'rejected',
  rejection: { slot: 1, mo_id, problems: [], raw: '', read_at: '2026-01-02T03:04:05.678Z' },
});

const zero = { silo_a: 0, silo_b: 0 };
const STATES: Record<string, SlotOutcome> = {
  'X runs': seen(),
  'X runs with more': seen({ consumption: { silo_a: 600.3, silo_b: 310 } }),
  'X complete': seen({ status_manufacturing: true }),
  'X complete, the machine runs': seen({ status_manufacturing: true, status_operation: true }),
  'X complete with more': seen({ status_manufacturing: true, consumption: { silo_a: 600.3, silo_b: 310 } }),
  'X complete, another finished quantity': seen({
    status_manufacturing: true,
    actual_weight_quantity_finished_goods: 901,
  }),
  'X complete without silo_b': seen({ status_manufacturing: true, consumption: { silo_a: 600.3, silo_b: 0 } }),
  'X cleared': seen({ consumption: zero, actual_weight_quantity_finished_goods: 0 }),
  'X half cleared': seen({ consumption: { silo_a: 0, silo_b: 300 } }),
  'X complete, cleared': seen({
    ...{ status_manufacturing: true, consumption: zero, actual_weight_quantity_finished_goods: 0 },
  }),
  'Y runs': seen({ mo_id: 'Y/2' }),
  'Y complete': seen({ mo_id: 'Y/2', status_manufacturing: true }),
  empty: { kind: 'empty' },
  'X implausible': refused('X/1'),
  'no number': refused(null),
};

type Told = 'nothing' | 'second' | 'running';
const TABLE: [first: string, second: string, told: Told, gone: boolean][] = [
  ['X complete', 'X complete', 'second', false],
  ['X complete', 'X complete, the machine runs', 'second', false],
  ['X complete, the machine runs', 'X complete', 'second', false],
  ['X complete', 'X complete with more', 'running', false],
  ['X complete', 'X complete, another finished quantity', 'running', false],
  ['X complete', 'X complete without silo_b', 'running', false],
  ['X complete', 'X runs', 'running', false],
  ['X complete', 'X runs with more', 'running', false],
  ['X complete', 'X cleared', 'nothing', true],
  ['X complete', 'X half cleared', 'nothing', true],
  ['X complete', 'X complete, cleared', 'nothing', true],
  ['X complete, cleared', 'X complete, cleared', 'second', false],
  ['X complete', 'empty', 'second', true],
  ['X complete', 'no number', 'second', true],
  ['X complete', 'X implausible', 'second', false],
  ['X complete', 'Y runs', 'nothing', true],
  ['X complete', 'Y complete', 'nothing', true],
  ['X runs', 'X runs', 'second', false],
  ['X runs', 'X runs with more', 'second', false],
  ['X runs', 'X complete', 'running', false],
  ['X runs', 'X cleared', 'second', false],
  ['X runs', 'empty', 'second', false],
  ['X runs', 'Y runs', 'nothing', false],
  ['X runs', 'Y complete', 'nothing', false],
  ['X runs', 'no number', 'second', false],
  ['X implausible', 'X complete', 'running', false],
  ['X implausible', 'X runs', 'second', false],
  ['X implausible', 'Y complete', 'nothing', false],
  ['X implausible', 'empty', 'second', false],
  ['no number', 'X complete', 'nothing', false],
  ['no number', 'no number', 'second', false],
  ['no number', 'empty', 'second', false],
];

describe('what two reads of one slot come to', () => {
  for (const [first, second, told, gone] of TABLE) {
    it(`${first}, then ${second}: ${told === 'second' ? 'the second' : told}${gone ? ', the first is gone' : ''}`, () => {
      const [one, two] = [STATES[first]!, STATES[second]!];
      const judged = judge(one, two);
      const expected =
        told === 'nothing'
          ? undefined
          : told === 'second' || two.kind !== 'reading'
            ? two
            : { ...two, reading: { ...two.reading, status_manufacturing: false } };
      assert.deepEqual(judged.now, expected);
      assert.deepEqual(judged.gone, gone ? one : undefined);
    });
  }

  it('a slot is being cleared when what it weighs is what it weighed, but for zeros', () => {
    const before = reading();
    assert.ok(!cleared(before, reading()));
    assert.ok(cleared(before, reading({ actual_weight_quantity_finished_goods: 0 })));
    assert.ok(!cleared(before, reading({ consumption: { silo_a: 0, silo_b: 310 } })));
    assert.ok(!cleared(before, reading({ consumption: { silo_a: 0, silo_b: 300, silo_c: 1 } })));
    assert.ok(!cleared(reading({ consumption: zero }), reading({ consumption: zero })));
  });
});
