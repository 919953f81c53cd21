/**
 * A simulated standard Odoo, 14 to 19, over real HTTP. Like the one with the addon it keeps its own orders and stock, so
 * that what it says was consumed is a second witness.
 */
import type { Unit } from '../catalogue';
import { control } from '../control';
import { roundQty } from '../records';
import { OdooServer } from '../server';
import type { ServerOptions } from '../server';
import type { MoveView, OrderView, SimulatedOdoo } from '../simulator';
import { Access, STANDARD_USERS } from './access';
import type { User } from './access';
import { Answers } from './answer';
import type { Backend } from './answer';
import { standardApplication } from './application';
import { generation } from './generations';
import type { Version } from './generations';
import { OrderBook } from './orders';
import type { NewStandardOrder } from './orders';
import { People } from './people';
import { consumedOf, figureOf } from './records';
import type { Line, Move, Order } from './records';

export { VERSIONS } from './generations';
export type { Version } from './generations';
export type { NewStandardOrder } from './orders';
export type { User } from './access';

export interface StandardOdooOptions extends ServerOptions {
  version: Version;
  users?: readonly User[];
  /** `odoo<version>` without it. */
  database?: string;
  severalDatabases?: boolean;
  /** Calls take the time that was measured on two cores, times this. */
  measured?: number;
  now?: () => Date;
}

export interface StandardOdoo extends SimulatedOdoo {
  readonly version: Version;
  readonly database: string;
  readonly people: People;
  createOrder(order?: NewStandardOrder): OrderView;
  /** kg that the order has taken, by place. */
  takenFrom(key: string | number): Record<string, number>;
  /** What lies in a place, of a product by its internal reference. */
  onHand(code: string, location: string): number;
  /** As after a restart of Odoo's process. */
  forgetKeys(): void;
}

/** kg of a figure in a unit of weight; other units as they are. */
const inKg = (quantity: number, { category, factor }: Unit): number =>
  category === 'Weight' ? quantity / factor : quantity;

const hundredths = (kg: number): number => Math.round(kg * 100) / 100;

function viewed(book: OrderBook): (order: Order) => OrderView {
  const { generation: of } = book;
  const lineView = ({ lot, location, reserved, figure }: Line) => ({
    lot: lot?.name ?? null,
    location: location.name,
    reserved: of.picked ? figure : reserved,
  });
  const moveView = (move: Move): MoveView => ({
    id: move.id,
    code: move.product.code === false ? null : move.product.code,
    equipment: move.product.code === false ? null : move.product.name,
    product: move.product.name,
    uom: move.uom.name,
    tracking: move.product.tracking,
    lines: move.lines.map(lineView),
    plan: move.plan,
    done: consumedOf(move, of),
    state: move.state === 'partially_available' || move.state === 'draft' ? 'confirmed' : move.state,
  });
  return (order) => {
    const [made, ...others] = order.finished;
    const done = order.state === 'done' && made ? figureOf(made) : 0;
    return {
      id: order.id,
      name: order.name,
      state: order.state === 'draft' ? 'confirmed' : order.state,
      company: order.company.name,
      uom: order.uom.name,
      quantity: order.quantity,
      finished: done,
      producing: order.producing,
      policy: order.bom.policy,
      dateFinished: order.finishedAt,
      finishedMove: { done, plan: made?.plan ?? 0, state: order.state === 'done' ? 'done' : 'confirmed' },
      byproducts: others.filter(({ byproduct }) => byproduct).map(moveView),
      moves: order.moves.map(moveView),
    };
  };
}

/** Starts a simulated standard Odoo; it listens when the promise resolves. @throws Error (rejects) when the port is taken. */
export async function startStandardOdoo(options: StandardOdooOptions): Promise<StandardOdoo> {
  const { version, now = () => new Date(), database = `odoo${version}`, severalDatabases = false } = options;
  const book = new OrderBook(generation(version), now);
  const access = new Access(options.users ?? STANDARD_USERS, database, book.generation, now);
  const backend: Backend = { book, access, database, severalDatabases, url: () => server.url };
  const timing = options.measured === undefined ? {} : { measured: options.measured };
  const application = standardApplication(backend, new Answers(backend), timing);
  const server = new OdooServer(application, options, (request) => control(odoo, request));
  const known = (key: string | number): Order => {
    const order = book.find(key) ?? book.all().find(({ root }) => root === key);
    if (!order) throw new Error(`no order ${key} in the simulated Odoo: create it first`);
    return order;
  };
  const view = viewed(book);
  const people = new People(book, known);
  const consumed = (order: Order): Move[] => order.moves.filter((move) => consumedOf(move, book.generation) !== 0);
  const odoo: StandardOdoo = {
    version,
    database,
    people,
    login: {
      ...{ interface: 'standard', database, user: 'bridge', password: 'bridge', apiKey: 'bridge-key' },
      // Where /json/2 is there, a key opens it.
      secret: book.generation.json2 ? 'key' : 'password',
    },
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
      for (const move of consumed(known(key))) {
        const { code } = move.product;
        if (code !== false) sums[code] = hundredths((sums[code] ?? 0) + inKg(figureOf(move), move.uom));
      }
      return sums;
    },
    takenFrom: (key) => {
      const sums: Record<string, number> = {};
      for (const { lines, uom } of consumed(known(key)))
        for (const { location, figure } of lines)
          sums[location.name] = hundredths((sums[location.name] ?? 0) + inKg(figure, uom));
      return sums;
    },
    onHand: (code, location) => {
      const product = book.warehouse.products.all().find((item) => item.code === code);
      if (!product) throw new Error(`no product ${code} in the simulated Odoo`);
      return roundQty(book.warehouse.onHand(product, { location: book.warehouse.location(location), lot: null }));
    },
    forgetKeys: () => access.restarted(),
    cancel: (name) => people.cancel(name),
    markDoneByHand: (name) => people.markDone(name),
    backorderByHand: (name, quantity) => view(people.backorder(name, quantity)),
    unreserveByHand: (name) => people.unreserve(name),
    renameByHand: (name, to) => people.rename(name, to),
    defineUnit: ({ rounding = 0.01, ...unit }) => {
      book.warehouse.units.keep({ ...unit, rounding, id: book.warehouse.unit(unit.name).id });
      return book.warehouse.unit(unit.name);
    },
    consumeByHand: (name, code, kg) => people.consume(name, code, kg),
    planByHand: (name, code, kg) => people.plan(name, code, kg),
    lockOut: (login, out) => access.lockOut(login, out),
    setFault: (fault) => server.faults.set(fault),
    // Parallel closings do not lose their flags here: they end as they were recorded, all `true`.
    collide: () => undefined,
    clearFaults: () => server.faults.clear(),
    maxConcurrentPerOrder: () => server.log.maxConcurrentPerOrder(),
    stop: () => server.stop(),
    start: () => server.start(),
    outage: (ms) => server.outage(ms),
  };
  await server.start();
  return odoo;
}
