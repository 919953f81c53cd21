import assert from 'node:assert/strict';
import { it, type TestContext } from 'node:test';
import { blankSlot, S7_BATCH_RECORD } from '../../../examples/plant/plc/batch-memory';
import { SILO_TAGS } from '../../../nodes/lib/domain/silos';
import { DB, mo, plant, RECORD } from './reader-plant';

/** What a slot's memory holds: all its silos show the same figure, or a careless program is in the middle of a change. */
interface Held {
  mo_id: string;
  figure: number;
  complete: boolean;
  /** Silos that show `figure` already; the others show the figure before. */
  written: number;
}

async function tear(
  t: TestContext,
  { slots, pduSize, cycles }: { slots: number; pduSize: number; cycles: number },
): Promise<void> {
  const { server, reader, put } = await plant(t, { layout: { ...RECORD, slots }, options: { settleMs: 0 }, pduSize });
  let seed = 5;
  const random = (below: number): number => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return Math.floor((seed / 2 ** 32) * below);
  };
  let orders = 0;
  const held: (Held | undefined)[] = Array.from({ length: slots }, () => undefined);
  const all = (figure: number, count: number = SILO_TAGS.length): Record<string, number> =>
    Object.fromEntries(SILO_TAGS.slice(0, count).map((tag) => [tag, figure]));

  const change = (index: number): void => {
    const slot = index + 1;
    const now = held[index];
    const fill = (mo_id: string, figure: number, complete: boolean): void => {
      held[index] = { mo_id, figure, complete, written: SILO_TAGS.length };
      put(slot, { mo_id, consumption: all(figure), status_manufacturing: complete });
    };
    if (!now) return fill(mo((orders += 1)), random(5000), random(8) === 0);
    if (now.written < SILO_TAGS.length) {
      // One more step of a change that says "complete" first and writes the weights after it.
      now.written = Math.min(now.written + 5, SILO_TAGS.length);
      return put(slot, { consumption: all(now.figure, now.written) });
    }
    const dice = random(10);
    if (now.complete) {
      if (dice === 0) return fill(mo((orders += 1)), random(5000), random(2) === 0);
      if (dice > 2) return;
      held[index] = undefined;
      return blankSlot(server.memory(DB), S7_BATCH_RECORD, slot);
    }
    if (dice < 3) return fill(now.mo_id, (now.figure + 1) % 5000, false);
    if (dice < 4) return fill(now.mo_id, now.figure, true);
    if (dice > 6) return;
    held[index] = { ...now, figure: (now.figure + 1) % 5000, complete: true, written: 0 };
    put(slot, { status_manufacturing: true });
  };
  /** What the telegrams of each slot in a cycle carried, one after the other. */
  let looks: (Held | undefined)[][] = [];
  server.onRead((_db, start) => {
    const index = start / RECORD.stride;
    change(index);
    (looks[index] ??= []).push(held[index] && { ...held[index] });
  });

  let [accepted, doubted, gone] = [0, 0, 0];
  for (let cycle = 0; cycle < cycles; cycle += 1) {
    looks = [];
    const { readings, rejected } = await reader.read();
    for (const { problems } of rejected) assert.equal(problems[0]?.code, 'left-slot');
    for (const { slot, mo_id, status_manufacturing, consumption, seen_once } of readings) {
      const shown = looks[slot - 1] ?? [];
      const was = seen_once
        ? shown.slice(0, -1).findLast((look) => look?.mo_id === mo_id && look.complete)
        : shown.at(-1);
      if (seen_once) gone += 1;
      assert.ok(was, `cycle ${cycle}: slot ${slot} was empty`);
      assert.equal(mo_id, was.mo_id);
      const before = (was.figure + 4999) % 5000;
      const expected = SILO_TAGS.map((_tag, at) => (at < was.written ? was.figure : before));
      assert.deepEqual(Object.values(consumption), expected, `cycle ${cycle}: mixed`);
      if (status_manufacturing) {
        assert.ok(was.complete && was.written === SILO_TAGS.length, `cycle ${cycle}: ${mo_id} is not complete`);
        accepted += 1;
      } else if (was.complete) doubted += 1;
    }
  }
  assert.ok(accepted > 1000 && doubted > 1000 && gone > 50, `${accepted} accepted, ${doubted} doubted, ${gone} gone`);
}

for (const packing of [
  { slots: 2, pduSize: 480, cycles: 10_000, says: 'two slots in one telegram' },
  { slots: 13, pduSize: 480, cycles: 1_500, says: '13 slots in three telegrams of five' },
  { slots: 5, pduSize: 240, cycles: 4_000, says: 'five slots in three telegrams of two' },
])
  it(`${packing.says}, ${packing.cycles} cycles over slots that change between items: no mixed and no wrongly completed reading`, (t) =>
    tear(t, packing));
