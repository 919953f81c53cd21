/**
 * The one doorway of every action node: validate → act → status → done, and a close that ends well. A node passes what it
 * does; when, how it shows and how it ends is decided here.
 */
import type { Node, NodeAPI, NodeDef, NodeMessageInFlow, NodeStatus } from 'node-red';
import type { LinkState } from './link-state';

/** What one input came to: message properties per output (undefined: nothing goes out there) and the status to show. */
export interface Outcome {
  outputs: readonly (object | undefined)[];
  status: Status;
}

/** A status in Node-RED's colours: done, wants attention, failed, nothing to do. */
export interface Status {
  level: 'ok' | 'attention' | 'failed' | 'idle';
  text: string;
}

export interface Context {
  /** Aborted when the node closes: running calls end at once. */
  signal: AbortSignal;
  /** Shows how far long work is. */
  progress: (text: string) => void;
  /** A text of the node's own locale, e.g. t('status.queued', { count: 3 }). */
  t: (key: string, values?: Record<string, unknown>) => string;
  node: Node;
}

export type Input = NodeMessageInFlow & Record<string, unknown>;

export interface Action {
  /** Does the work of one input; a rejection becomes `done(err)`. */
  run: (msg: Input, context: Context) => Promise<Outcome>;
  /** Links whose loss the node shows while it is idle. */
  links?: readonly LinkState[];
  close?: () => Promise<void> | void;
}

export interface ShellOptions {
  /** Trigger nodes skip what arrives while they are busy; data nodes queue and never drop. */
  whileBusy: 'skip' | 'queue';
}

/** Node-RED gives up on a close after 15 s; running work that ignores the abort is left behind before that (ms). */
const CLOSE_LIMIT = 8_000;

const LOOKS: Record<Status['level'], Pick<NodeStatus, 'fill' | 'shape'>> = {
  ok: { fill: 'green', shape: 'dot' },
  attention: { fill: 'yellow', shape: 'dot' },
  failed: { fill: 'red', shape: 'dot' },
  idle: { fill: 'grey', shape: 'ring' },
};

/** Clock time for a status line, in the server's zone, as people in the plant read it. */
export const clock = (at: Date = new Date()): string => at.toTimeString().slice(0, 8);

/**
 * Registers an action node type.
 * @param create builds the action from the config; throwing means "not configured": red status, and every input fails with
 *   that message
 */
export function registerAction<Config extends NodeDef>(
  RED: NodeAPI,
  type: string,
  { whileBusy }: ShellOptions,
  create: (node: Node, config: Config, t: Context['t']) => Action,
): void {
  RED.nodes.registerType(type, function (this: Node, config: Config) {
    RED.nodes.createNode(this, config);
    const t: Context['t'] = (key, values) => RED._(`${type}.${key}`, values as never);
    new ActionNode(RED, this, t, whileBusy, () => create(this, config, t));
  });
}

/** The config node behind a reference. @throws Error in the words of the locale when it is missing or disabled. */
export function requireNode<T>(RED: NodeAPI, id: string | undefined, t: Context['t'], what: string): T {
  const found = id ? (RED.nodes.getNode(id) as T | null) : null;
  if (!found) throw new Error(t('error.missing-config', { what }));
  return found;
}

class ActionNode {
  readonly #RED: NodeAPI;
  readonly #node: Node;
  readonly #t: Context['t'];
  readonly #whileBusy: ShellOptions['whileBusy'];
  readonly #abort = new AbortController();
  #action: Action | undefined;
  #misconfigured = '';
  #last: Status | undefined;
  /** The work under way and all that waits behind it. */
  #tail: Promise<void> = Promise.resolve();
  #busy = 0;

  constructor(RED: NodeAPI, node: Node, t: Context['t'], whileBusy: ShellOptions['whileBusy'], create: () => Action) {
    this.#RED = RED;
    this.#node = node;
    this.#t = t;
    this.#whileBusy = whileBusy;
    try {
      this.#action = create();
    } catch (error) {
      this.#misconfigured = message(error);
      this.#show({ level: 'failed', text: this.#misconfigured });
    }
    const leave = this.#action?.links?.map((link) => link.watch(({ up }) => up && this.#busy > 0 || this.#showLinks())) ?? [];
    node.on('input', (msg, send, done) => void this.#input(msg, send, done));
    node.on('close', (done: () => void) => {
      for (const stop of leave) stop();
      void this.#close().then(done);
    });
  }

  async #input(msg: Input, send: (messages: never) => void, done: (error?: Error) => void): Promise<void> {
    const action = this.#action;
    if (!action) return done(new Error(this.#misconfigured));
    if (this.#whileBusy === 'skip' && this.#busy > 0) {
      this.#node.warn(this.#t('status.skipped'));
      return done();
    }
    this.#busy += 1;
    const work = this.#tail.then(() => this.#act(action, msg, send, done));
    this.#tail = work;
    await work;
    this.#busy -= 1;
  }

  async #act(action: Action, msg: Input, send: (messages: never) => void, done: (error?: Error) => void): Promise<void> {
    if (this.#abort.signal.aborted) return done(new Error(this.#t('error.closing')));
    const context: Context = {
      signal: this.#abort.signal,
      progress: (text) => this.#node.status({ fill: 'blue', shape: 'dot', text }),
      t: this.#t,
      node: this.#node,
    };
    context.progress(this.#t('status.working'));
    try {
      const { outputs, status } = await action.run(msg, context);
      this.#last = status;
      this.#show(status);
      // The received message itself goes on (msg.req and msg.res with it); a second output gets a clone.
      const copies = outputs.map((patch, n) =>
        patch && Object.assign(outputs.findIndex(Boolean) === n ? msg : this.#RED.util.cloneMessage(msg), patch),
      );
      if (copies.some(Boolean)) send(copies.map((copy) => copy ?? null) as never);
      done();
    } catch (error) {
      this.#last = { level: 'failed', text: message(error) };
      if (!this.#abort.signal.aborted) this.#show(this.#last);
      done(error instanceof Error ? error : new Error(message(error)));
    }
  }

  async #close(): Promise<void> {
    this.#abort.abort();
    let timer: NodeJS.Timeout | undefined;
    const limit = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, CLOSE_LIMIT);
    });
    await Promise.race([this.#tail, limit]);
    clearTimeout(timer);
    await this.#action?.close?.();
    this.#node.status({});
  }

  /** While idle: the first lost link, or how the last work ended. */
  #showLinks(): void {
    const lost = this.#action?.links?.find(({ status }) => !status.up);
    if (lost) this.#show({ level: 'failed', text: lost.status.problem });
    else this.#show(this.#last?.level === 'failed' || !this.#last ? { level: 'idle', text: this.#t('status.ready') } : this.#last);
  }

  #show({ level, text }: Status): void {
    this.#node.status({ ...LOOKS[level], text: text.length > 80 ? `${text.slice(0, 79)}…` : text });
  }
}

const message = (error: unknown): string => (error instanceof Error ? error.message : String(error));
