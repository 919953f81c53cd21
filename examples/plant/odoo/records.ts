/** What the simulated Odoo keeps of orders and stock moves, and how it rounds and names things. */
import type { Component, Equipment, Named, Product, Unit } from './catalogue';

export type Policy = 'warning' | 'strict' | 'flexible';
export type OrderState = 'confirmed' | 'progress' | 'to_close' | 'done' | 'cancel';
export type MoveState = 'confirmed' | 'assigned' | 'done' | 'cancel';

/** What a move takes from one lot and place: the part of it that is reserved there. */
export interface MoveLine {
  id: number;
  lot: Named | null;
  location: Named;
  reserved: number;
}

/** A stock move of a component, a by-product or the finished product; quantities in `uom`. */
export interface Move {
  id: number;
  product: Product;
  uom: Unit;
  equipment: Equipment | null;
  /** 0: not from the bill of materials' components. */
  bomLineId: number;
  plan: number;
  done: number;
  /** The first line is kept for what is consumed without a reservation. */
  lines: MoveLine[];
  ownLine: number;
  state: MoveState;
}

/** A manufacturing order. Times are Odoo's naive UTC texts; `version` counts its commits. */
export interface Order {
  id: number;
  name: string;
  reference: string | false;
  company: Named;
  /** What an order has in common with its backorders, and which of them it is (from 1). */
  group: Named;
  sequence: number;
  product: Product;
  uom: Unit;
  bom: {
    id: number;
    code: string;
    policy: Policy;
    lines: { id: number; product: Product; uom: Unit; quantity: number }[];
  };
  quantity: number;
  producing: number;
  finished: Move;
  byproducts: Move[];
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
  /** Unit of the order's quantities; kg without it. */
  uom?: string;
  company?: string;
  /** Whether the finished product needs a lot or serial number. */
  tracking?: Product['tracking'];
  /** What the recipe makes besides its product; quantities for `bomQty`. */
  byproducts?: readonly { product: string; quantity: number; uom?: string }[];
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
export function roundQty(value: number, rounding = 0.01): number {
  const steps = Math.abs(value) / rounding;
  if (steps === 0) return 0;
  return Math.sign(value) * Math.round(steps + 2 ** (Math.log2(steps) - 52)) * rounding;
}

/** What is reserved for a move. */
export const reservedOf = ({ lines }: Move): number => lines.reduce((sum, line) => sum + line.reserved, 0);

/**
 * Enters what a move has consumed or made.
 * @throws OdooError when its lines would have to share the figure.
 */
export function enter(move: Move, quantity: number): void {
  if (move.lines.length > 1) {
    throw new OdooError('Cannot set the done quantity from this stock move, work directly with the move lines.');
  }
  move.done = roundQty(quantity, move.uom.rounding);
}

/** Gives back what is reserved for a move; what it has consumed stays. */
export function unreserve(move: Move): void {
  if (move.state !== 'assigned') return;
  move.state = 'confirmed';
  move.lines = move.done > 0 ? move.lines.map((line) => ({ ...line, reserved: 0 })) : [];
}

/** The stored state, computed from the moves as mrp.production does. */
export function stateOf(order: Order): OrderState {
  const moves = order.moves.length > 0 ? order.moves : [order.finished];
  if (moves.every((move) => move.state === 'cancel')) return 'cancel';
  if (moves.every((move) => move.state === 'done' || move.state === 'cancel')) return 'done';
  if (order.producing >= order.quantity) return 'to_close';
  return order.producing > 0 || order.moves.some((move) => move.done !== 0) ? 'progress' : 'confirmed';
}

/** Date as Odoo stores it: naive UTC without fractions. */
export const odooTime = (at: Date): string => at.toISOString().slice(0, 19).replace('T', ' ');

/** Names with ids, some known from the start; a new name gets the next id. */
export class Register<T extends Named> {
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

  all(): T[] {
    return [...this.byKey.values()];
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
