/** The simulated PLC takes its orders from an order block; the blocks are written here as the package writes them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { blockSize } from '../../../examples/plant/plc/batch-memory';
import { type IntakeOptions, OrderIntake } from '../../../examples/plant/plc/order-intake';
import { PACKED_ORDER, readOrder, S7_ORDER_RECORD, type OrderRow } from '../../../examples/plant/plc/order-memory';
import { writeFlag } from '../../../examples/plant/plc/s7-values';
import { type Plant, startPlant } from '../../../examples/plant/plant';
import type { Batch } from '../../../nodes/lib/domain/batch';
import { ORDER_PRESETS } from '../../../nodes/lib/plc/order-layout';
import { encodeOrder } from '../../../nodes/lib/plc/order-record';

const [A, B] = ['WH/MO/00001', 'WH/MO/00002'];
const SCAN = 100;
const TICK = 2;

const encoded = (mo_id: string, { name }: OrderRow, batch_no = 1): Buffer => {
  const plan = { consumption_silo_a: 825.5, consumption_silo_m: 600.3, consumption_lq_fml: 0.8 };
  const batch = { mo_id, batch_no, finished_goods: 'JF', consumption: 2500, ...plan };
  const result = encodeOrder(batch as Batch, ORDER_PRESETS[name as keyof typeof ORDER_PRESETS]);
  assert.ok('bytes' in result);
  return result.bytes;
};

interface Area {
  memory: Buffer;
  intake: OrderIntake;
  layout: OrderRow;
}

function area(options: Partial<IntakeOptions> = {}): Area {
  const layout = options.layout ?? S7_ORDER_RECORD;
  const memory = Buffer.alloc(blockSize(layout, 3));
  return { memory, layout, intake: new OrderIntake(memory, { layout, slots: 3, ...options }) };
}

/** Writes an order into a slot and offers it. */
function offer({ memory, layout }: Area, slot: number, mo_id: string, batch_no = 1): void {
  const [start, end] = [layout.base + (slot - 1) * layout.stride, layout.echo?.byte ?? layout.length];
  encoded(mo_id, layout, batch_no).copy(memory, start, 0, end);
  writeFlag(memory.subarray(start), layout.ready, true);
}

const shows = ({ memory, layout }: Area, slot = 1): object => {
  const { mo_id, ready, taken } = readOrder(memory, layout, slot);
  return { mo_id, ready, taken };
};
const FREE = { mo_id: '', ready: false, taken: false };

/** One scan, in which the mill has room. */
const scan = ({ intake }: Area): string | undefined => {
  intake.scan(SCAN);
  return intake.take()?.mo_id;
};

for (const layout of [S7_ORDER_RECORD, PACKED_ORDER])
  test(`"${layout.name}": an order is taken once it is ready, whole, and said to be taken in the same scan`, () => {
    const plc = area({ layout });
    encoded(A, layout).copy(plc.memory, 0, 0, layout.echo?.byte ?? layout.length);
    assert.equal(scan(plc), undefined);
    offer(plc, 1, A, 7);
    assert.equal(scan(plc), A);
    assert.deepEqual(shows(plc), { mo_id: A, ready: true, taken: true });
    const [{ plan, ...taking }] = plc.intake.takings() as [ReturnType<OrderIntake['takings']>[0]];
    assert.deepEqual(
      { ...taking, at: typeof taking.at },
      { mo_id: A, batch_no: 7, quantity: 2500, slot: 1, at: 'number', repeated: false, restarts: 0 },
    );
    const kg = Object.fromEntries(Object.entries(plan).map(([tag, weight]) => [tag, Math.round(weight * 100) / 100]));
    assert.deepEqual(kg, { silo_a: 825.5, silo_m: 600.3, lq_fml: 0.8 });
    assert.equal(scan(plc), undefined);
  });

test('of several the order of the lowest batch number is taken first', () => {
  const plc = area();
  offer(plc, 1, B, 2);
  offer(plc, 3, A, 1);
  assert.deepEqual([scan(plc), scan(plc), scan(plc)], [A, B, undefined]);
});

test('a number that a slot took last is refused in every slot: said to be taken, not made', () => {
  const plc = area();
  offer(plc, 1, A);
  scan(plc);
  offer(plc, 2, A);
  assert.equal(scan(plc), undefined);
  assert.deepEqual(shows(plc, 2), { mo_id: A, ready: true, taken: true });
  assert.deepEqual(
    plc.intake.takings().map(({ slot, repeated }) => [slot, repeated]),
    [
      [1, false],
      [2, true],
    ],
  );
});

test('old content after a restart is refused by the number that is retentive, a plant that was restored included', () => {
  const before = area();
  offer(before, 1, A);
  scan(before);
  const memory = Buffer.alloc(before.memory.length);
  const intake = new OrderIntake(memory, { layout: before.layout, slots: 3, restore: before.intake.snapshot() });
  const plc = { ...before, memory, intake };
  offer(plc, 1, B);
  intake.restartWithOldContent();
  assert.deepEqual(shows(plc), { mo_id: A, ready: true, taken: false });
  assert.equal(scan(plc), undefined);
  const told = intake.takings().map(({ mo_id, repeated, restarts }) => ({ mo_id, repeated, restarts }));
  assert.deepEqual(told, [
    { mo_id: A, repeated: false, restarts: 0 },
    { mo_id: A, repeated: true, restarts: 1 },
  ]);
});

test('a program that echoes clears ready at once and the slot after a while, or forgets to', () => {
  const plc = area({ says: 'echo', clears: 'plc', clearMs: 2 * SCAN });
  offer(plc, 1, A);
  assert.equal(scan(plc), A);
  assert.deepEqual(shows(plc), { mo_id: A, ready: false, taken: false });
  assert.equal(readOrder(plc.memory, plc.layout, 1).echo, A);
  plc.intake.setFault({ forgetful: true });
  for (let n = 0; n < 4; n += 1) scan(plc);
  assert.deepEqual(shows(plc), { mo_id: A, ready: false, taken: false });
  plc.intake.clearFaults();
  scan(plc);
  assert.deepEqual(shows(plc), FREE);
  assert.equal(readOrder(plc.memory, plc.layout, 1).echo, A);
});

test('a program that says taken and clears leaves what it said for a while', () => {
  const plc = area({ clears: 'plc', clearMs: 2 * SCAN });
  offer(plc, 1, A);
  scan(plc);
  scan(plc);
  assert.deepEqual(shows(plc), { mo_id: A, ready: true, taken: true });
  for (let n = 0; n < 3; n += 1) scan(plc);
  assert.deepEqual(shows(plc), FREE);
});

test('an order is taken late, or never', () => {
  const plc = area();
  plc.intake.setFault({ lateMs: 2 * SCAN });
  offer(plc, 1, A);
  assert.deepEqual([scan(plc), scan(plc), scan(plc)], [undefined, undefined, A]);
  plc.intake.setFault({ never: true });
  offer(plc, 2, B);
  for (let n = 0; n < 5; n += 1) assert.equal(scan(plc), undefined);
  assert.deepEqual(shows(plc, 2), { mo_id: B, ready: true, taken: false });
});

test('a plant with orders down makes what its order block offers, while the CPU runs, and nobody types', async (t) => {
  const plant: Plant = await startPlant({ orders: 2, slots: 2, weighMs: 4, keepMs: 4, tickMs: TICK, ordersDown: {} });
  t.after(() => plant.stop());
  const intake = plant.intake ?? assert.fail('no program takes orders');
  const plc: Area = { memory: plant.plc.memory(110), intake, layout: S7_ORDER_RECORD };
  await plant.plc.setFault({ stop: true });
  offer(plc, 1, A);
  await delay(10 * TICK);
  assert.deepEqual([plant.begun(), shows(plc)], [[], { mo_id: A, ready: true, taken: false }]);
  await plant.plc.clearFaults();
  while (plant.mill.finals().size === 0) await delay(TICK);
  assert.equal(plant.odoo.orders().length, 2);
  assert.deepEqual([plant.begun(), [...plant.mill.finals().keys()]], [[A], [A]]);
});
