/**
 * What is known of orders from reading these very orders: the ids of their moves and lines, which Odoo does not check
 * against the order (17:079). Kept in this process; gone after any refusal and before a close.
 */
import type { KnownMove } from './figures';

/** A move with what decides which figure it gets. */
export interface OpenMove extends KnownMove {
  code: string;
  product_id: number;
  planned: number;
  /** kg of one of its unit. */
  kg: number;
}

export interface KnownOrder {
  moves: readonly OpenMove[];
  /** kg of one unit of the order. */
  kg: number;
  /** What refuses a done order where the moves' own unit does not; null: nothing does, the state has to be read. */
  startGuard: Readonly<Record<string, unknown>> | null;
  /** Some moves had no line yet: after a figure they have. */
  complete: boolean;
}

/** So many orders are under way at once at most; the longest unused go first. */
const MOST = 500;

export class KnownOrders {
  readonly #orders = new Map<number, KnownOrder>();

  get(id: number): KnownOrder | undefined {
    const known = this.#orders.get(id);
    if (known) this.set(id, known);
    return known;
  }

  set(id: number, known: KnownOrder): void {
    this.#orders.delete(id);
    this.#orders.set(id, known);
    const [oldest] = this.#orders.keys();
    if (oldest !== undefined && this.#orders.size > MOST) this.#orders.delete(oldest);
  }

  drop(id: number): void {
    this.#orders.delete(id);
  }
}
