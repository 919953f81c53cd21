/**
 * Pushes: lease, deliver, settle. The row is sent, never the message.
 */
import { gotNoAnswer, plannedWeights } from '../domain/batch';
import { wholeSet } from '../domain/consumption';
import type { PushLedger } from '../domain/ledger';
import type { SiloMap } from '../domain/silos';
import type { OdooClient } from '../odoo/client';
import type { ManualRequest } from '../domain/correction';
import { Correction, type CorrectionResult } from './correction';
import type { DeliveryOptions, Delivered } from './delivery';
import { type Lease, Leased, type PushResult, result, skipped } from './leased';
import type { Limiter } from './limiter';

export type { PushResult } from './leased';

export class PushService {
  readonly #limiter: Limiter;
  readonly #leased: Leased;

  constructor(client: OdooClient, limiter: Limiter, silos: SiloMap, options: DeliveryOptions, signal?: AbortSignal) {
    this.#limiter = limiter;
    this.#leased = new Leased(client, silos, options, signal);
  }

  /**
   * Pushes one row if it is due; with `markDone` also closes its order when it is completed.
   * @throws the signal's reason when it was aborted before the row had its turn: nothing was sent
   */
  async process(ledger: PushLedger, which: { id: string } | { mo_id: string }, markDone: boolean): Promise<PushResult> {
    const turn = { signal: this.#leased.signal };
    // The database is told outside of the turn: Odoo does not wait for that.
    const sent = await this.#limiter.withRow(() => this.#send(ledger, which, markDone), turn);
    if ('skipped' in sent) return sent.skipped;
    const { lease, delivered, began } = sent;
    const { batch, owner } = lease;
    const settled = await ledger.settle(batch, owner, this.#leased.settlement(batch, delivered));
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
    const lease = await ledger.lease(which, markDone ? 'finish' : 'push', this.#leased.ttl);
    if ('refused' in lease) return { skipped: skipped(which, lease.refused, lease.batch) };
    const { batch, owner } = lease;
    const known = batch.confirmed_revision === batch.revision;
    const weights = wholeSet(batch);
    const finished = batch.actual_weight_quantity_finished_goods ?? 0;
    let began = 0;
    const deliver = (): Promise<Delivered | undefined> => {
      began = performance.now();
      return this.#leased.deliver(ledger, lease, asked, (delivery) =>
        markDone && batch.status_manufacturing
          ? delivery.finish(batch, weights, known)
          : delivery.deliver(batch, weights, {
              ...{ finished, known, planned: plannedWeights(batch), before: batch.sent_consumption ?? {} },
              everSent: batch.ever_sent,
              // Final values are worth a look, whoever closes the order: a call given up on may have come in between.
              ...(batch.status_manufacturing ? { readBack: true } : {}),
            }),
      );
    };
    const delivered = await this.#limiter
      .run(deliver, { signal: this.#leased.signal, slow: gotNoAnswer(batch) })
      .catch(async (error: unknown) => {
        if (began === 0) await ledger.release(batch.id, owner);
        throw error;
      });
    if (delivered) return { lease, delivered, began };
    // Nothing was sent: the row is given back as it was.
    await ledger.release(batch.id, owner);
    return { skipped: skipped(which, 'too-late', batch) };
  }

  /**
   * A correction by hand, before whatever waits; without a database Odoo alone.
   * @throws the signal's reason when it was aborted before the call had its turn: nothing was sent
   */
  manual(ledger: PushLedger | null, request: ManualRequest): Promise<CorrectionResult> {
    const correct = (): Promise<CorrectionResult> => new Correction(this.#leased).manual(ledger, request);
    return this.#limiter.run(correct, { urgent: true, signal: this.#leased.signal });
  }
}
