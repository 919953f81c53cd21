/** Errors that nobody knows are passing trouble, until Odoo itself has answered so for long enough. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { Settlement } from '../../../nodes/lib/domain/ledger';
import { confirmed, freshStore, leased, moId, order, reading, row, type TestStore } from '../../support/store';

const failing = (conclusion: Settlement['conclusion'], more: Partial<Settlement> = {}): Settlement => ({
  ...{ conclusion, reason: 'No space left', setAside: false, sent: { silo_a: 100 }, answers: [], ...more },
});

async function opened(t: TestContext) {
  const store = await freshStore(t);
  await store.store.enqueue([order(1), order(2)], 2);
  await store.store.record([reading(1, { silo_a: 100 }, 1), reading(2, { silo_a: 100 }, 1)]);
  return store;
}

async function settle({ ledger }: TestStore, settlement: Settlement, times = 1): Promise<void> {
  for (let n = 0; n < times; n += 1) {
    const { batch, owner } = await leased(ledger, 1);
    await ledger.settle(batch, owner, settlement);
  }
}

/** As if everything had happened so much earlier. */
const age = ({ db }: TestStore, hours: number): Promise<null> =>
  db.none(`UPDATE mo_batch SET failing_since = failing_since - make_interval(hours => $1)`, hours);

const aside = async ({ db }: TestStore): Promise<boolean> => (await row(db, 1))['set_aside_at'] !== null;

test('a row is given up after 20 answers over 24 hours, not after one of the two', async (t) => {
  const store = await opened(t);
  await settle(store, failing('unexplained'), 40);
  assert.equal(await aside(store), false, '40 answers within a minute');
  await store.db.none('UPDATE mo_batch SET refusals = 0, failing_since = NULL');

  await settle(store, failing('unexplained'), 18);
  await age(store, 25);
  await settle(store, failing('unexplained'));
  assert.equal(await aside(store), false, '19 answers over 25 hours');
  await settle(store, failing('unexplained'));
  const given = await row(store.db, 1);
  assert.notEqual(given['set_aside_at'], null);
  assert.match(String(given['set_aside_reason']), /^No space left \(answered so 20 times since 20\d\d-.*then retry\)$/);
  const { detail } = await store.db.one<{ detail: { set_aside?: boolean } }>(
    'SELECT detail FROM mo_events ORDER BY id DESC LIMIT 1',
  );
  assert.equal(detail.set_aside, true);
  assert.equal((await row(store.db, 2))['set_aside_at'], null, 'the other row has nothing to do with it');

  await store.store.retry(moId(1));
  await settle(store, failing('unexplained'));
  assert.equal(await aside(store), false, 'a retry begins anew');
});

for (const conclusion of ['unavailable', 'unknown-outcome', 'session', 'credentials', 'busy', 'bad-request'] as const) {
  test(`a row is never given up for "${conclusion}", however often and long`, async (t) => {
    const store = await opened(t);
    await settle(store, failing('unexplained'), 19);
    await age(store, 1000);
    await settle(store, failing(conclusion), 30);
    assert.equal(await aside(store), false);
  });
}

test('what Odoo confirms ends the count; a call by hand, or a date in the future, does not make it longer', async (t) => {
  const store = await opened(t);
  await settle(store, failing('unexplained'), 19);
  await age(store, 25);
  await settle(store, failing('unexplained', { doubt: true }));
  assert.equal(await aside(store), false, 'a call by hand');
  await settle(store, confirmed({ silo_a: 100 }));
  const { refusals, failing_since } = await row(store.db, 1);
  assert.deepEqual([refusals, failing_since], [0, null]);

  await store.store.record([reading(1, { silo_a: 120 }, 2)]);
  await settle(store, failing('unexplained'), 18);
  await age(store, -1000);
  await settle(store, failing('unexplained'));
  await age(store, 25);
  await settle(store, failing('unexplained'));
  assert.equal(await aside(store), true, 'a clock that was ahead is not waited for');
});

test('rows that got no answer come after the others of their list, and are not left out of it', async (t) => {
  const store = await opened(t);
  await settle(store, failing('unknown-outcome', { pauseMs: 0 }));
  // The other one was tried later: by that alone it would come last.
  const { batch, owner } = await leased(store.ledger, 2);
  await store.ledger.settle(batch, owner, failing('busy', { pauseMs: 0 }));
  const names = async (limit: number): Promise<string[]> => (await store.store.due(limit)).map(({ mo_id }) => mo_id);
  assert.deepEqual(await names(10), [moId(2), moId(1)]);
  assert.deepEqual(await names(1), [moId(1)]);
  await store.db.none('UPDATE mo_batch SET status_manufacturing = true');
  const completed = await store.store.completed(10);
  assert.deepEqual(
    completed.map(({ mo_id }) => mo_id),
    [moId(2), moId(1)],
  );
});
