/**
 * Pushes: lease, deliver, settle. The row is sent, never the message.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { type Batch, gotNoAnswer, plannedWeights } from '../domain/batch';
import { wholeSet } from '../domain/consumption';
import { type ManualRequest, unaffected } from '../domain/correction';
import type { PushLedger } from '../domain/ledger';
import type { SiloMap } from '../domain/silos';
import type { OdooClient } from '../odoo/client';
import { Correction, type CorrectionResult } from './correction';
import { inTurn, type Turn } from './closing-turn';
import type { Delivery, DeliveryOptions, Delivered } from './delivery';
import { type Lease, Leased, type PushResult, result, skipped } from './leased';
import type { Limiter } from './limiter';
import { leftAlone, settleCalls } from './unsettled';

export type { PushResult } from './leased';

/** What came of one lease: nothing was sent, or this. */
type Sent = { skipped: PushResult; batch?: Batch } | { lease: Lease; delivered: Delivered; began: number };

/** The same in the database: the row as it is now, where it is known. */
interface Passed {
  result: PushResult;
  batch?: Batch;
  /** Pause before the next attempt (ms). */
  pauseMs?: number;
}

export class PushService {
  readonly #limiter: Limiter;
  readonly #leased: Leased;

  constructor(client: OdooClient, limiter: Limiter, silos: SiloMap, options: DeliveryOptions, signal?: AbortSignal) {
    this.#limiter = limiter;
    this.#leased = new Leased(client, silos, options, signal);
  }

  /**
   * Pushes one row if it is due; with `markDone` also closes its order when it is completed: told side by side with others,
   * closed one after the other.
   * @throws the signal's reason when it was aborted before the row had its turn: nothing was sent
   */
  async process(ledger: PushLedger, which: { id: string } | { mo_id: string }, markDone: boolean): Promise<PushResult> {
    const told = await this.#pass(ledger, which, 'push');
    if (!markDone || !told.batch || !isOpen(told.result, told.batch)) return told.result;
    for (;;) {
      const closed = await this.#close(ledger, told.batch);
      const { conclusion, next_attempt_at, set_aside } = closed.result;
      if (conclusion !== 'collided' || !next_attempt_at || set_aside) return closed.result;
      await pauseFor(closed.pauseMs, this.#leased.signal);
      if (this.#leased.signal?.aborted) return closed.result;
    }
  }

  /** Closes a completed row's order, when no other one of this Odoo is being closed. */
  async #close(ledger: PushLedger, batch: Batch): Promise<Passed> {
    const { ttl, place, signal } = this.#leased;
    const turn = { ttlMs: ttl, signal };
    const sent = await inTurn(this.#limiter, ledger.closings, place, turn, async (turn) => ({
      turn,
      sent: await this.#send(ledger, { id: batch.id }, 'finish', turn),
    }));
    if (!sent) return { result: skipped(batch, 'closings', batch), batch };
    const passed = await this.#settle(ledger, sent.sent);
    return { ...passed, result: { ...passed.result, waited: sent.turn.waited / 1000 } };
  }

  async #pass(
    ledger: PushLedger,
    which: { id: string } | { mo_id: string },
    purpose: 'push' | 'finish',
  ): Promise<Passed> {
    return this.#settle(ledger, await this.#send(ledger, which, purpose));
  }

  /** Stores what came of it; no turn is held for that: Odoo does not wait for the database. */
  async #settle(ledger: PushLedger, sent: Sent): Promise<Passed> {
    if ('skipped' in sent) return { result: sent.skipped, ...(sent.batch ? { batch: sent.batch } : {}) };
    const { lease, delivered, began } = sent;
    const { batch, owner } = lease;
    const settlement = this.#leased.settlement(batch, delivered);
    const settled = await ledger.settle(batch, owner, settlement);
    const set_aside = settled?.set_aside_at != null;
    return {
      ...(settled ? { batch: settled } : {}),
      ...(settlement.pauseMs === undefined ? {} : { pauseMs: settlement.pauseMs }),
      result: {
        ...result(batch, delivered),
        ...(set_aside && settled.set_aside_reason ? { reason: settled.set_aside_reason } : {}),
        seconds: (performance.now() - began) / 1000,
        db_saved: settled !== null,
        next_attempt_at: settled?.next_attempt_at ?? null,
        set_aside,
      },
    };
  }

  /** Leases a row and brings it to Odoo, or tells why not. With the turn to close orders it closes this one. */
  #send(
    ledger: PushLedger,
    which: { id: string } | { mo_id: string },
    purpose: 'push' | 'finish',
    turn?: Turn,
  ): Promise<Sent> {
    // Who has the turn has waited for it, and others wait for who has it.
    const waiting = { signal: this.#leased.signal, urgent: turn !== undefined };
    return this.#limiter.withRow(async () => {
      const asked = performance.now();
      const lease = await ledger.lease(which, purpose, this.#leased.ttl);
      if ('refused' in lease) {
        const { refused, batch } = lease;
        return { skipped: skipped(which, refused, batch), ...(batch ? { batch } : {}) };
      }
      const { id } = lease.batch;
      let began = 0;
      const deliver = (): Promise<Delivered | undefined> => {
        began = performance.now();
        const closing = purpose === 'finish';
        return this.#leased.deliver(ledger, lease, asked, (on) => this.#bring(on, ledger, lease, closing), turn);
      };
      const delivered = await this.#limiter
        .run(deliver, { ...waiting, slow: gotNoAnswer(lease.batch) })
        .catch(async (error: unknown) => {
          if (began === 0) await ledger.release(id, lease.owner);
          throw error;
        });
      if (delivered) return { lease, delivered, began };
      // Nothing was sent: the row is given back as it was.
      await ledger.release(id, lease.owner);
      return { skipped: skipped(which, 'too-late', lease.batch) };
    }, waiting);
  }

  /** Brings what the row holds to Odoo, but for what calls by hand left unsettled there. */
  async #bring(delivery: Delivery, ledger: PushLedger, lease: Lease, markDone: boolean): Promise<Delivered> {
    const { timeoutMs } = this.#leased;
    const ended = await settleCalls(delivery, ledger, lease, {
      timeoutMs,
      closing: lease.batch.status_manufacturing,
    });
    if (ended) return ended;
    const { batch } = lease;
    const { pending_call = null } = batch;
    const known = batch.confirmed_revision === batch.revision;
    const weights = unaffected(wholeSet(batch), pending_call);
    if (markDone && batch.status_manufacturing && !pending_call) return delivery.finish(batch, weights, known);
    const untold = pending_call?.finished !== undefined;
    const delivered = await delivery.deliver(batch, weights, {
      ...{ everSent: batch.ever_sent, confirmed: batch.confirmed_consumption ?? {} },
      ...{ known, planned: plannedWeights(batch), before: batch.sent_consumption ?? {} },
      ...(untold
        ? {}
        : { finished: batch.actual_weight_quantity_finished_goods ?? 0, finishedBefore: batch.sent_finished ?? 0 }),
      // Final values are worth a look, whoever closes the order: a call given up on may have come in between.
      ...(batch.status_manufacturing ? { readBack: true, unique: !known } : {}),
    });
    return pending_call && delivered.conclusion === 'confirmed' ? leftAlone(pending_call, lease, delivered) : delivered;
  }

  /**
   * A correction by hand, before whatever waits; without a database Odoo alone. One that closes has its turn first.
   * @throws the signal's reason when it was aborted before the call had its turn: nothing was sent
   */
  async manual(ledger: PushLedger | null, request: ManualRequest): Promise<CorrectionResult> {
    const { ttl, place, signal, patience } = this.#leased;
    const waiting = { urgent: true, signal };
    const correct = (turn?: Turn): Promise<CorrectionResult> =>
      this.#limiter.run(() => new Correction(this.#leased).manual(ledger, request, turn), waiting);
    if (!request.markDone) return correct();
    const options = { ...waiting, ttlMs: ttl, longest: patience };
    const corrected = await inTurn(this.#limiter, ledger?.closings ?? null, place, options, correct);
    return corrected ?? { ...skipped(request, 'closings'), reason: 'other orders are being closed: repeat the call' };
  }
}

/** Whether a row has all its values in Odoo, is completed, and its order is still to be closed. */
const isOpen = ({ conclusion }: PushResult, batch: Batch): boolean =>
  conclusion === 'confirmed' && batch.status_manufacturing && batch.update_odoo && batch.done_readback === null;

/** A pause that ends when the node closes. */
const pauseFor = (ms = 0, signal?: AbortSignal): Promise<void> =>
  delay(ms, undefined, signal ? { signal } : {}).catch(() => undefined);
