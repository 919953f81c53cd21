import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { OrderMove, Production } from '../../../nodes/lib/domain/order';
import { type ComparedRow, reconcile } from '../../../nodes/lib/domain/reconciliation';
import { SiloMap } from '../../../nodes/lib/domain/silos';

const silos = new SiloMap([
  { tag: 'silo_a', code: 'silo101' },
  { tag: 'silo_b', code: 'silo102' },
]);
const done = { state: 'done', finished: 2500, consumption: { silo_a: 825.5 }, read_at: '' };
const row = (more: Partial<ComparedRow> = {}): ComparedRow => ({
  ...{ mo_id: 'WH/MO/00001', batch_no: 7, status: 'completed', done_readback: done },
  ...{ component_silo_a_name: 'Pollard', actual_consumption_silo_a: 825.5 },
  ...{ actual_weight_quantity_finished_goods: 2500, ...more },
});
const production = (state: Production['state'] = 'done', qty_produced = 2500): Production => ({
  ...{
    id: 1,
    name: 'WH/MO/00001',
    state,
    product_qty: 2500,
    qty_producing: 2500,
    qty_produced,
    consumption: 'flexible',
  },
});
const move = (code: string, kg: number, state = 'done'): OrderMove => ({
  ...{
    id: 1,
    code,
    equipment: code,
    product_id: 1,
    product: 'Pollard',
    uom: 'kg',
    uom_id: 3,
    planned: 825,
    done: kg,
    state,
  },
});
const EQUAL = [move('silo101', 825.5)];

interface Case {
  row?: Partial<ComparedRow>;
  production?: Production | undefined;
  moves?: OrderMove[];
  /** finding, silo, kg here, kg in Odoo, difference. */
  expected: [string, string | null, number | null, number | null, number | null][];
  reason?: RegExp;
}

const CASES: Record<string, Case> = {
  'equal figures are no finding': { expected: [] },
  'equal to 0.01 kg': { row: { actual_consumption_silo_a: 825.503 }, expected: [] },
  'a sum over two moves': { moves: [move('silo101', 825), move('silo101', 0.5)], expected: [] },
  'a silo changed in Odoo': {
    moves: [move('silo101', 850)],
    expected: [['silo', 'silo_a', 825.5, 850, 24.5]],
    reason: /^silo_a \(silo101\): 825\.5 kg here, 850 kg in Odoo$/,
  },
  'a row of the queue that waits for its push': {
    row: { status: null, done_readback: null, update_odoo: false },
    production: production('progress'),
    moves: [move('silo101', 800, 'confirmed')],
    expected: [['silo', 'silo_a', 825.5, 800, -25.5]],
    reason: /^Odoo has not confirmed the row yet; silo_a/,
  },
  'a silo that no move names': { moves: [], expected: [['silo', 'silo_a', 825.5, 0, -825.5]] },
  'kg in Odoo on a silo that was not read': {
    moves: [...EQUAL, move('silo102', 5)],
    expected: [['silo', 'silo_b', null, 5, 5]],
  },
  'kg in Odoo on no silo of the map': { moves: [...EQUAL, move('', 5), move('silo113', 5)], expected: [] },
  'a silo sent before that the row says nothing of any more': {
    row: { sent_consumption: { silo_a: 825.5, silo_b: 4 } },
    moves: [...EQUAL, move('silo102', 4)],
    expected: [['silo', 'silo_b', null, 4, 4]],
  },
  'a silo that the map has switched off since': {
    row: { actual_consumption_silo_m: 12 },
    expected: [['silo', 'silo_m', 12, null, null]],
    reason: /switched off in the silo map/,
  },
  'another finished quantity': {
    production: production('done', 2400),
    expected: [['finished', null, 2500, 2400, -100]],
    reason: /finished goods: 2500 kg here, 2400 kg in Odoo/,
  },
  'no finished weight: what the order was closed with counts': {
    row: { actual_weight_quantity_finished_goods: null },
    production: production('done', 2400),
    expected: [['finished', null, 2500, 2400, -100]],
  },
  'an order that is open again': {
    production: production('progress'),
    expected: [['not-done', null, null, null, null]],
    reason: /was done in Odoo, and is "progress" now/,
  },
  'an order that this package did not close may be open': {
    row: { done_readback: null },
    production: production('to_close'),
    expected: [],
  },
  'an order that Odoo does not know': {
    production: undefined,
    expected: [['unknown-order', null, 825.5, null, null]],
  },
  'archived as cancelled, cancelled in Odoo, and weighed': {
    row: { status: 'cancelled', done_readback: null },
    production: production('cancel', 0),
    moves: [move('silo101', 825.5, 'cancel')],
    expected: [
      ['cancelled', null, null, null, null],
      ['silo', 'silo_a', 825.5, 0, -825.5],
    ],
    reason: /^archived here as cancelled, 825\.5 kg were weighed; .*nothing of it is taken out of stock/,
  },
  'archived as failed, and booked in Odoo all the same': {
    row: { status: 'failed', done_readback: null },
    expected: [],
  },
  'archived as failed, weighed, and gone in Odoo': {
    row: { status: 'failed', done_readback: null },
    production: undefined,
    expected: [['unknown-order', null, 825.5, null, null]],
    reason: /^archived here as failed, 825\.5 kg were weighed; Odoo does not know/,
  },
  'archived as cancelled and never weighed': {
    row: { status: 'cancelled', done_readback: null, actual_consumption_silo_a: null },
    production: production('cancel', 0),
    expected: [],
  },
};

describe('a row and its order in Odoo', () => {
  for (const [name, { row: more, moves = EQUAL, expected, reason, ...given }] of Object.entries(CASES)) {
    test(name, () => {
      const order = 'production' in given ? given.production : production();
      const found = reconcile(row(more), order, moves, silos);
      assert.deepEqual(
        found.map(({ finding, silo, read, odoo, difference }) => [finding, silo, read, odoo, difference]),
        expected,
      );
      if (reason) assert.match(found[0]?.reason ?? '', reason);
      for (const { mo_id, batch_no } of found) assert.deepEqual([mo_id, batch_no], ['WH/MO/00001', 7]);
    });
  }
});
