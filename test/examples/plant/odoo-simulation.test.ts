import assert from 'node:assert/strict';
import { appendFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { UPDATE, callKw, client, errorOf, login, result, send, started } from './odoo-client';

const DONE = '/api/scada/mo/mark-done';

test('two calls for one order at the same time: one is rolled back whole, and the overlap is counted', async (t) => {
  const odoo = await started(t, { latencyMs: 200 });
  odoo.createOrder();
  odoo.createOrder();
  const post = await client(odoo);
  const [one, two, other] = await Promise.all([
    post(UPDATE, { mo_id: 'WH/MO/00001', silo101: 1, silo102: 1 }),
    post(UPDATE, { mo_id: 'WH/MO/00001', silo101: 2, silo102: 2 }),
    post(UPDATE, { mo_id: 'WH/MO/00002', silo101: 3 }),
  ]);
  const errors = [one, two].map((answer) => errorOf(answer)?.code);
  assert.deepEqual(errors.toSorted(), [200, undefined]);
  const { silo101: a, silo102: b } = odoo.done('WH/MO/00001');
  assert.equal(a, errors[0] === undefined ? 1 : 2);
  assert.equal(b, a);
  assert.equal(errorOf(other), undefined);
  assert.equal(odoo.maxConcurrentPerOrder(), 2);
});

test('calls for one order after each other do not count as concurrent', async (t) => {
  const odoo = await started(t, { keepAlive: true });
  odoo.createOrder();
  const post = await client(odoo);
  for (const kg of [1, 2, 3]) await post(UPDATE, { mo_id: 'WH/MO/00001', silo101: kg });
  assert.equal(odoo.maxConcurrentPerOrder(), 1);
  const seen = odoo.calls
    .filter(({ route }) => route === UPDATE)
    .map(({ mo_id, user, outcome }) => [mo_id, user, outcome]);
  assert.deepEqual(seen, Array(3).fill(['WH/MO/00001', 'scada', 'success']));
});

test('stop refuses connections and start listens again on the same port', async (t) => {
  const odoo = await started(t);
  const { url } = odoo;
  await odoo.stop();
  await assert.rejects(login(url), { code: 'ECONNREFUSED' });
  await odoo.start();
  assert.equal(odoo.url, url);
  assert.match(await login(url), /^[0-9a-f]{40}$/);
});

test('orders, moves and sessions survive a killed process, a half-written last commit does not', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'odoo-state-'));
  t.after(() => rm(directory, { recursive: true }));
  const stateFile = join(directory, 'odoo.jsonl');
  const first = await started(t, { stateFile });
  first.createOrder({ policy: 'flexible' });
  first.createOrder();
  const cookie = `session_id=${await login(first.url)}`;
  await send(first.url, UPDATE, '{"mo_id":"WH/MO/00001","silo101":850.5,"quantity":2500}', cookie);
  await send(first.url, DONE, '{"mo_id":"WH/MO/00001","finished_qty":2500}', cookie);
  const before = first.orders();
  await first.stop();
  await appendFile(stateFile, '{"order":{"id":1,"na');

  const second = await started(t, { stateFile });
  assert.deepEqual(second.orders(), before);
  assert.equal(second.done('WH/MO/00001').silo101, 850.5);
  const again = await send(second.url, UPDATE, '{"mo_id":"WH/MO/00002","silo101":5}', cookie);
  assert.equal(result(again).status, 'success');
  assert.equal(second.createOrder().name, 'WH/MO/00003');
  const ids = second.orders().flatMap((order) => order.moves.map((move) => move.id));
  assert.equal(new Set(ids).size, ids.length);
  await second.stop();

  const third = await started(t, { stateFile });
  assert.equal(third.done('WH/MO/00002').silo101, 5);
  assert.ok(
    (await readFile(stateFile, 'utf8')).trim().split('\n').length <= 5,
    'the journal keeps one line per record',
  );
});

test('a user without the manager right gets an error, and the first code is committed', async (t) => {
  const odoo = await started(t);
  odoo.createOrder();
  const post = await client(odoo, 'scada_op');
  const answer = await post(UPDATE, { mo_id: 'WH/MO/00001', silo101: 10, silo102: 20 });
  assert.equal(result(answer).status, 'error');
  const { silo101: first, silo102: second } = odoo.done('WH/MO/00001');
  assert.deepEqual([first, second], [10, 0]);
});

test('NaN after good codes: they are committed, its own code is wiped', async (t) => {
  const odoo = await started(t);
  odoo.createOrder();
  const cookie = `session_id=${await login(odoo.url)}`;
  await send(odoo.url, UPDATE, '{"mo_id":"WH/MO/00001","silo102":7}', cookie);
  await send(odoo.url, UPDATE, '{"mo_id":"WH/MO/00001","silo101":5,"silo102":NaN,"silo103":9}', cookie);
  const { silo101: a, silo102: b, silo103: c } = odoo.done('WH/MO/00001');
  assert.deepEqual([a, b, c], [5, 0, 0]);
});

test('mark-done with a T in its date errors after it has written the finished quantity', async (t) => {
  const odoo = await started(t);
  odoo.createOrder({ policy: 'flexible' });
  const post = await client(odoo);
  await post(UPDATE, { mo_id: 'WH/MO/00001', silo101: 5, quantity: 2500 });
  const body = { mo_id: 'WH/MO/00001', finished_qty: 2400, date_end_actual: '2026-11-21T18:00:00' };
  assert.match(String(result(await post(DONE, body)).message), /^time data '2026-11-21T18:00:00' does not match/);
  const { state, finished } = odoo.order('WH/MO/00001');
  assert.deepEqual([state, finished], ['to_close', 2400]);
});

test('call_kw searches moves and orders with the domains that a client needs', async (t) => {
  const odoo = await started(t);
  odoo.createOrder();
  odoo.createOrder({ line: 'PLC02', schedule: '2020-01-01 00:00:00' });
  odoo.createOrder({ line: null, components: [{ code: null, product: 'Water', quantity: 5, uom: 'L' }] });
  const post = await client(odoo);
  const rows = async (model: string, domain: unknown[], kwargs: object) =>
    result(await callKw(post, model, 'search_read', [domain], kwargs)) as unknown as Record<string, unknown>[];
  const moves = await rows('stock.move', [['raw_material_production_id.name', 'in', ['WH/MO/00001', 'WH/MO/00003']]], {
    fields: ['product_uom', 'scada_equipment_id', 'raw_material_production_id'],
  });
  assert.equal(moves.length, 14);
  assert.deepEqual(moves.at(-1), {
    id: 42,
    product_uom: [10, 'L'],
    scada_equipment_id: false,
    raw_material_production_id: [3, 'WH/MO/00003'],
  });
  const silo = [
    ['raw_material_production_id', '=', 2],
    ['scada_equipment_id', '=', 3],
    ['state', '!=', 'cancel'],
  ];
  assert.equal((await rows('stock.move', silo, { fields: ['id'] })).length, 1);
  const orders = await rows(
    'mrp.production',
    [
      ['state', 'in', ['confirmed']],
      ['id', 'in', [1, 2]],
    ],
    {
      fields: ['name', 'scada_equipment_id'],
      order: 'date_planned_start asc, id asc',
      limit: 1,
    },
  );
  assert.deepEqual(orders, [{ id: 2, name: 'WH/MO/00002', scada_equipment_id: [2, 'PLC02'] }]);
  const some = ['|', ['name', '=', 'WH/MO/00001'], ['scada_equipment_id', '=', false]];
  assert.equal(result(await callKw(post, 'mrp.production', 'search_count', [some])), 2);
});

test('call_kw answers what it does not know, and a wrong field, with error.code 200', async (t) => {
  const odoo = await started(t);
  odoo.createOrder();
  const post = await client(odoo);
  const answers = await Promise.all([
    callKw(post, 'res.partner', 'search_read', [[]]),
    callKw(post, 'mrp.production', 'unlink', [[1]]),
    callKw(post, 'mrp.production', 'read', [[1], ['no_such_field']]),
    callKw(post, 'mrp.production', 'search_read', [[['nome', '=', 'x']]]),
    callKw(await client(odoo, 'plainuser'), 'mrp.production', 'read', [[1]]),
  ]);
  assert.deepEqual(
    answers.map((answer) => errorOf(answer)?.code),
    [200, 200, 200, 200, 200],
  );
});

test('call_kw closes an order whatever its policy, and a move can be set to zero', async (t) => {
  const odoo = await started(t);
  odoo.createOrder({ policy: 'strict' });
  const post = await client(odoo);
  await post(UPDATE, { mo_id: 'WH/MO/00001', silo101: 900, silo102: 3, quantity: 2400 });
  const second = odoo.order('WH/MO/00001').moves[1];
  assert.equal(result(await callKw(post, 'stock.move', 'write', [[second?.id], { quantity_done: 0 }])), true);
  const context = { skip_consumption: true, skip_backorder: true };
  const refused = result(await callKw(post, 'mrp.production', 'button_mark_done', [[1]]));
  assert.equal(refused.res_model, 'mrp.consumption.warning');
  assert.equal(result(await callKw(post, 'mrp.production', 'button_mark_done', [[1]], { context })), true);
  const { state, quantity } = odoo.order('WH/MO/00001');
  assert.deepEqual([state, quantity], ['done', 2400]);
  assert.deepEqual([odoo.done('WH/MO/00001').silo101, odoo.done('WH/MO/00001').silo102], [900, 0]);
});

test('another process steers it over HTTP', async (t) => {
  const odoo = await started(t);
  const control = async (method: string, what: string, body: object = {}) =>
    send(odoo.url, `/__plant/odoo/${what}`, JSON.stringify(body), undefined, { method });
  assert.equal(((await control('POST', 'orders', { quantity: 5000 })).body as { name: string }).name, 'WH/MO/00001');
  await control('POST', 'orders', { name: 'WH/MO/00002' });
  await control('POST', 'cancel', { name: 'WH/MO/00001' });
  await control('POST', 'done', { name: 'WH/MO/00002' });
  const states = (await control('GET', 'orders')).body as { state: string }[];
  assert.deepEqual(
    states.map(({ state }) => state),
    ['cancel', 'done'],
  );
  assert.equal(((await control('GET', 'orders/WH/MO/00002')).body as { finished: number }).finished, 2500);
  assert.equal(((await control('GET', 'done/WH/MO/00002')).body as { silo113: number }).silo113, 125);
  const changed = { name: 'WH/MO/00002', code: 'silo113', kg: 130.5 };
  assert.equal(((await control('POST', 'consumed', changed)).body as { silo113: number }).silo113, 130.5);
  assert.equal((await control('POST', 'consumed', { ...changed, code: 'silo999' })).status, 400);
  await control('POST', 'faults', { kind: 'http500', route: 'authenticate', count: 'always' });
  await assert.rejects(login(odoo.url), /no session/);
  await control('DELETE', 'faults');
  await login(odoo.url);
  assert.equal(((await control('GET', 'calls')).body as unknown[]).length, 2);
  assert.equal((await control('POST', 'cancel', { name: 'WH/MO/00002' })).status, 400);
  assert.equal((await control('GET', 'nothing')).status, 404);
  assert.equal((await control('POST', 'down', { ms: 10 })).status, 200);
  const back = async (): Promise<unknown> => login(odoo.url).catch(() => back());
  await back();
});

test('a login that sends the old cookie ends the old session, one without it does not', async (t) => {
  const odoo = await started(t);
  const old = await login(odoo.url);
  const info = (sid: string) => send(odoo.url, '/web/session/get_session_info', '{}', `session_id=${sid}`);
  await login(odoo.url);
  assert.equal(errorOf(await info(old)), undefined);
  const body = '{"db":"odoo14","login":"scada","password":"scada"}';
  const again = await send(odoo.url, '/api/scada/authenticate', body, `session_id=${old}`);
  assert.equal(errorOf(await info(old))?.code, 100);
  assert.equal(result(again).session_id, old, 'the id in the body is the dead one');
});

test('after ten failed logins even the right password waits for a minute', async (t) => {
  let clock = Date.parse('2026-01-01T00:00:00Z');
  const odoo = await started(t, { now: () => new Date(clock) });
  const attempt = async (password: string) => {
    const body = JSON.stringify({ db: 'odoo14', login: 'scada', password });
    return result(await send(odoo.url, '/api/scada/authenticate', body)).message;
  };
  for (let count = 0; count < 10; count++) assert.equal(await attempt('bad'), 'Access Denied');
  assert.match(String(await attempt('scada')), /^Too many login failures/);
  clock += 59_999;
  assert.match(String(await attempt('scada')), /^Too many login failures/);
  clock += 1;
  assert.equal(await attempt('scada'), undefined);
  assert.equal(await attempt('bad'), 'Access Denied');
});

test('every answer closes its connection, unless a proxy keeps it alive', async (t) => {
  for (const [keepAlive, connection] of [
    [false, 'close'],
    [true, 'keep-alive'],
  ] as const) {
    const odoo = await started(t, { keepAlive });
    const { headers } = await send(odoo.url, '/api/scada/health', '{}', undefined, {
      method: 'GET',
      headers: { 'Content-Type': 'application/json', Connection: 'keep-alive' },
    });
    assert.equal(headers.find(([name]) => name === 'connection')?.[1], connection);
  }
});

test('a new order gets a free name even where one was named by hand', async (t) => {
  const odoo = await started(t);
  odoo.createOrder({ name: 'WH/MO/00002' });
  assert.equal(odoo.createOrder().name, 'WH/MO/00003');
  assert.throws(() => odoo.createOrder({ name: 'WH/MO/00002' }), /exists/);
});
