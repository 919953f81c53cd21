/** What is wrong with a layout, as values: row, field, fault and what its words need. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DEFAULT_SILOS, SiloMap } from '../../../nodes/lib/domain/silos';
import { LayoutError, type LayoutFault, type LayoutProblem, validateLayout } from '../../../nodes/lib/plc/layout-check';
import { LAYOUT_PRESETS, type SlotField, type SlotLayout, toLayout } from '../../../nodes/lib/plc/slot-layout';

const silos = new SiloMap();
const base = LAYOUT_PRESETS['S7 batch record'];
/** Three sound rows, and the rows under test from row 4 on. */
const withRows = (rows: SlotField[], settings: Partial<SlotLayout> = {}): SlotLayout => ({
  db: 100,
  base: 0,
  stride: 60,
  slots: 3,
  fields: [
    { field: 'mo_id', type: 'STRING', offset: 0, length: 20 },
    { field: 'status_manufacturing', type: 'BOOL', offset: 22 },
    { field: 'silo_a', type: 'REAL', offset: 24 },
    ...rows,
  ],
  ...settings,
});
const silo = (row: Partial<SlotField>): SlotLayout => withRows([{ field: 'silo_b', type: 'REAL', offset: 28, ...row }]);
const told = (
  row: number | null,
  field: string,
  fault: LayoutFault,
  values: LayoutProblem['values'] = {},
): LayoutProblem => ({ row, field, fault, values });

const FAULTS: [string, SlotLayout, LayoutProblem][] = [
  ['overlapping rows', silo({ offset: 26 }), told(4, 'silo_b', 'overlap', { other: 3, otherField: 'silo_a' })],
  [
    'a BOOL inside a word',
    withRows([{ field: 'status_operation', type: 'BOOL', offset: 25.3 }]),
    told(4, 'status_operation', 'overlap', { other: 3, otherField: 'silo_a' }),
  ],
  [
    'the same bit twice',
    withRows([{ field: 'acknowledged', type: 'BOOL', offset: 22 }]),
    told(4, 'acknowledged', 'overlap', { other: 2, otherField: 'status_manufacturing' }),
  ],
  ['a row beyond the stride', silo({ offset: 58 }), told(4, 'silo_b', 'beyond', { byte: 58, last: 61, stride: 60 })],
  ['a tag twice', withRows([{ field: 'silo_a', type: 'REAL', offset: 28 }]), told(4, 'silo_a', 'twice', { other: 3 })],
  ['an odd address', silo({ type: 'INT', offset: 29 }), told(4, 'silo_b', 'odd', { type: 'INT', base: 0, offset: 29 })],
  ['an odd base', withRows([], { base: 1 }), told(3, 'silo_a', 'odd', { type: 'REAL', base: 1, offset: 24 })],
  ['an odd stride', withRows([], { stride: 61 }), told(3, 'silo_a', 'oddStride', { type: 'REAL', stride: 61 })],
  [
    'a bit of 8',
    withRows([{ field: 'status_operation', type: 'BOOL', offset: 30.8 }]),
    told(4, 'status_operation', 'bit', { offset: 30.8 }),
  ],
  ['a fraction of a byte', silo({ offset: 28.5 }), told(4, 'silo_b', 'offset', { offset: 28.5 })],
  ['a negative offset', silo({ offset: -4 }), told(4, 'silo_b', 'offset', { offset: -4 })],
  ['a weight as text', silo({ type: 'CHAR', length: 4 }), told(4, 'silo_b', 'notText', { type: 'CHAR' })],
  ['a weight as BOOL', silo({ type: 'BOOL' }), told(4, 'silo_b', 'type', { type: 'BOOL' })],
  [
    'a number as MO id',
    { ...base, fields: base.fields.map((row, at) => (at === 0 ? { field: 'mo_id', type: 'DINT', offset: 0 } : row)) },
    told(1, 'mo_id', 'text', { type: 'DINT' }),
  ],
  [
    'a status as REAL',
    withRows([{ field: 'status_operation', type: 'REAL', offset: 28 }]),
    told(4, 'status_operation', 'type', { type: 'REAL' }),
  ],
  [
    'a counter as REAL',
    withRows([{ field: 'counter', type: 'REAL', offset: 28 }]),
    told(4, 'counter', 'type', { type: 'REAL' }),
  ],
  [
    'a counter as BOOL',
    withRows([{ field: 'counter', type: 'BOOL', offset: 28 }]),
    told(4, 'counter', 'type', { type: 'BOOL' }),
  ],
  [
    'a counter with a scale',
    withRows([{ field: 'counter', type: 'DINT', offset: 28, scale: 0.1 }]),
    told(4, 'counter', 'unscaled'),
  ],
  ['a scale of 0', silo({ scale: 0 }), told(4, 'silo_b', 'scale', { scale: 0 })],
  [
    'a STRING without length',
    { ...base, fields: base.fields.map(({ length: _, ...row }) => row) },
    told(1, 'mo_id', 'length', { type: 'STRING', most: 254 }),
  ],
  ['a missing MO id', { ...base, fields: base.fields.slice(1) }, told(null, 'mo_id', 'missing')],
  ['65 slots', { ...base, slots: 65 }, told(null, 'slots', 'setting', { value: '65', least: 1, most: 64 })],
  ['no slots', { ...base, slots: 0 }, told(null, 'slots', 'setting', { value: '0', least: 1, most: 64 })],
  ['DB 0', { ...base, db: 0 }, told(null, 'db', 'setting', { value: '0', least: 1, most: 65_535 })],
  [
    'an end behind 64 KB',
    { ...base, base: 65_000 },
    told(null, 'slots', 'block', { slots: 10, end: 66_078, most: 65_536 }),
  ],
];

describe('the check of a layout', () => {
  for (const [name, layout, problem] of FAULTS) {
    it(`names ${name}`, () => {
      const found = validateLayout(layout, silos);
      assert.deepEqual(
        found.find(
          ({ row, field, fault }) => row === problem.row && field === problem.field && fault === problem.fault,
        ),
        problem,
        JSON.stringify(found),
      );
    });
  }

  it('takes a batch counter of any whole-number type', () => {
    for (const type of ['BYTE', 'USINT', 'SINT', 'WORD', 'INT', 'UINT', 'DWORD', 'DINT', 'UDINT'] as const)
      assert.deepEqual(validateLayout(withRows([{ field: 'counter', type, offset: 28 }]), silos), [], type);
  });

  it('takes bits of one byte, and names a tag that the silo map has switched off', () => {
    const layout = withRows([
      { field: 'status_operation', type: 'BOOL', offset: 22.7 },
      { field: 'silo_b', type: 'LREAL', offset: 28 },
    ]);
    assert.deepEqual(validateLayout(layout, silos), []);
    const without = new SiloMap(DEFAULT_SILOS.map((one) => ({ ...one, enabled: one.tag !== 'silo_b' })));
    assert.deepEqual(validateLayout(layout, without), [told(5, 'silo_b', 'unused')]);
  });

  it('takes what was entered as text, blank for "not needed", and never a blank offset for 0', () => {
    const [text, flag, ...weights] = base.fields;
    const rows = [text, flag, ...weights].map((row) => ({
      length: '',
      scale: '',
      ...row,
      offset: String(row?.offset),
    }));
    const entered = { db: '100', base: '0', stride: '110', slots: '10', fields: rows as never };
    assert.deepEqual(toLayout(entered), base);
    const blank = toLayout({ ...entered, fields: [{ ...rows[0], offset: '' }] as never });
    assert.deepEqual(validateLayout(blank, silos)[0], told(1, 'mo_id', 'offset', { offset: NaN }));
  });

  it('says row, field and fault where nobody has better words', () => {
    const { message } = new LayoutError([told(4, 'silo_b', 'offset', { offset: -4 }), told(null, 'mo_id', 'missing')]);
    assert.equal(message, 'The slot layout is not valid: row 4 (silo_b): offset; mo_id: missing');
  });
});
