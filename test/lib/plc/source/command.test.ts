/** The command `npm run -s layout -- FILE`, as a person calls it. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, test } from 'node:test';

const folder = mkdtempSync(join(tmpdir(), 'layout-'));
after(() => rmSync(folder, { recursive: true }));

// Compiled to <out>/test/lib/plc/source: three folders below the tests.
const COMMAND = resolve(__dirname, '..', '..', '..', 'layout.js');
const layOut = (...args: string[]) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [COMMAND, ...args], {
    encoding: 'utf8',
    env: { ...process.env, INIT_CWD: folder },
  });
  return { status, stdout, stderr };
};

const source = (optimized: string): string => `DATA_BLOCK "Mixer"
{ S7_Optimized_Access := '${optimized}' }
   STRUCT
      Head : Array[1..35] of Word;
      Batch : Array[1..1] of Struct
         Flags : Array[0..9] of Bool;
         Order : String[20];
         At : DTL;
      END_STRUCT;
   END_STRUCT;
BEGIN
END_DATA_BLOCK
`;

test('it prints path, type and byte.bit of each elementary member with tabs between', () => {
  writeFileSync(join(folder, 'mixer.db'), source('FALSE'));
  const { status, stdout, stderr } = layOut('mixer.db');
  assert.equal(stderr, '');
  assert.equal(status, 0);
  const lines = stdout.trimEnd().split('\n');
  assert.equal(lines.length, 35 + 10 + 2);
  assert.equal(lines[0], 'Head[1]\tWORD\t0.0');
  for (const line of ['Batch[1].Flags[9]\tBOOL\t71.1', 'Batch[1].Order\tSTRING[20]\t72.0', 'Batch[1].At\tDTL\t94.0'])
    assert.ok(lines.includes(line), line);
});

test('an optimized block prints nothing, ends non-zero and names the setting to change', () => {
  writeFileSync(join(folder, 'optimized.db'), source('TRUE'));
  const { status, stdout, stderr } = layOut('optimized.db');
  assert.notEqual(status, 0);
  assert.equal(stdout, '');
  assert.match(stderr, /Line 1: “Mixer” has optimized access.*clear “Optimized block access”/);
});

test('a fault is told with its line, a missing file by its name', () => {
  writeFileSync(join(folder, 'wrong.scl'), 'TYPE "A"\nSTRUCT\n  x : Bool\nEND_STRUCT;\nEND_TYPE');
  assert.match(layOut('wrong.scl').stderr, /Line 4: “;” was expected, found “END_STRUCT”/);
  assert.match(layOut('nowhere.db').stderr, /nowhere\.db/);
  assert.match(layOut().stderr, /npm run -s layout -- FILE/);
  assert.notEqual(layOut().status, 0);
});
