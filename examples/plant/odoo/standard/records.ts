/** What the simulated standard Odoo keeps: orders, stock moves and their lines. */
import type { Named, Product, Unit } from '../catalogue';
import type { OrderState, Policy } from '../records';
import { roundQty } from '../records';
import type { Generation } from './generations';

export type { OrderState, Policy };
export type MoveState = 'draft' | 'confirmed' | 'partially_available' | 'assigned' | 'done' | 'cancel';

export interface StockProduct extends Product {
  /** Internal reference; false: none. */
  code: string | false;
}

export interface Lot extends Named {
  product: number;
}

/** A part of a move: from which place and lot. Up to 16 reservation and figure are two, from 17 on one: `figure`. */
export interface Line {
  id: number;
  location: Named;
  lot: Named | null;
  reserved: number;
  figure: number;
  picked: boolean;
}

/** A stock move of a component or a product; quantities in `uom`. */
export interface Move {
  id: number;
  product: StockProduct;
  uom: Unit;
  plan: number;
  state: MoveState;
  lines: Line[];
  picked: boolean;
  manual: boolean;
  /** Where it may take from: this place and those within it. */
  location: Named;
  byproduct: boolean;
}

export interface WorkOrder extends Named {
  center: Named & { code: string };
  state: 'ready' | 'progress' | 'done';
}

export interface OperationType extends Named {
  /** Part of the orders' names. */
  code: string;
}

/** A manufacturing order. Times are Odoo's naive UTC texts. */
export interface Order {
  id: number;
  name: string;
  origin: string | false;
  company: Named;
  type: OperationType;
  /** The name without the number of a backorder, and that number. */
  root: string;
  sequence: number;
  product: StockProduct;
  uom: Unit;
  bom: Named & { policy: Policy };
  quantity: number;
  producing: number;
  lot: Named | null;
  start: string;
  finishedAt: string | false;
  state: OrderState | 'draft';
  begun: boolean;
  moves: Move[];
  finished: Move[];
  workOrders: WorkOrder[];
  /** Fields that an administrator has added: `x_…`. */
  custom: Record<string, unknown>;
  /** What it has taken from stock, by place; for what is left there. */
  booked: [key: string, quantity: number][];
}

const sum = (values: number[]): number => values.reduce((total, value) => total + value, 0);

/** What stands on a move as consumed or, from 17 on while it is not picked, as reserved. */
export const figureOf = ({ lines, uom }: Move): number => roundQty(sum(lines.map((line) => line.figure)), uom.rounding);

export const reservedOf = (move: Move, { picked }: Generation): number =>
  picked ? figureOf(move) : roundQty(sum(move.lines.map((line) => line.reserved)), move.uom.rounding);

export const consumedOf = (move: Move, { picked }: Generation): number =>
  picked && !move.picked && move.state !== 'done' ? 0 : figureOf(move);

export const isOpen = ({ state }: Move | Order): boolean => state !== 'done' && state !== 'cancel';

/** The state of an open move follows what is reserved for it. */
export function refreshMove(move: Move, generation: Generation): void {
  if (!isOpen(move) || move.state === 'draft') return;
  const reserved = reservedOf(move, generation);
  const enough = reserved >= move.plan || (generation.reservationFollows && reserved === figureOf(move));
  move.state = reserved === 0 && move.plan > 0 ? 'confirmed' : enough ? 'assigned' : 'partially_available';
}

/** The state of an open order follows its figures and its work orders. */
export function refreshOrder(order: Order, generation: Generation): void {
  if (!isOpen(order) || order.state === 'draft') return;
  const figures = order.moves.some((move) => (generation.picked ? move.picked : figureOf(move) !== 0));
  const working = order.workOrders.some(({ state }) => state === 'progress');
  const begun = order.producing > 0 || figures || working || (generation.staysBegun && order.begun);
  order.begun = begun;
  const made = order.producing >= order.quantity && order.workOrders.every(({ state }) => state === 'done');
  order.state = made ? 'to_close' : begun ? 'progress' : 'confirmed';
}
