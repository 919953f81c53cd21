import assert from 'node:assert/strict';
import { test } from 'node:test';
import { explainError } from '../../../nodes/lib/odoo/addon/answer';
import type { ListedOrder } from '../../../nodes/lib/domain/order';
import { toOrder } from '../../../nodes/lib/domain/planned-order';
import { orderProblem, queueable } from '../../../nodes/lib/domain/queueable';
import { SiloMap } from '../../../nodes/lib/domain/silos';

test('an order that is not in kg is refused with its unit', () => {
  const detail: ListedOrder = {
    ...{ mo_id: 'WH/MO/00001', state: 'confirmed', schedule_start: false, equipment: null },
    ...{ product_name: 'JF PLUS', quantity: 5, uom: 't' },
  };
  assert.match(toOrder(detail, [], new SiloMap()).refused ?? '', /the order is in t, not in kg/);
});

test('what a database says when it goes or comes is busy, not a bad value', () => {
  for (const said of [
    'server closed the connection unexpectedly',
    'terminating connection due to administrator command',
    'cursor already closed',
    'the database system is starting up',
    'canceling statement due to lock timeout',
  ]) {
    assert.equal(explainError(`Error: ${said}`).conclusion, 'busy', said);
  }
});

const order = { mo_id: 'WH/MO/00001', consumption: 2500, equipment_id_batch: 'PLC01', finished_goods: 'JF PLUS' };

test('every name that a sequence of Odoo makes can be queued', () => {
  for (const mo_id of [
    'PT Ma/MO/00001',
    'JBG/MO/2026/00012-001',
    'MO 1.2 & 3 (new)/07',
    'Ваг/МО/00001',
    '飼料/00001',
    '%2026-11/MO#00001/B',
    `${'x'.repeat(60)}0001`,
  ])
    assert.equal(orderProblem({ ...order, mo_id }), undefined, mo_id);
});

test('a name that no reading can ever tell is refused with what to change', () => {
  const wrong: [string, RegExp][] = [
    [`${'x'.repeat(61)}0001`, /has 65 characters, and 64 is the most: change the prefix/],
    ['WH/MO/00001 ', /begins or ends with a blank/],
    [' WH/MO/00001', /begins or ends with a blank/],
    ['WH/MO\u0000/00001', /control characters/],
    ['WH/MO\n/00001', /control characters/],
    ['WH/MO/\ud83d00001', /control characters/],
    ['WH/MO/new', /no digit/],
    ['', /no digit/],
  ];
  for (const [mo_id, reason] of wrong) assert.match(orderProblem({ ...order, mo_id }) ?? '', reason, mo_id);
});

test('of the orders of a message those that have no room in the table are refused by name, the others are not', () => {
  const wrong: [object, RegExp][] = [
    [{ consumption: 1e16 }, /consumption is 10000000000000000/],
    [{ consumption: -1 }, /consumption is -1/],
    [{ consumption: NaN }, /consumption is NaN/],
    [{ consumption: 'many' }, /consumption is many/],
    [{ consumption_silo_b: Infinity }, /consumption_silo_b is Infinity/],
    [{ finished_goods: 'JF\u0000PLUS' }, /finished_goods holds a character/],
    [{ component_lq_fml_name: 'half \udc00' }, /component_lq_fml_name holds a character/],
    [{ component_silo_a_name: 7 }, /component_silo_a_name is no text/],
    [{ equipment_id_batch: 'P'.repeat(65) }, /equipment_id_batch is longer/],
    [{ odoo_id: 1.5 }, /odoo_id is 1.5/],
  ];
  const candidates = [...wrong.map(([more], n) => ({ ...order, ...more, mo_id: `WH/MO/1${n}` })), null, order];
  const { orders, refused } = queueable(candidates) ?? assert.fail();
  assert.deepEqual(orders, [order]);
  assert.equal(refused.length, wrong.length + 1);
  for (const [n, [, reason]] of wrong.entries()) {
    assert.equal(refused[n]?.mo_id, `WH/MO/1${n}`);
    assert.match(refused[n]?.reason ?? '', reason);
  }
  assert.equal(queueable([null, { id: 1 }]), undefined);
  assert.deepEqual(queueable([{ ...order, consumption: '2500.000' }])?.refused, []);
});
