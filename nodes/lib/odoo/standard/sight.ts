/** One order of a standard Odoo as it was seen last. */
import { concluded, type Concluded } from '../../domain/conclusion';
import { NO_ORDER, OdooError, type OrderState, type OrderVisit, type VisitOptions } from '../../domain/odoo-orders';
import { consumedBySilo, identify, nameInOdoo, type OrderKey, type Production, remaindersOf } from '../../domain/order';
import type { SiloMap } from '../../domain/silos';
import type { Reader } from './reader';
import { type ProductionRecord, productionOf } from './records';

export class OrderSight {
  readonly #reader: Reader;
  readonly #key: OrderKey;
  readonly #silos: SiloMap;
  readonly #how: VisitOptions;
  order: OrderVisit['order'];
  /** As Odoo told it last. */
  record: ProductionRecord | undefined;
  /** With its moves, unless something was written since. */
  held: OrderState | undefined;

  constructor(reader: Reader, key: OrderKey, silos: SiloMap, how: VisitOptions) {
    this.#reader = reader;
    this.#key = key;
    this.#silos = silos;
    this.#how = how;
    this.order = { id: key.odoo_id ?? undefined, name: nameInOdoo(key) };
  }

  get id(): number {
    const { id, name } = this.order;
    if (id === undefined) throw new Error(`order ${name} was not looked for`);
    return id;
  }

  /** @throws OdooError */
  async find(): Promise<Production | undefined> {
    const { id, name } = this.order;
    const records = await this.#reader.productions(
      [id === undefined ? ['name', '=', name] : ['id', '=', id]],
      this.#how,
    );
    const units = await this.#reader.units([], this.#how);
    const found = records.map((record) => productionOf(record, units.get((record.product_uom_id || [0])[0])));
    const { production, reason } = identify({ mo_id: name, odoo_id: id ?? null }, found);
    if (reason) throw new OdooError('', concluded('ambiguous-order', reason));
    this.record = records.find((record) => record.id === production?.id);
    if (production) this.order = { id: production.id, name: production.name };
    return production;
  }

  /** @throws OdooError */
  async read(): Promise<OrderState> {
    const production = await this.find();
    if (!production) return NO_ORDER;
    const moves = await this.#reader.moves([['raw_material_production_id', '=', production.id]], this.#how);
    const names = production.state === 'done' ? remaindersOf(this.#key, production) : [];
    const remainders = names.length > 0 ? await this.#named(names) : [];
    this.held = { production, moves, consumption: consumedBySilo(moves, this.#silos), remainders };
    return this.held;
  }

  async #named(names: readonly string[]): Promise<Production[]> {
    const records = await this.#reader.productions([['name', 'in', names]], this.#how);
    return records.map((record) => productionOf(record, undefined));
  }

  unknown(): Concluded {
    return concluded('unknown-order', `Odoo does not know order ${this.#key.mo_id}`);
  }

  /** What an order takes nothing for any more; undefined: it is open. */
  static closed({ name, state }: Production): Concluded | undefined {
    if (state === 'done') return concluded('order-done', `order ${name} is done in Odoo`);
    return state === 'cancel' ? concluded('order-cancelled', `order ${name} is cancelled in Odoo`) : undefined;
  }
}
