/**
 * What is known of orders from reading these very orders: the ids of their moves and lines, which Odoo does not check
 * against the order (17:079). Kept in this process; gone after any refusal and before a close.
 */
import type { KnownMove, Line } from './figures';

/** A move with what decides which figure it gets. */
export interface OpenMove extends KnownMove {
  code: string;
  product_id: number;
  /** kg. */
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

/** A line as it stands in Odoo. */
export interface SeenLine extends Line {
  /** It holds a figure by now. */
  holds: boolean;
}

/** So many orders are under way at once at most; the longest unused go first. */
const MOST = 500;

class Latest<T> {
  readonly #byOrder = new Map<number, T>();

  get(id: number): T | undefined {
    const found = this.#byOrder.get(id);
    if (found !== undefined) this.set(id, found);
    return found;
  }

  set(id: number, value: T): void {
    this.#byOrder.delete(id);
    this.#byOrder.set(id, value);
    const [oldest] = this.#byOrder.keys();
    if (oldest !== undefined && this.#byOrder.size > MOST) this.#byOrder.delete(oldest);
  }

  drop(id: number): void {
    this.#byOrder.delete(id);
  }
}

export class KnownOrders extends Latest<KnownOrder> {
  /** By line: what was reserved before it held a figure. */
  readonly #reserved = new Latest<ReadonlyMap<number, number>>();

  /** @param lines as they stand in Odoo now @returns them with what was reserved of them before they held a figure */
  remember(order: number, lines: readonly SeenLine[]): Line[] {
    const before = this.#reserved.get(order);
    const known = lines.map(({ id, reserved, holds }) => ({
      id,
      reserved: (holds ? before?.get(id) : undefined) ?? reserved,
    }));
    this.#reserved.set(order, new Map(known.map(({ id, reserved }) => [id, reserved])));
    return known;
  }
}
