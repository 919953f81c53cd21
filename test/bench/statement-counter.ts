/** A TCP proxy before PostgreSQL that counts the statements it completes. */
import { createConnection, createServer, type AddressInfo, type Socket } from 'node:net';
import { once } from 'node:events';

/** Backend message CommandComplete: one for every statement, several of one round trip included (protocol 3.0, 53.7). */
const COMMAND_COMPLETE = 'C'.charCodeAt(0);

export interface StatementCounter {
  port: number;
  /** Statements so far, BEGIN and COMMIT included. */
  statements(): number;
  stop(): Promise<void>;
}

/** Starts it on 127.0.0.1. The connections through it must not use TLS. */
export async function startStatementCounter(target: { host: string; port: number }): Promise<StatementCounter> {
  let statements = 0;
  const sockets = new Set<Socket>();
  const proxy = createServer((client) => {
    const server = createConnection(target);
    let pending = Buffer.alloc(0);
    server.on('data', (chunk: Buffer) => {
      pending = Buffer.concat([pending, chunk]);
      while (pending.length >= 5 && pending.length > pending.readUInt32BE(1)) {
        if (pending[0] === COMMAND_COMPLETE) statements += 1;
        pending = pending.subarray(1 + pending.readUInt32BE(1));
      }
      client.write(chunk);
    });
    client.pipe(server);
    for (const [one, other] of [
      [client, server],
      [server, client],
    ] as const) {
      sockets.add(one);
      // A reset is followed by close, which takes the other side along.
      one.on('error', () => one.destroy());
      one.on('close', () => {
        sockets.delete(one);
        other.destroy();
      });
    }
  });
  await once(proxy.listen(0, '127.0.0.1'), 'listening');
  return {
    port: (proxy.address() as AddressInfo).port,
    statements: () => statements,
    stop: async () => {
      const closed = once(proxy, 'close');
      proxy.close();
      sockets.forEach((socket) => socket.destroy());
      await closed;
    },
  };
}
