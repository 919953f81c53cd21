/** Slots whose parts lie in several blocks, arrays or telegrams: believed only where two reads say the same. */
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { S7Endpoint } from '@st-one-io/nodes7';
import { type S7Server, startS7Server } from '../../../examples/plant/plc/s7-server';
import { SiloMap } from '../../../nodes/lib/domain/silos';
import { type EnteredLayout, toLayout } from '../../../nodes/lib/plc/entered-layout';
import { validateLayout } from '../../../nodes/lib/plc/layout-check';
import { SlotReader } from '../../../nodes/lib/plc/slot-reader';
import { connected } from './reader-plant';

const BLOCKS = { 20: 4000, 30: 4000, 50: 4000, 100: 8000 };

async function place(t: TestContext, entered: EnteredLayout): Promise<{ server: S7Server; reader: SlotReader }> {
  const layout = toLayout(entered);
  assert.deepEqual(validateLayout(layout, new SiloMap()), []);
  const server = await startS7Server({ pduSize: 240, dbs: BLOCKS });
  const endpoint = new S7Endpoint({ host: '127.0.0.1', port: server.port });
  const reader = new SlotReader(endpoint, layout, new SiloMap(), { settleMs: 0 });
  t.after(async () => {
    reader.close();
    await endpoint.disconnect();
    await server.stop();
  });
  await connected(endpoint);
  return { server, reader };
}

/** Number in DB20, status in DB50, weights in DB30. */
const BLOCKS_APART: EnteredLayout = {
  ...{ db: 30, base: 0, stride: 8, slots: 2 },
  fields: [
    { field: 'mo_id', type: 'DINT', offset: 0, prefix: 'WH/MO/', width: 5, db: 20, stride: 4 },
    { field: 'status_manufacturing', type: 'BOOL', offset: '0.0', db: 50, stride: 2 },
    { field: 'silo_a', type: 'REAL', offset: 0 },
    { field: 'silo_b', type: 'REAL', offset: 4 },
  ],
};
/** One record too long for a telegram of PDU 240. */
const TOO_LONG: EnteredLayout = {
  ...{ db: 100, base: 0, stride: 600, slots: 2 },
  fields: [
    { field: 'mo_id', type: 'DINT', offset: 0, prefix: 'WH/MO/', width: 5 },
    { field: 'status_manufacturing', type: 'BOOL', offset: '300.0' },
    { field: 'silo_a', type: 'REAL', offset: 302 },
    { field: 'silo_b', type: 'REAL', offset: 596 },
  ],
};
interface State {
  number: number;
  complete: boolean;
  kg: number;
}
type Write = (server: S7Server, slot: number, state: State) => (() => void)[];
/** The steps in which a program writes a slot; it may be interrupted by a read between any two. */
const inBlocks: Write = (server, slot, { number, complete, kg }) => [
  () => void server.memory(20).writeInt32BE(number, (slot - 1) * 4),
  () => void server.memory(50).writeUInt8(complete ? 1 : 0, (slot - 1) * 2),
  () => void server.memory(30).writeFloatBE(kg, (slot - 1) * 8),
  () => void server.memory(30).writeFloatBE(kg, (slot - 1) * 8 + 4),
];
const inRecord: Write = (server, slot, { number, complete, kg }) => {
  const start = (slot - 1) * 600;
  return [
    () => void server.memory(100).writeInt32BE(number, start),
    () => void server.memory(100).writeUInt8(complete ? 1 : 0, start + 300),
    () => void server.memory(100).writeFloatBE(kg, start + 302),
    () => void server.memory(100).writeFloatBE(kg, start + 596),
  ];
};

describe('a slot in parts', () => {
  for (const [name, layout, write] of [
    ['in several blocks', BLOCKS_APART, inBlocks],
    ['too long for one telegram', TOO_LONG, inRecord],
  ] as const) {
    it(`${name}: random bytes never end in anything but a reading, a rejection or nothing`, async (t) => {
      const { server, reader } = await place(t, layout);
      let seed = 7;
      for (let round = 0; round < 300; round += 1) {
        for (const db of Object.keys(BLOCKS)) {
          const memory = server.memory(Number(db));
          for (let at = 0; at < 1200; at += 1) {
            seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
            memory[at] = seed >>> 24;
          }
        }
        const { readings, rejected, empty } = await reader.read();
        assert.equal(readings.length + rejected.length + empty, 2);
      }
    });

    it(`${name}: a running one is told when two reads agree, then read once while it stays the same`, async (t) => {
      const { server, reader } = await place(t, layout);
      write(server, 1, { number: 7, complete: false, kg: 12 }).forEach((step) => step());
      const first = await reader.read();
      assert.deepEqual(
        first.readings.map(({ mo_id, consumption }) => [mo_id, consumption]),
        [['WH/MO/00007', { silo_a: 12, silo_b: 12 }]],
      );
      const { telegrams } = await reader.read();
      assert.ok(telegrams < first.telegrams, `${telegrams} and ${first.telegrams}`);
      let kg = 20;
      const off = server.onRead(() =>
        write(server, 1, { number: 7, complete: false, kg: (kg += 1) }).forEach((step) => step()),
      );
      assert.deepEqual((await reader.read()).readings, [], 'its weights never stand still');
      off();
      assert.equal((await reader.read()).readings[0]?.consumption.silo_a, kg);
    });

    it(`${name}: a completion that leaves within the settle time is refused by name, not believed`, async (t) => {
      const { server, reader } = await place(t, layout);
      write(server, 1, { number: 7, complete: true, kg: 12 }).forEach((step) => step());
      let reads = 0;
      const items = new Set<string>();
      server.onRead((db, start) => {
        const key = `${db}/${start}`;
        if (items.has(key) && (reads += 1) === 1)
          write(server, 1, { number: 0, complete: false, kg: 0 }).forEach((step) => step());
        items.add(key);
      });
      const { readings, rejected } = await reader.read();
      assert.deepEqual(
        [readings, rejected[0]?.mo_id, rejected[0]?.problems[0]?.code],
        [[], 'WH/MO/00007', 'left-slot'],
      );
    });

    it(`${name}: 3000 cycles of a program that is read between its steps: no mixed completion`, async (t) => {
      const { server, reader } = await place(t, layout);
      let seed = 3;
      const random = (below: number): number => {
        seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
        return Math.floor((seed / 2 ** 32) * below);
      };
      const pending: (() => void)[][] = [[], []];
      const states: State[] = [0, 1].map(() => ({ number: 0, complete: false, kg: 0 }));
      /** What each order weighs in the end. */
      const finals = new Map<string, number>();
      let orders = 0;
      const change = (index: number): void => {
        const now = states[index]!;
        if (now.complete && random(6) > 0) return;
        const next: State =
          now.number === 0 || now.complete
            ? { number: (orders += 1), complete: false, kg: random(1000) + 1 }
            : { ...now, complete: random(2) === 0 };
        states[index] = next;
        finals.set(`WH/MO/${String(next.number).padStart(5, '0')}`, next.kg);
        // The number first, as a careful program does: weights of another order are never under it for long.
        pending[index]!.push(...write(server, index + 1, next));
      };
      server.onRead(() => {
        for (const [index, steps] of pending.entries()) {
          if (steps.length === 0 && random(12) === 0) change(index);
          steps.shift()?.();
        }
      });
      let told = 0;
      for (let cycle = 0; cycle < 3000; cycle += 1) {
        const { readings } = await reader.read();
        for (const { mo_id, consumption, status_manufacturing } of readings) {
          if (!status_manufacturing) continue;
          told += 1;
          assert.deepEqual(consumption, { silo_a: finals.get(mo_id), silo_b: finals.get(mo_id) }, `cycle ${cycle}`);
        }
      }
      assert.ok(told > 300, `${told} told`);
    });
  }
});
