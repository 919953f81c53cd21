/**
 * Orders as Odoo tells them, and what of them goes into the queue.
 */
import { MO_ID_PATTERN } from './reading';
import {
  isSiloTag,
  SILO_COLUMNS,
  SILO_TAGS,
  type SiloColumns,
  siloColumns,
  type SiloMap,
  type SiloTag,
  type SiloWeights,
} from './silos';
import { roundForOdoo, sumForOdoo } from './weight';

/**
 * An order as Odoo is asked about it: by its id; by its name there only where a route of the addon takes nothing else, since
 * two companies of one Odoo may have orders of one name.
 */
export interface OrderRef {
  id: number;
  name: string;
}

/** What a row says of its order: the name that the PLC tells, the id in Odoo, the name there where it is another by now. */
export interface OrderKey {
  mo_id: string;
  /** null: not asked for yet. */
  odoo_id?: number | null;
  odoo_name?: string | null;
}

/** An order as it comes from Odoo and goes into the queue. */
export interface Order extends SiloColumns, OrderKey {
  /** Planned quantity of finished goods (kg). */
  consumption: number;
  /** Odoo's equipment code of the line, '' when Odoo names none. */
  equipment_id_batch: string;
  finished_goods: string;
}

/** The name that the addon's routes know the order by. */
export const nameInOdoo = ({ mo_id, odoo_name }: OrderKey): string => odoo_name || mo_id;

/** Why an order cannot be worked on by name, and what a person has to do. */
export const ambiguous = (name: string, count: number): string =>
  `Odoo has ${count} orders named ${name}, and its SCADA routes take a name: limit the Odoo user to one company`;

/** An order as Odoo lists it. */
export interface ListedOrder {
  mo_id: string;
  /** Empty text is `false`. */
  schedule_start: string | false;
  equipment: { code: string } | null | false;
  product_name: string;
  quantity: number;
  uom: string;
}

/** One raw move of an order: the truth about plan and consumption. */
export interface OrderMove {
  /** In Odoo. */
  id: number;
  /** Equipment code, '' when the component has no silo. */
  code: string;
  equipment: string;
  product_id: number;
  product: string;
  uom: string;
  uom_id: number;
  /** kg, scaled to the order. */
  planned: number;
  /** kg consumed so far. */
  done: number;
  /** kg of one unit of the figures above; absent: they are kg, or in a unit that is no weight. */
  kg?: number;
  state: string;
}

/** State of an order in Odoo. */
export interface Production {
  id: number;
  name: string;
  state: 'draft' | 'confirmed' | 'progress' | 'to_close' | 'done' | 'cancel';
  /** Planned, entered so far and finished quantity (kg). */
  product_qty: number;
  qty_producing: number;
  qty_produced: number;
  /** What the bill of materials allows to differ. */
  consumption: 'flexible' | 'warning' | 'strict';
  /** Unit of its quantities. */
  product_uom_id?: [id: number, name: string] | false;
  /** Moves of what it makes besides its product. */
  move_byproduct_ids?: number[];
}

/** A unit of measure. */
export interface Unit {
  /** In the user's language, like the category: what it means does not follow from it. */
  name: string;
  categoryId: number;
  category: string;
  /** How many make one reference unit of the category. */
  factor: number;
  /** Quantities are multiples of it. */
  rounding: number;
  /** kg of one, where weights can be converted exactly; absent: only kilograms themselves are. */
  kg?: number;
}

/**
 * The order that a row means, among those that were read by its id and its name.
 * @param found at most one order per id
 * @returns neither of both: Odoo does not know it. A reason: the name cannot be worked with.
 */
export function identify(key: OrderKey, found: readonly Production[]): { production?: Production; reason?: string } {
  const { odoo_id } = key;
  const byId = odoo_id ? found.find(({ id }) => id === odoo_id) : undefined;
  if (odoo_id && !byId) return {};
  const name = byId?.name ?? nameInOdoo(key);
  const namesakes = found.filter((one) => one.name === name);
  const production = byId ?? (namesakes.length === 1 ? namesakes[0] : undefined);
  return {
    ...(production ? { production } : {}),
    ...(namesakes.length > 1 ? { reason: ambiguous(name, namesakes.length) } : {}),
  };
}

/** Orders that Odoo may have made of what was left when this one was closed: it renames the order to -001, and goes on from there. */
export function remaindersOf({ mo_id }: OrderKey, { name }: Production): string[] {
  const [, stem, part] = /^(.*)-(\d{3})$/.exec(name) ?? [];
  if (name === mo_id || part === undefined) return [];
  return [1, 2, 3].map((next) => `${stem}-${String(Number(part) + next).padStart(part.length, '0')}`);
}

/** Characters of a name that database and readings keep. */
const LONGEST_NAME = 64;
/** A quantity of this size and more has no room in its column, numeric(18,3). */
const TOO_MUCH = 1e15;
/** PostgreSQL keeps no NUL, and no half of a character that was cut. */
const UNKEPT = /[\0\ud800-\udfff]/u;

/** A name as it is told: one that is refused may be of any length, and hold anything. */
export const legible = (name: string): string => name.replace(/[\p{Cc}\p{Cs}]+/gu, '?').slice(0, 80);

/** Why no reading can ever name such an order; undefined: one can. */
function nameProblem(name: string): string | undefined {
  if (new RegExp(MO_ID_PATTERN, 'u').test(name)) return undefined;
  const remedy = 'change the prefix or suffix of its sequence, or the name, in Odoo';
  const { length } = [...name];
  if (length > LONGEST_NAME) return `its name has ${length} characters, and ${LONGEST_NAME} is the most: ${remedy}`;
  if (name !== name.trim()) return `its name begins or ends with a blank, which no PLC tells: ${remedy}`;
  if (/\d/.test(name) && !name.includes('//'))
    return `its name holds control characters, which no PLC tells: ${remedy}`;
  return `its name has no digit or an empty part, and readings of such a name are refused: ${remedy}`;
}

/** What an order says of further silos, by the name that a column of their own would have; what is no such thing, as it is. */
function ofFurther(order: Order, { of, further }: (typeof SILO_COLUMNS)['component' | 'planned']): object {
  const said: unknown = order[further] ?? {};
  if (typeof said !== 'object' || said === null || Array.isArray(said)) return { [further]: NaN };
  const entries = Object.entries(said as Record<string, unknown>);
  return Object.fromEntries(entries.map(([tag, value]) => [of(tag), isSiloTag(tag) ? value : NaN]));
}

/**
 * Why an order cannot be queued, whoever brings it, in words a person can act on; undefined: it can. What does not fit into
 * its column would make the database refuse all orders of the message.
 */
export function orderProblem(order: Order): string | undefined {
  const { component, planned } = SILO_COLUMNS;
  const [names, plans] = [ofFurther(order, component), ofFurther(order, planned)];
  const fields: Readonly<Record<string, unknown>> = { ...order, ...names, ...plans };
  const texts = ['equipment_id_batch', 'finished_goods', 'odoo_name', ...SILO_TAGS.map(component.of)];
  const figures = ['consumption', ...SILO_TAGS.map(planned.of)];
  texts.push(...Object.keys(names));
  figures.push(...Object.keys(plans));
  const wrong = (field: string, what: string): string => `${field} ${what}: correct it where the order comes from`;
  const named = nameProblem(order.mo_id);
  if (named) return named;
  for (const field of texts) {
    const value = fields[field] ?? '';
    if (typeof value !== 'string') return wrong(field, 'is no text');
    if (UNKEPT.test(value)) return wrong(field, 'holds a character that the database cannot keep');
    // The others are there to be read: they are cut.
    if (field === 'equipment_id_batch' && value.length > LONGEST_NAME)
      return wrong(field, `is longer than ${LONGEST_NAME} characters`);
  }
  for (const field of figures) {
    const given = fields[field] ?? 0;
    // NUMERIC arrives as a text from another database.
    const value = typeof given === 'string' && given.trim() ? Number(given) : given;
    if (typeof value !== 'number' || !(value >= 0 && value < TOO_MUCH))
      return wrong(field, typeof given === 'number' || typeof given === 'string' ? `is ${given}` : 'is no number');
  }
  const { odoo_id } = order;
  if (odoo_id != null && !(Number.isInteger(odoo_id) && odoo_id > 0 && odoo_id < 2 ** 31))
    return wrong('odoo_id', `is ${String(odoo_id)}`);
  return undefined;
}

/** The orders of a message that can be queued, and the others, each with its reason. @returns undefined: none is an order */
export function queueable<T extends Order>(
  candidates: readonly unknown[],
): { orders: T[]; refused: { mo_id: string; reason: string }[] } | undefined {
  const isOrder = (candidate: unknown): candidate is T =>
    typeof (candidate as Partial<Order> | null | undefined)?.mo_id === 'string';
  if (candidates.length > 0 && !candidates.some(isOrder)) return undefined;
  const orders: T[] = [];
  const refused: { mo_id: string; reason: string }[] = [];
  for (const [index, candidate] of candidates.entries()) {
    if (!isOrder(candidate)) {
      refused.push({ mo_id: '', reason: `entry ${index + 1} of the message is no order: it has no mo_id` });
      continue;
    }
    const reason = orderProblem(candidate);
    if (reason) refused.push({ mo_id: candidate.mo_id, reason });
    else orders.push(candidate);
  }
  return { orders, refused };
}

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

const isLive = ({ state }: OrderMove): boolean => state !== 'cancel';

/** kg consumed per silo, over all live moves of an order. A cancelled order's moves are all cancelled: they count. */
export function consumedBySilo(moves: readonly OrderMove[], silos: SiloMap): SiloWeights {
  const live = moves.some(isLive) ? moves.filter(isLive) : moves;
  const parts: Record<SiloTag, number[]> = {};
  for (const { code, done, kg = 1 } of live) {
    const tag = silos.byCode(code)?.tag;
    if (tag) (parts[tag] ??= []).push(done * kg);
  }
  return Object.fromEntries(Object.entries(parts).map(([tag, kgs]) => [tag, sumForOdoo(kgs)]));
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
