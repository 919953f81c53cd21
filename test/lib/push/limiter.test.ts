import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { test } from 'node:test';
import { Limiter } from '../../../nodes/lib/push/limiter';

test('so many run at a time; an urgent one goes before all that wait', async () => {
  const limiter = new Limiter(1);
  const order: string[] = [];
  let open = (): void => undefined;
  const gate = new Promise<void>((resolve) => (open = resolve));
  const work = (name: string, urgent = false): Promise<unknown> =>
    limiter.run(
      () => {
        order.push(name);
        return name === 'first' ? gate : Promise.resolve();
      },
      { urgent },
    );
  const all = [work('first'), work('second'), work('third'), work('by hand', true)];
  open();
  await Promise.all(all);
  assert.deepEqual(order, ['first', 'by hand', 'second', 'third']);
});

test('what may take long waits for all others, those that come later too', async () => {
  const limiter = new Limiter(1);
  const order: string[] = [];
  let open = (): void => undefined;
  const gate = new Promise<void>((resolve) => (open = resolve));
  const work = (name: string, turn: { slow?: boolean; urgent?: boolean } = {}): Promise<unknown> =>
    limiter.run(() => Promise.resolve(order.push(name)), turn);
  const first = limiter.run(() => gate);
  const all = [work('slow 1', { slow: true }), work('slow 2', { slow: true }), work('one'), work('two')];
  all.push(work('by hand', { urgent: true }), work('by hand, later', { urgent: true }));
  open();
  await Promise.all([first, ...all]);
  assert.deepEqual(order, ['by hand', 'by hand, later', 'one', 'two', 'slow 1', 'slow 2']);
});

test('hundreds that wait under one signal are no leak, and none is left behind', async (t) => {
  const warnings: string[] = [];
  const warned = ({ message }: Error): void => void warnings.push(message);
  process.on('warning', warned);
  t.after(() => process.off('warning', warned));
  const limiter = new Limiter(1);
  const closing = new AbortController();
  const { signal } = closing;
  const work = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  await Promise.all(Array.from({ length: 300 }, () => limiter.run(work, { signal })));
  assert.equal(getEventListeners(signal, 'abort').length, 0);
  const given = Array.from({ length: 300 }, () => limiter.run(work, { signal }));
  closing.abort();
  const ended = await Promise.allSettled(given);
  // The first had its turn already.
  assert.equal(ended.filter(({ status }) => status === 'rejected').length, 299);
  assert.equal(getEventListeners(signal, 'abort').length, 0);
  assert.deepEqual(warnings, []);
});

test('who gives up waiting leaves the line, and the others go on', async () => {
  const limiter = new Limiter(1);
  const closing = new AbortController();
  const { signal } = closing;
  let open = (): void => undefined;
  const first = limiter.run(() => new Promise<void>((resolve) => (open = resolve)));
  const second = limiter.run(() => Promise.resolve('second'), { signal });
  const third = limiter.run(() => Promise.resolve('third'));
  closing.abort();
  await assert.rejects(second, (error) => error === signal.reason);
  await assert.rejects(
    limiter.run(() => Promise.resolve(), { signal }),
    (error) => error === signal.reason,
  );
  open();
  await first;
  assert.equal(await third, 'third');
});
