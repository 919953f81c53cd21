/** The doorway of every action node, on a stand-in of Node-RED that lets each of its calls misbehave. */
import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { describe, test } from 'node:test';
import type { NodeAPI } from 'node-red';
import { LinkState } from '../../nodes/lib/domain/link-state';
import {
  type Action,
  type Input,
  type Outcome,
  registerAction,
  type ShellOptions,
} from '../../nodes/lib/node-red/node-shell';

interface Shown {
  fill?: string;
  text?: string;
}

const ok = (text = 'done', ...outputs: (object | undefined)[]): Outcome => ({ outputs, status: { level: 'ok', text } });

/** A promise and the way to end it. */
function gate(): { promise: Promise<Outcome>; open: (value: Outcome) => void; fail: (error: Error) => void } {
  let open: (value: Outcome) => void = () => undefined;
  let fail: (error: Error) => void = () => undefined;
  const promise = new Promise<Outcome>((resolve, reject) => ([open, fail] = [resolve, reject]));
  return { promise, open, fail };
}

/** One node of a type made for the test. */
class Stand extends EventEmitter {
  readonly statuses: Shown[] = [];
  readonly said: string[] = [];
  readonly sent: unknown[] = [];
  send: (messages: unknown) => void = (messages) => this.sent.push(messages);

  constructor(create: () => Action, options: Partial<ShellOptions> = {}) {
    super();
    let build: (this: Stand, config: object) => void = () => undefined;
    const RED = {
      nodes: {
        createNode: () => undefined,
        registerType: (_type: string, constructor: typeof build) => (build = constructor),
      },
      _: (key: string) => key.replace('test.', ''),
    };
    registerAction(RED as unknown as NodeAPI, 'test', { whileBusy: 'queue', ...options }, create);
    build.call(this, {});
  }

  status(shown: Shown): void {
    this.statuses.push(shown);
  }
  warn(text: string): void {
    this.said.push(`warn ${text}`);
  }
  error(text: string): void {
    this.said.push(`error ${text}`);
  }
  get shown(): string {
    const { fill, text } = this.statuses.at(-1) ?? {};
    return fill ? `${fill}: ${text}` : '';
  }
  /** Resolves with what done() was called with, and fails when that happens twice. */
  input(msg: object = {}, done: (error?: Error) => void = () => undefined): Promise<Error | undefined> {
    return new Promise((resolve, reject) => {
      let calls = 0;
      this.emit(
        'input',
        msg,
        (messages: unknown) => this.send(messages),
        (error?: Error) => {
          calls += 1;
          if (calls > 1) reject(new Error('done() was called twice'));
          resolve(error);
          done(error);
        },
      );
    });
  }
  close(): Promise<void> {
    return new Promise((resolve) => void this.emit('close', resolve));
  }
}

describe('one input', () => {
  test('the received message itself goes out, another output gets a copy of it as it came', async () => {
    const node = new Stand(() => ({
      run: () => Promise.resolve(ok('done', { payload: 1, more: true }, { payload: 2 })),
    }));
    const msg = { payload: 0, res: {} };
    assert.equal(await node.input(msg), undefined);
    const [[first, second]] = node.sent as [[object, object]];
    assert.equal(first, msg);
    assert.deepEqual(
      [first, second],
      [
        { payload: 1, more: true, res: msg.res },
        { payload: 2, res: msg.res },
      ],
    );
    assert.equal((second as Input).res, msg.res);
  });

  test('an output without anything stays silent, and so does the node when no output has anything', async () => {
    const outcomes = [ok('done', undefined, { payload: 2 }), ok('done', undefined)];
    const node = new Stand(() => ({ run: () => Promise.resolve(outcomes.shift() as Outcome) }));
    const msg = {};
    await node.input(msg);
    await node.input();
    assert.deepEqual(node.sent, [[null, msg]]);
  });

  test('a list sends one message each on its output, the first of all is the received one; an empty list is silent', async () => {
    const lists = [[{ payload: 1 }, { payload: 2, more: true }], []];
    const node = new Stand(() => ({
      run: () => Promise.resolve({ ...ok(), outputs: [lists.shift(), lists.length > 0 ? { payload: 3 } : undefined] }),
    }));
    const msg = { payload: 0, kept: true };
    await node.input(msg);
    const [[[first, second], other]] = node.sent as [[[object, object], object]];
    assert.equal(first, msg);
    assert.deepEqual(
      [first, second, other],
      [
        { payload: 1, kept: true },
        { payload: 2, more: true, kept: true },
        { payload: 3, kept: true },
      ],
    );
    assert.equal(await node.input(), undefined);
    assert.equal(node.sent.length, 1);
  });

  test('a failure becomes done(err) and a red status; whatever was thrown, it is an Error', async () => {
    const run = (): never => {
      const words: unknown = 'only words';
      throw words;
    };
    const node = new Stand(() => ({ run }));
    const error = await node.input();
    assert.ok(error instanceof Error);
    assert.equal(error.message, 'only words');
    assert.equal(node.shown, 'red: only words');
  });

  test('work that throws at once is a failure like any other', async () => {
    const node = new Stand(() => ({
      run: () => {
        throw new Error('at once');
      },
    }));
    assert.equal((await node.input())?.message, 'at once');
  });

  test('something can go out although the input failed', async () => {
    const error = new Error('half');
    const node = new Stand(() => ({ run: () => Promise.resolve({ ...ok('half', { payload: 1 }), error }) }));
    assert.equal(await node.input(), error);
    assert.equal(node.sent.length, 1);
  });

  test('a send() that throws ends in done(err), once, and the next message has its turn', async () => {
    const node = new Stand(() => ({ run: () => Promise.resolve(ok('done', {})) }));
    const send = node.send;
    node.send = () => {
      throw new Error('not sent');
    };
    assert.equal((await node.input())?.message, 'not sent');
    node.send = send;
    assert.equal(await node.input(), undefined);
  });

  test('a done() that throws is logged, and the next message has its turn', async () => {
    const node = new Stand(() => ({ run: () => Promise.resolve(ok()) }));
    await node.input({}, () => {
      throw new Error('in a receiver');
    });
    assert.equal(await node.input(), undefined);
    assert.deepEqual(node.said, ['error in a receiver']);
  });

  test('a node that is not configured refuses every input with the reason, and can still answer who waits', async () => {
    const unconfigured = (error: Error) => [undefined, { payload: error.message }];
    const create = (): Action => {
      throw new Error('no server chosen');
    };
    const node = new Stand(create, { unconfigured });
    assert.equal(node.shown, 'red: no server chosen');
    assert.equal((await node.input({ payload: 0 }))?.message, 'no server chosen');
    assert.deepEqual(node.sent, [[null, { payload: 'no server chosen' }]]);
    assert.equal(node.shown, 'red: no server chosen');
    await node.close();
  });

  test('a long status text is cut to what the editor can show', async () => {
    const node = new Stand(() => ({ run: () => Promise.resolve(ok('x'.repeat(200))) }));
    await node.input();
    assert.equal(node.statuses.at(-1)?.text?.length, 80);
  });
});

describe('while busy', () => {
  /** Every run waits for its own gate. */
  const gated = (whileBusy: ShellOptions['whileBusy']) => {
    const gates: ReturnType<typeof gate>[] = [];
    const started = new EventEmitter();
    const node = new Stand(
      () => ({
        run: (_msg, { progress }) => {
          const next = gate();
          gates.push(next);
          progress(`run ${gates.length}`);
          started.emit('run');
          return next.promise;
        },
      }),
      { whileBusy },
    );
    return { node, gates, started };
  };

  test('a trigger node skips what arrives, says so, and takes the next one when it has ended', async () => {
    const { node, gates, started } = gated('skip');
    const first = node.input();
    await once(started, 'run');
    assert.equal(await node.input(), undefined);
    assert.deepEqual(node.said, ['warn status.skipped']);
    gates[0]?.open(ok());
    await first;
    const next = node.input();
    await once(started, 'run');
    gates[1]?.open(ok());
    await next;
    assert.equal(gates.length, 2);
  });

  test('a data node works on one message after the other, in order, and goes on after a failure', async () => {
    const { node, gates, started } = gated('queue');
    const inputs = [node.input(), node.input(), node.input()];
    await once(started, 'run');
    assert.equal(gates.length, 1);
    const second = once(started, 'run');
    gates[0]?.fail(new Error('first'));
    await second;
    assert.equal((await inputs[0])?.message, 'first');
    assert.equal(node.shown, 'blue: run 2');
    const third = once(started, 'run');
    gates[1]?.open(ok());
    await third;
    gates[2]?.open(ok('third'));
    assert.deepEqual(await Promise.all(inputs.slice(1)), [undefined, undefined]);
    assert.equal(node.shown, 'green: third');
    assert.deepEqual(node.said, []);
  });

  test('a node whose work is bounded elsewhere takes all at once, and shows progress until the last has ended', async () => {
    const { node, gates } = gated('together');
    const inputs = [node.input(), node.input()];
    await Promise.resolve();
    assert.equal(gates.length, 2);
    gates[1]?.open(ok('second'));
    await inputs[1];
    assert.equal(node.shown, 'blue: run 2');
    gates[0]?.open(ok('first'));
    await inputs[0];
    assert.equal(node.shown, 'green: first');
  });
});

describe('links', () => {
  test('a lost link is shown at once and before everything else, until it is back', async () => {
    const link = new LinkState();
    const running = gate();
    const node = new Stand(() => ({ links: [link], run: () => running.promise }));
    assert.equal(node.shown, 'grey: status.ready');
    const input = node.input();
    await Promise.resolve();
    link.isDown('Odoo: gone');
    assert.equal(node.shown, 'red: Odoo: gone');
    running.open(ok('0 confirmed'));
    await input;
    assert.equal(node.shown, 'red: Odoo: gone');
    link.isUp();
    assert.equal(node.shown, 'green: 0 confirmed');
  });

  test('a failure for which a lost link is to blame is over when the link is back', async () => {
    const link = new LinkState();
    const node = new Stand(() => ({ links: [link], run: () => Promise.reject(new Error('database not available')) }));
    link.isDown('Batches: gone');
    await node.input();
    link.isUp();
    assert.equal(node.shown, 'grey: status.ready');
  });

  test('a failure with another cause stays to be seen when a link comes back', async () => {
    const link = new LinkState();
    const node = new Stand(() => ({ links: [link], run: () => Promise.reject(new Error('the limit is 0')) }));
    await node.input();
    link.isDown('Batches: gone');
    link.isUp();
    assert.equal(node.shown, 'red: the limit is 0');
  });

  test('of two lost links the other is shown when one is back', () => {
    const [odoo, database] = [new LinkState(), new LinkState()];
    const node = new Stand(() => ({ links: [odoo, database], run: () => Promise.resolve(ok()) }));
    odoo.isDown('Odoo: gone');
    database.isDown('Batches: gone');
    odoo.isUp();
    assert.equal(node.shown, 'red: Batches: gone');
  });

  test('loss and return are told once per outage, whatever the outage says meanwhile', () => {
    const turns: string[] = [];
    const link = new LinkState(({ up, problem }) => turns.push(up ? 'up' : problem));
    const seen: string[] = [];
    const leave = link.watch(({ problem }) => seen.push(problem));
    link.isUp();
    link.isDown('refused');
    link.isDown('refused');
    link.isDown('timeout');
    link.isUp();
    leave();
    link.isDown('again');
    assert.deepEqual(turns, ['refused', 'up', 'again']);
    assert.deepEqual(seen, ['', 'refused', 'timeout', '']);
  });
});

describe('close', () => {
  test('running work is aborted and ends as an error; what waits behind it is not begun; nothing is shown any more', async () => {
    const link = new LinkState();
    let runs = 0;
    const node = new Stand(() => ({
      links: [link],
      run: (_msg, { signal, progress }) => {
        runs += 1;
        return new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => {
            progress('too late');
            reject(new Error('aborted'));
          });
        });
      },
    }));
    const inputs = [node.input(), node.input()];
    await Promise.resolve();
    await node.close();
    const errors = await Promise.all(inputs);
    assert.deepEqual(
      errors.map((error) => error?.message),
      ['error.closed', 'error.closing'],
    );
    assert.equal((errors[0]?.cause as Error).message, 'aborted');
    assert.equal(runs, 1);
    assert.deepEqual(node.statuses.at(-1), {});
    link.isDown('gone');
    assert.deepEqual(node.statuses.at(-1), {});
    assert.equal((await node.input())?.message, 'error.closing');
  });

  test('work that ignores the abort is left behind after 8 s', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const running = gate();
    const node = new Stand(() => ({ run: () => running.promise }));
    const input = node.input();
    await Promise.resolve();
    const closed = node.close();
    t.mock.timers.tick(8_000);
    await closed;
    running.open(ok());
    assert.equal(await input, undefined);
  });

  test('a close() of the action that fails is logged, and Node-RED is told that the node has closed', async () => {
    const node = new Stand(() => ({
      run: () => Promise.resolve(ok()),
      close: () => Promise.reject(new Error('still open')),
    }));
    await node.close();
    assert.deepEqual(node.said, ['error still open']);
  });
});
