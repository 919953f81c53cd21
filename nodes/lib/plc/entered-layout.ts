/** A layout as a dialog keeps it, and what it says. */
import { type SlotField, type SlotFieldName, type SlotLayout, type Unit } from './slot-field';
import { type SlotType } from './slot-types';

export type Entered = string | number | boolean | readonly number[] | undefined;

/** A row of the field table as it is saved: blank or absent for "not needed". */
export type EnteredRow = Partial<Record<keyof SlotField, Entered>>;

/** A layout as a dialog keeps it: text fields, blank for "not needed". */
export interface EnteredLayout extends Record<'db' | 'base' | 'stride' | 'slots', Entered> {
  fields?: readonly EnteredRow[] | undefined;
}

const isBlank = (value: Entered): boolean => value === undefined || String(value).trim() === '';
const given = <K extends string, V>(
  key: K,
  value: Entered,
  as: (value: NonNullable<Entered>) => V,
): Partial<Record<K, V>> =>
  isBlank(value) ? {} : ({ [key]: as(value as NonNullable<Entered>) } as Partial<Record<K, V>>);

/** "3, 4" and "3 4" are two numbers; what is none becomes NaN, for the check to name. */
const numbers = (value: NonNullable<Entered>): number[] =>
  (Array.isArray(value)
    ? value
    : String(value)
        .trim()
        .split(/[\s,;]+/)
  ).map(Number);

const on = (value: Entered): boolean => value === true || value === 'true';

/** One row that was entered, sound or not. */
export const toField = (row: EnteredRow): SlotField => ({
  field: row.field as SlotFieldName,
  type: row.type as SlotType,
  offset: isBlank(row.offset) ? NaN : Number(row.offset),
  ...(Number(row.length) ? { length: Number(row.length) } : {}),
  ...given('scale', row.scale, Number),
  ...given('unit', row.unit, (unit) => unit as Unit),
  ...given('prefix', row.prefix, String),
  ...given('width', row.width, Number),
  ...given('bit', row.bit, Number),
  ...given('values', row.values, numbers),
  ...(on(row.inverted) ? { inverted: true } : {}),
  ...given('db', row.db, Number),
  ...given('stride', row.stride, Number),
  ...(on(row.part) ? { part: true } : {}),
  ...given('count', row.count, Number),
  ...given('step', row.step, Number),
});

/** The layout that was entered, sound or not. */
export const toLayout = ({ db, base, stride, slots, fields = [] }: EnteredLayout): SlotLayout => ({
  db: Number(db),
  base: Number(base),
  stride: Number(stride),
  slots: Number(slots),
  fields: fields.map(toField),
});
