/** Random slots of each kind of layout, against an oracle that is written for this test alone. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { SiloMap } from '../../../nodes/lib/domain/silos';
import { type EnteredRow, toLayout } from '../../../nodes/lib/plc/entered-layout';
import { slotGuard } from '../../../nodes/lib/plc/slot-guards';
import { imageOf } from '../../../nodes/lib/plc/slot-places';

const SLOTS = 20_000;
const silos = new SiloMap();

let seed = 17;
const random = (below: number): number => {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
  return Math.floor((seed / 2 ** 32) * below);
};

/** What the oracle expects of a slot: a reading, nothing in it, or a refusal. */
type Expected = { mo_id: string; complete: boolean; a: number } | 'empty' | 'rejected';

interface Kind {
  fields: EnteredRow[];
  /** Fills 48 bytes, of which the image may be less. */
  fill: (slot: Buffer) => Expected;
}

/** A weight in g, now and then a negative one. */
const grams = (): number => (random(12) === 0 ? -1 - random(1000) : random(4_000_000));
const judged = (mo_id: string, complete: boolean, kg: number, blankMeans = false): Expected => {
  if (mo_id === '') return kg > 0 || (complete && !blankMeans) ? 'rejected' : 'empty';
  if (kg < 0) return 'rejected';
  const done = complete && !(blankMeans && kg === 0);
  return { mo_id, complete: done, a: kg };
};

const KINDS: Record<string, Kind> = {
  'a number with a prefix, states, weights in g': {
    fields: [
      { field: 'mo_id', type: 'UDINT', offset: 0, prefix: 'WH/MO/', width: 5 },
      { field: 'status_manufacturing', type: 'INT', offset: 12, values: '3, 4' },
      { field: 'silo_a', type: 'DINT', offset: 14, unit: 'g' },
    ],
    fill: (slot) => {
      const [number, state, weight] = [random(4) ? random(200_000) : 0, random(6), grams()];
      slot.writeUInt32BE(number, 0);
      slot.writeInt16BE(state, 12);
      slot.writeInt32BE(weight, 14);
      const digits = `${number}`;
      const name = number === 0 ? '' : `WH/MO/${'0'.repeat(Math.max(0, 5 - digits.length))}${digits}`;
      return judged(name, state === 3 || state === 4, weight / 1000);
    },
  },
  'a STRING of stale characters, a bit of a word, two parts': {
    fields: [
      { field: 'mo_id', type: 'STRING', offset: 0, length: 10 },
      { field: 'status_manufacturing', type: 'WORD', offset: 12, bit: 10 },
      { field: 'silo_a', type: 'UDINT', offset: 14, unit: 'g', part: true },
      { field: 'silo_a', type: 'DINT', offset: 18, unit: 'g', part: true },
    ],
    fill: (slot) => {
      const length = random(12);
      slot.set([254, length]);
      slot.write('A123456789', 2, 'latin1');
      const flags = random(65_536);
      slot.writeUInt16BE(flags, 12);
      const [coarse, fine] = [random(3) ? random(2_000_000) : 0, random(3) ? grams() : 0];
      slot.writeUInt32BE(coarse, 14);
      slot.writeInt32BE(fine, 18);
      const sum = Math.round(coarse + fine) / 1000;
      const complete = Math.floor(flags / 1024) % 2 === 1;
      if (length === 0) return coarse > 0 || fine > 0 || complete ? 'rejected' : 'empty';
      // An order's name has a digit; more than ten characters are not read.
      if (length > 10 || length === 1 || fine < 0 || sum > 5000) return 'rejected';
      return judged('A123456789'.slice(0, length), complete, sum);
    },
  },
  'WCHAR, complete inverted, BCD': {
    fields: [
      { field: 'mo_id', type: 'WCHAR', offset: 0, length: 6 },
      { field: 'status_manufacturing', type: 'BYTE', offset: 12, inverted: true },
      { field: 'silo_a', type: 'BCD32', offset: 14, unit: 'g' },
    ],
    fill: (slot) => {
      const name = random(3) ? `Ö${random(90_000)}` : '';
      for (let at = 0; at < 6; at += 1) slot.writeUInt16BE(name.charCodeAt(at) || 0x20, 2 * at);
      const busy = random(3);
      slot[12] = busy;
      const digits = random(8) ? random(4_999_999) : 0;
      const spoilt = random(10) === 0;
      slot.write(String(digits).padStart(8, '0'), 14, 'hex');
      if (spoilt) slot[17] = 0xfa;
      if (busy === 2 || spoilt) return 'rejected';
      return judged(name, busy === 0, digits / 1000, true);
    },
  },
  'a STRING with its header, BOOL, REAL in kg with a sum of finished goods': {
    fields: [
      { field: 'mo_id', type: 'STRING', offset: 0, length: 10 },
      { field: 'status_manufacturing', type: 'BOOL', offset: '12.3' },
      { field: 'silo_a', type: 'REAL', offset: 14 },
      { field: 'actual_weight_quantity_finished_goods', type: 'REAL', offset: 18 },
    ],
    fill: (slot) => {
      const name = random(3) ? `M${random(100_000)}` : '';
      slot.set([10, name.length]);
      slot.write(name, 2, 'latin1');
      const complete = random(2);
      slot[12] = 0xf7 & random(256);
      slot[12] |= complete * 8;
      const wild = [NaN, Infinity, -Infinity, 5001][random(60)];
      const [kg, finished] = [wild ?? (random(3) ? random(4_000_000) / 1000 : 0), random(2) ? random(9000) : 0];
      slot.writeFloatBE(kg, 14);
      slot.writeFloatBE(finished, 18);
      // What is not above 0 is nothing where there is no order; NaN may be anything.
      if (name === '') return !(kg <= 0) || finished > 0 || complete ? 'rejected' : 'empty';
      if (wild !== undefined) return 'rejected';
      return { mo_id: name, complete: complete === 1, a: Math.round(Math.fround(kg) * 1000) / 1000 };
    },
  },
  'packed words: CHAR, INT, DINT × 0.01': {
    fields: [
      { field: 'mo_id', type: 'CHAR', offset: 0, length: 8 },
      { field: 'status_manufacturing', type: 'INT', offset: 12 },
      { field: 'silo_a', type: 'DINT', offset: 14, scale: 0.01 },
    ],
    fill: (slot) => {
      const name = random(3) ? `M${random(100_000)}` : '';
      const foreign = name !== '' && random(20) === 0;
      slot.write(name.padEnd(8, random(2) ? ' ' : '\0'), 0, 'latin1');
      if (foreign) slot[1] = 0xe9;
      const state = random(20) ? random(2) : -1;
      slot.writeInt16BE(state, 12);
      const hundredths = random(10) ? random(random(2) ? 400_000 : 1) : -1 - random(9);
      slot.writeInt32BE(hundredths, 14);
      if (foreign || state < 0) return 'rejected';
      // Less than nothing is no weight, and refused where there is an order.
      return judged(name, state === 1, hundredths / 100);
    },
  },
  'an S7-200 text with one length byte, odd addresses, SINT and UDINT in g': {
    fields: [
      { field: 'mo_id', type: 'S7-200 STRING', offset: 1, length: 9 },
      { field: 'status_manufacturing', type: 'SINT', offset: 11, values: '-3' },
      { field: 'silo_a', type: 'UDINT', offset: 13, unit: 'g' },
    ],
    fill: (slot) => {
      slot[1] = random(12);
      slot.write('M12345678', 2, 'latin1');
      const state = random(8) - 4;
      slot.writeInt8(state, 11);
      const weight = random(2) ? random(5_300_000) : 0;
      slot.writeUInt32BE(weight, 13);
      const length = slot[1];
      if (length > 9 || length === 1 || weight > 5_000_000) return 'rejected';
      return judged('M12345678'.slice(0, length), state === -3, weight / 1000);
    },
  },
  'a WSTRING, a bit of a DWORD inverted, LREAL in t': {
    fields: [
      { field: 'mo_id', type: 'WSTRING', offset: 0, length: 6 },
      { field: 'status_manufacturing', type: 'DWORD', offset: 16, bit: 31, inverted: true },
      { field: 'silo_a', type: 'LREAL', offset: 20, unit: 't' },
    ],
    fill: (slot) => {
      const [length, stale] = [random(3) ? random(8) : 0, 'Ω12345'];
      slot.writeUInt16BE(random(2) ? 6 : 254, 0);
      slot.writeUInt16BE(length, 2);
      for (let at = 0; at < 6; at += 1) slot.writeUInt16BE(stale.charCodeAt(at), 4 + 2 * at);
      const busy = random(2);
      slot.writeUInt32BE(busy * 2 ** 31 + random(2 ** 31), 16);
      const weight = random(2) ? grams() : 0;
      slot.writeDoubleBE(weight / 1_000_000, 20);
      if (length > 6 || length === 1) return 'rejected';
      return judged(stale.slice(0, length), !busy, weight / 1000, true);
    },
  },
  'a ULINT with a prefix, LINT in g beyond what is exact, a counter': {
    fields: [
      { field: 'mo_id', type: 'ULINT', offset: 0, prefix: 'MO/', width: 3 },
      { field: 'status_manufacturing', type: 'USINT', offset: 8 },
      { field: 'counter', type: 'UINT', offset: 10 },
      { field: 'silo_a', type: 'LINT', offset: 12, unit: 'g' },
    ],
    fill: (slot) => {
      const huge = random(30) === 0;
      const number = huge ? 2n ** 60n : BigInt(random(3) ? random(5000) : 0);
      slot.writeBigUInt64BE(number, 0);
      const state = random(2);
      slot[8] = state;
      slot.writeUInt16BE(random(65_536), 10);
      const weight = random(2) ? grams() : 0;
      slot.writeBigInt64BE(BigInt(weight), 12);
      if (huge) return 'rejected';
      const digits = String(number);
      return judged(number === 0n ? '' : `MO/${'000'.slice(digits.length)}${digits}`, state === 1, weight / 1000);
    },
  },
  'digits in a STRING with a prefix, complete as a value of a BCD16, UINT × 0.1': {
    fields: [
      { field: 'mo_id', type: 'STRING', offset: 0, length: 6, prefix: 'WH/MO/', width: 5 },
      { field: 'status_manufacturing', type: 'BCD16', offset: 8, values: '42' },
      { field: 'silo_a', type: 'UINT', offset: 10, scale: 0.1 },
    ],
    fill: (slot) => {
      const [digits, spoilt] = [random(3) ? String(random(900_000)) : '', random(20) === 0];
      const text = spoilt ? `${digits.slice(0, 3)}x` : digits;
      slot.set([6, text.length]);
      slot.write(text, 2, 'latin1');
      const complete = random(2);
      slot.writeUInt16BE(complete ? 0x42 : 0x41, 8);
      const tenths = random(2) ? random(55_000) : 0;
      slot.writeUInt16BE(tenths, 10);
      if (spoilt || tenths > 50_000) return 'rejected';
      const name = Number(digits) === 0 ? '' : `WH/MO/${'00000'.slice(digits.length)}${digits}`;
      return judged(name, complete === 1, tenths / 10);
    },
  },
  'a list of positions in a block of its own': {
    fields: [
      { field: 'mo_id', type: 'CHAR', offset: 0, length: 6 },
      { field: 'status_manufacturing', type: 'BOOL', offset: '12.0' },
      { field: 'position_material', type: 'USINT', offset: 0, count: 2, step: 4, db: 7, stride: 8 },
      { field: 'position_weight', type: 'UINT', offset: 2, count: 2, step: 4, db: 7, stride: 8 },
    ],
    fill: (slot) => {
      const name = random(3) ? `M${random(1000)}` : '';
      slot.write(name.padEnd(6), 0, 'latin1');
      const complete = random(2);
      slot[12] = 0xfe + complete;
      let [a, unknown, other] = [0, false, 0];
      for (const at of [13, 17]) {
        const [material, kg] = [101 + random(17), random(2) ? 0 : random(2400)];
        slot[at] = material;
        slot.writeUInt16BE(kg, at + 2);
        if (material > 115 && kg > 0) unknown = true;
        else if (material === 101) a += kg;
        else other += kg;
      }
      if (unknown) return 'rejected';
      const judgement = judged(name, complete === 1, a + other);
      return typeof judgement === 'string' ? judgement : { ...judgement, a };
    },
  },
};

for (const [name, { fields, fill }] of Object.entries(KINDS)) {
  it(`${SLOTS} slots: ${name}`, () => {
    const layout = toLayout({ db: 1, base: 0, stride: 48, slots: 1, fields });
    const image = imageOf(layout);
    const judge = slotGuard(image, { silos });
    const counts = { empty: 0, rejected: 0, reading: 0 };
    for (let n = 0; n < SLOTS; n += 1) {
      const slot = Buffer.alloc(48);
      const expected = fill(slot);
      const outcome = judge(slot.subarray(0, image.bytes), 1, '');
      counts[outcome.kind] += 1;
      const found =
        outcome.kind === 'reading'
          ? {
              mo_id: outcome.reading.mo_id,
              complete: outcome.reading.status_manufacturing,
              a: outcome.reading.consumption.silo_a,
            }
          : outcome.kind;
      assert.deepEqual(found, expected, slot.toString('hex'));
    }
    assert.ok(
      Object.values(counts).every((count) => count > 50),
      JSON.stringify(counts),
    );
  });
}
