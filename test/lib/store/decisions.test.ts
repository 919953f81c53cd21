/** What a person says about readings that are not applied by themselves, and what stays of it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Reading } from '../../../nodes/lib/domain/reading';
import type { BatchStore } from '../../../nodes/lib/store/batch-store';
import { confirmed, finalReading, freshStore, leased, moId, order, orders, reading, row } from '../../support/store';

const shows = (n: number, more: Partial<Reading> = {}): Reading => ({
  ...finalReading(n, { silo_a: 825.5 }, 1),
  ...{ slot: 1, source: 's7' },
  ...more,
});
const outcome = async (store: BatchStore, one: Reading): Promise<string | undefined> =>
  (await store.record([one], 'PLC01'))[0]?.outcome;

test('"its own batch" applies what was held to its row, completion included, and the slot tells it from then on', async (t) => {
  const { store, db } = await freshStore(t);
  await store.enqueue(orders(1, 2), 10);
  await outcome(store, shows(1));
  assert.equal(await outcome(store, shows(2)), 'held');
  const decided = await store.accept(moId(2), { by: 'anna' });
  assert.deepEqual([decided?.batch?.state, decided?.batch?.actual_consumption_silo_a], ['completed', 825.5]);
  assert.deepEqual((await store.summary()).held, []);
  assert.equal(await outcome(store, shows(2)), 'unchanged');
  assert.equal(await outcome(store, shows(1)), 'unchanged', 'X itself is as it was');
  const { events } = await store.trail(moId(2));
  assert.equal(events.find(({ kind }) => kind === 'accepted')?.detail.by, 'anna');
  assert.equal((await row(db, 2)).revision, 1);
  assert.equal(await store.accept(moId(2)), null, 'there is nothing more to accept');
});

test('what is accepted before its order is queued waits for it, and the slot may go on telling it', async (t) => {
  const { store } = await freshStore(t);
  await store.enqueue([order(1)], 10);
  await outcome(store, shows(1));
  assert.equal(await outcome(store, shows(2)), 'held');
  assert.equal((await store.accept(moId(2)))?.batch, null);
  assert.deepEqual((await store.summary()).held[0]?.reason, null);
  const [again] = await store.record([shows(2)], 'PLC01');
  assert.deepEqual([again?.outcome, again?.reason], ['held', undefined]);
  const [batch] = await store.enqueue([order(2)], 10);
  assert.deepEqual([batch?.state, batch?.actual_consumption_silo_a], ['completed', 825.5]);
});

test('what is discarded is stale from then on, by slot, number and weights, and its event keeps it', async (t) => {
  const { store, db } = await freshStore(t);
  await store.enqueue(orders(1, 2), 10);
  await outcome(store, shows(1));
  await outcome(store, shows(2));
  assert.ok(await store.discard(moId(2), { by: 'anna', note: 'typed over' }));
  assert.deepEqual([await outcome(store, shows(2)), await outcome(store, shows(2))], ['stale', 'stale']);
  assert.equal((await row(db, 2)).revision, 0);
  const { events } = await store.trail(moId(2));
  const { by, note, reason, weights_of } = events.find(({ kind }) => kind === 'discarded')?.detail ?? {};
  assert.deepEqual([by, note, reason, weights_of], ['anna', 'typed over', 'foreign-weights', moId(1)]);
  assert.equal(await outcome(store, shows(2, { consumption: { silo_a: 1 } })), 'recorded');
  assert.equal(await store.discard(moId(2)), null);
});

test('a held reading that was thrown away by archiving does not come back while its slot shows it', async (t) => {
  const { store } = await freshStore(t);
  assert.equal(await outcome(store, shows(1)), 'held');
  assert.equal(await store.discardHeld(moId(1), 'failed', 'never made'), true);
  assert.equal(await outcome(store, shows(1)), 'stale');
  assert.deepEqual((await store.summary()).held, []);
  assert.equal(await outcome(store, shows(1, { consumption: { silo_a: 9 } })), 'held');
});

const once = (more: Partial<Reading> = {}): Reading =>
  shows(1, { status_manufacturing: false, seen_once: true, ...more });

test('a completion seen once is pushed as running, then set aside, and becomes completed when a person says so', async (t) => {
  const { store, ledger, db } = await freshStore(t);
  await store.enqueue([order(1)], 10);
  await outcome(store, reading(1, { silo_a: 800 }, 1, { source: 's7' }));
  assert.equal(await outcome(store, once()), 'recorded');
  assert.equal((await row(db, 1)).set_aside_at, null);
  const { batch, owner } = await leased(ledger, 1);
  const settled = await ledger.settle(batch, owner, confirmed({ silo_a: 825.5 }));
  assert.equal(settled?.state, 'set-aside');
  assert.match(settled?.set_aside_reason ?? '', /^completion seen once/);
  assert.equal((await store.summary()).queue, 0, 'the gate is open');
  const decided = await store.accept(moId(1), { by: 'anna' });
  assert.deepEqual([decided?.batch?.state, decided?.batch?.actual_consumption_silo_a], ['completed', 825.5]);
  const kinds = (await store.trail(moId(1))).events.map(({ kind }) => kind);
  assert.deepEqual(kinds, ['queued', 'changed', 'changed', 'push', 'set-aside', 'accepted', 'changed']);
});

test('a completion seen once of weights that Odoo has already is set aside at once', async (t) => {
  const { store, ledger, db } = await freshStore(t);
  await store.enqueue([order(1)], 10);
  await outcome(store, shows(1, { status_manufacturing: false }));
  const { batch, owner } = await leased(ledger, 1);
  await ledger.settle(batch, owner, confirmed({ silo_a: 825.5 }));
  assert.equal(await outcome(store, once()), 'recorded');
  assert.match(String((await row(db, 1)).set_aside_reason), /^completion seen once/);
});

for (const [what, then, state] of [
  ['complete', shows(1), 'completed'],
  ['running with other weights', shows(1, { status_manufacturing: false, consumption: { silo_a: 900 } }), 'running'],
  ['running with the same weights', shows(1, { status_manufacturing: false }), 'running'],
] as const) {
  test(`a row set aside for a completion seen once comes back when it is read as ${what}`, async (t) => {
    const { store, ledger } = await freshStore(t);
    await store.enqueue([order(1)], 10);
    await outcome(store, once());
    const { batch, owner } = await leased(ledger, 1);
    await ledger.settle(batch, owner, confirmed({ silo_a: 825.5 }));
    assert.equal(await outcome(store, then), 'recorded');
    assert.equal((await store.trail(moId(1))).batch?.state, state);
  });
}

test('discarding a completion seen once lets the row go on as running', async (t) => {
  const { store, ledger } = await freshStore(t);
  await store.enqueue([order(1)], 10);
  await outcome(store, once());
  const { batch, owner } = await leased(ledger, 1);
  await ledger.settle(batch, owner, confirmed({ silo_a: 825.5 }));
  assert.equal((await store.discard(moId(1), { note: 'not yet' }))?.batch?.state, 'running');
});

test('a reading for a person is never applied by itself, not replaced by what its slot shows, and final when accepted', async (t) => {
  const { store, db } = await freshStore(t);
  await store.enqueue([order(1)], 10);
  const kept = once({ hold: 'seen-once' });
  const [held] = await store.record([kept], 'PLC01');
  assert.deepEqual([held?.outcome, held?.reason], ['held', 'seen-once']);
  assert.equal(await outcome(store, reading(1, { silo_a: 5 }, 2)), 'recorded');
  assert.equal((await store.summary()).held.length, 1);
  const decided = await store.accept(moId(1));
  assert.deepEqual([decided?.batch?.state, (await row(db, 1)).actual_consumption_silo_a], ['completed', 825.5]);
});

test('a completion that waited for its order answers the question about one that was seen once', async (t) => {
  const { store } = await freshStore(t);
  assert.equal(await outcome(store, once({ hold: 'seen-once' })), 'held');
  assert.equal(await outcome(store, shows(1, { slot: 2 })), 'held');
  assert.equal((await store.summary()).held.length, 2);
  await store.enqueue([order(1)], 10);
  const { batch, held, events } = await store.trail(moId(1));
  assert.deepEqual([batch?.state, held], ['completed', null]);
  assert.equal(events.find(({ kind }) => kind === 'discarded')?.detail.reason, 'seen-once');
});

test('a completion that waits for its order and is then seen once more, as its slot is emptied, asks nobody', async (t) => {
  const { store } = await freshStore(t);
  assert.equal(await outcome(store, shows(1)), 'held');
  assert.equal(await outcome(store, once({ hold: 'seen-once' })), 'unchanged');
  assert.equal(
    await outcome(store, once({ hold: 'seen-once', consumption: { silo_a: 9 } })),
    'held',
    'other weights do',
  );
  assert.equal((await store.summary()).held.length, 2);
});

test('accepting what an order that is completed by now holds already lets go of it; other weights are refused', async (t) => {
  const { store, ledger, db } = await freshStore(t);
  await store.enqueue([order(1)], 10);
  await outcome(store, shows(1));
  const { batch, owner } = await leased(ledger, 1);
  const asked = async (kg: number): Promise<boolean> => {
    // As a row that somebody held locked leaves it behind.
    const kept = JSON.stringify(once({ hold: 'seen-once', consumption: { silo_a: kg } }));
    await db.none(`INSERT INTO mo_held_readings (mo_id, line, reading, reason) VALUES ($1, 'PLC01', $2, 'seen-once')`, [
      moId(1),
      kept,
    ]);
    const accepted = (await store.accept(moId(1), { by: 'anna' })) !== null;
    assert.equal((await store.summary()).held.length, accepted ? 0 : 1);
    await db.none('DELETE FROM mo_held_readings');
    return accepted;
  };
  assert.deepEqual([await asked(825.5), await asked(800)], [true, false], 'in the queue');
  await ledger.settle(batch, owner, confirmed({ silo_a: 825.5 }));
  await store.archive([batch.id], { status: 'completed', requires: 'confirmed' });
  assert.deepEqual([await asked(825.5), await asked(800)], [true, false], 'in the history');
});

test('"retry now" of a completion seen once is refused with what to do, whether it is named or not', async (t) => {
  const { store, ledger, db } = await freshStore(t);
  await store.enqueue([order(1)], 10);
  await outcome(store, once());
  const { batch, owner } = await leased(ledger, 1);
  await ledger.settle(batch, owner, confirmed({ silo_a: 825.5 }));
  await assert.rejects(
    store.retry(moId(1)),
    /MO WH\/MO\/00001: its completion was seen once: accept it, or discard it/,
  );
  const left: string[] = [];
  assert.deepEqual(await store.retry(null, '', ({ reason }) => left.push(reason)), []);
  assert.match(left.join(), /let its slot show it again/);
  assert.match(String((await row(db, 1)).set_aside_reason), /^completion seen once/);
  assert.equal(await outcome(store, shows(1)), 'recorded');
  assert.deepEqual((await store.trail(moId(1))).batch?.state, 'completed');
});

test('what a person discarded is forgotten with the events, but not while its slot may tell it', async (t) => {
  const { store, db } = await freshStore(t);
  await store.enqueue([order(1)], 10);
  await outcome(store, shows(1));
  // Typed over in slot 1; of an order that is not queued in slot 2.
  for (const [n, slot] of [
    [2, 1],
    [3, 2],
  ] as const) {
    assert.equal(await outcome(store, shows(n, { slot })), 'held');
    assert.notEqual(await store.discard(moId(n)), null);
    assert.equal(await outcome(store, shows(n, { slot })), 'stale');
  }
  const kept = () =>
    db.map('SELECT mo_id FROM mo_discarded_readings ORDER BY 1', [], ({ mo_id }: { mo_id: string }) => mo_id);
  const pruned = async (): Promise<string[]> => {
    await store.pruneEvents(365);
    return kept();
  };
  await db.none(`UPDATE mo_discarded_readings SET at = at - interval '400 days'`);
  assert.deepEqual(await pruned(), [moId(2), moId(3)]);
  await outcome(store, shows(3, { slot: 2, consumption: { silo_a: 1 } }));
  assert.deepEqual(await pruned(), [moId(2), moId(3)], 'the number is still there');
  await outcome(store, shows(1, { slot: 2, consumption: { silo_a: 2 } }));
  assert.deepEqual(await pruned(), [moId(2)]);
  await db.none('UPDATE mo_discarded_readings SET at = now()');
  await outcome(store, shows(4, { consumption: { silo_a: 3 } }));
  assert.deepEqual(await pruned(), [moId(2)], 'it is young');
  await db.none(`UPDATE mo_discarded_readings SET at = at - interval '400 days'`);
  assert.deepEqual(await pruned(), []);
});
