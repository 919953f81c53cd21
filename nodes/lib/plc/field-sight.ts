/** A field as a person sees it: its value and its bytes. */
import { roundDecoded } from '../domain/weight';
import { bytesOf, decodeField } from './slot-decode';
import { isFlag, isWeight } from './slot-layout';
import { flagOf, kgOf, orderOf } from './slot-meaning';
import type { ImageField, SlotImage } from './slot-places';
import type { SlotProblem } from './slot-problem';

export interface FieldSight {
  field: string;
  /** As it counts: a weight in kg, a flag as 0 or 1, an order by its name; of a list of positions one behind the other. */
  value: string;
  /** The field's bytes, e.g. 44 4E 60 00. */
  hex: string;
  /** Why it cannot be read as one. */
  problem?: SlotProblem;
}

/** Bytes as a person reads them: 44 4E 60 00. */
export const hexOf = (raw: Buffer): string =>
  raw
    .toString('hex')
    .toUpperCase()
    .replace(/..(?=.)/g, '$& ');

function sightOf(slot: Buffer, row: ImageField): FieldSight {
  const decoded = decodeField(slot, row);
  const { value, problem } = decoded;
  const seen = { field: row.field, hex: hexOf(bytesOf(slot, row)), ...(problem ? { problem } : {}) };
  if (row.field === 'mo_id') return { ...seen, value: orderOf(row, decoded).name };
  if (isWeight(row.field)) return { ...seen, value: String(roundDecoded(kgOf(row, value))) };
  const flag = isFlag(row.field) ? flagOf(row, value) : undefined;
  const number = row.values ? ` (${Number(value)})` : '';
  return { ...seen, value: flag === undefined ? String(value) : `${Number(flag)}${number}` };
}

/** What the rows of a layout say, in their order. @param slot its image */
export function sightsOf(slot: Buffer, { fields }: SlotImage): FieldSight[] {
  const sights: FieldSight[] = [];
  for (const row of fields) {
    const sight = sightOf(slot, row);
    const before = row.index ? sights.pop() : undefined;
    const joined = before && { value: `${before.value} · ${sight.value}`, hex: `${before.hex} · ${sight.hex}` };
    sights.push({ ...before, ...sight, ...joined });
  }
  return sights;
}
