/**
 * Rows that another session holds locked: nobody waits for one under the queue's lock, or at length. Usually it is free in a
 * moment; else it is left, and its name told.
 */
import { setTimeout as delay } from 'node:timers/promises';

/** Why something was not done, and what to do. */
export const HELD_ELSEWHERE =
  'another program holds its row locked, perhaps an open transaction in an SQL tool: end it, then try again';

/** Pauses (ms) in which a row that another session works on usually becomes free: a push's own statements take a few ms. */
const PATIENCE = [30, 200, 500];

/**
 * Tries again in a moment while something was left because of a locked row.
 * @param attempt gets what the last one came to
 * @returns what the last attempt came to
 */
export async function patiently<T>(
  attempt: (before: T | undefined) => Promise<T>,
  leftLocked: (outcome: T) => boolean,
): Promise<T> {
  let outcome = await attempt(undefined);
  for (const pause of PATIENCE) {
    if (!leftLocked(outcome)) break;
    await delay(pause);
    outcome = await attempt(outcome);
  }
  return outcome;
}

/** How long a transaction that holds no other lock waits for its row. */
export const ROW_PATIENCE = `set_config('lock_timeout', '2s', true)`;

/** SQLSTATE lock_not_available. */
const LOCKED = '55P03';

/** @throws Error naming the order instead of PostgreSQL's own, when its row stays locked */
export async function namedWhenLocked<T>(moId: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if ((error as { code?: unknown }).code !== LOCKED) throw error;
    throw new Error(`MO ${moId}: ${HELD_ELSEWHERE}`, { cause: error });
  }
}
