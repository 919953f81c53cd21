/**
 * One order, worked on over the SCADA addon: its routes go by the order's name, its update cannot say 0, and Odoo 14 takes
 * no figure for a component that is reserved from several lots or places.
 */
import type { Unweighed } from '../../domain/closing';
import { describeUnweighed } from '../../domain/closing';
import { concluded, type Concluded, type Conclusion } from '../../domain/conclusion';
import { type Consignment, differences } from '../../domain/consumption';
import {
  type Closed,
  type DeliverOptions,
  NO_ORDER,
  OdooError,
  type OrderState,
  type OrderVisit,
  type Taken,
  type VisitOptions,
} from '../../domain/odoo-orders';
import {
  consumedBySilo,
  identify,
  nameInOdoo,
  type OrderKey,
  type OrderMove,
  type Production,
  remaindersOf,
  type Unit,
} from '../../domain/order';
import type { SiloMap } from '../../domain/silos';
import type { OdooClient } from './client';

/** Refusals that a component reserved from several lots or places may be behind. */
const PERHAPS_SPLIT: readonly Conclusion[] = ['bad-value', 'unexplained'];

export class AddonVisit implements OrderVisit {
  readonly #client: OdooClient;
  readonly #key: OrderKey;
  readonly #silos: SiloMap;
  readonly #how: VisitOptions;
  #order: OrderVisit['order'];
  /** As it was found last. */
  #production: Production | undefined;

  constructor(client: OdooClient, key: OrderKey, silos: SiloMap, how: VisitOptions) {
    this.#client = client;
    this.#key = key;
    this.#silos = silos;
    this.#how = how;
    this.#order = { id: key.odoo_id ?? undefined, name: nameInOdoo(key) };
  }

  get order(): OrderVisit['order'] {
    return this.#order;
  }

  async find(): Promise<Production | undefined> {
    const { id, name } = this.#order;
    const found = await this.#client.productions({ ids: id === undefined ? [] : [id], names: [name] }, this.#how);
    const { production, reason } = identify({ mo_id: name, odoo_id: id ?? null }, found);
    if (reason) throw new OdooError('', concluded('ambiguous-order', reason));
    this.#production = production;
    if (!production) return undefined;
    this.#order = { id: production.id, name: production.name };
    // Of the new name nothing is known yet.
    return production.name === name ? production : this.find();
  }

  /** The detail beside the moves tells the silos' codes as they are now. */
  async read(): Promise<OrderState> {
    const production = await this.find();
    if (!production) return NO_ORDER;
    const detail = await this.#client.order(production.id, this.#how);
    if (!detail) return NO_ORDER;
    const moves = (await this.#client.moves([production.id], [detail], this.#how)).get(production.id) ?? [];
    const names = production.state === 'done' ? remaindersOf(this.#key, production) : [];
    const remainders = await this.#client.productions({ names }, this.#how);
    return { production, moves, consumption: consumedBySilo(moves, this.#silos), remainders };
  }

  async deliver(set: Consignment, { finished, final = false, held }: DeliverOptions = {}): Promise<Taken> {
    // What is sent last must not go to another company's order of this name.
    if (final && !this.#production && !(await this.find())) return { ...this.#unknown(), untold: [] };
    if (held) return { ...(await this.#putRight(set, finished, held)), untold: [] };
    return { ...(await this.#update(set, finished)), untold: set.zeros };
  }

  /** Of what differs, zeros are entered one by one; the rest is the update again. */
  async #putRight(
    set: Consignment,
    finished: number | undefined,
    { moves, consumption }: OrderState,
  ): Promise<Concluded> {
    const open = differences(set.weights, consumption, this.#silos);
    for (const { code } of open.filter(({ wanted }) => wanted === 0)) {
      const holding = moves.filter((move) => move.code === code && move.done !== 0 && move.state !== 'cancel');
      for (const { product_id } of holding) {
        const { name } = this.#order;
        const zero = await this.#enter(
          'set to 0',
          (move) => move.code === code,
          () => this.#client.setToZero(name, code, product_id, this.#how),
        );
        if (zero.conclusion !== 'confirmed') return zero;
      }
    }
    return open.some(({ wanted }) => wanted > 0) ? this.#update(set, finished) : concluded('confirmed');
  }

  /** One with nothing above 0 and no finished goods is no update at all. */
  async #update({ byCode }: Consignment, finished?: number): Promise<Concluded> {
    if (Object.keys(byCode).length === 0 && !finished) return concluded('confirmed');
    const send = (): Promise<Concluded> =>
      this.#enter(
        'update',
        ({ code }) => code in byCode,
        () => this.#client.update(this.#order.name, byCode, finished, this.#how),
      );
    const { name } = this.#order;
    const update = await send();
    // A backorder made by hand has renamed the order: its id tells how it is called now.
    if (update.conclusion !== 'unknown-order' || !(await this.find()) || this.#order.name === name) return update;
    return send();
  }

  /**
   * Enters figures. Odoo refuses one for a component that is reserved from several lots or places, in words of any language:
   * where it refuses, its lines are counted.
   * @param gets whether a component gets a figure
   */
  async #enter(call: string, gets: (move: OrderMove) => boolean, send: () => Promise<Concluded>): Promise<Concluded> {
    const entered = await this.#answered(call, send());
    if (!PERHAPS_SPLIT.includes(entered.conclusion)) return entered;
    const { production, moves } = await this.read();
    if (!production || production.state === 'done' || production.state === 'cancel') return entered;
    const lines = await this.#client.linesByMove(production.id, this.#how).catch(noOneMayLook);
    const split = moves.filter((move) => gets(move) && (lines.get(move.id) ?? 0) > 1);
    if (split.length === 0) return entered;
    if (!this.#how.unreserve) return concluded('bad-value', this.#splitReason(split, entered));
    const freed = await this.#answered('unreserve', this.#client.unreserve(production.id, this.#how));
    return freed.conclusion === 'confirmed' ? this.#answered(call, send()) : freed;
  }

  #splitReason(split: readonly OrderMove[], { reason }: Concluded): string {
    const named = split.map(({ code, product }) => {
      const tag = this.#silos.byCode(code)?.tag;
      return `${tag ? `${this.#silos.name(tag)} (${code}), ` : ''}${product}`;
    });
    return `${named.join('; ')}: reserved from several lots or places, so that Odoo takes no figure: unreserve the order in Odoo, then retry (Odoo said: ${reason})`;
  }

  /** An update refuses 0 (exchange 121). */
  async takeFinishedBack(): Promise<Concluded> {
    if (!this.#production) return this.#unknown();
    return this.#answered('finished goods to 0', this.#client.setProducing(this.#production.id, 0, this.#how));
  }

  byproducts(): Promise<OrderMove[]> {
    return this.#client.movesOf(this.#production?.move_byproduct_ids ?? [], this.#how);
  }

  units(ids: readonly number[]): Promise<Map<number, Unit>> {
    return this.#client.units(ids, this.#how);
  }

  async book(list: readonly Unweighed[]): Promise<Concluded> {
    for (const { move, quantity } of list) {
      const entered = await this.#enter(
        `book ${move.product}`,
        ({ id }) => id === move.id,
        () => this.#client.enterDone(move.id, quantity, this.#how),
      );
      if (entered.conclusion !== 'confirmed')
        return { ...entered, reason: `${move.product}, which no silo weighs: ${entered.reason}` };
    }
    const ids = list.map(({ move }) => move.id);
    const found = new Map((await this.#client.movesOf(ids, this.#how)).map(({ id, done }) => [id, done]));
    const missing = list.filter(({ move, quantity }) => Math.abs((found.get(move.id) ?? 0) - quantity) > 1e-6);
    if (missing.length === 0) return concluded('confirmed');
    return concluded('not-done', `booked, but not found in Odoo: ${describeUnweighed(missing)}`);
  }

  async close(finished: number, mayForce: (held: OrderState) => boolean): Promise<Closed> {
    const { name } = this.#order;
    const first = await this.#answered('mark-done', this.#client.markDone(name, finished, this.#how));
    const held = await this.read();
    const { production } = held;
    // Without a quantity Odoo refuses for certain (exchanges 158, 160). A refusal in words that nobody knows is told by its
    // kind where Odoo itself is asked.
    const tells =
      first.conclusion === 'confirmed' || (first.conclusion === 'unexplained' && (production?.qty_producing ?? 0) > 0);
    const open = production && production.state !== 'done' && production.state !== 'cancel';
    if (!open || !tells || !mayForce(held)) return { said: first, collided: isCollision(first), held };
    const forced = this.#client.closeDespiteDifference(production.id, this.#how);
    const said = await this.#answered('close despite difference', forced);
    // Told twice that it is done, Odoo has lost the one by the other (odoo/odoo#79136).
    const forgotten = first.conclusion === 'confirmed' && ['confirmed', 'unexplained'].includes(said.conclusion);
    return { said, collided: forgotten || isCollision(said), held: await this.read() };
  }

  #unknown(): Concluded {
    return concluded('unknown-order', `Odoo does not know order ${this.#key.mo_id}`);
  }

  async #answered(call: string, sent: Promise<Concluded>): Promise<Concluded> {
    const said = await sent;
    this.#how.onAnswer(call, said);
    return said;
  }
}

/** PostgreSQL's words for two transactions in each other's way; other trouble is not over soon. */
const isCollision = ({ conclusion, reason }: Concluded): boolean =>
  conclusion === 'collided' ||
  (conclusion === 'busy' && /could not serialize|transaction is aborted|deadlock/i.test(reason));

/** Where the lines cannot be read, the refusal itself is what is known. @throws what is no failure of a read */
function noOneMayLook(error: unknown): Map<number, number> {
  if (error instanceof OdooError) return new Map();
  throw error;
}
