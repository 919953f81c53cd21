/** A TCP proxy in front of a simulated CPU: requests pass as they are, answers as a test wants them. */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { type TestContext } from 'node:test';

/** Of an answer to a read: its place after TPKT (4), COTP data (3) and the S7 header (12). */
const FUNCTION = 19;
const READ_VAR = 0x04;

/**
 * Starts it on a free port; it ends with the test.
 * @param answer gets the answers to reads, one telegram each, and whom to write to; whatever else goes through
 * @returns the port
 */
export async function startProxy(
  t: TestContext,
  target: number,
  answer: (telegram: Buffer, client: Socket) => void,
): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const cpu = connect(target, '127.0.0.1');
    client.setNoDelay(true);
    for (const [socket, other] of [
      [client, cpu],
      [cpu, client],
    ] as const) {
      sockets.add(socket);
      // A reset on one side is the end of both: 'close' follows.
      socket.on('error', () => socket.destroy());
      socket.on('close', () => other.destroy());
    }
    client.pipe(cpu);
    let pending = Buffer.alloc(0);
    cpu.on('data', (chunk) => {
      pending = Buffer.concat([pending, chunk]);
      while (pending.length >= 4 && pending.length >= pending.readUInt16BE(2)) {
        const telegram = pending.subarray(0, pending.readUInt16BE(2));
        pending = pending.subarray(telegram.length);
        if (telegram[FUNCTION] === READ_VAR) answer(telegram, client);
        else client.write(telegram);
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.close();
    sockets.forEach((socket) => socket.destroy());
  });
  return (server.address() as AddressInfo).port;
}
