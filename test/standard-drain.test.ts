/** 60 batches on a standard Odoo of each version: how many calls a running push and a closing are. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VERSIONS } from '../examples/plant/odoo/standard/standard-odoo';
import { drainStandard } from './support/standard-drain';

const BATCHES = 60;

for (const version of VERSIONS)
  test(`${version}: a running push is one call, a closing at most six, and the figures are there`, async (t) => {
    const { first, risen, final, closing, archived, differ } = await drainStandard(version, BATCHES, 0);
    const each = ({ calls }: { calls: number }): string => (calls / BATCHES).toFixed(2);
    t.diagnostic(`calls: first push ${each(first)}, final push ${each(final)}, closing ${each(closing)}`);
    assert.ok(first.calls <= 5 * BATCHES, `${first.calls} calls`);
    assert.equal(risen.calls, BATCHES);
    assert.ok(closing.calls <= 6 * BATCHES, `${closing.calls} calls`);
    assert.deepEqual([archived, differ], [BATCHES, []]);
  });
