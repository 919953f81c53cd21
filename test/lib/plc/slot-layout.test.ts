import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SiloMap } from '../../../nodes/lib/domain/silos';
import { validateLayout } from '../../../nodes/lib/plc/layout-check';
import {
  addresses,
  LAYOUT_PRESETS,
  slotBytes,
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
});
