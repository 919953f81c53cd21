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
  /** Fills 24 bytes: number 0..11, flags 12..13, weight 14..21. */
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
    const layout = toLayout({ db: 1, base: 0, stride: 24, slots: 1, fields });
    const image = imageOf(layout);
    const judge = slotGuard(image, { silos });
    const counts = { empty: 0, rejected: 0, reading: 0 };
    for (let n = 0; n < SLOTS; n += 1) {
      const slot = Buffer.alloc(24);
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
