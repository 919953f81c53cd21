/**
 * Pushes: lease, deliver, settle. The row is sent, never the message; without a database only manual calls push.
 */
import { actualWeights, type Batch, plannedWeights } from '../domain/batch';
import { CONCLUSIONS, type Concluded, needsDecision, pauseBeforeRetry } from '../domain/conclusion';
import { concluded } from '../domain/answer';
import type { ManualRequest } from '../domain/manual-request';
import type { LeaseRefusal, PushLedger, Settlement } from '../domain/push-ledger';
import type { SiloMap, SiloWeights } from '../domain/silos';
import type { OdooClient } from './client';
import { Delivery, type DeliveryOptions, type Delivered } from './delivery';
import type { Limiter } from './limiter';

/** A lease covers so many timeouts, so that one call can always end before it does. */
const LEASE_TIMEOUTS = 4;

export interface PushResult extends Concluded {
  mo_id: string;
  id?: string;
  batch_no?: number;
  /** Nothing was sent, because… */
  skipped?: LeaseRefusal;
  planned?: SiloWeights;
  sent?: SiloWeights;
  confirmed?: SiloWeights;
  /** The order was read back as done. */
  done?: boolean;
  next_attempt_at?: Date | null;
  set_aside?: boolean;
  /** Whether the outcome is in the database. */
  db_saved: boolean;
}

/** The lease was lost or ran too short: the delivery stops before its next call. */
class LeaseLost extends Error {}

const SKIPPED: Record<LeaseRefusal, string> = {
  'not-queued': 'not in the queue',
  'set-aside': 'set aside: retry it or archive it',
  leased: 'another push of this order is running',
  'not-due': 'waiting for its next attempt',
  'already-confirmed': 'already confirmed',
  'nothing-to-send': 'no reading yet',
};

export class PushService {
  readonly #client: OdooClient;
  readonly #limiter: Limiter;
  readonly #silos: SiloMap;
  readonly #options: DeliveryOptions;
  readonly #signal: AbortSignal | undefined;

  constructor(client: OdooClient, limiter: Limiter, silos: SiloMap, options: DeliveryOptions, signal?: AbortSignal) {
    this.#client = client;
    this.#limiter = limiter;
    this.#silos = silos;
    this.#options = options;
    this.#signal = signal;
  }

  /** Pushes one row if it is due; with `markDone` also closes its order when it is completed. */
  process(ledger: PushLedger, which: { id: string } | { mo_id: string }, markDone: boolean): Promise<PushResult> {
    return this.#limiter.run(async () => {
      const leased = await ledger.lease(which, markDone ? 'finish' : 'push', this.#ttl);
      if ('refused' in leased) return this.#skipped(which, leased.refused, leased.batch);
      const { batch, owner } = leased;
      const known = batch.confirmed_revision === batch.revision;
      const weights = actualWeights(batch);
      const delivered = await this.#deliver(ledger, batch, owner, (delivery) =>
        markDone && batch.status_manufacturing
          ? delivery.finish(batch, weights, known)
          : delivery.deliver(batch.mo_id, weights, {
              finished: batch.actual_weight_quantity_finished_goods ?? undefined,
              known,
            }),
      );
      const settled = await ledger.settle(batch, owner, this.#settlement(batch, delivered));
      return {
        ...result(batch, delivered),
        db_saved: settled !== null,
        next_attempt_at: settled?.next_attempt_at ?? null,
        set_aside: settled?.set_aside_at != null,
      };
    });
  }

  /** A correction by hand: Odoo first, the database after Odoo has confirmed. */
  async manual(ledger: PushLedger | null, request: ManualRequest): Promise<PushResult & { locked?: boolean; warning?: string }> {
    const leased = ledger ? await ledger.lease({ mo_id: request.mo_id }, 'manual', this.#ttl) : { refused: 'not-queued' as const };
    if ('refused' in leased) {
      if (leased.refused !== 'not-queued') return { ...this.#skipped(request, leased.refused, leased.batch), conclusion: 'busy' };
      const warning = ledger ? 'MO not in the database' : 'no database: save skipped';
      const delivered = await this.#limiter.run(() => this.#manualDelivery(this.#delivery(async () => undefined), request, null));
      return { mo_id: request.mo_id, ...delivered, done: delivered.done !== undefined, db_saved: false, warning };
    }
    const { batch, owner } = leased;
    if (batch.status_manufacturing && !request.correct_completed) {
      await ledger?.release(batch.id, owner);
      const reason = 'the batch is completed (locked); "correct_completed": true corrects Odoo and row together';
      return { ...this.#skipped(request, 'already-confirmed', batch), ...concluded('bad-value', reason), locked: true, db_saved: false };
    }
    const store = ledger as PushLedger;
    const delivered = await this.#limiter.run(() =>
      this.#deliver(store, batch, owner, (delivery) => this.#manualDelivery(delivery, request, batch)),
    );
    if (delivered.conclusion !== 'confirmed') {
      // A part may have arrived: the row is told again, whatever it was before. Its pause and set-aside stay its own.
      const { pauseMs: _, ...settlement } = this.#settlement(batch, delivered);
      await store.settle(batch, owner, { ...settlement, setAside: false, doubt: delivered.answers.length > 0 });
      return { ...result(batch, delivered), db_saved: false };
    }
    return this.#saveManual(store, batch, owner, request, delivered);
  }

  async #saveManual(
    store: PushLedger,
    batch: Batch,
    owner: string,
    request: ManualRequest,
    delivered: Delivered,
  ): Promise<PushResult & { warning?: string }> {
    const values = {
      ...(request.consumption ? { consumption: request.consumption } : {}),
      ...(request.finished ? { finished: request.finished } : {}),
      ...(request.markDone ? { completed: true } : {}),
    };
    try {
      const saved = await store.saveManual(batch, owner, values, this.#settlement(batch, delivered));
      if (saved) return { ...result(batch, delivered), db_saved: true };
      return { ...result(batch, delivered), db_saved: false, warning: 'the row was taken over by another push: it is pushed again' };
    } catch (error) {
      const warning = `saving for ${batch.mo_id} failed, the row is marked for the next push: ${(error as Error).message}`;
      return { ...result(batch, delivered), db_saved: false, warning };
    }
  }

  async #manualDelivery(delivery: Delivery, request: ManualRequest, batch: Batch | null): Promise<Delivered> {
    const { mo_id, consumption = {}, finished, markDone } = request;
    if (!markDone) return delivery.deliver(mo_id, consumption, { finished });
    // Values of the row that Odoo has not confirmed are pushed first.
    const weights = { ...(batch ? actualWeights(batch) : {}), ...consumption };
    const completed = { mo_id, actual_weight_quantity_finished_goods: finished ?? null, equipment_id_batch: '' };
    return delivery.finish({ ...batch, ...completed, equipment_id_batch: batch?.equipment_id_batch ?? '' } as Batch, weights, false);
  }

  get #ttl(): number {
    return this.#client.session.timeoutMs * LEASE_TIMEOUTS;
  }

  #delivery(beforeCall: () => Promise<void>): Delivery {
    return new Delivery(this.#client, this.#silos, this.#options, beforeCall, this.#signal);
  }

  /** Runs a delivery under a lease: renewed while more than two timeouts of it may still be needed. */
  async #deliver(ledger: PushLedger, batch: Batch, owner: string, work: (delivery: Delivery) => Promise<Delivered>): Promise<Delivered> {
    const timeout = this.#client.session.timeoutMs;
    let until = performance.now() + this.#ttl;
    const beforeCall = async (): Promise<void> => {
      if (this.#signal?.aborted) throw new LeaseLost('closing');
      const asked = performance.now();
      if (until - asked > 2 * timeout) return;
      if (!(await ledger.renew(batch.id, owner, this.#ttl))) throw new LeaseLost('the lease ran out');
      until = asked + this.#ttl;
    };
    try {
      return await work(this.#delivery(beforeCall));
    } catch (error) {
      if (!(error instanceof LeaseLost)) throw error;
      return { ...concluded('unknown-outcome', `stopped before the next call: ${error.message}`), answers: [] };
    }
  }

  #settlement(batch: Batch, delivered: Delivered): Settlement {
    const { conclusion, reason, sent, confirmed, done, answers } = delivered;
    const setAside = needsDecision(conclusion);
    const retry = CONCLUSIONS[conclusion].consequence === 'retry';
    return {
      conclusion,
      reason,
      setAside,
      cancelled: conclusion === 'order-cancelled',
      ...(retry ? { pauseMs: pauseBeforeRetry(conclusion, batch.attempts) } : {}),
      ...(sent ? { sent } : {}),
      ...(confirmed ? { confirmed } : {}),
      ...(done ? { done } : {}),
      answers,
    };
  }

  #skipped(which: { id?: string; mo_id?: string }, refused: LeaseRefusal, batch?: Batch): PushResult {
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
}

const result = (batch: Batch, { conclusion, reason, sent, confirmed, done }: Delivered): Omit<PushResult, 'db_saved'> => ({
  mo_id: batch.mo_id,
  id: batch.id,
  batch_no: batch.batch_no,
  conclusion,
  reason,
  planned: plannedWeights(batch),
  ...(sent ? { sent } : {}),
  ...(confirmed ? { confirmed } : {}),
  done: done !== undefined,
});
