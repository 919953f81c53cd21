/**
 * Pushes: lease, deliver, settle. The row is sent, never the message.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { type Batch, gotNoAnswer, plannedWeights } from '../domain/batch';
import { wholeSet } from '../domain/consumption';
import { type ManualRequest, unaffected } from '../domain/correction';
import type { PushLedger } from '../domain/ledger';
import type { OdooOrders } from '../domain/odoo-orders';
import type { SiloMap } from '../domain/silos';
import { inTurn, type Turn } from './closing-turn';
import { Correction } from './correction';
import type { Delivery, DeliveryOptions } from './delivery';
import { type Lease, Leased } from './leased';
import type { Limiter } from './limiter';
import type { Delivered, Named, NotSent, Outcome, Skipped, Tried } from './outcome';
import { settlementOf } from './settlement';
import { leftAlone, settleCalls } from './unsettled';

/** One push of one row. */
interface Push {
  ledger: PushLedger;
  named: Named;
  /** Aborted: the node closes. */
  signal: AbortSignal | undefined;
}

/** What was brought to Odoo under a lease, and when that began. */
interface Sent {
  lease: Lease;
  delivered: Delivered;
  began: number;
}

export class PushService {
  readonly #limiter: Limiter;
  readonly #leased: Leased;
  readonly #correction: Correction;

  constructor(orders: OdooOrders, limiter: Limiter, silos: SiloMap, options: DeliveryOptions) {
    this.#limiter = limiter;
    this.#leased = new Leased(orders, silos, options);
    this.#correction = new Correction(this.#leased);
  }

  /**
   * Pushes one row if it is due; with `markDone` also closes its order when it is completed: told side by side with others,
   * closed one after the other.
   * @throws the signal's reason when it was aborted before the row had its turn: nothing was sent
   */
  async process(ledger: PushLedger, named: Named, markDone: boolean, signal?: AbortSignal): Promise<Outcome> {
    const push = { ledger, named, signal };
    const told = await this.#settle(push, await this.#send(push));
    const row = markDone ? openRow(told) : undefined;
    if (!row) return told;
    for (;;) {
      const closed = await this.#close({ ...push, named: { id: row.id, mo_id: row.mo_id } }, row);
      const pauseMs = repeatAfter(closed);
      if (pauseMs === undefined) return closed;
      await pauseFor(pauseMs, signal);
      if (signal?.aborted) return closed;
    }
  }

  /** Closes a completed row's order, when no other one of this Odoo is being closed. */
  async #close(push: Push, batch: Batch): Promise<Outcome> {
    const { ttl, place } = this.#leased;
    const options = { ttlMs: ttl, signal: push.signal };
    const ended = await inTurn(this.#limiter, push.ledger.closings, place, options, async (turn) => ({
      waited: turn.waited / 1000,
      sent: await this.#send(push, turn),
    }));
    if (!ended) return skip(push, 'closings', batch);
    // No turn is held while it is stored: Odoo does not wait for the database.
    const outcome = await this.#settle(push, ended.sent);
    return outcome.kind === 'tried' ? { ...outcome, waited: ended.waited } : outcome;
  }

  async #settle({ ledger, named, signal }: Push, sent: Sent | Skipped): Promise<Skipped | Tried> {
    if ('kind' in sent) return sent;
    const { lease, delivered, began } = sent;
    const { batch, owner } = lease;
    const settlement = settlementOf(batch, delivered, signal);
    const row = await ledger.settle(batch, owner, settlement);
    const { pauseMs } = settlement;
    const seconds = (performance.now() - began) / 1000;
    const kept: Tried['kept'] = row
      ? { saved: true, row, ...(pauseMs === undefined ? {} : { pauseMs }) }
      : { saved: false, why: 'lease-lost' };
    return { kind: 'tried', named, batch, delivered, kept, seconds };
  }

  /** Leases a row and brings it to Odoo, or tells why not. With the turn to close orders it closes this one. */
  #send(push: Push, turn?: Turn): Promise<Sent | Skipped> {
    const { ledger, named, signal } = push;
    // Who has the turn has waited for it, and others wait for who has it.
    const waiting = { signal, urgent: turn !== undefined };
    return this.#limiter.withRow(async () => {
      const asked = performance.now();
      const lease = await ledger.lease(rowOf(named), turn ? 'finish' : 'push', this.#leased.ttl);
      if ('refused' in lease) return skip(push, lease.refused, lease.batch);
      const { id } = lease.batch;
      let began = 0;
      const deliver = (): Promise<Delivered | undefined> => {
        began = performance.now();
        const under = { ledger, lease, asked, turn, signal };
        return this.#leased.deliver(under, (on) => this.#bring(on, ledger, lease, turn !== undefined));
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
      return skip(push, 'too-late', lease.batch);
    }, waiting);
  }

  /** Brings what the row holds to Odoo, but for what calls by hand left unsettled there. */
  async #bring(delivery: Delivery, ledger: PushLedger, lease: Lease, markDone: boolean): Promise<Delivered> {
    const { timeoutMs } = this.#leased;
    const closing = lease.batch.status_manufacturing;
    const ended = await settleCalls(delivery, ledger, lease, { timeoutMs, closing });
    if (ended) return ended;
    const { batch } = lease;
    const { pending_call = null } = batch;
    const known = batch.confirmed_revision === batch.revision;
    const weights = unaffected(wholeSet(batch), pending_call);
    if (markDone && batch.status_manufacturing && !pending_call) {
      const anyway = batch.close_anyway !== null && batch.close_anyway === batch.revision;
      return delivery.finish(batch, weights, known, anyway);
    }
    const untold = pending_call?.finished !== undefined;
    const delivered = await delivery.deliver(batch, weights, {
      ...{ everSent: batch.ever_sent, confirmed: batch.confirmed_consumption ?? {} },
      ...{ known, planned: plannedWeights(batch), before: batch.sent_consumption ?? {} },
      ...(untold
        ? {}
        : { finished: batch.actual_weight_quantity_finished_goods ?? 0, finishedBefore: batch.sent_finished ?? 0 }),
      // Final values are worth a look, whoever closes the order: a call given up on may have come in between.
      ...(batch.status_manufacturing ? { readBack: true, final: !known } : {}),
    });
    return pending_call && delivered.conclusion === 'confirmed'
      ? leftAlone(pending_call, lease, this.#leased.silos, delivered)
      : delivered;
  }

  /**
   * A correction by hand, before whatever waits; without a database Odoo alone. One that closes has its turn first.
   * @throws the signal's reason when it was aborted before the call had its turn: nothing was sent
   */
  async manual(ledger: PushLedger | null, request: ManualRequest, signal?: AbortSignal): Promise<Outcome> {
    const waiting = { urgent: true, signal };
    const correct = (turn?: Turn): Promise<Outcome> =>
      this.#limiter.run(() => this.#correction.manual(ledger, request, { turn, signal }), waiting);
    if (!request.markDone) return correct();
    const { ttl, place, timeoutMs } = this.#leased;
    // A person waits as long as for one answer.
    const options = { ...waiting, ttlMs: ttl, longest: timeoutMs };
    const corrected = await inTurn(this.#limiter, ledger?.closings ?? null, place, options, correct);
    return corrected ?? { kind: 'skipped', named: { mo_id: request.mo_id }, byHand: true, why: 'closings' };
  }
}

/** By its id where it is known: of one order there may be several rows. */
const rowOf = ({ id, mo_id }: Named): { id: string } | { mo_id: string } => (id === undefined ? { mo_id } : { id });

const skip = ({ named }: Pick<Push, 'named'>, why: NotSent, batch?: Batch): Skipped => ({
  ...{ kind: 'skipped', named, why },
  ...(batch ? { batch } : {}),
});

/** The row of a push that has all its values in Odoo and is completed, while its order is still to be closed. */
function openRow(outcome: Skipped | Tried): Batch | undefined {
  const confirmed =
    outcome.kind === 'skipped' ? outcome.why === 'already-confirmed' : outcome.delivered.conclusion === 'confirmed';
  const row = outcome.kind === 'skipped' ? outcome.batch : outcome.kept.saved ? outcome.kept.row : undefined;
  return confirmed && row?.status_manufacturing && row.update_odoo && row.done_readback === null ? row : undefined;
}

/** How soon a closing that met another one is repeated in this very run (ms); undefined: it is not. */
function repeatAfter(outcome: Outcome): number | undefined {
  if (outcome.kind !== 'tried' || outcome.delivered.conclusion !== 'collided' || !outcome.kept.saved) return undefined;
  const { row, pauseMs = 0 } = outcome.kept;
  return row?.next_attempt_at && row.set_aside_at === null ? pauseMs : undefined;
}

/** A pause that ends when the node closes. */
const pauseFor = (ms: number, signal?: AbortSignal): Promise<void> =>
  delay(ms, undefined, signal ? { signal } : {}).catch(() => undefined);
