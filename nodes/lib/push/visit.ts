/**
 * One order in Odoo while something is delivered into it: what it is called there, what was answered, what was read last.
 */
import type { DoneReadback } from '../domain/batch';
import { concluded, CONCLUSIONS, type Concluded, type Conclusion } from '../domain/conclusion';
import { type Consignment, type Difference, doneDifferently, otherFigures } from '../domain/consumption';
import {
  consumedBySilo,
  identify,
  type OrderMove,
  type OrderRef,
  type Production,
  remaindersOf,
} from '../domain/order';
import type { SiloMap, SiloWeights } from '../domain/silos';
import type { OdooClient } from '../odoo/client';
import { OdooError } from '../domain/odoo-orders';
import type { CallOptions } from '../odoo/session';

export interface Delivered extends Concluded {
  /** kg per silo that were sent (or found to be there already). */
  sent?: SiloWeights;
  /** kg of finished goods that were sent. */
  sentFinished?: number;
  /** kg per silo that Odoo confirmed; also present when only the closing did not go through. */
  confirmed?: SiloWeights;
  done?: DoneReadback;
  /** Figures of somebody else that stood in Odoo and were overwritten, in words. */
  overwritten?: string;
  /** The order as it was found in Odoo: present where it was looked for. */
  order?: OrderRef;
  /** Every conclusion on the way, for the trail. */
  answers: ({ call: string } & Concluded)[];
}

/** What has to be in Odoo: the order, its set of weights and, where it was told, the finished goods (kg). */
export interface Goal {
  moId: string;
  consignment: Consignment;
  quantity: number | undefined;
  planned: SiloWeights;
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

/** Refusals whose words may be in any language: the order's state is read before they are believed. */
export const ASK_THE_STATE: readonly Conclusion[] = [
  'bad-value',
  'unknown-order',
  'order-done',
  'order-cancelled',
  'not-done',
  'unexplained',
];

/** Refusals that a component reserved from several lots or places may be behind. */
const PERHAPS_SPLIT: readonly Conclusion[] = ['bad-value', 'unexplained'];

/** Where the lines cannot be read, the refusal itself is what is known. @throws what is no failure of a read */
function noOneMayLook(error: unknown): Map<number, number> {
  if (error instanceof OdooError) return new Map();
  throw error;
}

/** Nothing above 0 and no finished goods: no update can say it. */
export const isNothing = ({ consignment: { byCode }, quantity }: Goal): boolean =>
  Object.keys(byCode).length === 0 && !quantity;

/** Whether a byte of any of these calls went out. */
export const wentOut = (answers: readonly Concluded[]): boolean => answers.some(({ unsent }) => !unsent);

export interface VisitOptions {
  /** Give back what is reserved for an order, where several lots or places stand in the way of a figure. */
  unreserve: boolean;
}

export class Visit {
  readonly client: OdooClient;
  readonly silos: SiloMap;
  readonly call: CallOptions;
  readonly #options: VisitOptions;
  readonly #answers: ({ call: string } & Concluded)[] = [];
  /** What was read last. */
  state: OrderState | undefined;
  /** What the PLC calls the order. */
  moId = '';
  /** The order in Odoo, as far as it is known. */
  order: { id: number | undefined; name: string } = { id: undefined, name: '' };
  /** What somebody else had entered in Odoo; '' when nobody had. */
  overwritten = '';

  /** @param call how every call is made; `beforeSend` may end the delivery by throwing (a lost lease) */
  constructor(client: OdooClient, silos: SiloMap, options: VisitOptions, call: CallOptions = {}) {
    this.client = client;
    this.silos = silos;
    this.#options = options;
    this.call = call;
  }

  /** Sends the set; one with nothing above 0 and no finished goods is no update at all. */
  async update(goal: Goal): Promise<Concluded> {
    if (isNothing(goal)) return concluded('confirmed');
    const { consignment, quantity } = goal;
    const send = (): Promise<Concluded> =>
      this.enter(
        'update',
        ({ code }) => code in consignment.byCode,
        () => this.client.update(this.order.name, consignment.byCode, quantity, this.call),
      );
    const { name } = this.order;
    const update = await send();
    // A backorder made by hand has renamed the order: its id tells how it is called now.
    if (update.conclusion !== 'unknown-order' || !(await this.find()) || this.order.name === name) return update;
    return send();
  }

  /**
   * Enters figures. Odoo refuses one for a component that is reserved from several lots or places, in words of any language:
   * where it refuses, its lines are counted.
   * @param gets whether a component gets a figure
   */
  async enter(call: string, gets: (move: OrderMove) => boolean, send: () => Promise<Concluded>): Promise<Concluded> {
    const entered = await this.answered(call, send());
    if (!PERHAPS_SPLIT.includes(entered.conclusion)) return entered;
    const { production, moves } = await this.read();
    if (!production || production.state === 'done' || production.state === 'cancel') return entered;
    const lines = await this.client.linesByMove(production.id, this.call).catch(noOneMayLook);
    const split = moves.filter((move) => gets(move) && (lines.get(move.id) ?? 0) > 1);
    if (split.length === 0) return entered;
    if (!this.#options.unreserve) return concluded('bad-value', this.#splitReason(split, entered));
    const freed = await this.answered('unreserve', this.client.unreserve(production.id, this.call));
    return freed.conclusion === 'confirmed' ? this.answered(call, send()) : freed;
  }

  #splitReason(split: readonly OrderMove[], { reason }: Concluded): string {
    const named = split.map(({ code, product }) => {
      const tag = this.silos.byCode(code)?.tag;
      return `${tag ? `${tag} (${code}), ` : ''}${product}`;
    });
    return `${named.join('; ')}: reserved from several lots or places, so that Odoo takes no figure: unreserve the order in Odoo, then retry (Odoo said: ${reason})`;
  }

  /** Notes what somebody else entered in Odoo and is overwritten now. */
  overwrites(foreign: readonly (Difference & { confirmed: number })[]): void {
    if (foreign.length === 0) return;
    this.overwritten = foreign
      .map(({ tag, code, found, confirmed, wanted }) => {
        return `${tag} (${code}): ${found} kg stood in Odoo, where ${confirmed} kg were confirmed; overwritten with ${wanted} kg`;
      })
      .join('; ');
    this.#answers.push({ call: 'changed in Odoo by others', ...concluded('confirmed', this.overwritten) });
  }

  /** A refused update: the order's state tells better than the words, which follow the user's language. */
  async refused(goal: Goal, refusal: Concluded): Promise<Delivered> {
    if (!ASK_THE_STATE.includes(refusal.conclusion)) return this.result(refusal, goal);
    return this.closed(goal, await this.read()) ?? this.result(refusal, goal);
  }

  /** What it means when the order is not open any more; undefined while it is. */
  closed(goal: Goal, { production, consumption, remainders }: OrderState): Delivered | undefined {
    const { moId, consignment, quantity } = goal;
    if (!production) return this.unknown(goal);
    if (production.state === 'cancel')
      return this.result(concluded('order-cancelled', `order ${moId} is cancelled in Odoo`), goal);
    if (production.state !== 'done') return undefined;
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

  unknown(goal: Goal): Delivered {
    return this.result(concluded('unknown-order', `Odoo does not know order ${goal.moId}`), goal);
  }

  /**
   * The order as Odoo has it now: by its id, else by its name. From then on it goes by the name it has there.
   * @throws OdooError when another order has that name, too
   */
  async find(): Promise<Production | undefined> {
    const { id, name } = this.order;
    const found = await this.client.productions({ ids: id === undefined ? [] : [id], names: [name] }, this.call);
    const { production: order, reason } = identify({ mo_id: name, odoo_id: id ?? null }, found);
    if (reason) throw new OdooError('', concluded('ambiguous-order', reason));
    if (!order) return undefined;
    this.order = { id: order.id, name: order.name };
    // Of the new name nothing is known yet.
    return order.name === name ? order : this.find();
  }

  /** State and moves; the detail beside them tells the silos' codes as they are now. */
  async read(): Promise<OrderState> {
    const production = await this.find();
    if (!production) return NO_ORDER;
    const detail = await this.client.order(production.id, this.call);
    if (!detail) return NO_ORDER;
    const moves = (await this.client.moves([production.id], [detail], this.call)).get(production.id) ?? [];
    const names = production.state === 'done' ? remaindersOf({ mo_id: this.moId }, production) : [];
    const remainders = await this.client.productions({ names }, this.call);
    this.state = { production, moves, consumption: consumedBySilo(moves, this.silos), remainders };
    return this.state;
  }

  async answered(call: string, sent: Promise<Concluded>): Promise<Concluded> {
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
  async attempt(goal: Goal, work: () => Promise<Delivered>): Promise<Delivered> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof OdooError) return this.result(error.concluded, goal);
      throw error;
    }
  }

  /** Odoo holds the whole set. */
  confirmed(goal: Goal): Delivered {
    return { ...this.result(concluded('confirmed'), goal), confirmed: goal.consignment.weights };
  }

  /** Passing trouble before the first byte went out means that nothing was sent. */
  result({ conclusion, reason }: Concluded, goal?: Goal): Delivered {
    const told = goal && (this.wentOut || CONCLUSIONS[conclusion].consequence !== 'retry');
    const { quantity } = goal ?? {};
    const { id, name } = this.order;
    return {
      ...{ conclusion, reason },
      ...(id === undefined ? {} : { order: { id, name } }),
      ...(told
        ? { sent: goal.consignment.weights, ...(quantity === undefined ? {} : { sentFinished: quantity }) }
        : {}),
      ...(this.overwritten ? { overwritten: this.overwritten } : {}),
      answers: [...this.#answers],
    };
  }
}
