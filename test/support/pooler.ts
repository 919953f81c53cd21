/**
 * A stand-in for PgBouncer: what MO Bridge meets behind one, and no more. It takes the start-up parameters that PgBouncer
 * tracks and refuses all others in its words; its connections to the server are handed out by the session, or by the
 * transaction. Clients need no password.
 */
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import pgPromise from 'pg-promise';
import type { Client, ConnectionData } from './cluster';

const { pg } = pgPromise({ noWarnings: true });

export interface PoolerOptions {
  mode: 'session' | 'transaction';
  /** Most connections to the server. */
  size: number;
  /** PgBouncer's server_round_robin; otherwise the connection used last goes out first. */
  roundRobin?: boolean;
}

/** Start-up parameters that PgBouncer knows without ignore_startup_parameters. */
const TRACKED = [
  ...['user', 'database', 'application_name', 'client_encoding', 'DateStyle', 'TimeZone'],
  'standard_conforming_strings',
];
const SSL_REQUEST = 80_877_103;

const message = (type: string, body: Buffer | string): Buffer => {
  const content = Buffer.from(body);
  const head = Buffer.alloc(5);
  head.write(type);
  head.writeUInt32BE(content.length + 4, 1);
  return Buffer.concat([head, content]);
};
const READY = message('Z', 'I');
const fatal = (code: string, text: string): Buffer => message('E', `SFATAL\0VFATAL\0C${code}\0M${text}\0\0`);

/** Cuts a stream into messages; the first of a client has no type byte. */
function framing(startUp: boolean, take: (frame: Buffer) => void): (chunk: Buffer) => void {
  let pending = Buffer.alloc(0);
  let untyped = startUp;
  return (chunk) => {
    pending = Buffer.concat([pending, chunk]);
    for (;;) {
      const head = untyped ? 0 : 1;
      if (pending.length < head + 4) return;
      const end = head + pending.readUInt32BE(head);
      if (pending.length < end) return;
      const frame = pending.subarray(0, end);
      pending = pending.subarray(end);
      if (untyped && frame.readUInt32BE(4) !== SSL_REQUEST) untyped = false;
      take(frame);
    }
  };
}

interface ServerConnection {
  client: Client;
  stream: Socket;
  /** Where its messages go now. */
  use?: (frame: Buffer) => void;
}

/** Starts a pooler before a server; it ends with the test. @returns its port */
export async function startPooler(t: TestContext, target: ConnectionData, options: PoolerOptions): Promise<number> {
  const { mode, size, roundRobin = false } = options;
  const all: ServerConnection[] = [];
  const idle: ServerConnection[] = [];
  const waiting: ((connection: ServerConnection) => void)[] = [];

  const open = async (): Promise<ServerConnection> => {
    const client = new pg.Client(target) as Client;
    client.on('error', () => undefined); // the test ends its server
    const connection = { client } as ServerConnection;
    all.push(connection);
    await client.connect();
    connection.stream = (client as unknown as { connection: { stream: Socket } }).connection.stream;
    connection.stream.removeAllListeners('data');
    connection.stream.on(
      'data',
      framing(false, (frame) => connection.use?.(frame)),
    );
    return connection;
  };
  const acquire = async (): Promise<ServerConnection> => {
    const free = roundRobin ? idle.shift() : idle.pop();
    if (free) return free;
    return all.length < size ? await open() : await new Promise((resolve) => waiting.push(resolve));
  };
  const release = (connection: ServerConnection): void => {
    delete connection.use;
    const next = waiting.shift();
    if (next) next(connection);
    else idle.push(connection);
  };
  /** What PgBouncer does at the end of a session, so that the next one finds nothing of it. */
  const clean = (connection: ServerConnection): void => {
    connection.use = (frame) => frame[0] === READY[0] && release(connection);
    connection.stream.write(message('Q', 'DISCARD ALL\0'));
  };

  const sockets = new Set<Socket>();
  const serve = (socket: Socket): void => {
    sockets.add(socket);
    let started = false;
    let held: Promise<ServerConnection> | undefined;
    const relay = (connection: ServerConnection) => (frame: Buffer) => {
      socket.write(frame);
      if (mode === 'session' || !frame.equals(READY)) return;
      held = undefined;
      release(connection);
    };
    const forward = async (frame: Buffer): Promise<void> => {
      held ??= acquire();
      const connection = await held;
      // Hung up while it waited for a session: nothing of it is asked any more.
      if (socket.destroyed) return;
      connection.use = relay(connection);
      connection.stream.write(frame);
    };
    const begin = (frame: Buffer): void => {
      if (frame.readUInt32BE(4) === SSL_REQUEST) return void socket.write('N');
      started = true;
      const names = frame.toString('utf8', 8).split('\0');
      const refused = names.find((name, n) => n % 2 === 0 && name !== '' && !TRACKED.includes(name));
      if (refused) return void socket.end(fatal('08P01', `unsupported startup parameter: ${refused}`));
      socket.write(Buffer.concat([message('R', Buffer.alloc(4)), message('K', Buffer.alloc(8)), READY]));
    };
    socket.on(
      'data',
      framing(true, (frame) => {
        if (!started) begin(frame);
        else if (frame[0] !== 'X'.charCodeAt(0)) void forward(frame);
      }),
    );
    socket.on('error', () => undefined); // a client that hangs up
    socket.on('close', () => {
      sockets.delete(socket);
      void held?.then(clean);
    });
  };
  const listener = createServer(serve).listen(0, '127.0.0.1');
  await once(listener, 'listening');
  t.after(() => {
    listener.close();
    for (const socket of sockets) socket.destroy();
    for (const { stream } of all) stream.destroy();
  });
  return (listener.address() as AddressInfo).port;
}
