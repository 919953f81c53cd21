import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { S7Endpoint } from '@st-one-io/nodes7';
import { startS7Server } from '../../../examples/plant/plc/s7-server';
import { SiloMap } from '../../../nodes/lib/domain/silos';
import { toLayout } from '../../../nodes/lib/plc/entered-layout';
import { validateLayout } from '../../../nodes/lib/plc/layout-check';
import { SlotReader } from '../../../nodes/lib/plc/slot-reader';
import { connected } from './reader-plant';
import { RECORDS } from './record-layouts';

describe('records as plants have them', () => {
  for (const { name, layout: entered, bytes, read } of RECORDS) {
    it(name, async (t) => {
      const layout = toLayout(entered);
      assert.deepEqual(validateLayout(layout, new SiloMap()), []);
      const server = await startS7Server({ pduSize: 240, dbs: { 1: 6000, 20: 6000, 30: 6000, 50: 6000, 100: 6000 } });
      const endpoint = new S7Endpoint({ host: '127.0.0.1', port: server.port });
      const reader = new SlotReader(endpoint, layout, new SiloMap(), { settleMs: 1 });
      t.after(async () => {
        reader.close();
        await endpoint.disconnect();
        await server.stop();
      });
      for (const [db, places] of Object.entries(bytes))
        for (const [offset, hex] of Object.entries(places)) server.memory(Number(db)).write(hex, Number(offset), 'hex');
      await connected(endpoint);
      const { readings, rejected, empty } = await reader.read();
      assert.deepEqual(rejected, []);
      assert.deepEqual([readings.length, empty], [1, 2]);
      const [reading] = readings;
      assert.equal(reading?.mo_id, read.mo_id);
      assert.equal(reading.status_manufacturing, read.complete);
      if (read.running !== undefined) assert.equal(reading.status_operation, read.running);
      if (read.finished !== undefined) assert.equal(reading.actual_weight_quantity_finished_goods, read.finished);
      for (const [tag, kg] of Object.entries(read.kg))
        assert.equal(Object.entries(reading.consumption).find(([of]) => of === tag)?.[1], kg, tag);
    });
  }
});
