/**
 * The borders of the rooms hold: each planted import of what a room must not know is refused by the check that lint runs.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { after, before, test } from 'node:test';

const PROJECT = resolve(__dirname, '..', '..');

/** File to plant → what it must not say. Every border once, and every way to import at least once. */
const PLANTED: Record<string, string> = {
  'nodes/lib/domain/planted-adapter.ts': `import { OdooSession } from '../odoo/addon/session';\nexport const it = OdooSession;`,
  'nodes/lib/domain/planted-type.ts': `import type { Database } from '../store/connection';\nexport type It = Database;`,
  'nodes/lib/domain/planted-node.ts': `import { randomUUID } from 'node:crypto';\nexport const it = randomUUID;`,
  'nodes/lib/domain/planted-bare-node.ts': `import fs from 'fs';\nexport const it = fs;`,
  'nodes/lib/domain/planted-package.ts': `import axios from 'axios';\nexport const it = axios;`,
  'nodes/lib/domain/planted-node-red.ts': `import type { Node } from 'node-red';\nexport type It = Node;`,
  'nodes/lib/odoo/planted-store.ts': `export { openDatabase } from '../store/connection';`,
  'nodes/lib/odoo/planted-push.ts': `export * from '../push/limiter';`,
  'nodes/lib/odoo/planted-node-red.ts': `import nodeRed = require('node-red');\nexport const it = nodeRed;`,
  'nodes/lib/plc/planted-odoo.ts': `export const it = (): unknown => import('../odoo/addon/session');`,
  'nodes/lib/plc/planted-shell.ts': `export type It = import('../node-red/node-shell').Action;`,
  'nodes/lib/store/planted-plc.ts': `import { slotBytes } from '../plc/slot-layout';\nexport const it = slotBytes;`,
  'nodes/lib/store/planted-postgres.ts': `export const it: unknown = require('../postgres/server');`,
  'nodes/lib/postgres/planted-store.ts': `import { openDatabase } from '../store/connection';\nexport const it = openDatabase;`,
  'nodes/lib/push/planted-store.ts': `import { openDatabase } from '../store/connection';\nexport const it = openDatabase;`,
  'nodes/lib/push/planted-type.ts': `import type { SlotLayout } from '../plc/slot-layout';\nexport type It = SlotLayout;`,
  'nodes/lib/editor/planted-adapter.ts': `import { OdooSession } from '../odoo/addon/session';\nexport const it = OdooSession;`,
  'nodes/lib/node-red/planted-node.ts': `export * from '../../silo-map/silo-map';`,
  'nodes/silo-map/planted-node.ts': `import init = require('../odoo-server/odoo-server');\nexport const it = init;`,
  'nodes/silo-map/planted-package.ts': `import axios from 'axios';\nexport const it = axios;`,
  'nodes/silo-map/planted-test.ts': `export * from '../../examples/plant/plc/random';`,
  'nodes/lib/store/planted-circle.ts': `import './planted-circle-2';`,
  'nodes/lib/store/planted-circle-2.ts': `import './planted-circle';`,
  'nodes/lib/store/planted-nothing.ts': `import './nothing-lies-here';`,
  'examples/plant/odoo/planted-package.ts': `export * from '../../../nodes/lib/odoo/addon/session';`,
  'examples/plant/odoo/planted-circle.ts': `import type { It } from './planted-circle-2';\nexport type Other = It;`,
  'examples/plant/odoo/planted-circle-2.ts': `import type { Other } from './planted-circle';\nexport type It = Other;`,
  'examples/plant/plc/planted-package.ts': `export * from '../../../nodes/lib/plc/slot-layout';`,
};

let copy = '';
before(() => {
  copy = mkdtempSync(join(tmpdir(), 'mo-bridge-borders-'));
  for (const part of ['nodes', 'examples/plant', 'package.json', 'tsconfig.json', '.dependency-cruiser.mjs'])
    cpSync(join(PROJECT, part), join(copy, part), { recursive: true });
  symlinkSync(join(PROJECT, 'node_modules'), join(copy, 'node_modules'));
});
after(() => rmSync(copy, { recursive: true, force: true }));

const check = (): { status: number | null; stdout: string } =>
  spawnSync('npm', ['run', '--silent', 'borders'], { cwd: copy, encoding: 'utf8' });

test('the code as it stands crosses no border', () => {
  const { status, stdout } = check();
  assert.equal(status, 0, stdout);
});

test('every planted import is refused by its border', () => {
  for (const [file, text] of Object.entries(PLANTED)) {
    mkdirSync(dirname(join(copy, file)), { recursive: true });
    writeFileSync(join(copy, file), `${text}\n`);
  }
  const { status, stdout } = check();
  assert.notEqual(status, 0);
  for (const file of Object.keys(PLANTED)) assert.ok(stdout.includes(file), `${file} got through`);
});
