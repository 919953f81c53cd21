/**
 * Orders as Odoo tells them, and which of them a row means.
 */
import type { SiloColumns, SiloMap, SiloTag, SiloWeights } from './silos';
import { sumForOdoo } from './weight';

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

/** Whether a component is still part of its order. */
export const isLive = ({ state }: OrderMove): boolean => state !== 'cancel';

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
