/**
 * Units of measure by identity: what a unit is follows from what it hangs on, not from its name.
 */
import type { Unit } from '../../domain/order';
import { factorOf, type Generation, parentOf } from '../generation';
import { clean } from './figures';
import type { UnitRecord } from './records';

/** The category of weights up to 18, which Odoo makes itself, as its second; its reference unit is the kilogram (17:044). */
const WEIGHT = 2;
/** From 19 on units hang on each other, and weights on the gram, which Odoo makes itself (19:046). */
const GRAM = 15;
/** Weights are kept to 0.01 kg: a coarser unit would round them. */
const FINEST = 0.01;
/** Longer chains of units go round in a circle. */
const LONGEST_CHAIN = 10;

/** kg of one unit; undefined: it is no weight. */
function kgOf(record: UnitRecord, all: ReadonlyMap<number, UnitRecord>, generation: Generation): number | undefined {
  if (generation.unit.byCategory) {
    return parentOf(record, generation)?.[0] === WEIGHT ? 1 / factorOf(record, generation) : undefined;
  }
  let grams = 1;
  let at: UnitRecord | undefined = record;
  for (let step = 0; at && step < LONGEST_CHAIN; step += 1) {
    const parent = parentOf(at, generation);
    if (!parent) return at.id === GRAM ? grams / 1000 : undefined;
    grams *= factorOf(at, generation);
    at = all.get(parent[0]);
  }
  return undefined;
}

/** A unit as the rules need it: `kg` only where weights of 0.01 kg can be converted without loss. */
export function unitOf(record: UnitRecord, all: ReadonlyMap<number, UnitRecord>, generation: Generation): Unit {
  const { name, rounding } = record;
  const [parentId, parent] = parentOf(record, generation) ?? [record.id, name];
  const kg = kgOf(record, all, generation);
  const exact = kg !== undefined && rounding > 0 && clean(rounding * kg) <= FINEST;
  return {
    ...{ name, rounding, factor: kg ? clean(1 / kg) : 0 },
    ...{ categoryId: kg === undefined ? (parentId === WEIGHT ? 0 : parentId) : WEIGHT, category: parent },
    ...(exact ? { kg: clean(kg) } : {}),
  };
}

/** The units that have to be read besides, to know what these hang on. */
export const parentsOf = (records: readonly UnitRecord[], generation: Generation): number[] =>
  generation.unit.byCategory ? [] : records.flatMap((record) => parentOf(record, generation)?.[0] ?? []);
