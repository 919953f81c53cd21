/** Acknowledging over the real `s7 endpoint` node, a simulated CPU and a real database: read → save → acknowledge. */
import assert from 'node:assert/strict';
import { after, test, type TestContext } from 'node:test';
import { acknowledged, S7_BATCH_RECORD, type SlotRecord, writeSlot } from '../../examples/plant/plc/batch-memory';
import { startMill } from '../../examples/plant/plc/mill';
import { startS7Server, type S7Server } from '../../examples/plant/plc/s7-server';
import { setImmediate as turn } from 'node:timers/promises';
import type { S7EndpointNode } from '../../nodes/lib/node-red/config-nodes';
import { LAYOUT_PRESETS } from '../../nodes/lib/plc/slot-layout';
import { roundDecoded } from '../../nodes/lib/domain/weight';
import type { BatchStore } from '../../nodes/lib/store/batch-store';
import type { Database } from '../../nodes/lib/store/connection';
import { testDatabase } from '../support/cluster';
import {
  database,
  databaseLogin,
  eventually,
  type Message,
  type NodeRed,
  silos,
  sink,
  startFlow,
  stopHelper,
} from '../support/node-red';
import { anotherPool, moId, order, orders } from '../support/store';

after(stopHelper);

const DB = 100;
const SLOTS = 2;
const RECORD = LAYOUT_PRESETS['S7 batch record'];

interface Chain {
  plc: S7Server;
  red: NodeRed;
  store: BatchStore;
  db: Database;
  put: (record: Partial<SlotRecord>) => void;
  isAcknowledged: () => boolean;
  /** One cycle. @returns what the acknowledging node passed on */
  cycle: () => Promise<Message[][]>;
}

async function start(t: TestContext): Promise<Chain> {
  const plc = await startS7Server({ dbs: { [DB]: 1000 } });
  t.after(() => plc.stop());
  const address = await testDatabase();
  t.after(() => address.drop());
  const endpoint = { address: '127.0.0.1', port: String(plc.port), rack: '0', slot: '1', connmode: 'rack-slot' };
  const vartable = [{ addr: 'DB100,X22.0', name: 'one' }];
  const reader = {
    endpoint: 'plc',
    silos: 'silos',
    ...RECORD,
    slots: SLOTS,
    settle: '1',
    timeout: '2000',
    moPattern: '',
  };
  const flow = [
    { id: 'plc', type: 's7 endpoint', transport: 'iso-on-tcp', ...endpoint, cycletime: '0', timeout: '1000', vartable },
    ...[silos, database(address), sink],
    { id: 'read', type: 'plc-consumption-read', operation: 'read', ...reader, wires: [['save'], []] },
    {
      id: 'save',
      type: 'mo-batch-store',
      database: 'db',
      operation: 'record',
      line: '',
      wires: [['acknowledge'], ['held']],
    },
    { id: 'held', type: 'helper' },
    { id: 'acknowledge', type: 'plc-consumption-read', operation: 'acknowledge', wires: [['acked'], ['kept']] },
    { id: 'acked', type: 'helper' },
    { id: 'kept', type: 'helper' },
  ];
  const red = await startFlow(t, flow, databaseLogin(address));
  const { endpoint: s7 } = red.node<S7EndpointNode>('plc');
  if (!s7?.isConnected) await new Promise((resolve) => s7?.once('connect', resolve));
  const out: Message[][] = [[], []];
  ['acked', 'kept'].forEach((id, port) => red.node(id).on('input', (msg) => out[port]?.push(msg)));
  const { store, db } = anotherPool(t, address);
  const memory = plc.memory(DB);
  return {
    plc,
    red,
    store,
    db,
    put: (record) => writeSlot(memory, S7_BATCH_RECORD, 1, record),
    isAcknowledged: () => acknowledged(memory, S7_BATCH_RECORD, 1),
    cycle: async () => {
      out.forEach((messages) => messages.splice(0));
      const before = red.dones('acknowledge');
      assert.equal((await red.send('read')).error, undefined);
      await eventually('the end of the cycle', () => red.dones('acknowledge') > before);
      // Node-RED delivers a turn after it was sent.
      await turn();
      await turn();
      return out;
    },
  };
}

/** The database is there once its node has migrated it. */
const queue = async ({ red, store }: Chain, list = [order(1)]): Promise<void> => {
  await red.send('save', { payload: [] });
  await store.enqueue(list, list.length);
};

test('a mill that waits for it makes every order, and what was acknowledged stands in the database', async (t) => {
  const chain = await start(t);
  const made = orders(1, 5);
  await queue(chain, made);
  const waiting = [...made];
  const mill = startMill({
    server: chain.plc,
    slots: SLOTS,
    acknowledge: true,
    weighMs: 10,
    tickMs: 2,
    nextOrder: () => {
      const next = waiting.shift();
      return Promise.resolve(next && { mo_id: next.mo_id, quantity: 2500, plan: { silo_a: 825, lq_fml: 12.34 } });
    },
  });
  t.after(() => mill.stop());
  const freed = new Set<string>();
  await eventually('five orders', async () => {
    const [acked = []] = await chain.cycle();
    for (const { payload } of acked) {
      for (const { mo_id } of payload as { mo_id: string }[]) {
        freed.add(mo_id);
        const { batch } = await chain.store.trail(mo_id);
        assert.equal(batch?.status_manufacturing, true, `${mo_id} was acknowledged before it was stored`);
        const final = mill.finals().get(mo_id);
        assert.equal(batch?.actual_consumption_silo_a, roundDecoded(final?.consumption['silo_a'] ?? NaN));
        assert.equal(batch?.actual_consumption_lq_fml, roundDecoded(final?.consumption['lq_fml'] ?? NaN));
      }
    }
    return freed.size === made.length;
  });
  assert.equal(mill.finals().size, made.length);
});

test('a completion whose row somebody holds locked leaves by the second output, and is acknowledged once it is in the row', async (t) => {
  const chain = await start(t);
  const { red, store, db, put, cycle, isAcknowledged } = chain;
  await queue(chain);
  const held: Message[] = [];
  red.node('held').on('input', (msg) => held.push(msg));
  put({ mo_id: moId(1), status_manufacturing: true, consumption: { silo_a: 825.5 } });
  await db.tx(async (tx) => {
    await tx.one('SELECT FROM mo_batch WHERE mo_id = $1 FOR UPDATE', moId(1), () => true);
    for (let n = 0; n < 2; n += 1) await cycle();
    assert.equal(isAcknowledged(), false);
  });
  const [{ mo_id, reason } = {}] = held[0]?.payload as { mo_id?: string; reason?: string }[];
  assert.equal(mo_id, moId(1));
  assert.match(String(reason), /locked/);
  await cycle();
  assert.equal((await store.trail(moId(1))).batch?.actual_consumption_silo_a, 825.5);
  if (!isAcknowledged()) await cycle();
  assert.equal(isAcknowledged(), true);
});

test('a write that fails is told, and made good in the next cycle, also when the order is archived by then', async (t) => {
  const chain = await start(t);
  const { plc, red, store, put, cycle, isAcknowledged } = chain;
  await queue(chain);
  put({ mo_id: moId(1), status_manufacturing: true, consumption: { silo_a: 825.5 } });
  // The CPU refuses whatever comes after the one slot was read for the second time.
  let reads = 0;
  const off = plc.onRead((_db, start) => {
    if (start === 0 && (reads += 1) === 2) setImmediate(() => void plc.setFault({ denyAccess: true }));
  });
  assert.deepEqual(await cycle(), [[], []]);
  off();
  assert.equal(isAcknowledged(), false);
  assert.match((await red.logs(/refused with 0x03/)).text, /PUT\/GET/);
  assert.equal(red.status('acknowledge').fill, 'red');
  await plc.clearFaults();

  const [row] = await store.completed(10);
  const { archived } = await store.archive([row?.id ?? ''], { status: 'failed', note: 'by hand' });
  assert.equal(archived.length, 1);
  const [acked = []] = await cycle();
  assert.deepEqual(acked[0]?.payload, [{ slot: 1, mo_id: moId(1) }]);
  assert.ok(isAcknowledged());
  assert.match(red.status('acknowledge').text ?? '', /^1 acknowledged/);
  assert.equal(red.status('acknowledge').fill, 'green');
});

test('running batches are left alone; a completed one that changed afterwards is kept, told once', async (t) => {
  const chain = await start(t);
  const { red, put, cycle, isAcknowledged } = chain;
  await queue(chain);
  put({ mo_id: moId(1), consumption: { silo_a: 800 } });
  assert.deepEqual(await cycle(), [[], []]);
  assert.match(red.status('acknowledge').text ?? '', /^0 acknowledged/);
  put({ status_manufacturing: true, consumption: { silo_a: 825.5 } });
  await cycle();
  assert.ok(isAcknowledged());
  put({ acknowledged: false, consumption: { silo_a: 826 } });
  for (let n = 0; n < 2; n += 1) {
    const [acked, kept = []] = await cycle();
    assert.deepEqual(acked, []);
    const [slot] = kept[0]?.payload as { slot: number; mo_id: string; reason: string }[];
    assert.deepEqual([slot?.slot, slot?.mo_id], [1, moId(1)]);
    assert.match(slot?.reason ?? '', /other weights/);
  }
  assert.equal(isAcknowledged(), false);
  assert.equal(red.status('acknowledge').fill, 'yellow');
  assert.equal(red.logged('warn').filter(({ id }) => id === 'acknowledge').length, 1);
});

test('behind the wrong node it says where it belongs, and writes nothing', async (t) => {
  const { plc, red, put } = await start(t);
  put({ mo_id: moId(1), status_manufacturing: true });
  const read = { node: 'read' };
  const running = { mo_id: moId(1), slot: 1, status_manufacturing: true, consumption: { silo_a: 1 } };
  for (const [msg, problem] of [
    [{ payload: [running], read }, /recorded readings/],
    [{ payload: 'x', read }, /wire this node behind mo-batch-store/],
    [{ payload: [{ ...running, outcome: 'recorded' }] }, /keep msg\.read/],
    [{ payload: [{ ...running, outcome: 'recorded' }], read: { node: 'save' } }, /keep msg\.read/],
  ] as const) {
    const { error, out } = await red.send('acknowledge', msg);
    assert.match(error?.message ?? '', problem);
    assert.deepEqual(out, [[], []]);
  }
  assert.equal(plc.counters.writes, 0);
});

test('the weights that outlived their number are told after a restart only where they are not those saved last', async (t) => {
  const chain = await start(t);
  const { red, store, put, cycle } = chain;
  await queue(chain);
  // What an earlier Node-RED saved of this slot.
  const silo = Object.fromEntries(
    RECORD.fields.flatMap(({ field }) => (field.startsWith('silo_') || field.startsWith('lq_') ? [[field, 0]] : [])),
  );
  await store.record(
    [
      {
        ...{ slot: 1, mo_id: moId(1), status_manufacturing: true, status_operation: false, source: 'plc/DB100' },
        ...{ consumption: { ...silo, silo_a: 825.5 }, actual_weight_quantity_finished_goods: 0 },
        read_at: new Date().toISOString(),
      },
    ],
    '',
    { source: 'plc/DB100' },
  );
  put({ mo_id: '', status_manufacturing: true, consumption: { silo_a: 825.5 } });
  await cycle();
  await cycle();
  assert.deepEqual(red.logged('warn'), []);
  put({ consumption: { silo_a: 826 } });
  await cycle();
  await cycle();
  const warned = red.logged('warn').map(({ id, text }) => `${id}: ${text}`);
  assert.equal(warned.length, 1, warned.join());
  assert.match(warned[0] ?? '', /^save: slot 1 holds a batch without an order number.* holds 826 kg/);
  assert.equal(red.status('save').fill, 'yellow');
});

test('another number typed over a completed slot is neither saved as complete nor acknowledged, until the bit is 0 again', async (t) => {
  const chain = await start(t);
  const { store, put, cycle, isAcknowledged } = chain;
  await queue(chain, orders(1, 2));
  put({ mo_id: moId(1), status_manufacturing: true, consumption: { silo_a: 825.5 } });
  await cycle();
  assert.ok(isAcknowledged());
  put({ mo_id: moId(2) });
  for (let n = 0; n < 2; n += 1) {
    const [acked, kept = []] = await cycle();
    assert.deepEqual(acked, []);
    assert.deepEqual(
      (kept[0]?.payload as { mo_id: string }[]).map(({ mo_id }) => mo_id),
      [moId(2)],
    );
  }
  assert.equal((await store.trail(moId(2))).batch?.status_manufacturing, false);
  // The PLC has taken the acknowledgement: what the slot tells from now on is its next batch.
  put({ acknowledged: false });
  await cycle();
  const [acked = []] = await cycle();
  assert.deepEqual(acked[0]?.payload, [{ slot: 1, mo_id: moId(2) }]);
  assert.equal((await store.trail(moId(2))).batch?.actual_consumption_silo_a, 825.5);
});
