/** The plan of an order: what is to be made of what, as it stands in the queue and in Odoo. */
import type { Order } from './order';
import { componentNames, plannedWeights, silosIn } from './silos';
import { sameForOdoo } from './weight';

/** Whether two tellings of an order plan the same: quantity and product, component and kg per silo. */
export function samePlan(one: Order, other: Order): boolean {
  const [weights, others] = [plannedWeights(one), plannedWeights(other)];
  const [names, otherNames] = [componentNames(one), componentNames(other)];
  return (
    // NUMERIC arrives as a text.
    sameForOdoo(Number(one.consumption), Number(other.consumption)) &&
    (one.finished_goods || '') === (other.finished_goods || '') &&
    silosIn(weights, others, names, otherNames).every(
      (tag) => sameForOdoo(weights[tag] ?? 0, others[tag] ?? 0) && (names[tag] ?? '') === (otherNames[tag] ?? ''),
    )
  );
}
