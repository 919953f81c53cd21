/**
 * Which orders the queue takes, whoever brings them: what no reading could name, and what has no room in its column, is refused.
 */
import type { Order } from './order';
import { MO_ID_PATTERN } from './reading';
import { isSiloTag, SILO_COLUMNS, SILO_TAGS } from './silos';

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
