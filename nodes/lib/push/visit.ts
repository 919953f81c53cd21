/**
 * One order while something is delivered into it: the goal, what was answered on the way, and what both come to.
 */
import { concluded, CONCLUSIONS, type Concluded, type Conclusion } from '../domain/conclusion';
import { type Consignment, type Difference, doneDifferently, otherFigures } from '../domain/consumption';
import {
  type Calling,
  type DeliverOptions,
  type Handling,
  OdooError,
  type OdooOrders,
  type OrderState,
  type OrderVisit,
  type Taken,
} from '../domain/odoo-orders';
import type { OrderKey, Production } from '../domain/order';
import type { SiloMap, SiloWeights } from '../domain/silos';
import { type Answered, type Delivered, wentOut } from './outcome';

/** What has to be in Odoo: the order, its set of weights and, where it was told, the finished goods (kg). */
export interface Goal {
  moId: string;
  consignment: Consignment;
  quantity: number | undefined;
  planned: SiloWeights;
}

/** An order that takes figures. */
export interface OpenOrder extends OrderState {
  production: Production;
}

/** Refusals whose words may be in any language: the order's state is read before they are believed. */
export const ASK_THE_STATE: readonly Conclusion[] = [
  'bad-value',
  'unknown-order',
  'order-done',
  'order-cancelled',
  'not-done',
  'unexplained',
];

export class Visit {
  readonly odoo: OrderVisit;
  readonly silos: SiloMap;
  readonly #answers: Answered[];
  /** The order as it was read last, if it was open. */
  open: OpenOrder | undefined;
  /** What somebody else had entered in Odoo; '' when nobody had. */
  #overwritten = '';

  /**
   * @param call how every call is made; `beforeSend` may end the delivery by throwing (a lost lease)
   * @param answers what was answered so far; goes on growing
   */
  constructor(orders: OdooOrders, key: OrderKey, silos: SiloMap, how: Calling & Handling, answers: Answered[]) {
    this.silos = silos;
    this.#answers = answers;
    this.odoo = orders.visit(key, silos, { ...how, onAnswer: (call, said) => answers.push({ call, ...said }) });
  }

  deliver({ consignment, quantity }: Goal, options: Omit<DeliverOptions, 'finished'> = {}): Promise<Taken> {
    return this.odoo.deliver(consignment, { ...options, ...(quantity === undefined ? {} : { finished: quantity }) });
  }

  /** Reads the order. @returns what it means when it is not open any more; undefined: it is, and `open` holds it */
  async look(goal: Goal): Promise<Delivered | undefined> {
    return this.judge(goal, await this.odoo.read());
  }

  /** What it means when an order is not open any more; undefined: it is, and `open` holds it. */
  judge(goal: Goal, { production, ...held }: OrderState): Delivered | undefined {
    this.open = undefined;
    const { moId, consignment, quantity } = goal;
    const { consumption, remainders } = held;
    if (!production) return this.unknown(goal);
    if (production.state === 'cancel')
      return this.result(concluded('order-cancelled', `order ${moId} is cancelled in Odoo`), goal);
    if (production.state !== 'done') {
      this.open = { ...held, production };
      return undefined;
    }
    const row = { weights: consignment.weights, finished: quantity };
    const told = otherFigures(row, { production, consumption }, this.silos);
    if (told.length > 0) {
      const reason = doneDifferently({ mo_id: moId }, production, told, remainders);
      return this.result(concluded('order-done', reason), goal);
    }
    const finished = production.qty_produced;
    return {
      ...this.confirmed(goal),
      done: { state: production.state, finished, consumption, read_at: new Date().toISOString() },
    };
  }

  /** A refused delivery: the order's state tells better than the words, which follow the user's language. */
  async refused(goal: Goal, { conclusion, reason }: Concluded): Promise<Delivered> {
    const refusal = this.result({ conclusion, reason }, goal);
    if (!ASK_THE_STATE.includes(conclusion)) return refusal;
    return (await this.look(goal)) ?? refusal;
  }

  /** Notes what somebody else entered in Odoo and is overwritten now. */
  overwrites(foreign: readonly (Difference & { confirmed: number })[]): void {
    if (foreign.length === 0) return;
    this.#overwritten = foreign
      .map(({ name, code, found, confirmed, wanted }) => {
        return `${name} (${code}): ${found} kg stood in Odoo, where ${confirmed} kg were confirmed; overwritten with ${wanted} kg`;
      })
      .join('; ');
    this.#answers.push({ call: 'changed in Odoo by others', ...concluded('confirmed', this.#overwritten) });
  }

  /** A read that fails ends a delivery with what the failure means, not with an exception. */
  async attempt(goal: Goal | undefined, work: () => Promise<Delivered>): Promise<Delivered> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof OdooError) return this.result(error.concluded, goal);
      throw error;
    }
  }

  unknown(goal: Goal): Delivered {
    return this.result(concluded('unknown-order', `Odoo does not know order ${goal.moId}`), goal);
  }

  /** Odoo holds the whole set. */
  confirmed(goal: Goal): Delivered {
    return { ...this.result(concluded('confirmed'), goal), confirmed: goal.consignment.weights };
  }

  /** Passing trouble before the first byte went out means that nothing was sent. */
  result({ conclusion, reason }: Concluded, goal?: Goal): Delivered {
    const told = goal && (wentOut(this.#answers) || CONCLUSIONS[conclusion].consequence !== 'retry');
    const { quantity } = goal ?? {};
    const { id, name } = this.odoo.order;
    return {
      ...{ conclusion, reason },
      ...(id === undefined ? {} : { order: { id, name } }),
      ...(told
        ? { sent: goal.consignment.weights, ...(quantity === undefined ? {} : { sentFinished: quantity }) }
        : {}),
      ...(this.#overwritten ? { overwritten: this.#overwritten } : {}),
      answers: [...this.#answers],
    };
  }
}
