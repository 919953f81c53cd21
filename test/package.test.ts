/** What a user downloads: the archive that npm packs of the build. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { pack, packageJson, PROJECT } from './support/installation';

const NEEDED = [
  'package.json',
  'README.md',
  'LICENSE',
  'CHANGELOG.md',
  'examples/04-mo-consumption-cycle.json',
  'examples/plc/mo-bridge.scl',
];
/** The only places that files come from. */
const ALLOWED = [
  /^(package\.json|README\.md|LICENSE|CHANGELOG\.md)$/,
  /^examples\/[\w-]+\.json$/,
  /^examples\/plc\/[\w-]+\.scl$/,
  /^dist\/nodes\/[\w-]+\/[\w-]+\.(js|html)$/,
  /^dist\/nodes\/[\w-]+\/icons\/[\w-]+\.svg$/,
  /^dist\/nodes\/[\w-]+\/locales\/[a-z]{2}-[A-Z]{2}\/[\w-]+\.(json|html)$/,
  /^dist\/nodes\/lib\/([\w-]+\/)*[\w-]+\.js$/,
];

describe('the packed archive', () => {
  let files: string[];
  before(async () => {
    ({ files } = await pack());
  });

  test('holds every node with dialog, labels, help and icon, an example, and what to read', () => {
    const nodes = Object.entries(packageJson()['node-red'].nodes).flatMap(([type, script]) => {
      const folder = `dist/nodes/${type}`;
      const texts = ['json', 'html'].map((ending) => `${folder}/locales/en-US/${type}.${ending}`);
      return [script, `${folder}/${type}.html`, `${folder}/icons/${type}.svg`, ...texts];
    });
    assert.deepEqual(
      [...NEEDED, ...nodes].filter((name) => !files.includes(name)),
      [],
    );
  });

  test('holds nothing else: no tests, no plant, no sources, no maps', () => {
    assert.deepEqual(
      files.filter((name) => !ALLOWED.some((allowed) => allowed.test(name))),
      [],
    );
  });

  test('names no folder of the machine that built it', () => {
    const local = [PROJECT, homedir(), tmpdir()].filter((folder) => folder.length > 1).map((folder) => `${folder}/`);
    for (const name of files) {
      const text = readFileSync(join(PROJECT, name), 'utf8');
      for (const folder of local) assert.ok(!text.includes(folder), `${name} holds ${folder}`);
    }
  });
});
