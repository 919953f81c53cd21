/** The fields that a slot may have, and a row of the field table: where one lies and what its value means. */
import { SILO_TAGS, type SiloTag } from '../domain/silos';
import type { SlotType } from './slot-types';

/** The fields that are weights in kg: a silo's tag, or actual_weight_quantity_finished_goods. */
export type WeightField = SiloTag;
export const FLAG_FIELDS = ['status_manufacturing', 'status_operation', 'acknowledged'] as const;
export const SLOT_FIELDS = [
  'mo_id',
  ...FLAG_FIELDS,
  'actual_weight_quantity_finished_goods',
  ...SILO_TAGS,
  'position_material',
  'position_weight',
  'counter',
  'plc_time',
] as const satisfies readonly string[];
/** One of those, or the tag of a further silo of the plant. */
export type SlotFieldName = string;

/** kg of one unit. */
export const UNITS = { g: 0.001, kg: 1, t: 1000 } as const;
export type Unit = keyof typeof UNITS;

/** One row of the field table. */
export interface SlotField {
  field: SlotFieldName;
  type: SlotType;
  /** Bytes from the start of the slot; for BOOL byte.bit, e.g. 22.1. */
  offset: number;
  /** Characters of a text that are read: of CHAR and WCHAR how many there are, of a STRING no more than its maximum. */
  length?: number;
  /** kg = value × scale × unit; 1 when absent. */
  scale?: number;
  /** Of a weight; kg when absent. */
  unit?: Unit;
  /** What stands in front of an order number that the PLC keeps as a number, e.g. WH/MO/. */
  prefix?: string;
  /** Digits of that number at least, e.g. 5: 42 → 00042. */
  width?: number;
  /** A flag that is one bit of a number: which, 0 the lowest. */
  bit?: number;
  /** A flag that is on while the number is one of these; 1, and off at 0 alone, when absent. */
  values?: readonly number[];
  /** A flag that means the contrary. */
  inverted?: boolean;
  /** Where the field is in a data block of its own, or in an array of its own: then the offset counts from the block's start. */
  db?: number;
  stride?: number;
  /** One of several rows that add up to the weight of their field. */
  part?: boolean;
  /** Of a list of positions: how many, and from one to the next (bytes). */
  count?: number;
  step?: number;
}

export interface SlotLayout {
  db: number;
  /** Where slot 1 starts (bytes). */
  base: number;
  /** From one slot to the next (bytes). */
  stride: number;
  /** How many slots, 1..64. */
  slots: number;
  fields: readonly SlotField[];
}
