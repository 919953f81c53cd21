/** The push node between a simulated Odoo and a real PostgreSQL: batches. (Calls by hand: manual-api.test.ts.) */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { push, type Row, startCycle } from '../support/cycle';
import { eventually, type Message, stopHelper } from '../support/node-red';

after(stopHelper);

const A = 'WH/MO/00001';
const B = 'WH/MO/00002';
const rows = (message: Message | undefined): Row[] => (message?.payload ?? []) as Row[];
const told = (message: Message | undefined): unknown[] =>
  rows(message).map(({ mo_id, conclusion }) => [mo_id, conclusion]);

test('the saved rows are pushed, whatever the message says of them; what Odoo confirmed leaves by the first output', async (t) => {
  const { odoo, red, queue, sql } = await startCycle(t, [push()]);
  const due = await queue({ [A]: 82.5, [B]: 60.25 });
  const payload = due.map((row) => ({ ...row, actual_consumption_silo_a: 999 }));
  const { out, error } = await red.send('push', { payload, topic: 'kept' });
  assert.equal(error, undefined);
  assert.equal(out[0]?.[0]?.topic, 'kept');
  assert.deepEqual(told(out[0]?.[0]), [
    [A, 'confirmed'],
    [B, 'confirmed'],
  ]);
  assert.deepEqual(out[1], []);
  assert.deepEqual([odoo.done(A).silo101, odoo.done(B).silo101], [82.5, 60.25]);
  assert.deepEqual(await sql('SELECT update_odoo AS ok FROM mo_batch'), [{ ok: true }, { ok: true }]);
  assert.match(red.status('push').text ?? '', /^2 confirmed · /);
  assert.equal(red.status('push').fill, 'green');
  const line = await red.logs(/consumption of MO WH\/MO\/00001 confirmed by Odoo/);
  assert.deepEqual([line.level, line.name], ['info', 'push']);
});

test('what Odoo refuses for good leaves by the second output with its reason, is set aside and logged; the rest is confirmed', async (t) => {
  const { odoo, red, queue, ask } = await startCycle(t, [push()]);
  const due = await queue({ [A]: 10, [B]: 20 });
  odoo.cancel(B);
  const { out, error } = await red.send('push', { payload: due });
  assert.equal(error, undefined);
  assert.deepEqual(told(out[0]?.[0]), [[A, 'confirmed']]);
  assert.deepEqual(told(out[1]?.[0]), [[B, 'order-cancelled']]);
  assert.equal(red.status('push').fill, 'yellow');
  assert.match(red.status('push').text ?? '', /^1 confirmed, 1 not · /);
  assert.match((await red.logs(/set aside/)).text, /MO WH\/MO\/00002 set aside: .*cancel/);
  assert.deepEqual(await ask('due'), []);
});

test('an empty list is nothing to do; anything but batches is refused with what the payload has to be', async (t) => {
  const { red } = await startCycle(t, [push()]);
  assert.deepEqual(await red.send('push', { payload: [] }), { error: undefined, out: [[], []] });
  assert.equal(red.status('push').fill, 'grey');
  for (const payload of [1763755200000, undefined, 'WH/MO/00001', [null], [{ batch_no: 1 }]]) {
    const { error } = await red.send('push', { payload });
    assert.match(error?.message ?? '', /msg\.payload has to be batches, each with its id or mo_id/);
  }
});

test('a row that waits or runs already is not pushed twice: a second message that names it leaves at once', async (t) => {
  const { odoo, red, queue } = await startCycle(t, [push()], { server: { parallel: '1' } });
  const due = await queue({ [A]: 10, [B]: 20 });
  odoo.setFault({ kind: 'delay', route: /update-with-consumptions/, ms: 150 });
  const first = red.send('push', { payload: due });
  const second = await red.send('push', { payload: [...due, { mo_id: 'WH/MO/00009' }].slice(0, 2) });
  assert.equal(red.dones('push'), 1);
  assert.deepEqual(
    rows(second.out[1]?.[0]).map(({ mo_id, skipped }) => [mo_id, skipped]),
    [
      [A, 'waiting'],
      [B, 'waiting'],
    ],
  );
  assert.equal(second.error, undefined);
  assert.deepEqual(told((await first).out[0]?.[0]), [
    [A, 'confirmed'],
    [B, 'confirmed'],
  ]);
  assert.equal(odoo.calls.filter(({ route }) => route.endsWith('update-with-consumptions')).length, 2);
  assert.match(red.status('push').text ?? '', /^2 confirmed/);
  // Later it may be pushed again: now there is nothing to tell.
  const later = await red.send('push', { payload: due });
  assert.deepEqual(
    rows(later.out[0]?.[0]).map(({ skipped }) => skipped),
    ['already-confirmed', 'already-confirmed'],
  );
});

test('a hundred rows keep to the number of parallel orders, with progress in the status', async (t) => {
  const { odoo, red, queue } = await startCycle(t, [push()]);
  const names = Array.from({ length: 100 }, (_, n) => `WH/MO/1${String(n).padStart(4, '0')}`);
  const due = await queue(Object.fromEntries(names.map((name, n) => [name, n + 1])));
  let [running, most] = [0, 0];
  const progress: string[] = [];
  const node = red.node('push');
  const status = node.status.bind(node);
  node.status = (shown) => {
    if (typeof shown === 'object') progress.push(shown.text ?? '');
    status(shown);
  };
  const calls = odoo.calls as unknown as { push: (call: unknown) => number };
  const original = calls.push.bind(calls);
  calls.push = (call) => {
    running =
      odoo.calls.filter(({ route, outcome }) => route.endsWith('update-with-consumptions') && !outcome).length + 1;
    most = Math.max(most, running);
    return original(call);
  };
  const { out } = await red.send('push', { payload: due });
  assert.equal(rows(out[0]?.[0]).length, 100);
  assert.ok(most <= 2, `${most} at once`);
  assert.ok(progress.includes('pushing 50/100'), progress.slice(0, 5).join());
});

test('an Odoo that is gone leaves the rows for a later attempt, shows what is wrong, and is told once; a retry mends it', async (t) => {
  const { odoo, red, queue, ask } = await startCycle(t, [push()]);
  const due = await queue({ [A]: 10, [B]: 20 });
  await odoo.stop();
  const { out, error } = await red.send('push', { payload: due });
  assert.equal(error, undefined);
  assert.deepEqual(told(out[1]?.[0]), [
    [A, 'unavailable'],
    [B, 'unavailable'],
  ]);
  assert.equal(red.status('push').fill, 'red');
  assert.match(red.status('push').text ?? '', /^Odoo: Odoo is not reachable/);
  assert.equal(red.logged('error').filter(({ id }) => id === 'odoo').length, 1);
  assert.match(
    (await red.logs(/push of MO WH\/MO\/00002 failed/)).text,
    /unavailable, .*; next attempt \d\d:\d\d:\d\d$/,
  );
  assert.deepEqual(await ask('due'), []);
  await odoo.start();
  const { out: mended } = await red.send('push', { payload: await ask('retry') });
  assert.deepEqual(told(mended[0]?.[0]), [
    [A, 'confirmed'],
    [B, 'confirmed'],
  ]);
  assert.equal(red.status('push').fill, 'green');
  assert.equal(red.logged('info').filter(({ id }) => id === 'odoo').length, 1);
});

test('while Odoo is well but some rows wait, the status says when they are tried next', async (t) => {
  const { odoo, red, queue } = await startCycle(t, [push()]);
  const due = await queue({ [A]: 10 });
  odoo.setFault({ kind: 'serverError200', route: /update-with-consumptions/ });
  await red.send('push', { payload: due });
  assert.match(red.status('push').text ?? '', /^0 confirmed, 1 not \(retry \d\d:\d\d\)$/);
  assert.equal(red.status('push').fill, 'yellow');
});

test('refused credentials are an error line and a red status, and the password is nowhere to be read', async (t) => {
  const password = 'wr0ng-and-never-shown';
  const { red, queue } = await startCycle(t, [push()], { login: { odoo: { user: 'scada', password } } });
  const due = await queue({ [A]: 10 });
  const { out } = await red.send('push', { payload: due });
  assert.deepEqual(told(out[1]?.[0]), [[A, 'credentials']]);
  const line = await red.logs(/credentials refused, MO WH\/MO\/00001 waits/);
  assert.equal(line.level, 'error');
  assert.equal(red.status('push').fill, 'red');
  assert.match(red.status('push').text ?? '', /refused the login/);
  const seen = JSON.stringify([red.logged(), red.status('push'), out]);
  assert.ok(!seen.includes(password), seen);
});

test('completed batches are marked done when the node is told to, and that is logged', async (t) => {
  const { odoo, red, queue } = await startCycle(t, [push({ markDone: true })]);
  const due = await queue({ [A]: 100, [B]: 40 }, [A]);
  const { out } = await red.send('push', { payload: due });
  assert.deepEqual(
    rows(out[0]?.[0]).map(({ mo_id, done }) => [mo_id, done]),
    [
      [A, true],
      [B, false],
    ],
  );
  assert.deepEqual([odoo.order(A).state, odoo.order(B).state], ['done', 'progress']);
  await red.logs(/MO WH\/MO\/00001 confirmed and done in Odoo/);
});

test('without a database batches are refused with the reason', async (t) => {
  const { red } = await startCycle(t, [push({ database: '' })]);
  const { error } = await red.send('push', { payload: [{ mo_id: A }] });
  assert.match(error?.message ?? '', /batches are pushed from the database only/);
});

test('a lost database fails the message with what is wrong, once told; the node recovers by itself, status too', async (t) => {
  const { red, queue, network } = await startCycle(t, [push()]);
  const due = await queue({ [A]: 10, [B]: 20 });
  await network.goAway();
  for (let n = 0; n < 2; n += 1) {
    const { error, out } = await red.send('push', { payload: due });
    assert.match(error?.message ?? '', /database not available, Batches: .*it is tried again by itself/);
    assert.deepEqual(out, [[], []]);
  }
  assert.equal(red.status('push').fill, 'red');
  assert.match(red.status('push').text ?? '', /^Batches: /);
  assert.equal(red.logged('error').filter(({ id }) => id === 'db').length, 1);
  await network.comeBack();
  const back = await red.logs(/database back/);
  assert.deepEqual([back.id, back.level], ['db', 'info']);
  await red.shows('push', /grey: ready/);
  const { out } = await red.send('push', { payload: due });
  assert.deepEqual(told(out[0]?.[0]), [
    [A, 'confirmed'],
    [B, 'confirmed'],
  ]);
});

test('closing while Odoo hangs ends at once: done(err), the row is left for a later attempt, and a restart works', async (t) => {
  const { odoo, red, queue, sql } = await startCycle(t, [push()], { server: { timeout: '600', parallel: '1' } });
  const due = await queue({ [A]: 10, [B]: 20 });
  odoo.setFault({ kind: 'hang', route: /update-with-consumptions/, count: 'always' });
  const ended = red.send('push', { payload: due });
  await eventually('the call', () => odoo.calls.some(({ route }) => route.endsWith('update-with-consumptions')));
  await red.node('push').close(false);
  const { error, out } = await ended;
  assert.match(error?.message ?? '', /closed while it worked/);
  // One was being told to Odoo, whichever had its lease first; the other waited.
  const called = odoo.calls.filter(({ route }) => route.endsWith('update-with-consumptions'));
  assert.equal(called.length, 1);
  const tried = called[0]?.mo_id;
  const waited = tried === A ? B : A;
  const conclusionOf = (mo: string | null | undefined): string | undefined =>
    rows(out[1]?.[0]).find(({ mo_id }) => mo_id === mo)?.conclusion;
  assert.equal(conclusionOf(tried), 'unknown-outcome');
  assert.notEqual(conclusionOf(waited), 'confirmed');
  assert.deepEqual(await sql('SELECT update_odoo FROM mo_batch'), [{ update_odoo: false }, { update_odoo: false }]);
  assert.deepEqual(await sql('SELECT mo_id FROM mo_batch WHERE lease_until > now()'), []);
  // What waited its turn was not tried: it has no attempt to its name.
  assert.deepEqual(await sql(`SELECT attempts FROM mo_batch WHERE mo_id = '${waited}'`), [{ attempts: 0 }]);
});

test('missing config nodes are named in the status and in every error', async (t) => {
  const nodes = [
    push({ id: 'no-server', server: '' }),
    push({ id: 'no-silos', silos: 'x' }),
    push({ id: 'no-db', database: 'gone' }),
  ];
  const { red } = await startCycle(t, nodes);
  for (const [id, what] of [
    ['no-server', /no Odoo server chosen/],
    ['no-silos', /no Silo map chosen/],
    ['no-db', /no Database chosen/],
  ] as const) {
    assert.match(red.status(id).text ?? '', what);
    assert.match((await red.send(id, { payload: [{ mo_id: A }] })).error?.message ?? '', what);
    assert.equal(red.dones(id), 1);
  }
});
