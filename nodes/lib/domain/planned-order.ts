/**
 * An order of Odoo as it is queued: its units judged by what they are, its true plan per silo from its moves.
 */
import { isLive, type ListedOrder, type Order, type OrderMove, type Unit } from './order';
import { orderProblem } from './queueable';
import { siloColumns, type SiloMap, type SiloTag, type SiloWeights } from './silos';
import { roundForOdoo } from './weight';

/** The category of weights, whose reference unit is the kilogram: Odoo makes it itself, as its second (odoo-standard 14 to 18: exchange 043). */
const WEIGHT = 2;
/** Weights are sent, and compared, to 0.01 kg. */
const FINEST = 0.01;

/** Why a unit is not kg as weights are kept, in addition to its name; undefined: it is. Its name is no evidence for either. */
function notKg(unit: Unit | undefined): string | undefined {
  if (!unit) return '';
  const { categoryId, category, factor, rounding, kg } = unit;
  if (kg !== undefined) return undefined;
  if (categoryId !== WEIGHT) return ` of the category ${category}`;
  if (factor !== 1) return '';
  return rounding > 0 && rounding <= FINEST ? undefined : ` rounded to ${rounding}`;
}

const KG_NEEDED = `kilograms are of the category Weight, its reference unit, and rounded to ${FINEST} or finer`;

/** What is known of an order besides its details and raw moves; what is not told counts as refused. */
export interface OrderFacts {
  /** Id of the order's unit. */
  unit?: number;
  /** By id, at least those of the order and of the components on a silo. */
  units?: ReadonlyMap<number, Unit>;
  byproducts?: readonly OrderMove[];
}

/**
 * An order as it is queued: the true plan per silo from its moves.
 * @returns the order with notes on what a person should know (what is not weighed, two components on one silo), or why it is
 * refused: a unit that is not kg cannot be weighed.
 */
export function toOrder(
  detail: ListedOrder,
  moves: readonly OrderMove[],
  silos: SiloMap,
  { unit = 0, units = new Map(), byproducts = [] }: OrderFacts = {},
):
  { order: Order & { schedule_start: string; notes: string[] }; refused?: never } | { order?: never; refused: string } {
  const other = notKg(units.get(unit));
  if (other !== undefined) {
    const found = `${detail.uom || 'no unit'}${other}`;
    return { refused: `the order is in ${found}, not in kg; change the unit in Odoo (${KG_NEEDED})` };
  }
  const live = moves.filter(isLive);
  const foreign = live
    // What is not weighed is no obstacle, in whatever unit: bags and labels stand beside the weighed components.
    .filter(({ code }) => silos.byCode(code))
    .flatMap(({ product, uom, uom_id }) => {
      const why = notKg(units.get(uom_id));
      return why === undefined ? [] : [`${product} (${uom || 'no unit'})${why}`];
    });
  if (foreign.length > 0) {
    const remedy = `change its unit in Odoo's bill of materials (${KG_NEEDED})`;
    return { refused: `component not in kg: ${foreign.join(', ')}; ${remedy}` };
  }
  const notes = byproducts
    .filter(isLive)
    .map(({ product, planned, uom }) => `${product}: by-product, ${planned} ${uom} planned, is not weighed`);
  const component: Record<SiloTag, string> = {};
  const plan: SiloWeights = {};
  for (const { code, product, equipment, planned, kg = 1 } of live) {
    const silo = silos.byCode(code);
    if (!silo) {
      notes.push(
        `${product}: ${code || equipment ? `${code || equipment} is not in the silo-map` : 'has no silo in Odoo'}`,
      );
      continue;
    }
    const { tag, label } = silo;
    const other = component[tag];
    if (other) notes.push(`${label}: ${other} and ${product} on one silo, summed`);
    component[tag] = (other ? `${other} + ${product}` : product).slice(0, 64);
    plan[tag] = roundForOdoo((plan[tag] ?? 0) + planned * kg);
  }
  const order: Order = {
    mo_id: detail.mo_id,
    consumption: detail.quantity,
    equipment_id_batch: detail.equipment ? detail.equipment.code : '',
    finished_goods: detail.product_name || '',
    ...siloColumns({ component, planned: plan }),
  };
  if (Object.keys(plan).length === 0)
    notes.push('no component is on a silo of the silo-map: nothing will be weighed for this order');
  const problem = orderProblem(order);
  if (problem) return { refused: problem };
  return { order: { ...order, schedule_start: detail.schedule_start || '', notes } };
}
