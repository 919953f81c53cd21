/** Queueing, setting aside, bringing back, and what the summary says. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Batch } from '../../../nodes/lib/domain/batch';
import {
  confirmed,
  finalReading,
  finishedBatch,
  freshStore,
  leased,
  moId,
  order,
  orders,
  reading,
} from '../../support/store';
import { timePasses } from '../../support/time';

const names = (batches: Batch[]): string[] => batches.map(({ mo_id }) => mo_id);

test('orders are queued once, in their order, and the limit counts what is really new', async (t) => {
  const { store } = await freshStore(t);
  assert.deepEqual(names(await store.enqueue(orders(1, 5), 3)), [moId(1), moId(2), moId(3)]);
  assert.deepEqual(names(await store.enqueue(orders(1, 9), 3)), [moId(4), moId(5), moId(6)]);
  assert.deepEqual(await store.enqueue(orders(1, 6), 3), []);
  assert.deepEqual(names(await store.enqueue([order(8), order(7), order(8)], 10)), [moId(8), moId(7)]);
});

test('batch numbers follow the highest of queue and history of their line', async (t) => {
  const opened = await freshStore(t);
  const { store } = opened;
  const other = { equipment_id_batch: 'PLC02' };
  const first = await store.enqueue([order(1), order(2, other), order(3), order(4, { equipment_id_batch: '' })], 10);
  assert.deepEqual(
    first.map(({ mo_id, batch_no }) => [mo_id, batch_no]),
    [
      [moId(4), 1],
      [moId(1), 1],
      [moId(3), 2],
      [moId(2), 1],
    ],
  );
  await store.archive([first.find(({ mo_id }) => mo_id === moId(3))?.id ?? ''], {
    status: 'cancelled',
    note: 'stopped',
  });
  const [next] = await store.enqueue([order(5)], 1);
  assert.equal(next?.batch_no, 3);
});

test('an order archived as completed is never queued again, one archived by hand only when it is named', async (t) => {
  const opened = await freshStore(t);
  const { store } = opened;
  await store.archive([await finishedBatch(opened, 1)], { status: 'completed' });
  for (const n of [2, 3]) {
    await store.enqueue([order(n)], 1);
    await store.archive(await store.idsOf(moId(n)), { status: 'failed', note: 'scale broke' });
  }
  assert.deepEqual(await store.enqueue(orders(1, 3), 10), []);
  assert.deepEqual(await store.enqueue(orders(1, 3), 10, moId(1)), []);
  assert.deepEqual(names(await store.enqueue(orders(1, 3), 10, moId(2))), [moId(2)], 'the other one was not named');
});

test('an order without any silo, and one with names longer than their columns, are queued', async (t) => {
  const { store } = await freshStore(t);
  const bare = { mo_id: moId(1), consumption: 100, equipment_id_batch: 'PLC01', finished_goods: '' };
  const long = order(2, { finished_goods: 'x'.repeat(300), component_silo_a_name: 'y'.repeat(100) });
  const [first, second] = await store.enqueue([bare, long], 10);
  assert.deepEqual([first?.consumption_silo_a, first?.state], [null, 'queued']);
  assert.deepEqual([second?.finished_goods.length, second?.component_silo_a_name?.length], [128, 64]);
});

test('every line has its own gate and its own lists', async (t) => {
  const { store } = await freshStore(t);
  await store.enqueue([order(1), order(2, { equipment_id_batch: 'PLC02' })], 10);
  await store.record([finalReading(1, { silo_a: 1 }, 1)], 'PLC01');
  await store.record([reading(2, { silo_a: 1 }, 1), reading(3, { silo_a: 1 }, 1)], 'PLC02');
  assert.deepEqual(
    [(await store.summary('PLC01')).queue, (await store.summary('PLC02')).queue, (await store.summary()).queue],
    [1, 1, 2],
  );
  assert.deepEqual([(await store.summary('PLC01')).held.length, (await store.summary('PLC02')).held.length], [0, 1]);
  assert.deepEqual(names(await store.due(10, 'PLC02')), [moId(2)]);
  assert.deepEqual(names(await store.completed(10, 'PLC01')), [moId(1)]);
  assert.deepEqual(await store.completed(10, 'PLC02'), []);
});

test('orders closed in Odoo leave the gate before their first reading, and only then', async (t) => {
  const { store } = await freshStore(t);
  await store.enqueue(orders(1, 3), 10);
  await store.record([reading(2, { silo_a: 5 }, 1, { read_at: new Date().toISOString() })]);
  assert.deepEqual(names(await store.unread()), [moId(1), moId(3)]);
  const aside = await store.setAside([
    { mo_id: moId(1), reason: 'cancelled in Odoo' },
    { mo_id: moId(2), reason: 'cancelled in Odoo' },
  ]);
  assert.deepEqual(
    aside.map(({ mo_id, odoo_cancelled, state }) => [mo_id, odoo_cancelled, state]),
    [[moId(1), true, 'set-aside']],
  );
  const summary = await store.summary();
  assert.equal(summary.queue, 2);
  assert.deepEqual(
    summary.set_aside.map(({ mo_id, reason }) => [mo_id, reason]),
    [[moId(1), 'cancelled in Odoo']],
  );
  assert.deepEqual(names(await store.unread()), [moId(3)]);
});

test('what is set aside comes back by "retry now", one or all of a line', async (t) => {
  const { store, ledger } = await freshStore(t);
  await store.enqueue([order(1), order(2), order(3, { equipment_id_batch: 'PLC02' })], 10);
  await store.record([1, 2, 3].map((n) => reading(n, { silo_a: n }, 1)));
  for (const n of [1, 2, 3]) {
    const { batch, owner } = await leased(ledger, n);
    await ledger.settle(batch, owner, {
      conclusion: 'unknown-order',
      reason: 'not in Odoo',
      setAside: true,
      answers: [],
    });
  }
  assert.deepEqual([await store.due(10), (await store.summary()).queue], [[], 0]);
  assert.deepEqual(
    await ledger.lease({ mo_id: moId(1) }, 'push', 1000).then((taken) => 'refused' in taken && taken.refused),
    'set-aside',
  );
  assert.deepEqual(names(await store.retry(moId(2))), [moId(2)]);
  assert.deepEqual(names(await store.due(10)), [moId(2)]);
  assert.deepEqual(names(await store.retry(null, 'PLC02')), [moId(3)]);
  assert.deepEqual(names(await store.retry(null)), [moId(1)]);
  assert.deepEqual(await store.retry(null), [], 'nothing waits any more');
  assert.deepEqual(
    (await store.trail(moId(1))).events.map(({ kind }) => kind),
    ['queued', 'changed', 'push', 'retry'],
  );
});

test('what a person must mend first is not brought back, but refused with the reason', async (t) => {
  const { store, db } = await freshStore(t);
  await store.enqueue([order(1)], 1);
  await store.setAside([{ mo_id: moId(1), reason: 'cancelled in Odoo' }]);
  await db.none('INSERT INTO mo_batch (mo_id) VALUES (NULL)');
  const nameless = (await store.summary()).set_aside.find(({ mo_id }) => mo_id === null);
  assert.match(nameless?.reason ?? '', /has no mo_id/);
  const id = nameless?.id ?? '';
  await assert.rejects(store.retry(id), new RegExp(`row ${id}: it has no mo_id: enter it by SQL, or archive the row`));
  const left: object[] = [];
  const brought = await store.retry(null, '', (one) => left.push(one));
  assert.deepEqual(names(brought), [moId(1)], 'the others come back');
  assert.deepEqual(left, [{ id, mo_id: null, reason: 'it has no mo_id: enter it by SQL, or archive the row' }]);
  assert.deepEqual(names(await store.unread()), [moId(1)], 'Odoo is never asked for it');
  assert.deepEqual([await store.due(10), await store.completed(10)], [[], []]);

  await db.none(`UPDATE mo_batch SET mo_id = $<mo_id>, actual_consumption_silo_a = 'NaN' WHERE id = $<id>`, {
    ...{ id, mo_id: moId(2) },
  });
  await assert.rejects(store.retry(moId(2)), /MO WH\/MO\/00002: a silo holds a weight that is none/);
  await db.none('UPDATE mo_batch SET actual_consumption_silo_a = 7 WHERE id = $<id>', { id });
  assert.deepEqual(names(await store.retry(moId(2))), [moId(2)], 'mended');
});

test('unconfirmed rows are due again after their pause, whichever was never tried first', async (t) => {
  const { store, ledger, db } = await freshStore(t);
  await store.enqueue(orders(1, 3), 10);
  await store.record([1, 2, 3].map((n) => reading(n, { silo_a: n }, 1)));
  const { batch, owner } = await leased(ledger, 1);
  const settled = await ledger.settle(batch, owner, {
    conclusion: 'unavailable',
    reason: 'no route',
    setAside: false,
    pauseMs: 3_600_000,
    answers: [],
  });
  assert.equal(settled?.attempts, 1);
  assert.deepEqual(names(await store.due(10)), [moId(2), moId(3)]);
  assert.deepEqual(
    await ledger.lease({ id: batch.id }, 'push', 1000).then((taken) => 'refused' in taken && taken.refused),
    'not-due',
  );
  await db.none(`UPDATE mo_batch SET next_attempt_at = now() WHERE id = $1`, batch.id);
  assert.deepEqual(names(await store.due(10)), [moId(2), moId(3), moId(1)], 'due again, behind the ones never tried');
  const again = await leased(ledger, 1);
  await ledger.settle(again.batch, again.owner, confirmed({ silo_a: 1 }));
  assert.deepEqual(names(await store.due(10)), [moId(2), moId(3)]);
});

test("an order without a line in Odoo takes the line of its held reading, or is every line's", async (t) => {
  const { store } = await freshStore(t);
  const nowhere = { equipment_id_batch: '' };
  await store.record([finalReading(1, { silo_a: 5 }, 1)], 'PLC01');
  const [first] = await store.enqueue([order(1, nowhere)], 1);
  assert.deepEqual([first?.equipment_id_batch, first?.state], ['PLC01', 'completed']);
  await store.enqueue([order(2, nowhere)], 1);
  await store.record([finalReading(2, { silo_a: 6 }, 1)], 'PLC01');
  for (const list of [await store.due(10, 'PLC01'), await store.completed(10, 'PLC01')]) {
    assert.deepEqual(names(list).sort(), [moId(1), moId(2)]);
  }
  assert.deepEqual(names(await store.due(10, 'PLC02')), [moId(2)]);
  assert.equal((await store.summary('PLC01')).queue, 2);
});

test('the summary of a line tells of rows of lines that nobody reads', async (t) => {
  const { store } = await freshStore(t);
  await store.record([finalReading(1, { silo_a: 5 }, 1)], 'PLC01');
  await store.enqueue(
    [1, 2, 3].map((n) => order(n, { equipment_id_batch: n < 3 ? 'PLC09' : 'PLC02' })),
    10,
  );
  await store.record([], 'PLC02');
  assert.deepEqual((await store.summary('PLC01')).other_lines, [{ line: 'PLC09', rows: 2 }]);
  assert.deepEqual((await store.summary()).other_lines, [], 'without a filter everything is worked on');
});

test('a running order that no reading has named for an hour is listed, and leaves the gate when Odoo has closed it', async (t) => {
  const { store, ledger, db } = await freshStore(t);
  await store.enqueue(orders(1, 5), 10);
  await store.record([1, 2, 3].map((n) => reading(n, { silo_a: n }, 0)));
  await store.record([finalReading(4, { silo_a: 4 }, 0)]);
  await db.none(timePasses(120));
  assert.deepEqual((await store.record([reading(2, { silo_a: 2 }, 1)]))[0]?.outcome, 'unchanged');
  assert.deepEqual(
    names(await store.unread()),
    [1, 2, 3, 5].map(moId),
    'the second is read, but its values stand still',
  );
  const { quiet, queue } = await store.summary();
  assert.deepEqual([quiet.map(({ mo_id }) => mo_id), queue], [[moId(1), moId(3)], 5]);
  assert.ok(quiet[0]?.last_seen);

  const { owner } = await leased(ledger, 3);
  assert.ok(owner);
  const reason = 'cancelled in Odoo';
  const aside = await store.setAside([1, 2, 3, 4].map((n) => ({ mo_id: moId(n), reason })));
  assert.deepEqual(names(aside), [moId(1), moId(2)], 'not the ones that are completed, or being pushed');
  const after = await store.summary();
  assert.deepEqual([after.queue, after.quiet.map(({ mo_id }) => mo_id)], [3, [moId(3)]]);
});

test('which orders a person archived, so that they have to be named, is told', async (t) => {
  const opened = await freshStore(t);
  const { store } = opened;
  await store.archive([await finishedBatch(opened, 1)], { status: 'completed' });
  for (const n of [2, 3]) {
    await store.enqueue([order(n)], 1);
    await store.archive(await store.idsOf(moId(n)), { status: 'failed', note: 'scale broke' });
  }
  await store.enqueue([order(3)], 1, moId(3));
  assert.deepEqual(await store.archivedByHand([1, 2, 3, 4].map(moId)), [moId(2)]);
});
