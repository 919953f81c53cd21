/**
 * Corrections by hand: Odoo first, the database after Odoo has confirmed; without a database, Odoo alone. What a call is about
 * to send is on the row before it is sent, and stays there until it is known what became of it.
 */
import { type Batch, type CallByHand, plannedWeights } from '../domain/batch';
import { concluded, type Conclusion } from '../domain/conclusion';
import { wholeSet } from '../domain/consumption';
import { callOf, type ManualRequest, notInRow, overlaps, without } from '../domain/correction';
import type { PushLedger, Settlement } from '../domain/ledger';
import type { Turn } from './closing-turn';
import { type Delivery, type Delivered, wentOut } from './delivery';
import { type Lease, type Leased, type PushResult, result, skipped } from './leased';
import { leftAlone, settleCalls } from './unsettled';

/** What a correction comes to that is in Odoo, but not in the database. */
const UNSETTLED = 'the row is marked for the next push, which leaves what this call sent alone: repeat the call';

/** After these, Odoo may hold what was sent, in part or whole; any other answer refuses it. */
const MAY_HOLD: readonly Conclusion[] = ['confirmed', 'partial', 'unavailable', 'unknown-outcome'];

/** What came of a correction. */
export type CorrectionResult = PushResult & { locked?: boolean; warning?: string };

export class Correction {
  readonly #leased: Leased;

  constructor(leased: Leased) {
    this.#leased = leased;
  }

  /** @throws what the database throws before anything was sent */
  async manual(ledger: PushLedger | null, request: ManualRequest, turn?: Turn): Promise<CorrectionResult> {
    if (!ledger) return this.#withoutRow(request, 'no database: save skipped');
    const asked = performance.now();
    const { mo_id, correct_completed: completed } = request;
    const call = callOf(request);
    const taken = await ledger.lease({ mo_id }, 'manual', this.#leased.ttl, { call, completed });
    if ('refused' in taken) {
      if (taken.refused === 'not-queued') return this.#withoutRow(request, 'MO not in the database');
      return { ...skipped(request, taken.refused, taken.batch), conclusion: 'busy', db_saved: false };
    }
    const { batch, owner } = taken;
    if (batch.status_manufacturing && !completed) {
      await ledger.release(batch.id, owner);
      return locked(request, batch);
    }
    const earlier = batch.pending_call ?? null;
    const lease: Lease = { owner, batch: { ...batch, pending_call: without(earlier, call) } };
    const delivered = await this.#leased.deliver(
      ledger,
      lease,
      asked,
      (delivery) => this.#bring(delivery, request, { ledger, lease }),
      turn,
    );
    const undo = { given: call, earlier };
    if (!delivered) {
      await ledger.release(batch.id, owner, undo);
      const reason = 'nothing was sent, its turn came too late: repeat the call';
      return { ...skipped(request, 'too-late', batch), reason };
    }
    if (delivered.conclusion === 'confirmed') return this.#save(ledger, lease, call, delivered);
    return this.#unconfirmed(ledger, lease, delivered, undo);
  }

  /** Corrects Odoo alone. */
  async #withoutRow(request: ManualRequest, warning: string): Promise<CorrectionResult> {
    const delivered = told(await this.#bring(this.#leased.delivery(), request));
    if (delivered.conclusion === 'unknown-outcome') delivered.reason += ': repeat the call';
    return { mo_id: request.mo_id, ...delivered, done: delivered.done !== undefined, db_saved: false, warning };
  }

  async #bring(
    delivery: Delivery,
    request: ManualRequest,
    row?: { ledger: PushLedger; lease: Lease },
  ): Promise<Delivered> {
    const { mo_id, consumption = {}, finished, markDone } = request;
    const off = Object.keys(consumption).filter((tag) => !this.#leased.silos.byTag(tag));
    if (off.length > 0) {
      const reason = `${off.join(', ')}: switched off in the silo-map: switch it on and repeat the call`;
      return { ...concluded('bad-value', reason), answers: [] };
    }
    if (!markDone) {
      const batch = row?.lease.batch;
      // Of an order without a row nobody knows what was told before: Odoo is asked.
      const before = batch ? (batch.sent_finished ?? batch.actual_weight_quantity_finished_goods ?? 0) : Infinity;
      return delivery.deliver(batch ?? { mo_id }, consumption, {
        unique: true,
        planned: batch ? plannedWeights(batch) : {},
        ...(finished === undefined ? {} : { finished, finishedBefore: before }),
      });
    }
    if (row) {
      const { ledger, lease } = row;
      const ended = await settleCalls(delivery, ledger, lease, { timeoutMs: this.#leased.timeoutMs, closing: true });
      if (ended) return ended;
      // Closing it now would make for good what nobody knows.
      if (lease.batch.pending_call) return leftAlone(lease.batch.pending_call, lease);
    }
    // Values of the row that Odoo has not confirmed are pushed first.
    const batch = row?.lease.batch;
    const weighed = finished ?? batch?.actual_weight_quantity_finished_goods ?? null;
    // Who closes it by hand has decided, however little was weighed.
    const decided = { close_anyway: batch?.revision ?? null };
    const closing = { ...batch, ...decided, mo_id, actual_weight_quantity_finished_goods: weighed } as Batch;
    return delivery.finish(closing, { ...(batch ? wholeSet(batch) : {}), ...consumption }, false);
  }

  /** Saves what Odoo confirmed. What is not in the row afterwards is named. */
  async #save(
    ledger: PushLedger,
    { batch, owner }: Lease,
    call: CallByHand,
    delivered: Delivered,
  ): Promise<CorrectionResult> {
    const { mark_done: completed = false, ...values } = call;
    const outcome = result(batch, delivered);
    try {
      const settlement = this.#leased.settlement(batch, delivered);
      const saved = await ledger.saveManual(batch, owner, { ...values, completed }, settlement);
      const row = saved ?? (await ledger.current(batch.id));
      const missing = row ? notInRow(call, row) : ['the row has left the queue'];
      if (missing.length === 0) return { ...outcome, db_saved: true };
      const kept = row?.pending_call && overlaps(row.pending_call, call);
      const next = kept ? UNSETTLED : 'the row keeps its own value, which the next push puts into Odoo';
      return { ...outcome, db_saved: false, warning: `the row changed meanwhile, ${missing.join('; ')}: ${next}` };
    } catch (error) {
      const warning = `saving for ${batch.mo_id} failed, ${UNSETTLED} (${(error as Error).message})`;
      return { ...outcome, db_saved: false, warning };
    }
  }

  /** The row's pause and set-aside stay its own; what may have arrived stays unsettled. */
  async #unconfirmed(
    ledger: PushLedger,
    { batch, owner }: Lease,
    delivered: Delivered,
    undo: Pick<Settlement, 'given' | 'earlier'>,
  ): Promise<CorrectionResult> {
    const outcome = { ...result(batch, told(delivered)), db_saved: false };
    try {
      if (!wentOut(delivered.answers)) {
        await ledger.release(batch.id, owner, undo);
        return outcome;
      }
      const { pauseMs: _, ...settlement } = this.#leased.settlement(batch, delivered);
      const mayHold = delivered.answers.some(({ conclusion, unsent }) => !unsent && MAY_HOLD.includes(conclusion));
      await ledger.settle(batch, owner, {
        ...{ ...settlement, setAside: false, doubt: true },
        ...(mayHold ? {} : undo),
      });
      if (!mayHold) return outcome;
      const reason = `${outcome.reason}; until it is settled, the pushes leave it alone: repeat the call`;
      return { ...outcome, reason };
    } catch (error) {
      // The row has it all the same: it was written before the call.
      return { ...outcome, warning: `noting it for ${batch.mo_id} failed (${(error as Error).message})` };
    }
  }
}

/** A delivery as it is told: what never went out was not sent. */
function told(answered: Delivered): Delivered {
  const delivered = { ...answered };
  if (delivered.conclusion === 'confirmed' || wentOut(delivered.answers)) return delivered;
  const { sent: _, sentFinished: __, ...unsent } = delivered;
  return unsent;
}

const locked = (request: ManualRequest, batch: Batch): CorrectionResult => ({
  ...skipped(request, 'already-confirmed', batch),
  ...concluded(
    'bad-value',
    'the batch is completed (locked); "correct_completed": true corrects Odoo and row together',
  ),
  locked: true,
  db_saved: false,
});
