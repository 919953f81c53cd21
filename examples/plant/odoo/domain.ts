/** Odoo's search: domains, sorting and the choice of fields. */
import { repr, str } from './python';
import type { Params } from './python';
import { OdooError } from './records';

/** A record, every field of it. */
export type Row = Params & { id: number };

/** What a search needs of the models. */
export interface Records {
  fieldsOf(model: string): readonly string[];
  /** How a model sorts when nobody says. */
  orderOf(model: string): string;
  /** The records that the value of a relational field leads to; undefined: only its id and name are kept. */
  related(field: string, value: readonly unknown[]): { model: string; rows: Row[] } | undefined;
}

export const valueError = (message: string): OdooError => new OdooError(message, 'builtins.ValueError');

function fieldOf(row: Row, field: string, model: string): unknown {
  if (!(field in row)) throw valueError(`Invalid field ${repr(field)} on model ${repr(model)}`);
  return row[field];
}

/** The values that a search compares with: of a many2one its id and its name, of `x.y` the field y of record x. */
function searched(row: Row, path: string, model: string, records: Records): unknown[] {
  const [field = '', next] = path.split('.');
  const value = fieldOf(row, field, model);
  if (!Array.isArray(value)) return [value];
  if (next === undefined) return value;
  const found = records.related(field, value);
  if (found) return found.rows.flatMap((other) => searched(other, path.slice(field.length + 1), found.model, records));
  if (next === 'id') return [value[0]];
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

function holds(row: Row, leaf: unknown, model: string, records: Records): boolean {
  if (!Array.isArray(leaf) || leaf.length !== 3) throw valueError(`Invalid leaf ${repr(leaf)}`);
  const [path, operator, wanted] = leaf as [unknown, unknown, unknown];
  const values = searched(row, str(path), model, records);
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
export function matches(row: Row, domain: unknown[], model: string, records: Records): boolean {
  const rest = [...domain];
  const term = (): boolean => {
    const item = rest.shift();
    if (item === '!') return !term();
    if (item !== '&' && item !== '|') return holds(row, item, model, records);
    const [left, right] = [term(), term()];
    return item === '&' ? left && right : left || right;
  };
  let all = true;
  while (rest.length > 0) all = term() && all;
  return all;
}

export function sorted(rows: Row[], order: unknown, model: string, records: Records): Row[] {
  const keys = str(order || records.orderOf(model)).split(',');
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
export function checkNames(model: string, domain: unknown[], fields: unknown, records: Records): void {
  const known = records.fieldsOf(model);
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
