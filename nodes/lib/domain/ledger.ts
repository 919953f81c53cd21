/**
 * What a push needs of the place where leases and conclusions are kept. The store implements it; without a database
 * there is none, and only manual calls push.
 */
import type { Batch, CallByHand, DoneReadback, PendingCall } from './batch';
import type { Conclusion } from './conclusion';
import type { OrderRef } from './order';
import type { SiloWeights } from './silos';

/**
 * The database cannot be used now: it is not reachable, another session holds what is needed, or a right is missing. What was
 * asked of it has not happened. Its name stays `Error`: Node-RED puts it before the text that people read.
 */
export class DatabaseUnavailable extends Error {}

/** Why a row may not be pushed now. 'locked': another session of the database holds it, and a person asked. */
export type LeaseRefusal =
  'not-queued' | 'set-aside' | 'leased' | 'locked' | 'not-due' | 'already-confirmed' | 'nothing-to-send';

/** What came of a push, as it is stored. */
export interface Settlement {
  conclusion: Conclusion;
  reason: string;
  /** Pause before the next attempt (ms); none: due at once if anything is unconfirmed. */
  pauseMs?: number;
  /** Out of the gate and of the retries until a person decides. */
  setAside: boolean;
  /** Odoo has cancelled or closed the order. */
  cancelled?: boolean;
  /** kg per silo as sent. */
  sent?: SiloWeights;
  /** kg per silo as Odoo confirmed them. */
  confirmed?: SiloWeights;
  done?: DoneReadback;
  /** The order as it was found in Odoo. */
  order?: OrderRef;
  /** kg of finished goods as sent. */
  sentFinished?: number;
  /** Of a call by hand: what it gave is settled now, and what was unsettled of that before it came is so again. */
  given?: CallByHand;
  earlier?: PendingCall | null;
  /** false: Odoo confirmed only some of the row's values. */
  wholeRow?: boolean;
  /** Odoo may hold something else than the row: the row counts as unconfirmed again, due when it was. */
  doubt?: boolean;
  /** What Odoo answered, for the trail. */
  answers?: readonly object[];
}

/** One order of an Odoo is closed at a time: who asked first, and still asks, has the turn. */
export interface ClosingLedger {
  /**
   * Asks for the turn, goes on asking, or prolongs it.
   * @param odoo which Odoo, named alike by every Node-RED
   * @param owner who asks: one closing
   * @param ttlMs how long the turn lasts, `waitMs` how long a place in the line, unless it is asked again
   * @returns whether it is this owner's turn
   */
  ask(odoo: string, owner: string, ttlMs: number, waitMs: number): Promise<boolean>;
  /** Gives the turn, or the place in the line, up. */
  leave(owner: string): Promise<void>;
}

export interface PushLedger {
  readonly closings: ClosingLedger;
  /**
   * Takes the row for a while, by the database's clock, and returns it fresh; or says why not.
   * @param purpose 'push': unconfirmed values; 'finish': those, and completed orders that are still open; 'manual': always
   * @param byHand what a call by hand is about to send: on the row, unsettled, before it is sent; of a completed batch only
   *   when it is meant to correct one
   * @returns `pending_call`: what was unsettled before; `pending_ms`: since when (ms, negative after a clock was set back)
   */
  lease(
    which: { id: string } | { mo_id: string },
    purpose: 'push' | 'finish' | 'manual',
    ttlMs: number,
    byHand?: { call: CallByHand; completed: boolean },
  ): Promise<
    { batch: Batch & { pending_ms?: number | null }; owner: string } | { refused: LeaseRefusal; batch?: Batch }
  >;
  /** Prolongs a lease; false: it is lost. */
  renew(id: string, owner: string, ttlMs: number): Promise<boolean>;
  /** Stores what came of it and ends the lease; null: the lease was lost, only the event is stored. */
  settle(batch: Batch, owner: string, settlement: Settlement): Promise<Batch | null>;
  /** Ends a lease under which nothing was sent; a call by hand is unsettled no more. */
  release(id: string, owner: string, call?: Pick<Settlement, 'given' | 'earlier'>): Promise<void>;
  /** The row as it stands; null: it is not in the queue. */
  current(id: string): Promise<Batch | null>;
  /**
   * Stores what is known by now of unsettled calls: what arrived goes into the row. The lease goes on.
   * @param reason in words, for the trail
   * @returns the row; null: the lease is lost
   */
  settleCalls(
    batch: Batch,
    owner: string,
    known: { settled: CallByHand; arrived: CallByHand },
    reason: string,
  ): Promise<Batch | null>;
  /**
   * Saves what a person sent and Odoo confirmed, where no reading wrote another value meanwhile. null: nothing was saved,
   * because the lease was lost or a reading completed the batch meanwhile; the row is told to Odoo again.
   */
  saveManual(
    batch: Batch,
    owner: string,
    values: Omit<CallByHand, 'mark_done'> & { completed?: boolean },
    settlement: Settlement,
  ): Promise<Batch | null>;
}
