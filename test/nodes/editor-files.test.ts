/** The editor's side of every node: dialog, labels, help and icon, checked as files and run against a small stand-in of RED. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, test } from 'node:test';
import { runInNewContext } from 'node:vm';
import { DEFAULT_SILOS, SiloMap } from '../../nodes/lib/domain/silos';
import { CONFIG_HISTORIES } from '../../nodes/lib/node-red/config-migrations';
import { validateLayout } from '../../nodes/lib/plc/layout-check';
import { isSilo, LAYOUT_PRESETS, SLOT_FIELDS, type SlotField } from '../../nodes/lib/plc/slot-layout';

interface Property {
  value: unknown;
  type?: string;
  label?: string;
  required?: boolean;
  validate?: (this: unknown, value: unknown, options: object) => boolean | string | string[];
}
type TextFunction = (this: unknown, index?: number) => string;
interface Definition {
  category: string;
  color: string;
  icon: string;
  defaults: Record<string, Property>;
  credentials?: Record<string, { type: string }>;
  inputs?: number;
  outputs?: number;
  label: TextFunction;
  paletteLabel: TextFunction;
  inputLabels?: TextFunction;
  outputLabels?: TextFunction;
}
type Catalog = { [key: string]: string | Catalog };

// Compiled to <out>/test/nodes: three folders below the project.
const root = resolve(__dirname, '..', '..', '..');
const read = (...path: string[]): string => readFileSync(join(root, ...path), 'utf8');
const pkg = JSON.parse(read('package.json')) as { name: string; 'node-red': { nodes: Record<string, string> } };
const TYPES = Object.keys(pkg['node-red'].nodes);
const CONFIG_TYPES = ['odoo-server', 'mo-database', 'silo-map'];
/** What a node lacks as it is dragged in. */
const CHOSEN_BY_A_PERSON: Record<string, string[]> = {
  'odoo-server': ['url', 'database'],
  'plc-consumption-read': ['endpoint', 'silos'],
  'plc-order-write': ['endpoint', 'silos'],
};
/** Saved with the node, but not entered by a person. */
const WITHOUT_FIELD = ['configVersion'];

/** All first groups of a pattern's matches. */
const matches = (text: string, pattern: RegExp): string[] =>
  [...text.matchAll(pattern)].map(([, group]) => group ?? '');

function load(type: string) {
  const html = read('dist', 'nodes', type, `${type}.html`);
  const [template = ''] = matches(html, /<script type="text\/html"[^>]*>([\s\S]*?)<\/script>/g);
  const [script = ''] = matches(html, /<script type="text\/javascript">([\s\S]*?)<\/script>/g);
  const catalog = JSON.parse(read('dist', 'nodes', type, 'locales', 'en-US', `${type}.json`)) as Catalog;
  const find = (key: string): string | Catalog | undefined =>
    key
      .split('.')
      .reduce<string | Catalog | undefined>((at, part) => (typeof at === 'object' ? at[part] : at), catalog);
  /** Every text that was asked for, with what it was to say. */
  const named: { key: string; values: Record<string, unknown> }[] = [];
  /** What Node-RED's `_` does, but a missing key is an error, and so is a value that the text has no place for. */
  const translate = (key: string, values: Record<string, unknown> = {}): string => {
    named.push({ key, values });
    const text = find(key);
    assert.equal(typeof text, 'string', `${type}: there is no text for ${key}`);
    const filled = (text as string).replace(/__(\w+)__/g, (_all, name: string) => String(values[name]));
    assert.doesNotMatch(filled, /undefined/, `${type}: ${key} lacks a value`);
    return filled;
  };
  const registered: Record<string, Definition> = {};
  const configNodes: Record<string, object> = {};
  runInNewContext(script, {
    RED: {
      nodes: {
        registerType: (name: string, definition: Definition) => (registered[name] = definition),
        node: (id: string) => configNodes[id] ?? null,
      },
      _: (key: string) => {
        const [namespace, name = ''] = key.split(':');
        assert.equal(namespace, `${pkg.name}/${type}`, 'the namespace of a label is package/type');
        return translate(name);
      },
      utils: { validateTypedProperty: () => true },
    },
  });
  const definition = registered[type];
  assert.ok(definition, `${type}.html registers ${type}`);
  /** A node as the editor has it: its defaults, and what is given. */
  const node = (values: Record<string, unknown> = {}): Record<string, unknown> => ({
    ...Object.fromEntries(Object.entries(definition.defaults).map(([key, { value }]) => [key, value])),
    ...values,
    _: translate,
  });
  /** What a property's validator says; true for one without. */
  const check = (key: string, values: Record<string, unknown> = {}): boolean | string | string[] => {
    const self = node(values);
    return definition.defaults[key]?.validate?.call(self, self[key], {}) ?? true;
  };
  return { html, template, script, find, definition, node, check, configNodes, named };
}

for (const type of TYPES) {
  const isConfig = CONFIG_TYPES.includes(type);
  const prefix = isConfig ? 'node-config-input' : 'node-input';

  describe(type, () => {
    test('has dialog, labels, help and icon, named after the type', () => {
      for (const path of [
        ['dist', 'nodes', type, `${type}.html`],
        ['nodes', type, 'locales', 'en-US', `${type}.json`],
        ['nodes', type, 'locales', 'en-US', `${type}.html`],
        ['icons', `${type}.svg`],
      ]) {
        assert.ok(existsSync(join(root, ...path)), path.join('/'));
      }
      const { html, definition } = load(type);
      assert.ok(html.includes(`<script type="text/html" data-template-name="${type}">`));
      assert.ok(html.includes('<script type="text/javascript">'));
      assert.equal(definition.icon, `${type}.svg`);
      assert.equal(definition.category, isConfig ? 'config' : 'MO Bridge');
      assert.match(definition.color, /^#[0-9A-F]{6}$/);
      assert.equal(definition.defaults.configVersion?.value, (CONFIG_HISTORIES[type]?.steps.length ?? 0) + 1);
    });

    test('its icon is 40 by 60, white only', () => {
      const svg = read('icons', `${type}.svg`);
      assert.match(svg, /<svg [^>]*width="40" height="60" viewBox="0 0 40 60"/);
      assert.deepEqual([...new Set(matches(svg, /fill="([^"]+)"/g))], ['#fff']);
    });

    test('its help explains inputs, outputs and details', () => {
      const help = read('nodes', type, 'locales', 'en-US', `${type}.html`);
      assert.ok(help.startsWith(`<script type="text/html" data-help-name="${type}">`));
      assert.deepEqual(matches(help, /<h3>(.*?)<\/h3>/g), isConfig ? ['Details'] : ['Inputs', 'Outputs', 'Details']);
    });

    test('its dialog has a field for every property and credential', () => {
      const { template, definition } = load(type);
      const ids = matches(template, / id="([^"]+)"/g);
      const keys = [...Object.keys(definition.defaults), ...Object.keys(definition.credentials ?? {})];
      for (const key of keys.filter((each) => !WITHOUT_FIELD.includes(each))) {
        // A table or list has no value of its own: its element is called …-container, so that Node-RED does not read it.
        assert.ok(ids.includes(`${prefix}-${key}`) || ids.includes(`${prefix}-${key}-container`), key);
      }
      for (const id of ids.filter((each) => each.startsWith(`${prefix}-`))) {
        assert.ok(keys.includes(id.slice(prefix.length + 1).replace(/-container$/, '')), `${id} is saved nowhere`);
      }
      assert.equal(new Set(ids).size, ids.length, 'ids are unique');
    });

    test('its visible text comes from the locale', () => {
      const { template, script } = load(type);
      assert.equal(template.replace(/<[^>]+>/g, '').trim(), '');
      assert.doesNotMatch(template, /<[^>]+ (placeholder|title)=/);
      assert.doesNotMatch(script, /\.(text|html|append)\(\s*['"`][A-Za-z]/);
    });

    test('every text that it names exists in the locale', () => {
      const { html, template, script, find } = load(type);
      for (const keys of matches(template, /data-i18n="([^"]+)"/g)) {
        for (const key of keys.split(';')) {
          assert.equal(typeof find(key.replace(/^\[\w+\]/, '')), 'string', key);
        }
      }
      const named = new RegExp(`['"\`](${type}\\.[\\w.-]+)['"]`, 'g');
      for (const key of matches(script, named).filter((each) => !each.endsWith('.svg'))) {
        assert.equal(typeof find(key), 'string', key);
      }
      const operations = matches(html, new RegExp(`data-i18n="${type}\\.operation\\.([\\w-]+)"`, 'g'));
      for (const section of matches(script, new RegExp(`\`${type}\\.(\\w+)\\.\\$\\{`, 'g'))) {
        const texts = find(`${type}.${section}`);
        assert.equal(typeof texts, 'object', section);
        if (!['operation', 'tip', 'input', 'output'].includes(section)) continue;
        for (const operation of operations) assert.ok(operation in (texts as Catalog), `${section}.${operation}`);
      }
    });

    test('has labels for the palette, the canvas and every wire', () => {
      const { definition, node } = load(type);
      assert.ok(definition.paletteLabel.call(node()));
      assert.ok(definition.label.call(node()));
      assert.equal(definition.label.call(node({ name: 'mine' })), 'mine');
      if (isConfig) return;
      assert.equal(definition.inputs, 1);
      assert.ok(definition.inputLabels?.call(node(), 0));
      const labels = [...Array(definition.outputs).keys()].map((index) => definition.outputLabels?.call(node(), index));
      assert.ok(labels.length > 0 && labels.every(Boolean));
    });

    test('is valid as it is dragged in, but for what a person must choose', () => {
      const { definition, check } = load(type);
      const invalid = Object.keys(definition.defaults).filter((key) => check(key) !== true);
      assert.deepEqual(invalid, CHOSEN_BY_A_PERSON[type] ?? []);
      for (const property of Object.values(definition.defaults).filter(({ required }) => required)) {
        assert.ok(property.label, 'Node-RED names a missing config node by its label');
      }
    });
  });
}

/** Values that a property's validator must refuse, and what they depend on. */
const REFUSED: [type: string, key: string, values: Record<string, unknown>][] = [
  ['odoo-server', 'url', { url: 'odoo.example:8069' }],
  ['odoo-server', 'timeout', { timeout: '0' }],
  ['odoo-server', 'parallel', { parallel: '17' }],
  ['odoo-server', 'parallel', { parallel: '2.5' }],
  ['mo-database', 'port', { port: '70000' }],
  ['mo-database', 'host', { mode: 'server' }],
  ['mo-database', 'serverPort', { mode: 'server', serverPort: '' }],
  ['mo-database', 'database', { mode: 'server', database: ' ' }],
  ['mo-batch-store', 'limit', { operation: 'due', limit: '0' }],
  ['mo-batch-store', 'stalled', { operation: 'health', stalled: '0' }],
  ['mo-batch-store', 'unread', { operation: 'health', unread: '' }],
  ['mo-batch-store', 'unconfirmed', { operation: 'health', unconfirmed: 'soon' }],
  ['odoo-push-consumption', 'minFinishedShare', { minFinishedShare: '' }],
  ['odoo-push-consumption', 'minFinishedShare', { minFinishedShare: '101' }],
  ['history-archive', 'note', { operation: 'failed' }],
  ['plc-order-write', 'slots', { slots: '0' }],
  ['plc-order-write', 'maxSilo', { maxSilo: '0' }],
  ['plc-order-write', 'settle', { settle: '' }],
  ['plc-consumption-read', 'slots', { slots: '65' }],
  ['plc-consumption-read', 'db', { db: '0' }],
  ['plc-consumption-read', 'maxSilo', { maxSilo: '' }],
  ['plc-consumption-read', 'zeroBand', { zeroBand: '-1' }],
  ['plc-consumption-read', 'moPattern', { moPattern: '(' }],
];

for (const [type, key, values] of REFUSED) {
  test(`${type} refuses ${JSON.stringify(values)} with a message at ${key}`, () => {
    const { check, definition } = load(type);
    const message = check(key, values);
    assert.equal(typeof message, 'string');
    assert.equal(
      definition.defaults[key]?.validate?.length,
      2,
      'Node-RED shows messages of two-parameter validators only',
    );
  });
}

test('fields of an operation that is not chosen are not checked', () => {
  assert.equal(load('mo-batch-store').check('limit', { operation: 'summary', limit: '' }), true);
  assert.equal(load('history-archive').check('note', { operation: 'completed', note: '' }), true);
  assert.equal(load('mo-database').check('host', { mode: 'embedded', host: '' }), true);
});

test('a node that acknowledges needs no PLC of its own, one that reads needs a sound one', () => {
  const { check, configNodes } = load('plc-consumption-read');
  const blank = { valid: false, validationErrors: ['vartable'], vartable: [{ name: '', addr: '' }] };
  Object.assign(configNodes, {
    ...{ plc: {}, unsound: { valid: false }, new: blank },
    ...{ wrong: { ...blank, vartable: [{ name: 'x', addr: 'DB1,' }] } },
    ...{ addressless: { ...blank, validationErrors: ['address', 'vartable'] } },
  });
  for (const key of ['endpoint', 'db', 'fields', 'maxSilo']) {
    assert.equal(check(key, { operation: 'acknowledge', [key]: undefined }), true, key);
  }
  assert.equal(check('endpoint', { endpoint: 'plc' }), true);
  // A new endpoint has no variables, which only node-red-contrib-s7's own nodes need.
  assert.equal(check('endpoint', { endpoint: 'new' }), true);
  for (const endpoint of ['', 'unsound', 'deleted', 'wrong', 'addressless'])
    assert.match(String(check('endpoint', { endpoint })), /^PLC: /);
});

test('the silo map starts with the standard silos and names blank and repeated codes', () => {
  const { definition, check } = load('silo-map');
  const standard = JSON.parse(JSON.stringify(definition.defaults.silos?.value)) as (typeof DEFAULT_SILOS)[number][];
  assert.deepEqual(standard, DEFAULT_SILOS);
  const silos = standard.map((silo, index) => ({ ...silo, code: ['silo101', 'silo101', ''][index] ?? silo.code }));
  const [twice, blank, ...more] = check('silos', { silos }) as string[];
  assert.match(twice ?? '', /^silo_b: .*silo101.*silo_a/);
  assert.match(blank ?? '', /^silo_c: /);
  assert.equal(more.length, 0);
  const off = silos.map((silo) => ({ ...silo, enabled: silo.tag !== 'silo_b' && silo.tag !== 'silo_c' }));
  assert.equal(check('silos', { silos: off }), true);
});

describe('the field table of plc-consumption-read', () => {
  const record = LAYOUT_PRESETS['S7 batch record'];
  const change = (index: number, row: Partial<SlotField>): SlotField[] =>
    record.fields.map((field, at) => (at === index ? { ...field, ...row } : field));
  const switchedOff = DEFAULT_SILOS.map((silo) => ({ ...silo, enabled: silo.tag !== 'lq_fml' }));
  const further = [...DEFAULT_SILOS, { tag: 'bin_16', code: 'B-16', label: 'Lysine', enabled: true }];
  const layout = (values: object = {}) => ({ ...record, silos: DEFAULT_SILOS, ...values });

  const LAYOUTS: Record<string, ReturnType<typeof layout>> = {
    'as it comes': layout(),
    'packed words': layout({ ...LAYOUT_PRESETS['packed words'] }),
    'overlapping fields': layout({ fields: change(6, { offset: 30 }) }),
    'a bit inside a number': layout({ fields: change(2, { offset: 28.3 }) }),
    'beyond the stride': layout({ stride: 84 }),
    'an odd address': layout({ fields: change(5, { offset: 89 }) }),
    'an odd first byte': layout({ base: 1 }),
    'an odd stride': layout({ stride: 111 }),
    'an odd stride with one slot': layout({ stride: 111, slots: 1 }),
    'a field twice': layout({ fields: change(6, { field: 'silo_a' }) }),
    'a further silo of the map': layout({ silos: further, fields: change(6, { field: 'bin_16' }) }),
    'a further silo that the map does not have': layout({ fields: change(6, { field: 'bin_16' }) }),
    'a silo that the map has switched off': layout({ silos: switchedOff }),
    'a bit 8': layout({ fields: change(1, { offset: 22.8 }) }),
    'a STRING without a length': layout({ fields: change(0, { length: 0 }) }),
    'an order number that is no text': layout({ fields: change(0, { type: 'DINT' }) }),
    'a weight that is text': layout({ fields: change(5, { type: 'CHAR', length: 4 }) }),
    'a weight that is a bit': layout({ fields: change(5, { type: 'BOOL', offset: 28.1 }) }),
    'a status that is REAL': layout({ fields: change(2, { type: 'REAL', offset: 90 }) }),
    'a batch counter': layout({ fields: [...record.fields, { field: 'counter', type: 'UINT', offset: 88 }] }),
    'a batch counter that is REAL': layout({
      fields: [...record.fields, { field: 'counter', type: 'REAL', offset: 88 }],
    }),
    'a batch counter that is a bit': layout({
      fields: [...record.fields, { field: 'counter', type: 'BOOL', offset: 88 }],
    }),
    'a scale of 0': layout({ fields: change(5, { scale: 0 }) }),
    'no order number': layout({ fields: record.fields.slice(1) }),
    'no silo': layout({ fields: record.fields.slice(0, 5) }),
    'an empty table': layout({ fields: [] }),
  };

  test('every field has a name in plain words', () => {
    const { find } = load('plc-consumption-read');
    for (const field of SLOT_FIELDS.filter((each) => !isSilo(each)))
      assert.equal(typeof find(`plc-consumption-read.field.${field}`), 'string', field);
  });

  test('it starts with the preset of the layout', () => {
    const { definition } = load('plc-consumption-read');
    // BOOL offsets are kept as text, so that 22.0 shows its bit; as numbers they are the layout's.
    const fields = (JSON.parse(JSON.stringify(definition.defaults.fields?.value)) as SlotField[]).map((row) => ({
      ...row,
      offset: Number(row.offset),
    }));
    assert.deepEqual(fields, record.fields);
    for (const key of ['db', 'base', 'stride', 'slots'] as const) {
      assert.equal(definition.defaults[key]?.value, record[key]);
    }
  });

  for (const [name, { silos, ...values }] of Object.entries(LAYOUTS)) {
    test(`dialog and node find the same faults: ${name}`, () => {
      const { check, configNodes, named } = load('plc-consumption-read');
      configNodes['silo-map-id'] = { silos };
      const fields = values.fields.map((row) => ({
        ...row,
        offset: row.type === 'BOOL' ? String(row.offset) : row.offset,
      }));
      const told = check('fields', { ...values, fields, silos: 'silo-map-id' });
      const expected = validateLayout(values, new SiloMap(silos));
      assert.equal(told === true ? 0 : (told as string[]).length, expected.length);
      assert.deepEqual(
        named.map(({ key, values: said }) => [key, said.row]),
        expected.map(({ fault, row }) => [`plc-consumption-read.layout.${fault}`, row]),
      );
    });
  }
});
