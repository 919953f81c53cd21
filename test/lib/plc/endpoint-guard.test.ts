import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { S7Endpoint } from '@st-one-io/nodes7';
import { startS7Server } from '../../../examples/plant/plc/s7-server';
import { guardEndpoint } from '../../../nodes/lib/plc/endpoint-guard';
import { SiloMap } from '../../../nodes/lib/domain/silos';
import { PlcError } from '../../../nodes/lib/plc/plc-errors';
import { SlotReader } from '../../../nodes/lib/plc/slot-reader';
import { startProxy } from './answer-proxy';
import { connected, DB, mo, plant, RECORD } from './reader-plant';

// Whatever nodes7 or iso-on-tcp throw into a socket's event ends this process, and with it the file.
describe('nothing that a PLC sends ends the process', () => {
  it('two answers in one go, cut in two at every byte', async (t) => {
    let waiting: Buffer[] = [];
    let cut = 0;
    const deliver = async (telegram: Buffer, client: Socket): Promise<void> => {
      waiting.push(telegram);
      if (waiting.length < 2) return;
      const bytes = Buffer.concat(waiting);
      waiting = [];
      client.write(bytes.subarray(0, cut));
      // The loop polls between two turns: the other side has the first part before the second is sent.
      await turn();
      await turn();
      client.write(bytes.subarray(cut));
    };
    const { endpoint, reader, put } = await plant(t, {
      // Two slots to a telegram.
      layout: { ...RECORD, slots: 4 },
      pduSize: 240,
      via: ({ port }) => startProxy(t, port, (telegram, client) => void deliver(telegram, client)),
    });
    // Else every second request waits 40 ms for the acknowledgement of the first (Nagle), as no answer brings it.
    (endpoint as unknown as { _transport: { stream: Socket } })._transport.stream.setNoDelay(true);
    put(1, { mo_id: mo(1), consumption: { silo_a: 600.3 } });
    put(2, { mo_id: mo(2), consumption: { lq_fml: 0.07 } });
    put(3, { mo_id: mo(3) });
    put(4, { mo_id: mo(4), consumption: { silo_a: 0.5 } });
    const answers = 2 * (4 + 3 + 12 + 2 + 2 * (4 + 88));
    for (cut = 1; cut < answers; cut += 1) {
      const { readings } = await reader.read();
      assert.deepEqual(
        readings.map(({ mo_id, consumption }) => [mo_id, consumption.silo_a, consumption.lq_fml]),
        [
          [mo(1), 600.3, 0],
          [mo(2), 0, 0.07],
          [mo(3), 0, 0],
          [mo(4), 0.5, 0],
        ],
        `cut at byte ${cut}`,
      );
    }
  });

  it('answers of random bytes in sound telegrams end the read, and it reads again', async (t) => {
    let seed = 11;
    const random = (below: number): number => {
      seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
      return Math.floor((seed / 2 ** 32) * below);
    };
    let sound = false;
    const spoil = (telegram: Buffer, client: Socket): void => {
      if (sound) return void client.write(telegram);
      // From the COTP header on in every second round, else in the S7 part, now and then cut short.
      const bytes = Buffer.from(telegram.subarray(0, random(2) ? telegram.length : 7 + random(telegram.length - 7)));
      bytes.writeUInt16BE(bytes.length, 2);
      for (let at = random(2) ? 4 : 7; at < bytes.length; at += 1 + random(8)) bytes[at] = random(256);
      client.write(bytes);
    };
    const { endpoint, reader, put } = await plant(t, {
      layout: { ...RECORD, slots: 1 },
      options: { timeoutMs: 40 },
      requestMs: 20,
      via: ({ port }) => startProxy(t, port, spoil),
    });
    put(1, { mo_id: mo(1) });
    let refused = 0;
    for (let round = 0; round < 60; round += 1) {
      await connected(endpoint);
      // Random bytes may well form an answer; what they say is for the guards of the slot to judge.
      await reader.read().catch((error: unknown) => {
        assert.ok(error instanceof PlcError, String(error));
        refused += 1;
      });
    }
    assert.ok(refused > 30, `${refused} refused`);
    sound = true;
    await connected(endpoint);
    assert.equal((await reader.read()).readings[0]?.mo_id, mo(1));
  });
});

describe('a PLC that accepts the connection and stays silent', () => {
  /** A port that is mute, but for confirming ISO-on-TCP if it is to, until it passes on to a sound CPU. */
  async function silentPlc(t: TestContext, confirms: boolean) {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const plc = await startS7Server({ dbs: { [DB]: 8000 } });
    const events = new EventEmitter();
    const sockets = new Set<Socket>();
    const gate = { silent: true, events };
    const server = createServer((socket) => {
      sockets.add(socket.on('error', () => socket.destroy()));
      if (!gate.silent) return void socket.pipe(connect(plc.port, '127.0.0.1')).pipe(socket);
      socket.on('data', (request) => {
        // RFC 1006: a connect request is confirmed by its own parameters under another code.
        const isConnect = request[5] === 0xe0;
        if (isConnect) request[5] = 0xd0;
        if (isConnect && confirms) socket.write(request);
        else events.emit('asked');
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const asked = once(events, 'asked');
    const endpoint = new S7Endpoint({ host: '127.0.0.1', port: (server.address() as AddressInfo).port });
    endpoint.on('error', () => undefined);
    const leave = guardEndpoint(endpoint);
    t.after(async () => {
      leave();
      endpoint.disconnect().catch(() => undefined);
      sockets.forEach((socket) => socket.destroy());
      server.close();
      await plc.stop();
    });
    await asked;
    /** Sockets that the endpoint has not hung up; as many as are expected, once their end has arrived. */
    const open = async (expected: number): Promise<number> => {
      const count = (): number => [...sockets].filter(({ readyState }) => readyState === 'open').length;
      for (let turns = 0; turns < 1000 && count() !== expected; turns += 1) await turn();
      return count();
    };
    return { gate, endpoint, open, pass: (ms: number) => t.mock.timers.tick(ms) };
  }

  for (const confirms of [false, true]) {
    const when = `${confirms ? 'after' : 'before'} ISO-on-TCP is up`;
    it(`${when}: an attempt that is given up is hung up, the first one too`, async (t) => {
      const { gate, endpoint, open, pass } = await silentPlc(t, confirms);
      for (let attempt = 0; attempt < 5; attempt += 1) {
        assert.equal(await open(1), 1, `attempt ${attempt + 1}`);
        const over = new Promise((resolve) => endpoint.once(confirms ? 'disconnect' : 'error', resolve));
        pass(6000);
        await over;
        assert.equal(await open(0), 0, `after attempt ${attempt + 1}`);
        const asked = once(gate.events, 'asked');
        pass(5000);
        await asked;
      }
    });

    it(`${when}: disconnecting hangs up`, async (t) => {
      const { endpoint, open } = await silentPlc(t, confirms);
      assert.equal(await open(1), 1);
      await endpoint.disconnect();
      assert.equal(await open(0), 0);
    });
  }

  it('from the start: it is given up by nodes7 after 10 s, from then on after 6, and connected to when it answers', async (t) => {
    const { gate, endpoint, pass } = await silentPlc(t, false);
    // Not by events.once(): it rejects at an 'error'.
    const failed = (): Promise<Error> => new Promise((resolve) => endpoint.once('error', resolve));
    let failure = failed();
    pass(10_000);
    await failure;
    const asked = once(gate.events, 'asked');
    pass(5000);
    await asked;
    failure = failed();
    pass(6000);
    assert.match((await failure).message, /no connection within 6000 ms/);
    gate.silent = false;
    pass(5000);
    await connected(endpoint);
  });

  for (const confirms of [false, true]) {
    it(`${confirms ? 'after' : 'before'} ISO-on-TCP is up: disconnecting settles at once`, async (t) => {
      const { endpoint } = await silentPlc(t, confirms);
      await endpoint.disconnect();
      assert.equal(endpoint.isConnected, false);
    });
  }

  it('after ISO-on-TCP is up: it is given up after 6 s, and connected to when it answers', async (t) => {
    const { gate, endpoint, pass } = await silentPlc(t, true);
    for (const last of [false, true]) {
      const lost = new Promise((resolve) => endpoint.once('disconnect', resolve));
      pass(6000);
      await lost;
      gate.silent = !last;
      const asked = once(gate.events, 'asked');
      pass(5000);
      if (!last) await asked;
    }
    await connected(endpoint);
  });
});

it('many uses of one endpoint are no leak: no warning, and its limit of listeners is as it was in the end', async (t) => {
  const warnings: Error[] = [];
  const onWarning = (warning: Error): void => void warnings.push(warning);
  process.on('warning', onWarning);
  t.after(() => process.off('warning', onWarning));
  const { endpoint, reader } = await plant(t);
  const readers = Array.from({ length: 12 }, () => new SlotReader(endpoint, RECORD, new SiloMap()));
  await turn();
  readers.forEach((each) => each.close());
  reader.close();
  assert.deepEqual(warnings, []);
  assert.equal(endpoint.getMaxListeners(), EventEmitter.defaultMaxListeners);
});

it('two uses of one endpoint share a guard, and the last one leaves the endpoint as it was', async (t) => {
  const { endpoint, reader } = await plant(t);
  const own = Object.entries(endpoint);
  const listeners = endpoint.listenerCount('connect');
  const leave = guardEndpoint(endpoint);
  assert.equal(endpoint.listenerCount('connect'), listeners);
  leave();
  leave();
  assert.deepEqual(Object.entries(endpoint), own);
  reader.close();
  assert.equal(endpoint.listenerCount('connect'), listeners - 2);
  assert.ok(!Object.hasOwn(endpoint, 'disconnect'));
});
