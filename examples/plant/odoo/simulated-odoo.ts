/**
 * A simulated Odoo 14 with the SCADA addon over real HTTP. It keeps its own orders and stock moves and shares no code
 * with the package, so that what it says was consumed is a second witness.
 */
import type { Backend } from './answer';
import type { Call } from './calls';
import { USERS } from './catalogue';
import type { Product, SimulatedUser, Unit } from './catalogue';
import type { Collisions } from './closing';
import { control } from './control';
import type { Fault } from './faults';
import { appendJournal, openJournal } from './journal';
import type { JournalEntry } from './journal';
import { OrderBook } from './orders';
import { enter, stateOf, unreserve } from './records';
import type { Move, MoveState, NewOrder, Order, OrderState, Policy } from './records';
import { OdooServer } from './server';
import type { ServerOptions } from './server';
import { Sessions } from './sessions';

export type { Call } from './calls';
export type { Component, Reservation, SimulatedUser, Unit } from './catalogue';
export type { Fault, FaultKind } from './faults';
export type { Collisions } from './closing';
export type { NewOrder, OrderState, Policy } from './records';

export interface SimulatedOdooOptions extends ServerOptions {
  users?: readonly SimulatedUser[];
  database?: string;
  /** Several databases without a filter (exchanges 317-326). */
  multiDatabase?: boolean;
  /** A file that orders and sessions survive a restart in. */
  stateFile?: string;
  /** What becomes of closings that meet. */
  collisions?: Collisions;
  /** The server's clock. */
  now?: () => Date;
}

/** A stock move; quantities in its unit, not rounded beyond what Odoo rounds. */
export interface MoveView {
  id: number;
  code: string | null;
  /** The equipment's name, as in Odoo's many2one values. */
  equipment: string | null;
  product: string;
  uom: string;
  tracking: Product['tracking'];
  /** What is reserved, by lot and location; several refuse a figure. */
  lines: { lot: string | null; location: string; reserved: number }[];
  plan: number;
  done: number;
  state: MoveState;
}

/** An order as its own stock moves tell it. */
export interface OrderView {
  id: number;
  name: string;
  state: OrderState;
  company: string;
  uom: string;
  quantity: number;
  /** Finished goods entered so far, in the order's unit. */
  finished: number;
  producing: number;
  policy: Policy;
  dateFinished: string | false;
  finishedMove: { done: number; plan: number; state: MoveState };
  moves: MoveView[];
  byproducts: MoveView[];
}

export interface SimulatedOdoo {
  readonly url: string;
  readonly port: number;
  readonly calls: readonly Call[];
  createOrder(order?: NewOrder): OrderView;
  orders(): OrderView[];
  /** By name (of several the first) or by id. @throws Error when there is no such order. */
  order(key: string | number): OrderView;
  /** kg consumed per equipment code, over all moves, rounded to 0.01; components without equipment are left out. */
  done(key: string | number): Record<string, number>;
  /** Cancels an order as a person in Odoo would. @throws Error when it is done. */
  cancel(name: string): void;
  /** Closes an order as a person in Odoo would; with nothing consumed yet, the plan is taken. */
  markDoneByHand(name: string): void;
  /**
   * Closes a part of an order as a person in Odoo would, with a backorder: it is renamed to `…-001`. With nothing consumed
   * yet, the plan is taken.
   * @returns the backorder, `…-002`
   */
  backorderByHand(name: string, quantity: number): OrderView;
  /** Gives back what an order has reserved, as the button "Unreserve" does. */
  unreserveByHand(name: string): void;
  /** Renames an order. @throws Error when there is no such order */
  renameByHand(name: string, to: string): void;
  /** A unit of measure of one's own, or another name, factor or rounding for one that there is. */
  defineUnit(unit: { name: string; category: string; factor: number; rounding?: number }): Unit;
  /**
   * Sets what was consumed from a silo (kg), as a person in Odoo would, also on an unlocked done order; of several moves
   * the first one takes the difference. @throws Error when the order has no component on it.
   */
  consumeByHand(name: string, code: string, kg: number): void;
  setFault(fault: Fault): void;
  /** What becomes of closings that meet, from now on. */
  collide(collisions: Collisions): void;
  clearFaults(): void;
  /** The highest number of writing calls of one order that were under way at once, seen from the client's side. */
  maxConcurrentPerOrder(): number;
  /** Closes the listener and every connection: refused from then on. Commits that a fault has put off are given up. */
  stop(): Promise<void>;
  /** Listens again, on the same port. */
  start(): Promise<void>;
  /** Stops for some milliseconds, then listens again. Resolves when it has stopped. */
  outage(ms: number): Promise<void>;
}

const moveView = ({ id, equipment, product, uom, lines, plan, done, state }: Move): MoveView => ({
  id,
  code: equipment?.code ?? null,
  equipment: equipment?.name ?? null,
  product: product.name,
  uom: uom.name,
  tracking: product.tracking,
  lines: lines.map(({ lot, location, reserved }) => ({ lot: lot?.name ?? null, location: location.name, reserved })),
  plan,
  done,
  state,
});

function view(order: Order): OrderView {
  return {
    id: order.id,
    name: order.name,
    state: stateOf(order),
    company: order.company.name,
    uom: order.uom.name,
    quantity: order.quantity,
    finished: order.finished.done,
    producing: order.producing,
    policy: order.bom.policy,
    dateFinished: order.dateFinished,
    finishedMove: { done: order.finished.done, plan: order.finished.plan, state: order.finished.state },
    byproducts: order.byproducts.map(moveView),
    moves: order.moves.map(moveView),
  };
}

/** Where nothing was consumed yet, the plan is taken. */
function closeByHand(book: OrderBook, order: Order, quantity: number): void {
  if (!order.moves.some((move) => move.done > 0)) order.moves.forEach((move) => (move.done = move.plan));
  order.producing ||= quantity;
  book.closings.markDone(order, { skip_consumption: true, skip_backorder: true });
}

/** Starts a simulated Odoo; it listens when the promise resolves. @throws Error (rejects) when the port is taken. */
export async function startSimulatedOdoo(options: SimulatedOdooOptions = {}): Promise<SimulatedOdoo> {
  const { stateFile, now = () => new Date() } = options;
  const journal = (entry: JournalEntry) => stateFile !== undefined && appendJournal(stateFile, entry);
  const book = new OrderBook(now, (order) => journal({ order }));
  book.closings.collisions = options.collisions ?? 'none';
  const sessions = new Sessions(options.users ?? USERS, options.database ?? 'odoo14', now, (session) =>
    journal({ session }),
  );
  for (const entry of stateFile === undefined ? [] : openJournal(stateFile)) {
    if ('order' in entry) book.keep(entry.order);
    else sessions.keep(entry.session);
  }
  const known = (key: string | number): Order => {
    const order = book.find(key);
    if (!order) throw new Error(`no order ${key} in the simulated Odoo: create it first`);
    return order;
  };
  const backend: Backend = {
    book,
    sessions,
    multiDatabase: options.multiDatabase ?? false,
    url: () => server.url,
    now,
  };
  const server = new OdooServer(backend, options, (request) => control(odoo, request));
  const odoo: SimulatedOdoo = {
    get url() {
      return server.url;
    },
    get port() {
      return server.port;
    },
    calls: server.log.calls,
    createOrder: (order) => view(book.create(order)),
    orders: () => book.all().map(view),
    order: (key) => view(known(key)),
    done: (key) => {
      const sums: Record<string, number> = {};
      for (const { equipment, done } of known(key).moves) {
        if (equipment) sums[equipment.code] = Math.round(((sums[equipment.code] ?? 0) + done) * 100) / 100;
      }
      return sums;
    },
    cancel: (name) => book.change(known(name), (order) => book.cancel(order)),
    markDoneByHand: (name) => book.change(known(name), (order) => closeByHand(book, order, order.quantity)),
    backorderByHand: (name, quantity) =>
      book.change(known(name), (order) => {
        const rest = book.split(order, quantity);
        closeByHand(book, order, quantity);
        return view(rest);
      }),
    unreserveByHand: (name) => book.change(known(name), ({ moves }) => moves.forEach(unreserve)),
    renameByHand: (name, to) =>
      book.change(known(name), (order) => {
        order.name = to;
      }),
    defineUnit: ({ rounding = 0.01, ...wanted }) => book.defineUnit({ ...wanted, rounding }),
    consumeByHand: (name, code, kg) =>
      book.change(known(name), ({ moves }) => {
        const [first, ...others] = moves.filter(({ equipment }) => equipment?.code === code);
        if (!first) throw new Error(`order ${name} has no component on ${code} in the simulated Odoo`);
        enter(
          first,
          others.reduce((left, { done }) => left - done, kg),
        );
      }),
    collide: (collisions) => {
      book.closings.collisions = collisions;
    },
    setFault: (fault) => server.faults.set(fault),
    clearFaults: () => server.faults.clear(),
    maxConcurrentPerOrder: () => server.log.maxConcurrentPerOrder(),
    stop: () => server.stop(),
    start: () => server.start(),
    outage: (ms) => server.outage(ms),
  };
  await server.start();
  return odoo;
}
