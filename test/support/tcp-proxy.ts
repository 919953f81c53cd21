/** A TCP proxy before PostgreSQL: counts what is sent, cuts and hangs connections, goes away and comes back. */
import { createConnection, createServer, type AddressInfo, type Socket } from 'node:net';
import { once } from 'node:events';

export interface TcpProxy {
  port: number;
  /** Messages that PostgreSQL answers with "ready" (Query, or Sync after prepared ones) since the last reset: round trips. */
  queries: number;
  /** Cuts every connection. */
  cut: () => void;
  /** From now on nothing passes any more, but connections stay. */
  hang: () => void;
  /** Cuts everything and refuses connections, as a server does that is down. */
  goAway: () => Promise<void>;
  comeBack: () => Promise<void>;
  stop: () => Promise<void>;
}

/** The types of Query and Sync. */
const ROUND_TRIPS = [0x51, 0x53];

/** Counts complete frontend messages of these types (PostgreSQL protocol 3.0: start-up first, then type byte and length). */
function queryCounter(count: () => void): (chunk: Buffer) => void {
  let pending = Buffer.alloc(0);
  let started = false;
  return (chunk) => {
    pending = Buffer.concat([pending, chunk]);
    for (;;) {
      const head = started ? 1 : 0;
      if (pending.length < head + 4) return;
      const end = head + pending.readUInt32BE(head);
      if (pending.length < end) return;
      if (started && ROUND_TRIPS.includes(pending[0] ?? 0)) count();
      started = true;
      pending = pending.subarray(end);
    }
  };
}

export async function startTcpProxy(target: { host: string; port: number }): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  let hanging = false;
  const accept = (client: Socket): void => {
    const server = createConnection(target);
    const counter = queryCounter(() => (proxy.queries += 1));
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      sockets.add(from);
      from.on('data', (chunk: Buffer) => {
        if (hanging) return;
        if (from === client) counter(chunk);
        to.write(chunk);
      });
      from.on('error', () => to.destroy()); // a cut is what the test wants
      from.on('close', () => {
        sockets.delete(from);
        to.destroy();
      });
    }
  };
  const listener = createServer(accept);
  const listen = async (port: number): Promise<void> => {
    listener.listen(port, '127.0.0.1');
    await once(listener, 'listening');
  };
  await listen(0);
  const proxy: TcpProxy = {
    port: (listener.address() as AddressInfo).port,
    queries: 0,
    cut: () => sockets.forEach((socket) => socket.destroy()),
    hang: () => (hanging = true),
    goAway: async () => {
      const closed = once(listener, 'close');
      listener.close();
      proxy.cut();
      await closed;
    },
    comeBack: async () => {
      hanging = false;
      if (!listener.listening) await listen(proxy.port);
    },
    stop: async () => {
      if (listener.listening) await proxy.goAway();
    },
  };
  return proxy;
}
