/** The orders of the simulated Odoo: what its own models do, in memory. */
import { EQUIPMENT, PRODUCTS, RECIPE, RECIPE_PRODUCT, RECIPE_QTY, UNITS } from './catalogue';
import type { Equipment, Named } from './catalogue';
import { Closings } from './closing';
import { OdooError, Register, odooTime, roundQty, stateOf } from './records';
import type { NewOrder, Order, Policy } from './records';

const BOM_IDS: Record<Policy, number> = { warning: 1, flexible: 2, strict: 3 };

/** Odoo's sequence of the warehouse. */
const orderName = (id: number): string => `WH/MO/${String(id).padStart(5, '0')}`;

/** All orders of the simulated Odoo. Every change goes through `commit`. */
export class OrderBook {
  readonly equipment = new Register<Equipment>(EQUIPMENT, (item) => item.code);
  private readonly products = new Register<Named>(PRODUCTS, (item) => item.name);
  private readonly units = new Register<Named>(UNITS, (item) => item.name);
  private readonly orders = new Map<number, Order>();
  private readonly ids = new Map<string, number>();
  /** Closings under way, and what becomes of those that meet. */
  readonly closings = new Closings(this);
  private nextOrder = 1;
  /** The recorded server's first component move was 14; each order takes one more for its finished product. */
  private nextMove = 14;

  constructor(
    readonly now: () => Date,
    private readonly journal: (order: Order) => void,
  ) {}

  all(): Order[] {
    return [...this.orders.values()];
  }

  /** By name (exact) or by id. */
  find(key: unknown): Order | undefined {
    const id = typeof key === 'string' ? this.ids.get(key) : key;
    return typeof id === 'number' ? this.orders.get(id) : undefined;
  }

  create(wanted: NewOrder = {}): Order {
    const { bomQty = RECIPE_QTY, policy = 'warning', line = 'PLC01', product = RECIPE_PRODUCT } = wanted;
    let id = this.nextOrder;
    while (wanted.name === undefined && this.find(orderName(id))) id++; // a name given by hand may have taken it
    const quantity = wanted.quantity ?? bomQty;
    const schedule = wanted.schedule ?? odooTime(this.now());
    const bomId = BOM_IDS[policy];
    const lines = (wanted.components ?? RECIPE).map((component, index) => ({
      id: (bomId - 1) * 100 + index + 1,
      product: this.products.get(component.product, (newId) => ({ id: newId, name: component.product })),
      uom: this.units.get(component.uom ?? 'kg', (newId) => ({ id: newId, name: component.uom ?? 'kg' })),
      quantity: component.quantity,
      equipment: component.code === null ? null : this.silo(component.code),
    }));
    const order: Order = {
      id,
      name: wanted.name ?? orderName(id),
      reference: wanted.reference ?? `SCADA Bulk MO ${schedule}`,
      product: this.products.get(product, (newId) => ({ id: newId, name: product })),
      bom: {
        id: bomId,
        code: `${product.replaceAll(' ', '')}-${policy}`,
        policy,
        lines: lines.map(({ id, product, uom, quantity }) => ({ id, product, uom, quantity })),
      },
      quantity,
      producing: 0,
      finished: { done: 0, plan: quantity, state: 'confirmed' },
      line: line === null ? null : this.plc(line),
      schedule,
      dateFinished: false,
      moves: lines.map((bomLine) => {
        const plan = roundQty((bomLine.quantity * quantity) / bomQty);
        return {
          id: this.moveId(),
          product: bomLine.product,
          uom: bomLine.uom,
          equipment: bomLine.equipment,
          bomLineId: bomLine.id,
          plan,
          done: 0,
          reserved: wanted.reserved ? plan : 0,
          state: wanted.reserved ? 'assigned' : 'confirmed',
        };
      }),
      version: 0,
    };
    if (this.find(order.name)) throw new Error(`order ${order.name} exists in the simulated Odoo: choose another name`);
    this.moveId(); // the finished product's move
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
    this.orders.set(order.id, order);
    this.ids.set(order.name, order.id);
    this.nextOrder = Math.max(this.nextOrder, order.id + 1);
    for (const move of order.moves) {
      this.nextMove = Math.max(this.nextMove, move.id + 2);
      this.products.keep(move.product);
      this.units.keep(move.uom);
      if (move.equipment) this.equipment.keep(move.equipment);
    }
    this.products.keep(order.product);
    if (order.line) this.equipment.keep(order.line);
  }

  /** The next free id of a move. */
  moveId(): number {
    return this.nextMove++;
  }

  /** change.production.qty: scales the plan and reserves anew (exchange 125). */
  rescale(order: Order, quantity: number): void {
    for (const move of order.moves) {
      move.plan = roundQty((move.plan * quantity) / order.quantity);
      move.reserved = move.plan;
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
    for (const move of order.moves) move.state = 'cancel';
    order.finished.state = 'cancel';
  }

  private silo(code: string): Equipment {
    return this.equipment.get(code, (id) => ({ id, code, name: code.toUpperCase(), type: 'silo' }));
  }

  private plc(code: string): Equipment {
    return this.equipment.get(code, (id) => ({ id, code, name: code, type: 'plc' }));
  }
}
