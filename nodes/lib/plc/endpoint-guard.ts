/**
 * Keeps an S7 endpoint from ending Node-RED, or from waiting for ever. These faults of its parts (nodes7 1.1.2 and
 * iso-on-tcp 0.1.0) have no switch and no event to handle them by, so they are mended on the instance in use:
 * - iso-on-tcp reads past the end of a TCP chunk that holds a whole telegram and the first 1 to 3 bytes of the next. Answers
 *   to telegrams sent in parallel, by whichever node, are cut like that now and then.
 * - It does not look at the version in front of a telegram: bytes that are none are waited for, and spoil the next answer.
 * - What iso-on-tcp or nodes7 throws over bytes that make no sense reaches the socket's event: an uncaught exception.
 * - A PLC that accepts the connection and stays silent is waited for 10 s, and without end once ISO-on-TCP is up. The socket
 *   of an attempt that is given up stays open.
 * - disconnect() never settles while a connection is being made, so that a deploy waits 15 s for a PLC that is switched off.
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import type { Duplex, Transform } from 'node:stream';
import { S7Endpoint } from '@st-one-io/nodes7';

/** ms for a whole connection attempt. A PLC takes some; with the 5 s that nodes7 pauses, reading resumes within 15 s. */
const CONNECT_LIMIT = 6000;
/** RFC 1006 §6: a TPKT header is 4 bytes, the version (3) first; its length (bytes 2 and 3, header included) is 7 at least. */
const TPKT_VERSION = 3;
const TPKT_HEADER = 4;
const TPKT_LEAST = 7;

/** What is reached into, as far as a version has it. */
interface Parser extends Transform {
  /** Bytes of a telegram that is not whole yet. */
  _nBuffer?: Buffer | null;
}
type Transport = Duplex & { _parser?: Parser };
interface Internals {
  _createIsoTransport?: () => Promise<Transport>;
  _getTransport?: () => Promise<Transport>;
  _transport?: Transport | null;
  _shouldConnect?: boolean;
}

/**
 * How many of the bytes are whole telegrams; all of them when their length is none: the parser says so better.
 * @returns undefined when they are no telegrams at all
 */
function wholeTelegrams(bytes: Buffer): number | undefined {
  let end = 0;
  while (bytes.length > end) {
    if (bytes[end] !== TPKT_VERSION) return undefined;
    if (bytes.length - end < TPKT_HEADER) break;
    const length = bytes.readUInt16BE(end + 2);
    if (length < TPKT_LEAST) return bytes.length;
    if (end + length > bytes.length) break;
    end += length;
  }
  return end;
}

/** Hands whole telegrams only to the parser, and what it throws to its stream, which then ends as after any error. */
function mend(parser: Parser): void {
  if (Object.hasOwn(parser, '_transform')) return;
  const parse = parser._transform.bind(parser);
  let rest = parser._nBuffer ?? Buffer.alloc(0);
  parser._nBuffer = null;
  parser._transform = (chunk: Buffer, encoding, callback) => {
    const bytes = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk;
    const end = wholeTelegrams(bytes);
    if (end === undefined) return callback(new Error('what came is no ISO-on-TCP telegram'));
    rest = bytes.subarray(end);
    if (end === 0) return callback();
    try {
      parse(bytes.subarray(0, end), encoding, callback);
    } catch (error) {
      callback(error as Error);
    }
  };
}

/** The socket of each endpoint's attempt to connect: nobody else knows it before ISO-on-TCP is up. */
const attempts = new WeakMap<S7Endpoint, Socket>();

/** Ends an attempt, with an error for whoever waits for it. */
const hangUp = (endpoint: S7Endpoint, error?: Error): void => void attempts.get(endpoint)?.destroy(error);

/**
 * Notes the sockets. On the prototype: an endpoint's first attempt begins in its constructor, before any guard is there.
 * It changes nothing in how an endpoint connects.
 */
function noteAttempts(prototype: Internals): void {
  const create = prototype._createIsoTransport;
  if (!create) return;
  prototype._createIsoTransport = function (this: S7Endpoint & Internals) {
    const note = (message: unknown): void => void attempts.set(this, (message as { socket: Socket }).socket);
    // Told within the call, by the socket that it opens.
    subscribe('net.client.socket', note);
    try {
      return create.call(this);
    } finally {
      unsubscribe('net.client.socket', note);
    }
  };
}
noteAttempts(S7Endpoint.prototype as unknown as Internals);

class EndpointGuard {
  users = 0;
  readonly #endpoint: S7Endpoint;
  readonly #inner: Internals;
  readonly #getTransport: Internals['_getTransport'];
  readonly #disconnect: S7Endpoint['disconnect'];
  readonly #listeners: number;
  #timer: NodeJS.Timeout | undefined;
  readonly #onConnect = (): void => {
    clearTimeout(this.#timer);
    if (this.#inner._transport?._parser) mend(this.#inner._transport._parser);
  };

  constructor(endpoint: S7Endpoint) {
    this.#endpoint = endpoint;
    this.#inner = endpoint as unknown as Internals;
    this.#getTransport = this.#inner._getTransport;
    if (this.#getTransport) this.#inner._getTransport = () => this.#attempt();
    this.#disconnect = endpoint.disconnect.bind(endpoint);
    endpoint.disconnect = () => {
      if (this.#inner._transport) return this.#disconnect();
      // What its promise still hears of is the failure of an attempt that nobody wants any more.
      this.#disconnect().catch(() => undefined);
      hangUp(endpoint);
      return Promise.resolve();
    };
    // As many listeners as there are nodes on this endpoint is no leak.
    this.#listeners = endpoint.getMaxListeners();
    endpoint.setMaxListeners(0);
    endpoint.on('connect', this.#onConnect);
    // A connection, or an attempt at one, that is older than this guard.
    if (endpoint.isConnected) this.#onConnect();
    else this.#limit(() => this.#giveUp());
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#endpoint.off('connect', this.#onConnect);
    this.#endpoint.setMaxListeners(this.#listeners);
    if (this.#getTransport) this.#inner._getTransport = this.#getTransport;
    Reflect.deleteProperty(this.#endpoint, 'disconnect');
  }

  #limit(giveUp: () => void): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(giveUp, CONNECT_LIMIT);
  }

  #giveUp(): void {
    // Beyond ISO-on-TCP the attempt is not ours to reject any more: its end starts the next one.
    if (this.#inner._transport) this.#inner._transport.destroy();
    else hangUp(this.#endpoint, new Error(`no connection within ${CONNECT_LIMIT} ms`));
  }

  #attempt(): Promise<Transport> {
    return new Promise((resolve, reject) => {
      let late = false;
      // One that was given up by nodes7, whose limit is another.
      hangUp(this.#endpoint);
      this.#limit(() => {
        late = true;
        reject(new Error(`no connection within ${CONNECT_LIMIT} ms`));
        this.#giveUp();
      });
      this.#getTransport?.call(this.#endpoint).then((transport) => {
        if (transport._parser) mend(transport._parser);
        if (!late && this.#inner._shouldConnect !== false) return resolve(transport);
        // Nobody waits for it any more, nor for its errors.
        transport.on('error', () => undefined);
        transport.destroy();
      }, reject);
    });
  }
}

const guards = new WeakMap<S7Endpoint, EndpointGuard>();

/**
 * Guards an endpoint for as long as anybody uses it.
 * @returns ends this use; with the last one the endpoint is as it was (an open connection stays mended)
 */
export function guardEndpoint(endpoint: S7Endpoint): () => void {
  const guard = guards.get(endpoint) ?? new EndpointGuard(endpoint);
  guards.set(endpoint, guard);
  guard.users += 1;
  let left = false;
  return () => {
    if (left) return;
    left = true;
    guard.users -= 1;
    if (guard.users > 0) return;
    guards.delete(endpoint);
    guard.stop();
  };
}
