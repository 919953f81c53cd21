import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test, type TestContext } from 'node:test';
import { S7Endpoint } from '@st-one-io/nodes7';
import { startS7Server, type S7Server } from '../../../examples/plant/plc/s7-server';
import type { Batch } from '../../../nodes/lib/domain/batch';
import { OrderArea } from '../../../nodes/lib/plc/order-area';
import { ORDER_PRESETS, type OrderLayout, orderSlotBytes } from '../../../nodes/lib/plc/order-layout';
import { encodeOrder } from '../../../nodes/lib/plc/order-record';
import { otherServer } from '../../support/snap7';
import { connected, fails } from './reader-plant';

const DB = 110;
const BLOCK = 4000;
const mayI = (): Promise<void> => Promise.resolve();
const { signal } = new AbortController();

const record = (layout: OrderLayout): Buffer => {
  const batch = {
    mo_id: 'WH/MO/00042',
    batch_no: 7,
    finished_goods: 'JF',
    consumption: 2500,
    consumption_silo_a: 825.5,
  };
  const encoded = encodeOrder(batch as Batch, layout);
  assert.ok('bytes' in encoded);
  return encoded.bytes;
};

async function plant(
  t: TestContext,
  layout: OrderLayout,
  pduSize = 480,
): Promise<{ server: S7Server; area: OrderArea }> {
  const server = await startS7Server({ pduSize, parallelJobs: 1, dbs: { [DB]: BLOCK } });
  t.after(() => server.stop());
  return { server, area: await areaOf(t, server, layout) };
}

async function areaOf(t: TestContext, { port }: { port: number }, layout: OrderLayout): Promise<OrderArea> {
  const endpoint = new S7Endpoint({
    host: '127.0.0.1',
    port,
    autoReconnect: 20,
    s7ConnOpts: { timeout: 2000 },
  });
  endpoint.on('error', () => undefined);
  const area = new OrderArea(endpoint, layout, { timeoutMs: 1000, settleMs: 5 });
  t.after(() => {
    area.close();
    // Not waited for: while it reconnects it may never settle.
    endpoint.disconnect().catch(() => undefined);
  });
  await connected(endpoint);
  return area;
}

/** A server in whose memory a test looks. */
interface Memory {
  port: number;
  read: () => Buffer;
  write: (bytes: Buffer) => void;
}

/** Ours, and one that others wrote. */
const SERVERS: Record<string, (t: TestContext, pduSize: number) => Promise<Memory | undefined>> = {
  'the simulated PLC': async (t, pduSize) => {
    const server = await startS7Server({ pduSize, parallelJobs: 1, dbs: { [DB]: BLOCK } });
    t.after(() => server.stop());
    const memory = server.memory(DB);
    return { port: server.port, read: () => memory, write: (bytes) => void bytes.copy(memory) };
  },
  "Snap7's server": async (t, pduSize) => {
    const server = await otherServer(t, { pduSize, dbs: { [DB]: BLOCK } });
    return server && { port: server.port, read: () => server.read(DB), write: (bytes) => server.write(DB, 0, bytes) };
  },
};

/** Texts of odd lengths at odd addresses, a slot longer than a telegram of PDU 240, and gaps. */
const ODD: OrderLayout = {
  ...{ db: DB, base: 3, stride: 601, slots: 3 },
  fields: [
    { field: 'number', type: 'CHAR', offset: 0, length: 15 },
    { field: 'product', type: 'CHAR', offset: 17, length: 501 },
    { field: 'batch_no', type: 'INT', offset: 521 },
    { field: 'silo_a', type: 'REAL', offset: 525 },
    { field: 'planned', type: 'REAL', offset: 531 },
    { field: 'ready', type: 'BOOL', offset: 540.3 },
    { field: 'taken', type: 'BOOL', offset: 541.7 },
  ],
};

async function provesWriting(t: TestContext, memory: Memory, layout: OrderLayout): Promise<void> {
  const area = await areaOf(t, memory, layout);
  const before = randomBytes(BLOCK);
  const start = layout.base + layout.stride;
  before.fill(0, start, start + orderSlotBytes(layout));
  memory.write(before);
  const bytes = record(layout);
  await area.write(2, bytes, mayI, signal);
  const expected = Buffer.from(before);
  bytes.copy(expected, start);
  assert.ok(memory.read().equals(expected));
  await area.ready(2, true, mayI, signal);
  const slot = await area.read(2, signal);
  assert.deepEqual([slot.number, slot.ready, slot.taken], ['WH/MO/00042', true, false]);
  await area.ready(2, false, mayI, signal);
  assert.ok(memory.read().equals(expected));
  assert.equal((await area.settle(2, signal)).settled, true);
  await area.clear(2, mayI, signal);
  const cleared = await area.read(2, signal);
  assert.deepEqual([cleared.number, cleared.ready, cleared.taken], ['', false, false]);
  const [left, right] = [memory.read().subarray(0, start), memory.read().subarray(start + layout.stride)];
  assert.ok(left.equals(before.subarray(0, start)) && right.equals(before.subarray(start + layout.stride)));
}

for (const [where, open] of Object.entries(SERVERS))
  for (const pdu of [240, 480, 960])
    for (const [name, layout] of Object.entries({ ...ORDER_PRESETS, 'odd lengths': ODD }))
      test(`${name}, PDU ${pdu}, ${where}: what is written is read back byte for byte, and no other byte changes`, async (t) => {
        const memory = await open(t, pdu);
        if (memory) await provesWriting(t, memory, layout);
      });

test('the bits beside ready and taken are not touched', async (t) => {
  const { server, area } = await plant(t, ODD);
  server.memory(DB).fill(0b10110111, 3 + 540, 3 + 542);
  await area.ready(1, true, mayI, signal);
  await area.clear(1, mayI, signal);
  assert.deepEqual([...server.memory(DB).subarray(3 + 540, 3 + 542)], [0b10111111, 0b00110111]);
});

test('the number comes last, and whoever may not write any more writes no further byte', async (t) => {
  const { server, area } = await plant(t, ODD, 240);
  let left = 3;
  const some = (): Promise<void> => (left-- > 0 ? Promise.resolve() : Promise.reject(new Error('the lease is gone')));
  await assert.rejects(area.write(1, record(ODD), some, signal), /lease is gone/);
  assert.equal((await area.read(1, signal)).number, '');
  assert.ok(
    server
      .memory(DB)
      .subarray(3 + 525)
      .every((byte) => byte === 0),
  );
});

test('a slot that changes within the settle time, or is offered, is not settled', async (t) => {
  const { server, area } = await plant(t, ODD);
  await area.write(1, record(ODD), mayI, signal);
  let reads = 0;
  const off = server.onRead(() => {
    reads += 1;
    // The first look takes two telegrams.
    if (reads === 3) server.memory(DB)[3 + 541] = 0x80;
  });
  const slot = await area.settle(1, signal);
  off();
  assert.deepEqual([slot.settled, slot.taken], [false, true]);
  await area.ready(1, true, mayI, signal);
  assert.equal((await area.settle(1, signal)).settled, false);
});

test('what the CPU refuses is named, and a telegram without an answer ends with the time limit', async (t) => {
  const { server, area } = await plant(t, ODD);
  await server.setFault({ denyService: true });
  await assert.rejects(area.write(1, record(ODD), mayI, signal), fails('access', /PUT\/GET/));
  await server.setFault({ denyService: false, hang: true });
  await assert.rejects(area.ready(1, true, mayI, signal), fails('timeout', /within 1000 ms/));
});
