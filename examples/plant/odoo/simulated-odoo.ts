/**
 * A simulated Odoo 14 with the SCADA addon over real HTTP. It keeps its own orders and stock moves and shares no code
 * with the package, so that what it says was consumed is a second witness.
 */
import type { Backend } from './answer';
import { addonApplication } from './application';
import { USERS } from './catalogue';
import type { SimulatedUser } from './catalogue';
import type { Collisions } from './closing';
import { control } from './control';
import { appendJournal, openJournal } from './journal';
import type { JournalEntry } from './journal';
import { OrderBook } from './orders';
import { enter, stateOf, unreserve } from './records';
import type { Move, Order } from './records';
import { OdooServer } from './server';
import type { ServerOptions } from './server';
import { Sessions } from './sessions';
import type { MoveView, OrderView, SimulatedOdoo } from './simulator';

export type { Call } from './calls';
export type { Component, Reservation, SimulatedUser, Unit } from './catalogue';
export type { Fault, FaultKind } from './faults';
export type { Collisions } from './closing';
export type { NewOrder, OrderState, Policy } from './records';
export type { MoveView, OrderView, SimulatedOdoo } from './simulator';

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
  const { stateFile, database = 'odoo14', now = () => new Date() } = options;
  const journal = (entry: JournalEntry) => stateFile !== undefined && appendJournal(stateFile, entry);
  const book = new OrderBook(now, (order) => journal({ order }));
  book.closings.collisions = options.collisions ?? 'none';
  const sessions = new Sessions(options.users ?? USERS, database, now, (session) => journal({ session }));
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
  const server = new OdooServer(addonApplication(backend), options, (request) => control(odoo, request));
  const odoo: SimulatedOdoo = {
    login: { interface: 'addon', database, secret: 'password', user: 'scada', password: 'scada', apiKey: '' },
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
    planByHand: (name, code, kg) =>
      book.change(known(name), ({ moves }) => {
        const [first, ...others] = moves.filter(({ equipment }) => equipment?.code === code);
        if (!first) throw new Error(`order ${name} has no component on ${code} in the simulated Odoo`);
        first.plan = others.reduce((left, { plan }) => left - plan, kg);
      }),
    collide: (collisions) => {
      book.closings.collisions = collisions;
    },
    lockOut: (login, out) => sessions.lockOut(login, out),
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
