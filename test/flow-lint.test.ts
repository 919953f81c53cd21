/** Node-RED's own linter, nrlint, finds nothing in the flows that this package ships. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';

const NRLINT = require.resolve('nrlint/bin/nrlint.js');
const examples = readdirSync('examples').filter((name) => name.endsWith('.json'));

for (const file of ['flows/mo-consumption-cycle.json', ...examples.map((name) => `examples/${name}`)]) {
  test(`nrlint has no finding in ${file}`, () => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [NRLINT, '--config', 'test/nrlint.json', file], {
      encoding: 'utf8',
    });
    assert.equal(status, 0, stdout + stderr);
  });
}
