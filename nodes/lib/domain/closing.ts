/**
 * What has to be decided before an order is closed: whether enough was weighed, and what is booked of things no silo weighs.
 */
import type { OrderMove, Production, Unit } from './order';
import type { SiloMap, SiloWeights } from './silos';
import { roundForOdoo, sumForOdoo } from './weight';

/**
 * Why a batch with a finished weight is not closed although Odoo would: hardly anything was weighed for it.
 * @param finished kg of finished goods
 * @param minShare smallest share of the silos' plan (%)
 * @returns '' when enough was weighed, or when no silo in use is planned: there is nothing to compare with
 */
export function tooLittleWeighed(
  finished: number,
  weights: SiloWeights,
  planned: SiloWeights,
  silos: SiloMap,
  minShare: number,
): string {
  const sum = (kg: SiloWeights): number =>
    sumForOdoo(
      Object.keys(kg)
        .filter((tag) => silos.byTag(tag))
        .map((tag) => kg[tag]),
    );
  const [plan, weighed] = [sum(planned), sum(weights)];
  if (plan === 0 || (weighed > 0 && weighed >= (plan * minShare) / 100)) return '';
  return `${finished} kg finished, ${weighed} kg weighed (of ${plan} kg planned): correct the batch, or say "close all the same" (mo-batch-store)`;
}

/** A component or by-product that no silo in use weighs and nobody has entered, with the quantity that Odoo would book. */
export interface Unweighed {
  move: OrderMove;
  /** In the move's unit, rounded as that unit is. */
  quantity: number;
}

/**
 * What of an order no silo weighs and nobody has entered: planned × finished / planned quantity of the order.
 * @param units by id; one that is not among them is rounded to 0.01
 */
export function unweighed(
  components: readonly OrderMove[],
  byproducts: readonly OrderMove[],
  silos: SiloMap,
  { product_qty }: Production,
  finished: number,
  units: ReadonlyMap<number, Pick<Unit, 'rounding'>> = new Map(),
): Unweighed[] {
  // A silo whose code could not be told is not taken for something else.
  const others = components.filter(({ code, equipment }) => !silos.byCode(code) && (code || !equipment));
  return [...others, ...byproducts]
    .filter(({ state, done }) => done === 0 && state !== 'cancel' && state !== 'done')
    .map((move) => ({
      move,
      quantity: roundTo((move.planned * finished) / product_qty, units.get(move.uom_id)?.rounding ?? 0.01),
    }))
    .filter(({ quantity }) => quantity > 0);
}

/** Half-up, to multiples of a unit's rounding; without the dust of binary fractions. */
function roundTo(value: number, rounding: number): number {
  const steps = Math.floor(Math.abs(value / rounding) * (1 + Number.EPSILON) + 0.5);
  return Number((steps * rounding).toPrecision(15));
}

export const describeUnweighed = (list: readonly Unweighed[]): string =>
  list.map(({ move, quantity }) => `${move.product}: ${quantity} ${move.uom}`).join(', ');

/**
 * Whether Odoo asks a person before it closes an order: less was finished than planned, or the consumption differs from the
 * bill of materials where its policy minds. Odoo rounds what it expects up, so that a proportional weight can differ.
 */
export function odooAsks(
  { consumption, product_qty }: Production,
  moves: readonly OrderMove[],
  finished: number,
): boolean {
  if (roundForOdoo(finished) < roundForOdoo(product_qty)) return true;
  if (consumption === 'flexible') return false;
  return moves.some(({ planned, done, state }) => {
    const expected = (planned * finished) / product_qty;
    return state !== 'cancel' && Math.abs(expected - done) > 1e-6;
  });
}
