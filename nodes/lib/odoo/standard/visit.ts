/**
 * One order of a standard Odoo while something is done to it: the full set in one write, and every success read back
 * (contract, "The one sequence that works on all of them").
 */
import type { Unweighed } from '../../domain/closing';
import { type Concluded, concluded, type Conclusion } from '../../domain/conclusion';
import type { Consignment } from '../../domain/consumption';
import type { Closed, DeliverOptions, OrderState, OrderVisit, Taken, VisitOptions } from '../../domain/odoo-orders';
import type { OrderKey, OrderMove, Production, Unit } from '../../domain/order';
import type { SiloMap } from '../../domain/silos';
import { sameForOdoo } from '../../domain/weight';
import { DONE } from '../answer';
import { book } from './booking';
import type { KnownOrders } from './known';
import { beyondReservation, finishedLot, lacksLot, type Lot } from './lots';
import { plan } from './plan';
import type { Reader } from './reader';
import { OrderSight } from './sight';
import { type Beside, OrderWriter } from './writer';

const FLAGS = { skip_consumption: true, skip_backorder: true };

/** What was known may be what is wrong: a component that was added, a line that is gone, another generation. */
const PERHAPS_OUTDATED: readonly Conclusion[] = ['bad-value', 'partial', 'unexplained'];

export class StandardVisit implements OrderVisit {
  readonly #reader: Reader;
  readonly #silos: SiloMap;
  readonly #how: VisitOptions;
  readonly #sight: OrderSight;
  readonly #writer: OrderWriter;

  constructor(reader: Reader, known: KnownOrders, key: OrderKey, silos: SiloMap, how: VisitOptions) {
    this.#reader = reader;
    this.#silos = silos;
    this.#how = how;
    this.#sight = new OrderSight(reader, key, silos, how);
    this.#writer = new OrderWriter(reader, known, this.#sight, how);
  }

  get order(): OrderVisit['order'] {
    return this.#sight.order;
  }

  find(): Promise<Production | undefined> {
    return this.#sight.find();
  }

  read(): Promise<OrderState> {
    return this.#sight.read();
  }

  async deliver(set: Consignment, { finished, final = false, held }: DeliverOptions = {}): Promise<Taken> {
    if (this.order.id === undefined && !(await this.find())) return { ...this.#sight.unknown(), untold: [] };
    // Odoo holds something else than it took: its moves and lines are not what they were.
    if (final || held) this.#writer.forget();
    const cached = this.#writer.known !== undefined;
    let said = await this.#deliver(set, finished, final);
    if (cached && PERHAPS_OUTDATED.includes(said.conclusion)) said = await this.#deliver(set, finished, final);
    return { ...said, untold: [] };
  }

  async #deliver(set: Consignment, finished: number | undefined, final: boolean): Promise<Concluded> {
    const known = await this.#writer.learn();
    if ('conclusion' in known) return known;
    const { entries, missing } = plan(set, known, this.#silos, await this.#reader.generation(this.#how));
    if (missing.length > 0) {
      this.#writer.forget();
      // A person may have corrected what they are called since.
      this.#reader.forgetProducts();
      const reason = `${missing.join(', ')}: the order has no component whose reference is this code; correct the reference in Odoo, the silo-map, or the order`;
      return concluded('partial', reason);
    }
    if (entries.length === 0 && !finished) return DONE;
    const beside = { finished, ...(final && finished ? await this.#lotValues() : {}) };
    return this.#writer.write('update', entries, known, beside);
  }

  /** The last figures bring the lot along; one that cannot be made is told when the order is closed. */
  async #lotValues(): Promise<Pick<Beside, 'values'>> {
    const lot = await this.#lot();
    return lot?.values ? { values: lot.values } : {};
  }

  /** What gives the order its lot; undefined: it needs none, or none is to be made. */
  async #lot(): Promise<Lot | undefined> {
    const { record } = this.#sight;
    const { makeLot = true } = this.#how;
    if (!makeLot || !record || !(await lacksLot(this.#reader, record, this.#how))) return undefined;
    return finishedLot(this.#reader, this.#writer, record, this.#how);
  }

  async takeFinishedBack(): Promise<Concluded> {
    const known = await this.#writer.learn();
    return 'conclusion' in known ? known : this.#writer.write('finished goods to 0', [], known, { finished: 0 });
  }

  async byproducts(): Promise<OrderMove[]> {
    const ids = this.#sight.held?.production?.move_byproduct_ids ?? [];
    return ids.length > 0 ? this.#reader.moves([['id', 'in', ids]], this.#how) : [];
  }

  units(ids: readonly number[]): Promise<Map<number, Unit>> {
    return this.#reader.units(ids, this.#how);
  }

  book(list: readonly Unweighed[]): Promise<Concluded> {
    return book(this.#reader, this.#writer, list, this.#how);
  }

  async close(finished: number, mayForce: (held: OrderState) => boolean): Promise<Closed> {
    const before = await this.#ready(finished);
    if ('said' in before) return before;
    this.#writer.forget();
    // Without the flags Odoo asks a person wherever it minds (17:112); with them it closes under every policy (17:128).
    const context = mayForce(before) ? { context: FLAGS } : {};
    const said = await this.#writer.answered('mark-done', 'button_mark_done', { ids: [this.#sight.id], ...context });
    const collided = said.conclusion === 'busy' || said.conclusion === 'collided';
    return { said, collided, held: await this.read() };
  }

  /** The order as it may be marked done: its finished goods read back, or Odoo takes the plan for them; with its lots. */
  async #ready(finished: number): Promise<OrderState | Closed> {
    const held = this.#sight.held ?? (await this.read());
    const { production } = held;
    const refused = (said: Concluded): Closed => ({ said, collided: false, held });
    if (!production) return refused(this.#sight.unknown());
    if (!sameForOdoo(production.qty_producing, finished)) {
      return refused(
        concluded('not-done', `${finished} kg finished were entered, ${production.qty_producing} kg are in Odoo`),
      );
    }
    const excess = this.#how.refuseExcess ? await this.#excess(held) : undefined;
    if (excess) return refused(excess);
    const lot = await this.#lot();
    if (!lot) return held;
    if (lot.concluded) return refused(lot.concluded);
    const known = await this.#writer.learn();
    if ('conclusion' in known) return refused(known);
    const said = await this.#writer.write('lot', [], known, { finished, values: lot.values });
    return said.conclusion === 'confirmed' ? this.read() : refused(said);
  }

  async #excess(held: OrderState): Promise<Concluded | undefined> {
    const known = await this.#writer.learn();
    if ('conclusion' in known) return known;
    const reason = await beyondReservation(this.#reader, held, known, this.#how);
    return reason ? concluded('undecided', reason) : undefined;
  }
}
