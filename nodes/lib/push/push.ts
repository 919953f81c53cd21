/**
 * Pushes: lease, deliver, settle. The row is sent, never the message; without a database only manual calls push.
 */
import { type Batch, plannedWeights } from '../domain/batch';
import { wholeSet } from '../domain/consumption';
import { CONCLUSIONS, type Concluded, needsDecision, pauseBeforeRetry } from '../domain/conclusion';
import { concluded } from '../odoo/answer';
import type { ManualRequest } from '../../odoo-push-consumption/manual-api';
import type { LeaseRefusal, PushLedger, Settlement } from '../domain/ledger';
import type { SiloMap, SiloWeights } from '../domain/silos';
import type { OdooClient } from '../odoo/client';
import { Delivery, type DeliveryOptions, type Delivered } from './delivery';
import type { Limiter } from './limiter';

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
  /** From its turn to its outcome in the database. */
  seconds?: number;
  /** Whether the outcome is in the database. */
  db_saved: boolean;
}

interface Lease {
  batch: Batch;
  owner: string;
}

/** The lease was lost or ran too short: the delivery stops before its next call. */
class LeaseLost extends Error {}

/** What a correction that is in Odoo, but not in the database, comes to. */
const UNDONE = 'the row is marked for the next push, which puts its own values back into Odoo: repeat the call';

/** 'too-late': the lease ran out, or the node closed, before the first call. */
type NotSent = LeaseRefusal | 'too-late';

const SKIPPED: Record<NotSent, string> = {
  'not-queued': 'not in the queue',
  'set-aside': 'set aside: retry it or archive it',
  leased: 'another push of this order is running or about to, or another program holds its row locked',
  'not-due': 'waiting for its next attempt',
  'already-confirmed': 'already confirmed',
  'nothing-to-send': 'no reading yet',
  'too-late': 'its turn came too late: it waits for the next one',
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

  /**
   * Pushes one row if it is due; with `markDone` also closes its order when it is completed.
   * @throws the signal's reason when it was aborted before the row had its turn: nothing was sent
   */
  async process(ledger: PushLedger, which: { id: string } | { mo_id: string }, markDone: boolean): Promise<PushResult> {
    const turn = { signal: this.#signal };
    // The database is told outside of the turn: Odoo does not wait for that.
    const sent = await this.#limiter.withRow(() => this.#send(ledger, which, markDone), turn);
    if ('skipped' in sent) return sent.skipped;
    const { lease, delivered, began } = sent;
    const { batch, owner } = lease;
    const settled = await ledger.settle(batch, owner, this.#settlement(batch, delivered));
    return {
      ...result(batch, delivered),
      seconds: (performance.now() - began) / 1000,
      db_saved: settled !== null,
      next_attempt_at: settled?.next_attempt_at ?? null,
      set_aside: settled?.set_aside_at != null,
    };
  }

  /** Leases a row and brings it to Odoo, or tells why not. */
  async #send(
    ledger: PushLedger,
    which: { id: string } | { mo_id: string },
    markDone: boolean,
  ): Promise<{ skipped: PushResult } | { lease: Lease; delivered: Delivered; began: number }> {
    const asked = performance.now();
    const lease = await ledger.lease(which, markDone ? 'finish' : 'push', this.#ttl);
    if ('refused' in lease) return { skipped: this.#skipped(which, lease.refused, lease.batch) };
    const { batch, owner } = lease;
    const known = batch.confirmed_revision === batch.revision;
    const weights = wholeSet(batch);
    const finished = batch.actual_weight_quantity_finished_goods ?? 0;
    let began = 0;
    const deliver = (): Promise<Delivered | undefined> => {
      began = performance.now();
      return this.#deliver(ledger, lease, asked, (delivery) =>
        markDone && batch.status_manufacturing
          ? delivery.finish(batch, weights, known)
          : delivery.deliver(batch.mo_id, weights, {
              ...{ finished, known, planned: plannedWeights(batch), before: batch.sent_consumption ?? {} },
              // Final values are worth a look, whoever closes the order: a call given up on may have come in between.
              ...(batch.status_manufacturing ? { readBack: true } : {}),
            }),
      );
    };
    const delivered = await this.#limiter.run(deliver, { signal: this.#signal }).catch(async (error: unknown) => {
      if (began === 0) await ledger.release(batch.id, owner);
      throw error;
    });
    if (delivered) return { lease, delivered, began };
    // Nothing was sent: the row is given back as it was.
    await ledger.release(batch.id, owner);
    return { skipped: this.#skipped(which, 'too-late', batch) };
  }

  /** A correction by hand: Odoo first, the database after Odoo has confirmed. */
  manual(
    ledger: PushLedger | null,
    request: ManualRequest,
  ): Promise<PushResult & { locked?: boolean; warning?: string }> {
    const correct = async (): Promise<PushResult & { locked?: boolean; warning?: string }> => {
      const asked = performance.now();
      const leased = ledger ? await ledger.lease({ mo_id: request.mo_id }, 'manual', this.#ttl) : undefined;
      if (!ledger || !leased || ('refused' in leased && leased.refused === 'not-queued')) {
        const warning = ledger ? 'MO not in the database' : 'no database: save skipped';
        const delivered = await this.#manualDelivery(this.#delivery(), request, null);
        return { mo_id: request.mo_id, ...delivered, done: delivered.done !== undefined, db_saved: false, warning };
      }
      if ('refused' in leased) return { ...this.#skipped(request, leased.refused, leased.batch), conclusion: 'busy' };
      const { batch, owner } = leased;
      if (batch.status_manufacturing && !request.correct_completed) {
        await ledger.release(batch.id, owner);
        const reason = 'the batch is completed (locked); "correct_completed": true corrects Odoo and row together';
        return {
          ...this.#skipped(request, 'already-confirmed', batch),
          ...concluded('bad-value', reason),
          locked: true,
          db_saved: false,
        };
      }
      const delivered = await this.#deliver(ledger, leased, asked, (delivery) =>
        this.#manualDelivery(delivery, request, batch),
      );
      if (!delivered) {
        await ledger.release(batch.id, owner);
        return {
          ...this.#skipped(request, 'too-late', batch),
          reason: 'nothing was sent, its turn came too late: repeat the call',
        };
      }
      if (delivered.conclusion === 'confirmed') return this.#saveManual(ledger, batch, owner, request, delivered);
      // A part may have arrived: the row is told again, whatever it was before. Its pause and set-aside stay its own.
      const { pauseMs: _, ...settlement } = this.#settlement(batch, delivered);
      await ledger.settle(batch, owner, { ...settlement, setAside: false, doubt: delivered.answers.length > 0 });
      return { ...result(batch, delivered), db_saved: false };
    };
    return this.#limiter.run(correct, { urgent: true, signal: this.#signal });
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
      return {
        ...result(batch, delivered),
        db_saved: false,
        warning: `the row changed meanwhile and was not saved: ${UNDONE}`,
      };
    } catch (error) {
      const warning = `saving for ${batch.mo_id} failed, ${UNDONE} (${(error as Error).message})`;
      return { ...result(batch, delivered), db_saved: false, warning };
    }
  }

  async #manualDelivery(delivery: Delivery, request: ManualRequest, batch: Batch | null): Promise<Delivered> {
    const { mo_id, consumption = {}, finished, markDone } = request;
    if (!markDone)
      return delivery.deliver(mo_id, consumption, {
        finished: finished ?? 0,
        planned: batch ? plannedWeights(batch) : {},
      });
    // Values of the row that Odoo has not confirmed are pushed first.
    const weights = { ...(batch ? wholeSet(batch) : {}), ...consumption };
    const weighed = finished ?? batch?.actual_weight_quantity_finished_goods ?? null;
    return delivery.finish(
      { ...batch, mo_id, actual_weight_quantity_finished_goods: weighed } as Batch,
      weights,
      false,
    );
  }

  get #ttl(): number {
    return this.#client.session.timeoutMs * LEASE_TIMEOUTS;
  }

  #delivery(beforeSend?: () => Promise<void>): Delivery {
    const call = { ...(this.#signal ? { signal: this.#signal } : {}), ...(beforeSend ? { beforeSend } : {}) };
    return new Delivery(this.#client, this.#silos, this.#options, call);
  }

  /**
   * Runs a delivery under a lease, which is renewed when a request could outlast it: none starts with less than two
   * timeouts left, so none is under way when another may take the row. A plain push needs no renewal.
   * @param asked when the lease was asked for, so that it never ends earlier than it is thought to (performance.now(), ms)
   * @returns undefined: it was stopped before anything was answered, so nothing has changed in Odoo
   */
  async #deliver(
    ledger: PushLedger,
    { batch, owner }: Lease,
    asked: number,
    work: (delivery: Delivery) => Promise<Delivered>,
  ): Promise<Delivered | undefined> {
    let until = asked + this.#ttl;
    const delivery = this.#delivery(async () => {
      if (this.#signal?.aborted) throw new LeaseLost('the node is closing');
      const now = performance.now();
      if (until - now > RENEW_BELOW * this.#client.session.timeoutMs) return;
      if (!(await ledger.renew(batch.id, owner, this.#ttl))) throw new LeaseLost('the lease ran out');
      until = now + this.#ttl;
    });
    try {
      return await work(delivery);
    } catch (error) {
      if (!(error instanceof LeaseLost)) throw error;
      if (delivery.answers.length === 0) return undefined;
      return {
        ...concluded('unknown-outcome', `stopped before the next call: ${error.message}`),
        answers: delivery.answers,
      };
    }
  }

  #settlement(batch: Batch, delivered: Delivered): Settlement {
    const { conclusion, reason, sent, confirmed, done, answers } = delivered;
    const setAside = needsDecision(conclusion);
    // A call given up because the node closes says nothing about Odoo: the row is due again at once.
    const pause = CONCLUSIONS[conclusion].consequence === 'retry' && !this.#signal?.aborted;
    return {
      conclusion,
      reason,
      setAside,
      cancelled: conclusion === 'order-cancelled',
      ...(pause ? { pauseMs: pauseBeforeRetry(conclusion, batch.attempts) } : {}),
      ...(sent ? { sent } : {}),
      ...(confirmed ? { confirmed } : {}),
      ...(done ? { done } : {}),
      answers,
    };
  }

  #skipped(which: { id?: string; mo_id?: string }, refused: NotSent, batch?: Batch): PushResult {
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

const result = (
  batch: Batch,
  { conclusion, reason, sent, confirmed, done }: Delivered,
): Omit<PushResult, 'db_saved'> => ({
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
