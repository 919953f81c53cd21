/**
 * Brings one set of values into one order and, when asked, closes it; ends with what Odoo really holds. Knows nothing of
 * leases: `beforeCall` is asked before every call and ends the delivery by throwing.
 */
import { concluded } from '../domain/answer';
import type { Batch, DoneReadback } from '../domain/batch';
import type { Concluded } from '../domain/conclusion';
import {
  type Consignment,
  consign,
  describe,
  differences,
  finishedQuantity,
  type NoFinishedWeight,
} from '../domain/consumption';
import { consumedBySilo, type OrderMove, type Production } from '../domain/order';
import type { SiloMap, SiloWeights } from '../domain/silos';
import { roundForOdoo, sameForOdoo } from '../domain/weight';
import { OdooError, type OdooClient } from './client';

export interface DeliveryOptions {
  /** Read the stock moves back after every push, not only where zeros or closing ask for it. */
  readBack: boolean;
  /** Close an order that differs from its bill of materials under policy "warning" / "strict". */
  closeWarning: boolean;
  closeStrict: boolean;
  /** Close without a backorder from this share of the planned quantity on (%). */
  minFinishedShare: number;
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
  /** kg per silo that Odoo confirmed; also present when only the closing did not go through. */
  confirmed?: SiloWeights;
  done?: DoneReadback;
  /** Every conclusion on the way, for the trail. */
  answers: ({ call: string } & Concluded)[];
}

interface OrderState {
  production: Production | undefined;
  moves: OrderMove[];
  consumption: SiloWeights;
}

/** How often a set is sent when the read-back shows something else: a late commit of a call given up on can undo one. */
const MOST_SENDS = 2;

export class Delivery {
  readonly #client: OdooClient;
  readonly #silos: SiloMap;
  readonly #options: DeliveryOptions;
  readonly #beforeCall: () => Promise<void>;
  readonly #signal: AbortSignal | undefined;
  readonly #answers: ({ call: string } & Concluded)[] = [];

  constructor(
    client: OdooClient,
    silos: SiloMap,
    options: DeliveryOptions,
    beforeCall: () => Promise<void>,
    signal?: AbortSignal,
  ) {
    this.#client = client;
    this.#silos = silos;
    this.#options = options;
    this.#beforeCall = beforeCall;
    this.#signal = signal;
  }

  /**
   * @param weights kg per silo, the whole set that has to be in Odoo
   * @param finished kg of finished goods so far, undefined or 0: not told
   * @param known Odoo has confirmed exactly this set before: nothing is sent unless a read-back disagrees
   */
  async deliver(moId: string, weights: SiloWeights, { finished, known = false, readBack = this.#options.readBack } = {} as {
    finished?: number | undefined;
    known?: boolean;
    readBack?: boolean;
  }): Promise<Delivered> {
    const { consignment, refused } = consign(weights, this.#silos);
    if (refused !== undefined) return this.#result(concluded('bad-value', refused));
    const quantity = roundForOdoo(finished) || undefined;
    return this.#attempt(async () => {
      const sent = consignment.weights;
      if (!known) {
        const update = await this.#update(moId, consignment, quantity);
        if (update.conclusion !== 'confirmed') return this.#refused(moId, consignment, update);
      }
      if (!readBack && (known || consignment.zeros.length === 0)) return this.#result(concluded('confirmed'), { sent, confirmed: sent });
      const settled = await this.#settleMoves(moId, consignment, quantity);
      return this.#result(settled, { sent, ...(settled.conclusion === 'confirmed' ? { confirmed: sent } : {}) });
    }, consignment);
  }

  /** Delivers the final values of a completed batch, marks its order done and reads it back. */
  async finish(batch: Batch, weights: SiloWeights, known: boolean): Promise<Delivered> {
    const finished = finishedQuantity(batch, this.#options.noFinishedWeight);
    const delivered = await this.deliver(batch.mo_id, weights, { finished, known, readBack: true });
    if (delivered.conclusion !== 'confirmed' || delivered.done) return delivered;
    if (finished === undefined) {
      const reason = 'no finished weight: enter it (mark done by hand), or choose in the push node what to close with';
      return { ...delivered, ...concluded('undecided', reason) };
    }
    const consignment = consign(weights, this.#silos).consignment as Consignment;
    return this.#attempt(() => this.#close(batch.mo_id, finished, consignment, batch.equipment_id_batch), consignment);
  }

  async #close(moId: string, finished: number, consignment: Consignment, line: string): Promise<Delivered> {
    const sent = consignment.weights;
    const open = await this.#read(moId);
    const gone = this.#closedElsewhere(moId, open, consignment);
    if (gone) return gone;
    const production = open.production as Production;
    const share = (100 * finished) / production.product_qty;
    if (share < this.#options.minFinishedShare) {
      const reason = `${finished} kg finished of ${production.product_qty} kg planned (${share.toFixed(1)} %): close it or make a backorder in Odoo`;
      return this.#result(concluded('undecided', reason), { sent, confirmed: sent });
    }
    // Without a quantity in an update before, mark-done is refused (exchanges 158, 160).
    if (!sameForOdoo(production.qty_producing, finished)) {
      const update = await this.#update(moId, consignment, finished);
      if (update.conclusion !== 'confirmed') return this.#refused(moId, consignment, update);
    }
    await this.#call('mark-done', () => this.#client.markDone(moId, finished, line || undefined, this.#signal));
    let after = await this.#read(moId);
    if (this.#isOpen(after) && this.#mayForce(production, finished)) {
      await this.#call('close despite difference', () => this.#client.closeDespiteDifference(production.id, this.#signal));
      after = await this.#read(moId);
    }
    const closed = this.#closedElsewhere(moId, after, consignment);
    if (closed) return closed;
    const last = this.#answers.findLast(({ call }) => call === 'mark-done');
    if (last && ['unknown-outcome', 'busy', 'unavailable', 'session', 'credentials'].includes(last.conclusion)) {
      return this.#result(last, { sent, confirmed: sent });
    }
    const said = last?.conclusion === 'confirmed' ? 'Odoo said done' : `Odoo said: ${last?.reason ?? 'nothing'}`;
    const reason = `${said}, but the order is still "${after.production?.state}" (policy "${production.consumption}"): close it in Odoo, or switch closing on in the push node`;
    return this.#result(concluded('not-done', reason), { sent, confirmed: sent });
  }

  #isOpen({ production }: OrderState): boolean {
    return production !== undefined && production.state !== 'done' && production.state !== 'cancel';
  }

  /** Whether the engineer lets an order be closed although Odoo would ask: its policy, or less finished than planned. */
  #mayForce({ consumption, product_qty }: Production, finished: number): boolean {
    if (consumption === 'strict') return this.#options.closeStrict;
    if (consumption === 'warning') return this.#options.closeWarning;
    return roundForOdoo(finished) < roundForOdoo(product_qty);
  }

  /** Sends the set; an order with nothing above 0 gets no update at all. */
  async #update(moId: string, { byCode }: Consignment, quantity?: number): Promise<Concluded> {
    if (Object.keys(byCode).length === 0 && !quantity) return concluded('confirmed');
    return this.#call('update', () => this.#client.update(moId, byCode, quantity, this.#signal));
  }

  /** Compares the stock moves with the set, puts zeros where they belong, and sends again what a late commit undid. */
  async #settleMoves(moId: string, consignment: Consignment, quantity?: number): Promise<Concluded> {
    for (let sends = 1; ; sends += 1) {
      const state = await this.#read(moId);
      if (!state.production) return concluded('unknown-order', `Odoo does not know order ${moId}`);
      const open = differences(consignment.weights, state.consumption, this.#silos);
      if (open.length === 0) return concluded('confirmed');
      if (sends > MOST_SENDS) return concluded('partial', describe(open));
      for (const { wanted, code } of open) {
        if (wanted > 0) continue;
        for (const { product_id, done } of state.moves.filter((move) => move.code === code)) {
          if (done === 0) continue;
          const zero = await this.#call('set to 0', () => this.#client.setToZero(moId, code, product_id, this.#signal));
          if (zero.conclusion !== 'confirmed') return zero;
        }
      }
      if (open.some(({ wanted }) => wanted > 0)) {
        const update = await this.#update(moId, consignment, quantity);
        if (update.conclusion !== 'confirmed') return update;
      }
    }
  }

  /** A refused update: the order's state tells better than the words, which follow the user's language. */
  async #refused(moId: string, consignment: Consignment, refusal: Concluded): Promise<Delivered> {
    const sent = consignment.weights;
    if (!['bad-value', 'unknown-order', 'order-done', 'order-cancelled', 'not-done'].includes(refusal.conclusion)) {
      return this.#result(refusal, { sent });
    }
    const state = await this.#read(moId);
    return this.#closedElsewhere(moId, state, consignment) ?? this.#result(refusal, { sent });
  }

  /** What it means when the order is not open any more; undefined while it is. */
  #closedElsewhere(moId: string, { production, consumption }: OrderState, consignment: Consignment): Delivered | undefined {
    const sent = consignment.weights;
    if (!production) return this.#result(concluded('unknown-order', `Odoo does not know order ${moId}`), { sent });
    if (production.state === 'cancel') return this.#result(concluded('order-cancelled', `order ${moId} is cancelled in Odoo`), { sent });
    if (production.state !== 'done') return undefined;
    const open = differences(sent, consumption, this.#silos);
    if (open.length > 0) {
      return this.#result(concluded('order-done', `order ${moId} is done in Odoo with other figures: ${describe(open)}`), { sent });
    }
    const done: DoneReadback = {
      state: production.state,
      finished: production.qty_produced,
      consumption,
      read_at: new Date().toISOString(),
    };
    return this.#result(concluded('confirmed'), { sent, confirmed: sent, done });
  }

  async #read(moId: string): Promise<OrderState> {
    await this.#beforeCall();
    const [productions, moves] = await Promise.all([
      this.#client.productions([moId], this.#signal),
      this.#client.moves([moId], this.#signal),
    ]);
    const list = moves.get(moId) ?? [];
    return { production: productions.get(moId), moves: list, consumption: consumedBySilo(list, this.#silos) };
  }

  async #call(call: string, send: () => Promise<Concluded>): Promise<Concluded> {
    await this.#beforeCall();
    const outcome = await send();
    this.#answers.push({ call, ...outcome });
    return outcome;
  }

  /** A read that fails ends a delivery with what the failure means, not with an exception. */
  async #attempt(work: () => Promise<Delivered>, { weights }: Consignment): Promise<Delivered> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof OdooError) return this.#result(error.concluded, { sent: weights });
      throw error;
    }
  }

  #result({ conclusion, reason }: Concluded, more: Pick<Delivered, 'sent' | 'confirmed' | 'done'> = {}): Delivered {
    return { conclusion, reason, ...more, answers: [...this.#answers] };
  }
}

