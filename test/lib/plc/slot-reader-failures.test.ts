import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { describe, it } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { type S7Endpoint } from '@st-one-io/nodes7';
import { type S7Server } from '../../../examples/plant/plc/s7-server';
import { SiloMap } from '../../../nodes/lib/domain/silos';
import { PlcError, type PlcErrorKind } from '../../../nodes/lib/plc/plc-errors';
import { SlotReader } from '../../../nodes/lib/plc/slot-reader';
import { connected, DB, fails, mo, plant, RECORD } from './reader-plant';

const EVENTS = ['error', 'connect', 'disconnect', 'pdu-size'];

describe('failures name their cause', () => {
  it('offline: refused connections, then back by itself', async (t) => {
    const { server, endpoint, reader } = await plant(t);
    const failed = new Promise((resolve) => endpoint.on('error', resolve));
    await server.setFault({ refuse: true });
    await failed;
    await assert.rejects(reader.read(), fails('offline', /ECONNREFUSED.*rack 0 slot 1/));
    await server.clearFaults();
    await connected(endpoint);
    assert.equal((await reader.read()).empty, 10);
  });

  it('no answer: the reader gives up at its own limit, and at the one of the endpoint', async (t) => {
    const slow = await plant(t, { options: { timeoutMs: 50 } });
    await slow.server.setFault({ hang: true });
    await assert.rejects(slow.reader.read(), fails('timeout', /within 50 ms/));
    const short = await plant(t, { requestMs: 50 });
    await short.server.setFault({ hang: true });
    await assert.rejects(short.reader.read(), fails('timeout', /S7 endpoint allows/));
  });

  it('too many slots for the time limit: it says how many were answered, and which limit is enough', async (t) => {
    const { server, reader } = await plant(t, {
      layout: { ...RECORD, slots: 64 },
      jobs: 1,
      options: { timeoutMs: 200 },
    });
    await server.setFault({ delayMs: 20 });
    let text = '';
    await assert.rejects(reader.read(), (error: PlcError) => {
      text = error.message;
      return fails('timeout', /\d+ of 64 slots were answered within 200 ms.*raise the time limit of this node/)(error);
    });
    const enough = Number(/to (\d+) ms or more/.exec(text)?.[1]);
    // Five slots to a telegram of 20 ms.
    assert.ok(enough >= 13 * 20, text);
    const patient = await plant(t, { layout: { ...RECORD, slots: 64 }, jobs: 1, options: { timeoutMs: enough } });
    await patient.server.setFault({ delayMs: 20 });
    assert.equal((await patient.reader.read()).empty, 64);
  });

  it('a missing block, one that is too short, no access, no PUT/GET, STOP', async (t) => {
    const { server, reader, put } = await plant(t, { layout: { ...RECORD, slots: 64 }, options: { checkMode: true } });
    const cases: [Parameters<S7Server['setFault']>[0], PlcErrorKind, RegExp][] = [
      [{ missingDb: DB }, 'missing-block', /0x0A.*DB100 does not exist.*Optimized block access/],
      [{ denyAccess: true }, 'access', /0x03.*PUT\/GET/],
      [{ denyService: true }, 'access', /0x8104.*PUT\/GET/],
      [{ stop: true }, 'stop', /STOP.*RUN/],
    ];
    put(1, { mo_id: mo(1) });
    for (const [fault, kind, text] of cases) {
      await server.setFault(fault);
      await assert.rejects(reader.read(), fails(kind, text));
      await server.clearFaults();
    }
    assert.equal((await reader.read()).readings.length, 1);
  });

  it('a slot beyond the end of the block fails the whole read', async (t) => {
    const { reader, put } = await plant(t, { layout: { ...RECORD, base: 7400 } });
    put(1, { mo_id: mo(1) });
    await assert.rejects(reader.read(), fails('access', /0x05.*outside of DB100.*Optimized block access/));
  });

  it('a CPU in STOP that refuses is reported as in STOP', async (t) => {
    const { server, reader } = await plant(t);
    await server.setFault({ stop: true, missingDb: DB });
    await assert.rejects(reader.read(), (error: PlcError) => {
      assert.ok(error.cause instanceof PlcError);
      return fails('stop', /STOP/)(error);
    });
  });

  it('a CPU that leaves the question for its mode unanswered is read all the same, and not asked again', async (t) => {
    const { server, endpoint, reader, put } = await plant(t, { options: { checkMode: true }, requestMs: 50 });
    put(1, { mo_id: mo(1) });
    // As gateways do that know no system status lists: they answer the slots, then nothing.
    let reads = 0;
    const off = server.onRead(() => {
      // The slot with an order once more, since it is new.
      if ((reads += 1) === RECORD.slots + 1) setImmediate(() => void server.setFault({ hang: true }));
    });
    assert.equal((await reader.read()).readings.length, 1);
    off();
    await server.clearFaults();
    await connected(endpoint);
    const { telegrams } = server.counters;
    assert.equal((await reader.read()).readings.length, 1);
    assert.equal(server.counters.telegrams - telegrams, RECORD.slots / 5);
  });

  it('garbage and half an answer end the read, and the next one works', async (t) => {
    const { server, endpoint, reader, put } = await plant(t, { options: { timeoutMs: 300 } });
    put(1, { mo_id: mo(1) });
    for (const fault of [{ garbage: true }, { dropMidTelegram: true }]) {
      await server.setFault(fault);
      await assert.rejects(reader.read(), (error) => error instanceof PlcError);
      await server.clearFaults();
      await connected(endpoint);
      assert.equal((await reader.read()).readings.length, 1);
    }
  });

  it('a layout that is not sound never reaches the PLC', async (t) => {
    const { endpoint } = await plant(t);
    assert.throws(() => new SlotReader(endpoint, { ...RECORD, stride: 80 }, new SiloMap()), /row 19 \(lq_tetes\)/);
  });
});

describe('ending', () => {
  const listeners = (endpoint: S7Endpoint): number[] => EVENTS.map((event) => endpoint.listenerCount(event));

  it('an abort ends a read at once and leaves no listener', async (t) => {
    const { server, endpoint, reader, put } = await plant(t, { options: { settleMs: 60_000 } });
    const before = listeners(endpoint);
    const waiting = new AbortController();
    await server.setFault({ hang: true });
    const hanging = reader.read(waiting.signal);
    waiting.abort();
    await assert.rejects(hanging, { name: 'AbortError' });
    assert.equal(getEventListeners(waiting.signal, 'abort').length, 0);
    await assert.rejects(reader.read(waiting.signal), { name: 'AbortError' });
    await server.clearFaults();
    assert.deepEqual(listeners(endpoint), before);
    await endpoint.disconnect();
    await endpoint.connect();

    put(1, { mo_id: mo(1), status_manufacturing: true });
    const connectedAgain = listeners(endpoint);
    const settling = new AbortController();
    const reason = new Error('the flow stops');
    let reads = 0;
    server.onRead(() => {
      if ((reads += 1) !== 10) return;
      // Its answer comes after those of the ten slots: then the reader is settling.
      const item = { area: 0x84, db: DB, transport: 2, address: 0, length: 1 };
      void endpoint.readVars([item]).then(() => settling.abort(reason));
    });
    await assert.rejects(reader.read(settling.signal), reason);
    assert.equal(reads, 11);
    assert.equal(getEventListeners(settling.signal, 'abort').length, 0);
    assert.deepEqual(listeners(endpoint), connectedAgain);
  });

  it('thousands of reads leave nothing on the signal of a node, nor in memory', async (t) => {
    const { endpoint } = await plant(t);
    // At once, without a telegram: it is the signals that are looked at.
    const answer = { returnCode: 0xff, transportSize: 4, data: Buffer.alloc(88) };
    const quick = Object.create(endpoint, {
      readVars: { value: () => Promise.resolve([answer]) },
      isConnected: { value: true },
      pduSize: { value: 480 },
    }) as S7Endpoint;
    const reader = new SlotReader(quick, { ...RECORD, slots: 1 }, new SiloMap());
    t.after(() => reader.close());
    const node = new AbortController();
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const reads = async (count: number): Promise<number> => {
      for (let n = 0; n < count; n += 1) await reader.read(node.signal);
      // What is held weakly goes only once the turn is over.
      for (let n = 0; n < 3; n += 1) {
        await nextTurn();
        collect();
      }
      return process.memoryUsage().heapUsed;
    };
    const before = await reads(2000);
    const after = await reads(20_000);
    assert.equal(getEventListeners(node.signal, 'abort').length, 0);
    assert.ok(after - before < 600_000, `${(after - before) / 20_000} bytes per read`);
  });

  it('close ends a read, and leaves the endpoint as it was', async (t) => {
    const { server, endpoint } = await plant(t);
    const before = listeners(endpoint);
    const reader = new SlotReader(endpoint, RECORD, new SiloMap());
    await server.setFault({ hang: true });
    const hanging = reader.read();
    reader.close();
    reader.close();
    await assert.rejects(hanging, { name: 'AbortError' });
    await assert.rejects(reader.read(), { name: 'AbortError' });
    assert.deepEqual(listeners(endpoint), before);
  });

  it('random bytes in the block never end in anything but readings and rejections', async (t) => {
    const { server, reader } = await plant(t, { layout: { ...RECORD, slots: 64 } });
    let seed = 7;
    for (let round = 0; round < 20; round += 1) {
      const memory = server.memory(DB);
      for (let index = 0; index < memory.length; index += 1) {
        seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
        memory[index] = seed >>> 24;
      }
      const { readings, rejected, empty } = await reader.read();
      assert.equal(readings.length + rejected.length + empty, 64);
    }
  });
});
