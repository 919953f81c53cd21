/** What a decoded value means: a flag, an order number, kg. */
import type { Decoded } from './decoded';
import { type SlotField, UNITS } from './slot-layout';
import { problem } from './slot-problem';
import { isText } from './slot-types';

/** Whether a flag is on; undefined: its value means neither. Listed values are on, all others off; else 1 is on and 0 off. */
export function flagOf({ values, inverted = false }: SlotField, value: Decoded['value']): boolean | undefined {
  const number = Number(value);
  const on = values ? values.includes(number) : number === 1;
  return values || number === 0 || number === 1 ? on !== inverted : undefined;
}

/** Whether memory that nobody has written yet means that the flag is on. */
export const isOnWhenBlank = (row: SlotField): boolean => flagOf(row, 0) === true;

/** What makes a flag on: the value that acknowledging writes. */
export const valueOfOn = ({ values, inverted = false }: SlotField): number => values?.[0] ?? (inverted ? 0 : 1);

/** kg of a decoded weight. */
export const kgOf = ({ scale = 1, unit = 'kg' }: SlotField, value: Decoded['value']): number =>
  Number(value) * scale * UNITS[unit];

/**
 * The name of the order, '' where there is none. A number gets its prefix, and zeros up to its width; so does a text of
 * digits where the row has a prefix.
 */
export function orderOf(
  { type, prefix = '', width = 0 }: SlotField,
  { value }: Decoded,
): Pick<Decoded, 'problem'> & { name: string } {
  const text = String(value);
  if (isText(type) && !prefix) return { name: text };
  if (text === '' || Number(text) === 0) return { name: '' };
  const name = `${prefix}${text.padStart(width, '0')}`;
  return /^\d+$/.test(text) ? { name } : { name, problem: problem('bad-order') };
}
