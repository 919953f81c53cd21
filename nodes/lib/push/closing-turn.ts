/**
 * Orders of one Odoo are closed one at a time, over everything that closes: they move the same stock records, and two
 * closings at a time only undo each other. In this process they wait in a line; its first one asks the database.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { ClosingLedger } from '../domain/ledger';
import type { Limiter } from './limiter';

/** After so long a row is left for the next run, which is told (ms). */
export const LONGEST_WAIT = 5 * 60_000;
/** How often the first of the line asks (ms), and how long its place is kept between: who was killed is passed over. */
const ASK_EVERY = 200;
const PLACE = 10_000;

/** The turn while it is held. */
export interface Turn {
  /** Prolongs it. @returns false: it is lost */
  renew: () => Promise<boolean>;
  /** How long it lasts unless it is renewed (performance.now(), ms). */
  until: number;
  /** How long it was waited for (ms). */
  waited: number;
}

export interface TurnOptions {
  /** How long the turn lasts unless it is renewed (ms). */
  ttlMs: number;
  /** Before what waits in this process. */
  urgent?: boolean;
  signal?: AbortSignal | undefined;
  /** Longest wait (ms). */
  longest?: number;
}

/**
 * Closes something when it has its turn.
 * @param ledger null: without a database, in this process alone
 * @param odoo which Odoo, named alike by every Node-RED
 * @returns undefined: it waited too long
 * @throws the signal's reason when it was aborted before the turn came
 */
export async function inTurn<T>(
  limiter: Limiter,
  ledger: ClosingLedger | null,
  odoo: string,
  { ttlMs, urgent = false, signal, longest = LONGEST_WAIT }: TurnOptions,
  work: (turn: Turn) => Promise<T>,
): Promise<T | undefined> {
  const asked = performance.now();
  const late = AbortSignal.timeout(longest);
  const ended = signal ? AbortSignal.any([signal, late]) : late;
  const owner = randomUUID();
  let begun = false;
  const closing = async (): Promise<T> => {
    const ask = (): Promise<boolean> => ledger?.ask(odoo, owner, ttlMs, PLACE) ?? Promise.resolve(true);
    try {
      let last = performance.now();
      while (!(await ask())) {
        await delay(ASK_EVERY, undefined, { signal: ended });
        last = performance.now();
      }
      ended.throwIfAborted();
      begun = true;
      return await work({ renew: ask, until: last + ttlMs, waited: performance.now() - asked });
    } finally {
      // What was done counts, whatever becomes of the place: unless it is asked again it runs out by itself.
      await ledger?.leave(owner).catch(() => undefined);
    }
  };
  try {
    return await limiter.closing(closing, { urgent, signal: ended });
  } catch (error) {
    if (begun) throw error;
    signal?.throwIfAborted();
    if (late.aborted) return undefined;
    throw error;
  }
}
