/** Leases and settlements: one push per order at a time, the row as it stands, confirmation by compare-and-set. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  anotherPool,
  confirmed,
  done,
  finalReading,
  freshStore,
  leased,
  moId,
  order,
  reading,
  row,
  type TestStore,
} from '../../support/store';

const queued = async (t: import('node:test').TestContext, silo_a = 100): Promise<TestStore> => {
  const opened = await freshStore(t);
  await opened.store.enqueue([order(1)], 1);
  await opened.store.record([reading(1, { silo_a }, 1)]);
  return opened;
};

const refusal = async (taken: Promise<object>): Promise<unknown> => ((await taken) as { refused?: string }).refused;

test('a stale list does not push an old revision: the lease returns the fresh row, or refuses what is confirmed', async (t) => {
  const { store, ledger } = await queued(t);
  const [stale] = await store.due(10);
  assert.ok(stale);
  await store.record([reading(1, { silo_a: 120 }, 2)]);
  const first = await ledger.lease({ id: stale.id }, 'push', 1000);
  assert.ok('batch' in first && first.batch);
  assert.deepEqual([first.batch.revision, first.batch.actual_consumption_silo_a], [2, 120]);
  await ledger.settle(first.batch, (first as { owner: string }).owner, confirmed({ silo_a: 120 }));
  const second = await ledger.lease({ id: stale.id }, 'push', 1000);
  assert.equal('refused' in second && second.refused, 'already-confirmed');
  assert.equal(second.batch?.actual_consumption_silo_a, 120);
});

test('a row has one lease at a time, over tasks and Node-REDs, and the reason for a refusal is told', async (t) => {
  const { ledger, store, address } = await queued(t);
  const pools = [ledger, anotherPool(t, address).ledger, anotherPool(t, address).ledger];
  for (let round = 1; round <= 10; round += 1) {
    const taken = await Promise.all(
      pools.flatMap((pool) => [
        pool.lease({ mo_id: moId(1) }, 'push', 60_000),
        pool.lease({ mo_id: moId(1) }, 'finish', 60_000),
      ]),
    );
    const granted = taken.flatMap((one) => ('owner' in one ? [one] : []));
    assert.equal(granted.length, 1, `round ${round}`);
    assert.equal(taken.filter((one) => 'refused' in one && one.refused === 'leased').length, 5);
    await ledger.release(granted[0]?.batch.id ?? '', granted[0]?.owner ?? '');
  }
  assert.equal(await refusal(ledger.lease({ mo_id: moId(2) }, 'push', 1000)), 'not-queued');
  await store.enqueue([order(2)], 1);
  assert.equal(await refusal(ledger.lease({ mo_id: moId(2) }, 'push', 1000)), 'nothing-to-send');
});

test('a lease ends by the clock of the database, and its holder learns it', async (t) => {
  const { ledger, address, db } = await queued(t);
  const { batch, owner } = await leased(ledger, 1, 'push', 60_000);
  assert.equal(await ledger.renew(batch.id, owner, 60_000), true);
  const { left } = await db.one<{ left: number }>(
    'SELECT extract(epoch FROM lease_until - clock_timestamp())::float8 AS left FROM mo_batch',
  );
  assert.ok(left > 50 && left <= 60, `${left} s`);
  // What time does: the end passes, by the clock of the database.
  await db.none('UPDATE mo_batch SET lease_until = clock_timestamp()');
  assert.equal(await ledger.renew(batch.id, owner, 60_000), false);
  const other = await leased(anotherPool(t, address).ledger, 1);
  assert.equal(await ledger.settle(batch, owner, confirmed({ silo_a: 100 })), null, 'the lease was lost');
  assert.equal((await row(db, 1)).update_odoo, false);
  assert.equal((await ledger.settle(other.batch, other.owner, confirmed({ silo_a: 100 })))?.update_odoo, true);
});

test('a killed holder holds nothing for ever', async (t) => {
  const { ledger, store, db } = await queued(t);
  await leased(ledger, 1, 'push', 60_000);
  assert.deepEqual(await store.due(10), []);
  await db.none(`UPDATE mo_batch SET lease_until = clock_timestamp() - interval '1 ms'`);
  assert.equal((await store.due(10)).length, 1);
  await leased(ledger, 1);
});

test('a value that changes during a push keeps the row unconfirmed', async (t) => {
  const { ledger, store, db } = await queued(t);
  const { batch, owner } = await leased(ledger, 1);
  await store.record([reading(1, { silo_a: 130 }, 2)]);
  const settled = await ledger.settle(batch, owner, confirmed({ silo_a: 100 }));
  assert.deepEqual(
    [settled?.update_odoo, settled?.state, settled?.confirmed_consumption],
    [false, 'running', { silo_a: 100 }],
  );
  assert.equal((await store.due(10)).length, 1, 'due at once');
  assert.equal((await row(db, 1)).lease_owner, null);
});

test('a done order that is corrected afterwards has to be read back again', async (t) => {
  const { ledger, store, db } = await queued(t);
  await store.record([finalReading(1, { silo_a: 825.5 }, 2)]);
  const { batch, owner } = await leased(ledger, 1, 'finish');
  assert.equal((await ledger.settle(batch, owner, done({ silo_a: 825.5 })))?.state, 'done');
  assert.equal(await refusal(ledger.lease({ id: batch.id }, 'finish', 1000)), 'already-confirmed');
  await db.none('UPDATE mo_batch SET actual_consumption_silo_a = 820');
  assert.deepEqual([(await row(db, 1)).done_readback, (await row(db, 1)).update_odoo], [null, false]);
  assert.equal((await store.archive([batch.id], { status: 'completed' })).archived.length, 0);
});

test('a confirmed row that is not closed yet is leased to be finished, not to be pushed', async (t) => {
  const { ledger, store } = await queued(t);
  await store.record([finalReading(1, { silo_a: 825.5 }, 2)]);
  const { batch, owner } = await leased(ledger, 1);
  await ledger.settle(batch, owner, confirmed({ silo_a: 825.5 }));
  assert.equal(await refusal(ledger.lease({ id: batch.id }, 'push', 1000)), 'already-confirmed');
  const closing = await leased(ledger, 1, 'finish');
  assert.equal(closing.batch.confirmed_revision, closing.batch.revision);
});

test('every settlement is an event with what was sent and what Odoo answered, also when the lease was lost', async (t) => {
  const { ledger, store, db } = await queued(t);
  const { batch, owner } = await leased(ledger, 1);
  await ledger.settle(batch, owner, {
    conclusion: 'partial',
    reason: 'silo101 refused',
    setAside: true,
    sent: { silo_a: 100 },
    answers: [{ call: 'update' }],
  });
  await db.none('UPDATE mo_batch SET set_aside_at = NULL');
  await ledger.settle(batch, owner, confirmed({ silo_a: 100 }));
  const pushes = (await store.trail(moId(1))).events.filter(({ kind }) => kind === 'push').map(({ detail }) => detail);
  assert.deepEqual(pushes[0], {
    conclusion: 'partial',
    reason: 'silo101 refused',
    revision: 1,
    sent: { silo_a: 100 },
    answers: [{ call: 'update' }],
    set_aside: true,
  });
  assert.equal(pushes[1]?.conclusion, 'confirmed');
  assert.equal((await row(db, 1)).update_odoo, false);
});

test('a manual save confirms the row only if nothing else of it was unconfirmed', async (t) => {
  const { ledger, store, db } = await queued(t);
  const unconfirmed = await leased(ledger, 1, 'manual');
  const first = await ledger.saveManual(
    unconfirmed.batch,
    unconfirmed.owner,
    { consumption: { silo_b: 50 } },
    confirmed({ silo_b: 50 }),
  );
  assert.deepEqual([first?.update_odoo, first?.actual_consumption_silo_b], [false, 50], 'silo_a is still unconfirmed');

  const push = await leased(ledger, 1);
  await ledger.settle(push.batch, push.owner, confirmed({ silo_a: 100, silo_b: 50 }));
  const { batch, owner } = await leased(ledger, 1, 'manual');
  const second = await ledger.saveManual(batch, owner, { consumption: { silo_a: 105 } }, confirmed({ silo_a: 105 }));
  assert.deepEqual([second?.update_odoo, second?.actual_consumption_silo_a], [true, 105]);
  assert.deepEqual(second?.confirmed_consumption, { silo_a: 105, silo_b: 50 });
  assert.ok((await row(db, 1)).last_read_from_plc);
  const changes = (await store.trail(moId(1))).events.filter(({ kind }) => kind === 'changed');
  assert.deepEqual(
    changes.map(({ detail }) => detail.source),
    ['plc', 'manual', 'manual'],
  );
});

test('a manual save while a reading came in does not confirm the reading', async (t) => {
  const { ledger, store } = await queued(t);
  const push = await leased(ledger, 1);
  await ledger.settle(push.batch, push.owner, confirmed({ silo_a: 100 }));
  const { batch, owner } = await leased(ledger, 1, 'manual');
  await store.record([reading(1, { silo_a: 100, silo_c: 7 }, 2)]);
  const saved = await ledger.saveManual(batch, owner, { consumption: { silo_a: 105 } }, confirmed({ silo_a: 105 }));
  assert.equal(saved?.update_odoo, false);
});

test('marking done by hand completes the row, which was sent whole, and brings it back from set aside', async (t) => {
  const { ledger, store } = await queued(t);
  const push = await leased(ledger, 1);
  await ledger.settle(push.batch, push.owner, {
    conclusion: 'undecided',
    reason: 'no finished weight',
    setAside: true,
    answers: [],
  });
  const { batch, owner } = await leased(ledger, 1, 'manual');
  const saved = await ledger.saveManual(batch, owner, { finished: 2500, completed: true }, done({ silo_a: 100 }));
  assert.deepEqual([saved?.state, saved?.update_odoo, saved?.set_aside_reason], ['done', true, null]);
  assert.equal((await store.archive(null, { status: 'completed' })).archived.length, 1);
});

test('a confirmed row that is sent again without success counts as unconfirmed', async (t) => {
  const { ledger, store, db } = await queued(t);
  await store.record([finalReading(1, { silo_a: 825.5 }, 2)]);
  const push = await leased(ledger, 1);
  await ledger.settle(push.batch, push.owner, confirmed({ silo_a: 825.5 }));
  const { batch, owner } = await leased(ledger, 1, 'finish');
  await ledger.settle(batch, owner, {
    conclusion: 'unknown-outcome',
    reason: 'cut',
    setAside: false,
    sent: { silo_a: 825.5 },
    answers: [],
  });
  assert.equal((await row(db, 1)).update_odoo, false);
});

test('a manual call that dies after Odoo took its value leaves the row unconfirmed', async (t) => {
  const { ledger, store, db } = await queued(t);
  const push = await leased(ledger, 1);
  await ledger.settle(push.batch, push.owner, confirmed({ silo_a: 100 }));
  await leased(ledger, 1, 'manual');
  await db.none('UPDATE mo_batch SET lease_until = clock_timestamp()');
  const [due] = await store.due(10);
  assert.deepEqual([due?.update_odoo, due?.actual_consumption_silo_a], [false, 100], 'the row is told to Odoo again');
});

test('a manual call that sent nothing leaves the row as it was', async (t) => {
  const { ledger, db } = await queued(t);
  const push = await leased(ledger, 1);
  await ledger.settle(push.batch, push.owner, confirmed({ silo_a: 100 }));
  const released = await leased(ledger, 1, 'manual');
  await ledger.release(released.batch.id, released.owner);
  assert.equal((await row(db, 1)).update_odoo, true);
  const refused = await leased(ledger, 1, 'manual');
  await ledger.settle(refused.batch, refused.owner, {
    conclusion: 'bad-value',
    reason: 'silo off',
    setAside: false,
    answers: [],
  });
  assert.equal((await row(db, 1)).update_odoo, true);
  const unsure = await leased(ledger, 1, 'manual');
  await ledger.settle(unsure.batch, unsure.owner, {
    conclusion: 'unknown-outcome',
    reason: 'cut',
    setAside: false,
    doubt: true,
    answers: [{}],
  });
  assert.equal((await row(db, 1)).update_odoo, false);
});

test('a manual save leaves what a reading wrote while the call was under way', async (t) => {
  const { ledger, store, db } = await queued(t);
  const push = await leased(ledger, 1);
  await ledger.settle(push.batch, push.owner, confirmed({ silo_a: 100 }));
  const { batch, owner } = await leased(ledger, 1, 'manual');
  await store.record([reading(1, { silo_a: 130 }, 2, { actual_weight_quantity_finished_goods: 900.5 })]);
  const sent = { silo_a: 105, silo_b: 50 };
  const saved = await ledger.saveManual(batch, owner, { consumption: sent, finished: 800 }, confirmed(sent));
  assert.equal(saved?.update_odoo, false);
  const { actual_consumption_silo_a, actual_consumption_silo_b, actual_weight_quantity_finished_goods } = await row(
    db,
    1,
  );
  assert.deepEqual(
    [actual_consumption_silo_a, actual_consumption_silo_b, actual_weight_quantity_finished_goods],
    [130, 50, 900.5],
  );
  assert.equal((await store.due(10)).length, 1);
});

test('a manual save saves nothing when the PLC completed the batch meanwhile: its final values are told to Odoo', async (t) => {
  const { ledger, store, db } = await queued(t);
  const push = await leased(ledger, 1);
  await ledger.settle(push.batch, push.owner, confirmed({ silo_a: 100 }));
  const { batch, owner } = await leased(ledger, 1, 'manual');
  await store.record([finalReading(1, { silo_a: 100 }, 2)]);
  const sent = { silo_a: 105, silo_b: 50 };
  assert.equal(await ledger.saveManual(batch, owner, { consumption: sent }, confirmed(sent)), null);
  const { actual_consumption_silo_a, actual_consumption_silo_b, update_odoo, lease_owner } = await row(db, 1);
  assert.deepEqual(
    [actual_consumption_silo_a, actual_consumption_silo_b, update_odoo, lease_owner],
    [100, null, false, null],
  );
  assert.equal((await store.due(10)).length, 1);
  assert.match(String((await store.trail(moId(1))).events.at(-1)?.detail.reason), /the PLC completed the batch/);
});

test('marking done by hand does not vouch for the final values that a reading brought meanwhile', async (t) => {
  const { ledger, store, db } = await queued(t);
  const { batch, owner } = await leased(ledger, 1, 'manual');
  await store.record([finalReading(1, { silo_a: 130 }, 2)]);
  const saved = await ledger.saveManual(batch, owner, { completed: true }, done({ silo_a: 100 }));
  assert.deepEqual([saved?.state, saved?.done_readback], ['completed', null]);
  assert.equal((await row(db, 1)).actual_consumption_silo_a, 130);
});

test('a manual save after the lease was lost is an event all the same', async (t) => {
  const { ledger, store, db } = await queued(t);
  const { batch, owner } = await leased(ledger, 1, 'manual');
  await db.none('UPDATE mo_batch SET lease_owner = gen_random_uuid()');
  assert.equal(await ledger.saveManual(batch, owner, { finished: 900 }, confirmed({ silo_a: 100 })), null);
  assert.equal((await row(db, 1)).actual_weight_quantity_finished_goods, null);
  assert.equal((await store.trail(moId(1))).events.at(-1)?.kind, 'push');
});

test('a call by hand whose outcome is in doubt leaves the pause of the row as it is', async (t) => {
  const { ledger, db } = await queued(t);
  await db.none(`UPDATE mo_batch SET next_attempt_at = now() + interval '1 hour'`);
  const before = (await row(db, 1)).next_attempt_at;
  const { batch, owner } = await leased(ledger, 1, 'manual');
  const unsure = { conclusion: 'unknown-outcome', reason: 'cut', setAside: false, doubt: true, answers: [{}] } as const;
  await ledger.settle(batch, owner, unsure);
  assert.deepEqual((await row(db, 1)).next_attempt_at, before);
});

test('a lease that ends in hours, taken before the clock was set back, binds nobody', async (t) => {
  const { ledger, store, db } = await queued(t);
  await leased(ledger, 1, 'push', 60_000);
  await db.none(`UPDATE mo_batch SET lease_until = clock_timestamp() + interval '3 hours'`);
  assert.equal((await store.due(10)).length, 1);
  await leased(ledger, 1);
});

test('a row that gets another order by SQL is unconfirmed, and a push under way does not vouch for it', async (t) => {
  const { ledger, store, db } = await queued(t);
  await store.record([finalReading(1, { silo_a: 825.5 }, 2)]);
  const push = await leased(ledger, 1, 'finish');
  await ledger.settle(push.batch, push.owner, done({ silo_a: 825.5 }));
  await db.none('UPDATE mo_batch SET mo_id = $1', moId(2));
  const { update_odoo, done_readback, sent_consumption, confirmed_consumption } = await row(db, 2);
  assert.deepEqual([update_odoo, done_readback, sent_consumption, confirmed_consumption], [false, null, null, null]);
  assert.equal((await store.due(10)).length, 1);
  assert.equal((await store.archive([push.batch.id], { status: 'completed' })).archived.length, 0);
  assert.equal((await store.trail(moId(2))).events.at(-1)?.detail.renamed_from, moId(1));

  const { batch, owner } = await leased(ledger, 2, 'finish');
  await db.none('UPDATE mo_batch SET mo_id = $1', moId(3));
  assert.equal(await ledger.settle(batch, owner, done({ silo_a: 825.5 })), null, 'the lease is lost');
  assert.equal((await row(db, 3)).update_odoo, false);
});

test('a queued row that gets another order before its first reading has still nothing to send', async (t) => {
  const { store, db } = await freshStore(t);
  await store.enqueue([order(1)], 1);
  await db.none('UPDATE mo_batch SET mo_id = $1', moId(2));
  assert.equal((await row(db, 2)).revision, 0);
});

test('a row that another transaction holds locked keeps neither leases nor settlements of other rows waiting', async (t) => {
  const { store, ledger, db } = await freshStore(t);
  await store.enqueue([order(1), order(2), order(3)], 3);
  await store.record([1, 2, 3].map((n) => reading(n, { silo_a: 100 * n }, 1)));
  const ids = (await store.due(3)).map(({ id }) => id);
  const locked = 'SELECT FROM mo_batch WHERE id = $1 FOR UPDATE';
  const refused = (lease: object): unknown => ('refused' in lease ? lease.refused : undefined);
  const taken = await db.tx(async (tx) => {
    await tx.any(locked, ids[0]);
    return Promise.all(ids.map((id) => ledger.lease({ id }, 'push', 60_000)));
  });
  assert.deepEqual(taken.map(refused), ['leased', undefined, undefined]);
  assert.equal(refused(await ledger.lease({ id: ids[0] as string }, 'push', 60_000)), undefined, 'its next turn');
  const settled = await db.tx(async (tx) => {
    await tx.any(locked, ids[0]);
    const leases = [1, 2, 3].map((n) =>
      db.one<{ id: string; lease_owner: string }>('SELECT * FROM mo_batch WHERE mo_id = $1', moId(n)),
    );
    const [waits, ...free] = (await Promise.all(leases)).map((batch) =>
      ledger.settle(batch as never, batch.lease_owner, confirmed({ silo_a: 1 })),
    );
    assert.deepEqual(
      (await Promise.all(free)).map((batch) => batch?.update_odoo),
      [true, true],
    );
    return { waits };
  });
  assert.equal((await settled.waits)?.update_odoo, true);
});

test('what one settlement cannot store does not spoil the others that share its statement', async (t) => {
  const { store, ledger } = await freshStore(t);
  await store.enqueue([order(1), order(2)], 2);
  await store.record([reading(1, { silo_a: 100 }, 1), reading(2, { silo_a: 200 }, 1)]);
  const [bad, good] = [await leased(ledger, 1), await leased(ledger, 2)];
  const [refused, settled] = await Promise.allSettled([
    // No PostgreSQL text holds a NUL.
    ledger.settle(bad.batch, bad.owner, confirmed({ silo_a: 100 }, { reason: 'a\u0000b' })),
    ledger.settle(good.batch, good.owner, confirmed({ silo_a: 200 })),
  ]);
  assert.equal(refused.status, 'rejected');
  assert.equal(settled.status === 'fulfilled' && settled.value?.update_odoo, true);
});
