/**
 * Slot layout: where a batch's values lie in a data block. A slot is one batch; slot n starts at base + (n - 1) × stride,
 * and every field of it has an offset from there. All offsets and lengths are bytes.
 */
import { isSiloTag, SILO_TAGS } from '../domain/silos';
import { FLAG_FIELDS, type SlotField, type SlotFieldName, type SlotLayout } from './slot-field';
import { isText, type SlotType, valueBytes } from './slot-types';

export { type EnteredLayout, toLayout } from './entered-layout';
export * from './slot-field';
export { isText, SLOT_TYPES, type SlotType } from './slot-types';

/** Byte and bit of a row's offset: 22.1 → byte 22, bit 1. Bit is 0 for every type but BOOL. */
export function position({ type, offset }: SlotField): { byte: number; bit: number } {
  const byte = Math.floor(offset);
  return { byte, bit: type === 'BOOL' ? Math.round((offset - byte) * 10) : 0 };
}

/** The bit that a row is, counted from the slot's start; undefined: it is more than one. The low byte of a number is its last. */
export function bitOf(row: SlotField): { byte: number; bit: number } | undefined {
  if (row.type === 'BOOL') return position(row);
  if (row.bit === undefined) return undefined;
  return { byte: row.offset + fieldBytes(row) - 1 - (row.bit >> 3), bit: row.bit & 7 };
}

/** Bytes that a field takes; a STRING carries its maximum and its current length in two bytes before the text. */
export const fieldBytes = ({ type, length }: SlotField): number => valueBytes(type, length);

/** A list of positions as the rows it stands for, one after the other; any other row is itself. */
export const elementsOf = (row: SlotField): SlotField[] =>
  isPosition(row.field)
    ? Array.from({ length: row.count ?? 1 }, (_, at) => ({ ...row, offset: row.offset + at * (row.step ?? 0) }))
    : [row];

/** Whether a row has a place of its own, apart from the slot. */
export const isApart = ({ db, stride }: SlotField): boolean => db !== undefined || stride !== undefined;

/** Bytes from the start of a slot to the end of its last field. */
export const slotBytes = ({ fields }: SlotLayout): number =>
  Math.max(
    0,
    ...fields
      .filter((row) => !isApart(row))
      .flatMap(elementsOf)
      .map((row) => position(row).byte + fieldBytes(row)),
  );

/** Where a slot starts in the block (bytes). @param slot from 1 */
export const slotStart = ({ base, stride }: SlotLayout, slot: number): number => base + (slot - 1) * stride;

/** The block and the byte that a row's offset counts from. @param slot from 1 */
export const originOf = (layout: SlotLayout, row: SlotField, slot: number): { db: number; start: number } => {
  const { db = layout.db, stride = layout.stride } = row;
  return { db, start: isApart(row) ? (slot - 1) * stride : slotStart(layout, slot) };
};

/** The names of types in node-red-contrib-s7's addresses, which has no unsigned ones beside WORD, DWORD and BYTE. */
const ADDRESS_TYPE: Partial<Record<SlotType, string>> = {
  UINT: 'WORD',
  UDINT: 'DWORD',
  USINT: 'BYTE',
  SINT: 'BYTE',
};

/** Each field's address in the notation of node-red-contrib-s7, e.g. DB100,REAL24, DB100,X22.1, DB100,STRING0.20. */
export const addresses = (layout: SlotLayout, slot: number): { field: SlotFieldName; address: string }[] =>
  layout.fields.map((row) => {
    const { db, start } = originOf(layout, row, slot);
    const only = bitOf(row);
    const suffix = only ? `.${only.bit}` : isText(row.type) ? `.${row.length}` : '';
    const type = only ? 'X' : (ADDRESS_TYPE[row.type] ?? row.type);
    return { field: row.field, address: `DB${db},${type}${start + (only ?? position(row)).byte}${suffix}` };
  });

export const isSilo = isSiloTag;
export const isFlag = (field: string): boolean => (FLAG_FIELDS as readonly string[]).includes(field);
export const isPosition = (field: string): boolean => field === 'position_material' || field === 'position_weight';
/** Whether a field is a weight, and so may have a scale. */
export const isWeight = (field: string): boolean =>
  isSilo(field) || field === 'actual_weight_quantity_finished_goods' || field === 'position_weight';

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
