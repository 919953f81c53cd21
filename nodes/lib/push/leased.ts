/**
 * What every push does under a lease: take no longer than it lasts, renew it, and tell what came of it. Both the pushes of
 * rows and the corrections by hand stand on it.
 */
import { type Batch, plannedWeights } from '../domain/batch';
import {
  CONCLUSIONS,
  type Concluded,
  concluded,
  type Conclusion,
  needsDecision,
  pauseAfterCollision,
  pauseBeforeRetry,
} from '../domain/conclusion';
import type { LeaseRefusal, PushLedger, Settlement } from '../domain/ledger';
import type { SiloMap, SiloWeights } from '../domain/silos';
import type { OdooClient } from '../odoo/client';
import { LONGEST_WAIT, type Turn } from './closing-turn';
import { Delivery, type DeliveryOptions, type Delivered } from './delivery';

/** A lease covers so many timeouts, so that one call can always end before it does. */
const LEASE_TIMEOUTS = 4;
/** With so many timeouts left or fewer it is renewed: one for the call, one for whatever this machine does meanwhile. */
const RENEW_BELOW = 2;

export interface PushResult extends Concluded {
  mo_id: string;
  id?: string;
  batch_no?: number;
  /** Nothing was sent, because… */
  skipped?: NotSent;
  planned?: SiloWeights;
  sent?: SiloWeights;
  confirmed?: SiloWeights;
  /** The order was read back as done. */
  done?: boolean;
  next_attempt_at?: Date | null;
  set_aside?: boolean;
  /** From its turn to its outcome in the database, without the wait for its turn to be closed. */
  seconds?: number;
  /** Figures of somebody else that stood in Odoo and were overwritten, in words. */
  overwritten?: string;
  /** Seconds that its closing waited for others of the same Odoo. */
  waited?: number;
  /** Whether the outcome is in the database. */
  db_saved: boolean;
}

export interface Lease {
  batch: Batch & { pending_ms?: number | null };
  owner: string;
}

/** The lease was lost or ran too short: the delivery stops before its next call. */
export class LeaseLost extends Error {}

/** 'too-late': the lease ran out, or the node closed, before the first call; 'closings': others were closed meanwhile. */
type NotSent = LeaseRefusal | 'too-late' | 'closings';

const SKIPPED: Record<NotSent, string> = {
  'not-queued': 'not in the queue',
  'set-aside': 'set aside: retry it or archive it',
  leased: 'another push of this order is running or about to, or another program holds its row locked',
  locked: 'another program holds its row locked, perhaps an open transaction in an SQL tool: end it, then try again',
  'not-due': 'waiting for its next attempt',
  'already-confirmed': 'already confirmed',
  'nothing-to-send': 'no reading yet',
  'too-late': 'its turn came too late: it waits for the next one',
  closings: `other orders of this Odoo were being closed for ${LONGEST_WAIT / 60_000} minutes: the next run closes it`,
};

export class Leased {
  readonly #client: OdooClient;
  readonly silos: SiloMap;
  readonly #options: DeliveryOptions;
  readonly signal: AbortSignal | undefined;

  constructor(client: OdooClient, silos: SiloMap, options: DeliveryOptions, signal?: AbortSignal) {
    this.#client = client;
    this.silos = silos;
    this.#options = options;
    this.signal = signal;
  }

  /** Which Odoo it goes to. */
  get place(): string {
    return this.#client.session.place;
  }

  /** How long a person waits for a turn: as long as for one answer (ms). */
  get patience(): number {
    return this.#client.session.timeoutMs;
  }

  /** How long a lease is asked for (ms). */
  get ttl(): number {
    return this.timeoutMs * LEASE_TIMEOUTS;
  }

  /** Limit of one call (ms). */
  get timeoutMs(): number {
    return this.#client.session.timeoutMs;
  }

  /** @param beforeSend awaited before every request; throwing ends the delivery */
  delivery(beforeSend?: () => Promise<void>): Delivery {
    const call = { ...(this.signal ? { signal: this.signal } : {}), ...(beforeSend ? { beforeSend } : {}) };
    return new Delivery(this.#client, this.silos, this.#options, call);
  }

  /**
   * Runs a delivery under a lease, which is renewed when a request could outlast it: none starts with less than two
   * timeouts left, so none is under way when another may take the row. A plain push needs no renewal.
   * @param asked when the lease was asked for, so that it never ends earlier than it is thought to (performance.now(), ms)
   * @param turn to close orders, which is kept in the same way
   * @returns undefined: it was stopped before anything went out, so nothing has changed in Odoo
   */
  async deliver(
    ledger: PushLedger,
    { batch, owner }: Lease,
    asked: number,
    work: (delivery: Delivery) => Promise<Delivered>,
    turn?: Turn,
  ): Promise<Delivered | undefined> {
    let until = asked + this.ttl;
    let turnUntil = turn?.until ?? Infinity;
    const delivery = this.delivery(async () => {
      if (this.signal?.aborted) throw new LeaseLost('the node is closing');
      const now = performance.now();
      const needed = RENEW_BELOW * this.timeoutMs;
      if (until - now <= needed) {
        const renewed = await ledger.renew(batch.id, owner, this.ttl).catch(unrenewed);
        if (!renewed) throw new LeaseLost('the lease ran out');
        until = now + this.ttl;
      }
      if (turnUntil - now <= needed) {
        if (!(await turn?.renew().catch(unrenewed))) throw new LeaseLost('the turn to close it ran out');
        turnUntil = now + this.ttl;
      }
    });
    try {
      return await work(delivery);
    } catch (error) {
      if (!(error instanceof LeaseLost)) throw error;
      if (!delivery.wentOut) return undefined;
      return {
        ...concluded('unknown-outcome', `stopped before the next call: ${error.message}`),
        answers: delivery.answers,
      };
    }
  }

  /** What came of a delivery, as it is stored. */
  settlement(batch: Batch, delivered: Delivered): Settlement {
    const { conclusion, reason, sent, sentFinished, confirmed, done, order, answers } = delivered;
    const setAside = needsDecision(conclusion);
    // A call given up because the node closes says nothing about Odoo: the row is due again at once.
    const pause = CONCLUSIONS[conclusion].consequence === 'retry' && !this.signal?.aborted;
    return {
      conclusion,
      reason,
      setAside,
      cancelled: conclusion === 'order-cancelled',
      ...(pause ? { pauseMs: pauseOf(conclusion, batch) } : {}),
      ...(sent ? { sent } : {}),
      ...(sentFinished === undefined ? {} : { sentFinished }),
      ...(confirmed ? { confirmed } : {}),
      // Beside what is unsettled nothing is proven.
      ...(conclusion === 'unsettled' ? { wholeRow: false } : done ? { done } : {}),
      ...(order ? { order } : {}),
      answers,
    };
  }
}

const pauseOf = (conclusion: Conclusion, { attempts, closing_collisions }: Batch): number =>
  conclusion === 'collided' ? pauseAfterCollision(closing_collisions) : pauseBeforeRetry(conclusion, attempts);

/** A database that cannot be asked: whoever keeps the row, it is not certain that it is this one. */
const unrenewed = ({ message }: Error): never => {
  throw new LeaseLost(`the lease could not be renewed (${message})`);
};

/** Nothing was sent, because… */
export function skipped(which: { id?: string; mo_id?: string }, refused: NotSent, batch?: Batch): PushResult {
  const confirmed = refused === 'already-confirmed';
  return {
    mo_id: batch?.mo_id ?? which.mo_id ?? '',
    ...(batch ? { id: batch.id, batch_no: batch.batch_no, done: batch.done_readback !== null } : {}),
    conclusion: confirmed ? 'confirmed' : 'busy',
    reason: SKIPPED[refused],
    skipped: refused,
    db_saved: confirmed,
  };
}

/** What came of a delivery, as it is told. */
export const result = (
  batch: Batch,
  { conclusion, reason, sent, confirmed, done, overwritten }: Delivered,
): Omit<PushResult, 'db_saved'> => ({
  mo_id: batch.mo_id,
  id: batch.id,
  batch_no: batch.batch_no,
  conclusion,
  reason,
  planned: plannedWeights(batch),
  ...(sent ? { sent } : {}),
  ...(confirmed ? { confirmed } : {}),
  ...(overwritten ? { overwritten } : {}),
  done: done !== undefined,
});
