/**
 * Assembles what people import: examples/<nn>-<name>.json from examples/source/<nn>-<name>/flow.json, in which a property
 * { "file": "…" } stands for the text of that file (functions, pages, styles, comments: each in a file of its own kind). The
 * shipped flow is example 04; a flow.json that names { "cycle": …, "lines": […] } is that flow once per line. `npm run examples` writes them; a test holds the written ones against their sources.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const SOURCE = join('examples', 'source');
const SHIPPED = '04-mo-consumption-cycle';

const load = (folder) => {
  const text = (file) => readFileSync(join(SOURCE, folder, file), 'utf8').replace(/\n$/, '');
  return JSON.parse(readFileSync(join(SOURCE, folder, 'flow.json'), 'utf8'), (_key, value) =>
    typeof value?.file === 'string' ? text(value.file) : value,
  );
};

/**
 * What an engineer does for a second line: the tab once more, its LINE, its PLC; Odoo, database and silos are shared.
 * `changes` holds properties by id, `once` the names of groups that one tab has for all lines.
 */
const perLine = ({ cycle, prefix, lines, once, changes }) => {
  const nodes = load(cycle).map((node) => ({ ...node, ...changes[node.id] }));
  const left = new Set(nodes.filter(({ name }) => once.includes(name)).map(({ id }) => id));
  const isOfLine = ({ type, z }) => type === 'tab' || type === 's7 endpoint' || z !== undefined;
  const renamed = (some, part) => {
    const ids = new Map(nodes.map((node) => [node.id, `${prefix}-${isOfLine(node) ? part : ''}${node.id}`]));
    return JSON.parse(JSON.stringify(some), (_key, value) => ids.get(value) ?? value);
  };
  const copies = lines.flatMap((line, at) => {
    const kept = nodes.filter((node) => isOfLine(node) && (at === 0 || !(left.has(node.id) || left.has(node.g))));
    return JSON.parse(JSON.stringify(renamed(kept, `${line}-`)).replaceAll('<line>', line));
  });
  return [
    ...copies,
    ...renamed(
      nodes.filter((node) => !isOfLine(node)),
      '',
    ),
  ];
};

const assemble = (folder) => {
  const source = load(folder);
  return `${JSON.stringify(Array.isArray(source) ? source : perLine(source), null, 2)}\n`;
};

/** Path of each importable file → its contents. */
export const assembled = () => {
  const files = new Map(readdirSync(SOURCE).map((folder) => [join('examples', `${folder}.json`), assemble(folder)]));
  files.set(join('flows', 'mo-consumption-cycle.json'), files.get(join('examples', `${SHIPPED}.json`)));
  return files;
};

if (process.argv[1] === import.meta.filename) for (const [file, contents] of assembled()) writeFileSync(file, contents);
