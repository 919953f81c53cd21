/** Handing orders over to a simulated CPU, over the real `s7 endpoint` node and a real database. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { Watch } from '../../nodes/lib/store/watch';
import { ORDER_PRESETS } from '../../nodes/lib/plc/order-layout';
import { moId, order, orders, reading, row } from '../support/store';
import { RECORD } from '../support/order-memory';
import { orderPlant } from '../support/order-plant';
import { stopHelper } from '../support/node-red';

after(stopHelper);

for (const [name, layout] of Object.entries(ORDER_PRESETS))
  test(`${name}: the next orders are offered, taken, noted and their slots cleared`, async (t) => {
    const { red, store, plc, db, handOver } = await orderPlant(t, { layout, slots: 2 });
    await store.enqueue(orders(1, 3), 3);
    const { out, error } = await handOver();
    assert.equal(error, undefined);
    assert.deepEqual(
      [plc.slot(1), plc.slot(2)].map(({ number, ready, taken }) => [number, ready, taken]),
      [
        [moId(1), true, false],
        [moId(2), true, false],
      ],
    );
    assert.deepEqual(out[0]?.[0]?.payload, [
      { mo_id: moId(1), batch_no: 1, slot: 1, state: 'handed' },
      { mo_id: moId(2), batch_no: 2, slot: 2, state: 'handed' },
    ]);
    assert.match(red.status('hand').text ?? '', /^2 offered, 1 waiting$/);
    plc.take(1);
    const second = await handOver();
    assert.deepEqual(second.out[0]?.[0]?.payload, [
      { mo_id: moId(1), batch_no: 1, slot: 1, state: 'taken' },
      { mo_id: moId(3), batch_no: 3, slot: 1, state: 'handed' },
    ]);
    assert.equal(plc.slot(1).number, moId(3));
    const first = await row(db, 1);
    assert.ok(first.taken_at);
    assert.equal(first.handed_slot, null);
    const third = await handOver();
    assert.deepEqual(third.out, [[], []]);
  });

test('what does not fit is refused by name, told once, and the next order goes on', async (t) => {
  const { red, store, plc, handOver } = await orderPlant(t, { slots: 3 });
  await store.enqueue(
    [
      order(1, { mo_id: `WH/MO/${'9'.repeat(20)}` }),
      order(2, { consumption_silo_a: 5000.01 }),
      order(3, { more_consumption: { silo_x: 12 } }),
      order(4),
    ],
    4,
  );
  const { out } = await handOver();
  assert.deepEqual(
    (out[1]?.[0]?.payload as { mo_id: string; problems: { code: string; field: string }[] }[]).map(
      ({ mo_id, problems }) => [mo_id, ...problems.map(({ code, field }) => `${field}: ${code}`)],
    ),
    [
      [`WH/MO/${'9'.repeat(20)}`, 'number: too-long'],
      [moId(2), 'silo_a: above-limit'],
      [moId(3), 'silo_x: no-field'],
    ],
  );
  assert.equal(plc.slot(1).number, moId(4));
  assert.match(red.status('hand').text ?? '', /^1 offered, 3 refused$/);
  assert.deepEqual((await handOver()).out, [[], []]);
});

test('a limit of a silo of its own counts, and the text of a product is shortened', async (t) => {
  const fields = RECORD.fields.map((each) => (each.field === 'silo_a' ? { ...each, limit: '800' } : each));
  const { store, plc, handOver } = await orderPlant(t, { node: { fields } });
  await store.enqueue([order(1), order(2, { consumption_silo_a: 800, finished_goods: 'J'.repeat(99) })], 2);
  const { out } = await handOver();
  assert.equal((out[1]?.[0]?.payload as { mo_id: string }[])[0]?.mo_id, moId(1));
  assert.equal(plc.slot(1).number, moId(2));
});

test('an order that is set aside, archived, wanted back or planned anew is withdrawn, and comes again with its new plan', async (t) => {
  const { red, store, plc, db, handOver, withdraw } = await orderPlant(t, { slots: 4 });
  await store.enqueue(orders(1, 4), 4);
  await handOver();
  await db.none(`UPDATE mo_batch SET set_aside_at = now() WHERE mo_id = $1`, moId(1));
  await store.archive(await store.idsOf(moId(2)), { status: 'cancelled', note: 'by hand', line: '' } as never);
  await db.none(`UPDATE mo_batch SET consumption_silo_a = 700 WHERE mo_id = $1`, moId(3));
  const wanted = await withdraw(moId(4), 'WH/MO/77777');
  assert.deepEqual(
    wanted.out.map((list) => (list[0]?.payload as { mo_id: string }[])[0]?.mo_id),
    [moId(4), 'WH/MO/77777'],
  );
  const { out } = await handOver();
  const told = (out[0]?.[0]?.payload as { mo_id: string; state: string; slot: number }[]).map(
    ({ mo_id, state }) => `${mo_id} ${state}`,
  );
  assert.deepEqual(told, [`${moId(1)} withdrawn`, `${moId(3)} withdrawn`, `${moId(4)} withdrawn`, `${moId(3)} handed`]);
  assert.deepEqual(
    [1, 2, 3, 4].map((slot) => plc.slot(slot).number),
    [moId(3), '', '', ''],
  );
  assert.equal(plc.slot(1).siloA, 700);
  // Named, it goes once more.
  await red.send('hand', { mo_id: moId(4) });
  assert.equal(plc.slot(2).number, moId(4));
});

test('taken wins over a withdrawal', async (t) => {
  const { store, plc, db, handOver, withdraw } = await orderPlant(t, {});
  await store.enqueue(orders(1, 1), 1);
  await handOver();
  await withdraw(moId(1));
  plc.take(1);
  const { out } = await handOver();
  assert.deepEqual(
    (out[0]?.[0]?.payload as { state: string }[]).map(({ state }) => state),
    ['taken'],
  );
  assert.ok((await row(db, 1)).taken_at);
  const late = await withdraw(moId(1));
  assert.match(JSON.stringify(late.out[1]), /not-ours/);
});

test('a slot that is not ours is never written, and said', async (t) => {
  const { store, plc, handOver } = await orderPlant(t, { slots: 2 });
  await store.enqueue(orders(1, 1), 1);
  plc.put(1, { number: 'BY HAND', ready: false });
  const before = plc.bytes(1);
  const { out } = await handOver();
  assert.ok(plc.bytes(1).equals(before));
  assert.equal(plc.slot(2).number, moId(1));
  const [foreign] = out[1]?.[0]?.payload as { mo_id: string; slot: number; problems: { code: string }[] }[];
  assert.deepEqual([foreign?.mo_id, foreign?.slot, foreign?.problems[0]?.code], ['BY HAND', 1, 'foreign']);
});

test('what went missing after it was offered is for a person: withdrawn, it goes again', async (t) => {
  const { red, store, plc, handOver, withdraw } = await orderPlant(t, {});
  await store.enqueue(orders(1, 1), 1);
  await handOver();
  plc.put(1, { number: moId(1), ready: false });
  const { out } = await handOver();
  assert.match(JSON.stringify(out[1]), /ready-gone/);
  assert.equal(plc.slot(1).ready, false);
  await withdraw(moId(1));
  await handOver();
  assert.equal(plc.slot(1).number, '');
  await red.send('hand', { mo_id: moId(1) });
  assert.deepEqual([plc.slot(1).number, plc.slot(1).ready], [moId(1), true]);
});

test('a reading of an order counts as taken', async (t) => {
  const { store, plc, db, handOver } = await orderPlant(t, {});
  await store.enqueue(orders(1, 1), 1);
  await handOver();
  await store.record([reading(1, { silo_a: 1 }, 1)]);
  await handOver();
  assert.deepEqual([plc.slot(1).number, (await row(db, 1)).handed_slot], ['', null]);
});

for (const clearing of ['bridge', 'plc'])
  test(`old content after a restart, cleared by the ${clearing}: an order that is no longer open gets ready 0 at once`, async (t) => {
    const { store, plc, handOver } = await orderPlant(t, { node: { clearing } });
    await store.enqueue(orders(1, 1), 1);
    await handOver();
    const old = plc.bytes(1);
    plc.take(1);
    await handOver();
    if (clearing === 'plc') plc.put(1, { number: '', ready: false });
    await handOver();
    plc.restore(1, old);
    await handOver();
    assert.equal(plc.slot(1).ready, false);
  });

test('old content over the next order that was offered already: ready 0 at once, and a person is asked for that next one', async (t) => {
  const { store, plc, handOver } = await orderPlant(t, { slots: 1 });
  await store.enqueue(orders(1, 2), 2);
  await handOver();
  const old = plc.bytes(1);
  plc.take(1);
  await handOver();
  assert.deepEqual([plc.slot(1).number, plc.slot(1).ready], [moId(2), true]);
  plc.restore(1, old);
  const { out } = await handOver();
  assert.deepEqual([plc.slot(1).number, plc.slot(1).ready], [moId(1), false]);
  assert.match(JSON.stringify(out[1]), /ready-gone/);
});

test('a CPU in STOP and one that does not permit PUT get nothing, and are named', async (t) => {
  const { store, plc, db, server, handOver } = await orderPlant(t, {});
  await store.enqueue(orders(1, 1), 1);
  await server.setFault({ stop: true });
  assert.match(String((await handOver()).error), /STOP/);
  assert.equal(plc.slot(1).number, '');
  await server.setFault({ stop: false, denyService: true });
  assert.match(String((await handOver()).error), /PUT\/GET/);
  await server.clearFaults();
  await handOver();
  assert.deepEqual([plc.slot(1).number, plc.slot(1).ready], [moId(1), true]);
  assert.equal((await row(db, 1)).handed_slot, 1);
});

test('without taken or an echo the node refuses to work, and says why', async (t) => {
  const fields = RECORD.fields.filter(({ field }) => !['taken', 'echo'].includes(field));
  const { red, handOver } = await orderPlant(t, { node: { fields } });
  assert.equal(red.status('hand').fill, 'red');
  const { error } = await handOver();
  assert.match(
    String(error),
    /neither a row for “taken” nor one for an echo: nobody could know what the PLC has taken/,
  );
});

test('handed and taken are states of the queue, told on the audit trail, and an order that is not taken is an alarm', async (t) => {
  const { store, plc, db, handOver } = await orderPlant(t, { slots: 2 });
  await store.enqueue(orders(1, 3), 3);
  await handOver();
  plc.take(1);
  await handOver();
  const { states } = await store.summary();
  assert.deepEqual([states.taken, states.handed, states.queued], [1, 2, 0]);
  const limits = { stalled: 15, unread: 1_000, unconfirmed: 30, handed: 10 };
  const watch = new Watch(db);
  assert.equal((await watch.news('w', limits)).open, 0);
  await db.none(`UPDATE mo_batch SET ready_at = now() - interval '11 minutes' WHERE mo_id = $1`, moId(2));
  const { news } = await watch.news('w', limits);
  assert.deepEqual(
    news.map(({ kind, mo_id, slot, state }) => [kind, mo_id, slot, state]),
    [['not-taken', moId(2), 2, 'begin']],
  );
  plc.take(2);
  await handOver();
  assert.deepEqual(
    (await watch.news('w', limits)).news.map(({ kind, state }) => [kind, state]),
    [['not-taken', 'end']],
  );
  const kinds = await db.map(
    `SELECT kind FROM mo_events WHERE mo_id = $1 ORDER BY id`,
    moId(1),
    ({ kind }: { kind: string }) => kind,
  );
  assert.deepEqual(kinds, ['queued', 'handed', 'offered', 'taken']);
});

test('an order that a slot shows and nobody handed to the line is flagged once, where orders are handed down', async (t) => {
  const { red, store, plc, handOver } = await orderPlant(t, { slots: 1 });
  await store.enqueue(orders(1, 2), 2);
  await red.send('save', { payload: [reading(2, { silo_a: 1 }, 1)] });
  assert.deepEqual(
    red.logged('warn').filter(({ text }) => /never handed/.test(text)),
    [],
  );
  await handOver();
  plc.take(1);
  await handOver();
  const shows = [reading(1, { silo_a: 1 }, 2), reading(2, { silo_a: 2 }, 2), reading(77, { silo_a: 3 }, 2)];
  await red.send('save', { payload: shows });
  await red.send('save', { payload: shows });
  assert.deepEqual(
    red
      .logged('warn')
      .flatMap(({ text }) => /^MO (\S+) stands in slot (\d+), but was never handed/.exec(text)?.slice(1) ?? []),
    [moId(2), '2', moId(77), '77'],
  );
});
