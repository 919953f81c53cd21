/**
 * Figures as a standard Odoo takes them: on the move or on its lines, each with the guard that refuses a done order.
 */
import { type Generation, moveMarks, onLine, onMove } from '../generation';

/** A part of a move, from one lot and place. */
export interface Line {
  id: number;
  /** What was reserved of it before it held a figure, in the move's unit. */
  reserved: number;
}

/** A move as it was read from this very order. */
export interface KnownMove {
  id: number;
  uom_id: number;
  /** In the order Odoo reserved them. */
  lines: readonly Line[];
}

export type Command = [1, number, Record<string, unknown>];

/** A write that changes nothing, and that a done order refuses: the move's own unit (contract, step 4). */
export const guard = ({ id, uom_id }: KnownMove): Command => [1, id, { product_uom: uom_id }];

/** @param figure what the move has consumed, in its unit */
export function entry(move: KnownMove, figure: number, generation: Generation): Command {
  const [, id, values] = guard(move);
  const marks = { ...values, ...moveMarks(generation) };
  // Up to 16 a move of one line takes its figure itself; of several lines it refuses it.
  const onLines = generation.byLine ? move.lines.length > 0 : move.lines.length > 1;
  if (!onLines) return [1, id, { ...marks, ...onMove(figure, generation) }];
  const lines = shares(figure, move.lines).map(([part, share]) => [1, part, onLine(share, generation)]);
  return [1, id, { ...marks, move_line_ids: lines }];
}

/** Each line keeps its lot and gets what is reserved of it, in their order; what exceeds the reservation is on the last. */
export function shares(figure: number, lines: readonly Line[]): [id: number, figure: number][] {
  let left = figure;
  return lines.map(({ id, reserved }, index) => {
    const share = index === lines.length - 1 ? left : Math.min(left, reserved);
    left = clean(left - share);
    return [id, clean(share)];
  });
}

/**
 * What of a silo's figure each of its moves gets: of one product the first all, the others 0, since Odoo compares per
 * product (17:083); of several products each its part of the plan.
 */
export function perMove<T extends { product_id: number; planned: number }>(
  figure: number,
  moves: readonly T[],
): [T, number][] {
  const products = [...new Set(moves.map(({ product_id }) => product_id))];
  const plan = (product?: number): number =>
    moves
      .filter(({ product_id }) => product === undefined || product_id === product)
      .reduce((sum, { planned }) => sum + planned, 0);
  let left = figure;
  const byProduct = new Map(
    products.map((product, index) => {
      const whole = plan();
      const share = index === products.length - 1 || whole === 0 ? left : round((figure * plan(product)) / whole);
      left = clean(left - share);
      return [product, share];
    }),
  );
  return moves.map((move, index) => {
    const first = moves.findIndex(({ product_id }) => product_id === move.product_id) === index;
    return [move, first ? (byProduct.get(move.product_id) ?? 0) : 0];
  });
}

const round = (value: number): number => Math.round(value * 100) / 100;
/** Without the dust of binary fractions. */
export const clean = (value: number): number => Number(value.toPrecision(12)) || 0;
