import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Limiter } from '../../../nodes/lib/odoo/limiter';

test('so many run at a time; an urgent one goes before all that wait', async () => {
  const limiter = new Limiter(1);
  const order: string[] = [];
  let open = (): void => undefined;
  const gate = new Promise<void>((resolve) => (open = resolve));
  const work = (name: string, urgent = false): Promise<unknown> =>
    limiter.run(() => {
      order.push(name);
      return name === 'first' ? gate : Promise.resolve();
    }, urgent);
  const all = [work('first'), work('second'), work('third'), work('by hand', true)];
  open();
  await Promise.all(all);
  assert.deepEqual(order, ['first', 'by hand', 'second', 'third']);
});
