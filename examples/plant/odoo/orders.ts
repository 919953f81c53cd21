/**
 * Manufacturing orders and stock moves of the simulated Odoo: what Odoo's own models do, in memory.
 */
import { EQUIPMENT, PRODUCTS, RECIPE, RECIPE_PRODUCT, RECIPE_QTY, UNITS, wizard } from './catalogue';
import type { Component, Equipment, Named } from './catalogue';

export type Policy = 'warning' | 'strict' | 'flexible';
export type OrderState = 'confirmed' | 'progress' | 'to_close' | 'done' | 'cancel';
export type MoveState = 'confirmed' | 'assigned' | 'done' | 'cancel';

/** A stock move of one component; weights in `uom`. */
export interface Move {
  id: number;
  product: Named;
  uom: Named;
  equipment: Equipment | null;
  bomLineId: number;
  plan: number;
  done: number;
  reserved: number;
  state: MoveState;
}

/** A manufacturing order. Times are Odoo's naive UTC texts; `version` counts its commits. */
export interface Order {
  id: number;
  name: string;
  reference: string | false;
  product: Named;
  bom: {
    id: number;
    code: string;
    policy: Policy;
    lines: { id: number; product: Named; uom: Named; quantity: number }[];
  };
  quantity: number;
  producing: number;
  finished: { done: number; plan: number; state: MoveState };
  line: Equipment | null;
  schedule: string;
  dateFinished: string | false;
  moves: Move[];
  version: number;
}

/** An order to create; what is left out is taken from the recorded recipe and the clock. */
export interface NewOrder {
  name?: string;
  product?: string;
  quantity?: number;
  components?: readonly Component[];
  /** Equipment code of the line; null: the order has none. */
  line?: string | null;
  policy?: Policy;
  /** Naive UTC, `YYYY-MM-DD HH:MM:SS`. */
  schedule?: string;
  /** What the components' quantities are for. */
  bomQty?: number;
  reference?: string | false;
  /** Components are reserved from stock. */
  reserved?: boolean;
}

/** An error that Odoo raises; rolls the call back. `type` is the Python class that the envelope names. */
export class OdooError extends Error {
  constructor(
    message: string,
    readonly type = 'odoo.exceptions.UserError',
  ) {
    super(message);
  }
}

/**
 * Rounds a quantity to the unit's 0.01 as Odoo's `float_round` does: half away from zero, after adding one unit in
 * the last place. The product is left as it falls (123.456 → 123.46000000000001, exchange 267).
 */
export function roundQty(value: number): number {
  const steps = Math.abs(value) / 0.01;
  if (steps === 0) return 0;
  return Math.sign(value) * Math.round(steps + 2 ** (Math.log2(steps) - 52)) * 0.01;
}

/** The stored state, computed from the moves as mrp.production does. */
export function stateOf(order: Order): OrderState {
  if (order.moves.every((move) => move.state === 'cancel')) return 'cancel';
  if (order.moves.every((move) => move.state === 'done' || move.state === 'cancel')) return 'done';
  if (order.producing >= order.quantity) return 'to_close';
  return order.producing > 0 || order.moves.some((move) => move.done !== 0) ? 'progress' : 'confirmed';
}

/** Date as Odoo stores it: naive UTC without fractions. */
export const odooTime = (at: Date): string => at.toISOString().slice(0, 19).replace('T', ' ');

/** Names with ids, some known from the start; a new name gets the next id. */
class Register<T extends Named> {
  private readonly byKey = new Map<string, T>();
  private next = 1;

  constructor(
    known: readonly T[],
    private readonly key: (item: T) => string,
  ) {
    known.forEach((item) => this.keep(item));
  }

  keep(item: T): void {
    this.byKey.set(this.key(item), item);
    this.next = Math.max(this.next, item.id + 1);
  }

  find(key: string): T | undefined {
    return this.byKey.get(key);
  }

  get(key: string, make: (id: number) => T): T {
    const found = this.byKey.get(key);
    if (found) return found;
    const made = make(this.next);
    this.keep(made);
    return made;
  }
}

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
          id: this.nextMove++,
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
    this.nextMove++; // the finished product's move
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

  /**
   * button_mark_done: true when the order is done (or was done before), else the wizard that Odoo opens.
   * @throws OdooError when nothing was produced or consumed.
   */
  markDone(order: Order, flags: { skip_consumption?: unknown; skip_backorder?: unknown } = {}): true | object {
    if (stateOf(order) === 'done') return true;
    if (!(order.producing > 0)) throw new OdooError('The quantity to produce must be positive!');
    if (stateOf(order) === 'cancel') return true; // nothing left to post; the order stays cancelled (not recorded)
    if (!order.moves.some((move) => move.done > 0)) {
      throw new OdooError('You must indicate a non-zero amount consumed for at least one of your components');
    }
    const issues = flags.skip_consumption || order.bom.policy === 'flexible' ? [] : this.consumptionIssues(order);
    if (issues.length > 0) return wizard('consumption', [order.id], issues);
    if (order.producing < order.quantity && !flags.skip_backorder) {
      return wizard('backorder', [order.id], [[0, 0, { mrp_production_id: order.id, to_backorder: true }]]);
    }
    this.finish(order);
    return true;
  }

  private consumptionIssues(order: Order): unknown[] {
    return order.moves.flatMap((move) => {
      const expected = roundQty((move.plan * order.producing) / order.quantity);
      if (Math.abs(expected - move.done) < 0.005) return [];
      const line = {
        mrp_production_id: order.id,
        product_id: move.product.id,
        consumption: order.bom.policy,
        product_uom_id: move.uom.id,
        product_consumed_qty_uom: move.done,
        product_expected_qty_uom: expected,
      };
      return [[0, 0, line]];
    });
  }

  /** Posts the moves: what goes over the plan becomes a second move, the sum stays (exchange 175). */
  private finish(order: Order): void {
    const extra: Move[] = [];
    for (const move of order.moves) {
      move.state = move.done > 0 ? 'done' : 'cancel';
      move.reserved = 0;
      const over = roundQty(move.done - move.plan);
      if (over > 0 && move.plan > 0) {
        extra.push({ ...move, id: this.nextMove++, plan: over, done: over });
        move.done = move.plan;
      }
    }
    order.moves.push(...extra);
    order.finished.done ||= order.producing;
    order.finished.state = 'done';
    order.quantity = order.finished.done;
    order.dateFinished = odooTime(this.now());
  }

  private silo(code: string): Equipment {
    return this.equipment.get(code, (id) => ({ id, code, name: code.toUpperCase(), type: 'silo' }));
  }

  private plc(code: string): Equipment {
    return this.equipment.get(code, (id) => ({ id, code, name: code, type: 'plc' }));
  }
}
