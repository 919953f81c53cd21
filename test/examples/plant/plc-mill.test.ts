import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { test, type TestContext } from 'node:test';
import {
  blockSize,
  COUNTED_BATCH_RECORD,
  PACKED_WORDS,
  readSlot,
  S7_BATCH_RECORD,
  writeSlot,
  type BatchLayout,
} from '../../../examples/plant/plc/batch-memory';
import {
  startMill,
  type Mill,
  type MillOptions,
  type MillOrder,
  type MillState,
} from '../../../examples/plant/plc/mill';
import type { S7Server } from '../../../examples/plant/plc/s7-server';
import type { MillTrouble } from '../../../examples/plant/plc/troubles';
import { connectNodes7, startPlc, type Endpoint } from './plc-client';

const PLAN = { silo_a: 825.5, silo_b: 40.25, silo_c: 0, silo_m: 3.1, lq_fml: 0.8 };
const order = (number: number): MillOrder => ({ mo_id: `WH/MO/0000${number}`, quantity: 860, plan: PLAN });

/** The next orders one by one, then none. */
const orders = (...numbers: number[]): MillOptions['nextOrder'] => {
  const waiting = numbers.map(order);
  return () => Promise.resolve(waiting.shift());
};

/** Collects the phases of a mill as events named by phase and, once there, as a list. */
class Phases extends EventEmitter {
  readonly seen: string[] = [];
  readonly tell = (slot: number, phase: string, moId: string): void => {
    this.seen.push(`${slot} ${phase} ${moId}`);
    this.emit(phase, slot, moId);
  };
}

const startLine = (t: TestContext, layout: BatchLayout = S7_BATCH_RECORD): Promise<S7Server> =>
  startPlc(t, { dbs: { [layout.db]: blockSize(layout, 10) } });

const run = (t: TestContext, options: MillOptions): Mill => {
  const mill = startMill({ tickMs: 2, weighMs: 40, keepMs: 20, ...options });
  t.after(() => mill.stop());
  return mill;
};

const readOverTcp = async (endpoint: Endpoint, layout: BatchLayout, slot: number) => {
  const start = layout.base + (slot - 1) * layout.stride;
  const bytes = await endpoint.readDB(layout.db, start, layout.length);
  return readSlot(bytes, { ...layout, base: 0 }, 1);
};

for (const layout of [S7_BATCH_RECORD, PACKED_WORDS]) {
  test(`"${layout.name}": a batch grows silo by silo, completes, is kept and frees its slot`, async (t) => {
    const server = await startLine(t, layout);
    const endpoint = await connectNodes7(t, server);
    const phases = new Phases();
    const freed = once(phases, 'free');
    const mill = run(t, { server, layout, nextOrder: orders(1), onPhase: phases.tell });
    await once(phases, 'entered');
    const samples = [await readOverTcp(endpoint, layout, 1)];
    while (samples.at(-1)?.mo_id) samples.push(await readOverTcp(endpoint, layout, 1));
    await freed;

    assert.deepEqual(
      phases.seen,
      ['entered', 'weighing', 'weighed', 'complete', 'free'].map((phase) => `1 ${phase} WH/MO/00001`),
    );
    const { consumption, finished } = mill.finals().get('WH/MO/00001') ?? assert.fail('no final weights');
    const batch = samples.slice(0, -1);
    const completed = batch.filter((sample) => sample.status_manufacturing);
    assert.ok(completed.length > 0, 'a completed batch is kept long enough to be read');
    for (const sample of completed) {
      assert.deepEqual(sample.consumption, consumption);
      assert.equal(sample.actual_weight_quantity_finished_goods, finished);
      assert.equal(sample.status_operation, false);
    }
    assert.ok(batch.some((sample) => sample.status_operation && !sample.status_manufacturing));
    batch.forEach(({ consumption: now }, index) => {
      const before = batch[index - 1]?.consumption ?? {};
      for (const [tag, kg] of Object.entries(now)) assert.ok(kg >= (before[tag] ?? 0), `${tag} never shrinks`);
      if (now.silo_b) assert.equal(now.silo_a, consumption.silo_a, 'silo_a is done before silo_b starts');
    });
  });
}

test('final weights lie within one percent of the plan and depend on seed and order only', async (t) => {
  const finalsOf = async (seed: number, slots: number) => {
    const phases = new Phases();
    const server = await startLine(t);
    const numbers = [1, 2, 3];
    const mill = run(t, { server, slots, seed, keepMs: 2, nextOrder: orders(...numbers), onPhase: phases.tell });
    while (mill.finals().size < numbers.length) await once(phases, 'complete');
    return new Map([...mill.finals()].sort());
  };
  const [first, again, other] = await Promise.all([finalsOf(1, 1), finalsOf(1, 3), finalsOf(2, 3)]);
  assert.deepEqual(again, first);
  assert.notDeepEqual(other, first);
  assert.notDeepEqual(first.get('WH/MO/00001'), first.get('WH/MO/00002'));
  for (const { consumption, finished } of first.values()) {
    for (const [tag, kg] of Object.entries(PLAN)) {
      const actual = consumption[tag] ?? assert.fail(`${tag} is missing`);
      // One percent, and half a step of the scale.
      assert.ok(Math.abs(actual - kg) <= kg * 0.01 + (kg >= 100 ? 0.051 : 0.0051), `${tag}: ${actual} of ${kg}`);
    }
    assert.equal(consumption.silo_d, 0);
    assert.ok(Math.abs(finished - 860) <= 8.651);
  }
});

test('with acknowledgement a completed batch stays until it is acknowledged', async (t) => {
  const server = await startLine(t);
  const phases = new Phases();
  const nextOrder = orders(1, 2, 3);
  const mill = run(t, { server, slots: 2, keepMs: 0, weighMs: 4, acknowledge: true, nextOrder, onPhase: phases.tell });
  while (mill.finals().size < 2) await once(phases, 'complete');
  const endpoint = await connectNodes7(t, server);
  assert.equal((await readOverTcp(endpoint, S7_BATCH_RECORD, 1)).mo_id, 'WH/MO/00001');
  const entered = once(phases, 'entered');
  writeSlot(server.memory(100), S7_BATCH_RECORD, 2, { acknowledged: true });
  assert.deepEqual(await entered, [2, 'WH/MO/00003']);
  const { mo_id, acknowledged, status_manufacturing } = readSlot(server.memory(100), S7_BATCH_RECORD, 2);
  assert.deepEqual(
    { mo_id, acknowledged, status_manufacturing },
    {
      mo_id: 'WH/MO/00003',
      acknowledged: false,
      status_manufacturing: false,
    },
  );
  assert.equal(readSlot(server.memory(100), S7_BATCH_RECORD, 1).mo_id, 'WH/MO/00001');
});

test('a paused slot stands still while the others go on', async (t) => {
  const server = await startLine(t);
  const phases = new Phases();
  const mill = run(t, { server, slots: 2, nextOrder: orders(1, 2), onPhase: phases.tell });
  await once(phases, 'weighing');
  mill.pause(1);
  const frozen = readSlot(server.memory(100), S7_BATCH_RECORD, 1);
  assert.deepEqual(await once(phases, 'complete'), [2, 'WH/MO/00002']);
  assert.deepEqual(readSlot(server.memory(100), S7_BATCH_RECORD, 1), frozen);
  const complete = once(phases, 'complete');
  mill.resume(1);
  assert.deepEqual(await complete, [1, 'WH/MO/00001']);
  assert.throws(() => mill.pause(3), /no slot 3/);
});

test('in STOP nothing changes in memory; in RUN the batch goes on', async (t) => {
  const server = await startLine(t);
  const endpoint = await connectNodes7(t, server);
  const phases = new Phases();
  const completed = once(phases, 'complete');
  run(t, { server, nextOrder: orders(1), onPhase: phases.tell });
  await once(phases, 'weighing');
  await server.setFault({ stop: true, delayMs: 20 });
  const before = await readOverTcp(endpoint, S7_BATCH_RECORD, 1);
  assert.equal(before.mo_id, 'WH/MO/00001');
  assert.deepEqual(await readOverTcp(endpoint, S7_BATCH_RECORD, 1), before);
  await server.clearFaults();
  await completed;
});

test('a mill goes on where its snapshot was taken', async (t) => {
  const phases = new Phases();
  const first = run(t, {
    server: await startLine(t),
    slots: 2,
    keepMs: 1000,
    nextOrder: orders(1),
    onPhase: phases.tell,
  });
  await once(phases, 'weighing');
  first.stop();
  first.stop();
  const saved = JSON.stringify(first.snapshot());

  const server = await startLine(t);
  const completed = once(phases, 'complete');
  const second = run(t, { server, nextOrder: orders(), onPhase: phases.tell, restore: JSON.parse(saved) as MillState });
  assert.equal(readSlot(server.memory(100), S7_BATCH_RECORD, 1).mo_id, 'WH/MO/00001');
  await completed;
  const third = startMill({ server, nextOrder: orders(), restore: second.snapshot() });
  third.stop();
  assert.deepEqual([...third.finals().keys()], ['WH/MO/00001']);
  assert.deepEqual(third.finals(), second.finals());
});

test('an order that cannot be had or does not fit is reported, and the mill goes on', async (t) => {
  const server = await startLine(t, PACKED_WORDS);
  const phases = new Phases();
  const errors: string[] = [];
  const answers = [
    () => Promise.reject(new Error('Odoo is away')),
    () => Promise.resolve({ ...order(1), mo_id: 'JBG/MO/2026/00012' }),
    () => Promise.resolve({ ...order(1), plan: { silo_z: 1 } }),
    () => Promise.resolve(order(1)),
    () => Promise.resolve(order(1)),
  ];
  run(t, {
    server,
    layout: PACKED_WORDS,
    nextOrder: () => answers.shift()?.() ?? Promise.resolve(undefined),
    onError: ({ message }) => errors.push(message),
    onPhase: phases.tell,
  });
  await once(phases, 'complete');
  assert.equal(errors.length, 4);
  assert.match(
    errors.join('\n'),
    /away\n.*JBG.*16 ASCII.*\nUnknown weight "silo_z".*\nWH\/MO\/00001 is in a slot already/,
  );
  assert.equal(readSlot(server.memory(100), PACKED_WORDS, 2).mo_id, '');
});

/** A mill with one slot that makes orders 1 and 2, the first of which has this trouble; every tick is sampled. */
async function troubled(t: TestContext, kind: MillTrouble, layout: BatchLayout = S7_BATCH_RECORD) {
  const server = await startLine(t, layout);
  const phases = new Phases();
  const samples: ReturnType<typeof readSlot>[] = [];
  const nextOrder = orders(1, 2);
  const mill = run(t, { server, layout, slots: 1, weighMs: 4, keepMs: 40, nextOrder, onPhase: phases.tell });
  mill.trouble(kind, { mo_id: 'WH/MO/00001', ms: 20 });
  const endpoint = await connectNodes7(t, server);
  const second = new Promise<void>((resolve) => {
    phases.on('complete', (_slot, moId) => moId === 'WH/MO/00002' && resolve());
  });
  let done = false;
  void second.then(() => (done = true));
  while (!done) samples.push(await readOverTcp(endpoint, layout, 1));
  return { mill, samples, final: mill.finals().get('WH/MO/00001') ?? assert.fail('no final weights') };
}

test('typed-over: another number stands over the completed batch for a while, and that order is made later', async (t) => {
  const { mill, samples, final } = await troubled(t, 'typed-over');
  const over = samples.findIndex(({ mo_id, status_manufacturing }) => mo_id.endsWith('2') && status_manufacturing);
  assert.deepEqual(samples[over]?.consumption, final.consumption);
  assert.equal(samples[over - 1]?.mo_id, 'WH/MO/00001');
  assert.ok(
    samples.slice(over).some(({ mo_id }) => mo_id === 'WH/MO/00001'),
    'corrected',
  );
  assert.equal(mill.finals().size, 2);
  assert.deepEqual(mill.mishaps(), [{ kind: 'typed-over', slot: 1, mo_id: 'WH/MO/00001', typed: 'WH/MO/00002' }]);
});

test('mistyped: the batch is weighed under a number that no order has, and counts as the batch of its order', async (t) => {
  const { mill, samples } = await troubled(t, 'mistyped');
  const numbers = new Set(samples.map(({ mo_id }) => mo_id).filter((mo_id) => /1$/.test(mo_id)));
  assert.deepEqual([...numbers], ['WH/MO/90001']);
  assert.ok(mill.finals().has('WH/MO/00001'));
  assert.deepEqual(mill.mishaps(), [{ kind: 'mistyped', slot: 1, mo_id: 'WH/MO/00001', typed: 'WH/MO/90001' }]);
});

test('blinking: the running bit of the completed batch comes and goes, nothing else changes', async (t) => {
  const { samples, final } = await troubled(t, 'blinking');
  const complete = samples.filter(({ mo_id, status_manufacturing }) => mo_id.endsWith('1') && status_manufacturing);
  assert.deepEqual([...new Set(complete.map(({ status_operation }) => status_operation))].sort(), [false, true]);
  for (const { consumption } of complete) assert.deepEqual(consumption, final.consumption);
});

test('emptied: the completed batch is read once, and gone at the next read', async (t) => {
  const { samples, final } = await troubled(t, 'emptied');
  const complete = samples.filter(({ mo_id, status_manufacturing }) => mo_id.endsWith('1') && status_manufacturing);
  assert.deepEqual(
    complete.map(({ consumption }) => consumption),
    [final.consumption],
  );
});

test('number-blanked: the weights outlive the number, until the next order clears them together with its own', async (t) => {
  const { samples, final } = await troubled(t, 'number-blanked');
  const blanked = samples.filter(({ mo_id, status_manufacturing }) => mo_id === '' && status_manufacturing);
  assert.ok(blanked.length > 0);
  for (const { consumption } of blanked) assert.deepEqual(consumption, final.consumption);
  const next = samples.find(({ mo_id }) => mo_id.endsWith('2'));
  assert.equal(next?.consumption.silo_b, 0);
});

test('number-first: the next number stands over the last weights for one scan, with a batch counter of its own', async (t) => {
  const { samples, final } = await troubled(t, 'number-first', COUNTED_BATCH_RECORD);
  const next = samples.filter(({ mo_id }) => mo_id.endsWith('2'));
  assert.deepEqual(next[0]?.consumption, final.consumption);
  assert.ok(next.some(({ consumption, status_manufacturing }) => !consumption.silo_a && !status_manufacturing));
});

test('a batch counter counts the orders of its slot, whatever else is cleared', async (t) => {
  const server = await startLine(t, COUNTED_BATCH_RECORD);
  const phases = new Phases();
  const counters: number[] = [];
  phases.on('entered', () => counters.push(server.memory(100).readUInt16BE(88)));
  const nextOrder = orders(1, 2, 3);
  run(t, { server, layout: COUNTED_BATCH_RECORD, slots: 1, weighMs: 2, keepMs: 2, nextOrder, onPhase: phases.tell });
  while (counters.length < 3) await once(phases, 'entered');
  assert.deepEqual(counters, [1, 2, 3]);
});

test('a trouble that is called off does not happen, and a shorter time frees the slots that are complete', async (t) => {
  const server = await startLine(t);
  const phases = new Phases();
  const mill = run(t, {
    server,
    slots: 1,
    weighMs: 4,
    keepMs: 3_600_000,
    nextOrder: orders(1, 2),
    onPhase: phases.tell,
  });
  mill.trouble('number-blanked');
  mill.spare('number-blanked');
  await once(phases, 'complete');
  mill.keepFor(4);
  await once(phases, 'complete');
  assert.equal(mill.finals().size, 2);
  assert.deepEqual(mill.mishaps(), []);
});
