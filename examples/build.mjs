/**
 * Assembles what people import: examples/<nn>-<name>.json from examples/source/<nn>-<name>/flow.json, in which a property
 * { "file": "…" } stands for the text of that file (functions, pages, styles, comments: each in a file of its own kind). The
 * shipped flow is example 04. `npm run examples` writes them; a test holds the written ones against their sources.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const SOURCE = join('examples', 'source');
const SHIPPED = '04-mo-consumption-cycle';

const assemble = (folder) => {
  const text = (file) => readFileSync(join(SOURCE, folder, file), 'utf8').replace(/\n$/, '');
  const flow = JSON.parse(readFileSync(join(SOURCE, folder, 'flow.json'), 'utf8'), (_key, value) =>
    typeof value?.file === 'string' ? text(value.file) : value,
  );
  return `${JSON.stringify(flow, null, 2)}\n`;
};

/** Path of each importable file → its contents. */
export const assembled = () => {
  const files = new Map(readdirSync(SOURCE).map((folder) => [join('examples', `${folder}.json`), assemble(folder)]));
  files.set(join('flows', 'mo-consumption-cycle.json'), files.get(join('examples', `${SHIPPED}.json`)));
  return files;
};

if (process.argv[1] === import.meta.filename) for (const [file, contents] of assembled()) writeFileSync(file, contents);
