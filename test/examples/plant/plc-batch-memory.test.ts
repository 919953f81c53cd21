import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  acknowledged,
  blankSlot,
  blockSize,
  PACKED_WORDS,
  readSlot,
  S7_BATCH_RECORD,
  WEIGHT_TAGS,
  writeSlot,
} from '../../../examples/plant/plc/batch-memory';
import { connectNodes7, itemGroup, startPlc } from './plc-client';

const RECORD = {
  mo_id: 'WH/MO/00001',
  status_manufacturing: true,
  status_operation: false,
  acknowledged: false,
  actual_weight_quantity_finished_goods: 1000.5,
  consumption: { silo_a: 825.5, silo_m: 0.25, lq_tetes: 12.75, lq_fml: 3.5 },
};

test('an "S7 batch record" lies in memory as an S7 program has it', () => {
  const memory = Buffer.alloc(blockSize(S7_BATCH_RECORD, 2));
  writeSlot(memory, S7_BATCH_RECORD, 2, RECORD);
  const at = (from: number, to: number): string => memory.toString('hex', 110 + from, 110 + to);
  assert.equal(memory.length, 220);
  assert.deepEqual(memory.subarray(0, 110), Buffer.alloc(110));
  assert.equal(at(0, 22), '140b' + Buffer.from('WH/MO/00001').toString('hex') + '00'.repeat(9));
  assert.equal(at(22, 24), '0100');
  assert.equal(at(24, 32), '447a2000' + '444e6000');
  assert.equal(at(76, 88), '3e800000' + '414c0000' + '40600000');
});

test('"packed words" are characters without a header and hundredths of a kg', () => {
  const memory = Buffer.alloc(blockSize(PACKED_WORDS, 2));
  writeSlot(memory, PACKED_WORDS, 2, RECORD);
  const at = (from: number, to: number): string => memory.toString('hex', 100 + from, 100 + to);
  assert.equal(at(0, 16), Buffer.from('WH/MO/00001').toString('hex') + '00'.repeat(5));
  assert.equal(at(16, 20), '00010000');
  assert.equal(at(20, 28), '000186d2' + '00014276');
  assert.equal(at(72, 86), '00000019' + '000004fb' + '0000015e' + '0000');
});

for (const layout of [S7_BATCH_RECORD, PACKED_WORDS]) {
  test(`"${layout.name}": what is written is read, single fields leave the rest, blanking leaves nothing`, () => {
    const memory = Buffer.alloc(blockSize(layout, 10));
    writeSlot(memory, layout, 10, RECORD);
    const zeros = Object.fromEntries(WEIGHT_TAGS.map((tag) => [tag, 0]));
    assert.deepEqual(readSlot(memory, layout, 10), { ...RECORD, consumption: { ...zeros, ...RECORD.consumption } });
    writeSlot(memory, layout, 10, { acknowledged: true, status_operation: true, consumption: { silo_b: 0.5 } });
    assert.deepEqual(readSlot(memory, layout, 10), {
      ...RECORD,
      acknowledged: true,
      status_operation: true,
      consumption: { ...zeros, ...RECORD.consumption, silo_b: 0.5 },
    });
    blankSlot(memory, layout, 10);
    assert.equal(readSlot(memory, layout, 10).mo_id, '');
    assert.deepEqual(readSlot(memory, layout, 10).consumption, zeros);
    assert.equal(acknowledged(memory, layout, 10), false);
  });

  test(`"${layout.name}": a name too long, a slot outside the block and an unknown silo are refused`, () => {
    const memory = Buffer.alloc(blockSize(layout, 1));
    const longest = 'M'.repeat(layout.id.characters);
    writeSlot(memory, layout, 1, { mo_id: longest });
    assert.equal(readSlot(memory, layout, 1).mo_id, longest);
    assert.throws(() => writeSlot(memory, layout, 1, { mo_id: `${longest}1` }), /ASCII characters at most/);
    assert.throws(() => readSlot(memory, layout, 2), /no slot 2/);
    assert.throws(() => readSlot(memory, layout, 0), /no slot 0/);
    assert.throws(() => writeSlot(memory, layout, 1, { consumption: { silo_z: 1 } }), /Unknown weight "silo_z"/);
  });
}

test('nodes7 reads an "S7 batch record" and acknowledges it', async (t) => {
  const server = await startPlc(t, { dbs: { 100: blockSize(S7_BATCH_RECORD, 10) } });
  writeSlot(server.memory(100), S7_BATCH_RECORD, 3, RECORD);
  const endpoint = await connectNodes7(t, server, { maxPDUSize: 240 });
  const addresses = ['DB100,S220.20', 'DB100,X242.0', 'DB100,X242.1', 'DB100,R244', 'DB100,R248', 'DB100,R304'];
  const group = itemGroup(t, endpoint, addresses);
  const values = Object.values(await group.readAllItems());
  assert.deepEqual(values, ['WH/MO/00001', true, false, 1000.5, 825.5, 3.5]);
  await group.writeItems(['DB100,X242.2'], [true]);
  assert.equal(acknowledged(server.memory(100), S7_BATCH_RECORD, 3), true);
  assert.equal(readSlot(server.memory(100), S7_BATCH_RECORD, 3).status_manufacturing, true);
});

test('nodes7 reads "packed words" and acknowledges them', async (t) => {
  const server = await startPlc(t, { dbs: { 100: blockSize(PACKED_WORDS, 10) } });
  writeSlot(server.memory(100), PACKED_WORDS, 3, RECORD);
  const endpoint = await connectNodes7(t, server, { maxPDUSize: 240 });
  const group = itemGroup(t, endpoint, ['DB100,C200.16', 'DB100,I216', 'DB100,I218', 'DB100,DI224', 'DB100,DI280']);
  assert.deepEqual(Object.values(await group.readAllItems()), ['WH/MO/00001\0\0\0\0\0', 1, 0, 82550, 350]);
  await group.writeItems(['DB100,I284'], [1]);
  assert.equal(acknowledged(server.memory(100), PACKED_WORDS, 3), true);
});
