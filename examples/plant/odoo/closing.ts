/**
 * Closing orders in the simulated Odoo: `button_mark_done`, the wizards it opens instead, and what becomes of two closings
 * at a time. Orders of one recipe move the same stock records, so PostgreSQL lets only the first of them commit; Odoo
 * repeats the other one.
 */
import { wizard } from './catalogue';
import { OdooError, odooTime, roundQty, stateOf } from './records';
import type { Move, Order } from './records';

/**
 * What a repeated closing comes to. `context-lost`: a 14.0 from before November 2021 forgets the flags that it was called
 * with (odoo/odoo#79136) · `fixed`: it goes through, but every other one is overtaken again until Odoo gives up ·
 * `none`: closings never meet.
 */
export type Collisions = 'context-lost' | 'fixed' | 'none';

export interface Flags {
  skip_consumption?: unknown;
  skip_backorder?: unknown;
}

/** A closing under way: what it found of the stock records that it is going to move. */
export interface Closing {
  products: readonly number[];
  seen: readonly number[];
}

/** What a closing needs of the orders' book: ids for moves that it splits off, and the clock. */
interface Book {
  moveId(): number;
  lineId(): number;
  readonly now: () => Date;
}

export class Closings {
  collisions: Collisions = 'none';
  /** How often each product's stock record has been moved, by the product's id. */
  private readonly moved = new Map<number, number>();
  private met = 0;
  private repeating = false;

  constructor(private readonly book: Book) {}

  /** A closing of these orders begins. */
  begin(orders: readonly Order[]): Closing {
    const products = orders.flatMap((order) => this.stockOf(order));
    return { products, seen: this.versions(products) };
  }

  /** Whether another closing has moved one of its stock records since it began. */
  overtaken({ products, seen }: Closing): boolean {
    return this.collisions !== 'none' && this.versions(products).some((version, index) => version !== seen[index]);
  }

  /**
   * Odoo repeats a call that PostgreSQL refused to serialize.
   * @returns what the call comes to, or undefined: Odoo has given up, `error.code` 200
   */
  repeat<T>(call: () => T): T | undefined {
    this.met += 1;
    if (this.collisions === 'fixed') return this.met % 2 === 1 ? call() : undefined;
    return this.withoutContext(call);
  }

  /** Runs a call as a repeated one that has lost its context. */
  withoutContext<T>(call: () => T): T {
    this.repeating = true;
    try {
      return call();
    } finally {
      this.repeating = false;
    }
  }

  /**
   * button_mark_done: true when the order is done (or was done before), else the wizard that Odoo opens.
   * @throws OdooError when no quantity to produce was entered.
   */
  markDone(order: Order, flags: Flags = {}): true | object {
    if (stateOf(order) === 'done') return true;
    if (!(order.producing > 0)) throw new OdooError('The quantity to produce must be positive!');
    if (stateOf(order) === 'cancel') return true; // nothing left to post; the order stays cancelled (not recorded)
    const asked = flags.skip_consumption === undefined || flags.skip_consumption === false;
    const issues = asked && order.bom.policy !== 'flexible' ? consumptionIssues(order) : [];
    if (this.repeating) return wizard('consumption', [order.id], consumptionIssues(order));
    if (issues.length > 0) return wizard('consumption', [order.id], issues);
    if (order.producing < order.quantity && !flags.skip_backorder) {
      return wizard('backorder', [order.id], [[0, 0, { mrp_production_id: order.id, to_backorder: true }]]);
    }
    this.finish(order);
    return true;
  }

  /**
   * Posts the moves: what goes over the plan becomes a second move, the sum stays (exchange 175).
   * @throws OdooError when a product that is tracked has no lot.
   */
  private finish(order: Order): void {
    const made = [...order.moves, ...order.byproducts].filter(({ done }) => done > 0);
    const without = [...made, order.finished].find(
      ({ product, lines }) => product.tracking !== 'none' && !lines[0]?.lot,
    );
    if (without) {
      throw new OdooError(`You need to supply a Lot/Serial Number for product: \n - ${without.product.name}`);
    }
    for (const product of this.stockOf(order)) this.moved.set(product, (this.moved.get(product) ?? 0) + 1);
    const extra: Move[] = [];
    for (const move of order.moves) {
      move.state = 'done'; // also with 0 kg: what nobody entered is dropped
      move.lines = move.done > 0 ? move.lines.map((line) => ({ ...line, reserved: 0 })) : [];
      const over = roundQty(move.done - move.plan, move.uom.rounding);
      if (over > 0 && move.plan > 0) {
        extra.push({ ...move, id: this.book.moveId(), ownLine: this.book.lineId(), lines: [], plan: over, done: over });
        move.done = move.plan;
      }
    }
    order.moves.push(...extra);
    for (const byproduct of order.byproducts) byproduct.state = byproduct.done > 0 ? 'done' : 'cancel';
    order.finished.done ||= order.producing;
    order.finished.state = 'done';
    order.quantity = order.finished.done;
    order.dateFinished = odooTime(this.book.now());
  }

  private stockOf(order: Order): number[] {
    return [order.product, ...order.moves.filter(({ done }) => done > 0).map(({ product }) => product)].map(
      ({ id }) => id,
    );
  }

  private versions(products: readonly number[]): number[] {
    return products.map((product) => this.moved.get(product) ?? 0);
  }
}

/** `roundQty`, but always up, as Odoo converts what it expects: a proportional weight can differ by 0.01. */
const roundUp = (value: number): number => Math.ceil(value / 0.01 - 1e-6) * 0.01;

function consumptionIssues(order: Order): unknown[] {
  return order.moves.flatMap((move) => {
    const expected = roundUp((move.plan * order.producing) / order.quantity);
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
