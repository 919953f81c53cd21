/** Medians, and runs that take turns so that what the machine does meanwhile hits all of them alike. */

/** The middle value, or the mean of the two in the middle. @throws RangeError for an empty list */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError('there is no median of nothing');
  const sorted = [...values].sort((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return ((sorted[Math.floor(middle)] as number) + (sorted[Math.ceil(middle)] as number)) / 2;
}

/** ms that the work took. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

export interface Interleaved<K extends string> {
  /** ms of every round. */
  times: Record<K, number[]>;
  /** Median over the rounds of one's time divided by the other's in the same round. */
  ratio(of: K, to: K): number;
}

/**
 * Runs contestants in turns, each round in another order, so that none profits from always being second.
 * @param warmUps rounds that do not count
 * @param before awaited before every round
 */
export async function interleaved<K extends string>(
  contestants: Record<K, () => Promise<unknown>>,
  { rounds, warmUps = 1, before }: { rounds: number; warmUps?: number; before?: () => Promise<unknown> },
): Promise<Interleaved<K>> {
  const names = Object.keys(contestants) as K[];
  const times = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<K, number[]>;
  for (let round = -warmUps; round < rounds; round += 1) {
    await before?.();
    for (let turn = 0; turn < names.length; turn += 1) {
      const name = names[(((round + turn) % names.length) + names.length) % names.length] as K;
      const ms = await timed(contestants[name]);
      if (round >= 0) times[name].push(ms);
    }
  }
  return { times, ratio: (of, to) => median(times[of].map((ms, round) => ms / (times[to][round] as number))) };
}
