import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SILO_TAGS } from '../../../nodes/lib/domain/silos';
import {
  fallingSilos,
  slotGuard,
  rejectDuplicates,
  sameWeights,
  type Guards,
  type SlotOutcome,
  type SlotReading,
} from '../../../nodes/lib/plc/slot-guards';
import { LAYOUT_PRESETS } from '../../../nodes/lib/plc/slot-layout';
import { problem, type SlotProblem } from '../../../nodes/lib/plc/slot-problem';

const layout = LAYOUT_PRESETS['S7 batch record'];
const packed = LAYOUT_PRESETS['packed words'];
const at = '2026-01-02T03:04:05.678Z';

/** A sound slot of the preset "S7 batch record", silo_a 600.3 kg; `change` then writes into it. */
function record(change: (slot: Buffer) => void = () => undefined): Buffer {
  const slot = Buffer.alloc(88);
  slot.set([20, 11]);
  slot.write('WH/MO/00042', 2, 'ascii');
  slot[22] = 0b10;
  slot.writeFloatBE(1234.5, 24);
  slot.writeFloatBE(600.3, 28);
  change(slot);
  return slot;
}
const read = (slot: Buffer, number = 1, guards: Guards = {}): SlotOutcome =>
  slotGuard(layout, guards)(slot, number, at);
function readingOf(outcome: SlotOutcome): SlotReading {
  assert.equal(outcome.kind, 'reading', JSON.stringify(outcome));
  return outcome.reading;
}

describe('guards of a slot', () => {
  it('the preset "S7 batch record" becomes a reading with 3 decimals', () => {
    const reading = readingOf(read(record(), 7));
    assert.deepEqual(
      { ...reading, consumption: reading.consumption.silo_a },
      {
        slot: 7,
        mo_id: 'WH/MO/00042',
        status_manufacturing: false,
        status_operation: true,
        actual_weight_quantity_finished_goods: 1234.5,
        consumption: 600.3,
        acknowledged: false,
        read_at: '2026-01-02T03:04:05.678Z',
      },
    );
    assert.deepEqual(Object.keys(reading.consumption), [...SILO_TAGS]);
  });

  it('the preset "packed words" is scaled by 0.01', () => {
    const slot = Buffer.alloc(86);
    slot.write('WH/MO/00042     ', 'ascii');
    slot.writeInt16BE(1, 16);
    slot.writeInt32BE(450_007, 20);
    slot.writeInt32BE(38_125, 24);
    slot.writeInt32BE(1, 80);
    const reading = readingOf(slotGuard(packed, {})(slot, 1, at));
    assert.equal(reading.mo_id, 'WH/MO/00042');
    assert.equal(reading.status_manufacturing, true);
    assert.equal(reading.actual_weight_quantity_finished_goods, 4500.07);
    assert.equal(reading.consumption.silo_a, 381.25);
    assert.equal(reading.consumption.lq_fml, 0.01);
  });

  it('−0 and denormals count as 0', () => {
    const reading = readingOf(read(record((slot) => void (slot.writeFloatBE(-0, 28), slot.writeUInt32BE(1, 32)))));
    assert.ok(Object.is(reading.consumption.silo_a, 0));
    assert.ok(Object.is(reading.consumption.silo_b, 0));
  });

  const blanks = ['\0'.repeat(20), ' '.repeat(20), ' \0'.repeat(10)];

  it('a blank slot that weighs nothing is silent, stale characters behind an empty length and a negative rest included', () => {
    const nothing = (change: (slot: Buffer) => void): Buffer =>
      record((slot) => {
        slot.fill(0, 22);
        change(slot);
      });
    for (const blank of blanks) assert.equal(read(nothing((slot) => void slot.write(blank, 2, 'ascii'))).kind, 'empty');
    assert.equal(read(nothing((slot) => void (slot[1] = 0))).kind, 'empty');
    assert.equal(
      read(nothing((slot) => void ((slot[1] = 0), slot.writeFloatBE(-0.4, 28), (slot[22] = 0b10)))).kind,
      'empty',
    );
    assert.equal(slotGuard(packed, {})(Buffer.alloc(86), 1, at).kind, 'empty');
    const faint = nothing((slot) => void ((slot[1] = 0), slot.writeFloatBE(0.0004, 28)));
    assert.equal(read(faint).kind, 'empty', 'below the rounding');
    const resting = nothing((slot) => void ((slot[1] = 0), slot.writeFloatBE(0.2, 28)));
    assert.deepEqual([read(resting).kind, read(resting, 1, { zeroBand: 0.2 }).kind], ['rejected', 'empty']);
  });

  it('a batch without a readable number is rejected with its kg: by weight, finished quantity or completion', () => {
    for (const blank of blanks) {
      const outcome = read(record((slot) => void slot.write(blank, 2, 'ascii')));
      assert.equal(outcome.kind, 'rejected');
      const [breach] = outcome.rejection.problems;
      assert.deepEqual([outcome.rejection.mo_id, breach?.field, breach?.value], [null, 'mo_id', '']);
      assert.deepEqual([breach?.code, breach?.values], ['no-number', { silos: 600.3, finished: 1234.5 }]);
      assert.equal(outcome.unnamed?.consumption.silo_a, 600.3);
    }
    for (const change of [
      (slot: Buffer) => void (slot[22] = 1),
      (slot: Buffer) => void slot.writeFloatBE(12, 24),
      (slot: Buffer) => void slot.writeFloatBE(0.07, 84),
      (slot: Buffer) => void slot.writeFloatBE(NaN, 84),
      (slot: Buffer) => void slot.writeFloatBE(Infinity, 84),
    ]) {
      const stale = read(record((slot) => void (slot.fill(0, 22), (slot[1] = 0), change(slot))));
      assert.equal(stale.kind, 'rejected');
    }
    const words = Buffer.alloc(86);
    words.writeInt16BE(1, 16);
    assert.equal(slotGuard(packed, {})(words, 1, at).kind, 'rejected', 'CHAR');
  });

  it('characters behind a STRING header that was never written are rejected, whatever is weighed', () => {
    for (const weighed of [true, false]) {
      const outcome = read(record((slot) => void (slot.fill(0, 0, 2), !weighed && slot.fill(0, 22))));
      assert.equal(outcome.kind, 'rejected');
      assert.equal(outcome.rejection.mo_id, null);
      assert.equal(outcome.rejection.problems[0]?.code, 'no-header');
    }
  });

  it('what is judged is the weight as it is kept: 3 decimals, and 0 within the zero band', () => {
    const weigh = (kg: number, guards: Guards = {}, offset = 28): SlotOutcome =>
      read(
        record((slot) => void slot.writeFloatBE(kg, offset)),
        1,
        guards,
      );
    for (const [kg, kept, guards] of [
      [-0.0004, 0, {}],
      [5000.0004883, 5000, {}],
      [-0.2, 0, { zeroBand: 0.2 }],
      [0.2, 0, { zeroBand: 0.2 }],
      [0.201, 0.201, { zeroBand: 0.2 }],
      [0.07, 0.07, {}],
    ] as const) {
      const reading = readingOf(weigh(kg, guards));
      assert.ok(Object.is(reading.consumption.silo_a, kept), `${kg}: ${reading.consumption.silo_a}`);
    }
    const finished = readingOf(weigh(-0.2, { zeroBand: 0.5 }, 24));
    assert.equal(finished.actual_weight_quantity_finished_goods, 0);
    for (const [kg, guards] of [
      [-0.0006, {}],
      [5000.001, {}],
      [-0.2, {}],
      [-0.3, { zeroBand: 0.2 }],
      [NaN, { zeroBand: 1 }],
      [-Infinity, { zeroBand: 1 }],
    ] as const) {
      assert.equal(weigh(kg, guards).kind, 'rejected', String(kg));
    }
  });

  it('the acknowledge bit and a batch counter of any whole-number type come with the reading', () => {
    for (const [type, bytes, counter] of [
      ['UINT', [0xff, 0xfe], 65534],
      ['DINT', [0, 0, 1, 0], 256],
      ['USINT', [7], 7],
    ] as const) {
      const counted = { ...layout, fields: [...layout.fields, { field: 'counter', type, offset: 88 } as const] };
      const slot = Buffer.concat([record((bytes) => void (bytes[22] = 0b100)), Buffer.from(bytes)]);
      const outcome = slotGuard(counted, {})(slot, 1, at);
      assert.equal(outcome.kind, 'reading');
      const { reading } = outcome;
      assert.deepEqual([reading.acknowledged, reading.counter], [true, counter]);
    }
  });

  const breaches: [string, (slot: Buffer) => unknown, string, SlotProblem, unknown, string][] = [
    ['NaN', (s) => s.writeFloatBE(NaN, 28), 'silo_a', problem('not-finite'), 'NaN', '7fc00000'],
    ['an infinity', (s) => s.writeFloatBE(-Infinity, 84), 'lq_fml', problem('not-finite'), '-Infinity', 'ff800000'],
    ['a negative weight', (s) => s.writeFloatBE(-0.5, 32), 'silo_b', problem('negative'), -0.5, 'bf000000'],
    [
      'a silo above 5000 kg',
      (s) => s.writeFloatBE(5000.5, 32),
      'silo_b',
      problem('above-limit', { limit: 5000 }),
      5000.5,
      '459c4400',
    ],
    [
      'too much of finished goods',
      (s) => s.writeFloatBE(2e7, 24),
      'actual_weight_quantity_finished_goods',
      problem('above-limit', { limit: 10_000_000 }),
      2e7,
      '4b989680',
    ],
    [
      'a malformed id',
      (s) => s.write('WH//O', 2),
      'mo_id',
      problem('bad-order'),
      'WH//O/00042',
      `140b${Buffer.from('WH//O/00042').toString('hex')}${'00'.repeat(9)}`,
    ],
    [
      'a space before the id',
      (s) => s.write(' H', 2),
      'mo_id',
      problem('bad-order'),
      ' H/MO/00042',
      `140b2048${Buffer.from('/MO/00042').toString('hex')}${'00'.repeat(9)}`,
    ],
    [
      'an id that is not ASCII',
      (s) => s.writeUInt8(0xc3, 3),
      'mo_id',
      problem('not-ascii'),
      'W\u00c3/MO/00042',
      `140b57c3${Buffer.from('/MO/00042').toString('hex')}${'00'.repeat(9)}`,
    ],
    [
      'a bad length byte',
      (s) => s.writeUInt8(21, 1),
      'mo_id',
      problem('bad-length', { current: 21, maximum: 20 }),
      'WH/MO/00042',
      `1415${Buffer.from('WH/MO/00042').toString('hex')}${'00'.repeat(9)}`,
    ],
  ];
  for (const [name, change, field, found, value, raw] of breaches) {
    it(`${name} rejects the whole slot with field, value and bytes`, () => {
      const slot = record(change);
      const outcome = read(slot, 4);
      assert.equal(outcome.kind, 'rejected');
      const { rejection } = outcome;
      assert.equal(rejection.slot, 4);
      assert.equal(rejection.mo_id, field === 'mo_id' ? null : 'WH/MO/00042');
      assert.equal(rejection.raw, slot.toString('hex'));
      assert.equal(rejection.problems.length, 1);
      assert.deepEqual(rejection.problems[0], { field, ...found, value, raw });
      assert.deepEqual(JSON.parse(JSON.stringify(rejection)), rejection);
    });
  }

  it('a status that is neither 0 nor 1 is rejected, together with every other breach', () => {
    const slot = Buffer.alloc(86);
    slot.write('WH/MO/00042', 'ascii');
    slot.writeInt16BE(2, 16);
    slot.writeInt16BE(-1, 18);
    slot.writeInt32BE(-1, 24);
    const outcome = slotGuard(packed, {})(slot, 1, at);
    assert.equal(outcome.kind, 'rejected');
    const fields = outcome.rejection.problems.map(({ field }) => field);
    assert.deepEqual(fields, ['status_manufacturing', 'status_operation', 'silo_a']);
  });

  it('limits are set for all silos, for one, and for finished goods', () => {
    const limits = { silo: 600, silo_a: 700, actual_weight_quantity_finished_goods: 2000 };
    assert.equal(read(record(), 1, { limits }).kind, 'reading');
    assert.equal(
      read(
        record((s) => s.writeFloatBE(600.3, 32)),
        1,
        { limits },
      ).kind,
      'rejected',
    );
    assert.equal(
      read(
        record((s) => s.writeFloatBE(2001, 24)),
        1,
        { limits },
      ).kind,
      'rejected',
    );
    assert.equal(read(record(), 1, { moIdPattern: '^JBG/' }).kind, 'rejected');
  });

  it('the same MO in two slots rejects both, also when one of them is rejected already', () => {
    const other = read(
      record((slot) => void slot.write('WH/MO/00043', 2)),
      2,
    );
    const twice = rejectDuplicates([read(record(), 1), other, read(record(), 3)]);
    assert.deepEqual(
      twice.map(({ kind }) => kind),
      ['rejected', 'reading', 'rejected'],
    );
    const { rejection } = twice[2] as SlotOutcome & { kind: 'rejected' };
    assert.deepEqual([rejection.problems[0]?.code, rejection.problems[0]?.values], ['two-slots', { slots: '1, 3' }]);
    assert.equal(rejection.mo_id, 'WH/MO/00042');
    const broken = read(
      record((slot) => void slot.writeFloatBE(NaN, 28)),
      2,
    );
    assert.equal(rejectDuplicates([read(record(), 1), broken])[0]?.kind, 'rejected');
  });

  it('readings agree whenever they were taken, and weights that fall are named', () => {
    const first = readingOf(read(record()));
    const later = readingOf(slotGuard(layout, {})(record(), 1, new Date().toISOString()));
    assert.ok(sameWeights(first, later));
    const less = readingOf(read(record((slot) => void slot.writeFloatBE(600.2, 28))));
    assert.ok(!sameWeights(first, less));
    assert.deepEqual(fallingSilos(first, less), ['silo_a']);
    assert.deepEqual(fallingSilos(less, first), []);
    assert.deepEqual(fallingSilos({ ...first, mo_id: 'WH/MO/00041' }, less), []);
  });

  it('10,000 slots of random bytes come out as an independent table says', () => {
    let seed = 20260102;
    const random = (): number => {
      seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
      return seed / 2 ** 32;
    };
    const outcomes = { empty: 0, reading: 0, rejected: 0 };
    for (let round = 0; round < 10_000; round += 1) {
      const slot = Buffer.from(Array.from({ length: 88 }, () => Math.floor(random() * 256)));
      if (random() < 0.9) {
        slot.fill(0, 0, 22).set([20, 11]);
        slot.write(random() < 0.2 ? '           ' : `WH/MO/${String(round).padStart(5, '0')}`, 2, 'ascii');
      }
      const resting = slot[2] === 0x20 && random() < 0.5;
      if (resting) slot.fill(0, 22);
      const wild = random() < 0.5 ? 0.05 : 0;
      for (let offset = 24; offset < 88; offset += 4) {
        if (!resting && random() >= wild) slot.writeFloatBE(random() * 5000, offset);
      }
      const view = new DataView(slot.buffer, slot.byteOffset, slot.length);
      const text = slot.subarray(2, 2 + slot[1]!).toString('latin1');
      const idGood = slot[0]! <= 20 && slot[1]! <= slot[0]! && /^[A-Za-z0-9][\w.-]*(\/[\w.-]+)*[\0 ]*$/.test(text);
      const blank = slot[0]! <= 20 && slot[1]! <= slot[0]! && /^[\0 ]*$/.test(text);
      const bad = Array.from({ length: 16 }, (_, index) => view.getFloat32(24 + index * 4, false)).map(
        (kg, index) => !(kg > -0.0005 && kg < (index === 0 ? 10_000_000 : 5000) + 0.0005),
      );
      const weighed =
        (slot[22]! & 1) === 1 ||
        Array.from({ length: 16 }, (_, index) => view.getFloat32(24 + index * 4, false)).some((kg) => !(kg < 0.0005));
      const headless = slot[0] === 0 && slot[1] === 0 && /[^\0 ]/.test(slot.toString('latin1', 2, 22));
      const expected =
        blank && !weighed && !headless
          ? 'empty'
          : !blank && idGood && /\d/.test(text) && !bad.includes(true)
            ? 'reading'
            : 'rejected';
      const outcome = read(slot);
      assert.equal(outcome.kind, expected, slot.toString('hex'));
      outcomes[expected] += 1;
      if (outcome.kind === 'reading') {
        assert.equal(outcome.reading.status_manufacturing, (slot[22]! & 1) === 1);
        SILO_TAGS.forEach((tag, index) => {
          const exact = view.getFloat32(28 + index * 4, false);
          assert.ok(Math.abs(outcome.reading.consumption[tag]! - exact) <= 0.000501, tag);
        });
      } else if (outcome.kind === 'rejected') {
        const weights = outcome.rejection.problems.filter(({ field }) => field !== 'mo_id').length;
        assert.equal(weights, bad.filter(Boolean).length);
      }
    }
    for (const [kind, count] of Object.entries(outcomes)) assert.ok(count > 500, `${kind}: ${count}`);
  });
});
