/** Odoo's search: domains, sorting and the choice of fields. */
import type { SimulatedUser } from './catalogue';
import { fieldsOf, related } from './models';
import type { Row } from './models';
import type { OrderBook } from './orders';
import { repr, str } from './python';
import type { Params } from './python';
import { OdooError } from './records';
import type { Order } from './records';

/** How a model sorts when nobody says. */
const ORDER: Record<string, string> = { 'mrp.production': 'date_planned_start asc, id asc' };

export const valueError = (message: string): OdooError => new OdooError(message, 'builtins.ValueError');

function fieldOf(row: Row, field: string, model: string): unknown {
  if (!(field in row)) throw valueError(`Invalid field ${repr(field)} on model ${repr(model)}`);
  return row[field];
}

/** The values that a search compares with: of a many2one its id and its name, of `x.y` the field y of record x. */
function searched(row: Row, path: string, model: string, book: OrderBook, user: SimulatedUser): unknown[] {
  const [field = '', next] = path.split('.');
  const value = fieldOf(row, field, model);
  if (!Array.isArray(value)) return [value];
  if (next === undefined) return value;
  if (next === 'id') return [value[0]];
  const found = related(field, value[0], book, user);
  if (found) return searched(found.row, path.slice(field.length + 1), found.model, book, user);
  if (next === 'name' || next === 'display_name') return [value[1]];
  throw valueError(`Invalid field ${repr(next)} in leaf ${repr(path)}`);
}

/** SQL's pattern: `%` any text, `_` any character; without the `=` it may stand anywhere. */
function like(operator: string, pattern: string): RegExp {
  const text = pattern
    .replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
    .replaceAll('%', '.*')
    .replaceAll('_', '.');
  return new RegExp(operator.startsWith('=') ? `^${text}$` : text, operator.endsWith('ilike') ? 'is' : 's');
}

function holds(row: Row, leaf: unknown, model: string, book: OrderBook, user: SimulatedUser): boolean {
  if (!Array.isArray(leaf) || leaf.length !== 3) throw valueError(`Invalid leaf ${repr(leaf)}`);
  const [path, operator, wanted] = leaf as [unknown, unknown, unknown];
  const values = searched(row, str(path), model, book, user);
  const among = (list: unknown[]) => list.some((item) => values.includes(item));
  const compare = (test: (a: string | number, b: string | number) => boolean) =>
    values.some((value) => {
      const comparable = (typeof value === 'number' && typeof wanted === 'number') || typeof value === typeof wanted;
      return comparable && test(value as string | number, wanted as string | number);
    });
  switch (operator) {
    case '=':
      return among([wanted]);
    case '!=':
      return !among([wanted]);
    case 'in':
      return among(Array.isArray(wanted) ? wanted : [wanted]);
    case 'not in':
      return !among(Array.isArray(wanted) ? wanted : [wanted]);
    case '>':
      return compare((a, b) => a > b);
    case '>=':
      return compare((a, b) => a >= b);
    case '<':
      return compare((a, b) => a < b);
    case '<=':
      return compare((a, b) => a <= b);
    case 'like':
    case 'ilike':
    case '=like':
    case '=ilike':
      return values.some((value) => typeof value === 'string' && like(operator, str(wanted)).test(value));
    default:
      throw valueError(`Invalid operator ${repr(operator)} in leaf ${repr(leaf)}`);
  }
}

/** Evaluates a domain in Odoo's prefix notation; terms that no operator joins are joined by "and". */
export function matches(row: Row, domain: unknown[], model: string, book: OrderBook, user: SimulatedUser): boolean {
  const rest = [...domain];
  const term = (): boolean => {
    const item = rest.shift();
    if (item === '!') return !term();
    if (item !== '&' && item !== '|') return holds(row, item, model, book, user);
    const [left, right] = [term(), term()];
    return item === '&' ? left && right : left || right;
  };
  let all = true;
  while (rest.length > 0) all = term() && all;
  return all;
}

/** The orders named by a term that must hold: an index, so that a search stays quick among thousands of orders. */
export function candidates(domain: unknown[], model: string, book: OrderBook, user: SimulatedUser): Order[] {
  const names = model === 'mrp.production' ? /^(id|name)$/ : /^(move_id\.)?raw_material_production_id(\.(id|name))?$/;
  const leaves = domain.every(Array.isArray) ? (domain as unknown[][]) : [];
  const leaf = leaves.find(([path, operator]) => names.test(str(path)) && (operator === '=' || operator === 'in'));
  if (!leaf) return book.all(user);
  const wanted: unknown[] = Array.isArray(leaf[2]) ? leaf[2] : [leaf[2]];
  return [
    ...new Set(
      wanted.flatMap((key) => (typeof key === 'string' ? book.named(key, user) : (book.find(key, user) ?? []))),
    ),
  ];
}

export function sorted(rows: Row[], order: unknown, model: string): Row[] {
  const keys = str(order || (ORDER[model] ?? 'id asc')).split(',');
  const parsed = keys
    .map((key) => key.trim().split(/\s+/))
    .map(([field = 'id', way]) => ({ field, down: way === 'desc' }));
  return [...rows].sort((a, b) => {
    for (const { field, down } of parsed) {
      const [x, y] = [fieldOf(a, field, model), fieldOf(b, field, model)] as [string, string];
      if (x !== y) return x < y === down ? 1 : -1;
    }
    return 0;
  });
}

/** A wrong name fails the call, also where there is no record to read it from. @throws OdooError */
export function checkNames(model: string, domain: unknown[], fields: unknown, book: OrderBook): void {
  const known = fieldsOf(model, book);
  const paths = domain.flatMap((leaf) => (Array.isArray(leaf) ? [str(leaf[0]).split('.', 1)[0]] : []));
  const named = [...paths, ...(Array.isArray(fields) ? fields.map(str) : [])];
  const wrong = named.find((field) => field !== undefined && !known.includes(field));
  if (wrong !== undefined) throw valueError(`Invalid field ${repr(wrong)} on model ${repr(model)}`);
}

export function picked(rows: Row[], fields: unknown, model: string): Params[] {
  if (!Array.isArray(fields) || fields.length === 0) return rows;
  return rows.map((row) => {
    const entries = fields.map((field: unknown) => [str(field), fieldOf(row, str(field), model)] as const);
    return { id: row.id, ...Object.fromEntries(entries) };
  });
}
