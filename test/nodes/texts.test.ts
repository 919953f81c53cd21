/** The texts in the sources: each stands once, each that is named is there, and each that is there is named. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join, resolve, sep } from 'node:path';
import { test } from 'node:test';

type Catalog = { [key: string]: string | Catalog };

// Compiled to <out>/test/nodes: three folders below the project.
const NODES = resolve(__dirname, '..', '..', '..', 'nodes');
const files = readdirSync(NODES, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => join(entry.parentPath, entry.name));
const read = (file: string): string => readFileSync(file, 'utf8');
const flat = (catalog: Catalog, path = ''): [key: string, text: string][] =>
  Object.entries(catalog).flatMap(([key, value]) =>
    typeof value === 'string' ? [[path + key, value]] : flat(value, `${path}${key}.`),
  );

const COMMON = join(NODES, 'lib', 'locales');
const TYPES = readdirSync(NODES, { withFileTypes: true }).flatMap(({ name }) =>
  name !== 'lib' && files.some((file) => file.startsWith(join(NODES, name, 'locales') + sep)) ? [name] : [],
);
const LANGUAGES = readdirSync(COMMON).map((file) => basename(file, '.json'));
const commonTexts = (language: string) => flat(JSON.parse(read(join(COMMON, `${language}.json`))) as Catalog);
/** A type's own texts by their keys without the type. */
const ownTexts = (type: string, language: string) =>
  flat((JSON.parse(read(join(NODES, type, 'locales', language, `${type}.json`))) as Record<string, Catalog>)[type]!);

/** Every text between quotes in the code, and every key in a dialog. */
const LITERAL = /'((?:[^'\\\n]|\\.)*)'|`((?:[^`\\]|\\.)*)`|data-i18n="(?:\[\w+\])?([\w.${}-]+)"/g;
const PLACEHOLDER = /\$\{[^}]*\}/;
const code = files.filter((file) => /(\.ts|dialog\.html)$/.test(file));
const literalsOf = (file: string): string[] => {
  // A template may hold further literals in its ${…}.
  const inside = (text: string): string[] =>
    [...text.matchAll(LITERAL)].flatMap(([, quoted, template, key]) => [
      quoted ?? template ?? key ?? '',
      ...(template ? inside(template) : []),
    ]);
  return inside(read(file));
};
const LITERALS = new Map(code.map((file) => [file, literalsOf(file)]));
/** Whose texts a file may name: those of its own node; a shared file's may be any node's. */
const typeOf = (file: string): string | undefined =>
  TYPES.find((type) => file.startsWith(join(NODES, type) + sep) && !file.includes(`${sep}lib${sep}`));

/** What stands for a value in a key that is put together has to be a word of the code. */
const WORDS = new Set(code.flatMap((file) => read(file).match(/[\w-]+/g) ?? []));
const escaped = (text: string): string => text.replace(/[.*+?^$()|[\]\\{}]/g, '\\$&');

function isNamed(key: string, type: string | undefined): boolean {
  const named = code.flatMap((file) =>
    type === undefined || [type, undefined].includes(typeOf(file)) ? (LITERALS.get(file) ?? []) : [],
  );
  return named.some((literal) => {
    const parts = literal.split(PLACEHOLDER);
    if (parts.length === 1) return literal === key || literal === `${type ?? typeOfKey(literal)}.${key}`;
    // Something of the key itself has to stand there: `${a}.${b}` names nothing.
    if (!/\w+\.|\.\w+/.test(parts.join(' '))) return false;
    const pattern = new RegExp(`^${parts.map(escaped).join('(.+)')}$`);
    const found = pattern.exec(key) ?? TYPES.map((each) => pattern.exec(`${each}.${key}`)).find(Boolean);
    return found?.slice(1).every((value) => TYPES.includes(value) || value.split('.').every((word) => WORDS.has(word)));
  });
}
const typeOfKey = (literal: string): string => TYPES.find((type) => literal.startsWith(`${type}.`)) ?? '';

for (const language of LANGUAGES) {
  test(`no text stands twice in ${language}`, () => {
    const places = new Map<string, string[]>();
    const add =
      (place: string) =>
      ([key, text]: [string, string]): void =>
        void places.set(text.trim(), [...(places.get(text.trim()) ?? []), `${place}: ${key}`]);
    commonTexts(language).forEach(add('common'));
    for (const type of TYPES) ownTexts(type, language).forEach(add(type));
    assert.deepEqual(
      [...places].filter(([, where]) => where.length > 1),
      [],
    );
  });
}

test('every language has all common texts, and every node speaks it', () => {
  const keys = (language: string): string[] => commonTexts(language).map(([key]) => key);
  for (const language of LANGUAGES) {
    assert.deepEqual(keys(language).sort(), keys('en-US').sort(), language);
    for (const type of TYPES) assert.ok(ownTexts(type, language).length > 0, `${type} in ${language}`);
  }
  for (const type of TYPES)
    assert.deepEqual(readdirSync(join(NODES, type, 'locales')).sort(), [...LANGUAGES].sort(), type);
});

test('every text is named somewhere in the code', () => {
  const unnamed = [
    ...commonTexts('en-US').flatMap(([key]) => (isNamed(key, undefined) ? [] : [`common: ${key}`])),
    ...TYPES.flatMap((type) =>
      ownTexts(type, 'en-US').flatMap(([key]) => (isNamed(key, type) ? [] : [`${type}: ${key}`])),
    ),
  ];
  assert.deepEqual(unnamed, []);
});

test('every text that the code names is there', () => {
  const common = commonTexts('en-US').map(([key]) => key);
  const of = (type: string): string[] => [...common, ...ownTexts(type, 'en-US').map(([key]) => key)];
  const sections = new Set(TYPES.flatMap((type) => of(type).map((key) => key.split('.')[0]!)));
  const missing = [...LITERALS].flatMap(([file, literals]) => {
    const types = typeOf(file) ? [typeOf(file)!] : TYPES;
    return literals.flatMap((literal) => {
      const type = typeOfKey(literal);
      const key = type ? literal.slice(type.length + 1) : literal;
      const section = /^([a-z]\w*)\.[\w.-]+$/i.exec(key)?.[1] ?? '';
      if (!sections.has(section) || /\.(svg|json|html)$/.test(key)) return [];
      return (type ? [type] : types).some((each) => of(each).includes(key)) ? [] : [`${file}: ${literal}`];
    });
  });
  assert.deepEqual(missing, []);
});
