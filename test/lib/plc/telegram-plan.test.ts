/** Which slots share a telegram, against the sizes of real S7 telegrams: request and answer within the PDU, 20 items. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { S7_BATCH_RECORD } from '../../../examples/plant/plc/batch-memory';
import { LAYOUT_PRESETS, type SlotLayout } from '../../../nodes/lib/plc/slot-layout';
import { imageOf } from '../../../nodes/lib/plc/slot-places';
import { type Item, planTelegrams } from '../../../nodes/lib/plc/telegram-plan';
import { plant } from './reader-plant';

const RECORD = LAYOUT_PRESETS['S7 batch record'];
const slots = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);
/** Slots of one piece, so many bytes long. */
const wide = (bytes: number): SlotLayout => ({
  ...RECORD,
  stride: bytes + 20,
  fields: [{ field: 'mo_id', type: 'CHAR', offset: 0, length: bytes }],
});

const request = (items: readonly Item[]): number => 12 + 12 * items.length;
/** Every item but the last is padded to an even length. */
const answer = (items: readonly Item[]): number =>
  items.reduce((sum, { length }, at) => sum + 4 + length + (at < items.length - 1 ? length % 2 : 0), 14);

describe('the telegrams of a look', () => {
  for (const [pdu, telegrams] of [
    [240, 32],
    [480, 13],
    [960, 7],
  ] as const) {
    it(`64 slots of 88 bytes travel in ${telegrams} telegrams at PDU ${pdu}`, () => {
      assert.equal(planTelegrams(imageOf(RECORD).areas, slots(64), pdu).telegrams.length, telegrams);
    });
  }

  it('of any slot length and PDU: every slot once and whole, in order, nothing too big, and no telegram less would do', () => {
    for (const pdu of [112, 240, 480, 720, 960]) {
      for (let bytes = 1; bytes <= Math.min(250, pdu - 18); bytes += 1) {
        const { telegrams, whole } = planTelegrams(imageOf(wide(bytes)).areas, slots(64), pdu);
        assert.ok(whole);
        const parts = telegrams.flat().map(({ parts }) => parts);
        assert.deepEqual(
          parts,
          slots(64).map((slot) => [{ slot, from: 0, at: 0, length: bytes }]),
        );
        for (const items of telegrams) {
          assert.ok(items.length <= 20 && request(items) <= pdu && answer(items) <= pdu, `${bytes} bytes, PDU ${pdu}`);
        }
        const [first, ...others] = telegrams;
        const more = [...first!, ...(others[0]?.slice(0, 1) ?? [])];
        if (others.length > 0)
          assert.ok(more.length > 20 || request(more) > pdu || answer(more) > pdu, `${bytes} bytes, PDU ${pdu}`);
      }
    }
  });

  it('a slot longer than a telegram is fetched in runs of whole fields, without the gaps between them', () => {
    const layout: SlotLayout = {
      ...{ db: 1, base: 10, stride: 2000, slots: 3 },
      fields: [
        { field: 'mo_id', type: 'STRING', offset: 0, length: 20 },
        { field: 'status_manufacturing', type: 'BOOL', offset: 1500.3 },
        { field: 'silo_a', type: 'REAL', offset: 1502 },
        { field: 'silo_b', type: 'REAL', offset: 1718 },
        { field: 'silo_c', type: 'REAL', offset: 1722 },
      ],
    };
    const { telegrams, whole } = planTelegrams(imageOf(layout).areas, [2], 240);
    assert.equal(whole, false);
    assert.deepEqual(
      telegrams.map((items) => items.map(({ db, address, length }) => [db, address, length])),
      [[[1, 2010, 22]], [[1, 3510, 222]], [[1, 3732, 4]]],
    );
  });

  it('a field longer than a telegram is refused with the numbers', () => {
    assert.throws(() => planTelegrams(imageOf(wide(223)).areas, [1], 240), /223 bytes.*222/);
  });

  it('the simulated CPU, as real ones, refuses more than 20 items and an answer beyond the PDU', async (t) => {
    const { endpoint } = await plant(t, { pduSize: 480 });
    const items = (count: number, length: number) =>
      slots(count).map((slot) => ({ area: 0x84, db: S7_BATCH_RECORD.db, transport: 2, address: slot * 10, length }));
    assert.equal((await endpoint.readVars(items(20, 18))).length, 20);
    await assert.rejects(endpoint.readVars(items(21, 4)), { code: 0x8500 });
    // 14 + 5 × 4 + 5 × 89 is 479, the padding of all but the last item makes it 483.
    await assert.rejects(endpoint.readVars(items(5, 89)), { code: 0x8500 });
    assert.equal((await endpoint.readVars(items(5, 88))).length, 5);
  });
});
