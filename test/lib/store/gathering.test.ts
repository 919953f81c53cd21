/** Group commit: who asks while a statement is under way shares the next one. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Gathering } from '../../../nodes/lib/store/gathering';

/** A gathering whose statements end when they are told to. */
function gathered(answer: (asks: number[]) => number[] = (asks) => asks) {
  const statements: { asks: number[]; end: () => void }[] = [];
  const gathering = new Gathering<number, number>(
    (asks) =>
      new Promise((resolve, reject) => {
        const end = (): void => {
          try {
            resolve(answer(asks));
          } catch (error) {
            reject(new Error('failed', { cause: error }));
          }
        };
        statements.push({ asks, end });
      }),
    (ask, row) => ask === row,
  );
  const sent = (): number[][] => statements.map(({ asks }) => asks);
  return { gathering, statements, sent };
}

test('asks of one turn share a statement, those that come meanwhile the next one, and each has its own row', async () => {
  const { gathering, statements, sent } = gathered();
  const first = [gathering.ask(1), gathering.ask(2)];
  await Promise.resolve();
  const second = [gathering.ask(3), gathering.ask(4)];
  await Promise.resolve();
  assert.deepEqual(sent(), [[1, 2]]);
  statements[0]?.end();
  assert.deepEqual(await Promise.all(first), [1, 2]);
  statements[1]?.end();
  assert.deepEqual(await Promise.all(second), [3, 4]);
  assert.deepEqual(sent(), [
    [1, 2],
    [3, 4],
  ]);
});

test('an ask that the statement has no row for is told so', async () => {
  const { gathering, statements } = gathered((asks) => asks.filter((ask) => ask !== 2));
  const rows = Promise.all([gathering.ask(1), gathering.ask(2)]);
  await Promise.resolve();
  statements[0]?.end();
  assert.deepEqual(await rows, [1, undefined]);
});

test("what one of several brings along spoils only its own; any other failure is everybody's", async () => {
  const failing = (code: string, bad: number) => (asks: number[]) => {
    if (asks.includes(bad)) throw Object.assign(new Error('failed'), { code });
    return asks;
  };
  const ended = async (code: string): Promise<string[]> => {
    const gathering = new Gathering<number, number>(
      (asks) => Promise.resolve(asks).then(failing(code, 2)),
      (ask, row) => ask === row,
    );
    const all = await Promise.allSettled([1, 2, 3].map((ask) => gathering.ask(ask)));
    return all.map(({ status }) => status);
  };
  assert.deepEqual(await ended('22P05'), ['fulfilled', 'rejected', 'fulfilled']);
  assert.deepEqual(await ended('57P01'), ['rejected', 'rejected', 'rejected']);
});
