/** What needs a person, and what a person decides about it, on a real PostgreSQL and while readings go on arriving. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { Need } from '../../../nodes/lib/domain/need';
import type { Reading } from '../../../nodes/lib/domain/reading';
import { LOCKS } from '../../../nodes/lib/store/connection';
import type { RejectedSlot } from '../../../nodes/lib/store/rejected';
import { People } from '../../../nodes/lib/store/people';
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
  row,
} from '../../support/store';
import { whileQueueIsLocked, type TestStore } from '../../support/store';

const TYPO = 'WH/MO/77777';
const shows = (mo_id: string, more: Partial<Reading> = {}): Reading => ({
  ...finalReading(1, { silo_a: 825.5, silo_b: 600.3 }, 1),
  ...{ mo_id, slot: 3, source: 's7', ...more },
});

async function plant(t: TestContext): Promise<TestStore & { people: People; asked: () => Promise<Need[]> }> {
  const opened = await freshStore(t);
  const people = new People(opened.db);
  return { ...opened, people, asked: () => people.needs('PLC01', 15) };
}
/** Task 2 asked Odoo for what readings wait for, and Odoo has not given it. */
const odooWasAsked = async ({ store, db }: TestStore): Promise<void> => {
  await store.unqueued('PLC01');
  await db.none(`UPDATE mo_held_readings SET asked_at = asked_at - interval '1 minute'`);
};
const codes = (needs: Need[]): string[] => needs.map(({ code }) => code);
const outcomeOf = async ({ store }: TestStore, one: Reading): Promise<string | undefined> =>
  (await store.record([one], 'PLC01'))[0]?.outcome;

test('a completed batch under a number that Odoo does not know needs a person, with slot, weights and since when', async (t) => {
  const at = await plant(t);
  assert.equal(await outcomeOf(at, shows(TYPO)), 'held');
  assert.deepEqual(await at.asked(), [], 'Odoo may know it: it is asked first');
  await odooWasAsked(at);
  const [need, ...more] = await at.asked();
  assert.deepEqual(more, []);
  assert.ok(need?.since);
  assert.deepEqual(
    { ...need, since: '' },
    {
      ...{
        code: 'held-unknown',
        key: `held-unknown ${TYPO}`,
        id: null,
        mo_id: TYPO,
        line: 'PLC01',
        slot: 3,
        source: 's7',
      },
      ...{ since: '', reason: '', weights_of: null, asks: 1, weighed: 1425.8, finished: 2500, completed: true },
      weights: [
        { silo: 'silo_a', kg: 825.5 },
        { silo: 'silo_b', kg: 600.3 },
      ],
      remedies: ['belongs-to', 'discard'],
    },
  );
});

test("a reading that a person says is another order's is applied to it, completion included; the same telling is stale, and both numbers are kept", async (t) => {
  const at = await plant(t);
  const { store, people, db } = at;
  await store.enqueue(orders(1, 2), 10);
  await outcomeOf(at, shows(TYPO));
  await odooWasAsked(at);
  const given = await people.belongsTo({ told: TYPO, slot: 3, order: order(2) }, { by: 'anna', note: 'typed wrongly' });
  assert.ok(typeof given === 'object');
  assert.deepEqual([given.state, given.actual_consumption_silo_a, given.mo_id], ['completed', 825.5, moId(2)]);
  assert.deepEqual(await at.asked(), []);
  assert.equal(await outcomeOf(at, shows(TYPO)), 'stale', 'the slot goes on showing it');
  assert.deepEqual(await store.unqueued('PLC01'), [], 'Odoo is not asked for it any more');
  assert.equal(await outcomeOf(at, shows(moId(2))), 'unchanged', 'the number was corrected in the slot');
  for (const about of [TYPO, moId(2)]) {
    const event = (await store.trail(about)).events.find(({ kind }) => kind === 'belongs-to');
    const { by, note, told, belongs_to } = event?.detail ?? {};
    assert.deepEqual([by, note, told, belongs_to], ['anna', 'typed wrongly', TYPO, moId(2)], about);
  }
  assert.equal(
    await outcomeOf(at, shows(TYPO, { consumption: { silo_a: 1 } })),
    'held',
    'other figures are another batch',
  );
  assert.equal((await row(db, 1)).revision, 0);
});

test('an order that is not queued yet is queued with the reading that belongs to it', async (t) => {
  const at = await plant(t);
  await outcomeOf(at, shows(TYPO, { status_manufacturing: false }));
  const given = await at.people.belongsTo({ told: TYPO, slot: null, order: order(5) });
  assert.ok(typeof given === 'object');
  assert.deepEqual([given.state, given.batch_no, given.equipment_id_batch], ['running', 1, 'PLC01']);
});

test('a batch that goes on under its wrong number belongs to the same order again', async (t) => {
  const at = await plant(t);
  const runs = { status_manufacturing: false, consumption: { silo_a: 100 } };
  await outcomeOf(at, shows(TYPO, runs));
  await at.people.belongsTo({ told: TYPO, slot: 3, order: order(5) });
  await outcomeOf(at, shows(TYPO));
  const given = await at.people.belongsTo({ told: TYPO, slot: 3, order: order(5) });
  assert.ok(typeof given === 'object');
  assert.deepEqual([given.state, given.actual_consumption_silo_a], ['completed', 825.5]);
});

test('a reading is refused to an order that has one of its own, is archived, is set aside, or is the number itself', async (t) => {
  const at = await plant(t);
  const { store, people, db } = at;
  await finishedBatch(at, 9);
  await store.archive(null, { status: 'completed' });
  await store.enqueue(orders(1, 4), 10);
  await store.record([reading(1, { silo_a: 5 }, 1), finalReading(2, { silo_a: 5 }, 1)], 'PLC01');
  await outcomeOf(at, { ...shows(moId(6)), slot: 6, consumption: { silo_a: 7 } });
  await db.none(`UPDATE mo_batch SET set_aside_at = now() WHERE mo_id = $1`, moId(3));
  await outcomeOf(at, shows(TYPO));
  const to = (n: number) => people.belongsTo({ told: TYPO, slot: 3, order: order(n) });
  assert.deepEqual(
    [await to(1), await to(2), await to(6), await to(9), await to(3)],
    ['own-reading', 'own-reading', 'own-reading', 'archived', 'set-aside'],
  );
  const same = { told: moId(4), slot: 3, order: order(4) };
  assert.equal(await people.belongsTo(same), 'same-order');
  assert.equal(await people.belongsTo({ told: TYPO, slot: 8, order: order(4) }), 'nothing-held', 'of another slot');
  assert.equal(await outcomeOf(at, shows(TYPO)), 'held', 'it is still held');
});

test('of a decision and a reading of the same slot at the same moment, whichever comes second finds what the first left', async (t) => {
  const at = await plant(t);
  await at.store.enqueue(orders(1, 2), 10);
  await outcomeOf(at, shows(TYPO));
  const [given, again] = await whileQueueIsLocked(at, LOCKS.queue, async (waiting) => {
    const work = at.people.belongsTo({ told: TYPO, slot: 3, order: order(2) });
    await waiting(1);
    return [work, outcomeOf(at, shows(TYPO))] as [typeof work, Promise<string | undefined>];
  });
  assert.ok(typeof given === 'object');
  assert.deepEqual([given.state, again], ['completed', 'stale']);
  // The order told itself just before: it has a reading of its own.
  await outcomeOf(at, shows(TYPO, { consumption: { silo_a: 3 } }));
  const [own, late] = await whileQueueIsLocked(at, LOCKS.queue, async (waiting) => {
    const work = outcomeOf(at, { ...shows(moId(1)), slot: 1, consumption: { silo_a: 4 } });
    await waiting(1);
    return [work, at.people.belongsTo({ told: TYPO, slot: 3, order: order(1) })] as [
      typeof work,
      ReturnType<People['belongsTo']>,
    ];
  });
  assert.deepEqual([own, late], ['recorded', 'own-reading']);
});

test('two people who say it at once give the reading to one order', async (t) => {
  const at = await plant(t);
  await at.store.enqueue(orders(1, 2), 10);
  await outcomeOf(at, shows(TYPO));
  const both = await Promise.all([1, 2].map((n) => at.people.belongsTo({ told: TYPO, slot: 3, order: order(n) })));
  assert.equal(both.filter((given) => given === 'nothing-held').length, 1);
  const rows = await at.db.any('SELECT FROM mo_batch WHERE revision > 0');
  assert.equal(rows.length, 1);
});

test('a completed batch without a finished weight needs one; entered, it is due and told to Odoo as changed by hand', async (t) => {
  const at = await plant(t);
  const { store, ledger, people, db } = at;
  await store.enqueue(orders(1, 2), 10);
  await store.record(
    [{ ...finalReading(1, { silo_a: 825.5 }, 1), actual_weight_quantity_finished_goods: null }],
    'PLC01',
  );
  const { batch, owner } = await leased(ledger, 1, 'finish');
  const undecided = { conclusion: 'undecided', reason: 'no finished weight', setAside: true } as const;
  await ledger.settle(batch, owner, confirmed({ silo_a: 825.5 }, undecided));
  const [need] = await at.asked();
  assert.deepEqual(
    [need?.code, need?.mo_id, need?.remedies],
    ['no-finished-weight', moId(1), ['finished-weight', 'archive']],
  );
  const entered = await people.finishedWeight(moId(1), 2480, { by: 'anna' });
  assert.deepEqual([entered?.state, Number(entered?.actual_weight_quantity_finished_goods)], ['completed', 2480]);
  assert.deepEqual([codes(await at.asked()), (await store.due(10)).length], [[], 1]);
  assert.equal(await people.finishedWeight(moId(1), 3, {}), null, 'it has one now');
  assert.equal(await people.finishedWeight(moId(2), 3, {}), null, 'it is not completed');
  const { events } = await store.trail(moId(1));
  const { by, kg } = events.find(({ kind }) => kind === 'finished-weight')?.detail ?? {};
  assert.deepEqual([by, kg], ['anna', 2480]);
  assert.equal(events.filter(({ kind }) => kind === 'changed').at(-1)?.detail.source, 'manual');
  assert.equal((await row(db, 1)).update_odoo, false);
});

test('a refused slot is kept with its bytes until it is right again, since it was first seen; each source for itself', async (t) => {
  const { people, db, asked } = await plant(t);
  const wrong = {
    slot: 4,
    mo_id: moId(1),
    raw: '00ff',
    problems: [{ field: 'silo_a', problem: 'is below 0', code: 'negative', value: -5 }],
  };
  const note = (source: string, ...rejected: RejectedSlot[]) =>
    people.noteRejected({ rejected, right: null, line: 'PLC01', source });
  await note('s7/DB1', wrong);
  await note('s7/DB2', { ...wrong, slot: 1, mo_id: null });
  await db.none(`UPDATE mo_rejected_slots SET since = since - interval '1 hour'`);
  const before = await asked();
  await note('s7/DB1', { ...wrong, problems: [{ field: 'silo_b', problem: 'is no number' }] });
  const [need] = (await asked()).filter(({ slot }) => slot === 4);
  assert.equal(before.length, 2);
  assert.deepEqual(
    [need?.code, need?.reason, need?.mo_id, need?.source],
    ['rejected', 'silo_b is no number', moId(1), 's7/DB1'],
  );
  assert.equal(need?.since, before.find(({ slot }) => slot === 4)?.since);
  await people.noteRejected({ rejected: [], right: [3, 5], line: 'PLC01', source: 's7/DB1' });
  assert.equal((await asked()).length, 2, 'nothing was said of slot 4');
  await note('s7/DB1');
  assert.deepEqual(
    (await asked()).map(({ source }) => source),
    ['s7/DB2'],
  );
});

test('set aside, standing still, quiet and unsettled rows are asked about in the order of need', async (t) => {
  const at = await plant(t);
  const { store, db } = at;
  await store.enqueue(orders(1, 5), 10);
  await store.record(
    [1, 2, 3, 4].map((n) => reading(n, { silo_a: n }, 1, { slot: n })),
    'PLC01',
  );
  await db.none(
    `UPDATE mo_batch SET set_aside_at = now(), set_aside_reason = 'Odoo refuses it' WHERE mo_id = $1`,
    moId(1),
  );
  await db.none(
    `UPDATE mo_batch SET pending_call = '{"at": "2026-03-02T08:00:00Z", "finished": 3}' WHERE mo_id = $1`,
    moId(2),
  );
  await db.none(
    `UPDATE mo_batch SET last_plc_reading = last_plc_reading || jsonb_build_object('recorded_at', now() - interval '20 minutes') WHERE mo_id = $1`,
    moId(3),
  );
  await db.none(`UPDATE mo_lines SET seen = seen || jsonb_build_object($1, now() - interval '2 hours')`, moId(4));
  const needs = await at.asked();
  assert.deepEqual(
    needs.map(({ code, mo_id }) => [code, mo_id]),
    [
      ['set-aside', moId(1)],
      ['unsettled', moId(2)],
      ['stalled', moId(3)],
      ['quiet', moId(4)],
    ],
  );
  assert.equal(needs[0]?.reason, 'Odoo refuses it');
  assert.ok(needs.every(({ since }) => since));
  assert.deepEqual(await at.people.needs('PLC02', 15), [], 'of another line');
});
