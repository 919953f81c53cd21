/** The reading node over the real `s7 endpoint` node and a simulated CPU on TCP. */
import assert from 'node:assert/strict';
import { after, test, type TestContext } from 'node:test';
import type { S7Endpoint } from '@st-one-io/nodes7';
import { S7_BATCH_RECORD, writeSlot, type SlotRecord } from '../../examples/plant/plc/batch-memory';
import { startS7Server, type S7Server } from '../../examples/plant/plc/s7-server';
import type { S7EndpointNode } from '../../nodes/lib/node-red/config-nodes';
import { LAYOUT_PRESETS } from '../../nodes/lib/plc/slot-layout';
import type { SlotReading } from '../../nodes/lib/plc/slot-guards';
import {
  eventually,
  type FlowNode,
  type NodeRed,
  silos,
  sink,
  startFlow,
  stopHelper,
  TO_SINK,
} from '../support/node-red';

after(stopHelper);

const DB = 100;
const SLOTS = 4;
const { fields, stride } = LAYOUT_PRESETS['S7 batch record'];
const reader: FlowNode = {
  ...{
    id: 'read',
    type: 'plc-consumption-read',
    name: 'read',
    endpoint: 'plc',
    silos: 'silos',
    db: String(DB),
    base: '0',
  },
  ...{ stride: String(stride), slots: String(SLOTS), fields, settle: '1', timeout: '2000', maxSilo: '5000' },
  ...{ maxFinished: '10000000', moPattern: '', checkMode: false, ...TO_SINK },
};
const endpoint = (port: number): FlowNode => ({
  ...{ id: 'plc', type: 's7 endpoint', name: 'PLC', transport: 'iso-on-tcp', address: '127.0.0.1', port: String(port) },
  ...{
    rack: '0',
    slot: '1',
    connmode: 'rack-slot',
    cycletime: '0',
    timeout: '1000',
    vartable: [{ addr: 'DB100,X22.0', name: 'one' }],
  },
});

interface Plant {
  plc: S7Server;
  red: NodeRed;
  /** nodes7's endpoint of the config node. */
  s7: S7Endpoint;
  put: (slot: number, record: Partial<SlotRecord>) => void;
}

async function start(
  t: TestContext,
  { node = {}, offline = false }: { node?: object; offline?: boolean } = {},
): Promise<Plant> {
  const plc = await startS7Server({ dbs: { [DB]: 2000 } });
  // The config node's close waits for its own disconnect, which nodes7 settles only while the CPU answers.
  t.after(() => plc.stop());
  if (offline) await plc.setFault({ refuse: true });
  const red = await startFlow(t, [endpoint(plc.port), silos, { ...reader, ...node }, sink]);
  const s7 = red.node<S7EndpointNode>('plc').endpoint as S7Endpoint;
  if (!offline && !s7.isConnected) await new Promise((resolve) => s7.once('connect', resolve));
  return { plc, red, s7, put: (slot, record) => writeSlot(plc.memory(DB), S7_BATCH_RECORD, slot, record) };
}

test('a trigger passes on what every slot says, on the received message, and shows how much', async (t) => {
  const { red, put } = await start(t);
  put(1, { mo_id: 'WH/MO/00001', consumption: { silo_a: 600.3 }, status_operation: true });
  put(3, {
    mo_id: 'WH/MO/00003',
    consumption: { silo_b: 12 },
    actual_weight_quantity_finished_goods: 1000,
    status_manufacturing: true,
  });
  const { out, error } = await red.send('read', { payload: 0, topic: 'kept' });
  assert.equal(error, undefined);
  assert.deepEqual(out[1], []);
  const { payload, topic } = out[0]?.[0] as { payload: SlotReading[]; topic: string };
  assert.equal(topic, 'kept');
  assert.deepEqual(
    payload.map(({ slot, mo_id, status_manufacturing, consumption }) => [
      slot,
      mo_id,
      status_manufacturing,
      consumption.silo_a,
      consumption.silo_b,
    ]),
    [
      [1, 'WH/MO/00001', false, 600.3, 0],
      [3, 'WH/MO/00003', true, 0, 12],
    ],
  );
  assert.equal(red.status('read').fill, 'green');
  assert.match(red.status('read').text ?? '', /^2 batches · /);
});

test('an implausible slot leaves by the second output with its reasons, is logged and shown; the others go on', async (t) => {
  const { red, put } = await start(t);
  put(1, { mo_id: 'WH/MO/00001', consumption: { silo_a: NaN } });
  put(2, { mo_id: 'WH/MO/00002', consumption: { silo_a: 1 } });
  const { out } = await red.send('read');
  assert.deepEqual(
    (out[0]?.[0]?.payload as SlotReading[]).map(({ slot }) => slot),
    [2],
  );
  const [rejection] = out[1]?.[0]?.payload as { slot: number; mo_id: string }[];
  assert.deepEqual([rejection?.slot, rejection?.mo_id], [1, 'WH/MO/00001']);
  assert.match((await red.logs(/rejected/)).text, /reading of slot 1 \(MO WH\/MO\/00001\) rejected: silo_a = NaN/);
  assert.match(red.status('read').text ?? '', /1 batches, 1 rejected/);
  assert.equal(red.status('read').fill, 'yellow');
});

test('a MO id that fills its field goes on, and that it may be cut is said once', async (t) => {
  const { red, put } = await start(t);
  put(1, { mo_id: 'JBG/MO/2026/00000012', consumption: { silo_a: 1 } });
  put(2, { mo_id: 'JBG/MO/2026/0000012', consumption: { silo_a: 1 } });
  for (let read = 0; read < 2; read += 1) {
    const { out } = await red.send('read');
    assert.equal((out[0]?.[0]?.payload as SlotReading[]).length, 2);
  }
  const told = red.logged('warn').filter(({ id }) => id === 'read');
  assert.equal(told.length, 1);
  assert.match(told[0]?.text ?? '', /slot 1: MO JBG\/MO\/2026\/00000012 fills its field of 20 characters/);
});

test('a weighed slot without a number is told when it changes, and shown for as long as it stands there', async (t) => {
  const { red, put } = await start(t);
  put(2, { mo_id: '', consumption: { silo_a: 825.5 }, status_manufacturing: true });
  const { out } = await red.send('read');
  const [rejection] = out[1]?.[0]?.payload as { slot: number; mo_id: null; problems: { problem: string }[] }[];
  assert.deepEqual([rejection?.slot, rejection?.mo_id], [2, null]);
  assert.match(rejection?.problems[0]?.problem ?? '', /is blank, but the slot says complete and holds 825.5 kg/);
  assert.deepEqual((await red.send('read')).out[1], []);
  assert.match(red.status('read').text ?? '', /0 batches, 1 rejected/);
  assert.equal(red.logged('warn').filter(({ id }) => id === 'read').length, 1);
});

test("before a store, weights without a number after a start are the store's to judge, also behind other nodes", async (t) => {
  const plc = await startS7Server({ dbs: { [DB]: 2000 } });
  t.after(() => plc.stop());
  const flow = [
    ...[endpoint(plc.port), silos, sink],
    { ...reader, wires: [['between'], ['rejected']] },
    { id: 'between', type: 'helper', wires: [['save', 'between']] },
    { id: 'save', type: 'mo-batch-store', operation: 'record', wires: [[], []] },
    { id: 'rejected', type: 'helper' },
  ];
  const red = await startFlow(t, flow);
  const s7 = red.node<S7EndpointNode>('plc').endpoint as S7Endpoint;
  if (!s7.isConnected) await new Promise((resolve) => s7.once('connect', resolve));
  writeSlot(plc.memory(DB), S7_BATCH_RECORD, 1, { mo_id: '', consumption: { silo_a: 825.5 } });
  const [saved, rejected]: [object[], object[]] = [[], []];
  red.node('between').on('input', (msg) => void saved.push(msg));
  red.node('rejected').on('input', (msg) => void rejected.push(msg));
  await red.send('read');
  await eventually('the readings', () => saved.length > 0);
  const { read } = saved[0] as { read: { unnamed: { slot: number; consumption: object }[]; emptied: number[] } };
  assert.deepEqual(
    read.unnamed.map(({ slot }) => slot),
    [1],
  );
  assert.deepEqual([read.emptied, rejected], [[1, 2, 3, 4], []]);
});

test('weights at rest count as 0 within the zero band of the dialog', async (t) => {
  const { red, put } = await start(t, { node: { zeroBand: '0.25' } });
  put(1, { mo_id: 'WH/MO/00001', consumption: { silo_a: -0.2, silo_b: 12.5 } });
  const { out } = await red.send('read');
  const [reading] = out[0]?.[0]?.payload as SlotReading[];
  assert.deepEqual([reading?.consumption.silo_a, reading?.consumption.silo_b], [0, 12.5]);
});

test('a completion that was gone at the second read goes on as running, and its kg are told', async (t) => {
  const { red, plc, put } = await start(t);
  put(1, { mo_id: 'WH/MO/00001', consumption: { silo_a: 800 } });
  await red.send('read');
  put(1, { consumption: { silo_a: 825.5 }, status_manufacturing: true });
  let reads = 0;
  plc.onRead((_db, first) => {
    if (first === 0 && (reads += 1) === 2) put(1, { mo_id: 'WH/MO/00002' });
  });
  const { out } = await red.send('read');
  const { payload, read } = out[0]?.[0] as { payload: SlotReading[]; read: { source: string; emptied: number[] } };
  assert.deepEqual(
    payload.map(({ mo_id, status_manufacturing, seen_once, source }) => [
      mo_id,
      status_manufacturing,
      seen_once,
      source,
    ]),
    [['WH/MO/00001', false, true, 'plc/DB100']],
  );
  assert.deepEqual([read.source, read.emptied], ['plc/DB100', [2, 3, 4]]);
  assert.match((await red.logs(/settle time/)).text, /slot 1, MO WH\/MO\/00001: complete with 825.5 kg in the silos/);
});

test('many read nodes on one endpoint raise no warning of a leak', async (t) => {
  const warnings: Error[] = [];
  const onWarning = (warning: Error): void => void warnings.push(warning);
  process.on('warning', onWarning);
  t.after(() => process.off('warning', onWarning));
  const plc = await startS7Server({ dbs: { [DB]: 2000 } });
  t.after(() => plc.stop());
  const ids = Array.from({ length: 12 }, (_, n) => `read ${n + 1}`);
  const red = await startFlow(t, [endpoint(plc.port), silos, ...ids.map((id) => ({ ...reader, id })), sink]);
  const s7 = red.node<S7EndpointNode>('plc').endpoint as S7Endpoint;
  if (!s7.isConnected) await new Promise((resolve) => s7.once('connect', resolve));
  for (const id of ids) assert.equal((await red.send(id)).error, undefined);
  assert.deepEqual(warnings, []);
});

test('a trigger that arrives while a read runs is skipped, and that is said', async (t) => {
  const { red, plc } = await start(t);
  await plc.setFault({ delayMs: 50 });
  const [first, second] = await Promise.all([red.send('read'), red.send('read')]);
  assert.equal(first.out[0]?.length, 1);
  assert.deepEqual(second, { error: undefined, out: [[], []] });
  assert.match(red.logged('warn').find(({ id }) => id === 'read')?.text ?? '', /skipped/);
});

test('a PLC that was never there is shown without a trigger; reads fail with what to check, and go on by themselves', async (t) => {
  const { red, plc, s7 } = await start(t, { offline: true });
  await red.shows('read', /red: PLC not connected/);
  const { error } = await red.send('read');
  assert.match(error?.message ?? '', /PLC: offline .*Check power and cable/);
  assert.equal(red.status('read').fill, 'red');
  await plc.clearFaults();
  if (!s7.isConnected) await new Promise((resolve) => s7.once('connect', resolve));
  assert.equal(red.status('read').fill, 'grey');
  assert.equal((await red.send('read')).error, undefined);
  const told = red.logged().filter(({ id, level }) => id === 'read' && (level === 'info' || level === 'error'));
  // Besides the failed message, once each: the loss and the return.
  assert.equal(told.filter(({ text }) => text === 'PLC not connected').length, 1);
  assert.equal(told.filter(({ text }) => text === 'PLC connected again').length, 1);
});

test('a data block that does not exist is named, with the place to look in TIA Portal', async (t) => {
  const { red } = await start(t, { node: { db: '7' } });
  const { error, out } = await red.send('read');
  assert.match(error?.message ?? '', /DB7 does not exist.*TIA Portal/s);
  assert.deepEqual(out, [[], []]);
  assert.equal(red.status('read').fill, 'red');
});

test('a missing endpoint, an endpoint that is not configured and a wrong layout are named in status and errors', async (t) => {
  const plc = await startS7Server({ dbs: { [DB]: 2000 } });
  t.after(() => plc.stop());
  const flow = [
    endpoint(plc.port),
    silos,
    { ...reader, id: 'no-plc', endpoint: '' },
    { ...reader, id: 'too-short', stride: '10' },
    {
      id: 'bad-silos',
      type: 'silo-map',
      name: 'Silos',
      silos: [{ tag: 'Silo_Z', code: 'silo101', label: '', enabled: true }],
    },
    { ...reader, id: 'silo', silos: 'bad-silos' },
    sink,
  ];
  const red = await startFlow(t, flow);
  for (const [id, what] of [
    ['no-plc', /no PLC chosen/],
    ['too-short', /slot layout is not valid: .*silo_a/],
    ['silo', /Silo_Z/],
  ] as const) {
    assert.equal(red.status(id).fill, 'red', id);
    assert.match((await red.send(id)).error?.message ?? '', what);
  }
  const s7 = red.node<S7EndpointNode>('plc').endpoint as S7Endpoint;
  if (!s7.isConnected) await new Promise((resolve) => s7.once('connect', resolve));
});

test('closing while the CPU hangs ends at once, with an error for the message and no listener left on the endpoint', async (t) => {
  const { red, plc, s7 } = await start(t);
  const events = ['connect', 'disconnect', 'error'];
  const counts = (): number[] => events.map((event) => s7.listenerCount(event));
  await plc.setFault({ delayMs: 60_000 });
  const ended = red.send('read');
  await red.shows('read', /blue: working/);
  const before = counts();
  await red.node('read').close(false);
  assert.match((await ended).error?.message ?? '', /closed while it worked/);
  assert.deepEqual(
    counts().map((count, n) => (before[n] ?? 0) - count > 0),
    events.map(() => true),
  );
  // What is left belongs to the config node.
  assert.deepEqual(counts(), [1, 1, 1]);
  await plc.clearFaults();
});
