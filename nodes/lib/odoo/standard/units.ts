/**
 * Units of measure by identity: what a unit is follows from what it hangs on, not from its name.
 */
import type { Unit } from '../../domain/order';
import type { Generation } from './generation';
import type { Related, UnitRecord } from './records';

/** The category of weights up to 18, which Odoo makes itself, as its second; its reference unit is the kilogram (17:044). */
const WEIGHT = 2;
/** From 19 on units hang on each other, and weights on the gram, which Odoo makes itself (19:046). */
const GRAM = 15;
/** Weights are kept to 0.01 kg: a coarser unit would round them. */
const FINEST = 0.01;
/** Longer chains of units go round in a circle. */
const LONGEST_CHAIN = 10;

/** kg of one unit; undefined: it is no weight. */
function kgOf(record: UnitRecord, all: ReadonlyMap<number, UnitRecord>, { unit }: Generation): number | undefined {
  if (unit.parent === 'category_id') {
    const [category] = (record.category_id as Related) || [0];
    return category === WEIGHT ? 1 / Number(record[unit.factor]) : undefined;
  }
  let grams = 1;
  let at: UnitRecord | undefined = record;
  for (let step = 0; at && step < LONGEST_CHAIN; step += 1) {
    const parent = at[unit.parent] as Related;
    if (!parent) return at.id === GRAM ? grams / 1000 : undefined;
    grams *= Number(at[unit.factor]);
    at = all.get(parent[0]);
  }
  return undefined;
}

/** A unit as the rules need it: `kg` only where weights of 0.01 kg can be converted without loss. */
export function unitOf(record: UnitRecord, all: ReadonlyMap<number, UnitRecord>, generation: Generation): Unit {
  const { name, rounding } = record;
  const [parentId, parent] = (record[generation.unit.parent] as Related) || [record.id, name];
  const kg = kgOf(record, all, generation);
  const exact = kg !== undefined && rounding > 0 && clean(rounding * kg) <= FINEST;
  return {
    ...{ name, rounding, factor: kg ? clean(1 / kg) : 0 },
    ...{ categoryId: kg === undefined ? (parentId === WEIGHT ? 0 : parentId) : WEIGHT, category: parent },
    ...(exact ? { kg: clean(kg) } : {}),
  };
}

/** The units that have to be read besides, to know what these hang on. */
export const parentsOf = (records: readonly UnitRecord[], { unit }: Generation): number[] =>
  unit.parent === 'category_id' ? [] : records.flatMap((record) => ((record[unit.parent] as Related) || [])[0] ?? []);

/** Without the dust of binary fractions. */
const clean = (value: number): number => Number(value.toPrecision(12));
