/**
 * Brings one set of values into one order and, when asked, closes it; ends with what Odoo really holds. Knows nothing of
 * leases: `beforeSend` is asked before every request and ends the delivery by throwing.
 */
import { type Batch, plannedWeights } from '../domain/batch';
import { type Concluded, concluded } from '../domain/conclusion';
import {
  type Consignment,
  consign,
  describe,
  type Difference,
  differences,
  finishedQuantity,
  foreignFigures,
  type NoFinishedWeight,
} from '../domain/consumption';
import { nameInOdoo, type OrderKey } from '../domain/order';
import type { SiloMap, SiloWeights } from '../domain/silos';
import { roundForOdoo, sameForOdoo } from '../domain/weight';
import { OdooError } from '../domain/odoo-orders';
import type { OdooClient } from '../odoo/client';
import type { CallOptions } from '../odoo/session';
import { close, type ClosingOptions } from './closing';
import { type Delivered, type Goal, isNothing, type OrderState, Visit, type VisitOptions } from './visit';

export type { Delivered, OrderState } from './visit';
export { wentOut } from './visit';

export interface DeliveryOptions extends ClosingOptions, VisitOptions {
  /** Read the stock moves back after every push, not only where zeros or closing ask for it. */
  readBack: boolean;
  noFinishedWeight: NoFinishedWeight;
}

export const DELIVERY_DEFAULTS: DeliveryOptions = {
  readBack: false,
  closeWarning: true,
  closeStrict: false,
  minFinishedShare: 90,
  minWeighedShare: 1,
  bookUnweighed: true,
  noFinishedWeight: 'set-aside',
  unreserve: false,
};

interface DeliverOptions {
  finished?: number;
  known?: boolean;
  planned?: SiloWeights;
  before?: SiloWeights;
  everSent?: SiloWeights | null;
  confirmed?: SiloWeights;
  readBack?: boolean;
  unique?: boolean;
  finishedBefore?: number;
}

/** How often a set is sent when the read-back shows something else: a late commit of a call given up on can undo one. */
const MOST_SENDS = 2;

export class Delivery {
  readonly #silos: SiloMap;
  readonly #options: DeliveryOptions;
  readonly #visit: Visit;

  /** @param call how every call is made; `beforeSend` may end the delivery by throwing (a lost lease) */
  constructor(client: OdooClient, silos: SiloMap, options: DeliveryOptions, call: CallOptions = {}) {
    this.#silos = silos;
    this.#options = options;
    this.#visit = new Visit(client, silos, options, call);
  }

  /** What was answered so far, for a delivery that is ended from outside. */
  get answers(): ({ call: string } & Concluded)[] {
    return this.#visit.answers;
  }

  /** Whether anything was asked of Odoo that could change something there. */
  get wentOut(): boolean {
    return this.#visit.wentOut;
  }

  /**
   * @param key the order; one without an id is looked for by its name, which no other may have
   * @param weights kg per silo, the whole set that has to be in Odoo
   * @param finished kg of finished goods so far, undefined or 0: not told
   * @param known Odoo has confirmed exactly this set before: nothing is sent unless a read-back disagrees
   * @param planned kg per silo when the order was queued: its stock moves have to name these silos
   * @param before kg per silo that were sent earlier
   * @param everSent silos that may hold something in Odoo: only their zeros need a proof; null: any may
   * @param confirmed kg per silo that Odoo confirmed last: other figures there are somebody else's
   * @param unique look first whether the order is the only one of its name: the addon's routes take a name
   * @param finishedBefore kg of finished goods that were sent earlier: 0 has to take them back, which an update cannot
   */
  async deliver(key: OrderKey, weights: SiloWeights, options: DeliverOptions = {}): Promise<Delivered> {
    const { finished, known = false, planned = {}, before = {}, everSent = null, finishedBefore = 0 } = options;
    const { readBack = this.#options.readBack, unique = false } = options;
    this.#visit.moId = key.mo_id;
    this.#visit.order = { id: key.odoo_id ?? undefined, name: nameInOdoo(key) };
    const { consignment, refused } = consign(weights, this.#silos, before);
    if (refused !== undefined) return this.#visit.result(concluded('bad-value', refused));
    const goal: Goal = { moId: key.mo_id, consignment, quantity: roundForOdoo(finished) || undefined, planned };
    return this.#visit.attempt(goal, async () => {
      if (unique || this.#visit.order.id === undefined) {
        if (!(await this.#visit.find())) return this.#visit.unknown(goal);
      }
      if (!known) {
        const update = await this.#visit.update(goal);
        if (update.conclusion !== 'confirmed') return this.#visit.refused(goal, update);
        if (finished === 0 && finishedBefore > 0) {
          const kept = await this.#takeFinishedBack(goal);
          if (kept) return kept;
        }
      }
      const doubtful = consignment.zeros.some((tag) => !everSent || tag in everSent);
      // Where nothing was sent, nobody was asked: the state is read.
      if (readBack || (!known && (doubtful || isNothing(goal)))) return this.#settleMoves(goal, options);
      return this.#visit.confirmed(goal);
    });
  }

  /** Only looks at an order. @returns its state and moves, or what stands against reading them */
  async look(batch: Batch): Promise<OrderState | Delivered> {
    try {
      this.#visit.order = { id: batch.odoo_id ?? undefined, name: nameInOdoo(batch) };
      return await this.#visit.read();
    } catch (error) {
      if (error instanceof OdooError) return this.#visit.result(error.concluded);
      throw error;
    }
  }

  /** Delivers the final values of a completed batch, marks its order done and reads it back. */
  async finish(batch: Batch, weights: SiloWeights, known: boolean): Promise<Delivered> {
    const finished = finishedQuantity(batch, this.#options.noFinishedWeight);
    const planned = plannedWeights(batch);
    const before = batch.sent_consumption ?? {};
    const finishedBefore = finished === undefined ? (batch.sent_finished ?? 0) : 0;
    const { ever_sent: everSent, confirmed_consumption } = batch;
    const confirmed = confirmed_consumption ?? {};
    const ours = { planned, before, everSent, confirmed };
    const told = { ...ours, finished: finished ?? 0, finishedBefore, known, readBack: true };
    // What is sent last must not go to another company's order of this name; the read-back looks, too.
    const delivered = await this.deliver(batch, weights, { ...told, unique: !known });
    // Nothing is left that could settle it: a person decides.
    if (delivered.conclusion === 'unsettled') return { ...delivered, ...concluded('undecided', delivered.reason) };
    if (delivered.conclusion !== 'confirmed' || delivered.done) return delivered;
    if (finished === undefined) {
      const reason = 'no finished weight: enter it (mark done by hand), or choose in the push node what to close with';
      return { ...delivered, ...concluded('undecided', reason) };
    }
    const consignment = consign(weights, this.#silos).consignment as Consignment;
    const goal = { moId: batch.mo_id, consignment, quantity: finished, planned };
    const anyway = batch.close_anyway != null && batch.close_anyway === batch.revision;
    return this.#visit.attempt(goal, () => close(this.#visit, goal, finished, this.#options, anyway));
  }

  /** Takes the finished goods back to 0, and looks whether they are. @returns what stands against it */
  async #takeFinishedBack(goal: Goal): Promise<Delivered | undefined> {
    const held = await this.#visit.read();
    const { production } = held;
    if (!production || this.#visit.closed(goal, held)) return undefined;
    if (sameForOdoo(production.qty_producing, 0)) return undefined;
    const set = this.#visit.client.setProducing(production.id, 0, this.#visit.call);
    const said = await this.#visit.answered('finished goods to 0', set);
    const after = (await this.#visit.read()).production;
    if (!after || sameForOdoo(after.qty_producing, 0)) return undefined;
    const words = said.reason ? ` (${said.reason})` : '';
    const kept = `0 kg finished here, ${after.qty_producing} kg in Odoo, which does not take them back${words}`;
    return this.#visit.result(concluded('unsettled', `${kept}: correct the order in Odoo, or the row`), goal);
  }

  /** Compares the stock moves with the set, puts zeros where they belong, and sends again what a late commit undid. */
  async #settleMoves(goal: Goal, { confirmed, before, everSent }: DeliverOptions): Promise<Delivered> {
    const ours = { confirmed: confirmed ?? {}, before: before ?? {}, everSent: everSent ?? null };
    for (let sends = 1; ; sends += 1) {
      const state = await this.#visit.read();
      const closed = this.#visit.closed(goal, state);
      if (closed) return closed;
      const lost = this.#lostSilos(goal, state);
      if (lost) return this.#visit.result(concluded('partial', lost), goal);
      const open = differences(goal.consignment.weights, state.consumption, this.#silos);
      if (open.length === 0) return this.#visit.confirmed(goal);
      if (sends === 1) this.#visit.overwrites(foreignFigures(open, ours));
      if (sends > MOST_SENDS) return this.#visit.result(concluded('partial', describe(open)), goal);
      const refusal = await this.#correct(goal, state, open);
      if (refusal) return this.#visit.refused(goal, refusal);
    }
  }

  /** A silo that was planned and that no move names any more: its 0 says nothing, the kg may stand under another code. */
  #lostSilos({ consignment, planned }: Goal, { moves }: OrderState): string {
    const lost = consignment.zeros.filter(
      (tag) => planned[tag] && !moves.some(({ code }) => code === this.#silos.byTag(tag)?.code),
    );
    if (lost.length === 0) return '';
    const named = lost.map((tag) => `${tag} (${this.#silos.byTag(tag)?.code ?? ''})`).join(', ');
    return `${named}: planned, but the order in Odoo has no component on it any more; correct the code in the silo-map, or the order`;
  }

  /** Sends what differs. @returns the first refusal, if there was one */
  async #correct(goal: Goal, { moves }: OrderState, open: readonly Difference[]): Promise<Concluded | undefined> {
    for (const { wanted, code } of open) {
      if (wanted > 0) continue;
      for (const { product_id } of moves.filter(
        (move) => move.code === code && move.done !== 0 && move.state !== 'cancel',
      )) {
        const { client, order, call } = this.#visit;
        const zero = await this.#visit.enter(
          'set to 0',
          (move) => move.code === code,
          () => client.setToZero(order.name, code, product_id, call),
        );
        if (zero.conclusion !== 'confirmed') return zero;
      }
    }
    if (!open.some(({ wanted }) => wanted > 0)) return undefined;
    const update = await this.#visit.update(goal);
    return update.conclusion === 'confirmed' ? undefined : update;
  }
}
