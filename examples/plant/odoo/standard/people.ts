/** What people do in Odoo meanwhile, beside what the plant sends. */
import { setFigure, setPicked, fillPlan, reserve, unreserve } from './figures';
import { cancel, markDone, split } from './closing';
import type { OrderBook } from './orders';
import { consumedOf, figureOf, refreshMove } from './records';
import type { Move, Order } from './records';

/** Everything is done to an order that exists. */
export class People {
  constructor(
    private readonly book: OrderBook,
    private readonly known: (key: string | number) => Order,
  ) {}

  private change<T>(key: string | number, work: (order: Order) => T): T {
    return this.book.transaction(() => work(this.book.touch(this.known(key))));
  }

  cancel(key: string | number): void {
    this.change(key, (order) => cancel(this.book, order));
  }

  /** Closes an order; with nothing consumed yet, the plan is taken. */
  markDone(key: string | number): void {
    this.change(key, (order) => this.close(order, order.quantity));
  }

  /** Closes a part of an order, with a backorder. @returns the backorder */
  backorder(key: string | number, quantity: number): Order {
    return this.change(key, (order) => {
      order.producing = quantity;
      const rest = split(this.book, order);
      this.close(order, quantity);
      return rest;
    });
  }

  private close(order: Order, quantity: number): void {
    if (order.moves.every((move) => consumedOf(move, this.book.generation) === 0)) fillPlan(this.book, order, quantity);
    order.producing ||= quantity;
    const flags = { skip_consumption: true, skip_backorder: true };
    if (markDone(this.book, order, flags) !== true) throw new Error(`order ${order.name} cannot be closed by hand`);
  }

  /** Types a quantity into the form and saves it: what is not protected becomes the plan's share. */
  typeQuantity(key: string | number, quantity: number): void {
    this.change(key, (order) => fillPlan(this.book, order, quantity));
  }

  /** Counts the stock of a component in a place (kg). */
  count(code: string, location: string, kg: number): void {
    const product = this.book.warehouse.products.all().find((item) => item.code === code);
    if (!product) throw new Error(`no product ${code} in the simulated Odoo`);
    this.book.warehouse.put(product, location, null, kg);
  }

  checkAvailability(key: string | number): void {
    this.change(key, ({ moves }) => moves.forEach((move) => reserve(this.book, move)));
  }

  unreserve(key: string | number): void {
    this.change(key, ({ moves }) => moves.forEach((move) => unreserve(this.book, move)));
  }

  rename(key: string | number, to: string): void {
    this.change(key, (order) => {
      order.name = to;
    });
  }

  /** "Update quantity": the plan is scaled, what was consumed stays. */
  rescale(key: string | number, quantity: number): void {
    this.change(key, (order) => {
      for (const move of order.moves) move.plan = (move.plan * quantity) / order.quantity;
      order.quantity = quantity;
    });
  }

  /** Adds a component; it gets a reservation as far as there is stock. */
  addComponent(key: string | number, component: { product: string; code: string | null; quantity: number }): void {
    this.change(key, (order) => {
      const move = this.book.component(component);
      move.plan = component.quantity;
      order.moves.push(move);
      reserve(this.book, move);
    });
  }

  startWorkOrder(key: string | number): void {
    this.change(key, (order) => {
      for (const work of order.workOrders) work.state = 'progress';
      if (this.book.generation.workOrderStart === 'plan') fillPlan(this.book, order, order.quantity);
    });
  }

  /** Sets what is planned from a silo; of several moves the first takes the difference. */
  plan(key: string | number, code: string, kg: number): void {
    this.change(key, (order) => {
      const [first, ...others] = order.moves.filter(({ product }) => product.code === code);
      if (!first) throw new Error(`order ${order.name} has no component on ${code} in the simulated Odoo`);
      first.plan = others.reduce((left, { plan }) => left - plan, kg);
    });
  }

  /** Sets what was consumed from a silo, also on a done order; of several moves the first takes the difference. */
  consume(key: string | number, code: string, kg: number): void {
    this.change(key, (order) => {
      const [first, ...others] = order.moves.filter(({ product }) => product.code === code);
      if (!first) throw new Error(`order ${order.name} has no component on ${code} in the simulated Odoo`);
      const rest = others.reduce((left: number, move: Move) => left - figureOf(move), kg);
      setFigure(this.book, first, rest);
      if (this.book.generation.picked) setPicked(first, true);
      refreshMove(first, this.book.generation);
    });
  }
}
