/**
 * Corrections by hand: Odoo first, the database after Odoo has confirmed; without a database, Odoo alone.
 */
import { type Batch, plannedWeights } from '../domain/batch';
import { wholeSet } from '../domain/consumption';
import type { PushLedger } from '../domain/ledger';
import { concluded } from '../odoo/answer';
import type { ManualRequest } from '../domain/correction';
import type { Turn } from './closing-turn';
import type { Delivery, Delivered } from './delivery';
import { Leased, type PushResult, result, skipped } from './leased';

/** What a correction that is in Odoo, but not in the database, comes to. */
const UNDONE = 'the row is marked for the next push, which puts its own values back into Odoo: repeat the call';

/** What came of a correction. */
export type CorrectionResult = PushResult & { locked?: boolean; warning?: string };

export class Correction {
  readonly #leased: Leased;

  constructor(leased: Leased) {
    this.#leased = leased;
  }

  async manual(ledger: PushLedger | null, request: ManualRequest, turn?: Turn): Promise<CorrectionResult> {
    const asked = performance.now();
    const leased = ledger ? await ledger.lease({ mo_id: request.mo_id }, 'manual', this.#leased.ttl) : undefined;
    if (!ledger || !leased || ('refused' in leased && leased.refused === 'not-queued')) {
      const warning = ledger ? 'MO not in the database' : 'no database: save skipped';
      const delivered = await this.#manualDelivery(this.#leased.delivery(), request, null);
      return { mo_id: request.mo_id, ...delivered, done: delivered.done !== undefined, db_saved: false, warning };
    }
    if ('refused' in leased) return { ...skipped(request, leased.refused, leased.batch), conclusion: 'busy' };
    const { batch, owner } = leased;
    if (batch.status_manufacturing && !request.correct_completed) {
      await ledger.release(batch.id, owner);
      const reason = 'the batch is completed (locked); "correct_completed": true corrects Odoo and row together';
      return {
        ...skipped(request, 'already-confirmed', batch),
        ...concluded('bad-value', reason),
        locked: true,
        db_saved: false,
      };
    }
    const delivered = await this.#leased.deliver(
      ledger,
      leased,
      asked,
      (delivery) => this.#manualDelivery(delivery, request, batch),
      turn,
    );
    if (!delivered) {
      await ledger.release(batch.id, owner);
      return {
        ...skipped(request, 'too-late', batch),
        reason: 'nothing was sent, its turn came too late: repeat the call',
      };
    }
    if (delivered.conclusion === 'confirmed') return this.#saveManual(ledger, batch, owner, request, delivered);
    // A part may have arrived: the row is told again, whatever it was before. Its pause and set-aside stay its own.
    const { pauseMs: _, ...settlement } = this.#leased.settlement(batch, delivered);
    await ledger.settle(batch, owner, { ...settlement, setAside: false, doubt: delivered.answers.length > 0 });
    return { ...result(batch, delivered), db_saved: false };
  }

  async #saveManual(
    store: PushLedger,
    batch: Batch,
    owner: string,
    request: ManualRequest,
    delivered: Delivered,
  ): Promise<CorrectionResult> {
    const values = {
      ...(request.consumption ? { consumption: request.consumption } : {}),
      ...(request.finished ? { finished: request.finished } : {}),
      ...(request.markDone ? { completed: true } : {}),
    };
    try {
      const saved = await store.saveManual(batch, owner, values, this.#leased.settlement(batch, delivered));
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
      return delivery.deliver(batch ?? { mo_id }, consumption, {
        finished: finished ?? 0,
        unique: true,
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
}
