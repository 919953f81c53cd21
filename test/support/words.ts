/** A node's texts outside Node-RED, as built. */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

type Catalog = { [key: string]: string | Catalog };

const BUILT = resolve(__dirname, '..', '..');

/** @returns what Node-RED's `_` does for a node of this type; a key without a text throws */
export function wordsOf(type: string, language = 'en-US'): (key: string, values?: Record<string, unknown>) => string {
  const file = join(BUILT, 'nodes', type, 'locales', language, `${type}.json`);
  const texts = (JSON.parse(readFileSync(file, 'utf8')) as Record<string, Catalog>)[type]!;
  return (key, values = {}) => {
    const text = key.split('.').reduce<string | Catalog | undefined>((at, part) => (at as Catalog)?.[part], texts);
    if (typeof text !== 'string') throw new Error(`${type} has no text ${key} in ${language}`);
    return text.replace(/__(\w+?)__/g, (_all, name: string) => String(values[name]));
  };
}
