/**
 * Builds dist/ in about a second: every TypeScript file on its own by esbuild (types are checked by `npm run typecheck`), and
 * beside the nodes what Node-RED looks for there: dialogs, locales and icons. Writes only what has changed and removes what
 * has no source any more, so that it may run while something of dist/ is in use.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { build } from 'esbuild';

const filesBelow = (folder) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));

const written = new Set();
const write = (target, contents) => {
  written.add(target);
  if (existsSync(target) && readFileSync(target).equals(contents)) return;
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target, contents);
};

const sources = ['nodes', 'examples', 'test'].flatMap(filesBelow);
const { outputFiles } = await build({
  entryPoints: sources.filter((file) => file.endsWith('.ts') && !file.endsWith('.d.ts')),
  outdir: 'dist',
  outbase: '.',
  absWorkingDir: process.cwd(),
  format: 'cjs',
  platform: 'node',
  target: 'node20',
  write: false,
});
for (const { path, contents } of outputFiles) write(path.slice(process.cwd().length + 1), Buffer.from(contents));

for (const entry of readdirSync('nodes', { withFileTypes: true })) {
  if (!entry.isDirectory() || entry.name === 'lib') continue;
  const source = join('nodes', entry.name);
  for (const file of filesBelow(source)) if (!file.endsWith('.ts')) write(join('dist', file), readFileSync(file));
  const icon = `${entry.name}.svg`;
  if (existsSync(join('icons', icon))) write(join('dist', source, 'icons', icon), readFileSync(join('icons', icon)));
}

for (const file of filesBelow('dist')) if (!written.has(file)) rmSync(file);
