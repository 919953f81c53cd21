/** Old flows keep working: configs of earlier versions come out as today's code reads them. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import {
  CONFIG_HISTORIES,
  defaultsOf,
  migrateConfig,
  type ConfigHistory,
} from '../../../nodes/lib/node-red/config-migrations';

const types = Object.keys(
  (JSON.parse(readFileSync('package.json', 'utf8')) as { 'node-red': { nodes: object } })['node-red'].nodes,
);

test('every node type has a history, whose present version is the one that its dialog saves', () => {
  assert.deepEqual(Object.keys(CONFIG_HISTORIES).sort(), [...types].sort());
  for (const [type, { steps }] of Object.entries(CONFIG_HISTORIES)) {
    assert.equal(defaultsOf(type).configVersion, steps.length + 1, type);
  }
});

test('a config from before there were versions gets what version 1 had by default, and keeps what it says', () => {
  const old = {
    id: 'a',
    type: 'odoo-push-consumption',
    name: '',
    server: 's',
    silos: 'm',
    operation: 'update',
    closeStrict: true,
  };
  assert.deepEqual(migrateConfig('odoo-push-consumption', old), {
    ...old,
    markDone: false,
    readBack: false,
    closeWarning: true,
    minFinishedShare: 90,
    noFinishedWeight: 'set-aside',
    // Of the next version, in flows that were there before it, too.
    minWeighedShare: 1,
    bookUnweighed: true,
    unreserve: false,
    makeLot: true,
    refuseExcess: false,
    configVersion: 3,
  });
  assert.equal('database' in migrateConfig('odoo-push-consumption', old), false);
});

test('a saved value is never replaced by a default, be it empty, 0 or false', () => {
  const minutes = { stalled: 0, unread: '', unconfirmed: 5 };
  const saved = { configVersion: 1, operation: 'due', line: '', limit: 0, limitType: 'num', outputs: 1, ...minutes };
  assert.deepEqual(migrateConfig('mo-batch-store', saved), { ...saved, handed: 60, configVersion: 2 });
});

/** How the table looks after two releases: the timeout changed its default in version 2, its unit in version 3. */
const HISTORIES: Record<string, ConfigHistory> = {
  node: {
    first: { timeout: 30 },
    steps: [
      (config) => ({ ...config, note: '' }),
      ({ timeout, ...config }) => ({ ...config, timeoutMs: Number(timeout) * 1000 }),
    ],
  },
};

test('each config is brought forward from its own version, step by step, and not changed itself', () => {
  const first = Object.freeze({ name: 'a' });
  assert.deepEqual(migrateConfig('node', first, HISTORIES), {
    name: 'a',
    note: '',
    timeoutMs: 30_000,
    configVersion: 3,
  });
  const second = { timeout: '5', note: 'n', configVersion: 2 };
  assert.deepEqual(migrateConfig('node', second, HISTORIES), { note: 'n', timeoutMs: 5_000, configVersion: 3 });
  const third = { timeoutMs: 7, note: '', configVersion: 3 };
  assert.deepEqual(migrateConfig('node', third, HISTORIES), third);
});

test('a config of a newer package is refused, and says what to do', () => {
  assert.throws(
    () => migrateConfig('silo-map', { configVersion: 2 }),
    /newer version of this package \(config 2, known up to 1\): update it/,
  );
});
