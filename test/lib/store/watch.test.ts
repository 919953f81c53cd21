/** Alarms on a real PostgreSQL: each begins once and ends once, whoever asks; what waits for its turn is none. */
import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import type { Reading } from '../../../nodes/lib/domain/reading';
import { People } from '../../../nodes/lib/store/people';
import { type Alarm, type AlarmLimits, Watch } from '../../../nodes/lib/store/watch';
import {
  anotherPool,
  confirmed,
  done,
  freshStore,
  leased,
  moId,
  order,
  orders,
  reading,
  row,
  type TestStore,
} from '../../support/store';
import { timePasses } from '../../support/time';

const LIMITS: AlarmLimits = { stalled: 15, unread: 15, unconfirmed: 30 };

interface Watched extends TestStore {
  watch: Watch;
  /** What is new, as "begin stalled 1": of an order its number, of a line its name. */
  news: (line?: string) => Promise<string[]>;
  /** Readings of now. */
  read: (line: string, ...readings: Reading[]) => Promise<void>;
  passes: (minutes: number) => Promise<void>;
}

const brief = ({ state, kind, mo_id, line }: Alarm): string =>
  `${state} ${kind} ${mo_id === null ? line || "''" : Number(mo_id.slice(-5))}`;

async function watched(t: TestContext): Promise<Watched> {
  const opened = await freshStore(t);
  const watch = new Watch(opened.db);
  return {
    ...opened,
    watch,
    news: async (line) => (await watch.news('node', LIMITS, line)).news.map(brief),
    read: async (line, ...readings) => {
      const read_at = new Date().toISOString();
      await opened.store.record(
        readings.map((each) => ({ ...each, read_at })),
        line,
      );
    },
    passes: async (minutes) => {
      await opened.db.none(timePasses(minutes));
    },
  };
}

const running = (n: number, kg: number): Reading => reading(n, { silo_a: kg }, 0);
const waiting = (n: number): Reading => reading(n, { silo_a: 0 }, 0, { status_operation: false });

describe('stalled', () => {
  test('a slot that runs while its values stand still, over many reads, until they change', async (t) => {
    const { store, news, read, passes } = await watched(t);
    await store.enqueue(orders(1, 4), 10);
    for (let minute = 0; minute <= 10; minute += 5) {
      await read('PLC01', running(1, 100), running(2, 10 + minute), waiting(3));
      assert.deepEqual(await news(), []);
      await passes(5);
    }
    await read('PLC01', running(1, 100), running(2, 30), waiting(3));
    assert.deepEqual(await news(), ['begin stalled 1']);
    await passes(5);
    await read('PLC01', running(1, 100), running(2, 31), waiting(3));
    assert.deepEqual(await news(), []);
    await read('PLC01', running(1, 101), running(2, 31), waiting(3));
    assert.deepEqual(await news(), ['end stalled 1']);
    assert.deepEqual(await news(), []);
  });

  test('an outage of the PLC makes none, and ends none', async (t) => {
    const { store, news, read, passes } = await watched(t);
    await store.enqueue(orders(1, 1), 1);
    await read('PLC01', running(1, 100));
    await passes(120);
    assert.deepEqual(await news(), ['begin unread PLC01', 'begin unconfirmed 1']);
    await read('PLC01', running(1, 101));
    assert.deepEqual(await news(), ['end unread PLC01']);
    await passes(20);
    await read('PLC01', running(1, 101));
    assert.deepEqual(await news(), ['begin stalled 1']);
    await passes(120);
    assert.deepEqual(await news(), ['begin unread PLC01']);
  });

  test('a correction by hand changes nothing in the slot', async (t) => {
    const { db, store, ledger, news, read, passes } = await watched(t);
    await store.enqueue(orders(1, 1), 1);
    await read('PLC01', running(1, 100));
    await passes(20);
    await read('PLC01', running(1, 100));
    assert.deepEqual(await news(), ['begin stalled 1']);
    const { batch, owner } = await leased(ledger, 1, 'manual');
    await ledger.saveManual(batch, owner, { consumption: { silo_a: 90 } }, confirmed({ silo_a: 90 }));
    assert.equal((await row(db, 1)).actual_consumption_silo_a, 90);
    assert.deepEqual(await news(), []);
  });

  test('a completed batch is none, and a row that is archived ends it', async (t) => {
    const { store, news, read, passes } = await watched(t);
    await store.enqueue(orders(1, 2), 2);
    await read('PLC01', running(1, 100), running(2, 100));
    await passes(20);
    await read('PLC01', running(1, 100), running(2, 100));
    assert.deepEqual(await news(), ['begin stalled 1', 'begin stalled 2']);
    await read('PLC01', { ...running(1, 100), status_manufacturing: true });
    await store.archive(await store.idsOf(moId(2)), { status: 'failed', note: 'given up' });
    assert.deepEqual(await news(), ['end stalled 1', 'end stalled 2']);
  });
});

describe('unconfirmed', () => {
  test('a batch that changes all the time while Odoo is down is late from its first change on', async (t) => {
    const { store, ledger, news, read, passes } = await watched(t);
    await store.enqueue(orders(1, 1), 1);
    for (let kg = 0; kg < 30; kg += 5) {
      await read('PLC01', running(1, kg));
      assert.deepEqual(await news(), []);
      await passes(5);
    }
    assert.deepEqual(await news(), ['begin unconfirmed 1']);
    const { batch, owner } = await leased(ledger, 1);
    await ledger.settle(batch, owner, confirmed({ silo_a: 25 }));
    assert.deepEqual(await news(), ['end unconfirmed 1']);
  });

  test('a batch that is confirmed in every cycle is never late', async (t) => {
    const { store, ledger, news, read, passes } = await watched(t);
    await store.enqueue(orders(1, 1), 1);
    for (let kg = 5; kg <= 60; kg += 5) {
      await read('PLC01', running(1, kg));
      await passes(5);
      assert.deepEqual(await news(), []);
      const { batch, owner } = await leased(ledger, 1);
      await ledger.settle(batch, owner, confirmed({ silo_a: kg }));
    }
  });

  test('set-aside rows have their own alarm, and one that is retried is not late at once', async (t) => {
    const { db, store, ledger, watch, news, read, passes } = await watched(t);
    await store.enqueue(orders(1, 1), 1);
    await read('PLC01', running(1, 100));
    const { batch, owner } = await leased(ledger, 1);
    const refused = { conclusion: 'order-cancelled', reason: 'cancelled in Odoo', setAside: true } as const;
    await ledger.settle(batch, owner, refused);
    const { news: told, open } = await watch.news('node', LIMITS);
    assert.equal(open, 1);
    const [{ since, ...alarm } = assert.fail()] = told;
    assert.deepEqual(alarm, {
      ...{ kind: 'set-aside', state: 'begin', mo_id: moId(1), line: 'PLC01', slot: 1, reason: 'cancelled in Odoo' },
    });
    assert.deepEqual(new Date(since), (await row(db, 1)).set_aside_at);
    await passes(300);
    await read('PLC01', running(1, 100));
    assert.deepEqual(await news(), []);
    await store.retry(null);
    assert.deepEqual(await news(), ['end set-aside 1', 'begin stalled 1']);
    await passes(31);
    await read('PLC01', running(1, 101));
    assert.deepEqual(await news(), ['end stalled 1', 'begin unconfirmed 1']);
  });
});

describe('unread', () => {
  test('a line without orders too, and one with orders that was never read; each once', async (t) => {
    const { store, news, read, passes } = await watched(t);
    await read('PLC01');
    await store.enqueue([order(1, { equipment_id_batch: 'PLC02' })], 1);
    assert.deepEqual(await news(), []);
    await passes(15);
    assert.deepEqual(await news(), ['begin unread PLC01', 'begin unread PLC02']);
    assert.deepEqual(await news(), []);
    await read('PLC02');
    assert.deepEqual(await news(), ['end unread PLC02']);
    await read('PLC01');
    assert.deepEqual(await news(), ['end unread PLC01']);
  });

  test('orders of a line are read by a flow that names none, and orders without a line by any', async (t) => {
    const { store, news, read, passes } = await watched(t);
    await read('', running(1, 1));
    await store.enqueue([order(1), order(2, { equipment_id_batch: '' })], 2);
    await passes(60);
    await read('', running(1, 1), waiting(2));
    assert.deepEqual(
      (await news()).filter((each) => each.includes('unread')),
      [],
    );
  });

  test('a flow that was given a line leaves none behind that is never read again', async (t) => {
    const { store, news, read, passes } = await watched(t);
    await store.enqueue(orders(1, 2), 2);
    await read('', waiting(1), waiting(2));
    await passes(60);
    await read('PLC01', waiting(1));
    assert.ok((await news()).includes("begin unread ''"), 'one of its orders was not seen since');
    await read('PLC01', waiting(1), waiting(2));
    assert.ok((await news()).includes("end unread ''"));
    await passes(60);
    assert.deepEqual(
      (await news()).filter((each) => each.includes('unread')),
      ['begin unread PLC01'],
    );
  });

  test('who looks after one line also hears of a flow without a line, unless that is old or reads for another line', async (t) => {
    const { store, news, read, passes } = await watched(t);
    const unread = async (): Promise<string[]> => (await news('PLC01')).filter((each) => each.includes('unread'));
    await read('', running(1, 1));
    await passes(20);
    assert.deepEqual(await unread(), ["begin unread ''"]);
    await read('PLC01', running(1, 1));
    assert.deepEqual(await unread(), ["end unread ''"]);
    // An order of the other line, last seen by the flow without a line.
    await store.enqueue([order(2, { equipment_id_batch: 'PLC02' })], 1);
    await read('', running(2, 1));
    await passes(20);
    await read('PLC01', running(1, 1));
    assert.deepEqual(await unread(), []);
    await store.enqueue([order(1)], 1);
    await read('', running(1, 1));
    await passes(20);
    await read('PLC01');
    assert.deepEqual(await unread(), ["begin unread ''"], 'it read an order of this line');
  });

  test('each line looks after itself, and after rows without a line', async (t) => {
    const { store, news, read, passes } = await watched(t);
    await store.enqueue([order(1), order(2, { equipment_id_batch: 'PLC02' }), order(3, { equipment_id_batch: '' })], 3);
    await store.setAside([1, 2, 3].map((n) => ({ mo_id: moId(n), reason: 'cancelled' })));
    await read('PLC02');
    await passes(20);
    await read('PLC01');
    assert.deepEqual(await news('PLC01'), ['begin set-aside 1', 'begin set-aside 3']);
  });
});

test('two that ask under one name, each for its own line, leave the alarms of the other alone', async (t) => {
  const { store, news } = await watched(t);
  await store.enqueue([order(1), order(2, { equipment_id_batch: 'PLC02' })], 2);
  await store.setAside([1, 2].map((n) => ({ mo_id: moId(n), reason: 'cancelled' })));
  const both = async (): Promise<string[][]> => [await news('PLC01'), await news('PLC02')];
  assert.deepEqual(await both(), [['begin set-aside 1'], ['begin set-aside 2']]);
  assert.deepEqual(await both(), [[], []]);
  await store.retry(null);
  assert.deepEqual(await both(), [['end set-aside 1'], ['end set-aside 2']]);
  assert.deepEqual(await both(), [[], []]);
});

test('of several that ask at once under one name, one is told; another name is told for itself', async (t) => {
  const opened = await watched(t);
  await opened.store.enqueue(orders(1, 5), 5);
  await opened.store.setAside([1, 2, 3, 4, 5].map((n) => ({ mo_id: moId(n), reason: 'cancelled' })));
  const askAll = async (): Promise<number> => {
    const pools = Array.from({ length: 4 }, () => new Watch(anotherPool(t, opened.address).db));
    const told = await Promise.all(pools.map((watch) => watch.news('node', LIMITS)));
    assert.ok(told.every(({ open }) => open === told[0]?.open));
    return told.flatMap(({ news }) => news).length;
  };
  assert.equal(await askAll(), 5);
  await opened.store.retry(null);
  assert.equal(await askAll(), 5);
  assert.equal(await askAll(), 0);
  assert.equal((await opened.watch.news('other', LIMITS)).news.length, 0);
});

test('the figures count every line by state, and tell the age of what is oldest', async (t) => {
  const { store, ledger, watch, read, passes } = await watched(t);
  const none = { queued: 0, running: 0, completed: 0, confirmed: 0, done: 0, 'set-aside': 0 };
  assert.deepEqual(await watch.figures(), [{ line: '', states: none, oldest_unconfirmed: 0, held: 0 }]);
  await store.enqueue([...orders(1, 4), order(5, { equipment_id_batch: 'PLC02' })], 10);
  await read('PLC01', running(1, 1), { ...running(2, 2), status_manufacturing: true }, running(9, 1));
  await store.setAside([{ mo_id: moId(3), reason: 'cancelled' }]);
  await passes(10);
  const { batch, owner } = await leased(ledger, 2, 'finish');
  await ledger.settle(batch, owner, done({ silo_a: 2 }));
  const [unnamed, first, second, ...more] = await watch.figures();
  assert.deepEqual(more, []);
  assert.deepEqual([unnamed?.line, unnamed?.states], ['', none]);
  assert.deepEqual([first?.line, first?.held], ['PLC01', 1]);
  assert.deepEqual(first?.states, { ...none, queued: 1, running: 1, done: 1, 'set-aside': 1 });
  const age = first?.oldest_unconfirmed ?? 0;
  assert.ok(age >= 600 && age < 900, String(age));
  assert.deepEqual(second, { line: 'PLC02', states: { ...none, queued: 1 }, oldest_unconfirmed: 0, held: 0 });
});

test('what was stored and not sent when the process ended is sent by the next one, its end too; what was sent is not', async (t) => {
  const { db, store } = await freshStore(t);
  await store.enqueue([order(1)], 1);
  await db.none(`UPDATE mo_batch SET set_aside_at = now(), set_aside_reason = 'refused'`);
  const look = async (): Promise<[string[], () => Promise<void>]> => {
    const { news, sent } = await new Watch(db).news('node', LIMITS);
    return [news.map(({ kind, state }) => `${state} ${kind}`), sent];
  };
  const laterOn = (): Promise<null> =>
    db.none(`UPDATE mo_alarms SET sending_until = sending_until - interval '2 minutes'`);
  assert.deepEqual((await look())[0], ['begin set-aside']);
  assert.deepEqual((await look())[0], [], 'another Node-RED is sending it');
  await laterOn();
  const [again, sent] = await look();
  assert.deepEqual(again, ['begin set-aside'], 'its process ended');
  await sent();
  await laterOn();
  assert.deepEqual((await look())[0], []);
  await db.none('UPDATE mo_batch SET set_aside_at = NULL');
  assert.deepEqual((await look())[0], ['end set-aside']);
  await laterOn();
  const [ended, endSent] = await look();
  assert.deepEqual(ended, ['end set-aside']);
  await endSent();
  await laterOn();
  assert.deepEqual([(await look())[0], await db.any('SELECT FROM mo_alarms')], [[], []]);
});

test('readings held for a person and refused slots are alarms until they are no more', async (t) => {
  const { db, store } = await freshStore(t);
  const people = new People(db);
  const look = async (): Promise<unknown[]> =>
    (await new Watch(db).news('node', LIMITS)).news.map(({ kind, state, slot, reason }) => [state, kind, slot, reason]);
  await store.record([{ ...reading(1, { silo_a: 5 }, 1), hold: 'seen-once' }], 'PLC01');
  const rejected = [{ slot: 4, problems: [{ field: 'silo_a', problem: 'is below 0' }] }];
  await people.noteRejected({ rejected, right: null, line: 'PLC01', source: 's7' });
  assert.deepEqual(await look(), [
    ['begin', 'held', 1, 'seen-once'],
    ['begin', 'rejected', 4, 'silo_a is below 0'],
  ]);
  await store.discard(moId(1), { note: 'none' });
  await people.noteRejected({ rejected: [], right: null, line: 'PLC01', source: 's7' });
  assert.deepEqual(
    (await look()).map((told) => (told as string[]).slice(0, 2)),
    [
      ['end', 'held'],
      ['end', 'rejected'],
    ],
  );
});
