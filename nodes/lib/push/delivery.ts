/**
 * Brings one set of values into one order and, when asked, closes it; ends with what Odoo really holds. Knows nothing of
 * leases: `beforeSend` is asked before every request and ends the delivery by throwing.
 */
import { concluded } from '../odoo/answer';
import { type Batch, type DoneReadback, plannedWeights } from '../domain/batch';
import { CONCLUSIONS, type Concluded, type Conclusion } from '../domain/conclusion';
import {
  type Consignment,
  consign,
  describe,
  type Difference,
  differences,
  doneDifferently,
  finishedQuantity,
  type NoFinishedWeight,
  otherFigures,
} from '../domain/consumption';
import {
  consumedBySilo,
  identify,
  nameInOdoo,
  type OrderKey,
  type OrderMove,
  type OrderRef,
  type Production,
  remaindersOf,
} from '../domain/order';
import type { SiloMap, SiloWeights } from '../domain/silos';
import { roundForOdoo, sameForOdoo } from '../domain/weight';
import { OdooError, type OdooClient } from '../odoo/client';
import type { CallOptions } from '../odoo/session';

export interface DeliveryOptions {
  /** Read the stock moves back after every push, not only where zeros or closing ask for it. */
  readBack: boolean;
  /** Close an order that differs from its bill of materials under policy "warning" / "strict". */
  closeWarning: boolean;
  closeStrict: boolean;
  /** Close without a backorder from this share of the planned quantity on (%); null: never, Odoo is asked and decides. */
  minFinishedShare: number | null;
  noFinishedWeight: NoFinishedWeight;
}

export const DELIVERY_DEFAULTS: DeliveryOptions = {
  readBack: false,
  closeWarning: true,
  closeStrict: false,
  minFinishedShare: 90,
  noFinishedWeight: 'set-aside',
};

export interface Delivered extends Concluded {
  /** kg per silo that were sent (or found to be there already). */
  sent?: SiloWeights;
  /** kg of finished goods that were sent. */
  sentFinished?: number;
  /** kg per silo that Odoo confirmed; also present when only the closing did not go through. */
  confirmed?: SiloWeights;
  done?: DoneReadback;
  /** The order as it was found in Odoo: present where it was looked for. */
  order?: OrderRef;
  /** Every conclusion on the way, for the trail. */
  answers: ({ call: string } & Concluded)[];
}

/** What has to be in Odoo: the order, its set of weights and, where it was told, the finished goods (kg). */
interface Goal {
  moId: string;
  consignment: Consignment;
  quantity: number | undefined;
  planned: SiloWeights;
}

interface DeliverOptions {
  finished?: number;
  known?: boolean;
  planned?: SiloWeights;
  before?: SiloWeights;
  everSent?: SiloWeights | null;
  readBack?: boolean;
  unique?: boolean;
  finishedBefore?: number;
}

/** An order as Odoo holds it. */
export interface OrderState {
  production: Production | undefined;
  moves: OrderMove[];
  consumption: SiloWeights;
  /** Orders that Odoo has made of what was left, when a person closed this one. */
  remainders: Production[];
}

const NO_ORDER: OrderState = { production: undefined, moves: [], consumption: {}, remainders: [] };

/** How often a set is sent when the read-back shows something else: a late commit of a call given up on can undo one. */
const MOST_SENDS = 2;

/** Refusals whose words may be in any language: the order's state is read before they are believed. */
const ASK_THE_STATE: readonly Conclusion[] = [
  'bad-value',
  'unknown-order',
  'order-done',
  'order-cancelled',
  'not-done',
  'unexplained',
];

/** Nothing above 0 and no finished goods: no update can say it. */
const isNothing = ({ consignment: { byCode }, quantity }: Goal): boolean =>
  Object.keys(byCode).length === 0 && !quantity;

/** Whether a byte of any of these calls went out. */
export const wentOut = (answers: readonly Concluded[]): boolean => answers.some(({ unsent }) => !unsent);

export class Delivery {
  readonly #client: OdooClient;
  readonly #silos: SiloMap;
  readonly #options: DeliveryOptions;
  readonly #call: CallOptions;
  readonly #answers: ({ call: string } & Concluded)[] = [];
  /** What was read last. */
  #state: OrderState | undefined;
  /** What the PLC calls the order. */
  #moId = '';
  /** The order in Odoo, as far as it is known. */
  #order: { id: number | undefined; name: string } = { id: undefined, name: '' };

  /** @param call how every call is made; `beforeSend` may end the delivery by throwing (a lost lease) */
  constructor(client: OdooClient, silos: SiloMap, options: DeliveryOptions, call: CallOptions = {}) {
    this.#client = client;
    this.#silos = silos;
    this.#options = options;
    this.#call = call;
  }

  /**
   * @param key the order; one without an id is looked for by its name, which no other may have
   * @param weights kg per silo, the whole set that has to be in Odoo
   * @param finished kg of finished goods so far, undefined or 0: not told
   * @param known Odoo has confirmed exactly this set before: nothing is sent unless a read-back disagrees
   * @param planned kg per silo when the order was queued: its stock moves have to name these silos
   * @param before kg per silo that were sent earlier
   * @param everSent silos that may hold something in Odoo: only their zeros need a proof; null: any may
   * @param unique look first whether the order is the only one of its name: the addon's routes take a name
   * @param finishedBefore kg of finished goods that were sent earlier: 0 has to take them back, which an update cannot
   */
  async deliver(key: OrderKey, weights: SiloWeights, options: DeliverOptions = {}): Promise<Delivered> {
    const { finished, known = false, planned = {}, before = {}, everSent = null, finishedBefore = 0 } = options;
    const { readBack = this.#options.readBack, unique = false } = options;
    this.#moId = key.mo_id;
    this.#order = { id: key.odoo_id ?? undefined, name: nameInOdoo(key) };
    const { consignment, refused } = consign(weights, this.#silos, before);
    if (refused !== undefined) return this.#result(concluded('bad-value', refused));
    const goal: Goal = { moId: key.mo_id, consignment, quantity: roundForOdoo(finished) || undefined, planned };
    return this.#attempt(goal, async () => {
      if (unique || this.#order.id === undefined) {
        if (!(await this.#find())) return this.#unknown(goal);
      }
      if (!known) {
        const update = await this.#update(goal);
        if (update.conclusion !== 'confirmed') return this.#refused(goal, update);
        if (finished === 0 && finishedBefore > 0) {
          const kept = await this.#takeFinishedBack(goal);
          if (kept) return kept;
        }
      }
      const doubtful = consignment.zeros.some((tag) => !everSent || tag in everSent);
      // Where nothing was sent, nobody was asked: the state is read.
      if (readBack || (!known && (doubtful || isNothing(goal)))) return this.#settleMoves(goal);
      return this.#confirmed(goal);
    });
  }

  /** Only looks at an order. @returns its state and moves, or what stands against reading them */
  async look(batch: Batch): Promise<OrderState | Delivered> {
    try {
      this.#order = { id: batch.odoo_id ?? undefined, name: nameInOdoo(batch) };
      return await this.#read();
    } catch (error) {
      if (error instanceof OdooError) return this.#result(error.concluded);
      throw error;
    }
  }

  /** Delivers the final values of a completed batch, marks its order done and reads it back. */
  async finish(batch: Batch, weights: SiloWeights, known: boolean): Promise<Delivered> {
    const finished = finishedQuantity(batch, this.#options.noFinishedWeight);
    const planned = plannedWeights(batch);
    const before = batch.sent_consumption ?? {};
    const finishedBefore = finished === undefined ? (batch.sent_finished ?? 0) : 0;
    const told = { finished: finished ?? 0, finishedBefore, known, planned, before, readBack: true };
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
    return this.#attempt(goal, () => this.#close(goal, finished));
  }

  /** Closes an order that was just read back as open and holding the whole set. */
  async #close(goal: Goal, finished: number): Promise<Delivered> {
    const production = this.#state?.production as Production;
    const share = (100 * finished) / production.product_qty;
    const { minFinishedShare } = this.#options;
    if (minFinishedShare !== null && share < minFinishedShare) {
      const reason = `${finished} kg finished of ${production.product_qty} kg planned (${share.toFixed(1)} %): close it or make a backorder in Odoo`;
      return { ...this.#confirmed(goal), ...concluded('undecided', reason) };
    }
    // Without a quantity in an update before, mark-done is refused (exchanges 158, 160).
    if (!sameForOdoo(production.qty_producing, finished)) {
      const update = await this.#update(goal);
      if (update.conclusion !== 'confirmed') return this.#refused(goal, update);
    }
    const said = await this.#answered('mark-done', this.#client.markDone(this.#order.name, finished, this.#call));
    let after = await this.#read();
    let closed = this.#closed(goal, after);
    if (!closed && said.conclusion === 'confirmed' && this.#mayForce(production, finished)) {
      await this.#answered('close despite difference', this.#client.closeDespiteDifference(production.id, this.#call));
      after = await this.#read();
      closed = this.#closed(goal, after);
    }
    if (closed) return closed;
    // Refused for what the order is: the words may be in any language, what counts is that it is still open.
    if (said.conclusion !== 'confirmed' && !ASK_THE_STATE.includes(said.conclusion))
      return { ...this.#confirmed(goal), ...said };
    const words = said.conclusion === 'confirmed' ? 'Odoo said done' : `Odoo said: ${said.reason}`;
    const reason = `${words}, but the order is still "${after.production?.state}" (policy "${production.consumption}"): close it in Odoo, or switch closing on in the push node`;
    // Words that nobody knows may be trouble that passes; without a quantity Odoo refuses for certain (exchanges 158, 160).
    const passing = said.conclusion === 'unexplained' && (after.production?.qty_producing ?? 0) > 0;
    return { ...this.#confirmed(goal), ...concluded(passing ? 'unexplained' : 'not-done', reason) };
  }

  /** Whether the engineer lets an order be closed although Odoo would ask: its policy, and less finished than planned. */
  #mayForce({ consumption, product_qty }: Production, finished: number): boolean {
    const short = roundForOdoo(finished) < roundForOdoo(product_qty);
    if (short && this.#options.minFinishedShare === null) return false;
    if (consumption === 'strict') return this.#options.closeStrict;
    return consumption === 'warning' ? this.#options.closeWarning : short;
  }

  /** Takes the finished goods back to 0, and looks whether they are. @returns what stands against it */
  async #takeFinishedBack(goal: Goal): Promise<Delivered | undefined> {
    const held = await this.#read();
    const { production } = held;
    if (!production || this.#closed(goal, held)) return undefined;
    if (sameForOdoo(production.qty_producing, 0)) return undefined;
    const set = this.#client.setProducing(production.id, 0, this.#call);
    const said = await this.#answered('finished goods to 0', set);
    const after = (await this.#read()).production;
    if (!after || sameForOdoo(after.qty_producing, 0)) return undefined;
    const words = said.reason ? ` (${said.reason})` : '';
    const kept = `0 kg finished here, ${after.qty_producing} kg in Odoo, which does not take them back${words}`;
    return this.#result(concluded('unsettled', `${kept}: correct the order in Odoo, or the row`), goal);
  }

  /** Sends the set; one with nothing above 0 and no finished goods is no update at all. */
  async #update(goal: Goal): Promise<Concluded> {
    if (isNothing(goal)) return concluded('confirmed');
    const { consignment, quantity } = goal;
    const send = (): Promise<Concluded> =>
      this.#answered('update', this.#client.update(this.#order.name, consignment.byCode, quantity, this.#call));
    const { name } = this.#order;
    const update = await send();
    // A backorder made by hand has renamed the order: its id tells how it is called now.
    if (update.conclusion !== 'unknown-order' || !(await this.#find()) || this.#order.name === name) return update;
    return send();
  }

  /** Compares the stock moves with the set, puts zeros where they belong, and sends again what a late commit undid. */
  async #settleMoves(goal: Goal): Promise<Delivered> {
    for (let sends = 1; ; sends += 1) {
      const state = await this.#read();
      const closed = this.#closed(goal, state);
      if (closed) return closed;
      const lost = this.#lostSilos(goal, state);
      if (lost) return this.#result(concluded('partial', lost), goal);
      const open = differences(goal.consignment.weights, state.consumption, this.#silos);
      if (open.length === 0) return this.#confirmed(goal);
      if (sends > MOST_SENDS) return this.#result(concluded('partial', describe(open)), goal);
      const refusal = await this.#correct(goal, state, open);
      if (refusal) return this.#refused(goal, refusal);
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
        const zero = await this.#answered(
          'set to 0',
          this.#client.setToZero(this.#order.name, code, product_id, this.#call),
        );
        if (zero.conclusion !== 'confirmed') return zero;
      }
    }
    if (!open.some(({ wanted }) => wanted > 0)) return undefined;
    const update = await this.#update(goal);
    return update.conclusion === 'confirmed' ? undefined : update;
  }

  /** A refused update: the order's state tells better than the words, which follow the user's language. */
  async #refused(goal: Goal, refusal: Concluded): Promise<Delivered> {
    if (!ASK_THE_STATE.includes(refusal.conclusion)) return this.#result(refusal, goal);
    return this.#closed(goal, await this.#read()) ?? this.#result(refusal, goal);
  }

  /** What it means when the order is not open any more; undefined while it is. */
  #closed(goal: Goal, { production, consumption, remainders }: OrderState): Delivered | undefined {
    const { moId, consignment, quantity } = goal;
    if (!production) return this.#unknown(goal);
    if (production.state === 'cancel')
      return this.#result(concluded('order-cancelled', `order ${moId} is cancelled in Odoo`), goal);
    if (production.state !== 'done') return undefined;
    const row = { weights: consignment.weights, finished: quantity };
    const told = otherFigures(row, { production, consumption }, this.#silos);
    if (told.length > 0) {
      const reason = doneDifferently({ mo_id: moId }, production, told, remainders);
      return this.#result(concluded('order-done', reason), goal);
    }
    const finished = production.qty_produced;
    return {
      ...this.#confirmed(goal),
      done: { state: production.state, finished, consumption, read_at: new Date().toISOString() },
    };
  }

  #unknown(goal: Goal): Delivered {
    return this.#result(concluded('unknown-order', `Odoo does not know order ${goal.moId}`), goal);
  }

  /**
   * The order as Odoo has it now: by its id, else by its name. From then on it goes by the name it has there.
   * @throws OdooError when another order has that name, too
   */
  async #find(): Promise<Production | undefined> {
    const { id, name } = this.#order;
    const found = await this.#client.productions({ ids: id === undefined ? [] : [id], names: [name] }, this.#call);
    const { production: order, reason } = identify({ mo_id: name, odoo_id: id ?? null }, found);
    if (reason) throw new OdooError('', concluded('ambiguous-order', reason));
    if (!order) return undefined;
    this.#order = { id: order.id, name: order.name };
    // Of the new name nothing is known yet.
    return order.name === name ? order : this.#find();
  }

  /** State and moves; the detail beside them tells the silos' codes as they are now. */
  async #read(): Promise<OrderState> {
    const production = await this.#find();
    if (!production) return NO_ORDER;
    const detail = await this.#client.order(production.id, this.#call);
    if (!detail) return NO_ORDER;
    const moves = (await this.#client.moves([production.id], [detail], this.#call)).get(production.id) ?? [];
    const names = production.state === 'done' ? remaindersOf({ mo_id: this.#moId }, production) : [];
    const remainders = await this.#client.productions({ names }, this.#call);
    this.#state = { production, moves, consumption: consumedBySilo(moves, this.#silos), remainders };
    return this.#state;
  }

  async #answered(call: string, sent: Promise<Concluded>): Promise<Concluded> {
    const outcome = await sent;
    this.#answers.push({ call, ...outcome });
    return outcome;
  }

  /** What was answered so far, for a delivery that is ended from outside. */
  get answers(): ({ call: string } & Concluded)[] {
    return [...this.#answers];
  }

  /** Whether anything was asked of Odoo that could change something there. */
  get wentOut(): boolean {
    return wentOut(this.#answers);
  }

  /** A read that fails ends a delivery with what the failure means, not with an exception. */
  async #attempt(goal: Goal, work: () => Promise<Delivered>): Promise<Delivered> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof OdooError) return this.#result(error.concluded, goal);
      throw error;
    }
  }

  /** Odoo holds the whole set. */
  #confirmed(goal: Goal): Delivered {
    return { ...this.#result(concluded('confirmed'), goal), confirmed: goal.consignment.weights };
  }

  /** Passing trouble before the first byte went out means that nothing was sent. */
  #result({ conclusion, reason }: Concluded, goal?: Goal): Delivered {
    const told = goal && (this.wentOut || CONCLUSIONS[conclusion].consequence !== 'retry');
    const { quantity } = goal ?? {};
    const { id, name } = this.#order;
    return {
      ...{ conclusion, reason },
      ...(id === undefined ? {} : { order: { id, name } }),
      ...(told
        ? { sent: goal.consignment.weights, ...(quantity === undefined ? {} : { sentFinished: quantity }) }
        : {}),
      answers: [...this.#answers],
    };
  }
}
