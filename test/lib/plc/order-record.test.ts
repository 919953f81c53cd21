import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Batch } from '../../../nodes/lib/domain/batch';
import { isFree } from '../../../nodes/lib/domain/handover';
import { validateOrderLayout } from '../../../nodes/lib/plc/order-check';
import { ORDER_PRESETS, type OrderField, type OrderLayout, orderSlotBytes } from '../../../nodes/lib/plc/order-layout';
import { encodeOrder, type OrderLimits, orderSlotIn, recordOf } from '../../../nodes/lib/plc/order-record';

const PACKED = ORDER_PRESETS['packed words'];
const RECORD = ORDER_PRESETS['S7 order record'];

const order = (more: object = {}): Batch =>
  ({
    mo_id: 'WH/MO/00042',
    batch_no: 7,
    finished_goods: 'JF PLUS 25',
    consumption: 2500,
    consumption_silo_a: 825.5,
    consumption_silo_m: 0.01,
    consumption_lq_fml: 12.34,
    ...more,
  }) as Batch;

function bytesOf(batch: Batch, layout = PACKED, limits: OrderLimits = {}): Buffer {
  const encoded = encodeOrder(batch, layout, limits);
  assert.ok('bytes' in encoded, JSON.stringify(encoded));
  return encoded.bytes;
}

const refusals = (batch: Batch, layout = PACKED, limits: OrderLimits = {}): unknown[] => {
  const encoded = encodeOrder(batch, layout, limits);
  return 'refused' in encoded ? encoded.refused.map(({ field, problem }) => [field, problem]) : [];
};

describe('an order as the bytes of its slot', () => {
  it('packed words: every word where the replaced system has it', () => {
    const bytes = bytesOf(order());
    const word = (n: number): number => n * 2;
    assert.equal(bytes.length, word(77));
    assert.equal(bytes.readInt16BE(word(0)), 7);
    assert.equal(bytes.toString('latin1', word(1), word(9)), 'WH/MO/00042\0\0\0\0\0');
    assert.ok(bytes.subarray(word(9), word(17)).every((byte) => byte === 0));
    assert.equal(bytes.toString('latin1', word(17), word(25)), 'JF PLUS 25\0\0\0\0\0\0');
    assert.equal(bytes.readInt32BE(word(25)), 250_000);
    const silos = Array.from({ length: 15 }, (_, i) => [
      bytes.readInt16BE(word(27 + 3 * i)),
      bytes.readInt32BE(word(28 + 3 * i)),
    ]);
    assert.deepEqual(
      silos,
      silos.map((_, i) => [101 + i, ({ 0: 82_550, 12: 1, 14: 1234 } as Record<number, number>)[i] ?? 0]),
    );
    assert.equal(PACKED.fields.find(({ field }) => field === 'lq_tetes')?.offset, word(67));
    assert.ok(bytes.subarray(word(72), word(77)).every((byte) => byte === 0));
  });

  it('S7 order record: STRING with its header, REAL, the bits of the handshake in bytes of their own', () => {
    const bytes = bytesOf(order(), RECORD);
    assert.deepEqual([...bytes.subarray(0, 2)], [20, 11]);
    assert.equal(bytes.toString('latin1', 2, 13), 'WH/MO/00042');
    assert.equal(bytes.readInt16BE(22), 7);
    assert.deepEqual(
      [bytes.readFloatBE(24), bytes.readFloatBE(28), bytes.readFloatBE(84)],
      [2500, 825.5, Math.fround(12.34)],
    );
    assert.deepEqual([...bytes.subarray(88, 90)], [30, 10]);
    assert.deepEqual([...bytes.subarray(120, 124)], [0, 0, 0, 0]);
  });

  it('what is written reads back as the same order, offered by nobody yet', () => {
    for (const layout of [PACKED, RECORD]) {
      const bytes = bytesOf(order(), layout);
      const slot = orderSlotIn(bytes, layout);
      assert.deepEqual(slot, {
        number: 'WH/MO/00042',
        record: recordOf(bytes, layout),
        ready: false,
        taken: false,
        echo: '',
        settled: false,
      });
      assert.ok(isFree(orderSlotIn(Buffer.alloc(orderSlotBytes(layout)), layout)));
    }
  });

  it('the handshake is no part of the record, every other field is', () => {
    for (const layout of [PACKED, RECORD])
      for (const { field, offset } of layout.fields) {
        const [bytes, changed] = [bytesOf(order(), layout), bytesOf(order(), layout)];
        const at = Math.floor(offset) + (field === 'number' || field === 'product' ? 2 : 0);
        changed[at] = changed[at]! ^ 1;
        const same = recordOf(bytes, layout) === recordOf(changed, layout);
        assert.equal(same, ['ready', 'taken', 'echo'].includes(field), field);
      }
  });

  it('ready, taken and the echo are read wherever they are', () => {
    for (const [layout, ready, taken] of [
      [PACKED, 153, 147],
      [RECORD, 120, 122],
    ] as const) {
      const bytes = bytesOf(order(), layout);
      bytes[ready] = 1;
      assert.deepEqual([orderSlotIn(bytes, layout).ready, orderSlotIn(bytes, layout).taken], [true, false]);
      bytes[taken] = 1;
      assert.equal(orderSlotIn(bytes, layout).taken, true);
    }
    const echoing = bytesOf(order(), RECORD);
    echoing.write('\x14\x0bWH/MO/00041', 124, 'latin1');
    assert.equal(orderSlotIn(echoing, RECORD).echo, 'WH/MO/00041');
  });
});

describe('what cannot be told exactly is refused by name', () => {
  it('a number longer than its field, or one that is not ASCII', () => {
    assert.deepEqual(refusals(order({ mo_id: 'WH/MO/00042-00001' })), [['number', 'too-long']]);
    assert.deepEqual(refusals(order({ mo_id: 'WH/MÖ/1' })), [['number', 'not-ascii']]);
    assert.deepEqual(refusals(order({ mo_id: 'WH/MO/00042-001' })), []);
  });

  it('a weight that is none, is above the limit, or does not fit its type', () => {
    assert.deepEqual(refusals(order({ consumption_silo_a: -1, consumption_silo_b: NaN })), [
      ['silo_a', 'not-a-weight'],
      ['silo_b', 'not-a-weight'],
    ]);
    assert.deepEqual(refusals(order(), PACKED, { silo: 800 }), [['silo_a', 'above-limit']]);
    assert.deepEqual(refusals(order(), PACKED, { silo: 800, silo_a: 900 }), []);
    assert.deepEqual(refusals(order({ consumption: 21_474_836.48 })), [['planned', 'out-of-range']]);
    assert.deepEqual(refusals(order({ batch_no: 32_768 })), [['batch_no', 'out-of-range']]);
  });

  it('a weight that type and scale hold inexactly only', () => {
    const whole = {
      ...PACKED,
      fields: PACKED.fields.map((row): OrderField => ({ ...row, ...(row.scale ? { scale: 1 } : {}) })),
    };
    assert.deepEqual(refusals(order({ consumption_silo_m: 0, consumption_lq_fml: 0 }), whole), [
      ['silo_a', 'not-exact'],
    ]);
    assert.deepEqual(refusals(order({ consumption: 16_777_217 }), RECORD), [['planned', 'not-exact']]);
  });

  it('a silo of the plan that the layout has no field for', () => {
    const fewer = { ...PACKED, fields: PACKED.fields.filter(({ field }) => field !== 'silo_m') };
    assert.deepEqual(refusals(order(), fewer), [['silo_m', 'no-field']]);
  });

  it('the text of the product alone is shortened', () => {
    const bytes = bytesOf(order({ finished_goods: 'Kraftfutter für Kühe, 25 kg' }));
    assert.equal(bytes.toString('latin1', 34, 50), 'Kraftfutter f?r ');
  });
});

describe('a layout that cannot hand over', () => {
  const without = (...names: string[]) => ({
    ...PACKED,
    fields: PACKED.fields.filter(({ field }) => !names.includes(field)),
  });

  const faults = (layout: OrderLayout): [string, string][] =>
    validateOrderLayout(layout, undefined).map(({ fault, field }) => [fault, field]);

  it('the presets can', () => {
    for (const preset of Object.values(ORDER_PRESETS)) assert.deepEqual(faults(preset), []);
  });

  it('without a number, without ready, without taken or an echo', () => {
    assert.deepEqual(faults(without('number', 'ready', 'taken')), [
      ['missing', 'number'],
      ['missing', 'ready'],
      ['noAnswer', 'taken'],
    ]);
    assert.deepEqual(faults({ ...RECORD, fields: RECORD.fields.filter(({ field }) => field !== 'taken') }), []);
  });

  it('where the PLC and the bridge write into one byte, where fields overlap, where one lies beyond the slot', () => {
    const moved = (name: string, offset: number) => ({
      ...RECORD,
      fields: RECORD.fields.map((row) => (row.field === name ? { ...row, offset } : row)),
    });
    assert.deepEqual(faults(moved('taken', 120.1)), [['sharedByte', 'taken']]);
    assert.deepEqual(faults(moved('silo_b', 30)), [['overlap', 'silo_b']]);
    assert.deepEqual(faults(moved('echo', 126)), [['beyond', 'echo']]);
  });

  it('where a row is no field, has no place or another type than its field can be', () => {
    const row = (field: string, more: object) => ({
      ...RECORD,
      fields: RECORD.fields.map((each) => (each.field === field ? { ...each, ...more } : each)),
    });
    assert.deepEqual(faults(row('silo_c', { field: 'silo_x_number' })), [['field', 'silo_x_number']]);
    assert.deepEqual(faults(row('number', { length: 0 })), [['length', 'number']]);
    assert.deepEqual(faults(row('number', { type: 'DINT' })), [['type', 'number']]);
    assert.deepEqual(faults(row('ready', { type: 'REAL', offset: 200 })), [
      ['type', 'ready'],
      ['beyond', 'ready'],
    ]);
    assert.deepEqual(faults(row('planned', { scale: 0 })), [['scale', 'planned']]);
    assert.deepEqual(faults(row('batch_no', { scale: 10 })), [['unscaled', 'batch_no']]);
    assert.deepEqual(faults(row('batch_no', { field: 'planned' })), [['twice', 'planned']]);
    assert.deepEqual(faults({ ...RECORD, slots: 0 }), [['setting', 'slots']]);
  });
});
