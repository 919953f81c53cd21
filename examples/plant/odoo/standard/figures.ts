/** What becomes of a figure: on which lines it lands, from which place it is taken, and what is reserved. */
import { OdooError, roundQty } from '../records';
import type { Generation } from './generations';
import { isOpen, refreshMove, reservedOf } from './records';
import type { Line, Move, Order } from './records';
import { emptyLine } from './warehouse';
import type { Place, Warehouse } from './warehouse';

/** What a figure needs to know of the Odoo that it is written to. */
export interface Ground {
  readonly generation: Generation;
  readonly warehouse: Warehouse;
  lineId(): number;
}

const rounded = (move: Move, quantity: number): number => roundQty(quantity, move.uom.rounding);

/** A line for what no line holds: from a silo that has it, or from the move's own place. */
function addLine(book: Ground, move: Move, quantity: number): Line {
  const { generation, warehouse } = book;
  const own: Place = { location: move.location, lot: null };
  const place = generation.unreserved === 'silo' ? (warehouse.holding(move, quantity) ?? own) : own;
  const line = emptyLine(book.lineId(), place, move.picked);
  move.lines.push(line);
  return line;
}

/** Up to 16: the only line takes the figure; several share it, each up to its reservation. */
function consume(book: Ground, move: Move, quantity: number): void {
  const before = reservedOf(move, book.generation);
  const [line, ...others] = move.lines;
  if (others.length > 0 && book.generation.severalLines === 'refused')
    throw new OdooError('Cannot set the done quantity from this stock move, work directly with the move lines.');
  if (others.length > 0) {
    let left = quantity;
    for (const part of move.lines) {
      part.figure = Math.min(part.reserved, left);
      left = rounded(move, left - part.figure);
    }
    if (left !== 0) addLine(book, move, left).figure = left;
  } else (line ?? addLine(book, move, quantity)).figure = quantity;
  if (book.generation.reservationFollows) follow(book, move, quantity, before);
}

/** 16: as far as there is stock, what is consumed is reserved too. */
function follow({ warehouse }: Ground, move: Move, quantity: number, before: number): void {
  const wanted = before >= move.plan ? Math.max(move.plan, quantity) : quantity;
  const [line, ...others] = move.lines;
  if (!line || others.length > 0) return;
  if (warehouse.onHand(move.product, line) >= wanted) line.reserved = Math.max(0, wanted);
}

/** From 17 on: lines keep what they hold as far as the figure goes; what exceeds them is taken from somewhere else. */
function spread(book: Ground, move: Move, quantity: number): void {
  let left = quantity;
  for (const line of move.lines) {
    line.figure = Math.max(0, Math.min(line.figure, left));
    left = rounded(move, left - line.figure);
  }
  move.lines = move.lines.filter(({ figure }) => figure !== 0);
  if (left === 0) return;
  const last = move.lines.at(-1);
  if (book.generation.aboveReservation === 'line' && last) {
    const { generation, warehouse } = book;
    if (generation.unreserved === 'silo' && warehouse.onHand(move.product, last) >= last.figure + left) {
      last.figure = rounded(move, last.figure + left);
      return;
    }
  }
  addLine(book, move, left).figure = left;
}

/** @throws OdooError: a figure below 0, where this Odoo refuses it */
function checked({ generation }: Ground, move: Move, value: number): number {
  const quantity = rounded(move, value);
  if (quantity >= 0 || generation.negative === 'taken') return quantity;
  const text = generation.picked ? 'Please enter a positive quantity.' : 'You can not enter negative quantities.';
  throw new OdooError(text, 'odoo.exceptions.ValidationError');
}

/** The figure of a move, written on the move. */
export function setFigure(book: Ground, move: Move, value: number): void {
  const quantity = checked(book, move, value);
  if (book.generation.picked) spread(book, move, quantity);
  else consume(book, move, quantity);
}

/** The figure of one line, written on the line: place and lot stay. */
export function setLineFigure(book: Ground, move: Move, line: Line, value: number): void {
  line.figure = checked(book, move, value);
}

export function setPicked(move: Move, picked: boolean): void {
  move.picked = picked;
  for (const line of move.lines) line.picked = picked;
}

/** Reserves the plan, as "Check availability" does; what is picked stays. */
export function reserve(book: Ground, move: Move): void {
  const { generation, warehouse } = book;
  if (!isOpen(move) || (generation.picked && move.picked)) return;
  const missing = rounded(move, move.plan - reservedOf(move, generation));
  const place = move.lines[0] ?? warehouse.holding(move, missing);
  if (missing > 0 && place) {
    const line = move.lines[0] ?? emptyLine(book.lineId(), place, false);
    if (move.lines.length === 0) move.lines.push(line);
    if (generation.picked) line.figure = rounded(move, line.figure + missing);
    else line.reserved = rounded(move, line.reserved + missing);
  }
  refreshMove(move, generation);
}

/** Gives back what is reserved and not consumed. */
export function unreserve({ generation }: Ground, move: Move): void {
  if (!isOpen(move) || (generation.picked && move.picked)) return;
  if (generation.picked) move.lines = [];
  else {
    for (const line of move.lines) line.reserved = 0;
    move.lines = move.lines.filter(({ figure }) => figure !== 0);
  }
  refreshMove(move, generation);
}

/** Whether what a person types into the form leaves the move's figure alone. */
const isProtected = (move: Move, { generation }: Ground): boolean => move.manual && (!generation.picked || move.picked);

/** What the form does when a quantity is typed into it: the figures become the plan's share, unless they are protected. */
export function fillPlan(book: Ground, order: Order, producing: number): void {
  order.producing = producing;
  for (const move of order.moves.filter(isOpen)) {
    if (isProtected(move, book)) continue;
    setFigure(book, move, (move.plan * producing) / order.quantity);
    if (book.generation.picked) setPicked(move, true);
    refreshMove(move, book.generation);
  }
}
