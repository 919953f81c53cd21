/** A simulated CPU on a TCP port, with a reader connected to it, for the tests of the PLC adapter. */
import assert from 'node:assert/strict';
import { type TestContext } from 'node:test';
import { S7Endpoint } from '@st-one-io/nodes7';
import { S7_BATCH_RECORD, writeSlot } from '../../../examples/plant/plc/batch-memory';
import { startS7Server, type S7Server } from '../../../examples/plant/plc/s7-server';
import { SiloMap } from '../../../nodes/lib/domain/silos';
import { LAYOUT_PRESETS, type SlotLayout } from '../../../nodes/lib/plc/slot-layout';
import { PlcError, type PlcErrorKind } from '../../../nodes/lib/plc/plc-errors';
import { SlotReader, type SlotReaderOptions } from '../../../nodes/lib/plc/slot-reader';

export const RECORD = LAYOUT_PRESETS['S7 batch record'];
export const DB = 100;
/** Not by events.once(): it rejects when a reconnection fails first. */
export const connected = (endpoint: S7Endpoint): Promise<void> =>
  new Promise((resolve) => (endpoint.isConnected ? resolve() : endpoint.once('connect', resolve)));

export interface Plant {
  server: S7Server;
  endpoint: S7Endpoint;
  reader: SlotReader;
  put: (slot: number, record: Parameters<typeof writeSlot>[3]) => void;
}

/** A simulated CPU, a connected endpoint and a reader over it; all of it ends with the test. */
export async function plant(
  t: TestContext,
  setup: {
    layout?: SlotLayout;
    options?: SlotReaderOptions;
    pduSize?: number;
    jobs?: number;
    requestMs?: number;
    /** What stands between endpoint and CPU. @returns its port */
    via?: (server: S7Server) => Promise<number>;
  } = {},
): Promise<Plant> {
  const layout = setup.layout ?? RECORD;
  const server = await startS7Server({
    pduSize: setup.pduSize ?? 480,
    parallelJobs: setup.jobs ?? 8,
    dbs: { [DB]: 8000 },
  });
  const endpoint = new S7Endpoint({
    host: '127.0.0.1',
    port: (await setup.via?.(server)) ?? server.port,
    autoReconnect: 20,
    s7ConnOpts: { timeout: setup.requestMs ?? 2000 },
  });
  endpoint.on('error', () => undefined);
  const reader = new SlotReader(endpoint, layout, new SiloMap(), { settleMs: 5, ...setup.options });
  t.after(async () => {
    reader.close();
    // It settles only when it was connected; while connecting it emits nothing.
    endpoint.disconnect().catch(() => undefined);
    await server.stop();
  });
  await connected(endpoint);
  return {
    server,
    endpoint,
    reader,
    put: (slot, record) => writeSlot(server.memory(DB), S7_BATCH_RECORD, slot, record),
  };
}

export const mo = (slot: number): string => `WH/MO/${String(slot).padStart(5, '0')}`;

/** Whether an error is of this kind and says this; for assert.rejects. */
export const fails = (kind: PlcErrorKind, text: RegExp) => (error: unknown) => {
  assert.ok(error instanceof PlcError, String(error));
  assert.equal(error.kind, kind, error.message);
  assert.match(error.message, text);
  return true;
};
