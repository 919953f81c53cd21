/** The PLC's side, ready to import: nobody compiles it here, so its places and its names are held against the package's. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { DEFAULT_SILOS, SILO_TAGS } from '../../nodes/lib/domain/silos';
import { isHandshake, ORDER_PRESETS } from '../../nodes/lib/plc/order-layout';
import { LAYOUT_PRESETS } from '../../nodes/lib/plc/slot-layout';
import { type BatchArray, batchArrays } from '../../nodes/lib/plc/source/batch-arrays';
import { proposeArrays } from '../../nodes/lib/plc/source/field-proposal';
import { functionBlock, type Memory, PowerFailure } from './scl';

const SOURCE = readFileSync('examples/plc/mo-bridge.scl', 'utf8');

const ORDER_NAMES: Record<string, string> = {
  ...{ number: 'Number', batch_no: 'BatchNo', planned: 'Planned', product: 'Product' },
  ...{ ready: 'Ready', taken: 'Taken', echo: 'LastTaken' },
};
const BATCH_NAMES: Record<string, string> = {
  ...{ mo_id: 'Number', status_manufacturing: 'Complete', status_operation: 'Running', acknowledged: 'Acknowledged' },
  actual_weight_quantity_finished_goods: 'Finished',
};
for (const names of [ORDER_NAMES, BATCH_NAMES])
  SILO_TAGS.forEach((tag, index) => (names[tag] = index < 13 ? `Silo[${index + 1}]` : ''));
for (const names of [ORDER_NAMES, BATCH_NAMES]) Object.assign(names, { lq_tetes: 'LqTetes', lq_fml: 'LqFml' });

interface PresetLayout {
  base: number;
  stride: number;
  slots: number;
  fields: readonly { field: string; type: string; offset: number; length?: number }[];
}

/** A row of the source in the words of a preset; what has no field of that name is left out. */
function asPreset({ base, stride, slots, members }: BatchArray, names: Record<string, string>): PresetLayout {
  const fields = Object.entries(names).map(([field, path]) => {
    const member = members.find((each) => each.path === path) ?? assert.fail(`the source has no ${path}`);
    const { type, byte, bit, length } = member;
    return { field, type, offset: byte + bit / 10, ...(length === undefined ? {} : { length }) };
  });
  return { base, stride, slots, fields };
}

const inOrder = ({ base, stride, slots, fields }: PresetLayout): PresetLayout => ({
  ...{ base, stride, slots },
  fields: [...fields].sort((a, b) => a.offset - b.offset),
});

const arrayOf = (path: string): BatchArray =>
  batchArrays(SOURCE).find((array) => array.path === path) ?? assert.fail(`the source has no ${path}`);

test('its order block lies as the preset "S7 order record", Ready and Taken in bytes of their own', () => {
  const preset = ORDER_PRESETS['S7 order record'];
  const orders = asPreset(arrayOf('MoOrders.Slot'), ORDER_NAMES);
  assert.deepEqual(inOrder(orders), inOrder(preset));
  assert.deepEqual(orders.fields.filter((row) => isHandshake(row as (typeof preset.fields)[0])).length, 3);
});

test('its batch block lies as the preset "S7 batch record", and pasting it proposes every field', () => {
  const preset = LAYOUT_PRESETS['S7 batch record'];
  assert.deepEqual(inOrder(asPreset(arrayOf('MoBatches.Slot'), BATCH_NAMES)), inOrder(preset));
  const [likeliest] = proposeArrays(SOURCE, DEFAULT_SILOS);
  assert.equal(likeliest?.path, 'MoBatches.Slot');
  const proposed = Object.fromEntries([...likeliest.proposal].map(([path, field]) => [field, path]));
  assert.deepEqual(proposed, { ...BATCH_NAMES, counter: 'Counter' });
});

const SLOTS = 10;
const scan = functionBlock(SOURCE);
const array = <T>(of: () => T, length = SLOTS): T[] => [...Array<T>(1), ...Array.from({ length }, of)];
const weights = (): object => ({ Silo: array(() => 0, 13), LqTetes: 0, LqFml: 0 });

interface Order {
  Number: string;
  BatchNo: number;
  Silo: number[];
  Ready: boolean;
  Taken: boolean;
  LastTaken: string;
}
interface Batch {
  Number: string;
  Silo: number[];
  Complete: boolean;
  Running: boolean;
  Acknowledged: boolean;
  Counter: number;
}
class Plc implements Memory {
  readonly orders = array(() => ({ ...blankOrder(), ...weights() })) as Order[];
  readonly batches = array(() => ({ ...blankBatch(), ...weights() })) as Batch[];
  readonly blocks = { MoOrders: { Slot: this.orders }, MoBatches: { Slot: this.batches } };
  readonly own: Record<string, unknown> & { Room: boolean; Started: number; Plan: Order[]; LastTaken: string[] } = {
    ...{ Room: true, Started: 0, SLOTS, Plan: array(blankOrder) as Order[], LastTaken: array(() => '') },
  };
  /** One scan. @param steps the power fails before this statement @returns the order that was begun; '' when none */
  scan(steps?: number): string {
    scan(this, steps);
    return this.own.Started === 0 ? '' : this.batches[this.own.Started]!.Number;
  }
  offer(slot: number, Number: string, BatchNo = 1, plan = 825.5): void {
    Object.assign(this.orders[slot]!, { Number, BatchNo, Ready: true, Taken: false });
    this.orders[slot]!.Silo[1] = plan;
  }
  /** As the bridge does once it has noted `taken`. */
  clear(slot: number): void {
    Object.assign(this.orders[slot]!, { Number: '', Ready: false, Taken: false });
  }
  /** How often an order was begun: batches that show it. */
  made(number: string): number {
    return this.batches.filter((batch) => batch?.Number === number).length;
  }
}
const blankOrder = (): object => ({ Number: '', BatchNo: 0, Ready: false, Taken: false, LastTaken: '' });
const blankBatch = (): object => ({
  ...{ Number: '', Complete: false, Running: false, Acknowledged: false, Counter: 0, Finished: 0 },
});
const [A, B] = ['WH/MO/00001', 'WH/MO/00002'];

test('it takes the offered order of the lowest batch number, keeps its plan, and says so', () => {
  const plc = new Plc();
  plc.offer(1, B, 2);
  plc.offer(3, A, 1, 600.25);
  assert.equal(plc.scan(), A);
  assert.deepEqual([plc.orders[3]!.Taken, plc.orders[3]!.LastTaken, plc.own.Plan[1]!.Silo[1]], [true, A, 600.25]);
  plc.orders[3]!.Silo[1] = 1;
  assert.equal(plc.own.Plan[1]!.Silo[1], 600.25, 'a copy');
  assert.deepEqual([plc.batches[1]!.Running, plc.batches[1]!.Counter], [true, 1]);
  assert.deepEqual([plc.scan(), plc.scan()], [B, '']);
});

test('without room, without a free slot, or before it is ready nothing is taken', () => {
  const plc = new Plc();
  plc.offer(1, A);
  plc.own.Room = false;
  assert.equal(plc.scan(), '');
  Object.assign(plc.own, { Room: true });
  plc.orders[1]!.Ready = false;
  assert.equal(plc.scan(), '');
  plc.batches.forEach((batch, slot) => Object.assign(batch ?? {}, { Number: `X${slot}` }));
  plc.orders[1]!.Ready = true;
  assert.equal(plc.scan(), '');
  plc.batches[4]!.Number = '';
  assert.equal(plc.scan(), A);
  assert.equal(plc.own.Started, 4);
});

test('a number taken before is not made a second time, in whichever slot it is offered: it is only said to be taken', () => {
  const plc = new Plc();
  plc.offer(1, A);
  plc.scan();
  Object.assign(plc.batches[1]!, { Complete: true, Running: false, Acknowledged: true });
  plc.scan();
  for (const slot of [1, 2]) {
    plc.offer(slot, A);
    assert.equal(plc.scan(), '');
    assert.deepEqual([plc.orders[slot]!.Taken, plc.made(A)], [true, 0]);
    plc.clear(slot);
  }
});

test('a completed batch is kept until it is acknowledged, then its slot is cleared', () => {
  const plc = new Plc();
  plc.offer(1, A);
  plc.scan();
  Object.assign(plc.batches[1]!, { Complete: true, Running: false });
  plc.batches[1]!.Silo[2] = 12.5;
  const completed = structuredClone(plc.batches[1]);
  for (let n = 0; n < 3; n += 1) plc.scan();
  assert.deepEqual(plc.batches[1], completed);
  plc.batches[1]!.Acknowledged = true;
  plc.scan();
  assert.deepEqual(plc.batches[1], { ...blankBatch(), ...weights(), Counter: 1 });
});

test('wherever the power fails in a scan, each order is made once and each completed batch is kept whole or cleared', () => {
  for (let steps = 1, failed = true; failed; steps += 1) {
    const plc = new Plc();
    plc.offer(1, B, 1);
    plc.scan();
    Object.assign(plc.batches[1]!, { Complete: true, Running: false, Acknowledged: true });
    plc.offer(2, A, 2);
    failed = false;
    try {
      plc.scan(steps);
    } catch (error) {
      if (!(error instanceof PowerFailure)) throw error;
      failed = true;
    }
    plc.scan();
    assert.deepEqual([plc.made(A), plc.made(B), plc.orders[2]!.Taken], [1, 0, true], `before statement ${steps}`);
    const [batch] = plc.batches.filter((each) => each?.Number === A);
    const { Complete, Acknowledged, Running } = batch ?? assert.fail();
    assert.deepEqual([Complete, Acknowledged, Running], [false, false, true], `before statement ${steps}`);
    plc.clear(2);
    assert.deepEqual([plc.scan(), plc.made(A)], ['', 1], `before statement ${steps}`);
  }
});

test('every name in its code is declared', () => {
  const members = new Set(batchArrays(SOURCE).flatMap(({ members }) => members.map(({ path }) => path.split('[')[0])));
  const [, declared = '', code = ''] = /FUNCTION_BLOCK([\s\S]*?)BEGIN([\s\S]*)END_FUNCTION_BLOCK/.exec(SOURCE) ?? [];
  for (const [, name] of code.matchAll(/#(\w+)/g)) assert.match(declared, new RegExp(`^ +${name} : `, 'm'), name);
  for (const [, name] of code.matchAll(/\.Slot\[#\w+\]\.(\w+)/g)) assert.ok(members.has(name), name);
});
