/**
 * What of a row goes to Odoo, and how it compares with what Odoo holds.
 */
import type { Batch } from './batch';
import { type OrderKey, type Production, remaindersOf } from './order';
import { actualWeights, type SiloColumns, type SiloMap, type SiloTag, type SiloWeights } from './silos';
import { LARGEST_WEIGHT, roundForOdoo, sameForOdoo, sumForOdoo } from './weight';

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
export function wholeSet(batch: SiloColumns & Partial<Pick<Batch, 'sent_consumption'>>): SiloWeights {
  const whole: SiloWeights = {};
  for (const tag of Object.keys(batch.sent_consumption ?? {})) whole[tag] = 0;
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
  for (const [tag, value] of Object.entries(weights)) {
    const kg = roundForOdoo(value);
    const silo = silos.byTag(tag);
    if (!silo) {
      if (kg === 0 && !before[tag]) continue;
      const held = kg === 0 ? `was sent with ${before[tag]} kg` : `holds ${kg} kg`;
      return { refused: `${silos.name(tag)} ${held}, but is switched off in the silo-map: switch it on and retry` };
    }
    if (!(kg >= 0 && kg <= LARGEST_WEIGHT))
      return { refused: `${silos.name(tag)} holds ${kg} kg: correct the row and retry` };
    consignment.weights[tag] = kg;
    if (kg > 0) consignment.byCode[silo.code] = kg;
    else consignment.zeros.push(tag);
  }
  return { consignment };
}

export interface Difference {
  tag: SiloTag;
  /** What people call the silo. */
  name: string;
  code: string;
  /** kg in the row. */
  wanted: number;
  /** kg in Odoo's stock moves. */
  found: number;
}

/** Silos whose sum of stock moves is not what the row says, to 0.01 kg. */
export function differences(wanted: SiloWeights, found: SiloWeights, silos: SiloMap): Difference[] {
  return Object.entries(wanted).flatMap(([tag, kg]) => {
    const difference = {
      tag,
      name: silos.name(tag),
      code: silos.byTag(tag)?.code ?? tag,
      wanted: roundForOdoo(kg),
      found: roundForOdoo(found[tag]),
    };
    return difference.wanted === difference.found ? [] : [difference];
  });
}

export const describe = (list: readonly Difference[]): string =>
  list.map(({ name, code, wanted, found }) => `${name} (${code}): ${wanted} kg here, ${found} kg in Odoo`).join('; ');

/**
 * What a done order holds otherwise than a row, in words; none: it is done with the row's figures.
 * @param row kg per silo; kg of finished goods, undefined: the row does not tell
 */
export function otherFigures(
  row: { weights: SiloWeights; finished: number | undefined },
  odoo: { production: Pick<Production, 'qty_produced'>; consumption: SiloWeights },
  silos: SiloMap,
): string[] {
  const told = differences(row.weights, odoo.consumption, silos).map((difference) => describe([difference]));
  const { finished } = row;
  const { qty_produced } = odoo.production;
  if (finished === undefined || sameForOdoo(finished, qty_produced)) return told;
  return [...told, `finished goods: ${finished} kg here, ${qty_produced} kg in Odoo`];
}

/**
 * An order that is done in Odoo with other figures than the row's, in words a person can act on.
 * @param remainders orders among which those are that Odoo made of the rest
 */
export function doneDifferently(
  key: OrderKey,
  production: Production,
  told: readonly string[],
  remainders: readonly Production[],
): string {
  const { name } = production;
  const called = name === key.mo_id ? '' : ` (${name} there by now)`;
  const mine = remaindersOf(key, production);
  const rest = remainders.filter((one) => mine.includes(one.name)).map((one) => `${one.name} (${one.state})`);
  const left = rest.length > 0 ? `; the remainder is ${rest.join(', ')}` : '';
  return `order ${key.mo_id} is done in Odoo${called} with other figures: ${told.join('; ')}${left}`;
}

/** What this package has told Odoo of an order. */
interface Told {
  confirmed: SiloWeights;
  before: SiloWeights;
  /** null: unknown, it may be any. */
  everSent: SiloWeights | null;
}

/** Of what differs, what nobody here has sent: somebody entered it in Odoo. */
export const foreignFigures = (
  open: readonly Difference[],
  { confirmed, before, everSent }: Told,
): (Difference & { confirmed: number })[] =>
  open
    .filter(({ tag, found }) => {
      const ours = [confirmed[tag] ?? 0, before[tag], everSent?.[tag]].some(
        (kg) => kg !== undefined && roundForOdoo(kg) === found,
      );
      // What was never confirmed and may have been sent can be our own.
      return !ours && (tag in confirmed || (everSent !== null && !(tag in everSent)));
    })
    .map((difference) => ({ ...difference, confirmed: roundForOdoo(confirmed[difference.tag]) }));

/** What closes an order whose batch names no finished weight. */
export type NoFinishedWeight = 'set-aside' | 'planned' | 'sum';

/** What a row, or a call by hand for an order without one, says of the weights. */
export type Weighed = SiloColumns &
  Pick<Batch, 'actual_weight_quantity_finished_goods'> &
  Partial<Pick<Batch, 'consumption'>>;

/** @returns kg of finished goods to close the order with; undefined: a person has to say. */
export function finishedQuantity(batch: Weighed, otherwise: NoFinishedWeight): number | undefined {
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
