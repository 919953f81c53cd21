/**
 * The one write of a push: figures, finished goods and guard in one call, all of it taken or nothing, with ids that were read
 * from this very order (contract, step 4).
 */
import { type Concluded, concluded } from '../../domain/conclusion';
import { OdooError, type VisitOptions } from '../../domain/odoo-orders';
import { startGuard } from '../generation';
import { DONE } from '../answer';
import { clean, type Command, guard } from './figures';
import type { KnownOrder, KnownOrders } from './known';
import type { Reader } from './reader';
import type { ProductionRecord } from './records';
import { OrderSight } from './sight';

/** The windows that the flags answer; others ask something else, and a repeat would not change it. */
const ANSWERED = ['mrp.consumption.warning', 'mrp.production.backorder'];

/** What goes into a write beside figures. */
export interface Beside {
  /** kg of finished goods so far; undefined: not told. */
  finished?: number | undefined;
  /** Fields of the order. */
  values?: Readonly<Record<string, unknown>>;
}

export class OrderWriter {
  readonly #reader: Reader;
  readonly #known: KnownOrders;
  readonly #sight: OrderSight;
  readonly #how: VisitOptions;

  constructor(reader: Reader, known: KnownOrders, sight: OrderSight, how: VisitOptions) {
    this.#reader = reader;
    this.#known = known;
    this.#sight = sight;
    this.#how = how;
  }

  /** What is known of the order from reading it. */
  get known(): KnownOrder | undefined {
    return this.#known.get(this.#sight.id);
  }

  /** Nothing that was read of it before is relied on. */
  forget(): void {
    this.#known.drop(this.#sight.id);
    this.#sight.held = undefined;
  }

  /** @returns what stands against it: an order that is not open takes nothing. @throws OdooError */
  async learn(): Promise<KnownOrder | Concluded> {
    if (this.known) return this.known;
    if (!this.#sight.held?.production || !this.#sight.record) await this.#sight.read();
    const { held, record, id } = { held: this.#sight.held, record: this.#sight.record, id: this.#sight.order.id };
    if (!held?.production || !record || id === undefined) return this.#sight.unknown();
    const closed = OrderSight.closed(held.production);
    if (closed) return closed;
    const { startGuards, byLine } = await this.#reader.generation(this.#how);
    const lines = await this.#reader.lines(id, this.#how);
    const open = held.moves.filter(({ state }) => state !== 'cancel' && state !== 'done');
    const remembered = this.#known.remember(id, [...lines.values()].flat());
    const linesOf = (move: number): KnownOrder['moves'][number]['lines'] =>
      (lines.get(move) ?? []).flatMap((line) => remembered.find(({ id }) => id === line.id) ?? []);
    const learned: KnownOrder = {
      moves: open.map((move) => {
        const { kg = 1, planned } = move;
        return { ...move, kg, planned: planned * kg, lines: linesOf(move.id) };
      }),
      kg: await this.#kgOf(record),
      startGuard: startGuards ? await this.#startGuard(record) : {},
      complete: !byLine || open.every(({ id: move }) => (lines.get(move) ?? []).length > 0),
    };
    this.#known.set(id, learned);
    return learned;
  }

  async #kgOf({ product_uom_id }: ProductionRecord): Promise<number> {
    return (await this.#reader.units([], this.#how)).get((product_uom_id || [0])[0])?.kg ?? 1;
  }

  /** Once a work order was begun, an open order refuses its start, too (14:180). */
  async #startGuard(record: ProductionRecord): Promise<KnownOrder['startGuard']> {
    const begun = ((record.workorder_ids as unknown[] | undefined) ?? []).length > 0;
    return begun ? null : startGuard(record, await this.#reader.generation(this.#how));
  }

  /** @throws OdooError */
  async write(
    call: string,
    entries: readonly Command[],
    known: KnownOrder,
    { finished, values = {} }: Beside = {},
  ): Promise<Concluded> {
    const guarded = known.startGuard !== null;
    const closed = guarded ? undefined : await this.#closed();
    if (closed) return closed;
    const vals = {
      ...(finished === undefined ? {} : { qty_producing: clean(finished / known.kg) }),
      ...{ ...known.startGuard, ...values, move_raw_ids: entries.length > 0 ? entries : known.moves.map(guard) },
    };
    const said = await this.answered(call, 'write', { ids: [this.#sight.id], vals });
    // After a refusal nothing known is relied on; a move that had no line has one by now.
    if (said.conclusion !== 'confirmed' || !known.complete) this.#known.drop(this.#sight.id);
    if (said.conclusion === 'unexplained') this.#reader.forget();
    // Without a guard it may have been closed in between.
    return said.conclusion === 'confirmed' && !guarded ? ((await this.#closed()) ?? said) : said;
  }

  async #closed(): Promise<Concluded | undefined> {
    const production = await this.#sight.find();
    return production && OrderSight.closed(production);
  }

  /** A call that may change something. What was read before is old from then on. @throws OdooError */
  async answered(
    call: string,
    method: string,
    named: Record<string, unknown>,
    model = 'mrp.production',
  ): Promise<Concluded> {
    return (await this.asked(call, model, method, named)).said;
  }

  /** The same, with what Odoo answered. */
  async asked(
    call: string,
    model: string,
    method: string,
    named: Record<string, unknown>,
  ): Promise<{ said: Concluded; result?: unknown }> {
    this.#sight.held = undefined;
    const read = await this.#reader.rpc.call(model, method, named, this.#how);
    const said = read.page
      ? await this.#refusedUnsaid()
      : (read.concluded ?? meaningOf(read.result, 'context' in named));
    this.#how.onAnswer(call, said);
    return { said, result: read.result };
  }

  /**
   * A page instead of an error says neither what was refused nor whether anything works: an Odoo that still tells the order
   * has refused the call (14:165), any other is out of order (14:167).
   */
  async #refusedUnsaid(): Promise<Concluded> {
    try {
      await this.#sight.find();
      return concluded('unexplained', 'Odoo refused the call without saying why (HTTP 500 with a page): see its log');
    } catch (error) {
      if (error instanceof OdooError) return error.concluded;
      throw error;
    }
  }
}

/** `true` is taken, and so is an answer without a result; a window is a question, told by what it asks about (17:154). */
function meaningOf(result: unknown, forced: boolean): Concluded {
  if (typeof result !== 'object' || result === null)
    return result === false ? concluded('unexplained', 'Odoo answered false') : DONE;
  if (Array.isArray(result)) return DONE;
  const { res_model = 'a window' } = result as { res_model?: string };
  const asks = `Odoo asks for a decision (${res_model})`;
  return forced && ANSWERED.includes(res_model)
    ? concluded('collided', `${asks} although it was told not to`)
    : concluded('not-done', asks);
}
