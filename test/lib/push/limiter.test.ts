import assert from 'node:assert/strict';
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
