/**
 * A simulated S7 CPU on a real TCP port: TPKT (RFC 1006), COTP class 0 (ISO 8073) and S7 communication over data blocks
 * in memory, with faults that can be switched on and off while it runs.
 */
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { seededRandom } from './random';
import { NO_FAULTS, type Cut, type S7Faults } from './s7-faults';
import { answerTelegram, blocksOf, isVariableAccess, isWrite, type S7Cpu, type S7Session } from './s7-telegram';

export type { S7Faults } from './s7-faults';

export interface S7ServerOptions {
  /** TCP port; 0 (default): any free one. */
  port?: number;
  host?: string;
  /** Largest PDU in bytes, as real CPUs have it: 240, 480 (default) or 960. */
  pduSize?: number;
  parallelJobs?: number;
  /** Data block number → size in bytes. */
  dbs: Record<number, number>;
  /** Seed of the random bytes that the fault `garbage` sends. */
  seed?: number;
}

export interface S7Counters {
  /** S7 telegrams received. */
  telegrams: number;
  /** Items read and written; refused ones included. */
  reads: number;
  writes: number;
  /** TCP connections accepted since the start. */
  connections: number;
  /** Connections cut at a telegram by the fault `cut`. */
  cuts: number;
}

export type AccessListener = (db: number, start: number, length: number) => void;

export interface S7Server {
  readonly port: number;
  readonly host: string;
  readonly faults: Readonly<S7Faults>;
  readonly counters: S7Counters;
  /** The bytes of a data block, live. @throws Error when there is no such block. */
  memory(db: number): Buffer;
  /** Switches the given faults; resolves when a closed or reopened port is so. */
  setFault(faults: Partial<S7Faults>): Promise<void>;
  clearFaults(): Promise<void>;
  /** Called before each item of a read is answered, so that memory can change between two telegrams. @returns off */
  onRead(listener: AccessListener): () => void;
  /** Called after an item was written. @returns off */
  onWrite(listener: AccessListener): () => void;
  /** Closes port and connections. May be called twice. */
  stop(): Promise<void>;
}

const TPKT_VERSION = 3;
const TPKT_HEADER = 4;
const COTP_CONNECT_REQUEST = 0xe0;
const COTP_CONNECT_CONFIRM = 0xd0;
const COTP_DATA = 0xf0;
const COTP_END_OF_TELEGRAM = 0x80;
const COTP_TPDU_SIZE = 0xc0;
/** RFC 1006 §4: the TPDU size when a connect request names none. */
const DEFAULT_TPDU_BYTES = 65531;
/** Before setup communication no telegram is larger than this. */
const PDU_BEFORE_SETUP = 240;

const tpkt = (cotp: Buffer): Buffer => {
  const header = Buffer.from([TPKT_VERSION, 0, 0, 0]);
  header.writeUInt16BE(TPKT_HEADER + cotp.length, 2);
  return Buffer.concat([header, cotp]);
};

/** CR → CC: the caller's reference becomes the destination; its parameters (TSAPs, TPDU size) are agreed to as they are. */
function connectConfirm(request: Buffer): Buffer {
  const confirm = Buffer.from(request);
  confirm[1] = COTP_CONNECT_CONFIRM;
  request.copy(confirm, 2, 4, 6);
  confirm.writeUInt16BE(1, 4);
  return tpkt(confirm);
}

/** The TPDU size that a connect request asks for, in bytes. */
function tpduBytes(request: Buffer): number {
  for (let at = 7; at + 2 < request.length; at += 2 + (request[at + 1] ?? 0)) {
    if (request[at] === COTP_TPDU_SIZE) return 2 ** (request[at + 2] ?? 0);
  }
  return DEFAULT_TPDU_BYTES;
}

/** An S7 telegram as one TPKT, or as several when the caller's TPDUs are small. */
function dataTelegram(telegram: Buffer, tpduSize: number): Buffer {
  const step = Math.max(1, tpduSize - 3);
  const parts: Buffer[] = [];
  for (let at = 0; at < telegram.length; at += step) {
    const last = at + step >= telegram.length;
    const header = Buffer.from([2, COTP_DATA, last ? COTP_END_OF_TELEGRAM : 0]);
    parts.push(tpkt(Buffer.concat([header, telegram.subarray(at, at + step)])));
  }
  return Buffer.concat(parts);
}

/**
 * Starts a simulated S7 CPU.
 * @throws Error when the port cannot be listened on
 */
export async function startS7Server(options: S7ServerOptions): Promise<S7Server> {
  const { host = '127.0.0.1', pduSize = 480, parallelJobs = 8, dbs, seed = 1 } = options;
  const blocks = new Map(Object.entries(dbs).map(([db, size]) => [Number(db), Buffer.alloc(size)]));
  const counters: S7Counters = { telegrams: 0, reads: 0, writes: 0, connections: 0, cuts: 0 };
  const random = seededRandom(seed);
  const [readers, writers] = [new Set<AccessListener>(), new Set<AccessListener>()];
  const sockets = new Set<Socket>();
  let faults = { ...NO_FAULTS };
  let port = options.port ?? 0;
  let stopped = false;

  const cpu: S7Cpu = {
    pduSize,
    parallelJobs,
    counters,
    get denyItems() {
      return faults.denyAccess;
    },
    get denyServices() {
      return faults.denyService;
    },
    get running() {
      return !faults.stop;
    },
    memory: (db) => (db === faults.missingDb ? undefined : blocks.get(db)),
    beforeRead: (...access) => readers.forEach((listener) => listener(...access)),
    afterWrite: (...access) => writers.forEach((listener) => listener(...access)),
  };

  /** Whether the connection is to be cut at this telegram, and how. */
  const cutAt = (telegram: Buffer): Cut | undefined => {
    const { cut } = faults;
    if (!cut || !blocksOf(telegram).includes(cut.db) || (cut.fromWrite && !isWrite(telegram))) return undefined;
    const left = cut.telegram - 1;
    faults = { ...faults, cut: left > 0 ? { ...cut, telegram: left, fromWrite: false } : null };
    if (left > 0) return undefined;
    counters.cuts += 1;
    return cut;
  };
  const silent = new WeakSet<Socket>();

  const respond = async (socket: Socket, session: S7Session, tpduSize: number, telegram: Buffer): Promise<void> => {
    counters.telegrams += 1;
    if (faults.delayMs > 0) await sleep(faults.delayMs, undefined, { ref: false });
    if (faults.hang || silent.has(socket) || socket.destroyed) return;
    const variables = isVariableAccess(telegram);
    if (variables && faults.garbage) {
      // The first byte is never a TPKT version: no client may take it for an answer.
      socket.write(Buffer.from(Array.from({ length: 32 }, (_, at) => (at ? random() * 256 : 0xff))));
      return;
    }
    const cut = cutAt(telegram);
    if (cut?.silent) silent.add(socket);
    const end = (): void => void (silent.has(socket) || socket.destroy());
    const reply = cut?.at === 'request' ? undefined : answerTelegram(cpu, session, telegram);
    if (!reply || cut?.at === 'answer') return end();
    const bytes = dataTelegram(reply, tpduSize);
    if (cut) socket.write(bytes, end);
    else if (variables && faults.dropMidTelegram) {
      socket.write(bytes.subarray(0, bytes.length >> 1), () => socket.destroy());
    } else socket.write(bytes);
  };

  const serve = (socket: Socket): void => {
    counters.connections += 1;
    sockets.add(socket);
    socket.setNoDelay(true);
    // A reset by the client is nothing to a CPU: 'close' follows and forgets the connection.
    socket.on('error', () => socket.destroy());
    socket.on('close', () => sockets.delete(socket));
    const session: S7Session = { pduSize: PDU_BEFORE_SETUP };
    let tpduSize = 0;
    let pending = Buffer.alloc(0);
    let telegram = Buffer.alloc(0);

    const receive = (cotp: Buffer): void => {
      const headerEnd = 1 + (cotp[0] ?? 0);
      if (cotp[1] === COTP_CONNECT_REQUEST && headerEnd >= 7 && headerEnd === cotp.length) {
        tpduSize = tpduBytes(cotp);
        if (!faults.hang) socket.write(connectConfirm(cotp));
      } else if (cotp[1] === COTP_DATA && headerEnd === 3 && tpduSize) {
        telegram = Buffer.concat([telegram, cotp.subarray(headerEnd)]);
        if (!((cotp[2] ?? 0) & COTP_END_OF_TELEGRAM)) return;
        const whole = telegram;
        telegram = Buffer.alloc(0);
        void respond(socket, session, tpduSize, whole);
      } else socket.destroy();
    };

    socket.on('data', (chunk) => {
      pending = Buffer.concat([pending, chunk]);
      while (pending.length >= TPKT_HEADER && !socket.destroyed) {
        const length = pending.readUInt16BE(2);
        if (pending[0] !== TPKT_VERSION || length < TPKT_HEADER + 2) {
          socket.destroy();
          return;
        }
        if (pending.length < length) return;
        const cotp = pending.subarray(TPKT_HEADER, length);
        pending = pending.subarray(length);
        receive(cotp);
      }
    });
  };

  const server: Server = createServer(serve);
  const open = async (): Promise<void> => {
    if (server.listening) return;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, host, () => {
        server.off('error', reject);
        resolve();
      });
    });
    port = (server.address() as AddressInfo).port;
  };
  const close = async (): Promise<void> => {
    if (!server.listening) return;
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    sockets.forEach((socket) => socket.destroy());
    await closed;
  };
  /** Opening and closing one after the other, also when faults are switched quickly. */
  let switching = open();
  const switchPort = (): Promise<void> => {
    // A failed step was reported to whoever asked for it; the next one starts afresh.
    switching = switching.catch(() => undefined).then(() => (stopped || faults.refuse ? close() : open()));
    return switching;
  };
  await switching;

  return {
    get port() {
      return port;
    },
    host,
    counters,
    get faults() {
      return faults;
    },
    memory(db) {
      const block = blocks.get(db);
      if (!block) throw new Error(`The simulated PLC has no DB ${db}; it has ${[...blocks.keys()].join(', ')}`);
      return block;
    },
    setFault(change) {
      faults = { ...faults, ...change };
      return switchPort();
    },
    clearFaults() {
      faults = { ...NO_FAULTS };
      return switchPort();
    },
    onRead(listener) {
      readers.add(listener);
      return () => void readers.delete(listener);
    },
    onWrite(listener) {
      writers.add(listener);
      return () => void writers.delete(listener);
    },
    stop() {
      stopped = true;
      return switchPort();
    },
  };
}
