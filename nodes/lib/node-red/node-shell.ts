/**
 * The one doorway of every action node: validate → act → status → done, and a close that ends well. A node passes what it
 * does; when, how it shows and how it ends is decided here.
 */
import type { Node, NodeAPI, NodeDef, NodeMessageInFlow, NodeStatus } from 'node-red';
import { migrateConfig } from './config-migrations';
import { unsetVariable } from './variables';
import type { LinkState } from '../domain/link-state';
import { isAnswer, PendingAnswers, waitingResponse } from './http-answer';

/**
 * What one input came to: message properties per output (a list: one message each; undefined: nothing goes out there) and
 * the status to show. With an `error` the input ends as failed although something goes out, e.g. the answer to a waiting HTTP request.
 */
export interface Outcome {
  outputs: readonly (object | readonly object[] | undefined)[];
  status: Status;
  error?: Error;
  /** What is left to do once everything has gone out. */
  sent?: () => Promise<void>;
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
  /** Links whose loss the node shows. */
  links?: readonly LinkState[];
  close?: () => Promise<void> | void;
  /** Where an operation differs from its type. */
  whileBusy?: ShellOptions['whileBusy'];
}

export interface ShellOptions {
  /**
   * Trigger nodes skip what arrives while they are busy. Data nodes never drop: they work on one message after the other
   * ('queue'), or on all at once where something else bounds the work ('together').
   */
  whileBusy: 'skip' | 'queue' | 'together';
  /** What goes out for an input of a node that is not configured, or is closing; nothing by default. */
  unconfigured?: (error: Error, msg: Input) => Outcome['outputs'];
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
  options: ShellOptions,
  create: (node: Node, config: Config, t: Context['t']) => Action,
): void {
  RED.nodes.registerType(type, function (this: Node, config: Config) {
    RED.nodes.createNode(this, config);
    const t: Context['t'] = (key, values) => RED._(`${type}.${key}`, values as never);
    new ActionNode(RED, this, t, options, () => {
      const name = unsetVariable(config);
      // A line of that very name would be looked for in silence.
      if (name) throw new Error(t('error.variable', { name }));
      return create(this, migrateConfig(type, config), t);
    });
  });
}

/** The config node behind a reference. @throws Error in the words of the locale when it is missing or disabled. */
export function requireNode<T>(RED: NodeAPI, id: string | undefined, t: Context['t'], what: string): T {
  const found = id ? (RED.nodes.getNode(id) as T | null) : null;
  if (!found) throw new Error(t('error.missing-config', { what }));
  return found;
}

/** The orders (or batches) in msg.payload, one or a list; undefined when anything else is among them. */
export function ordersIn<T extends { mo_id: string }>({ payload }: Input): T[] | undefined {
  const list = (Array.isArray(payload) ? payload : [payload]) as ({ mo_id?: unknown } | null | undefined)[];
  return list.every((order) => typeof order?.mo_id === 'string') ? (list as T[]) : undefined;
}

/** The orders named in `msg.mo_id`: one, or a list of them. */
export function namedIn({ mo_id }: Input): string[] {
  const names = (Array.isArray(mo_id) ? mo_id : [mo_id]) as unknown[];
  return names.flatMap((name) => (typeof name === 'string' && name.trim() ? [name.trim()] : []));
}

/** Who pressed, as the message says: `msg.user`; '' where it does not. */
export const userIn = ({ user }: Input): string => (typeof user === 'string' ? user.trim().slice(0, 128) : '');

type Send = (messages: never) => void;
type Done = (error?: Error) => void;

class ActionNode {
  readonly #RED: NodeAPI;
  readonly #node: Node;
  readonly #t: Context['t'];
  readonly #options: ShellOptions;
  readonly #abort = new AbortController();
  readonly #action: Action;
  /** How the last work ended. */
  #last: Status;
  /** Work under way, and all that waits its turn. */
  readonly #inputs = new Map<Promise<void>, Input>();
  readonly #answers = new PendingAnswers();
  /** The end of the line of a node that works on one message after the other. */
  #tail: Promise<void> = Promise.resolve();

  constructor(RED: NodeAPI, node: Node, t: Context['t'], options: ShellOptions, create: () => Action) {
    this.#RED = RED;
    this.#node = node;
    this.#t = t;
    this.#options = options;
    this.#last = { level: 'idle', text: t('status.ready') };
    try {
      this.#action = create();
    } catch (thrown) {
      const error = asError(thrown);
      this.#last = failed(error);
      this.#action = { run: (msg) => Promise.resolve(refused(error, options.unconfigured?.(error, msg))) };
    }
    const { links = [] } = this.#action;
    const leave = links.map((link) => link.watch(() => this.#showIdle()));
    if (links.length === 0) this.#showIdle();
    node.on('input', (msg, send, done) => this.#input(msg, send, done));
    node.on('close', (done: () => void) => {
      for (const stop of leave) stop();
      this.#close()
        .catch((error: unknown) => node.error(asError(error).message))
        .finally(done);
    });
  }

  #input(msg: Input, send: Send, done: Done): void {
    const { whileBusy } = { ...this.#options, ...this.#action };
    if (whileBusy === 'skip' && this.#inputs.size > 0) {
      this.#node.warn(this.#t('status.skipped'));
      return done();
    }
    const turn = whileBusy === 'together' ? Promise.resolve() : this.#tail;
    const work: Promise<void> = turn
      .then(() => this.#work(msg))
      .then((outcome) => {
        this.#inputs.delete(work);
        return this.#finish(outcome, msg, send, done);
      })
      // Whatever done() runs into: the next message has its turn all the same.
      .catch((error: unknown) => this.#node.error(asError(error).message));
    this.#inputs.set(work, msg);
    this.#tail = work;
  }

  /** The work of one input; never rejects. */
  async #work(msg: Input): Promise<Outcome> {
    const { signal } = this.#abort;
    try {
      if (signal.aborted) return this.#refused(new Error(this.#t('error.closing')), msg);
      const progress = (text: string): void => {
        if (!signal.aborted) this.#node.status({ fill: 'blue', shape: 'dot', text });
      };
      progress(this.#t('status.working'));
      return await this.#action.run(msg, { signal, progress, t: this.#t, node: this.#node });
    } catch (thrown) {
      if (!signal.aborted) return refused(asError(thrown));
      return this.#refused(new Error(this.#t('error.closed'), { cause: thrown }), msg);
    }
  }

  /** Who waits for an HTTP answer is answered also by a node that is closing. */
  #refused(error: Error, msg: Input): Outcome {
    return refused(error, this.#options.unconfigured?.(error, msg));
  }

  /** Status, then what goes out, then done: each once. */
  #finish(
    { outputs, status, error, sent: whenSent }: Outcome,
    msg: Input,
    send: Send,
    done: Done,
  ): Promise<void> | undefined {
    // What a lost link made fail is told by the link, and is over when it is back.
    const blamed = error !== undefined && this.#lost() !== undefined;
    this.#last = blamed ? { level: 'idle', text: this.#t('status.ready') } : status;
    this.#showIdle();
    let failure = error;
    try {
      // The received message itself goes on (msg.req and msg.res with it), once; whatever else goes out is a copy of it as it came.
      const came = { ...msg };
      let own: Input | undefined = msg;
      const message = (patch: object): object => {
        const going = Object.assign(own ?? { ...came }, patch);
        own = undefined;
        return going;
      };
      const sent = outputs.map((out) => (Array.isArray(out) ? out.map(message) : out ? message(out) : null));
      if (sent.flat().some(Boolean)) send(sent as never);
    } catch (thrown) {
      failure ??= asError(thrown);
    }
    done(failure);
    this.#answer(msg, outputs, failure);
    return failure ? undefined : whenSent?.();
  }

  /** Sees to it that who waits for an HTTP answer gets one, although the flow behind may be gone by now. */
  #answer(msg: Input, outputs: Outcome['outputs'], failure?: Error): void {
    const res = waitingResponse(msg);
    if (!res) return;
    const answer = outputs.flat().find(isAnswer);
    if (answer) return this.#answers.add(res, answer);
    // What another node is to answer is its own affair, as long as there is one.
    if (!this.#abort.signal.aborted || (!failure && outputs.some((out, n) => out && this.#leadsOn(n)))) return;
    const message = (failure ?? new Error(this.#t('error.closed'))).message;
    this.#answers.add(res, { statusCode: 503, payload: { status: 'error', message } });
  }

  /** Whether a node behind this output is still there. */
  #leadsOn(output: number): boolean {
    const { wires = [] } = this.#node as { wires?: string[][] };
    return (wires[output] ?? []).some((id) => Boolean(this.#RED.nodes.getNode(id)));
  }

  async #close(): Promise<void> {
    this.#abort.abort();
    let timer: NodeJS.Timeout | undefined;
    const limit = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, CLOSE_LIMIT);
    });
    await Promise.race([Promise.all([...this.#inputs.keys(), this.#tail]), limit]);
    clearTimeout(timer);
    // What ignores the abort is left behind; who waits for it is not.
    for (const msg of this.#inputs.values()) {
      const res = waitingResponse(msg);
      const payload = { status: 'error', message: this.#t('error.closed') };
      if (res) this.#answers.add(res, { statusCode: 504, payload });
    }
    await this.#answers.stop();
    await this.#action.close?.();
    this.#node.status({});
  }

  #lost(): LinkState | undefined {
    return this.#action.links?.find(({ status }) => !status.up);
  }

  /** A lost link is shown whatever else there is; how the last work ended, once nothing more is under way. */
  #showIdle(): void {
    if (this.#abort.signal.aborted) return;
    const lost = this.#lost();
    if (lost) this.#show({ level: 'failed', text: lost.status.problem });
    else if (this.#inputs.size === 0) this.#show(this.#last);
  }

  #show({ level, text }: Status): void {
    this.#node.status({ ...LOOKS[level], text: text.length > 80 ? `${text.slice(0, 79)}…` : text });
  }
}

const asError = (thrown: unknown): Error => (thrown instanceof Error ? thrown : new Error(String(thrown)));
const failed = ({ message }: Error): Status => ({ level: 'failed', text: message });
const refused = (error: Error, outputs: Outcome['outputs'] = []): Outcome => ({
  outputs,
  status: failed(error),
  error,
});
