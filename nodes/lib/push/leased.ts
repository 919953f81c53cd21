/**
 * What every push does under a lease: take no longer than it lasts, and renew it. Both the pushes of rows and the corrections
 * by hand stand on it.
 */
import type { Batch } from '../domain/batch';
import { concluded } from '../domain/conclusion';
import type { PushLedger } from '../domain/ledger';
import type { OdooOrders } from '../domain/odoo-orders';
import type { SiloMap } from '../domain/silos';
import type { Turn } from './closing-turn';
import { Delivery, type DeliveryOptions } from './delivery';
import type { Delivered } from './outcome';

/** A lease covers so many timeouts, so that one call can always end before it does. */
const LEASE_TIMEOUTS = 4;
/** With so many timeouts left or fewer it is renewed: one for the call, one for whatever this machine does meanwhile. */
const RENEW_BELOW = 2;

export interface Lease {
  batch: Batch & { pending_ms?: number | null };
  owner: string;
}

/** The lease was lost or ran too short: the delivery stops before its next call. */
export class LeaseLost extends Error {}

/** Under what a delivery runs. */
export interface Under {
  ledger: PushLedger;
  lease: Lease;
  /** When the lease was asked for, so that it never ends earlier than it is thought to (performance.now(), ms). */
  asked: number;
  /** The turn to close orders, which is kept in the same way. */
  turn?: Turn | undefined;
  /** Aborted: the node closes. */
  signal?: AbortSignal | undefined;
}

export class Leased {
  readonly #orders: OdooOrders;
  readonly silos: SiloMap;
  readonly #options: DeliveryOptions;

  constructor(orders: OdooOrders, silos: SiloMap, options: DeliveryOptions) {
    this.#orders = orders;
    this.silos = silos;
    this.#options = options;
  }

  /** Which Odoo it goes to. */
  get place(): string {
    return this.#orders.place;
  }

  /** How long a lease is asked for (ms). */
  get ttl(): number {
    return this.timeoutMs * LEASE_TIMEOUTS;
  }

  /** Limit of one call, and how long a person waits for a turn (ms). */
  get timeoutMs(): number {
    return this.#orders.timeoutMs;
  }

  /** @param beforeSend awaited before every request; throwing ends the delivery */
  delivery(signal?: AbortSignal, beforeSend?: () => Promise<void>): Delivery {
    const call = { ...(signal ? { signal } : {}), ...(beforeSend ? { beforeSend } : {}) };
    return new Delivery(this.#orders, this.silos, this.#options, call);
  }

  /**
   * Runs a delivery under a lease, which is renewed when a request could outlast it: none starts with less than two
   * timeouts left, so none is under way when another may take the row. A plain push needs no renewal.
   * @returns undefined: it was stopped before anything went out, so nothing has changed in Odoo
   */
  async deliver(under: Under, work: (delivery: Delivery) => Promise<Delivered>): Promise<Delivered | undefined> {
    const delivery = this.delivery(under.signal, this.#renewer(under));
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

  /** Renews what would run out under the next request. @throws LeaseLost */
  #renewer({ ledger, lease, asked, turn, signal }: Under): () => Promise<void> {
    const { ttl } = this;
    const needed = RENEW_BELOW * this.timeoutMs;
    let until = asked + ttl;
    let turnUntil = turn?.until ?? Infinity;
    return async () => {
      if (signal?.aborted) throw new LeaseLost('the node is closing');
      const now = performance.now();
      if (until - now <= needed) {
        const renewed = await ledger.renew(lease.batch.id, lease.owner, ttl).catch(unrenewed);
        if (!renewed) throw new LeaseLost('the lease ran out');
        until = now + ttl;
      }
      if (turnUntil - now <= needed) {
        if (!(await turn?.renew().catch(unrenewed))) throw new LeaseLost('the turn to close it ran out');
        turnUntil = now + ttl;
      }
    };
  }
}

/** A database that cannot be asked: whoever keeps the row, it is not certain that it is this one. */
const unrenewed = ({ message }: Error): never => {
  throw new LeaseLost(`the lease could not be renewed (${message})`);
};
