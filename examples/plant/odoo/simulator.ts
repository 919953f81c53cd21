/** What a simulated Odoo is for the plant and for tests: its orders as it keeps them, and what a person or a fault does to it. */
import type { Call } from './calls';
import type { Product, Unit } from './catalogue';
import type { Collisions } from './closing';
import type { Fault } from './faults';
import type { MoveState, NewOrder, OrderState, Policy } from './records';
import type { People } from './standard/people';

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

/** How a client gets in: what an odoo-server node is set to, and its credentials. */
export interface OdooLogin {
  interface: 'addon' | 'standard';
  database: string;
  secret: 'password' | 'key';
  user: string;
  password: string;
  apiKey: string;
}

export interface SimulatedOdoo {
  readonly url: string;
  readonly port: number;
  /** What people do in a standard Odoo's forms meanwhile; undefined: it is the one with the addon. */
  readonly people?: Pick<People, 'checkAvailability' | 'typeQuantity' | 'unreserve' | 'cancel'>;
  /** A user with no more rights than the package asks for. */
  readonly login: OdooLogin;
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
  /**
   * Sets what is planned from a silo (kg), as a person in Odoo would with "To Consume"; of several moves the first one takes
   * the difference. @throws Error when the order has no component on it.
   */
  planByHand(name: string, code: string, kg: number): void;
  /** Somebody changes a user's password (and keys), which ends the sessions of that user; or changes it back. */
  lockOut(login: string, out: boolean): void;
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
