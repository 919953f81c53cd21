import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PushLedger } from '../../../nodes/lib/domain/ledger';
import { Limiter } from '../../../nodes/lib/push/limiter';
import { LOGIN, MARK_DONE, PLAN, UPDATE, until, withPlant } from '../../support/push-plant';

/** A ledger that remembers until when each lease runs at least: from the moment it was asked for (ms). */
function watched(ledger: PushLedger): {
  ledger: PushLedger;
  leases: { from: number; until: number }[];
  renewals: () => number;
} {
  const leases: { from: number; until: number }[] = [];
  let renewals = 0;
  const note = (ttlMs: number): void => void leases.push({ from: Date.now(), until: Date.now() + ttlMs });
  return {
    leases,
    renewals: () => renewals,
    ledger: {
      closings: ledger.closings,
      lease: (which, purpose, ttlMs, byHand) => {
        note(ttlMs);
        return ledger.lease(which, purpose, ttlMs, byHand);
      },
      renew: (id, owner, ttlMs) => {
        renewals += 1;
        note(ttlMs);
        return ledger.renew(id, owner, ttlMs);
      },
      current: (id) => ledger.current(id),
      settleCalls: (...known) => ledger.settleCalls(...known),
      settle: (...settled) => ledger.settle(...settled),
      release: (...released) => ledger.release(...released),
      saveManual: (...saved) => ledger.saveManual(...saved),
    },
  };
}

test('no call of a push starts unless more than one timeout of its lease is left', async (t) => {
  const timeoutMs = 500;
  await withPlant(t, { timeoutMs, latencyMs: 150 }, async (plant) => {
    const [mo = ''] = await plant.queue({ policy: 'warning' });
    await plant.read(mo, { ...PLAN, silo_a: 830, silo_b: 0 }, { finished: 2500, complete: true });
    // The slowest way: the session ends under a read and again under mark-done, a silo goes back to 0, closing is forced.
    plant.odoo.setFault({ kind: 'expireSession', route: 'mo-detail' });
    plant.odoo.setFault({ kind: 'expireSession', route: MARK_DONE });
    const before = plant.odoo.calls.length;
    const { ledger, leases, renewals } = watched(plant.ledger);
    const pushed = await plant.pushes().process(ledger, { mo_id: mo }, true);
    assert.equal(pushed.done, true, pushed.reason);
    assert.ok(renewals() > 0);
    for (const { route, at } of plant.odoo.calls.slice(before).filter((call) => call.route !== LOGIN)) {
      const lease = leases.findLast(({ from }) => from <= at);
      assert.ok(lease && lease.until - at > timeoutMs, `${route} started with ${lease ? lease.until - at : 0} ms left`);
    }
  });
});

test('a plain push is two statements: no lease is renewed', async (t) => {
  await withPlant(t, {}, async (plant) => {
    const [mo = ''] = await plant.queue({});
    await plant.read(mo, { silo_a: 5 });
    const { ledger, renewals } = watched(plant.ledger);
    assert.equal((await plant.pushes().process(ledger, { mo_id: mo }, false)).conclusion, 'confirmed');
    assert.equal(renewals(), 0);
  });
});

test('a push whose lease was taken over makes no further call, and what it did is not stored on the row', async (t) => {
  await withPlant(t, { timeoutMs: 300, latencyMs: 200 }, async (plant) => {
    const [mo = ''] = await plant.queue({});
    await plant.read(mo, PLAN, { finished: 2500, complete: true });
    const running = plant.push(mo, { finish: true });
    await until(() => plant.count(UPDATE) === 1);
    await plant.db.none('UPDATE mo_batch SET lease_owner = gen_random_uuid()');
    const lost = await running;
    assert.deepEqual([lost.conclusion, lost.db_saved], ['unknown-outcome', false]);
    assert.equal(plant.count(MARK_DONE), 0);
    assert.equal((await plant.row(mo)).update_odoo, false);
  });
});

test('closing gives a running call up: an unknown outcome, stored, and due again at once', async (t) => {
  await withPlant(t, {}, async (plant) => {
    const [mo = ''] = await plant.queue({});
    await plant.read(mo, { silo_a: 5 });
    plant.odoo.setFault({ kind: 'hang', route: UPDATE });
    const closing = new AbortController();
    const running = plant.pushes().process(plant.ledger, { mo_id: mo }, false, closing.signal);
    await until(() => plant.count(UPDATE) === 1);
    closing.abort();
    const given = await running;
    assert.deepEqual([given.conclusion, given.db_saved], ['unknown-outcome', true]);
    assert.equal((await plant.push(mo)).conclusion, 'confirmed');
  });
});

test('the next row is leased while Odoo is busy, no more than one ahead; closing gives it back as it was', async (t) => {
  await withPlant(t, {}, async (plant) => {
    plant.limiter = new Limiter(1);
    const mos = await plant.queue({}, {}, {});
    for (const mo of mos) await plant.read(mo, { silo_a: 5 });
    plant.odoo.setFault({ kind: 'hang', route: UPDATE });
    const closing = new AbortController();
    const pushes = plant.pushes();
    const running = Promise.allSettled(
      mos.map((mo_id) => pushes.process(plant.ledger, { mo_id }, false, closing.signal)),
    );
    const leased = (): Promise<string[]> =>
      plant.db.map(
        'SELECT mo_id FROM mo_batch WHERE lease_owner IS NOT NULL ORDER BY mo_id',
        [],
        (row: { mo_id: string }) => row.mo_id,
      );
    await until(() => plant.count(UPDATE) === 1);
    while ((await leased()).length < 2);
    assert.deepEqual(await leased(), mos.slice(0, 2));
    closing.abort();
    assert.deepEqual(
      (await running).map(({ status }) => status),
      ['fulfilled', 'rejected', 'rejected'],
    );
    assert.deepEqual(await leased(), []);
    assert.equal(plant.count(UPDATE), 1);
    assert.deepEqual(
      (await Promise.all(mos.map((mo) => plant.row(mo)))).map(({ attempts }) => attempts),
      [1, 0, 0],
    );
  });
});

test('a row whose lease ran out before its first call was not tried: no attempt, no event, due at once', async (t) => {
  const timeoutMs = 150;
  await withPlant(t, { timeoutMs }, async (plant) => {
    const [mo = ''] = await plant.queue({});
    await plant.read(mo, { silo_a: 5 });
    const { ledger } = watched(plant.ledger);
    const late: PushLedger = {
      ...ledger,
      // Longer than all of the lease passes between asking for it and the first call.
      lease: async (which, purpose, ttlMs) => {
        const lease = await ledger.lease(which, purpose, ttlMs);
        const asked = performance.now();
        await until(() => performance.now() - asked > ttlMs + timeoutMs);
        return lease;
      },
    };
    const pushed = await plant.pushes().process(late, { mo_id: mo }, false);
    assert.deepEqual([pushed.conclusion, pushed.skipped], ['busy', 'too-late']);
    assert.equal(plant.count(UPDATE), 0);
    const { attempts, next_attempt_at } = await plant.row(mo);
    assert.deepEqual([attempts, next_attempt_at], [0, null]);
    assert.equal((await plant.store.due(1)).length, 1);
    assert.deepEqual(await plant.db.any(`SELECT FROM mo_events WHERE kind = 'push'`), []);
  });
});
