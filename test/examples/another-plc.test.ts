/** The example flow for other PLCs: importable on its own, and what it makes is what the store takes. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, it } from 'node:test';
import { runInNewContext } from 'node:vm';
import { checkReadings } from '../../nodes/lib/domain/reading';

interface FlowNode {
  id: string;
  type: string;
  z?: string;
  wires?: string[][];
  nodes?: string[];
  scope?: string[];
  database?: string;
  payload?: string;
  func?: string;
  info?: string;
}

// Compiled to <out>/test/examples: three folders below the project.
const FILE = join(resolve(__dirname, '..', '..', '..'), 'examples', '05-another-plc.json');
const flow = JSON.parse(readFileSync(FILE, 'utf8')) as FlowNode[];
const node = (suffix: string): FlowNode => {
  const found = flow.find(({ id }) => id === `other-plc-${suffix}`);
  assert.ok(found, suffix);
  return found;
};

/** What the function node makes of a button's payload; the store's list. */
function made(button: string, change: object = {}): unknown[] | null {
  const msg = { payload: { ...(JSON.parse(node(button).payload ?? '') as object), ...change } };
  const result = runInNewContext(`(function (msg) { ${node('build').func} })`) as (
    message: object,
  ) => { payload: unknown[] } | null;
  const sent = result(msg);
  // Objects of another context have other prototypes.
  return sent && (JSON.parse(JSON.stringify(sent.payload)) as unknown[]);
}

describe('the example flow "another PLC"', () => {
  it('brings all that it refers to, and no secret', () => {
    const ids = flow.map(({ id }) => id);
    assert.equal(new Set(ids).size, ids.length);
    for (const { type, wires = [], nodes = [], scope = [], z, database } of flow) {
      const config = type === 'mo-batch-store' ? [database] : [];
      for (const id of [...wires.flat(), ...nodes, ...scope, ...config, ...(z ? [z] : [])]) {
        assert.ok(id && ids.includes(id), id);
      }
    }
    assert.doesNotMatch(JSON.stringify(flow), /"(credentials|user|password)":/);
  });

  it('makes a reading that the store takes', () => {
    const { readings, problems } = checkReadings(made('good') ?? []);
    assert.equal(problems, undefined);
    assert.deepEqual(readings, [
      {
        slot: 0,
        mo_id: 'WH/MO/00001',
        status_manufacturing: false,
        status_operation: true,
        actual_weight_quantity_finished_goods: 1200,
        consumption: { silo_a: 825.5, silo_b: 600.3, lq_fml: 12.34 },
        read_at: '2026-03-02T08:15:00.000Z',
      },
    ]);
  });

  it('its second button is refused by name, and an empty place sends nothing', () => {
    assert.match(checkReadings(made('bad') ?? []).problems ?? '', /^reading 1: consumption\.silo_a must be >= 0/);
    assert.equal(made('good', { order: '  ' }), null);
  });

  it('its comment names every field of a reading', () => {
    for (const field of Object.keys(checkReadings(made('good') ?? []).readings?.[0] ?? {})) {
      assert.ok(node('help').info?.includes(`\`${field}\``), field);
    }
  });
});
