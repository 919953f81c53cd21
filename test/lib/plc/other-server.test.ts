/** The reader against an S7 server that others wrote: what it believes of telegrams is not only what our own server answers. */
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { S7Endpoint } from '@st-one-io/nodes7';
import { S7_BATCH_RECORD, writeSlot } from '../../../examples/plant/plc/batch-memory';
import { SiloMap } from '../../../nodes/lib/domain/silos';
import { toLayout } from '../../../nodes/lib/plc/entered-layout';
import { type SlotLayout } from '../../../nodes/lib/plc/slot-layout';
import { SlotReader } from '../../../nodes/lib/plc/slot-reader';
import { otherServer, type OtherServer } from '../../support/snap7';
import { connected, DB, fails, mo, RECORD } from './reader-plant';
import { RECORDS } from './record-layouts';

async function readerOf(t: TestContext, { port }: OtherServer, layout: SlotLayout): Promise<SlotReader> {
  const endpoint = new S7Endpoint({ host: '127.0.0.1', port, rack: 0, slot: 2, s7ConnOpts: { timeout: 2000 } });
  endpoint.on('error', () => undefined);
  const reader = new SlotReader(endpoint, layout, new SiloMap(), { settleMs: 1, checkMode: true });
  t.after(async () => {
    reader.close();
    await endpoint.disconnect();
  });
  await connected(endpoint);
  return reader;
}

describe("Snap7's server", () => {
  for (const [pduSize, telegrams] of [
    [240, 32],
    [480, 13],
    [960, 7],
  ] as const)
    it(`64 slots arrive whole in ${telegrams} telegrams at PDU ${pduSize}`, async (t) => {
      const server = await otherServer(t, { dbs: { [DB]: 7040 }, pduSize });
      if (!server) return;
      const block = server.read(DB);
      for (let slot = 1; slot <= 64; slot += 1)
        writeSlot(block, S7_BATCH_RECORD, slot, { mo_id: mo(slot), consumption: { silo_a: slot + 0.5, lq_fml: slot } });
      server.write(DB, 0, block);
      const reader = await readerOf(t, server, { ...RECORD, slots: 64 });
      await reader.read();
      const read = await reader.read();
      assert.equal(read.telegrams, telegrams);
      assert.deepEqual(
        read.readings.map(({ mo_id, consumption }) => [mo_id, consumption.silo_a, consumption.lq_fml]),
        Array.from({ length: 64 }, (_, at) => [mo(at + 1), at + 1.5, at + 1]),
      );
    });

  for (const { name, layout, bytes, read } of RECORDS)
    it(name, async (t) => {
      const server = await otherServer(t, { dbs: { 1: 6000, 20: 6000, 30: 6000, 50: 6000, 100: 6000 }, pduSize: 240 });
      if (!server) return;
      for (const [db, places] of Object.entries(bytes))
        for (const [offset, hex] of Object.entries(places))
          server.write(Number(db), Number(offset), Buffer.from(hex, 'hex'));
      const reader = await readerOf(t, server, toLayout(layout));
      const { readings, rejected, empty } = await reader.read();
      assert.deepEqual([rejected, readings.length, empty], [[], 1, 2]);
      const { mo_id, status_manufacturing, consumption } = readings[0]!;
      assert.deepEqual([mo_id, status_manufacturing], [read.mo_id, read.complete]);
      assert.deepEqual({ ...consumption, ...read.kg }, consumption);
    });

  for (const [way, type, before, after] of [
    ['a bit, beside others', 'BOOL', 0b10100001, 0b10100101],
    ['a value', 'USINT', 0, 2],
  ] as const)
    it(`is acknowledged by ${way}, and nothing else changes`, async (t) => {
      const server = await otherServer(t, { dbs: { [DB]: 2000 } });
      if (!server) return;
      const block = server.read(DB);
      writeSlot(block, S7_BATCH_RECORD, 2, { mo_id: mo(2), status_manufacturing: true, consumption: { silo_a: 5 } });
      const offset = type === 'BOOL' ? 22.2 : 23;
      const at = RECORD.stride + Math.floor(offset);
      block[at] = before;
      server.write(DB, 0, block);
      const fields = RECORD.fields.filter(({ field }) => field !== 'acknowledged');
      const acknowledged = {
        field: 'acknowledged',
        type,
        offset,
        ...(type === 'USINT' ? { values: [2] } : {}),
      } as const;
      const reader = await readerOf(t, server, { ...RECORD, slots: 3, fields: [...fields, acknowledged] });
      const { readings } = await reader.read();
      assert.equal(await reader.acknowledge(readings[0]!), 'acknowledged');
      block[at] = after;
      assert.ok(server.read(DB).equals(block));
    });

  it('a missing block, a slot outside of it and a CPU in STOP are told apart', async (t) => {
    const server = await otherServer(t, { dbs: { [DB]: 1000 } });
    if (!server) return;
    const reader = (change: Partial<SlotLayout>): Promise<SlotReader> => readerOf(t, server, { ...RECORD, ...change });
    await assert.rejects((await reader({ db: 77 })).read(), fails('missing-block', /DB77/));
    await assert.rejects((await reader({ slots: 12 })).read(), fails('access', /DB100/));
    const sound = await reader({ slots: 2 });
    assert.equal((await sound.read()).empty, 2);
    server.setRunning(false);
    await assert.rejects(sound.read(), fails('stop', /STOP/));
  });
});
