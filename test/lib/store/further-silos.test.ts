/** Silos beyond the fifteen that have columns of their own live in JSON beside those, and count like them. */
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { actualWeights, componentNames, plannedWeights } from '../../../nodes/lib/domain/silos';
import { auditOf } from '../../../nodes/lib/store/audit';
import { exportTo, importFrom } from '../../../nodes/lib/store/transfer';
import { openTempFolder } from '../../support/cluster';
import { confirmed, finalReading, freshStore, leased, moId, order, reading, row } from '../../support/store';

const FURTHER = {
  more_component_names: { bin_16: 'Lysine', bin_9: 'Salt' },
  more_consumption: { bin_16: 12.5, bin_9: 3 },
};

test('a further silo is planned, read field by field, sent, confirmed and told like the others', async (t) => {
  const { store, db, ledger } = await freshStore(t);
  await store.enqueue([{ ...order(1), ...FURTHER }], 1);
  const queued = await row(db, 1);
  assert.equal(queued.revision, 0, 'a plan is nothing to tell Odoo');
  assert.deepEqual(Object.entries(componentNames(queued)).slice(-2), [
    ['bin_9', 'Salt'],
    ['bin_16', 'Lysine'],
  ]);
  assert.equal(plannedWeights(queued).bin_16, 12.5);

  await store.record([reading(1, { silo_a: 825.5, bin_16: 12.4 }, 1)], 'PLC01');
  await db.none(`UPDATE mo_batch SET more_actual_consumption = more_actual_consumption || '{"bin_16": 13}'`);
  const [again] = await store.record([reading(1, { silo_a: 825.5, bin_16: 12.4, bin_9: 3 }, 2)], 'PLC01');
  assert.equal(again?.outcome, 'recorded');
  const corrected = await row(db, 1);
  assert.deepEqual(actualWeights(corrected), { silo_a: 825.5, bin_9: 3, bin_16: 13 }, 'a correction stays');
  assert.equal(corrected.revision, 3);

  const { batch, owner } = await leased(ledger, 1);
  assert.deepEqual(batch.ever_sent ?? (await row(db, 1)).ever_sent, { silo_a: 825.5, bin_9: 3, bin_16: 13 });
  await ledger.settle(batch, owner, confirmed(actualWeights(batch)));
  const trail = await store.trail(moId(1));
  const { audit, timeline } = auditOf(trail);
  const salt = audit.find(({ silo }) => silo === 'bin_9');
  assert.deepEqual(
    [salt?.component, salt?.planned, salt?.read, salt?.sent, salt?.confirmed, salt?.source],
    ['Salt', 3, 3, 3, 3, 'plc'],
  );
  assert.deepEqual(
    timeline
      .filter(({ silo, event }) => silo === 'bin_16' && event === 'changed')
      .map(({ source, kg }) => [source, kg]),
    [
      ['plc', 12.4],
      ['sql', 13],
    ],
  );
});

test('the final reading of a further silo waits for its order, and moves into the history with it', async (t) => {
  const { store, db } = await freshStore(t);
  await store.record([finalReading(1, { bin_40: 7.25 }, 1)], 'PLC01');
  const [batch] = await store.enqueue([order(1)], 1);
  assert.deepEqual([batch?.state, actualWeights(batch ?? {})], ['completed', { bin_40: 7.25 }]);
  await store.archive([batch?.id ?? ''], { status: 'failed', note: 'by hand' });
  const [archived] = await db.any<{ more_actual_consumption: object }>('SELECT * FROM mo_histories');
  assert.deepEqual(archived?.more_actual_consumption, { bin_40: 7.25 });
});

test('a row of before reads as {}; SQL by hand may write numbers under such tags, and nothing else', async (t) => {
  const { store, db } = await freshStore(t);
  await store.enqueue([order(1)], 1);
  const set = (json: string): Promise<null> =>
    db.none(`UPDATE mo_batch SET more_actual_consumption = $1::jsonb`, [json]);
  for (const wrong of ['{"bin_16": "12"}', '{"Bin": 1}', '{"silo_a": 1}', '[]', '{"a-b": 1}'])
    await assert.rejects(set(wrong), /mo_batch_more_silos/, wrong);
  for (const wrong of [`more_consumption = '{"bin_16": "12"}'`, `more_component_names = '{"bin_16": 12}'`])
    await assert.rejects(db.none(`UPDATE mo_batch SET ${wrong}`), /mo_batch_more_silos/, wrong);
  assert.equal((await row(db, 1)).revision, 0);
  await set('{"bin_16": null}');
  await db.none('UPDATE mo_batch SET more_actual_consumption = NULL');
  assert.deepEqual([(await row(db, 1)).revision, (await row(db, 1)).more_actual_consumption], [0, {}]);
  await set('{"bin_16": 1.50}');
  await set('{"bin_16": 1.5}');
  assert.equal((await row(db, 1)).revision, 1, 'the same number is no change');
  await db.none(`INSERT INTO mo_histories (mo_id) VALUES ('OLD/1')`);
  const [old] = await db.any<{ more_actual_consumption: object }>(`SELECT * FROM mo_histories WHERE mo_id = 'OLD/1'`);
  assert.deepEqual(old?.more_actual_consumption, {});
});

test('a call by hand on a further silo is saved, unless a reading told another value meanwhile', async (t) => {
  const { store, db, ledger } = await freshStore(t);
  await store.enqueue([order(1)], 1);
  await store.record([reading(1, { bin_16: 12, bin_17: 1 }, 1)], 'PLC01');
  const consumption = { bin_16: 13, bin_17: 2, bin_18: 4 };
  const taken = await ledger.lease({ mo_id: moId(1) }, 'manual', 60_000, { call: { consumption }, completed: false });
  if ('refused' in taken) return assert.fail(taken.refused);
  await store.record([reading(1, { bin_16: 12, bin_17: 1.5 }, 2)], 'PLC01');
  const { pending_call: pending } = (await row(db, 1)) as { pending_call?: { consumption?: object } };
  assert.deepEqual(pending?.consumption, { bin_16: 13, bin_18: 4 }, 'a value that is told anew is settled');
  const saved = await ledger.saveManual(taken.batch, taken.owner, { consumption }, confirmed(consumption));
  assert.deepEqual(actualWeights(saved ?? {}), { bin_16: 13, bin_17: 1.5, bin_18: 4 });
});

test('what Odoo turned out to hold of a call by hand is taken into a further silo', async (t) => {
  const { store, ledger } = await freshStore(t);
  await store.enqueue([order(1)], 1);
  await store.record([reading(1, { bin_16: 12 }, 1)], 'PLC01');
  const consumption = { bin_16: 13 };
  const taken = await ledger.lease({ mo_id: moId(1) }, 'manual', 60_000, { call: { consumption }, completed: false });
  if ('refused' in taken) return assert.fail(taken.refused);
  const known = { settled: { consumption }, arrived: { consumption: { ...consumption, bin_17: 5 } } };
  const settled = await ledger.settleCalls(taken.batch, taken.owner, known, 'it had arrived');
  assert.deepEqual(actualWeights(settled ?? {}), { bin_16: 13 }, 'only what was unsettled');
});

test('a changed plan of further silos comes into a queued row, and a silo that left the order leaves it', async (t) => {
  const { store, db } = await freshStore(t);
  await store.enqueue([{ ...order(1), ...FURTHER }], 1);
  await store.replan([{ ...order(1), more_component_names: { bin_9: 'Rock salt' }, more_consumption: { bin_9: 4 } }]);
  const changed = await row(db, 1);
  assert.deepEqual([changed.more_component_names, changed.more_consumption], [{ bin_9: 'Rock salt' }, { bin_9: 4 }]);
  await store.replan([order(1)]);
  assert.deepEqual((await row(db, 1)).more_consumption, {});
});

test('queue and history with further silos are exported and imported as they are', async (t) => {
  const [from, to] = [await freshStore(t), await freshStore(t)];
  for (const n of [1, 2]) {
    await from.store.enqueue([{ ...order(n), ...FURTHER }], 1);
    await from.store.record([reading(n, { bin_16: 12.4, bin_40: n }, n)], 'PLC01');
  }
  await from.store.archive([String((await row(from.db, 2)).id)], { status: 'failed', note: 'by hand' });
  const folder = openTempFolder();
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'export');
  await exportTo(from.db, file);
  await importFrom(to.db, file);
  const rows = async ({ db }: typeof to): Promise<object[]> => [
    ...(await db.any<object>('SELECT * FROM mo_batch')),
    ...(await db.any<object>('SELECT * FROM mo_histories')),
  ];
  const [queued, archived] = (await rows(to)) as Parameters<typeof actualWeights>[0][];
  assert.deepEqual(actualWeights(queued!), { bin_16: 12.4, bin_40: 1 });
  assert.deepEqual(componentNames(archived!).bin_9, 'Salt');
  assert.deepEqual(await rows(to), await rows(from));
});
