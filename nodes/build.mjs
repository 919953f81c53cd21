/**
 * Builds dist/ in about a second: every TypeScript file on its own by esbuild (types are checked by `npm run typecheck`), and
 * beside the nodes what Node-RED looks for there: dialogs with their script bundled in, locales and icons. Writes only what has
 * changed and removes what has no source any more, so that it may run while something of dist/ is in use.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
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

/** For the browser: bundled into the dialogs, and into the demo's own page. */
const PAGE = join('examples', 'plant', 'page', 'browser');
const forBrowser = (file) =>
  file.startsWith(PAGE) ||
  /^nodes\/[^/]+\/editor[^/]*\.ts$/.test(file) ||
  file.startsWith(join('nodes', 'lib', 'editor', ''));

const sources = ['nodes', 'examples', 'test'].flatMap(filesBelow);
const { outputFiles } = await build({
  entryPoints: sources.filter((file) => file.endsWith('.ts') && !file.endsWith('.d.ts') && !forBrowser(file)),
  outdir: 'dist',
  outbase: '.',
  format: 'cjs',
  platform: 'node',
  target: 'node20',
  write: false,
});
for (const { path, contents } of outputFiles) write(path.slice(process.cwd().length + 1), Buffer.from(contents));

/** A dialog with what it shares: `<!-- FILE -->` stands for nodes/lib/editor/FILE, and `${type}` in that for the node's type. */
const wholeDialog = (source) =>
  readFileSync(join(source, 'dialog.html'), 'utf8').replace(/<!-- ([\w.-]+\.html) -->/g, (_, file) =>
    readFileSync(join('nodes', 'lib', 'editor', file), 'utf8')
      .replaceAll('${type}', basename(source))
      .trim(),
  );

const bundled = async (entry) => {
  const { outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    format: 'iife',
    target: 'es2020',
    write: false,
  });
  return outputFiles[0].text;
};

/** What Node-RED's editor loads of a node: its dialog, and the script that registers it. */
const dialogOf = async (source) => {
  return `${wholeDialog(source)}\n<script type="text/javascript">\n${await bundled(join(source, 'editor.ts'))}</script>\n`;
};

/** The texts of one type in one language: what all have in common, and its own, which win. */
const textsOf = (type, file) => {
  const language = basename(dirname(file));
  const own = JSON.parse(readFileSync(file, 'utf8'))[type];
  const common = JSON.parse(readFileSync(join('nodes', 'lib', 'locales', `${language}.json`), 'utf8'));
  const texts = { ...own };
  for (const [section, shared] of Object.entries(common)) texts[section] = { ...shared, ...own[section] };
  return `${JSON.stringify({ [type]: texts }, null, 2)}\n`;
};

for (const entry of readdirSync('nodes', { withFileTypes: true })) {
  if (!entry.isDirectory() || entry.name === 'lib') continue;
  const type = entry.name;
  const source = join('nodes', type);
  for (const file of filesBelow(source))
    if (file.endsWith('.json')) write(join('dist', file), Buffer.from(textsOf(type, file)));
    else if (!/\.ts$|\/dialog\.html$/.test(file)) write(join('dist', file), readFileSync(file));
  if (existsSync(join(source, 'editor.ts')))
    write(join('dist', source, `${type}.html`), Buffer.from(await dialogOf(source)));
  const icon = `${type}.svg`;
  if (existsSync(join('icons', icon))) write(join('dist', source, 'icons', icon), readFileSync(join('icons', icon)));
}

write(join('dist', `${PAGE}.js`), Buffer.from(await bundled(`${PAGE}.ts`)));

for (const file of filesBelow('dist')) if (!written.has(file)) rmSync(file);
