/**
 * Corrections by hand: Odoo first, the database after Odoo has confirmed; without a database, Odoo alone. What a call is about
 * to send is on the row before it is sent, and stays there until it is known what became of it.
 */
import { type CallByHand, plannedWeights } from '../domain/batch';
import { concluded, type Conclusion } from '../domain/conclusion';
import { wholeSet } from '../domain/consumption';
import { callOf, type ManualRequest, notInRow, overlaps, without } from '../domain/correction';
import type { PushLedger, Settlement } from '../domain/ledger';
import type { SiloMap } from '../domain/silos';
import type { Turn } from './closing-turn';
import type { Delivery } from './delivery';
import type { Lease, Leased } from './leased';
import { type Delivered, type Kept, type NotSent, type Outcome, type Skipped, type Tried, wentOut } from './outcome';
import { settlementOf } from './settlement';
import { leftAlone, settleCalls } from './unsettled';

/** After these, Odoo may hold what was sent, in part or whole; any other answer refuses it. */
const MAY_HOLD: readonly Conclusion[] = ['confirmed', 'partial', 'unavailable', 'unknown-outcome'];

/** One call by hand for a row that is leased for it. */
interface Call {
  ledger: PushLedger;
  lease: Lease;
  given: CallByHand;
  /** What takes the call back from the row, where nothing of it can be in Odoo. */
  undo: Pick<Settlement, 'given' | 'earlier'>;
  silos: SiloMap;
  signal: AbortSignal | undefined;
}

export class Correction {
  readonly #leased: Leased;

  constructor(leased: Leased) {
    this.#leased = leased;
  }

  /** @throws what the database throws before anything was sent */
  async manual(
    ledger: PushLedger | null,
    request: ManualRequest,
    { turn, signal }: { turn?: Turn | undefined; signal?: AbortSignal | undefined },
  ): Promise<Outcome> {
    if (!ledger) return this.#withoutRow(request, 'no-database', signal);
    const asked = performance.now();
    const { mo_id, correct_completed: completed } = request;
    const given = callOf(request);
    const taken = await ledger.lease({ mo_id }, 'manual', this.#leased.ttl, { call: given, completed });
    if ('refused' in taken) {
      if (taken.refused === 'not-queued') return this.#withoutRow(request, 'not-queued', signal);
      return skip(request, taken.refused, taken.batch);
    }
    const { batch, owner } = taken;
    if (batch.status_manufacturing && !completed) {
      await ledger.release(batch.id, owner);
      return skip(request, 'completed', batch);
    }
    const earlier = batch.pending_call ?? null;
    const lease: Lease = { owner, batch: { ...batch, pending_call: without(earlier, given) } };
    const call: Call = { ledger, lease, given, undo: { given, earlier }, silos: this.#leased.silos, signal };
    const delivered = await this.#leased.deliver({ ledger, lease, asked, turn, signal }, (delivery) =>
      request.markDone ? this.#close(delivery, request, call) : this.#correct(delivery, request, call),
    );
    if (!delivered) {
      await ledger.release(batch.id, owner, call.undo);
      return skip(request, 'too-late', batch);
    }
    const kept = await (delivered.conclusion === 'confirmed' ? save(call, delivered) : note(call, delivered));
    return { ...tried(request, delivered, kept), batch: lease.batch };
  }

  /** Corrects Odoo alone. */
  async #withoutRow(request: ManualRequest, why: 'no-database' | 'not-queued', signal?: AbortSignal): Promise<Tried> {
    const delivery = this.#leased.delivery(signal);
    const delivered = await (request.markDone ? this.#close(delivery, request) : this.#correct(delivery, request));
    return tried(request, delivered, { saved: false, why });
  }

  async #correct(delivery: Delivery, request: ManualRequest, call?: Call): Promise<Delivered> {
    const { mo_id, consumption = {}, finished } = request;
    const off = this.#switchedOff(request);
    if (off) return off;
    const batch = call?.lease.batch;
    // Of an order without a row nobody knows what was told before: Odoo is asked.
    const before = batch ? (batch.sent_finished ?? batch.actual_weight_quantity_finished_goods ?? 0) : Infinity;
    return delivery.deliver(batch ?? { mo_id }, consumption, {
      final: true,
      planned: batch ? plannedWeights(batch) : {},
      ...(finished === undefined ? {} : { finished, finishedBefore: before }),
    });
  }

  async #close(delivery: Delivery, request: ManualRequest, call?: Call): Promise<Delivered> {
    const { mo_id, consumption = {}, finished } = request;
    const off = this.#switchedOff(request);
    if (off) return off;
    if (!call) {
      const order = { mo_id, actual_weight_quantity_finished_goods: finished ?? null };
      return delivery.finish(order, consumption, false, false);
    }
    const { ledger, lease } = call;
    const ended = await settleCalls(delivery, ledger, lease, { timeoutMs: this.#leased.timeoutMs, closing: true });
    if (ended) return ended;
    const { batch } = lease;
    // Closing it now would make for good what nobody knows.
    if (batch.pending_call) return leftAlone(batch.pending_call, lease, delivery.silos);
    const weighed = finished ?? batch.actual_weight_quantity_finished_goods;
    // Values of the row that Odoo has not confirmed are pushed first. Who closes it by hand has decided, however little was
    // weighed.
    const whole = { ...wholeSet(batch), ...consumption };
    return delivery.finish({ ...batch, actual_weight_quantity_finished_goods: weighed }, whole, false, true);
  }

  #switchedOff({ consumption = {} }: ManualRequest): Delivered | undefined {
    const { silos } = this.#leased;
    const off = Object.keys(consumption).filter((tag) => !silos.byTag(tag));
    if (off.length === 0) return undefined;
    const reason = `${off.map((tag) => silos.name(tag)).join(', ')}: switched off in the silo-map: switch it on and repeat the call`;
    return { ...concluded('bad-value', reason), answers: [] };
  }
}

/** Saves what Odoo confirmed. What is not in the row afterwards is named. */
async function save({ ledger, lease, given, silos, signal }: Call, delivered: Delivered): Promise<Kept> {
  const { batch, owner } = lease;
  const { mark_done: completed = false, ...values } = given;
  try {
    const settlement = settlementOf(batch, delivered, signal);
    const saved = await ledger.saveManual(batch, owner, { ...values, completed }, settlement);
    const row = saved ?? (await ledger.current(batch.id));
    const missing = row ? notInRow(given, row, silos) : ['the row has left the queue'];
    if (missing.length === 0) return { saved: true, ...(row ? { row } : {}) };
    const left = Boolean(row?.pending_call && overlaps(row.pending_call, given));
    return { saved: false, why: 'overtaken', missing, left };
  } catch (error) {
    return { saved: false, why: 'save-failed', problem: (error as Error).message };
  }
}

/** The row's pause and set-aside stay its own; what may have arrived stays unsettled. */
async function note({ ledger, lease, undo, signal }: Call, delivered: Delivered): Promise<Kept> {
  const { batch, owner } = lease;
  try {
    if (!wentOut(delivered.answers)) {
      await ledger.release(batch.id, owner, undo);
      return { saved: false, why: 'not-confirmed' };
    }
    const { pauseMs: _, ...settlement } = settlementOf(batch, delivered, signal);
    const mayHold = delivered.answers.some(({ conclusion, unsent }) => !unsent && MAY_HOLD.includes(conclusion));
    const taken = mayHold ? {} : undo;
    await ledger.settle(batch, owner, { ...settlement, setAside: false, doubt: true, ...taken });
    return { saved: false, why: mayHold ? 'unsettled' : 'not-confirmed' };
  } catch (error) {
    // The row has it all the same: it was written before the call.
    return { saved: false, why: 'note-failed', problem: (error as Error).message };
  }
}

const tried = ({ mo_id }: ManualRequest, delivered: Delivered, kept: Kept): Tried => ({
  ...{ kind: 'tried', named: { mo_id }, byHand: true, delivered: sentOnly(delivered), kept },
});

const skip = ({ mo_id }: ManualRequest, why: NotSent, batch?: Skipped['batch']): Skipped => ({
  ...{ kind: 'skipped', named: { mo_id }, byHand: true, why },
  ...(batch ? { batch } : {}),
});

/** What never went out was not sent. */
function sentOnly(delivered: Delivered): Delivered {
  if (delivered.conclusion === 'confirmed' || wentOut(delivered.answers)) return delivered;
  const { sent: _, sentFinished: __, ...unsent } = delivered;
  return unsent;
}
