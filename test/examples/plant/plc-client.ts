/**
 * Clients of the simulated PLC for its tests: nodes7, the one that the package uses, and bare telegrams over a TCP socket.
 */
import { connect, type Socket } from 'node:net';
import { once, type EventEmitter } from 'node:events';
import { createRequire } from 'node:module';
import type { TestContext } from 'node:test';
import { startS7Server, type S7Server, type S7ServerOptions } from '../../../examples/plant/plc/s7-server';

export interface Endpoint extends EventEmitter {
  readonly pduSize: number;
  readonly isConnected: boolean;
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  readDB(db: number, start: number, length: number): Promise<Buffer>;
  writeDB(db: number, start: number, data: Buffer): Promise<void>;
  getSSL(id: number, index: number): Promise<Buffer[]>;
  blockCount(): Promise<unknown>;
  readVars(items: object[]): Promise<{ returnCode: number; data: Buffer }[]>;
}

export interface ItemGroup {
  addItems(tags: string[]): void;
  readAllItems(): Promise<Record<string, unknown>>;
  writeItems(tags: string[], values: unknown[]): Promise<void>;
  destroy(): void;
}

// nodes7 comes without types.
const nodes7 = createRequire(__filename)('@st-one-io/nodes7') as {
  S7Endpoint: new (options: object) => Endpoint;
  S7ItemGroup: new (endpoint: Endpoint) => ItemGroup;
};

/** A simulated CPU that ends with the test; DB 100 of 1100 bytes unless told otherwise. */
export async function startPlc(t: TestContext, options: Partial<S7ServerOptions> = {}): Promise<S7Server> {
  const server = await startS7Server({ dbs: { 100: 1100 }, ...options });
  t.after(() => server.stop());
  return server;
}

/** A nodes7 endpoint, connected, which ends with the test and reconnects by itself after 20 ms. */
export async function connectNodes7(t: TestContext, server: S7Server, s7ConnOpts: object = {}): Promise<Endpoint> {
  const { host, port } = server;
  const options = { host, port, autoReconnect: 20, s7ConnOpts: { timeout: 500, ...s7ConnOpts } };
  const endpoint = new nodes7.S7Endpoint(options);
  // Errors are what the fault tests provoke; each of them looks at the read that fails.
  endpoint.on('error', () => undefined);
  // Not waited for: while nodes7 is reconnecting, disconnect() may fail or never settle; the server ends every socket.
  t.after(() => void endpoint.disconnect().catch(() => undefined));
  if (!endpoint.isConnected) await once(endpoint, 'connect');
  return endpoint;
}

/** An item group with these nodes7 addresses. */
export function itemGroup(t: TestContext, endpoint: Endpoint, addresses: string[]): ItemGroup {
  const group = new nodes7.S7ItemGroup(endpoint);
  group.addItems(addresses);
  t.after(() => group.destroy());
  return group;
}

/** Bytes from hex; blanks are for the eye. */
export const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');

/** TPKT and COTP around an S7 telegram (RFC 1006). */
export const framed = (telegram: Buffer): Buffer =>
  Buffer.concat([Buffer.from([3, 0, 0, telegram.length + 7, 2, 0xf0, 0x80]), telegram]);

/** COTP connect request: reference 0x0017, TPDU size 1024, TSAPs 01.00 and 01.02. */
export const CONNECT_REQUEST = hex('03000016 11e0 0000 0017 00 c0010a c1020100 c2020102');

/** A bare TCP client that hands out whole TPKTs. */
export class RawClient {
  #bytes = Buffer.alloc(0);
  readonly closed: Promise<unknown>;

  private constructor(readonly socket: Socket) {
    socket.on('data', (chunk) => (this.#bytes = Buffer.concat([this.#bytes, chunk])));
    // A reset is one way for the server to end a connection; 'close' follows.
    socket.on('error', () => undefined);
    this.closed = new Promise((resolve) => socket.once('close', resolve));
  }

  static async open(t: TestContext, { host, port }: S7Server): Promise<RawClient> {
    const socket = connect({ host, port, noDelay: true });
    t.after(() => socket.destroy());
    await once(socket, 'connect');
    return new RawClient(socket);
  }

  /** The bytes that have come and were not taken. */
  get received(): Buffer {
    return this.#bytes;
  }

  send(bytes: Buffer): void {
    this.socket.write(bytes);
  }

  /** The next whole TPKT, header included. */
  async next(): Promise<Buffer> {
    while (this.#bytes.length < 4 || this.#bytes.length < this.#bytes.readUInt16BE(2)) await once(this.socket, 'data');
    const length = this.#bytes.readUInt16BE(2);
    const tpkt = this.#bytes.subarray(0, length);
    this.#bytes = this.#bytes.subarray(length);
    return tpkt;
  }

  /** Sends an S7 telegram and returns the answer without TPKT and COTP. */
  async ask(telegram: Buffer): Promise<Buffer> {
    this.send(framed(telegram));
    return (await this.next()).subarray(7);
  }

  /** COTP connect and setup communication; PDU size in bytes. */
  async connect(pduSize = 480): Promise<this> {
    this.send(CONNECT_REQUEST);
    await this.next();
    const setup = hex('32010000 0001 0008 0000 f000 0001 0001 0000');
    setup.writeUInt16BE(pduSize, 16);
    await this.ask(setup);
    return this;
  }
}
