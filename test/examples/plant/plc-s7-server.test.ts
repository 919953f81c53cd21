import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import { startS7Server } from '../../../examples/plant/plc/s7-server';
import { CONNECT_REQUEST, connectNodes7, framed, hex, itemGroup, RawClient, startPlc } from './plc-client';

/** Read var with S7ANY items; each: transport, elements, DB, bit address. */
const readVar = (...items: [number, number, number, number][]): Buffer => {
  const parts = items.map(([transport, elements, db, address]) => {
    const item = hex('120a10 00 0000 0000 84 000000');
    item.writeUInt8(transport, 3);
    item.writeUInt16BE(elements, 4);
    item.writeUInt16BE(db, 6);
    item.writeUIntBE(address, 9, 3);
    return item;
  });
  const head = hex('32010000 0007 0000 0000 04 00');
  head.writeUInt16BE(2 + 12 * items.length, 6);
  head.writeUInt8(items.length, 11);
  return Buffer.concat([head, ...parts]);
};

for (const [asked, configured, agreed] of [
  [240, 960, 240],
  [480, 480, 480],
  [960, 960, 960],
  [960, 240, 240],
]) {
  test(`a client that asks for PDU ${asked} gets ${agreed} from a CPU with ${configured}`, async (t) => {
    const server = await startPlc(t, { pduSize: configured });
    server.memory(100).forEach((_, index, memory) => (memory[index] = index));
    const endpoint = await connectNodes7(t, server, { maxPDUSize: asked });
    assert.equal(endpoint.pduSize, agreed);
    // 1000 bytes take several telegrams, each as large as agreed.
    assert.deepEqual(await endpoint.readDB(100, 3, 1000), server.memory(100).subarray(3, 1003));
  });
}

test('setup communication agrees on the smaller number of parallel jobs', async (t) => {
  const client = await RawClient.open(t, await startPlc(t, { parallelJobs: 2 }));
  client.send(CONNECT_REQUEST);
  assert.equal((await client.next()).toString('hex'), '0300001611d00017000100c0010ac1020100c2020102');
  const agreed = await client.ask(hex('32010000 0001 0008 0000 f000 0008 0001 03c0'));
  assert.equal(agreed.toString('hex'), '32030000000100080000' + '0000' + 'f000' + '0002' + '0001' + '01e0');
});

test('a multi-item read pads items of odd length and answers each item by itself', async (t) => {
  const server = await startPlc(t);
  server.memory(100).set([0xa5, 0x11, 0x22]);
  const client = await (await RawClient.open(t, server)).connect();
  const answer = await client.ask(
    readVar([0x02, 1, 100, 0], [0x01, 1, 100, 2], [0x02, 1, 99, 0], [0x02, 2, 100, 1099 * 8], [0x04, 1, 100, 8]),
  );
  const items = 'ff040008a500' + 'ff03000101' + '00' + '0a000000' + '05000000' + 'ff0400101122';
  assert.equal(answer.subarray(12).toString('hex'), `0405${items}`);
  assert.deepEqual([server.counters.reads, server.counters.writes, server.counters.connections], [5, 0, 1]);
});

test('the last item of a read is not padded, and a REAL states its length in bytes', async (t) => {
  const server = await startPlc(t);
  server.memory(100).writeFloatBE(825.5, 28);
  const client = await (await RawClient.open(t, server)).connect();
  const answer = await client.ask(readVar([0x08, 1, 100, 28 * 8], [0x02, 1, 100, 28 * 8]));
  assert.equal(answer.subarray(14).toString('hex'), 'ff070004444e6000' + 'ff04000844');
});

test('a multi-item write sets bytes and a single bit', async (t) => {
  const server = await startPlc(t);
  server.memory(100)[22] = 0b1000;
  const client = await (await RawClient.open(t, server)).connect();
  const items = '120a10020003006484000000' + '120a100100010064840000b2';
  const answer = await client.ask(hex(`32010000 0009 001a 000d 0502 ${items} 00040018 616263 00 00030001 01`));
  assert.equal(answer.toString('hex'), '320300000009000200020000' + '0502' + 'ffff');
  assert.equal(server.memory(100).toString('latin1', 0, 3), 'abc');
  assert.equal(server.memory(100)[22], 0b1100);
});

test('a write whose data does not match its item is refused and changes nothing', async (t) => {
  const server = await startPlc(t);
  const client = await (await RawClient.open(t, server)).connect();
  const answer = await client.ask(hex('32010000 0009 000e 0006 0501 120a10020003006484000000 00040010 6162'));
  assert.equal(answer.subarray(-1).toString('hex'), '07');
  assert.deepEqual(server.memory(100).subarray(0, 3), Buffer.alloc(3));
});

test('telegrams may come in pieces and several may come at once', async (t) => {
  const server = await startPlc(t);
  server.memory(100).set([1, 2, 3]);
  const client = await RawClient.open(t, server);
  const setup = framed(hex('32010000 0001 0008 0000 f000 0001 0001 01e0'));
  for (const byte of Buffer.concat([CONNECT_REQUEST, setup])) {
    client.send(Buffer.from([byte]));
    await new Promise(setImmediate);
  }
  await client.next();
  await client.next();
  const reads = [0, 8, 16].map((address) => framed(readVar([0x02, 1, 100, address])));
  const all = Buffer.concat(reads);
  client.send(all.subarray(0, 50));
  client.send(all.subarray(50));
  for (const value of [1, 2, 3]) assert.equal((await client.next()).at(-1), value);
  assert.equal(server.counters.telegrams, 4);
});

test('a telegram in two COTP data units is put together, and small TPDUs are answered in several', async (t) => {
  const server = await startPlc(t);
  server.memory(100).fill(7);
  const client = await RawClient.open(t, server);
  client.send(hex('03000016 11e0 0000 0017 00 c00107 c1020100 c2020102'));
  await client.next();
  const telegram = readVar([0x02, 200, 100, 0]);
  client.send(Buffer.concat([hex('0300000e 02f000'), telegram.subarray(0, 7)]));
  client.send(framed(telegram.subarray(7)));
  const [first, second] = [await client.next(), await client.next()];
  assert.deepEqual([first.length, first[6], second[6]], [132, 0, 0x80]);
  assert.equal(first.length + second.length - 14, 12 + 2 + 4 + 200);
});

test('unknown services get an S7 error, other protocols get the connection closed', async (t) => {
  const server = await startPlc(t);
  const client = await (await RawClient.open(t, server)).connect();
  const upload = await client.ask(hex('32010000 0005 0002 0000 1d00'));
  assert.equal(upload.toString('hex'), '320200000005000000008104');
  const tooLarge = await client.ask(readVar([0x02, 470, 100, 0]));
  assert.equal(tooLarge.toString('hex'), '320200000007000000008500');
  client.send(Buffer.from('GET / HTTP/1.1\r\n\r\n'));
  await client.closed;
  const endpoint = await connectNodes7(t, server);
  await assert.rejects(endpoint.blockCount(), /0x8104|33028/);
});

test('a missing data block and an address outside it are item errors, and the connection stays', async (t) => {
  const server = await startPlc(t);
  const endpoint = await connectNodes7(t, server);
  await assert.rejects(endpoint.readDB(99, 0, 4), /0xa.*does not exist/);
  await assert.rejects(endpoint.readDB(100, 1098, 4), /0x5.*Invalid address/);
  await assert.rejects(endpoint.writeDB(100, 1098, Buffer.alloc(4)), /0x5/);
  await server.setFault({ missingDb: 100 });
  await assert.rejects(endpoint.readDB(100, 0, 4), /0xa/);
  await server.clearFaults();
  assert.equal((await endpoint.readDB(100, 0, 4)).length, 4);
  assert.equal(server.counters.connections, 1);
});

test('denied access is answered per item or, as with PUT/GET switched off, for the whole telegram', async (t) => {
  const server = await startPlc(t);
  const endpoint = await connectNodes7(t, server);
  await server.setFault({ denyAccess: true });
  await assert.rejects(endpoint.readDB(100, 0, 4), /0x3.*not allowed/);
  await assert.rejects(endpoint.writeDB(100, 0, Buffer.alloc(4)), /0x3/);
  await server.setFault({ denyAccess: false, denyService: true });
  await assert.rejects(endpoint.readDB(100, 0, 4), /0x8104/);
  await server.clearFaults();
  assert.equal((await endpoint.readDB(100, 0, 4)).length, 4);
});

test('a hanging CPU answers nothing, and answers again afterwards', async (t) => {
  const server = await startPlc(t);
  const endpoint = await connectNodes7(t, server, { timeout: 50 });
  await server.setFault({ hang: true });
  const silent = await RawClient.open(t, server);
  silent.send(CONNECT_REQUEST);
  await assert.rejects(endpoint.readDB(100, 0, 4), /timeout/i);
  await server.clearFaults();
  const other = await connectNodes7(t, server);
  assert.equal((await other.readDB(100, 0, 4)).length, 4);
  assert.equal(silent.received.length, 0);
});

test('a connection cut in the middle of an answer fails the read, and the client comes back', async (t) => {
  const server = await startPlc(t);
  const client = await (await RawClient.open(t, server)).connect();
  await server.setFault({ dropMidTelegram: true });
  client.send(framed(readVar([0x02, 100, 100, 0])));
  await client.closed;
  assert.equal(client.received.length, Math.floor((7 + 12 + 2 + 4 + 100) / 2));
  const endpoint = await connectNodes7(t, server);
  await assert.rejects(endpoint.readDB(100, 0, 4));
  await server.clearFaults();
  if (!endpoint.isConnected) await once(endpoint, 'connect');
  assert.equal((await endpoint.readDB(100, 0, 4)).length, 4);
});

test('garbage is no answer: the read fails', async (t) => {
  const server = await startPlc(t);
  const client = await (await RawClient.open(t, server)).connect();
  await server.setFault({ garbage: true });
  client.send(framed(readVar([0x02, 4, 100, 0])));
  await once(client.socket, 'data');
  assert.notEqual(client.received[0], 3);
  const endpoint = await connectNodes7(t, server, { timeout: 100 });
  await assert.rejects(endpoint.readDB(100, 0, 4));
});

test('a closed port refuses and cuts, and opens again on the same number', async (t) => {
  const server = await startPlc(t);
  const { host, port } = server;
  const endpoint = await connectNodes7(t, server);
  await Promise.all([once(endpoint, 'disconnect'), server.setFault({ refuse: true })]);
  const [error] = (await once(connect({ host, port }), 'error')) as [NodeJS.ErrnoException];
  assert.equal(error.code, 'ECONNREFUSED');
  const back = once(endpoint, 'connect');
  await server.clearFaults();
  await back;
  assert.equal(server.port, port);
  assert.equal((await endpoint.readDB(100, 0, 4)).length, 4);
});

test('memory can be changed between two telegrams by whoever listens to reads', async (t) => {
  const server = await startPlc(t);
  const endpoint = await connectNodes7(t, server);
  const seen: number[][] = [];
  const off = server.onRead((...read) => {
    seen.push(read);
    server.memory(100)[10] = seen.length;
  });
  assert.deepEqual([...(await endpoint.readDB(100, 8, 4))], [0, 0, 1, 0]);
  assert.deepEqual([...(await endpoint.readDB(100, 10, 1))], [2]);
  off();
  assert.deepEqual([...(await endpoint.readDB(100, 10, 1))], [2]);
  assert.deepEqual(seen, [
    [100, 8, 4],
    [100, 10, 1],
  ]);
});

test('late answers belong to their requests', async (t) => {
  const server = await startPlc(t);
  server.memory(100).set([5, 6]);
  const endpoint = await connectNodes7(t, server);
  await server.setFault({ delayMs: 20 });
  const values = await Promise.all([endpoint.readDB(100, 0, 1), endpoint.readDB(100, 1, 1)]);
  assert.deepEqual(
    values.map((value) => value[0]),
    [5, 6],
  );
});

test('the operating state is RUN, or STOP when so told', async (t) => {
  const server = await startPlc(t);
  const endpoint = await connectNodes7(t, server);
  const state = async () => (await endpoint.getSSL(0x0424, 0))[0]?.[3];
  assert.equal(await state(), 0x08);
  await server.setFault({ stop: true });
  assert.equal(await state(), 0x04);
  assert.equal((await endpoint.readDB(100, 0, 4)).length, 4);
});

test('an item group reads and writes REAL, STRING and BOOL items', async (t) => {
  const server = await startPlc(t);
  const endpoint = await connectNodes7(t, server);
  const group = itemGroup(t, endpoint, ['DB100,S0.20', 'DB100,X22.2', 'DB100,R28']);
  await group.writeItems(['DB100,S0.20'], ['WH/MO/00001']);
  await group.writeItems(['DB100,R28', 'DB100,X22.2'], [825.5, true]);
  assert.deepEqual(await group.readAllItems(), {
    'DB100,S0.20': 'WH/MO/00001',
    'DB100,X22.2': true,
    'DB100,R28': 825.5,
  });
});

test('a CPU stops twice without complaint and cuts its connections', async (t) => {
  const server = await startS7Server({ dbs: { 1: 10 } });
  const client = await (await RawClient.open(t, server)).connect();
  await Promise.all([server.stop(), server.stop(), client.closed]);
  await server.clearFaults();
  const [error] = (await once(connect({ host: server.host, port: server.port }), 'error')) as [NodeJS.ErrnoException];
  assert.equal(error.code, 'ECONNREFUSED');
  assert.throws(() => server.memory(2), /no DB 2; it has 1/);
});

for (const [at, written, answered] of [
  ['request', false, false],
  ['answer', true, false],
  ['after', true, true],
] as const)
  test(`a connection cut at "${at}": the telegram is ${written ? '' : 'not '}carried out and ${answered ? '' : 'not '}answered`, async (t) => {
    const server = await startPlc(t, { dbs: { 100: 10, 110: 10 } });
    const writes: number[][] = [];
    server.onWrite((...access) => writes.push(access));
    const endpoint = await connectNodes7(t, server);
    await server.setFault({ cut: { db: 110, telegram: 2, at } });
    await endpoint.writeDB(110, 0, Buffer.from([1, 1]));
    await endpoint.writeDB(100, 0, Buffer.from([2, 2]));
    const reconnected = once(endpoint, 'connect');
    const write = endpoint.writeDB(110, 2, Buffer.from([3, 3]));
    if (answered) await write;
    else await assert.rejects(write);
    await reconnected;
    await endpoint.writeDB(110, 4, Buffer.from([4, 4]));
    assert.deepEqual([...server.memory(110).subarray(0, 6)], [1, 1, ...(written ? [3, 3] : [0, 0]), 4, 4]);
    assert.equal(server.counters.cuts, 1);
    assert.deepEqual(
      writes.map(([db, start]) => [db, start]),
      [[110, 0], [100, 0], ...(written ? [[110, 2]] : []), [110, 4]],
    );
  });
