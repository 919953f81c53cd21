/**
 * `npm run -s layout -- FILE`: prints where each elementary member of a TIA Portal or STEP 7 source lies, one line each: path,
 * tab, type, tab, byte.bit. Ends non-zero for a source that has no such addresses, and says why.
 */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { SourceError } from '../nodes/lib/plc/source/fault';
import { layOut, lineOf } from '../nodes/lib/plc/source/layout';
import { textOfFile } from '../nodes/lib/plc/source/text-file';
import { sourceWords, type Translate } from '../nodes/lib/plc/layout-words';

/** The node's own words, as the build has put them beside it. */
const english: Translate = (key, values) => {
  const file = resolve(__dirname, '../nodes/plc-consumption-read/locales/en-US/plc-consumption-read.json');
  const catalogue: unknown = JSON.parse(readFileSync(file, 'utf8'));
  const found = ['plc-consumption-read', ...key.split('.')].reduce<unknown>(
    (texts, name) => (texts as Record<string, unknown>)[name],
    catalogue,
  );
  return String(found).replace(/__(\w+?)__/g, (_, name: string) => String(values[name]));
};

function main(): void {
  const [file] = process.argv.slice(2);
  if (!file) throw new Error('name the source: npm run -s layout -- FILE');
  // npm starts this in the project's root, whatever folder the person who named the file is in.
  const text = textOfFile(readFileSync(resolve(process.env['INIT_CWD'] ?? '.', file)));
  process.stdout.write(
    layOut(text)
      .map((member) => `${lineOf(member)}\n`)
      .join(''),
  );
}

try {
  main();
} catch (error) {
  const reason = error instanceof SourceError ? sourceWords(english, error) : (error as Error).message;
  process.stderr.write(`layout: ${reason}\n`);
  process.exitCode = 1;
}
