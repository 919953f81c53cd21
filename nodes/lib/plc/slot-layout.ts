/**
 * Slot layout: where a batch's values lie in a data block. A slot is one batch; slot n starts at base + (n - 1) × stride,
 * and every field of it has an offset from there. All offsets and lengths are bytes.
 */
import { SILO_TAGS, type SiloTag } from '../domain/silos';

/** Bytes that one element of a type takes in a data block with standard access (STEP 7, "Data types"). */
export const TYPE_BYTES = {
  BOOL: 1,
  BYTE: 1,
  USINT: 1,
  SINT: 1,
  CHAR: 1,
  WORD: 2,
  INT: 2,
  UINT: 2,
  DWORD: 4,
  DINT: 4,
  UDINT: 4,
  REAL: 4,
  LREAL: 8,
  STRING: 2,
} as const;

export type SlotType = keyof typeof TYPE_BYTES;
export const SLOT_TYPES = Object.keys(TYPE_BYTES) as SlotType[];

/** The fields that are weights in kg. */
export type WeightField = SiloTag | 'actual_weight_quantity_finished_goods';
const FLAG_FIELDS = ['status_manufacturing', 'status_operation', 'acknowledged'] as const;
export const SLOT_FIELDS = [
  'mo_id',
  ...FLAG_FIELDS,
  'actual_weight_quantity_finished_goods',
  ...SILO_TAGS,
  'counter',
] as const satisfies readonly string[];
export type SlotFieldName = (typeof SLOT_FIELDS)[number];

/** One row of the field table. */
export interface SlotField {
  field: SlotFieldName;
  type: SlotType;
  /** Bytes from the start of the slot; for BOOL byte.bit, e.g. 22.1. */
  offset: number;
  /** Characters: of a STRING its declared maximum, of CHAR how many. */
  length?: number;
  /** kg = value × scale; 1 when absent. */
  scale?: number;
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

export const isText = (type: SlotType): boolean => type === 'STRING' || type === 'CHAR';

/** Byte and bit of a row's offset: 22.1 → byte 22, bit 1. Bit is 0 for every type but BOOL. */
export function position({ type, offset }: SlotField): { byte: number; bit: number } {
  const byte = Math.floor(offset);
  return { byte, bit: type === 'BOOL' ? Math.round((offset - byte) * 10) : 0 };
}

/** Bytes that a field takes; a STRING carries its maximum and its current length in two bytes before the text. */
export const fieldBytes = ({ type, length = 0 }: SlotField): number =>
  type === 'STRING' ? TYPE_BYTES.STRING + length : type === 'CHAR' ? length : TYPE_BYTES[type];

/** Bytes from the start of a slot to the end of its last field: what one telegram fetches. */
export const slotBytes = ({ fields }: SlotLayout): number =>
  Math.max(0, ...fields.map((field) => position(field).byte + fieldBytes(field)));

/** Where a slot starts in the block (bytes). @param slot from 1 */
export const slotStart = ({ base, stride }: SlotLayout, slot: number): number => base + (slot - 1) * stride;

/** The names of types in node-red-contrib-s7's addresses, which has no unsigned ones beside WORD, DWORD and BYTE. */
const ADDRESS_TYPE: Partial<Record<SlotType, string>> = {
  BOOL: 'X',
  UINT: 'WORD',
  UDINT: 'DWORD',
  USINT: 'BYTE',
  SINT: 'BYTE',
};

/** Each field's address in the notation of node-red-contrib-s7, e.g. DB100,REAL24, DB100,X22.1, DB100,STRING0.20. */
export const addresses = (layout: SlotLayout, slot: number): { field: SlotFieldName; address: string }[] =>
  layout.fields.map((row) => {
    const { byte, bit } = position(row);
    const suffix = row.type === 'BOOL' ? `.${bit}` : isText(row.type) ? `.${row.length}` : '';
    const type = ADDRESS_TYPE[row.type] ?? row.type;
    return { field: row.field, address: `DB${layout.db},${type}${slotStart(layout, slot) + byte}${suffix}` };
  });

export const isSilo = (field: string): boolean => (SILO_TAGS as readonly string[]).includes(field);
export const isFlag = (field: string): boolean => (FLAG_FIELDS as readonly string[]).includes(field);
/** Whether a field is a weight, and so may have a scale. */
export const isWeight = (field: string): boolean => isSilo(field) || field === 'actual_weight_quantity_finished_goods';

type Entered = string | number | undefined;

/** A layout as a dialog keeps it: text fields, blank for "not needed". */
export interface EnteredLayout extends Record<'db' | 'base' | 'stride' | 'slots', Entered> {
  fields?: readonly Record<keyof SlotField, Entered>[] | undefined;
}

const optional = (value: Entered): number | undefined =>
  value === undefined || value === '' ? undefined : Number(value);

/** The layout that was entered, sound or not. */
export const toLayout = ({ db, base, stride, slots, fields = [] }: EnteredLayout): SlotLayout => ({
  db: Number(db),
  base: Number(base),
  stride: Number(stride),
  slots: Number(slots),
  fields: fields.map(({ field, type, offset, length, scale }) => {
    const [bytes, factor] = [optional(length), optional(scale)];
    return {
      field: field as SlotFieldName,
      type: type as SlotType,
      offset: offset === '' || offset === undefined ? NaN : Number(offset),
      ...(bytes ? { length: bytes } : {}),
      ...(factor === undefined ? {} : { scale: factor }),
    };
  }),
});

const silosFrom = (start: number, type: SlotType, scale?: number): SlotField[] =>
  SILO_TAGS.map((field, index) => ({ field, type, offset: start + index * 4, ...(scale && { scale }) }));

/** The two layouts that the dialog offers to start from. */
export const LAYOUT_PRESETS: Readonly<Record<'S7 batch record' | 'packed words', SlotLayout>> = {
  'S7 batch record': {
    db: 100,
    base: 0,
    stride: 110,
    slots: 10,
    fields: [
      { field: 'mo_id', type: 'STRING', offset: 0, length: 20 },
      { field: 'status_manufacturing', type: 'BOOL', offset: 22 },
      { field: 'status_operation', type: 'BOOL', offset: 22.1 },
      { field: 'acknowledged', type: 'BOOL', offset: 22.2 },
      { field: 'actual_weight_quantity_finished_goods', type: 'REAL', offset: 24 },
      ...silosFrom(28, 'REAL'),
    ],
  },
  'packed words': {
    db: 100,
    base: 0,
    stride: 100,
    slots: 10,
    fields: [
      { field: 'mo_id', type: 'CHAR', offset: 0, length: 16 },
      { field: 'status_manufacturing', type: 'INT', offset: 16 },
      { field: 'status_operation', type: 'INT', offset: 18 },
      { field: 'actual_weight_quantity_finished_goods', type: 'DINT', offset: 20, scale: 0.01 },
      ...silosFrom(24, 'DINT', 0.01),
      { field: 'acknowledged', type: 'INT', offset: 84 },
    ],
  },
};
