/** The ways in which a PLC program can be told that a batch is safe. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { type EnteredRow, toField } from '../../../nodes/lib/plc/entered-layout';
import { DB, fails, plant } from './reader-plant';

const layout = (complete: EnteredRow, acknowledged: EnteredRow) => ({
  ...{ db: DB, base: 0, stride: 20, slots: 2 },
  fields: [
    toField({ field: 'mo_id', type: 'CHAR', offset: 0, length: 10 }),
    toField({ field: 'status_manufacturing', ...complete }),
    toField({ field: 'acknowledged', ...acknowledged }),
    toField({ field: 'silo_a', type: 'REAL', offset: 14 }),
  ],
});

for (const { name, complete, acknowledged, before, after } of [
  {
    name: 'writing 1 into a bit of a word leaves its other bits alone',
    complete: { type: 'WORD', offset: 10, bit: 0 },
    acknowledged: { type: 'WORD', offset: 10, bit: 12 },
    before: '8001',
    after: '9001',
  },
  {
    name: 'clearing the trigger bit',
    complete: { type: 'BOOL', offset: '10.3' },
    acknowledged: { type: 'BOOL', offset: '10.3', inverted: true },
    before: 'f800',
    after: 'f000',
  },
  {
    name: 'a value of the state',
    complete: { type: 'INT', offset: 10, values: '3, 4' },
    acknowledged: { type: 'INT', offset: 10, values: '500' },
    before: '0003',
    after: '01f4',
  },
  {
    name: 'a value in BCD',
    complete: { type: 'BYTE', offset: 12 },
    acknowledged: { type: 'BCD16', offset: 10, values: '25' },
    before: '00000100',
    after: '00250100',
  },
])
  it(`${name}, read back`, async (t) => {
    const { server, reader } = await plant(t, { layout: layout(complete, acknowledged) });
    const memory = server.memory(DB);
    memory.write('WH/MO/0001', 0, 'latin1');
    memory.write(before, 10, 'hex');
    memory.writeFloatBE(12.5, 14);
    const [stored] = (await reader.read()).readings;
    assert.equal(stored?.status_manufacturing, true);
    const expected = Buffer.from(memory);
    expected.write(after, 10, 'hex');
    assert.equal(await reader.acknowledge(stored), 'acknowledged');
    assert.deepEqual(memory, expected);
    assert.equal(await reader.acknowledge(stored), 'acknowledged', 'and not written again');
    assert.equal(server.counters.writes, 1);
    const { readings, rejected, empty } = await reader.read();
    const free = complete.offset === acknowledged.offset && !('bit' in complete);
    assert.deepEqual([readings.length, rejected.length, empty], free ? [0, 0, 2] : [1, 0, 1]);

    memory.write(before, 10, 'hex');
    memory.writeFloatBE(13.5, 14);
    const [next] = (await reader.read()).readings;
    server.onRead(() => void memory.write(before, 10, 'hex'));
    await assert.rejects(reader.acknowledge(next!), fails('protocol', /reads back as/));
  });
