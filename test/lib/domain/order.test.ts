import assert from 'node:assert/strict';
import { test } from 'node:test';
import { explainError } from '../../../nodes/lib/odoo/answer';
import { type ListedOrder, toOrder } from '../../../nodes/lib/domain/order';
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
