/** The orders of the simulated Odoo: what its own models do, in memory. */
import {
  COMPANIES,
  EQUIPMENT,
  PRODUCTS,
  RECIPE,
  RECIPE_PRODUCT,
  RECIPE_QTY,
  STOCK,
  UNITS,
  UNIT_CATEGORIES,
} from './catalogue';
import type { Component, Equipment, Named, Product, SimulatedUser, Unit } from './catalogue';
import { Closings } from './closing';
import { OdooError, Register, odooTime, roundQty, stateOf } from './records';
import type { Move, MoveLine, NewOrder, Order, Policy } from './records';

const BOM_IDS: Record<Policy, number> = { warning: 1, flexible: 2, strict: 3 };

/** Odoo's sequence of the warehouse. */
const orderName = (id: number): string => `WH/MO/${String(id).padStart(5, '0')}`;

const byName = ({ name }: Named): string => name;

/** All orders of the simulated Odoo. Every change goes through `commit`. */
export class OrderBook {
  readonly equipment = new Register<Equipment>(EQUIPMENT, (item) => item.code);
  readonly products = new Register<Product>(PRODUCTS, byName);
  readonly units = new Register<Unit>(UNITS, byName);
  private readonly categories = new Register<Named>(
    UNIT_CATEGORIES.map((name, index) => ({ id: index + 1, name })),
    byName,
  );
  private readonly companies = new Register<Named>(COMPANIES, byName);
  private readonly locations = new Register<Named>([STOCK], byName);
  private readonly lots = new Register<Named>([], byName);
  private readonly orders = new Map<number, Order>();
  private readonly ids = new Map<string, number[]>();
  /** Closings under way, and what becomes of those that meet. */
  readonly closings = new Closings(this);
  private nextOrder = 1;
  /** The recorded server's first component move was 14; each order takes one more for its finished product. */
  private nextMove = 14;
  private nextLine = 1;

  constructor(
    readonly now: () => Date,
    private readonly journal: (order: Order) => void,
  ) {}

  /** The orders, or those that a user sees. */
  all(user?: SimulatedUser): Order[] {
    return [...this.orders.values()].filter((order) => sees(user, order));
  }

  /** The orders of a name, in Odoo's own sequence. A name is unique within a company only. */
  named(name: string, user?: SimulatedUser): Order[] {
    const found = (this.ids.get(name) ?? []).flatMap((id) => this.orders.get(id) ?? []);
    return found
      .filter((order) => sees(user, order))
      .sort((a, b) => a.schedule.localeCompare(b.schedule) || a.id - b.id);
  }

  /** By name (exact; of several the first, as `search(limit=1)` has it) or by id. */
  find(key: unknown, user?: SimulatedUser): Order | undefined {
    if (typeof key === 'string') return this.named(key, user)[0];
    const order = typeof key === 'number' ? this.orders.get(key) : undefined;
    return order && sees(user, order) ? order : undefined;
  }

  create(wanted: NewOrder = {}): Order {
    const { bomQty = RECIPE_QTY, policy = 'warning', line = 'PLC01', product = RECIPE_PRODUCT } = wanted;
    const company = this.companies.get(wanted.company ?? 'My Company', (id) => ({ id, name: wanted.company ?? '' }));
    const taken = (name: string): boolean => this.named(name).some((order) => order.company.id === company.id);
    let id = this.nextOrder;
    while (wanted.name === undefined && taken(orderName(id))) id++; // a name given by hand may have taken it
    const name = wanted.name ?? orderName(id);
    if (taken(name)) throw new Error(`order ${name} exists in the simulated Odoo: choose another name`);
    const quantity = wanted.quantity ?? bomQty;
    const schedule = wanted.schedule ?? odooTime(this.now());
    const bomId = BOM_IDS[policy];
    const uom = this.unit(wanted.uom);
    const finished = this.product(product, uom, wanted.tracking);
    const scaled = (kg: number, unit: Unit): number => roundQty((kg * quantity) / bomQty, unit.rounding);
    const components = (wanted.components ?? RECIPE).map((component, index) => ({
      ...this.component(component),
      id: (bomId - 1) * 100 + index + 1,
      component,
    }));
    const order: Order = {
      id,
      name,
      reference: wanted.reference ?? `SCADA Bulk MO ${schedule}`,
      company,
      group: { id, name },
      sequence: 1,
      product: finished,
      uom,
      bom: {
        id: bomId,
        code: `${product.replaceAll(' ', '')}-${policy}`,
        policy,
        lines: components.map(({ id, product, uom, component }) => ({
          id,
          product,
          uom,
          quantity: component.quantity,
        })),
      },
      quantity,
      producing: 0,
      line: line === null ? null : this.plc(line),
      schedule,
      dateFinished: false,
      moves: components.map(({ id: bomLineId, component, ...what }) => {
        const plan = scaled(component.quantity, what.uom);
        const lines = this.reservation(component, wanted.reserved ? plan : 0);
        const state = lines.length > 0 ? 'assigned' : 'confirmed';
        return { ...this.move(what, plan), equipment: what.equipment, bomLineId, lines, state };
      }),
      finished: this.move({ product: finished, uom }, quantity),
      byproducts: (wanted.byproducts ?? []).map((byproduct) => {
        const what = this.component({ ...byproduct, code: null });
        return this.move(what, scaled(byproduct.quantity, what.uom));
      }),
      version: 0,
    };
    this.commit(order);
    return order;
  }

  /** Runs a change on a copy and commits it; if the change throws, nothing happened. */
  change<T>(order: Order, work: (copy: Order) => T): T {
    const copy = structuredClone(order);
    const result = work(copy);
    this.commit(copy);
    return result;
  }

  commit(order: Order): void {
    order.version += 1;
    this.keep(order);
    this.journal(order);
  }

  /** Takes an order over as it is (from a journal). */
  keep(order: Order): void {
    const before = this.orders.get(order.id)?.name;
    if (before !== undefined && before !== order.name) this.forget(order.id, before);
    this.orders.set(order.id, order);
    const ids = this.ids.get(order.name) ?? [];
    if (!ids.includes(order.id)) this.ids.set(order.name, [...ids, order.id]);
    this.nextOrder = Math.max(this.nextOrder, order.id + 1);
    for (const move of [...order.moves, order.finished, ...order.byproducts]) {
      this.nextMove = Math.max(this.nextMove, move.id + 1);
      this.nextLine = Math.max(this.nextLine, move.ownLine + 1, ...move.lines.map(({ id }) => id + 1));
      this.products.get(move.product.name, () => move.product);
      this.units.get(move.uom.name, () => move.uom);
      if (move.equipment) this.equipment.keep(move.equipment);
    }
    this.companies.keep(order.company);
    if (order.line) this.equipment.keep(order.line);
  }

  /** The next free id of a move. */
  moveId(): number {
    return this.nextMove++;
  }

  /** The next free id of a move line. */
  lineId(): number {
    return this.nextLine++;
  }

  /** A unit of a name; a new one is a reference unit of its own. */
  unit(name = 'kg'): Unit {
    return this.units.get(name, (id) => ({ id, name, category: name, factor: 1, rounding: 0.01 }));
  }

  /** A unit of one's own, or other properties of one that there is. */
  defineUnit(unit: Omit<Unit, 'id'>): Unit {
    this.units.keep({ ...unit, id: this.unit(unit.name).id });
    return this.unit(unit.name);
  }

  /** A unit's category as Odoo's record. */
  category({ category }: Unit): Named {
    return this.categories.get(category, (id) => ({ id, name: category }));
  }

  /** change.production.qty: scales the plan and reserves anew (exchange 125). */
  rescale(order: Order, quantity: number): void {
    for (const move of order.moves) {
      move.plan = roundQty((move.plan * quantity) / order.quantity, move.uom.rounding);
      const [first] = move.lines;
      const place = first ?? { id: move.ownLine, lot: null, location: STOCK };
      move.lines = [{ ...place, reserved: move.plan }];
      move.state = 'assigned';
    }
    order.quantity = quantity;
    order.finished.plan = quantity;
  }

  /** action_cancel: what was consumed stays on the cancelled moves (exchange 200). */
  cancel(order: Order): void {
    if (stateOf(order) === 'done') {
      throw new OdooError("You cannot cancel a stock move that has been set to 'Done'.");
    }
    for (const move of [...order.moves, order.finished, ...order.byproducts]) move.state = 'cancel';
  }

  /**
   * Splits what is not made yet off into an order of its own, as the backorder wizard does: the order itself is renamed
   * to `…-001`, the new one is `…-002`.
   */
  split(order: Order, made: number): Order {
    const rest = structuredClone(order);
    const share = (rest.quantity - made) / rest.quantity;
    const renumbered = (move: Move): Move => {
      const plan = roundQty(move.plan * share, move.uom.rounding);
      const state = move.state === 'assigned' ? 'confirmed' : move.state;
      return { ...move, id: this.moveId(), ownLine: this.lineId(), plan, done: 0, lines: [], state };
    };
    Object.assign(rest, {
      id: this.nextOrder,
      sequence: order.sequence + 1,
      quantity: roundQty(rest.quantity - made, order.uom.rounding),
      producing: 0,
      version: 0,
      moves: rest.moves.map(renumbered),
      finished: renumbered(rest.finished),
      byproducts: rest.byproducts.map(renumbered),
    });
    for (const move of [...order.moves, ...order.byproducts]) {
      move.plan = roundQty(move.plan * (1 - share), move.uom.rounding);
    }
    order.quantity = made;
    order.finished.plan = made;
    for (const part of [order, rest]) part.name = `${part.group.name}-${String(part.sequence).padStart(3, '0')}`;
    this.commit(rest);
    return rest;
  }

  private forget(id: number, name: string): void {
    this.ids.set(
      name,
      (this.ids.get(name) ?? []).filter((other) => other !== id),
    );
  }

  private component({ product, uom, tracking, code }: Pick<Component, 'product' | 'uom' | 'tracking' | 'code'>): {
    product: Product;
    uom: Unit;
    equipment: Equipment | null;
  } {
    const unit = this.unit(uom);
    return {
      product: this.product(product, unit, tracking),
      uom: unit,
      equipment: code === null ? null : this.silo(code),
    };
  }

  private move({ product, uom }: { product: Product; uom: Unit }, plan: number): Move {
    const ids = { id: this.moveId(), ownLine: this.lineId() };
    return { ...ids, product, uom, equipment: null, bomLineId: 0, plan, done: 0, lines: [], state: 'confirmed' };
  }

  /** The lines of what is reserved for a component; one without a lot where only a quantity is given. */
  private reservation({ reserved }: Component, quantity: number): MoveLine[] {
    const parts = reserved ?? (quantity > 0 ? [{ quantity }] : []);
    return parts.map(({ lot, location = STOCK.name, quantity: part }) => ({
      id: this.lineId(),
      lot: lot === undefined ? null : this.lots.get(lot, (id) => ({ id, name: lot })),
      location: this.locations.get(location, (id) => ({ id, name: location })),
      reserved: part,
    }));
  }

  private product(name: string, uom: Unit, tracking?: Product['tracking']): Product {
    const found = this.products.get(name, (id) => ({ id, name, tracking: tracking ?? 'none', uom: uom.id }));
    if (tracking !== undefined && found.tracking !== tracking) this.products.keep({ ...found, tracking });
    return this.products.find(name) ?? found;
  }

  private silo(code: string): Equipment {
    return this.equipment.get(code, (id) => ({ id, code, name: code.toUpperCase(), type: 'silo' }));
  }

  private plc(code: string): Equipment {
    return this.equipment.get(code, (id) => ({ id, code, name: code, type: 'plc' }));
  }
}

const sees = (user: SimulatedUser | undefined, { company }: Order): boolean =>
  user?.companies === undefined || user.companies.includes(company.name);
