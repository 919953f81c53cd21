import type { ManualRequest } from '../../nodes/lib/domain/correction';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkManual, invalidAnswer, manualAnswer } from '../../nodes/odoo-push-consumption/manual-api';

const mo_id = 'WH/MO/00001';
const ok = { mo_id, conclusion: 'confirmed', reason: '', db_saved: true } as const;

test('an update is checked, and answered in the known shape', () => {
  const { request } = checkManual('update', {
    mo_id,
    equipment_id: 'PLC01',
    consumption_data: { silo_a: 825.5, silo_b: 600.3 },
    timestamp: 'x',
  });
  assert.deepEqual(request, {
    mo_id,
    correct_completed: false,
    markDone: false,
    consumption: { silo_a: 825.5, silo_b: 600.3 },
  });
  assert.deepEqual(manualAnswer('update', request as ManualRequest, ok, 'PLC01'), {
    statusCode: 200,
    payload: {
      status: 'success',
      message: 'Consumption updated successfully',
      data: {
        success: true,
        mo_id,
        equipment_id: 'PLC01',
        db_saved: true,
        consumed_items: ['silo_a', 'silo_b'],
        errors: [],
      },
    },
  });
});

test('a mark-done is checked, and answered in the known shape', () => {
  const { request } = checkManual('mark-done', { mo_id, finished_qty: 1000, message: 'ok' });
  assert.deepEqual(request, { mo_id, correct_completed: false, markDone: true, finished: 1000 });
  assert.deepEqual(manualAnswer('mark-done', request as ManualRequest, ok).payload, {
    status: 'success',
    message: 'Manufacturing order marked as done',
    data: { success: true, mo_id, finished_qty: 1000, db_saved: true },
  });
});

test('a batch is processed: consumption when any is above 0, mark-done when the status is 1', () => {
  const whole = checkManual('process', {
    mo_id,
    batch_data: { consumption_silo_a: 825.5, status_manufacturing: 1, actual_weight_quantity_finished_goods: 1000 },
  });
  assert.deepEqual(whole.request, {
    mo_id,
    correct_completed: false,
    markDone: true,
    consumption: { silo_a: 825.5 },
    finished: 1000,
  });
  assert.deepEqual(manualAnswer('process', whole.request as ManualRequest, ok).payload, {
    status: 'success',
    message: 'Batch consumption processed successfully',
    data: {
      success: true,
      mo_id,
      consumption: {
        consumption_updated: true,
        consumption_details: { success: true, db_saved: true, consumed_items: ['silo_a'], errors: [] },
      },
      mark_done: { mo_marked_done: true, mark_done_details: { success: true, db_saved: true } },
    },
  });
  const back = checkManual('process', {
    mo_id,
    batch_data: { consumption_silo_a: 1, actual_weight_quantity_finished_goods: 0, status_manufacturing: 0 },
  });
  assert.equal(back.request?.finished, 0, 'finished goods are taken back while the batch runs');
});

test('a batch with nothing above 0 and nothing to close is no success: nobody would be asked', () => {
  for (const batch_data of [
    { consumption_silo_a: 0, status_manufacturing: 0 },
    { status_manufacturing: 0, actual_weight_quantity_finished_goods: 0 },
    { consumption_silo_a: 0 },
  ]) {
    const { problems = [] } = checkManual('process', { mo_id, batch_data });
    assert.deepEqual(
      problems.map(({ field }) => field),
      ['batch_data'],
    );
  }
  assert.ok(checkManual('process', { mo_id, batch_data: { status_manufacturing: 1 } }).request);
  assert.deepEqual(checkManual('update', { mo_id, consumption_data: { silo_a: 0 } }).request?.consumption, {
    silo_a: 0,
  });
});

test('a body that breaks the schema is answered with every field and its problem', () => {
  const { problems = [] } = checkManual('update', {
    mo_id: 'WH/MO/00001 ',
    consumption_data: { silo_a: -1, silo_z: 1, silo_b: '5', silo_c: null },
  });
  assert.deepEqual(problems.map(({ field }) => field).sort(), [
    'consumption_data.silo_a',
    'consumption_data.silo_b',
    'consumption_data.silo_c',
    'consumption_data.silo_z',
    'mo_id',
  ]);
  const answer = invalidAnswer(problems);
  assert.equal(answer.statusCode, 422);
  for (const body of [null, [], 'x', {}, { mo_id }, { mo_id, consumption_data: {} }])
    assert.ok(checkManual('update', body).problems);
  for (const finished_qty of [0, -1, '5', null, 1e15])
    assert.ok(checkManual('mark-done', { mo_id, finished_qty }).problems);
});

test('every way of not going through has its HTTP status', () => {
  const request = { mo_id, correct_completed: false, markDone: false, consumption: { silo_a: 1 } };
  const status = (more: object): number =>
    manualAnswer('update', request, { ...ok, db_saved: false, ...more }).statusCode;
  assert.equal(status({ conclusion: 'bad-value', locked: true }), 409);
  assert.equal(status({ conclusion: 'busy', skipped: 'leased' }), 409);
  assert.equal(status({ conclusion: 'partial' }), 502);
  assert.equal(status({ conclusion: 'unknown-outcome' }), 504);
  assert.equal(status({ warning: 'not saved' }), 200);
});
