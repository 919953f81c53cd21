/** Every operation of the store node on a real PostgreSQL. */
import assert from 'node:assert/strict';
import { after, test, type TestContext } from 'node:test';
import { type ConnectionData, queryOnce, testDatabase } from '../support/cluster';
import {
  database,
  databaseLogin,
  type FlowNode,
  type Message,
  type NodeRed,
  sink,
  startFlow,
  stopHelper,
  TO_SINK,
} from '../support/node-red';
import { timePasses } from '../support/time';

after(stopHelper);

interface Row {
  mo_id: string;
  id: string;
  outcome?: string;
  state?: string;
  set_aside_reason?: string;
}

const OPERATIONS = [
  'summary',
  'enqueue',
  'set-aside',
  'record',
  'due',
  'completed',
  'unread',
  'unqueued',
  'retry',
  'trail',
  'accept',
  'discard',
];
const store = (operation: string, more: object = {}): FlowNode => ({
  ...{ id: operation, type: 'mo-batch-store', name: operation, database: 'db', operation, line: '' },
  ...{ limit: '1000', limitType: 'num', ...TO_SINK },
  ...more,
});
const order = (n: number): object => ({
  ...{ mo_id: `WH/MO/0000${n}`, consumption: 2500, equipment_id_batch: 'PLC01', finished_goods: 'JF PLUS' },
  ...{ component_silo_a_name: 'Pollard', consumption_silo_a: 825 },
});
const reading = (n: number, silo_a: number, more: object = {}): object => ({
  ...{ slot: n, mo_id: `WH/MO/0000${n}`, status_manufacturing: false, status_operation: true },
  ...{ actual_weight_quantity_finished_goods: null, consumption: { silo_a }, ...more },
});

async function start(
  t: TestContext,
  more: object = {},
): Promise<{ red: NodeRed; address: ConnectionData; ask: (operation: string, msg?: Message) => Promise<Row[]> }> {
  const address = await testDatabase();
  const red = await startFlow(
    t,
    [database(address), ...OPERATIONS.map((operation) => store(operation, more)), sink],
    databaseLogin(address),
  );
  // Before the database goes: its node shall not see it go.
  t.after(() => red.stop().then(() => address.drop()));
  const ask = async (operation: string, msg: Message = {}): Promise<Row[]> => {
    const { error, out } = await red.send(operation, msg);
    assert.equal(error, undefined);
    return out[0]?.[0]?.payload as Row[];
  };
  return { red, address, ask };
}

test('orders are queued once, up to the limit, and their notes are logged', async (t) => {
  const { red, ask } = await start(t, { limit: 'at_most', limitType: 'msg' });
  const payload = [{ ...order(1), notes: ['Pollard has no plan'] }, order(2), order(3)];
  const queued = await ask('enqueue', { payload, at_most: 2 });
  assert.deepEqual(
    queued.map(({ mo_id }) => mo_id),
    ['WH/MO/00001', 'WH/MO/00002'],
  );
  assert.equal((await ask('enqueue', { payload, at_most: 2 })).length, 1);
  assert.deepEqual(await ask('enqueue', { payload, at_most: 2 }), []);
  assert.equal(red.status('enqueue').fill, 'grey');
  assert.match(red.status('enqueue').text ?? '', /^0 queued · /);
  assert.match((await red.logs(/Pollard/)).text, /MO WH\/MO\/00001: Pollard has no plan/);
  for (const at_most of [0, 'many', 1.5, undefined]) {
    const { error } = await red.send('enqueue', { payload, at_most });
    assert.match(error?.message ?? '', /has to be a whole number from 1/);
  }
});

test('the summary counts the queue by state, and turns red when something is set aside', async (t) => {
  const { red, ask } = await start(t);
  await ask('enqueue', { payload: [order(1), order(2)] });
  await ask('record', { payload: [reading(1, 10)] });
  const summary = (await ask('summary')) as unknown as { queue: number; states: Record<string, number> };
  assert.deepEqual([summary.queue, summary.states.queued, summary.states.running], [2, 1, 1]);
  assert.match(red.status('summary').text ?? '', /^queue 2 · /);
  const aside = await ask('set-aside', { payload: [{ mo_id: 'WH/MO/00002', reason: 'cancelled in Odoo' }] });
  assert.deepEqual(
    aside.map(({ mo_id, set_aside_reason }) => [mo_id, set_aside_reason]),
    [['WH/MO/00002', 'cancelled in Odoo']],
  );
  assert.match((await red.logs(/set aside/)).text, /MO WH\/MO\/00002 set aside: cancelled in Odoo/);
  await ask('summary');
  assert.equal(red.status('summary').fill, 'red');
  assert.match(red.status('summary').text ?? '', /^queue 1, 1 set aside · /);
});

test('readings are saved and logged; held ones leave by the second output, and are told once', async (t) => {
  const { red, address, ask } = await start(t);
  await ask('enqueue', { payload: [order(1), order(2)] });
  const res = {};
  const final = reading(2, 20, { status_manufacturing: true, actual_weight_quantity_finished_goods: 1000 });
  const { out } = await red.send('record', { payload: [reading(1, 600.3), final, reading(9, 5)], res });
  assert.equal(out[0]?.[0]?.res, res);
  const outcomes = (message?: { payload?: unknown }): unknown =>
    (message?.payload as Row[]).map(({ mo_id, outcome }) => [mo_id, outcome]);
  assert.deepEqual(outcomes(out[0]?.[0]), [
    ['WH/MO/00001', 'recorded'],
    ['WH/MO/00002', 'recorded'],
    ['WH/MO/00009', 'held'],
  ]);
  assert.deepEqual(outcomes(out[1]?.[0]), [['WH/MO/00009', 'held']]);
  assert.match(red.status('record').text ?? '', /2 of 3 saved, 1 held or refused/);
  assert.equal(red.status('record').fill, 'yellow');
  await red.logs(/1 consumption entries saved for MO WH\/MO\/00001/);

  const later = reading(2, 21, { status_manufacturing: true, actual_weight_quantity_finished_goods: 1000 });
  for (let n = 0; n < 2; n += 1) await red.send('record', { payload: [later, reading(9, 5)] });
  const told = red
    .logged()
    .filter(({ id }) => id === 'record')
    .map(({ level, text }) => `${level} ${text}`);
  assert.equal(told.filter((line) => line === 'info skipped: MO WH/MO/00002 already completed').length, 1);
  assert.equal(
    told.filter((line) => /warn MO WH\/MO\/00009 is not in the queue: its reading \(slot 9\) is held/.test(line))
      .length,
    1,
  );
  const sql = `SELECT actual_consumption_silo_a AS a FROM mo_batch ORDER BY mo_id`;
  assert.deepEqual(await queryOnce(address, sql), [{ a: 600.3 }, { a: 20 }]);
});

test('wrong readings leave by the second output with their problems, told once; the others are saved', async (t) => {
  const { red, ask, address } = await start(t);
  await ask('enqueue', { payload: [order(1), order(2)] });
  type Refused = Row & { slot?: unknown; problems?: { field: string; problem: string }[] };
  for (const [n, [wrong, field]] of (
    [
      [{ ...reading(3, 1), consumption: { 'silo z': 1 } }, 'consumption.silo z'],
      [reading(3, -1), 'consumption.silo_a'],
      [reading(3, 1, { mo_id: '' }), 'mo_id'],
      [null, '(message)'],
    ] as const
  ).entries()) {
    for (let times = 0; times < 2; times += 1) {
      const { error, out } = await red.send('record', { payload: [reading(1, 10 + n), wrong] });
      assert.equal(error, undefined);
      const [taken, apart] = out.map(([message]) => message?.payload as Refused[]);
      assert.deepEqual(
        taken?.map(({ mo_id, outcome }) => [mo_id, outcome]),
        [['WH/MO/00001', times === 0 ? 'recorded' : 'unchanged']],
      );
      assert.deepEqual(
        apart?.map(({ slot, outcome, problems }) => [slot, outcome, problems?.[0]?.field]),
        [[wrong ? 3 : undefined, 'refused', field]],
      );
    }
    const told = red.logged().filter(({ level, text }) => level === 'warn' && text.includes(`reading 2: ${field}`));
    assert.equal(told.length, 1, field);
  }
  const { out } = await red.send('record', { payload: [reading(1, 50), reading(2, 20), reading(1, 51)] });
  assert.deepEqual(
    (out[1]?.[0]?.payload as Refused[]).map(({ mo_id, problems }) => [mo_id, problems?.[0]?.problem]),
    [0, 1].map(() => ['WH/MO/00001', 'WH/MO/00001 stands twice']),
  );
  const sql = `SELECT actual_consumption_silo_a AS a FROM mo_batch ORDER BY mo_id`;
  assert.deepEqual(await queryOnce(address, sql), [{ a: 13 }, { a: 20 }]);
});

test('a message without a list of readings is an error: it was wired wrongly', async (t) => {
  const { red } = await start(t);
  for (const payload of [undefined, 'text', 7]) {
    const { error, out } = await red.send('record', { payload });
    assert.match(error?.message ?? '', /msg\.payload has to be readings/);
    assert.deepEqual(out, [[], []]);
    assert.equal(red.status('record').fill, 'red');
  }
});

test('held orders are named for the fetch when they are to be asked for; otherwise nothing goes out', async (t) => {
  const { red, ask } = await start(t);
  await ask('record', { payload: [reading(1, 10), reading(2, 20)] });
  const { out } = await red.send('unqueued', { payload: 0, topic: 'kept' });
  assert.deepEqual(out[0]?.[0]?.mo_id, ['WH/MO/00001', 'WH/MO/00002']);
  assert.equal(out[0]?.[0]?.topic, 'kept');
  assert.match(red.status('unqueued').text ?? '', /^2 to ask for · /);
  const { out: silent, error } = await red.send('unqueued', { mo_id: 'WH/MO/00009' });
  assert.equal(error, undefined);
  assert.deepEqual(silent.flat().filter(Boolean), [], 'a fetch without a name would fetch every order');
  assert.deepEqual([red.status('unqueued').fill, red.status('unqueued').text?.slice(0, 12)], ['grey', '0 to ask for']);
});

test('due, completed and unread batches are listed, and a retry makes what waits due at once', async (t) => {
  const { red, address, ask } = await start(t);
  const names = (rows: Row[]): string[] => rows.map(({ mo_id }) => mo_id);
  await ask('enqueue', { payload: [order(1), order(2), order(3)] });
  await ask('record', {
    payload: [reading(1, 10), reading(2, 20, { status_manufacturing: true, actual_weight_quantity_finished_goods: 9 })],
  });
  assert.deepEqual(names(await ask('due')), ['WH/MO/00001', 'WH/MO/00002']);
  assert.deepEqual(names(await ask('completed')), ['WH/MO/00002']);
  assert.deepEqual(names(await ask('unread')), ['WH/MO/00003']);
  assert.match(red.status('due').text ?? '', /^2 batches · /);
  await queryOnce(address, `UPDATE mo_batch SET next_attempt_at = now() + interval '1 hour'`);
  assert.deepEqual(await ask('due'), []);
  assert.equal(red.status('due').fill, 'grey');
  assert.deepEqual(names(await ask('retry', { mo_id: 'WH/MO/00001' })), ['WH/MO/00001']);
  assert.deepEqual(names(await ask('due')), ['WH/MO/00001']);
  assert.equal((await ask('retry')).length, 2);
  assert.match(red.status('retry').text ?? '', /^2 due now/);
});

test('the trail of an order tells what happened to it, and asks for an order', async (t) => {
  const { red, ask } = await start(t);
  await ask('enqueue', { payload: [order(1)] });
  await ask('record', { payload: [reading(1, 10)] });
  const trail = (await ask('trail', { mo_id: ' WH/MO/00001 ' })) as unknown as {
    batch: Row;
    events: { kind: string }[];
  };
  assert.equal(trail.batch.state, 'running');
  assert.deepEqual(
    trail.events.map(({ kind }) => kind),
    ['queued', 'changed'],
  );
  assert.match(red.status('trail').text ?? '', /^WH\/MO\/00001: 2 events$/);
  assert.match((await red.send('trail')).error?.message ?? '', /no order named: set msg\.mo_id/);
});

test('one order that the table has no room for is refused by name, and the others of its message are queued', async (t) => {
  const { red } = await start(t);
  const bad = [
    { ...order(1), mo_id: `WH/MO/${'0'.repeat(59)}` },
    { ...order(2), consumption: 1e16 },
    { ...order(3), finished_goods: 'JF\u0000PLUS' },
    { ...order(4), component_silo_a_name: 'cut \ud83d' },
    { ...order(5), consumption_silo_a: NaN },
    { ...order(6), equipment_id_batch: 'P'.repeat(65) },
    null,
  ];
  const payload = [
    ...bad,
    order(7),
    { ...order(8), notes: ['no\u0000te'], more: '\u0000' },
    { ...order(9), mo_id: 'PT Ma/MO/00009' },
  ];
  const { out, error } = await red.send('enqueue', {
    payload,
    refused: [{ mo_id: 'WH/MO/00099', reason: 'not in kg' }],
  });
  assert.equal(error, undefined);
  const names = (list: unknown): string[] => (list as { mo_id: string }[]).map(({ mo_id }) => mo_id);
  assert.deepEqual(names(out[0]?.[0]?.payload), ['WH/MO/00007', 'WH/MO/00008', 'PT Ma/MO/00009']);
  assert.deepEqual(names(out[0]?.[0]?.refused), ['WH/MO/00099', ...bad.map((one) => one?.mo_id ?? '')]);
  assert.match(red.status('enqueue').text ?? '', /^3 queued, 7 refused/);
  assert.equal(red.status('enqueue').fill, 'yellow');
  assert.match((await red.logs(/WH\/MO\/00002 is not queued/)).text, /consumption is 10000000000000000/);
});

test('orders that are none are refused with what the payload has to be', async (t) => {
  const { red } = await start(t);
  for (const operation of ['enqueue', 'set-aside']) {
    for (const payload of [1763755200000, undefined, [null], [{ id: 1 }], 'WH/MO/00001']) {
      const { error } = await red.send(operation, { payload });
      assert.match(error?.message ?? '', /msg\.payload has to be orders, each with its mo_id/);
    }
  }
});

test('messages that arrive together are all worked on, in order', async (t) => {
  const { red, ask } = await start(t);
  await ask('enqueue', { payload: [order(1)] });
  const ended = await Promise.all([1, 2, 3, 4].map((kg) => red.send('record', { payload: reading(1, kg) })));
  assert.deepEqual(
    ended.map(({ out }) => (out[0]?.[0]?.payload as Row[])[0]?.outcome),
    Array(4).fill('recorded'),
  );
  assert.equal(red.dones('record'), 4);
});

test('a missing database node and missing credentials are named in the status and in every error', async (t) => {
  const address = await testDatabase();
  t.after(() => address.drop());
  const red = await startFlow(t, [database(address), store('due'), store('summary', { database: 'gone' }), sink]);
  for (const [id, what] of [
    ['due', /mo-database "Batches" is incomplete \(User/],
    ['summary', /no Database chosen/],
  ] as const) {
    assert.equal(red.status(id).fill, 'red');
    assert.match(red.status(id).text ?? '', what);
    assert.match((await red.send(id)).error?.message ?? '', what);
  }
});

test('readings that are too old leave by the second output; a time in the future is no obstacle', async (t) => {
  const { red, ask } = await start(t);
  await ask('enqueue', { payload: [order(1), order(2)] });
  const dated = (ms: number): object => ({ read_at: new Date(Date.now() + ms).toISOString() });
  await ask('record', { payload: [reading(1, 10)] });
  const { out } = await red.send('record', {
    payload: [reading(1, 9, dated(-60_000)), reading(2, 20, dated(3_600_000))],
  });
  const outcomes = out.map(([message]) => (message?.payload as Row[]).map(({ mo_id, outcome }) => [mo_id, outcome]));
  assert.deepEqual(outcomes, [
    [
      ['WH/MO/00001', 'older'],
      ['WH/MO/00002', 'recorded'],
    ],
    [['WH/MO/00001', 'older']],
  ]);
  assert.equal(red.status('record').fill, 'yellow');
});

test('a batch that is no longer read, and rows of a line that nobody reads, turn the summary yellow', async (t) => {
  const { red, ask, address } = await start(t, { line: 'PLC01' });
  const elsewhere = { ...order(2), equipment_id_batch: 'PLC09' };
  await ask('enqueue', { payload: [order(1), elsewhere] });
  const warned = await red.logs(/belongs to line PLC09 in Odoo, not to PLC01/);
  assert.equal(warned.level, 'warn');
  await ask('record', { payload: [reading(1, 10)] });
  await queryOnce(address, timePasses(120));
  await ask('summary');
  assert.equal(red.status('summary').fill, 'yellow');
  assert.match(red.status('summary').text ?? '', /^queue 1, 1 quiet, 1 of other lines · /);
});

test('a person accepts or discards what was kept back; where there is nothing, that is said', async (t) => {
  const { red, ask } = await start(t);
  await ask('enqueue', { payload: [order(1), order(2), order(3)] });
  const shows = (n: number): object => reading(n, 20, { slot: 1, status_manufacturing: true });
  await ask('record', { payload: [shows(1)] });
  for (const n of [2, 3]) {
    const { out } = await red.send('record', { payload: [shows(n)] });
    const [held] = out[1]?.[0]?.payload as (Row & { reason?: string; weights_of?: string })[];
    assert.deepEqual([held?.outcome, held?.reason, held?.weights_of], ['held', 'foreign-weights', 'WH/MO/00001']);
  }
  const told = await red.logs(/MO WH\/MO\/00003: slot 1 shows the weights of MO WH\/MO\/00001/);
  assert.equal(told.level, 'warn');
  const accepted = (await ask('accept', { mo_id: 'WH/MO/00002', user: 'anna' })) as unknown as { batch: Row };
  assert.equal(accepted.batch.state, 'completed');
  await ask('discard', { mo_id: 'WH/MO/00003', note: 'typed over' });
  for (const operation of ['accept', 'discard']) {
    const { error } = await red.send(operation, { mo_id: 'WH/MO/00003' });
    assert.match(error?.message ?? '', /WH\/MO\/00003: nothing of it waits for a person/);
  }
});

test('an order that was archived by hand is named once when it is left out', async (t) => {
  const { red, address, ask } = await start(t);
  await ask('summary'); // The tables are there.
  await queryOnce(address, `INSERT INTO mo_histories (mo_id, status) VALUES ('WH/MO/00001', 'failed')`);
  for (let n = 0; n < 2; n += 1) assert.deepEqual(await ask('enqueue', { payload: [order(1)] }), []);
  const told = red.logged().filter(({ text }) => /WH\/MO\/00001 was archived by hand/.test(text));
  assert.deepEqual(
    told.map(({ level }) => level),
    ['warn'],
  );
  assert.equal((await ask('enqueue', { payload: [order(1)], mo_id: 'WH/MO/00001' })).length, 1);
});
