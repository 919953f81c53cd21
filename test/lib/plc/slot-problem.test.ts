/** Every refusal of the guards has a word of its own to count by. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { slotGuard, rejectDuplicates, rejectReading, type SlotOutcome } from '../../../nodes/lib/plc/slot-guards';
import { LAYOUT_PRESETS, type SlotLayout } from '../../../nodes/lib/plc/slot-layout';
import { countedAs, problem, SLOT_FAULTS, type SlotFault } from '../../../nodes/lib/plc/slot-problem';
import { S7_BATCH_RECORD, writeSlot } from '../../../examples/plant/plc/batch-memory';

const TYPE = 'plc-consumption-read';
type Texts = Record<string, { problem: Record<SlotFault, string> }>;

const LAYOUT = LAYOUT_PRESETS['S7 batch record'];
const WEIGHT = LAYOUT.fields.find(({ field }) => field === 'silo_a')?.offset ?? 0;

/** What the guards say of a slot that is right but for what `spoil` does to its bytes. */
function outcome(spoil: (bytes: Buffer) => void = () => undefined, layout: SlotLayout = LAYOUT): SlotOutcome {
  const bytes = Buffer.alloc(LAYOUT.stride);
  writeSlot(bytes, S7_BATCH_RECORD, 1, { mo_id: 'WH/MO/00001', consumption: { silo_a: 1 } });
  spoil(bytes);
  return slotGuard(layout, {})(bytes, 1, '');
}
const reasonsOf = (of: SlotOutcome): string[] =>
  of.kind === 'rejected' ? of.rejection.problems.map((each) => countedAs({ problems: [each] })) : [of.kind];

const statusAsInt: SlotLayout = {
  ...LAYOUT,
  fields: LAYOUT.fields.map((row) =>
    row.field === 'status_operation' ? { field: row.field, type: 'INT', offset: 90 } : row,
  ),
};

const SPOILED: Record<string, [(bytes: Buffer) => void, SlotLayout?]> = {
  'not-finite': [(bytes) => bytes.writeFloatBE(NaN, WEIGHT)],
  negative: [(bytes) => bytes.writeFloatBE(-1, WEIGHT)],
  'above-limit': [(bytes) => bytes.writeFloatBE(1e6, WEIGHT)],
  'bad-status': [(bytes) => bytes.writeInt16BE(7, 90), statusAsInt],
  'no-number': [(bytes) => bytes.fill(0, 0, 22)],
  'bad-order': [(bytes) => bytes.write('WH//O/00001', 2, 'latin1')],
};

for (const [reason, [spoil, layout]] of Object.entries(SPOILED)) {
  test(`${reason} is what the guards say of such a slot`, () => {
    assert.deepEqual(reasonsOf(outcome(spoil, layout)), [reason]);
  });
}

test('each way in which a text cannot be read is bad-text', () => {
  for (const spoil of [
    (bytes: Buffer) => bytes.writeUInt8(0xe9, 3),
    (bytes: Buffer) => bytes.set([99, 21]),
    (bytes: Buffer) => bytes.writeUInt8(99, 1),
    (bytes: Buffer) => bytes.fill(0, 0, 2),
  ]) {
    assert.deepEqual(reasonsOf(outcome(spoil)), ['bad-text']);
  }
});

test('an order in two slots, and one that left its slot, have their words; anything else is other', () => {
  assert.deepEqual(rejectDuplicates([outcome(), outcome()]).map(reasonsOf), [['two-slots'], ['two-slots']]);
  const right = outcome();
  assert.equal(right.kind, 'reading');
  const left = rejectReading(right, problem('left-slot', { silos: 1, finished: 0 }));
  assert.equal(countedAs(left), 'left-slot');
  assert.equal(countedAs({ problems: [] }), 'other');
});

for (const language of ['en-US', 'id-ID']) {
  test(`every problem has its words in ${language}, with every value that it has`, () => {
    const file = join(__dirname, '../../../nodes', TYPE, 'locales', language, `${TYPE}.json`);
    const { problem: words } = (JSON.parse(readFileSync(file, 'utf8')) as Texts)[TYPE]!;
    assert.deepEqual(Object.keys(words).sort(), [...SLOT_FAULTS].sort());
    const found = Object.values(SPOILED).flatMap(([spoil, layout]) => {
      const of = outcome(spoil, layout);
      return of.kind === 'rejected' ? of.rejection.problems : [];
    });
    assert.ok(found.length > 0);
    for (const { code, values } of found) {
      const named = [...words[code].matchAll(/__(\w+?)__/g)].map(([, name]) => name);
      assert.deepEqual(named.sort(), Object.keys(values).sort(), code);
    }
  });
}
