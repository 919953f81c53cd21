/**
 * What of a row goes to Odoo, and how it compares with what Odoo holds.
 */
import { actualWeights, type Batch } from './batch';
import type { SiloMap, SiloTag, SiloWeights } from './silos';
import { LARGEST_WEIGHT, roundForOdoo, sumForOdoo } from './weight';

/** A full set of values to send. */
export interface Consignment {
  /** kg by silo tag, rounded as Odoo keeps them; silos that the row says nothing about are absent. */
  weights: SiloWeights;
  /** The part that an update can carry: kg by equipment code, above 0. */
  byCode: Record<string, number>;
  /** Silos that have to be 0 in Odoo, which an update cannot say. */
  zeros: SiloTag[];
}

/** What Odoo has to hold for a row: its weights, and 0 for a silo that was sent before and that the row says nothing of. */
export function wholeSet(batch: Batch): SiloWeights {
  const whole: SiloWeights = {};
  for (const tag of Object.keys(batch.sent_consumption ?? {}) as SiloTag[]) whole[tag] = 0;
  return { ...whole, ...actualWeights(batch) };
}

/**
 * @param before kg that were sent earlier: a silo that was switched off since may still hold them in Odoo
 * @returns the set, or why the row cannot be sent: a weight on a silo that the map does not know is never dropped
 */
export function consign(
  weights: SiloWeights,
  silos: SiloMap,
  before: SiloWeights = {},
): { consignment: Consignment; refused?: never } | { consignment?: never; refused: string } {
  const consignment: Consignment = { weights: {}, byCode: {}, zeros: [] };
  for (const [key, value] of Object.entries(weights)) {
    const tag = key as SiloTag;
    const kg = roundForOdoo(value);
    const silo = silos.byTag(tag);
    if (!silo) {
      if (kg === 0 && !before[tag]) continue;
      const held = kg === 0 ? `was sent with ${before[tag]} kg` : `holds ${kg} kg`;
      return { refused: `${tag} ${held}, but is switched off in the silo-map: switch it on and retry` };
    }
    if (!(kg >= 0 && kg <= LARGEST_WEIGHT)) return { refused: `${tag} holds ${kg} kg: correct the row and retry` };
    consignment.weights[tag] = kg;
    if (kg > 0) consignment.byCode[silo.code] = kg;
    else consignment.zeros.push(tag);
  }
  return { consignment };
}

export interface Difference {
  tag: SiloTag;
  code: string;
  /** kg in the row. */
  wanted: number;
  /** kg in Odoo's stock moves. */
  found: number;
}

/** Silos whose sum of stock moves is not what the row says, to 0.01 kg. */
export function differences(wanted: SiloWeights, found: SiloWeights, silos: SiloMap): Difference[] {
  return Object.entries(wanted).flatMap(([key, kg]) => {
    const tag = key as SiloTag;
    const difference = {
      tag,
      code: silos.byTag(tag)?.code ?? tag,
      wanted: roundForOdoo(kg),
      found: roundForOdoo(found[tag]),
    };
    return difference.wanted === difference.found ? [] : [difference];
  });
}

export const describe = (list: readonly Difference[]): string =>
  list.map(({ tag, code, wanted, found }) => `${tag} (${code}): ${wanted} kg here, ${found} kg in Odoo`).join('; ');

/** What closes an order whose batch names no finished weight. */
export type NoFinishedWeight = 'set-aside' | 'planned' | 'sum';

/** @returns kg of finished goods to close the order with; undefined: a person has to say. */
export function finishedQuantity(batch: Batch, otherwise: NoFinishedWeight): number | undefined {
  const finished = roundForOdoo(batch.actual_weight_quantity_finished_goods);
  if (finished > 0) return finished;
  const substitute =
    otherwise === 'planned'
      ? roundForOdoo(batch.consumption)
      : otherwise === 'sum'
        ? sumForOdoo(Object.values(actualWeights(batch)))
        : 0;
  return substitute > 0 ? substitute : undefined;
}
