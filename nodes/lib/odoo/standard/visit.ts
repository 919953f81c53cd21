/**
 * One order of a standard Odoo while something is done to it: the full set in one write, with the guard that a done order
 * refuses, and every success read back (contract, "The one sequence that works on all of them").
 */
import { describeUnweighed, type Unweighed } from '../../domain/closing';
import { type Concluded, concluded } from '../../domain/conclusion';
import type { Consignment } from '../../domain/consumption';
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
import { sameForOdoo } from '../../domain/weight';
import { DONE } from '../answer';
import { type Command, entry, guard } from './figures';
import type { KnownOrder, KnownOrders } from './known';
import { finishedLot } from './lots';
import { plan } from './plan';
import type { Reader } from './reader';
import { type ProductionRecord, productionOf } from './records';

const FLAGS = { skip_consumption: true, skip_backorder: true };
/** The windows that the flags answer; others ask something else, and a repeat would not change it. */
const ANSWERED = ['mrp.consumption.warning', 'mrp.production.backorder'];

export class StandardVisit implements OrderVisit {
  readonly #reader: Reader;
  readonly #known: KnownOrders;
  readonly #key: OrderKey;
  readonly #silos: SiloMap;
  readonly #how: VisitOptions;
  #order: OrderVisit['order'];
  /** As it was read last, unless something was written since. */
  #record: ProductionRecord | undefined;
  #held: OrderState | undefined;

  constructor(reader: Reader, known: KnownOrders, key: OrderKey, silos: SiloMap, how: VisitOptions) {
    this.#reader = reader;
    this.#known = known;
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
    const records = await this.#reader.productions(
      [id === undefined ? ['name', '=', name] : ['id', '=', id]],
      this.#how,
    );
    const units = await this.#reader.units([], this.#how);
    const found = records.map((record) => productionOf(record, units.get((record.product_uom_id || [0])[0])));
    const { production, reason } = identify({ mo_id: name, odoo_id: id ?? null }, found);
    if (reason) throw new OdooError('', concluded('ambiguous-order', reason));
    this.#record = records.find((record) => record.id === production?.id);
    if (production) this.#order = { id: production.id, name: production.name };
    return production;
  }

  async read(): Promise<OrderState> {
    const production = await this.find();
    if (!production) return NO_ORDER;
    const moves = await this.#reader.moves([['raw_material_production_id', '=', production.id]], this.#how);
    const names = production.state === 'done' ? remaindersOf(this.#key, production) : [];
    const remainders = names.length > 0 ? await this.#named(names) : [];
    this.#held = { production, moves, consumption: consumedBySilo(moves, this.#silos), remainders };
    return this.#held;
  }

  async #named(names: readonly string[]): Promise<Production[]> {
    const records = await this.#reader.productions([['name', 'in', names]], this.#how);
    return records.map((record) => productionOf(record, undefined));
  }

  async deliver(set: Consignment, { finished, final = false }: DeliverOptions = {}): Promise<Taken> {
    const { id } = this.#order;
    if (id === undefined && !(await this.find())) return { ...this.#unknown(), untold: [] };
    if (final) this.#forget();
    const cached = this.#known.get(this.#id) !== undefined;
    let said = await this.#deliver(set, finished);
    // What was known may be what is wrong: a component that was added, a line that is gone.
    if (cached && ['bad-value', 'partial', 'unexplained'].includes(said.conclusion))
      said = await this.#deliver(set, finished);
    return { ...said, untold: [] };
  }

  async #deliver(set: Consignment, finished?: number): Promise<Concluded> {
    const known = await this.#learn();
    if ('conclusion' in known) return known;
    const { entries, missing } = plan(set, known, this.#silos, await this.#reader.generation(this.#how));
    if (missing.length > 0) {
      this.#forget();
      const reason = `${missing.join(', ')}: the order has no component whose reference is this code; correct the reference in Odoo, the silo-map, or the order`;
      return concluded('partial', reason);
    }
    return entries.length > 0 || finished ? this.#write('update', entries, known, finished) : DONE;
  }

  /** Figures, finished goods and guard in one call: all of it is taken, or nothing. */
  async #write(
    call: string,
    entries: readonly Command[],
    known: KnownOrder,
    finished?: number,
    more: object = {},
  ): Promise<Concluded> {
    if (known.startGuard === null) {
      const before = await this.find();
      if (before?.state === 'done') return concluded('order-done', `order ${before.name} is done in Odoo`);
    }
    const guards = entries.length > 0 ? entries : known.moves.map(guard);
    const vals = {
      ...(finished === undefined ? {} : { qty_producing: finished / known.kg }),
      ...{ ...known.startGuard, ...more, move_raw_ids: guards },
    };
    const said = await this.#answered(call, 'write', { ids: [this.#id], vals });
    if (said.conclusion === 'confirmed' && known.complete) return said;
    // After a refusal nothing known is relied on; a move that had no line has one by now.
    this.#known.drop(this.#id);
    if (said.conclusion === 'unexplained') this.#reader.forget();
    return said;
  }

  /** @returns what stands against it: an order that is not open takes nothing */
  async #learn(): Promise<KnownOrder | Concluded> {
    const known = this.#known.get(this.#id);
    if (known) return known;
    if (!this.#held?.production || !this.#record) await this.read();
    const { production, moves = [] } = this.#held ?? {};
    if (!production || !this.#record) return this.#unknown();
    const { state, name } = production;
    if (state === 'done') return concluded('order-done', `order ${name} is done in Odoo`);
    if (state === 'cancel') return concluded('order-cancelled', `order ${name} is cancelled in Odoo`);
    const { startGuards, start, byLine } = await this.#reader.generation(this.#how);
    const lines = await this.#reader.lines(this.#id, this.#how);
    const units = await this.#reader.units([], this.#how);
    const open = moves.filter(({ state }) => state !== 'cancel' && state !== 'done');
    const begun = ((this.#record.workorder_ids as unknown[] | undefined) ?? []).length > 0;
    const learned: KnownOrder = {
      moves: open.map((move) => ({ ...move, kg: move.kg ?? 1, lines: lines.get(move.id) ?? [] })),
      kg: units.get((this.#record.product_uom_id || [0])[0])?.kg ?? 1,
      startGuard: !startGuards ? {} : begun ? null : { [start]: this.#record[start] },
      complete: !byLine || open.every(({ id }) => (lines.get(id) ?? []).length > 0),
    };
    this.#known.set(this.#id, learned);
    return learned;
  }

  async takeFinishedBack(): Promise<Concluded> {
    const known = await this.#learn();
    return 'conclusion' in known ? known : this.#write('finished goods to 0', [], known, 0);
  }

  async byproducts(): Promise<OrderMove[]> {
    const ids = this.#held?.production?.move_byproduct_ids ?? [];
    return ids.length > 0 ? this.#reader.moves([['id', 'in', ids]], this.#how) : [];
  }

  units(ids: readonly number[]): Promise<Map<number, Unit>> {
    return this.#reader.units(ids, this.#how);
  }

  async book(list: readonly Unweighed[]): Promise<Concluded> {
    const known = await this.#learn();
    if ('conclusion' in known) return known;
    const generation = await this.#reader.generation(this.#how);
    const entries = list.flatMap(({ move, quantity }) => {
      const own = known.moves.find(({ id }) => id === move.id);
      return own ? [entry(own, quantity, generation)] : [];
    });
    if (entries.length > 0) {
      const named = `book ${list.map(({ move }) => move.product).join(', ')}`;
      const said = await this.#write(named, entries, known);
      if (said.conclusion !== 'confirmed') return { ...said, reason: `what no silo weighs: ${said.reason}` };
    }
    for (const { move, quantity } of list.filter(({ move }) => !known.moves.some(({ id }) => id === move.id))) {
      const [, , values] = entry({ id: move.id, uom_id: move.uom_id, lines: [] }, quantity, {
        ...generation,
        manual: false,
      });
      const said = await this.#answered(
        `book ${move.product}`,
        'write',
        { ids: [move.id], vals: values },
        'stock.move',
      );
      if (said.conclusion !== 'confirmed') return said;
    }
    const ids = list.map(({ move }) => move.id);
    const found = new Map((await this.#reader.moves([['id', 'in', ids]], this.#how)).map(({ id, done }) => [id, done]));
    const missing = list.filter(({ move, quantity }) => Math.abs((found.get(move.id) ?? 0) - quantity) > 1e-6);
    if (missing.length === 0) return DONE;
    return concluded('not-done', `booked, but not found in Odoo: ${describeUnweighed(missing)}`);
  }

  async close(finished: number, mayForce: (held: OrderState) => boolean): Promise<Closed> {
    const before = await this.#ready(finished);
    if ('said' in before) return before;
    this.#forget();
    // Without the flags Odoo asks a person wherever it minds (17:112); with them it closes under every policy (17:128).
    const force = mayForce(before);
    const context = force ? { context: FLAGS } : {};
    const said = await this.#answered('mark-done', 'button_mark_done', { ids: [this.#id], ...context });
    const collided = said.conclusion === 'busy' || said.conclusion === 'collided';
    return { said, collided, held: await this.read() };
  }

  /** The order as it may be marked done: its finished goods read back, or Odoo takes the plan for them; with its lot. */
  async #ready(finished: number): Promise<OrderState | Closed> {
    const held = this.#held ?? (await this.read());
    const { production } = held;
    const refused = (said: Concluded): Closed => ({ said, collided: false, held });
    if (!production || !this.#record) return refused(this.#unknown());
    if (!sameForOdoo(production.qty_producing, finished)) {
      return refused(
        concluded('not-done', `${finished} kg finished were entered, ${production.qty_producing} kg are in Odoo`),
      );
    }
    if (!(await this.#makesLots())) return held;
    const lot = await finishedLot(this.#reader, this.#record, this.#how);
    if (lot.concluded) return refused(lot.concluded);
    if (!lot.values) return held;
    const known = await this.#learn();
    if ('conclusion' in known) return refused(known);
    const said = await this.#write('lot', [], known, finished, lot.values);
    if (said.conclusion !== 'confirmed') return refused(said);
    return this.read();
  }

  async #makesLots(): Promise<boolean> {
    const [product] = this.#record?.product_id || [0];
    return (await this.#reader.products([product], this.#how)).get(product)?.tracking === 'lot';
  }

  get #id(): number {
    const { id, name } = this.#order;
    if (id === undefined) throw new Error(`order ${name} was not looked for`);
    return id;
  }

  #forget(): void {
    this.#known.drop(this.#id);
    this.#held = undefined;
  }

  #unknown(): Concluded {
    return concluded('unknown-order', `Odoo does not know order ${this.#key.mo_id}`);
  }

  /** A call that may change something. What was read before is old from then on. */
  async #answered(
    call: string,
    method: string,
    named: Record<string, unknown>,
    model = 'mrp.production',
  ): Promise<Concluded> {
    this.#held = undefined;
    const read = await this.#reader.rpc.call(model, method, named, this.#how);
    const said = read.concluded ?? meaningOf(read.result, 'context' in named);
    this.#how.onAnswer(call, said);
    return said;
  }
}

/** `true` is taken, and so is an answer without a result; a window is a question, told by what it asks about (17:154). */
function meaningOf(result: unknown, forced: boolean): Concluded {
  if (typeof result !== 'object' || result === null)
    return result === false ? concluded('unexplained', 'Odoo answered false') : DONE;
  const { res_model = 'a window' } = result as { res_model?: string };
  const asks = `Odoo asks for a decision (${res_model})`;
  return forced && ANSWERED.includes(res_model)
    ? concluded('collided', `${asks} although it was told not to`)
    : concluded('not-done', asks);
}
