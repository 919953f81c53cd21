/** Who may close an order of an Odoo, over several Node-REDs of one database. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { inTurn, type TurnOptions } from '../../../nodes/lib/push/closing-turn';
import { Limiter } from '../../../nodes/lib/push/limiter';
import { DatabaseClosingLedger } from '../../../nodes/lib/store/closings';
import { freshStore } from '../../support/store';

const ODOO = 'http://odoo odoo14';
const OWNERS = ['00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-000000000002'] as const;

test('one closing at a time over two Node-REDs, in turns: none of them starves', async (t) => {
  const { db } = await freshStore(t);
  const ledger = new DatabaseClosingLedger(db);
  const order: string[] = [];
  let running = 0;
  const nodeRed = (name: string): Promise<unknown> => {
    const limiter = new Limiter(2);
    const close = async (): Promise<void> => {
      running += 1;
      assert.equal(running, 1);
      order.push(name);
      await delay(20);
      running -= 1;
    };
    return Promise.all(Array.from({ length: 6 }, () => inTurn(limiter, ledger, ODOO, { ttlMs: 5000 }, close)));
  };
  await Promise.all([nodeRed('a'), nodeRed('b')]);
  assert.equal(order.length, 12);
  for (const name of ['a', 'b']) assert.ok(order.slice(0, 6).includes(name), order.join());
  assert.equal((await db.one<{ n: number }>('SELECT count(*) AS n FROM mo_closings')).n, 0);
});

test('two Odoos do not wait for each other', async (t) => {
  const { db } = await freshStore(t);
  const ledger = new DatabaseClosingLedger(db);
  assert.equal(await ledger.ask(ODOO, OWNERS[0], 5000, 5000), true);
  assert.equal(await ledger.ask('http://other odoo14', OWNERS[1], 5000, 5000), true);
});

test('a holder that was killed is passed over when its turn has run out', async (t) => {
  const { db } = await freshStore(t);
  const ledger = new DatabaseClosingLedger(db);
  assert.equal(await ledger.ask(ODOO, OWNERS[0], 300, 5000), true);
  assert.equal(await ledger.ask(ODOO, OWNERS[1], 300, 5000), false);
  const asked = performance.now();
  const turn: TurnOptions = { ttlMs: 5000, longest: 10_000 };
  await ledger.leave(OWNERS[1]);
  assert.equal(await inTurn(new Limiter(1), ledger, ODOO, turn, () => Promise.resolve('closed')), 'closed');
  assert.ok(performance.now() - asked > 100);
  assert.equal(await ledger.ask(ODOO, OWNERS[0], 300, 5000), true, 'it asks anew');
});

test('who held the turn too long has lost it', async (t) => {
  const { db } = await freshStore(t);
  const ledger = new DatabaseClosingLedger(db);
  await ledger.ask(ODOO, OWNERS[0], 5000, 5000);
  await db.none(`UPDATE mo_closings SET until = clock_timestamp() - interval '1 second'`);
  assert.equal(await ledger.ask(ODOO, OWNERS[1], 5000, 5000), true);
  assert.equal(await ledger.ask(ODOO, OWNERS[0], 5000, 5000), false);
});

test('a turn that ends years ahead, because a clock was set back, binds nobody', async (t) => {
  const { db } = await freshStore(t);
  const ledger = new DatabaseClosingLedger(db);
  await ledger.ask(ODOO, OWNERS[0], 5000, 5000);
  await db.none(`UPDATE mo_closings SET until = now() + interval '1 year'`);
  assert.equal(await ledger.ask(ODOO, OWNERS[1], 5000, 5000), true);
});

test('who waited too long leaves the line, and so does who is closed', async (t) => {
  const { db } = await freshStore(t);
  const ledger = new DatabaseClosingLedger(db);
  await ledger.ask(ODOO, OWNERS[0], 60_000, 5000);
  const never = (): Promise<never> => assert.fail('it is not its turn');
  assert.equal(await inTurn(new Limiter(1), ledger, ODOO, { ttlMs: 5000, longest: 50 }, never), undefined);
  const closing = new AbortController();
  const waiting = inTurn(new Limiter(1), ledger, ODOO, { ttlMs: 5000, signal: closing.signal }, never);
  closing.abort(new Error('closing'));
  await assert.rejects(waiting, /^Error: closing$/);
  assert.equal((await db.one<{ n: number }>('SELECT count(*) AS n FROM mo_closings')).n, 1);
});
