/** All orders of the simulated standard Odoo. Every change of a call goes through `transaction`: all of it, or nothing. */
import { RECIPE, RECIPE_PRODUCT, RECIPE_QTY } from '../catalogue';
import type { Component, Named } from '../catalogue';
import { Register, odooTime, roundQty } from '../records';
import type { NewOrder } from '../records';
import { reserve } from './figures';
import type { Generation } from './generations';
import { isOpen, refreshMove, refreshOrder } from './records';
import type { Line, Move, OperationType, Order } from './records';
import { STOCK, Warehouse, emptyLine } from './warehouse';

/** An order to create; what is left out is taken from the recorded recipe and the clock. */
export interface NewStandardOrder extends NewOrder {
  /** Code of a work center: the order has one work order there. */
  workCenter?: string;
  /** Values of fields that an administrator has added, `x_…`. */
  custom?: Record<string, unknown>;
  draft?: boolean;
}

/** The operation type that every warehouse has. */
const MANUFACTURING = 'MO';

export class OrderBook {
  readonly warehouse: Warehouse;
  readonly companies = new Register<Named>([{ id: 1, name: 'My Company' }], ({ name }) => name);
  readonly types = new Register<OperationType>(
    [{ id: 8, name: 'Manufacturing', code: MANUFACTURING }],
    ({ code }) => code,
  );
  readonly centers = new Register<Named & { code: string }>([], ({ code }) => code);
  private readonly orders = new Map<number, Order>();
  private readonly owners = new Map<number, Order>();
  private readonly numbers = new Map<string, number>();
  private undo: Map<Order, Order> | undefined;
  private forgetful = false;
  private next = { order: 1, move: 1, line: 1, workOrder: 1 };

  constructor(
    readonly generation: Generation,
    readonly now: () => Date,
  ) {
    this.warehouse = new Warehouse(generation.unitIds);
  }

  all(): Order[] {
    return [...this.orders.values()];
  }

  find(key: unknown): Order | undefined {
    if (typeof key === 'number') return this.orders.get(key);
    return typeof key === 'string' ? this.all().find(({ name }) => name === key) : undefined;
  }

  /** The order that a move belongs to, whichever order it was written through. */
  ownerOf(moveId: unknown): Order | undefined {
    return typeof moveId === 'number' ? this.owners.get(moveId) : undefined;
  }

  moveId = (): number => this.next.move++;
  lineId = (): number => this.next.line++;

  /** Runs a call: when it throws, nothing has happened. Orders that it changes are named with `touch` first. */
  transaction<T>(work: () => T): T {
    const undo = new Map<Order, Order>();
    this.undo = undo;
    try {
      const result = work();
      for (const order of undo.keys()) this.settle(order);
      if (this.forgetful) for (const [order, before] of undo) this.takeBack(order, before);
      return result;
    } catch (error) {
      for (const [order, before] of undo) Object.assign(order, before);
      throw error;
    } finally {
      this.undo = undefined;
    }
  }

  /** Runs a call that ends as it would, and keeps nothing of what it has changed. */
  forgetting<T>(work: () => T): T {
    this.forgetful = true;
    try {
      return work();
    } finally {
      this.forgetful = false;
    }
  }

  touch(order: Order): Order {
    if (this.undo && !this.undo.has(order)) this.undo.set(order, structuredClone(order));
    return order;
  }

  create(wanted: NewStandardOrder = {}): Order {
    const { bomQty = RECIPE_QTY, policy = 'warning', product = RECIPE_PRODUCT } = wanted;
    const quantity = wanted.quantity ?? bomQty;
    const uom = this.warehouse.unit(wanted.uom);
    const share = (kg: number, rounding: number): number => roundQty((kg * quantity) / bomQty, rounding);
    const type = this.type(wanted.line ?? MANUFACTURING);
    const name = wanted.name ?? this.name(type);
    if (this.find(name)) throw new Error(`order ${name} exists in the simulated Odoo: choose another name`);
    const reserved = wanted.reserved ?? this.generation.reservesOnConfirm;
    const finished = this.warehouse.product(product, false, wanted.uom, wanted.tracking);
    const order: Order = {
      id: this.next.order++,
      name,
      origin: wanted.reference ?? false,
      company: this.companies.get(wanted.company ?? 'My Company', (id) => ({ id, name: wanted.company ?? '' })),
      type,
      root: name,
      sequence: 0,
      product: finished,
      uom,
      bom: { id: 1, name: `JF-${policy}: ${product}`, policy },
      quantity,
      producing: 0,
      lot: null,
      start: wanted.schedule ?? odooTime(this.now()),
      finishedAt: false,
      state: wanted.draft ? 'draft' : 'confirmed',
      begun: false,
      moves: (wanted.components ?? RECIPE).map((component) => {
        const move = this.component(component);
        move.plan = share(component.quantity, move.uom.rounding);
        this.stock(component, move, reserved);
        return move;
      }),
      finished: [
        this.move(finished, quantity, uom.name),
        ...(wanted.byproducts ?? []).map((made) => {
          const what = this.warehouse.product(made.product, false, made.uom);
          const move = this.move(what, 0, made.uom);
          return { ...move, plan: share(made.quantity, move.uom.rounding), byproduct: true };
        }),
      ],
      workOrders: wanted.workCenter === undefined ? [] : [this.workOrder(wanted.workCenter)],
      custom: wanted.custom ?? {},
      booked: [],
    };
    for (const move of order.moves) refreshMove(move, this.generation);
    return this.keep(order);
  }

  /** An order made outside of `create`, such as a backorder. */
  keep(order: Order): Order {
    this.orders.set(order.id, order);
    this.settle(order);
    return order;
  }

  orderId = (): number => this.next.order++;

  component({ product, code, uom, tracking }: Pick<Component, 'product' | 'code' | 'uom' | 'tracking'>): Move {
    return this.move(this.warehouse.product(product, code ?? false, uom, tracking), 0, uom);
  }

  private move(product: Move['product'], plan: number, uom?: string): Move {
    const ids = { id: this.moveId() };
    const start = { plan, state: 'confirmed' as const, lines: [], picked: false, manual: false, byproduct: false };
    return { ...ids, product, uom: this.warehouse.unit(uom), ...start, location: STOCK };
  }

  /** What a component has reserved: what was asked for, or its plan from its own silo. */
  private stock({ reserved: parts }: Component, move: Move, reserved: boolean): void {
    if (!parts) return reserved ? reserve(this, move) : undefined;
    move.lines = parts.map(({ lot = null, location = STOCK.name, quantity }): Line => {
      const place = this.warehouse.put(move.product, location, lot, 10 * quantity);
      const line = emptyLine(this.lineId(), place, false);
      return this.generation.picked ? { ...line, figure: quantity } : { ...line, reserved: quantity };
    });
  }

  private type(code: string): OperationType {
    return this.types.get(code, (id) => ({ id, code, name: `Line ${code}` }));
  }

  private workOrder(code: string): Order['workOrders'][number] {
    const center = this.centers.get(code, (id) => ({ id, code, name: code }));
    return { id: this.next.workOrder++, name: 'Dosing', center, state: 'ready' };
  }

  private name({ code }: OperationType): string {
    const number = (this.numbers.get(code) ?? 0) + 1;
    this.numbers.set(code, number);
    const name = `WH/${code}/${String(number).padStart(5, '0')}`;
    return this.find(name) ? this.name({ id: 0, name: code, code }) : name;
  }

  /** Puts an order back to what it was, its stock too. */
  private takeBack(order: Order, before: Order): void {
    this.warehouse.giveBack(order.booked);
    Object.assign(order, { ...before, booked: [] });
    this.settle(order);
  }

  /** After a change: states, stock, and whose move is whose. */
  private settle(order: Order): void {
    for (const move of order.moves) refreshMove(move, this.generation);
    refreshOrder(order, this.generation);
    this.warehouse.giveBack(order.booked);
    order.booked = isOpen(order) ? [] : this.warehouse.take(order.moves.filter(({ state }) => state === 'done'));
    for (const { id } of [...order.moves, ...order.finished]) this.owners.set(id, order);
  }
}
