/** Which member of a pasted block is proposed as which field: layouts as English, German and Indonesian engineers name them. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { DEFAULT_SILOS } from '../../../../nodes/lib/domain/silos';
import { proposeArrays, type ProposedArray } from '../../../../nodes/lib/plc/source/field-proposal';

const block = (members: string): string => `DATA_BLOCK DB 42\nSTRUCT\n${members}\nEND_STRUCT;\nBEGIN\nEND_DATA_BLOCK`;
const best = (members: string): ProposedArray => proposeArrays(block(members), DEFAULT_SILOS)[0]!;
const fields = ({ proposal }: ProposedArray): Record<string, string> =>
  Object.fromEntries([...proposal].map(([path, field]) => [field, path]));

describe('the array of batches', () => {
  test('is found behind other members, with its first byte, stride and number of slots', () => {
    const { path, db, base, stride, slots } = best(
      'Head : Int; Alarm : Array[1..4] of Struct no : Int; END_STRUCT; Batch : Array[1..12] of Struct Order : String[20]; Done : Bool; Silo : Array[1..15] of Real; END_STRUCT;',
    );
    assert.deepEqual({ path, db, base, stride, slots }, { path: 'Batch', db: 42, base: 10, stride: 84, slots: 12 });
  });

  test('is the inner one of arrays of lines, and every line is offered', () => {
    const arrays = proposeArrays(
      block(
        'Line : Array[1..2] of Struct On : Bool; Slot : Array[0..4] of Struct MO : String[14]; Complete : Bool; Weight_A : Real; END_STRUCT; END_STRUCT;',
      ),
      DEFAULT_SILOS,
    );
    const places = arrays.map(({ path, base, stride, slots }) => [path, base, stride, slots]);
    // A slot has 16 + 2 + 4 bytes, a line 2 + 5 × 22.
    assert.deepEqual(places.slice(0, 2), [
      ['Line[1].Slot', 2, 22, 5],
      ['Line[2].Slot', 114, 22, 5],
    ]);
    assert.ok(places.some(([path]) => path === 'Line'));
  });

  test('may have two dimensions, and follows without a gap', () => {
    const { path, base, stride, slots } = best(
      'n : Byte; B : Array[1..2, 1..3] of Struct Order : String[5]; Fertig : Bool; Silo_A : Real; END_STRUCT;',
    );
    // 7 bytes of the text, the bit in the eighth, 4 of the weight.
    assert.deepEqual({ path, base, stride, slots }, { path: 'B', base: 2, stride: 12, slots: 6 });
  });

  test('is the block itself, as one slot, where there is none', () => {
    const { path, stride, slots } = best('Order : String[20]; Done : Bool; Silo_A : Real;');
    assert.deepEqual({ path, stride, slots }, { path: '', stride: 28, slots: 1 });
  });
});

/** Members of one batch → the path of each field that is proposed. */
const NAMES: Record<string, [members: string, expected: Record<string, string>]> = {
  'English, silos as an array': [
    'OrderNo : String[20]; BatchDone : Bool; Running : Bool; Ack : Bool; BatchCounter : UInt; FinishedWeight : Real; Silo : Array[1..3] of Real;',
    {
      ...{ mo_id: 'OrderNo', status_manufacturing: 'BatchDone', status_operation: 'Running', acknowledged: 'Ack' },
      ...{ counter: 'BatchCounter', actual_weight_quantity_finished_goods: 'FinishedWeight' },
      ...{ silo_a: 'Silo[1]', silo_b: 'Silo[2]', silo_c: 'Silo[3]' },
    },
  ],
  'German, one structure per silo with setpoint and actual weight': [
    'sAuftragsNr : String[16]; Status : Struct bLäuft : Bool; bFertig : Bool; bQuittiert : Bool; END_STRUCT; Waage : Array[0..1] of Struct SollGewicht : Real; IstGewicht : Real; END_STRUCT; GesamtGewicht : Real;',
    {
      ...{ mo_id: 'sAuftragsNr', status_manufacturing: 'Status.bFertig', status_operation: 'Status.bLäuft' },
      ...{ acknowledged: 'Status.bQuittiert', actual_weight_quantity_finished_goods: 'GesamtGewicht' },
      ...{ silo_a: 'Waage[0].IstGewicht', silo_b: 'Waage[1].IstGewicht' },
    },
  ],
  'Indonesian, letters and liquids': [
    'Nomor_Order : Array[1..16] of Char; Selesai : Int; Berjalan : Int; Berat_Jadi : DInt; Silo_A : DInt; Silo_C : DInt; Tetes : DInt; FML : DInt;',
    {
      ...{ mo_id: 'Nomor_Order', status_manufacturing: 'Selesai', status_operation: 'Berjalan' },
      ...{ actual_weight_quantity_finished_goods: 'Berat_Jadi', silo_a: 'Silo_A', silo_c: 'Silo_C' },
      ...{ lq_tetes: 'Tetes', lq_fml: 'FML' },
    },
  ],
  'the codes of Odoo as names': [
    'MO : String[14]; Complete : Bool; silo101 : Real; silo113 : Real; lq114 : Real;',
    { mo_id: 'MO', status_manufacturing: 'Complete', silo_a: 'silo101', silo_m: 'silo113', lq_tetes: 'lq114' },
  ],
  'the only text is the order number, whatever it is called': [
    'X1 : String[20]; Done : Bool; Bin_1 : Real;',
    { mo_id: 'X1', status_manufacturing: 'Done', silo_a: 'Bin_1' },
  ],
};

describe('fields are proposed by the names of members', () => {
  for (const [name, [members, expected]] of Object.entries(NAMES))
    test(name, () => assert.deepEqual(fields(best(`B : Array[1..5] of Struct ${members} END_STRUCT;`)), expected));
});

test('an array of forty weights is proposed as the forty silos of the map, whatever they are called', () => {
  const further = Array.from({ length: 25 }, (_, at) => ({ tag: `bin_${at + 16}`, code: `B-${at + 16}`, label: '' }));
  const silos = [...DEFAULT_SILOS, ...further];
  const source = block(
    'Batch : Array[1..6] of Struct Order : String[20]; Done : Bool; Weight : Array[1..40] of Real; END_STRUCT;',
  );
  const proposed = fields(proposeArrays(source, silos)[0]!);
  assert.deepEqual(
    silos.map(({ tag }) => proposed[tag]),
    silos.map((_, at) => `Weight[${at + 1}]`),
  );
});
