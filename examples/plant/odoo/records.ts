/** What the simulated Odoo keeps of orders and stock moves, and how it rounds and names things. */
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
