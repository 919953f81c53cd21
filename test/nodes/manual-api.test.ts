/** The manual API over HTTP: http in → push → http response, on a simulated Odoo and a real PostgreSQL. */
import assert from 'node:assert/strict';
import { after, describe, test, type TestContext } from 'node:test';
import { type Cycle, push, startCycle } from '../support/cycle';
import { eventually, type FlowNode, stopHelper } from '../support/node-red';

after(stopHelper);

const MO = 'WH/MO/00001';
const PATHS = { update: 'update', 'mark-done': 'mark-done', process: 'batch-process' } as const;
type Operation = keyof typeof PATHS;

/** The group of the shipped flow. */
const api = (more: object = {}): FlowNode[] => [
  ...Object.entries(PATHS).flatMap(([operation, path]) => [
    {
      id: `in-${operation}`,
      type: 'http in',
      url: `/api/scada/consumption/${path}`,
      method: 'post',
      wires: [[operation]],
    },
    push({ id: operation, name: operation, operation, wires: [['response'], ['response']], ...more }),
  ]),
  { id: 'response', type: 'http response', statusCode: '', headers: {}, wires: [] },
];

interface Api extends Cycle {
  post: (operation: Operation, body: unknown) => Promise<{ status: number; body: Record<string, unknown> }>;
  /** Lines of the push nodes, "level text". */
  lines: () => string[];
}

async function startApi(
  t: TestContext,
  { node = {}, server = {}, login }: { node?: object; server?: object; login?: Record<string, object> } = {},
): Promise<Api> {
  const cycle = await startCycle(t, api(node), { server, ...(login ? { login } : {}) });
  return {
    ...cycle,
    post: async (operation, body) => {
      const response = await fetch(`${cycle.red.httpNode}/api/scada/consumption/${PATHS[operation]}`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      });
      return { status: response.status, body: (await response.json()) as Record<string, unknown> };
    },
    lines: () =>
      cycle.red
        .logged()
        .filter(({ id }) => id !== undefined && id in PATHS)
        .map(({ level, text }) => `${level} ${text}`),
  };
}

const update = (consumption_data: object, more: object = {}): object => ({
  mo_id: MO,
  equipment_id: 'PLC01',
  consumption_data,
  ...more,
});
const VALUES = `SELECT actual_consumption_silo_a AS a, actual_consumption_silo_b AS b, last_read_from_plc > now() - interval '1 minute' AS fresh,
  status_manufacturing AS completed, actual_weight_quantity_finished_goods AS finished, update_odoo AS confirmed FROM mo_batch WHERE mo_id = '${MO}'`;

describe('what went through', () => {
  test('an update is confirmed by Odoo, then saved, confirmed and answered as documented', async (t) => {
    const { post, queue, odoo, sql, lines, red } = await startApi(t);
    await queue({ [MO]: 10 });
    await sql(`UPDATE mo_batch SET confirmed_revision = revision`);
    const { status, body } = await post('update', update({ silo_a: 825.5 }, { timestamp: '2026-01-05T06:00:00Z' }));
    assert.equal(status, 200);
    assert.deepEqual(body, {
      status: 'success',
      message: 'Consumption updated successfully',
      data: { success: true, mo_id: MO, equipment_id: 'PLC01', db_saved: true, consumed_items: ['silo_a'], errors: [] },
    });
    assert.equal(odoo.done(MO).silo101, 825.5);
    assert.deepEqual(await sql(VALUES), [
      { a: 825.5, b: null, fresh: true, completed: false, finished: null, confirmed: true },
    ]);
    assert.deepEqual(lines(), [
      `info consumption of MO ${MO} confirmed by Odoo`,
      `info 1 consumption entries saved for MO ${MO}`,
    ]);
    assert.equal(red.status('update').fill, 'green');
    assert.equal(red.dones('update'), 1);
  });

  test('an update confirms the row only if nothing else of it waits for Odoo', async (t) => {
    const { post, queue, sql } = await startApi(t);
    await queue({ [MO]: 10 });
    await sql(`UPDATE mo_batch SET actual_weight_quantity_finished_goods = 40`);
    await post('update', update({ silo_a: 11 }));
    assert.deepEqual(await sql('SELECT update_odoo FROM mo_batch'), [{ update_odoo: false }]);
  });

  test('mark-done pushes what waits, closes the order, saves and answers as documented', async (t) => {
    const { post, queue, odoo, sql, lines } = await startApi(t);
    await queue({ [MO]: 100 });
    const { status, body } = await post('mark-done', {
      mo_id: MO,
      finished_qty: 100,
      equipment_id: 'PLC01',
      message: 'by hand',
    });
    assert.equal(status, 200);
    assert.deepEqual(body, {
      status: 'success',
      message: 'Manufacturing order marked as done',
      data: { success: true, mo_id: MO, finished_qty: 100, db_saved: true },
    });
    assert.equal(odoo.order(MO).state, 'done');
    assert.equal(odoo.done(MO).silo101, 100);
    const [row] = await sql<{ completed: boolean; finished: string }>(VALUES);
    assert.deepEqual([row?.completed, Number(row?.finished)], [true, 100]);
    assert.deepEqual(lines(), [
      `info MO ${MO} confirmed and done in Odoo`,
      `info mark-done saved for MO ${MO} (finished quantity 100 kg)`,
    ]);
  });

  test('batch-process does what its body says and answers each part as documented', async (t) => {
    const { post, queue, odoo, lines } = await startApi(t);
    await queue({ [MO]: 10 });
    const details = { success: true, db_saved: true };
    const consumption = {
      consumption_updated: true,
      consumption_details: { ...details, consumed_items: ['silo_a'], errors: [] },
    };
    const first = await post('process', {
      mo_id: MO,
      equipment_id: 'PLC01',
      batch_data: { consumption_silo_a: 90, status_manufacturing: 0 },
    });
    assert.deepEqual(first, {
      status: 200,
      body: {
        status: 'success',
        message: 'Batch consumption processed successfully',
        data: { success: true, mo_id: MO, consumption },
      },
    });
    assert.equal(odoo.done(MO).silo101, 90);
    const batch_data = { consumption_silo_a: 100, status_manufacturing: 1, actual_weight_quantity_finished_goods: 100 };
    const second = await post('process', { mo_id: MO, equipment_id: 'PLC01', batch_data });
    assert.deepEqual(second.body.data, {
      success: true,
      mo_id: MO,
      consumption,
      mark_done: { mo_marked_done: true, mark_done_details: details },
    });
    assert.deepEqual([odoo.order(MO).state, odoo.done(MO).silo101], ['done', 100]);
    assert.equal(lines().filter((line) => line.startsWith('info mark-done saved')).length, 1);
  });
});

describe('what did not go through', () => {
  test('a body that breaks the schema is answered 422 with every field and problem; Odoo hears nothing', async (t) => {
    const { post, queue, odoo, red, lines } = await startApi(t);
    await queue({ [MO]: 10 });
    const before = odoo.calls.length;
    for (const [operation, sent, field] of [
      ['update', { equipment_id: 'PLC01', consumption_data: { silo_a: 1 } }, 'mo_id'],
      ['update', { mo_id: 7, consumption_data: { silo_a: 1 } }, 'mo_id'],
      ['update', { mo_id: 'no order', consumption_data: { silo_a: 1 } }, 'mo_id'],
      ['update', update({ silo_z: 1 }), 'consumption_data.silo_z'],
      ['update', update({ silo_a: -1 }), 'consumption_data.silo_a'],
      ['update', update({ silo_a: '12' }), 'consumption_data.silo_a'],
      ['update', update({ silo_a: null }), 'consumption_data.silo_a'],
      ['update', update({}), 'consumption_data'],
      ['update', [], '(message)'],
      ['mark-done', { mo_id: MO }, 'finished_qty'],
      ['mark-done', { mo_id: MO, finished_qty: 0 }, 'finished_qty'],
      ['process', { mo_id: MO }, 'batch_data'],
      ['process', { mo_id: MO, batch_data: {} }, 'batch_data'],
      ['process', [{ mo_id: MO }], '(message)'],
      ['process', { mo_id: MO, batch_data: { consumption_silo_z: 1 } }, 'batch_data.consumption_silo_z'],
      ['process', { mo_id: MO, batch_data: { status_manufacturing: 2 } }, 'batch_data.status_manufacturing'],
    ] as const) {
      const { status, body } = await post(operation, sent);
      const where = JSON.stringify(body);
      assert.equal(status, 422, where);
      assert.deepEqual(Object.keys(body), ['status', 'message', 'errors'], where);
      assert.equal(body.status, 'error');
      const errors = body.errors as { field: string; problem: string }[];
      assert.deepEqual(Object.keys(errors[0] ?? {}), ['field', 'problem']);
      assert.ok(
        errors.some((error) => error.field === field),
        where,
      );
    }
    assert.equal(odoo.calls.length, before);
    assert.match(red.status('update').text ?? '', /^request refused: /);
    assert.equal(red.status('update').fill, 'yellow');
    assert.ok(lines().every((line) => line.startsWith('warn request refused: ')));
    assert.equal(red.dones('update'), 9);
  });

  test('a completed batch is locked: 409, nothing sent; corrected on demand in Odoo and row together', async (t) => {
    const { post, queue, odoo, sql, lines } = await startApi(t);
    await queue({ [MO]: 10 }, [MO]);
    const before = odoo.calls.length;
    const { status, body } = await post('update', update({ silo_a: 12 }));
    assert.equal(status, 409);
    assert.match(String(body.message), /completed \(locked\); "correct_completed": true/);
    assert.equal((body.data as { db_saved: boolean }).db_saved, false);
    assert.equal(odoo.calls.length, before);
    assert.deepEqual(lines(), [`info skipped: MO ${MO} already completed`]);
    const [{ revision } = { revision: 0 }] = await sql<{ revision: number }>('SELECT revision::int FROM mo_batch');
    const corrected = await post('update', update({ silo_a: 12 }, { correct_completed: true }));
    assert.equal(corrected.status, 200);
    assert.equal(odoo.done(MO).silo101, 12);
    assert.deepEqual(await sql('SELECT revision::int, actual_consumption_silo_a AS a FROM mo_batch'), [
      { revision: revision + 1, a: 12 },
    ]);
  });

  test('while another push of the order runs the answer is 409, and nothing is sent', async (t) => {
    const { post, queue, odoo, sql } = await startApi(t);
    await queue({ [MO]: 10 });
    await sql(`UPDATE mo_batch SET lease_owner = gen_random_uuid(), lease_until = now() + interval '1 minute'`);
    const before = odoo.calls.length;
    const { status, body } = await post('update', update({ silo_a: 12 }));
    assert.equal(status, 409);
    assert.match(String(body.message), /another push of this order is running/);
    assert.equal((body.data as { db_saved: boolean }).db_saved, false);
    assert.equal(odoo.calls.length, before);
  });

  test('an order whose name another company has too is answered 409 with the remedy, and neither gets a weight', async (t) => {
    const { post, queue, odoo } = await startApi(t);
    await queue({ [MO]: 10 });
    const other = odoo.createOrder({ name: MO, company: 'PT Maju' });
    const { status, body } = await post('update', update({ silo_a: 12 }));
    assert.equal(status, 409);
    assert.match(String(body.message), /2 orders named .*limit the Odoo user to one company/);
    assert.equal((body.data as { db_saved: boolean }).db_saved, false);
    assert.deepEqual([odoo.done(MO).silo101, odoo.done(other.id).silo101].filter(Boolean), []);
  });

  test('what Odoo refuses, or takes only a part of, is answered 502 with its words, the order and the silos', async (t) => {
    const { post, queue, sql, lines, red } = await startApi(t);
    await queue({ [MO]: 10 });
    const partial = await post('update', update({ silo_a: 12, silo_b: 5 }));
    assert.equal(partial.status, 502);
    assert.match(String(partial.body.message), /^MO WH\/MO\/00001: .*silo102/);
    assert.deepEqual(await sql('SELECT actual_consumption_silo_b AS b, update_odoo FROM mo_batch'), [
      { b: null, update_odoo: false },
    ]);
    const unknown = await post('update', { mo_id: 'WH/MO/99999', consumption_data: { silo_a: 1 } });
    assert.equal(unknown.status, 502);
    assert.match(String(unknown.body.message), /WH\/MO\/99999/);
    assert.match(
      lines().find((line) => line.startsWith('warn push')) ?? '',
      /push of MO WH\/MO\/00001 failed: partial/,
    );
    assert.equal(red.status('update').fill, 'yellow');
  });

  test('an outcome that is not known is answered 504 with what was sent, and the row is told again', async (t) => {
    const { post, queue, odoo, sql } = await startApi(t, { server: { timeout: '0.3' } });
    await queue({ [MO]: 10 });
    odoo.setFault({ kind: 'hang', route: /update-with-consumptions/ });
    const { status, body } = await post('update', update({ silo_a: 12 }));
    assert.equal(status, 504);
    const { sent, conclusion, db_saved } = body.data as Record<string, unknown>;
    assert.deepEqual([sent, conclusion, db_saved], [{ silo_a: 12 }, 'unknown-outcome', false]);
    assert.deepEqual(await sql('SELECT update_odoo, actual_consumption_silo_a AS a FROM mo_batch'), [
      { update_odoo: false, a: 10 },
    ]);
    assert.equal((await post('update', update({ silo_a: 12 }))).status, 200);
  });

  test('confirmed by Odoo, but not saved: 200 with db_saved false and a warning, and an error line', async (t) => {
    const { post, queue, odoo, network, lines, sql } = await startApi(t);
    await queue({ [MO]: 10 });
    await sql(`UPDATE mo_batch SET confirmed_revision = revision`);
    odoo.setFault({ kind: 'delay', route: /update-with-consumptions/, ms: 100 });
    const answer = post('update', update({ silo_a: 12 }));
    await eventually('the call', () => odoo.calls.some(({ route }) => route.endsWith('update-with-consumptions')));
    await network.goAway();
    const { status, body } = await answer;
    assert.equal(status, 200);
    const { db_saved, warning } = body.data as Record<string, unknown>;
    assert.equal(db_saved, false);
    assert.match(String(warning), /saving for WH\/MO\/00001 failed, the row is marked for the next push/);
    assert.ok(
      lines().some((line) => /^error MO WH\/MO\/00001: saving for WH\/MO\/00001 failed/.test(line)),
      lines().join('\n'),
    );
    assert.equal(odoo.done(MO).silo101, 12);
    assert.deepEqual(await sql('SELECT update_odoo FROM mo_batch'), [{ update_odoo: false }]);
  });

  test('an order that is not in the database is corrected in Odoo only, and that is said', async (t) => {
    const { post, queue, odoo, lines } = await startApi(t);
    await queue({ 'WH/MO/00002': 10 });
    odoo.createOrder({ name: MO, quantity: 2500 });
    const { status, body } = await post('update', update({ silo_a: 825.5, silo_b: 600.3 }));
    assert.equal(status, 200);
    assert.deepEqual(body, {
      status: 'success',
      message: 'Consumption updated successfully',
      data: {
        ...{ success: true, mo_id: MO, equipment_id: 'PLC01', db_saved: false, consumed_items: ['silo_a', 'silo_b'] },
        ...{ errors: [], warning: 'MO not in the database' },
      },
    });
    assert.ok(lines().includes(`warn MO ${MO}: MO not in the database`));
  });

  test('without a database node the call goes to Odoo only, and that is said', async (t) => {
    const { post, odoo, lines } = await startApi(t, { node: { database: '' } });
    odoo.createOrder({ name: MO, quantity: 2500 });
    const { status, body } = await post('update', update({ silo_a: 12 }));
    assert.deepEqual([status, (body.data as { db_saved: boolean }).db_saved], [200, false]);
    assert.equal(odoo.done(MO).silo101, 12);
    assert.ok(lines().includes(`warn MO ${MO}: no database: save skipped`));
  });

  test('with a database that cannot be reached the answer is 503, and nothing is sent', async (t) => {
    const { post, queue, odoo, network } = await startApi(t);
    await queue({ [MO]: 10 });
    await network.goAway();
    const { status, body } = await post('update', update({ silo_a: 12 }));
    assert.equal(status, 503);
    assert.match(String(body.message), /database not available, Batches: /);
    assert.equal(odoo.done(MO).silo101, 0);
  });

  test('an Odoo that is gone is answered 502 with what to check', async (t) => {
    const { post, odoo, queue, red } = await startApi(t);
    await queue({ [MO]: 10 });
    await odoo.stop();
    const { status, body } = await post('update', update({ silo_a: 12 }));
    assert.equal(status, 502);
    assert.match(String(body.message), /Odoo is not reachable .*check URL/);
    assert.equal(red.status('update').fill, 'red');
  });

  test('a node without credentials answers 503 with what to fill in', async (t) => {
    const { post, red } = await startApi(t, { login: {} });
    const { status, body } = await post('mark-done', { mo_id: MO, finished_qty: 1 });
    assert.equal(status, 503);
    assert.equal(body.status, 'error');
    assert.match(String(body.message), /odoo-server "Odoo" is incomplete \(User, Password\)/);
    assert.equal(red.status('mark-done').fill, 'red');
    assert.equal(red.dones('mark-done'), 1);
  });

  test('who waits for an answer gets one when the node closes', async (t) => {
    const { post, queue, odoo, red } = await startApi(t, { server: { timeout: '600' } });
    await queue({ [MO]: 10 });
    odoo.setFault({ kind: 'hang', route: /update-with-consumptions/ });
    const answer = post('update', update({ silo_a: 12 }));
    await eventually('the call', () => odoo.calls.some(({ route }) => route.endsWith('update-with-consumptions')));
    await red.node('update').close(false);
    assert.equal((await answer).status, 504);
  });
});
