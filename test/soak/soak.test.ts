import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';

test('twenty kills lose, double, strand and change nothing', async () => {
  const soak = [join(__dirname, 'soak.js'), '--kills', '20', '--seed', '1', '--json'];
  const { stdout } = await promisify(execFile)(process.execPath, soak);
  const { orders, mishaps, lost, doubled, stuck, kg_differs } = JSON.parse(stdout) as Record<string, number>;
  assert.deepEqual({ lost, doubled, stuck, kg_differs }, { lost: 0, doubled: 0, stuck: 0, kg_differs: 0 });
  assert.ok(orders !== undefined && orders > 0, 'orders ran');
  assert.ok(mishaps !== undefined && mishaps > 0, 'operators erred');
});
