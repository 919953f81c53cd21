import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DEFAULT_SILOS, SiloMap } from '../../../nodes/lib/domain/silos';
import {
  addresses,
  LAYOUT_PRESETS,
  slotBytes,
  validateLayout,
  type SlotField,
  type SlotLayout,
} from '../../../nodes/lib/plc/slot-layout';

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

describe('slot layout', () => {
  it('both presets are sound and fit the smallest PDU', () => {
    for (const [name, layout] of Object.entries(LAYOUT_PRESETS)) {
      assert.deepEqual(validateLayout(layout, silos), [], name);
      assert.ok(slotBytes(layout) <= 240 - 18, name);
    }
    assert.equal(slotBytes(base), 88);
    assert.equal(slotBytes(LAYOUT_PRESETS['packed words']), 86);
  });

  it('previews addresses in the notation of the S7 nodes, slot by slot', () => {
    const of = (layout: SlotLayout, slot: number): Record<string, string> =>
      Object.fromEntries(addresses(layout, slot).map(({ field, address }) => [field, address]));
    const first = of(base, 1);
    assert.equal(first.mo_id, 'DB100,STRING0.20');
    assert.equal(first.status_operation, 'DB100,X22.1');
    assert.equal(first.actual_weight_quantity_finished_goods, 'DB100,REAL24');
    assert.equal(first.lq_fml, 'DB100,REAL84');
    assert.equal(of(base, 3).silo_a, 'DB100,REAL248');
    const packed = of({ ...LAYOUT_PRESETS['packed words'], base: 10 }, 2);
    assert.equal(packed.mo_id, 'DB100,CHAR110.16');
    assert.equal(packed.silo_a, 'DB100,DINT134');
    assert.equal(of(withRows([{ field: 'silo_b', type: 'UDINT', offset: 28 }]), 1).silo_b, 'DB100,DWORD28');
  });

  const faults: [string, SlotLayout, string, RegExp][] = [
    ['overlapping rows', withRows([{ field: 'silo_b', type: 'REAL', offset: 26 }]), 'row 4 (silo_b)', /overlap row 3/],
    [
      'a BOOL inside a word',
      withRows([{ field: 'status_operation', type: 'BOOL', offset: 25.3 }]),
      'row 4 (status_operation)',
      /bytes 25\.\.25 overlap row 3 \(silo_a\)/,
    ],
    [
      'the same bit twice',
      withRows([{ field: 'acknowledged', type: 'BOOL', offset: 22 }]),
      'row 4 (acknowledged)',
      /overlap row 2/,
    ],
    [
      'a row beyond the stride',
      withRows([{ field: 'silo_b', type: 'REAL', offset: 58 }]),
      'row 4 (silo_b)',
      /58\.\.61 .*stride of 60/,
    ],
    [
      'a tag twice',
      withRows([{ field: 'silo_a', type: 'REAL', offset: 28 }]),
      'row 4 (silo_a)',
      /twice, first in row 3/,
    ],
    ['an odd address', withRows([{ field: 'silo_b', type: 'INT', offset: 29 }]), 'row 4 (silo_b)', /even address/],
    ['an odd base', withRows([], { base: 1 }), 'row 3 (silo_a)', /base 1 \+ offset 24 is odd/],
    ['an odd stride', withRows([], { stride: 61 }), 'row 3 (silo_a)', /stride 61 makes it odd in slot 2/],
    [
      'a bit of 8',
      withRows([{ field: 'status_operation', type: 'BOOL', offset: 30.8 }]),
      'row 4 (status_operation)',
      /bit 0 to 7/,
    ],
    [
      'a fraction of a byte',
      withRows([{ field: 'silo_b', type: 'REAL', offset: 28.5 }]),
      'row 4 (silo_b)',
      /whole number/,
    ],
    ['a negative offset', withRows([{ field: 'silo_b', type: 'REAL', offset: -4 }]), 'row 4 (silo_b)', /whole number/],
    [
      'a weight as text',
      withRows([{ field: 'silo_b', type: 'CHAR', offset: 28, length: 4 }]),
      'row 4 (silo_b)',
      /cannot be CHAR/,
    ],
    ['a weight as BOOL', withRows([{ field: 'silo_b', type: 'BOOL', offset: 28 }]), 'row 4 (silo_b)', /cannot be BOOL/],
    [
      'a status as REAL',
      withRows([{ field: 'status_operation', type: 'REAL', offset: 28 }]),
      'row 4 (status_operation)',
      /cannot be REAL/,
    ],
    [
      'a counter as REAL',
      withRows([{ field: 'counter', type: 'REAL', offset: 28 }]),
      'row 4 (counter)',
      /cannot be REAL/,
    ],
    [
      'a counter as BOOL',
      withRows([{ field: 'counter', type: 'BOOL', offset: 28 }]),
      'row 4 (counter)',
      /cannot be BOOL/,
    ],
    [
      'a counter with a scale',
      withRows([{ field: 'counter', type: 'DINT', offset: 28, scale: 0.1 }]),
      'row 4 (counter)',
      /only weights/,
    ],
    ['a scale of 0', withRows([{ field: 'silo_b', type: 'REAL', offset: 28, scale: 0 }]), 'row 4 (silo_b)', /scale 0/],
    [
      'a STRING without length',
      { ...base, fields: base.fields.map(({ length: _, ...row }) => row) },
      'row 1 (mo_id)',
      /length of 1 to 254/,
    ],
    ['a missing MO id', { ...base, fields: base.fields.slice(1) }, 'mo_id', /no row/],
    ['65 slots', { ...base, slots: 65 }, 'slots', /from 1 to 64/],
    ['no slots', { ...base, slots: 0 }, 'slots', /from 1 to 64/],
    ['DB 0', { ...base, db: 0 }, 'db', /from 1/],
    ['an end behind 64 KB', { ...base, base: 65_000 }, 'slots', /65536/],
  ];
  for (const [name, layout, field, problem] of faults) {
    it(`names ${name}`, () => {
      const found = validateLayout(layout, silos);
      assert.ok(
        found.some((one) => one.field === field && problem.test(one.problem)),
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
    const without = new SiloMap(DEFAULT_SILOS.map((silo) => ({ ...silo, enabled: silo.tag !== 'silo_b' })));
    const [problem, ...more] = validateLayout(layout, without);
    assert.equal(problem?.field, 'row 5 (silo_b)');
    assert.match(problem.problem, /silo map/);
    assert.deepEqual(more, []);
  });
});
