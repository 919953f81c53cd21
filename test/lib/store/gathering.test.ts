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
  // A value, a constraint, a lock, a deadlock, a time limit, somebody's trigger, a value beyond PostgreSQL's limits.
  for (const code of ['22P05', '23514', '55P03', '40P01', '40001', '57014', 'P0001', '42703', '54000', 'XX000']) {
    assert.deepEqual(await ended(code), ['fulfilled', 'rejected', 'fulfilled'], code);
  }
  for (const code of ['57P01', '08006', '25006', '53100', '53300', '28P01', '3D000', 'ECONNRESET', '']) {
    assert.deepEqual(await ended(code), ['rejected', 'rejected', 'rejected'], code);
  }
});

test('a database that goes while rows are repeated one by one is asked no more', async () => {
  const asked: number[][] = [];
  const gathering = new Gathering<number, number>(
    (asks) => {
      asked.push(asks);
      const code = asks.length > 1 ? '40P01' : '57P01';
      return Promise.reject(Object.assign(new Error(code), { code }));
    },
    (ask, row) => ask === row,
  );
  const all = await Promise.allSettled([1, 2, 3].map((ask) => gathering.ask(ask)));
  assert.deepEqual(
    all.map(({ status }) => status),
    ['rejected', 'rejected', 'rejected'],
  );
  assert.deepEqual(asked, [[1, 2, 3], [1]]);
});
