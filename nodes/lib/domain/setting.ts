/**
 * A number that an engineer enters. The dialog bounds it while it is typed; an imported flow, an environment variable or a
 * slip (30000 for 30) goes past the dialog, and meets the same bounds here.
 */
export interface Range {
  /** For a blank field, and for what is no number. */
  standard: number;
  least: number;
  most: number;
}

export interface Setting {
  value: number;
  /** What was entered, where that is not what is used. */
  instead?: string;
}

/** The number to work with: always finite and within the range. */
export function setting(entered: unknown, { standard, least, most }: Range): Setting {
  const text = typeof entered === 'string' || typeof entered === 'number' ? String(entered).trim() : '';
  if (text === '') return { value: standard };
  const number = Number(text);
  if (number >= least && number <= most) return { value: number };
  const value = Number.isNaN(number) ? standard : number > most ? most : least;
  return { value, instead: text };
}
