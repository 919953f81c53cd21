/** `npm start` without a person, on other Odoos than the one that it starts by itself. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';

const start = (...options: string[]): Promise<{ stdout: string }> =>
  promisify(execFile)(process.execPath, [join(__dirname, '..', 'examples', 'plant', 'start.js'), ...options]);

interface Told {
  archived: number;
  kg: { read: number; sent: number; confirmed: number };
}

for (const version of ['15', '18'])
  test(`the demo on a standard Odoo ${version}: what was read is what its own stock moves hold`, async () => {
    const { stdout } = await start('--odoo', version, '--until-archived', '2', '--json');
    const { archived, kg } = JSON.parse(stdout) as Told;
    assert.ok(archived >= 2);
    assert.ok(kg.confirmed > 0);
    assert.deepEqual([kg.sent, kg.confirmed], [kg.read, kg.read]);
  });

test('an Odoo that there is not is refused, with the names of those that there are', async () => {
  await assert.rejects(start('--odoo', '13', '--until-archived', '1'), {
    code: 2,
    stderr: /addon, 14, 15, 16, 17, 18, 19/,
  });
});
