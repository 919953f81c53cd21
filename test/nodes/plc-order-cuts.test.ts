/** A connection that is cut at each telegram of a hand-over in turn: what stands in PLC and database, and how it goes on. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { S7Endpoint } from '@st-one-io/nodes7';
import { startS7Server, type S7Server } from '../../examples/plant/plc/s7-server';
import { OrderArea } from '../../nodes/lib/plc/order-area';
import { DatabaseHandoverLedger } from '../../nodes/lib/store/handover';
import { pass, type Passed } from '../../nodes/plc-order-write/pass';
import { connected } from '../lib/plc/reader-plant';
import { ORDER_DB, OrderMemory, RECORD } from '../support/order-memory';
import { freshStore, moId, order, row, type TestStore } from '../support/store';

/** More telegrams than a hand-over has. */
const MOST = 40;

interface Plant extends TestStore {
  server: S7Server;
  plc: OrderMemory;
  /** One pass; undefined: it failed. */
  pass: () => Promise<Passed | undefined>;
  /** The connection is back, and what was sent cannot land any more. */
  recover: () => Promise<void>;
}

async function plant(t: TestContext): Promise<Plant> {
  const server = await startS7Server({ dbs: { [ORDER_DB]: 1000 } });
  const endpoint = new S7Endpoint({
    host: '127.0.0.1',
    port: server.port,
    autoReconnect: 10,
    s7ConnOpts: { timeout: 1000 },
  });
  endpoint.on('error', () => undefined);
  const layout = { ...RECORD, slots: 2 };
  const area = new OrderArea(endpoint, layout, { timeoutMs: 1000, settleMs: 1 });
  const store = await freshStore(t);
  t.after(async () => {
    area.close();
    endpoint.disconnect().catch(() => undefined);
    await server.stop();
  });
  await connected(endpoint);
  const tools = { area, layout, limits: {}, clearing: 'bridge', ttlMs: 60_000 } as const;
  const { signal } = new AbortController();
  const ledger = new DatabaseHandoverLedger(store.db);
  return {
    ...{ ...store, server, plc: new OrderMemory(server.memory(ORDER_DB), layout) },
    pass: () => pass({ ...tools, ledger }, '', new Set(), signal).catch(() => undefined),
    recover: async () => {
      await connected(endpoint);
      await store.db.none('UPDATE mo_order_areas SET until = clock_timestamp()');
    },
  };
}

/** What stands in the slots, and on the row. */
async function shown({ plc, db }: Plant, n: number): Promise<string> {
  const { handed_slot, ready_at, taken_at } = await row(db, n);
  const slots = [1, 2].map((slot) => plc.slot(slot)).filter(({ number }) => number !== '');
  const plcSays =
    slots.map(({ ready, taken }) => `number${ready ? ' ready' : ''}${taken ? ' taken' : ''}`).join(' + ') || 'blank';
  const rowSays = [handed_slot && 'slot', ready_at && 'ready_at', taken_at && 'taken_at'].filter(Boolean).join(' ');
  return `${plcSays.padEnd(18)} | ${(rowSays || 'queued').padEnd(22)}`;
}

for (const at of ['request', 'answer'] as const)
  test(`cut at each telegram, the ${at} lost: the order stands in one slot, is taken once, or a person is asked`, async (t) => {
    const mill = await plant(t);
    const { server, plc, db, store } = mill;
    const asked: number[] = [];
    for (let telegram = 1; ; telegram += 1) {
      assert.ok(telegram < MOST);
      await store.enqueue([order(telegram)], 1);
      await server.setFault({ cut: { db: ORDER_DB, telegram, at } });
      const { cuts } = server.counters;
      await mill.pass();
      const isCut = server.counters.cuts > cuts;
      const after = await shown(mill, telegram);
      await server.clearFaults();
      await mill.recover();
      const next = await mill.pass();
      assert.ok(next);
      const places = [1, 2].filter((slot) => plc.slot(slot).number === moId(telegram));
      assert.equal(places.length, 1, 'it stands in one slot');
      const [slot = 0] = places;
      const gone = next.asked.some(({ mo_id, code }) => mo_id === moId(telegram) && code === 'ready-gone');
      assert.equal(plc.slot(slot).ready, !gone, 'it is offered, or a person is asked');
      t.diagnostic(
        `${String(telegram).padStart(2)} | ${after} | ${gone ? 'a person is asked' : 'offered by the next pass'}`,
      );
      if (gone) {
        asked.push(telegram);
        await mill.pass();
        assert.equal(plc.slot(slot).ready, false, 'and it is never offered again by itself');
        await new DatabaseHandoverLedger(db).withdraw(moId(telegram));
        await mill.pass();
        await new DatabaseHandoverLedger(db).wantAgain([moId(telegram)]);
        await mill.pass();
      }
      const now = [1, 2].filter((each) => plc.slot(each).number === moId(telegram));
      assert.equal(now.length, 1);
      plc.take(now[0]!);
      await mill.pass();
      const { taken_at, handed_slot } = await row(db, telegram);
      assert.ok(taken_at && handed_slot === null, 'taken once, and let go');
      assert.deepEqual([plc.slot(1).number, plc.slot(2).number], ['', '']);
      if (!isCut) break;
    }
    // Only the telegram that sets ready leaves something that the PLC alone can tell: and only when it never arrived.
    assert.equal(asked.length, at === 'request' ? 1 : 0);
  });
