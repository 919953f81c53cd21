import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';

/** What a soak counts. */
async function soaked(...options: string[]): Promise<Record<string, number>> {
  const soak = [join(__dirname, 'soak.js'), ...options, '--seed', '1', '--json'];
  const { stdout } = await promisify(execFile)(process.execPath, soak);
  return JSON.parse(stdout) as Record<string, number>;
}

test('twenty kills lose, double, strand and change nothing', async () => {
  const { orders, mishaps, lost, doubled, stuck, kg_differs } = await soaked('--kills', '20');
  assert.deepEqual({ lost, doubled, stuck, kg_differs }, { lost: 0, doubled: 0, stuck: 0, kg_differs: 0 });
  assert.ok(orders !== undefined && orders > 0, 'orders ran');
  assert.ok(mishaps !== undefined && mishaps > 0, 'operators erred');
});

test('kills and cuts at the telegrams of a hand-over hand no order down twice, nor with another plan than Odoo has', async () => {
  const { orders, cuts, handed_twice, handed_wrong, ...rest } = await soaked('--kills', '6', '--orders-down');
  assert.deepEqual({ handed_twice, handed_wrong }, { handed_twice: 0, handed_wrong: 0 });
  const { lost, doubled, stuck, kg_differs } = rest;
  assert.deepEqual({ lost, doubled, stuck, kg_differs }, { lost: 0, doubled: 0, stuck: 0, kg_differs: 0 });
  assert.ok(orders !== undefined && orders > 0, 'orders ran');
  assert.ok(cuts !== undefined && cuts > 0, 'hand-overs were cut');
});
