/** The bits of Python that show through Odoo's answers: its JSON, its numbers and its texts of values. */

import { OdooError } from './records';

export type Params = Record<string, unknown>;

export const isObject = (value: unknown): value is Params =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * Parses JSON as Python does: the bare words NaN, Infinity and -Infinity are numbers (exchanges 114, 115).
 * @throws SyntaxError when it is not JSON.
 */
export function parseJson(text: string): unknown {
  const marked = text.replace(/"(?:\\.|[^"\\])*"|-?Infinity|NaN/g, (token) =>
    token.startsWith('"') ? token : `"\\u0000${token}"`,
  );
  return JSON.parse(marked, (_key, value: unknown) =>
    typeof value === 'string' && value.startsWith('\0') ? Number(value.slice(1)) : value,
  );
}

/** `float(value)`: the number, or undefined where Python raises. */
export function toFloat(value: unknown): number | undefined {
  if (typeof value === 'number') return value;
  if (typeof value === 'boolean') return Number(value);
  if (typeof value !== 'string') return undefined;
  const text = value.trim().toLowerCase();
  const word = /^([+-]?)(nan|inf|infinity)$/.exec(text);
  if (word) return word[2] === 'nan' ? NaN : Number(`${word[1]}Infinity`);
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/.test(text) ? Number(text) : undefined;
}

/**
 * `int(value)`.
 * @throws OdooError with Python's own text (exchange 057).
 */
export function toInt(value: unknown): number {
  if (typeof value === 'number') return Math.trunc(value);
  if (typeof value === 'boolean') return Number(value);
  if (typeof value === 'string' && /^\s*[+-]?\d+\s*$/.test(value)) return Number(value);
  throw new OdooError(`invalid literal for int() with base 10: ${repr(value)}`, 'builtins.ValueError');
}

/** `repr(value)` of what JSON can hold. */
export function repr(value: unknown): string {
  if (value === null || value === undefined) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value === 'string') return `'${value}'`;
  if (Array.isArray(value)) return `[${value.map(repr).join(', ')}]`;
  if (isObject(value)) {
    return `{${Object.entries(value)
      .map(([key, item]) => `${repr(key)}: ${repr(item)}`)
      .join(', ')}}`;
  }
  return JSON.stringify(value);
}

/** `str(value)`. */
export const str = (value: unknown): string => (typeof value === 'string' ? value : repr(value));
