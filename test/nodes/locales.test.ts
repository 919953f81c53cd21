/** Every language says all that en-US says: the same texts with the same values, the same help with the same examples. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, test } from 'node:test';
import { startLiveNodeRed } from '../support/live-node-red';

type Catalog = { [key: string]: string | Catalog };

// Compiled to <out>/test/nodes: three folders below the project.
const root = resolve(__dirname, '..', '..', '..');
const nodesOf = (JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { 'node-red': { nodes: object } })[
  'node-red'
];
const TYPES = Object.keys(nodesOf.nodes);
const REFERENCE = 'en-US';
/** As TIA Portal and this package call them in every language. */
const PROPER_NAMES = ['Data block DB', 'S7 batch record', 'S7 order record'];
/** As built: its own texts and those that all nodes have in common. */
const locales = (type: string): string => join(root, 'dist', 'nodes', type, 'locales');
const read = (type: string, language: string, extension: string): string =>
  readFileSync(join(locales(type), language, `${type}.${extension}`), 'utf8');

/** All texts by their full key. */
const flat = (catalog: Catalog, path = ''): [key: string, text: string][] =>
  Object.entries(catalog).flatMap(([key, value]) =>
    typeof value === 'string' ? [[path + key, value]] : flat(value, `${path}${key}.`),
  );
const texts = (type: string, language: string): Map<string, string> =>
  new Map(flat(JSON.parse(read(type, language, 'json')) as Catalog));
const found = (text: string, pattern: RegExp): string[] => (text.match(pattern) ?? []).sort();

for (const type of TYPES) {
  const languages = readdirSync(locales(type)).filter((language) => language !== REFERENCE);

  test(`${type} speaks Indonesian`, () => assert.ok(languages.includes('id-ID')));

  for (const language of languages) {
    describe(`${type} in ${language}`, () => {
      test('has every text, and no other', () => {
        assert.deepEqual([...texts(type, language).keys()].sort(), [...texts(type, REFERENCE).keys()].sort());
      });

      test('puts the same values into each text', () => {
        const reference = texts(type, REFERENCE);
        for (const [key, text] of texts(type, language)) {
          const values = (each = ''): string[] => found(each.replaceAll('____', '__ __'), /__\w+?__/g);
          assert.deepEqual(values(text), values(reference.get(key)), key);
        }
      });

      test('is translated', () => {
        const reference = texts(type, REFERENCE);
        // One or two words may well be the same: units, names of products.
        const same = [...texts(type, language)].filter(
          ([key, text]) => text === reference.get(key) && /[a-z]{3,} [a-z]+ [a-z]/i.test(text.replace(/__\w+?__/g, '')),
        );
        assert.deepEqual(
          same.filter(([, text]) => !PROPER_NAMES.includes(text)),
          [],
        );
      });

      test('has the help, with the same parts and examples', () => {
        assert.ok(existsSync(join(locales(type), language, `${type}.html`)));
        const [help, reference] = [read(type, language, 'html'), read(type, REFERENCE, 'html')];
        assert.ok(help.startsWith(`<script type="text/html" data-help-name="${type}">`));
        for (const part of [/<h3>/g, /<dt/g, /<dd>/g, /<li>/g, /<pre>/g, /<p>/g, /<code>[^<]*<\/code>/g]) {
          assert.deepEqual(found(help, part), found(reference, part), String(part));
        }
      });
    });
  }
}

for (const language of [REFERENCE, 'id-ID']) {
  test(`the help of mo-batch-store in ${language} describes every operation, by the name that the dialog gives it`, () => {
    const help = read('mo-batch-store', language, 'html');
    const described = [...help.matchAll(/<i>([^<]{4,})<\/i>/g)].map(([, name = '']) =>
      name.replace(/\s+/g, ' ').toLowerCase(),
    );
    const operations = [...texts('mo-batch-store', language)].filter(([key]) =>
      /^mo-batch-store\.operation\./.test(key),
    );
    assert.ok(operations.length > 15);
    const missing = operations.filter(([, name]) => !described.some((said) => name.toLowerCase().startsWith(said)));
    assert.deepEqual(missing, []);
  });
}

test('Node-RED serves the dialogs texts and the help in Indonesian to an Indonesian browser', async () => {
  const red = await startLiveNodeRed();
  try {
    const get = async (path: string, headers: Record<string, string> = {}): Promise<string> =>
      (await fetch(red.host.url + path, { headers })).text();
    const help = await get('/nodes', { Accept: 'text/html', 'Accept-Language': 'id-ID' });
    assert.ok(help.includes('Semua node Odoo yang memakainya'));
    const catalog = await get('/nodes/messages?lng=id-ID');
    assert.ok(catalog.includes('Tes koneksi'));
  } finally {
    await red.host.stop();
  }
});
