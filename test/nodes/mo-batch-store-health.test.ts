/** The store node's alarms, with faults of the simulated plant; time passes by making what is stored older. */
import assert from 'node:assert/strict';
import { after, test, type TestContext } from 'node:test';
import type { S7Endpoint } from '@st-one-io/nodes7';
import { S7_BATCH_RECORD, type SlotRecord, writeSlot } from '../../examples/plant/plc/batch-memory';
import { startS7Server } from '../../examples/plant/plc/s7-server';
import type { S7EndpointNode } from '../../nodes/lib/node-red/config-nodes';
import { LAYOUT_PRESETS } from '../../nodes/lib/plc/slot-layout';
import { type ConnectionData, queryOnce, testDatabase } from '../support/cluster';
import { push, startCycle } from '../support/cycle';
import {
  database,
  databaseLogin,
  type FlowNode,
  type NodeRed,
  silos,
  sink,
  startFlow,
  stopHelper,
  TO_SINK,
} from '../support/node-red';
import { timePasses } from '../support/time';

after(stopHelper);

interface Told {
  topic: string;
  payload: string;
  alarm: Record<string, unknown>;
}

const store = (id: string, more: object = {}): FlowNode => ({
  ...{ id, type: 'mo-batch-store', name: id, database: 'db', operation: id, line: '' },
  ...{ limit: '1000', limitType: 'num', ...TO_SINK, ...more },
});
const health = (more: object = {}): FlowNode => store('health', { stalled: 15, unread: 15, unconfirmed: 30, ...more });
const order = (n: number): object => ({
  ...{ mo_id: `WH/MO/0000${n}`, consumption: 100, equipment_id_batch: 'PLC01', consumption_silo_a: 100 },
});

/** What a look at the alarms tells. */
async function look(red: NodeRed, id = 'health'): Promise<Told[]> {
  const { error, out } = await red.send(id, { payload: 0, topic: '' });
  assert.equal(error, undefined);
  return (out[0] ?? []) as unknown as Told[];
}
const brief = (told: Told[]): unknown[] => told.map(({ alarm: { state, kind, mo_id } }) => [state, kind, mo_id]);

/** A flow on a database that outlives it, so that it can be started again. */
async function plantDatabase(t: TestContext) {
  const address = await testDatabase();
  const flows: NodeRed[] = [];
  t.after(async () => {
    for (const red of flows) await red.stop();
    await address.drop();
  });
  return {
    address,
    start: async (...nodes: FlowNode[]): Promise<NodeRed> => {
      const red = await startFlow(t, [database(address), ...nodes, sink], databaseLogin(address));
      flows.push(red);
      return red;
    },
    passes: (minutes: number): Promise<unknown> => passes(address, minutes),
  };
}
const passes = (address: ConnectionData, minutes: number): Promise<unknown> => queryOnce(address, timePasses(minutes));

test('an Odoo that is down for 20 minutes is told once per batch, although its values change all the time, and once when it is over', async (t) => {
  const { odoo, red, ask, queue, address } = await startCycle(t, [push(), health({ unconfirmed: '15' })]);
  const [A, B] = ['WH/MO/00001', 'WH/MO/00002'];
  await queue({ [A]: 1, [B]: 2 });
  let kg = 2;
  const cycle = async (): Promise<unknown[]> => {
    kg += 1;
    const reading = (mo_id: string, slot: number): object => ({
      ...{ slot, mo_id, status_manufacturing: false, status_operation: true, consumption: { silo_a: kg } },
    });
    await ask('record', { payload: [reading(A, 1), reading(B, 2)] });
    await red.send('push', { payload: await ask('due') });
    const told = await look(red);
    await passes(address, 5);
    return brief(told);
  };
  for (let n = 0; n < 6; n += 1) assert.deepEqual(await cycle(), [], 'confirmed in every cycle');
  await odoo.stop();
  for (let n = 0; n < 3; n += 1) assert.deepEqual(await cycle(), [], `down for ${n * 5} minutes`);
  assert.deepEqual(await cycle(), [
    ['begin', 'unconfirmed', A],
    ['begin', 'unconfirmed', B],
  ]);
  assert.equal(red.status('health').fill, 'red');
  assert.match(red.status('health').text ?? '', /^2 alarms · /);
  assert.deepEqual(await cycle(), []);
  await odoo.start();
  await ask('retry');
  await red.send('push', { payload: await ask('due') });
  const over = await look(red);
  assert.deepEqual(brief(over), [
    ['end', 'unconfirmed', A],
    ['end', 'unconfirmed', B],
  ]);
  assert.ok(over[0]?.alarm.ended_at);
  assert.equal(red.status('health').fill, 'green');
  assert.deepEqual(await look(red), []);
});

test('a slot that is frozen while the others go on is told with its MO, slot and line; batches that wait are not, nor is a PLC that is off', async (t) => {
  const plc = await startS7Server({ dbs: { 100: 2000 } });
  t.after(() => plc.stop());
  const { stride, fields } = LAYOUT_PRESETS['S7 batch record'];
  const { start, passes } = await plantDatabase(t);
  const red = await start(
    {
      ...{ id: 'plc', type: 's7 endpoint', name: 'PLC', transport: 'iso-on-tcp', address: '127.0.0.1' },
      ...{ port: String(plc.port), rack: '0', slot: '1', connmode: 'rack-slot', cycletime: '0', timeout: '1000' },
      vartable: [{ addr: 'DB100,X22.0', name: 'one' }],
    },
    silos,
    {
      ...{ id: 'read', type: 'plc-consumption-read', endpoint: 'plc', silos: 'silos', db: '100', base: '0', fields },
      ...{ stride, slots: 4, settle: 1, timeout: 2000, maxSilo: 5000, maxFinished: 1e7, checkMode: false, ...TO_SINK },
    },
    ...['enqueue', 'record'].map((id) => store(id, { line: 'PLC01' })),
    health(),
  );
  const s7 = red.node<S7EndpointNode>('plc').endpoint as S7Endpoint;
  const connected = async (): Promise<void> => {
    // Not by once() of node:events: every attempt in vain is an 'error' on the way.
    if (!s7.isConnected) await new Promise((resolve) => s7.once('connect', resolve));
  };
  await connected();
  const put = (slot: number, record: Partial<SlotRecord>): void =>
    writeSlot(plc.memory(100), S7_BATCH_RECORD, slot, { mo_id: `WH/MO/0000${slot}`, ...record });
  await red.send('enqueue', { payload: [1, 2, 3, 4, 5].map(order) });
  const read = async (): Promise<unknown[]> => {
    const { out, error } = await red.send('read');
    assert.equal(error, undefined);
    await red.send('record', { payload: out[0]?.[0]?.payload });
    return look(red);
  };
  // Slot 1 freezes, slot 2 goes on, slot 3 waits for its turn, order 5 has no slot yet.
  put(3, { status_operation: false });
  put(1, { status_operation: true, consumption: { silo_a: 12.5 } });
  const told: unknown[][] = [];
  for (let n = 1; n <= 4; n += 1) {
    put(2, { status_operation: true, consumption: { silo_a: n } });
    told.push(brief((await read()) as Told[]));
    await passes(5);
  }
  assert.deepEqual(told, [[], [], [], [['begin', 'stalled', 'WH/MO/00001']]]);

  // Nothing stands still for a reader that is cut off.
  await plc.setFault({ refuse: true });
  assert.ok((await red.send('read')).error);
  await passes(60);
  const cutOff = await look(red);
  assert.deepEqual(
    cutOff
      .filter(({ topic }) => topic !== 'unconfirmed')
      .map(({ alarm: { state, kind, line } }) => [state, kind, line]),
    [['begin', 'unread', 'PLC01']],
  );
  assert.match(cutOff.find(({ topic }) => topic === 'unread')?.payload ?? '', /^line PLC01: not read since 2\d{3}-/);

  await plc.clearFaults();
  await connected();
  put(1, { status_operation: true, consumption: { silo_a: 13 } });
  put(2, { status_operation: true, consumption: { silo_a: 50 } });
  const over = (await read()) as Told[];
  assert.deepEqual(brief(over).sort(), [
    ['end', 'stalled', 'WH/MO/00001'],
    ['end', 'unread', null],
  ]);
  const { since, ended_at, ...stalled } = over.find(({ topic }) => topic === 'stalled')?.alarm ?? {};
  assert.deepEqual(stalled, { kind: 'stalled', state: 'end', mo_id: 'WH/MO/00001', line: 'PLC01', slot: 1 });
  assert.ok(Date.parse(String(since)) < Date.parse(String(ended_at)));
});

test('a restart tells nothing again, and what ended meanwhile is told after it', async (t) => {
  const { address, start } = await plantDatabase(t);
  const nodes = [...['enqueue', 'set-aside', 'retry'].map((id) => store(id)), health()];
  const red = await start(...nodes);
  await red.send('enqueue', { payload: [1, 2].map(order) });
  const aside = [1, 2].map((n) => ({ mo_id: `WH/MO/0000${n}`, reason: 'cancelled in Odoo' }));
  await red.send('set-aside', { payload: aside });
  const [first, second, ...more] = await look(red);
  assert.deepEqual(more, []);
  assert.equal(first?.topic, 'set-aside');
  assert.match(
    first?.payload ?? '',
    /^MO WH\/MO\/00001, line PLC01: set aside since [-\d]+ [:\d]+: cancelled in Odoo\. Mend the cause and press retry now/,
  );
  assert.equal(second?.alarm.reason, 'cancelled in Odoo');
  await red.stop();

  const again = await start(...nodes);
  assert.deepEqual(await look(again), []);
  assert.match(again.status('health').text ?? '', /^2 alarms/);
  await again.stop();
  await queryOnce(address, `DELETE FROM mo_batch WHERE mo_id = 'WH/MO/00002'`);

  const third = await start(...nodes);
  assert.deepEqual(brief(await look(third)), [['end', 'set-aside', 'WH/MO/00002']]);
  await third.send('retry');
  const [over] = await look(third);
  assert.match(over?.payload ?? '', /^MO WH\/MO\/00001, line PLC01: over at .* retried or archived/);
  assert.deepEqual(await look(third), []);
});

test('of two nodes each looks after its own line, and keeps to its own limits', async (t) => {
  const { start, passes } = await plantDatabase(t);
  const red = await start(
    store('enqueue'),
    ...['PLC01', 'PLC02'].map((line) => store(line, { operation: 'record', line })),
    health({ line: 'PLC01' }),
    health({ id: 'patient', unread: 60 }),
  );
  for (const line of ['PLC01', 'PLC02']) await red.send(line, { payload: [] });
  await passes(20);
  assert.deepEqual(
    (await look(red)).map(({ alarm }) => alarm.line),
    ['PLC01'],
  );
  assert.deepEqual(await look(red, 'patient'), []);
  await passes(45);
  assert.deepEqual(
    (await look(red, 'patient')).map(({ alarm }) => alarm.line),
    ['PLC01', 'PLC02'],
  );
});

test('a limit that is no number of minutes is named, and nothing is told', async (t) => {
  const { start } = await plantDatabase(t);
  const wrong = ['0', '-5', 'soon', '600000'];
  const red = await start(...wrong.map((stalled) => health({ id: `at ${stalled}`, stalled })));
  for (const stalled of wrong) {
    const { error, out } = await red.send(`at ${stalled}`);
    assert.match(error?.message ?? '', /"Stands still for" is ".*": it has to be a number of minutes/);
    assert.deepEqual(out, [[], []]);
    assert.equal(red.status(`at ${stalled}`).fill, 'red');
  }
});
