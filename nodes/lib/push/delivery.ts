/**
 * Brings one set of values into one order and, when asked, closes it; ends with what Odoo really holds. Knows nothing of
 * leases: `beforeSend` is asked before every request and ends the delivery by throwing.
 */
import { type Batch, plannedWeights } from '../domain/batch';
import { concluded } from '../domain/conclusion';
import {
  consign,
  describe,
  differences,
  finishedQuantity,
  foreignFigures,
  type NoFinishedWeight,
  type Weighed,
} from '../domain/consumption';
import { type Calling, type Handling, OdooError, type OdooOrders, type OrderState } from '../domain/odoo-orders';
import type { OrderKey } from '../domain/order';
import type { SiloMap, SiloWeights } from '../domain/silos';
import { roundForOdoo, sameForOdoo } from '../domain/weight';
import { close, type ClosingOptions } from './closing';
import { type Answered, type Delivered, wentOut } from './outcome';
import { type Goal, Visit } from './visit';

export interface DeliveryOptions extends ClosingOptions, Handling {
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
  ...{ unreserve: false, makeLot: true, refuseExcess: false },
};

export interface DeliverOptions {
  /** kg of finished goods so far; undefined or 0: not told. */
  finished?: number;
  /** kg of finished goods that were sent earlier: 0 has to take them back. */
  finishedBefore?: number;
  /** Odoo has confirmed exactly this set before: nothing is sent unless a read-back disagrees. */
  known?: boolean;
  /** kg per silo when the order was queued: its stock moves have to name these silos. */
  planned?: SiloWeights;
  /** kg per silo that were sent earlier. */
  before?: SiloWeights;
  /** Silos that may hold something in Odoo: only their zeros need a proof; null: any may. */
  everSent?: SiloWeights | null;
  /** kg per silo that Odoo confirmed last: other figures there are somebody else's. */
  confirmed?: SiloWeights;
  readBack?: boolean;
  /** The values are final, or a person's: nothing known of the order from before is relied on. */
  final?: boolean;
}

/** What is closed: a row, or what a call by hand knows of an order without one. */
export type Closable = OrderKey &
  Weighed &
  Partial<Pick<Batch, 'sent_consumption' | 'sent_finished' | 'ever_sent' | 'confirmed_consumption'>>;

/** How often a set is sent when the read-back shows something else: a late commit of a call given up on can undo one. */
const MOST_SENDS = 2;

export class Delivery {
  readonly #orders: OdooOrders;
  readonly silos: SiloMap;
  readonly #options: DeliveryOptions;
  readonly #call: Calling;
  readonly #answers: Answered[] = [];

  /** @param call how every call is made; `beforeSend` may end the delivery by throwing (a lost lease) */
  constructor(orders: OdooOrders, silos: SiloMap, options: DeliveryOptions, call: Calling = {}) {
    this.#orders = orders;
    this.silos = silos;
    this.#options = options;
    this.#call = call;
  }

  /** What was answered so far, for a delivery that is ended from outside. */
  get answers(): Answered[] {
    return [...this.#answers];
  }

  /** Whether anything was asked of Odoo that could change something there. */
  get wentOut(): boolean {
    return wentOut(this.#answers);
  }

  /**
   * @param key the order; one without an id is looked for by its name, which no other may have
   * @param weights kg per silo, the whole set that has to be in Odoo
   */
  async deliver(key: OrderKey, weights: SiloWeights, options: DeliverOptions = {}): Promise<Delivered> {
    const visit = this.#visit(key);
    const { goal, refused } = this.#aim(key, weights, options);
    if (refused !== undefined) return visit.result(concluded('bad-value', refused));
    return visit.attempt(goal, () => this.#deliver(visit, goal, options));
  }

  /** Only looks at an order. @returns its state and moves, or what stands against reading them */
  async look(key: OrderKey): Promise<OrderState | Delivered> {
    const visit = this.#visit(key);
    try {
      return await visit.odoo.read();
    } catch (error) {
      if (error instanceof OdooError) return visit.result(error.concluded);
      throw error;
    }
  }

  /**
   * Delivers final values, marks their order done and reads it back.
   * @param anyway a person wants it closed, whatever was not weighed
   */
  async finish(row: Closable, weights: SiloWeights, known: boolean, anyway: boolean): Promise<Delivered> {
    const finished = finishedQuantity(row, this.#options.noFinishedWeight);
    const options: DeliverOptions = {
      finished: finished ?? 0,
      finishedBefore: finished === undefined ? (row.sent_finished ?? 0) : 0,
      planned: plannedWeights(row),
      before: row.sent_consumption ?? {},
      everSent: row.ever_sent ?? null,
      confirmed: row.confirmed_consumption ?? {},
      ...{ known, readBack: true, final: !known },
    };
    const visit = this.#visit(row);
    const { goal, refused } = this.#aim(row, weights, options);
    if (refused !== undefined) return visit.result(concluded('bad-value', refused));
    const delivered = await visit.attempt(goal, () => this.#deliver(visit, goal, options));
    // Nothing is left that could settle it: a person decides.
    if (delivered.conclusion === 'unsettled') return { ...delivered, ...concluded('undecided', delivered.reason) };
    const { open } = visit;
    if (delivered.conclusion !== 'confirmed' || delivered.done || !open) return delivered;
    if (finished === undefined) {
      const reason = 'no finished weight: enter it (mark done by hand), or choose in the push node what to close with';
      return { ...delivered, ...concluded('undecided', reason) };
    }
    return visit.attempt(goal, () => close(visit, open, goal, finished, this.#options, anyway));
  }

  #visit(key: OrderKey): Visit {
    const { unreserve, makeLot = true, refuseExcess = false } = this.#options;
    const how = { ...this.#call, unreserve, makeLot, refuseExcess };
    return new Visit(this.#orders, key, this.silos, how, this.#answers);
  }

  #aim(
    { mo_id }: OrderKey,
    weights: SiloWeights,
    { finished, planned = {}, before }: DeliverOptions,
  ): { goal: Goal; refused?: never } | { goal?: never; refused: string } {
    const { consignment, refused } = consign(weights, this.silos, before);
    if (refused !== undefined) return { refused };
    return { goal: { moId: mo_id, consignment, quantity: roundForOdoo(finished) || undefined, planned } };
  }

  async #deliver(visit: Visit, goal: Goal, options: DeliverOptions): Promise<Delivered> {
    const { finished, finishedBefore = 0, known = false, everSent = null, final = false } = options;
    const { readBack = this.#options.readBack } = options;
    if (visit.odoo.order.id === undefined && !(await visit.odoo.find())) return visit.unknown(goal);
    let unproven = false;
    if (!known) {
      const taken = await visit.deliver(goal, { final });
      if (taken.conclusion !== 'confirmed') return visit.refused(goal, taken);
      if (finished === 0 && finishedBefore > 0) {
        const kept = await takeFinishedBack(visit, goal);
        if (kept) return kept;
      }
      // Where nothing was sent, nobody was asked: the state is read.
      const silent = !goal.quantity && taken.untold.length === Object.keys(goal.consignment.weights).length;
      unproven = silent || taken.untold.some((tag) => !everSent || tag in everSent);
    }
    return readBack || unproven ? this.#settleMoves(visit, goal, options) : visit.confirmed(goal);
  }

  /** Compares the stock moves with the set, and sends again what is not there: zeros, and what a late commit undid. */
  async #settleMoves(visit: Visit, goal: Goal, { confirmed, before, everSent }: DeliverOptions): Promise<Delivered> {
    const ours = { confirmed: confirmed ?? {}, before: before ?? {}, everSent: everSent ?? null };
    for (let sends = 1; ; sends += 1) {
      const held = await visit.odoo.read();
      const closed = visit.judge(goal, held);
      if (closed) return closed;
      const lost = this.#lostSilos(goal, held);
      if (lost) return visit.result(concluded('partial', lost), goal);
      const open = differences(goal.consignment.weights, held.consumption, this.silos);
      if (open.length === 0) return visit.confirmed(goal);
      if (sends === 1) visit.overwrites(foreignFigures(open, ours));
      if (sends > MOST_SENDS) return visit.result(concluded('partial', describe(open)), goal);
      const taken = await visit.deliver(goal, { held });
      if (taken.conclusion !== 'confirmed') return visit.refused(goal, taken);
    }
  }

  /** A silo that was planned and that no move names any more: its 0 says nothing, the kg may stand under another code. */
  #lostSilos({ consignment, planned }: Goal, { moves }: OrderState): string {
    const lost = consignment.zeros.filter(
      (tag) => planned[tag] && !moves.some(({ code }) => code === this.silos.byTag(tag)?.code),
    );
    if (lost.length === 0) return '';
    const named = lost.map((tag) => `${this.silos.name(tag)} (${this.silos.byTag(tag)?.code ?? ''})`).join(', ');
    return `${named}: planned, but the order in Odoo has no component on it any more; correct the code in the silo-map, or the order`;
  }
}

/** Takes the finished goods back to 0, and looks whether they are. @returns what stands against it */
async function takeFinishedBack(visit: Visit, goal: Goal): Promise<Delivered | undefined> {
  const held = await visit.odoo.read();
  const { production } = held;
  if (!production || visit.judge(goal, held) || sameForOdoo(production.qty_producing, 0)) return undefined;
  const said = await visit.odoo.takeFinishedBack();
  const after = (await visit.odoo.read()).production;
  if (!after || sameForOdoo(after.qty_producing, 0)) return undefined;
  const words = said.reason ? ` (${said.reason})` : '';
  const kept = `0 kg finished here, ${after.qty_producing} kg in Odoo, which does not take them back${words}`;
  return visit.result(concluded('unsettled', `${kept}: correct the order in Odoo, or the row`), goal);
}
