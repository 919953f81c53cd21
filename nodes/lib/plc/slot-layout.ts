/**
 * Slot layout: where a batch's values lie in a data block. A slot is one batch; slot n starts at base + (n - 1) × stride,
 * and every field of it has an offset from there. All offsets and lengths are bytes.
 */
import { type Problem } from '../domain/schema';
import { SILO_TAGS, type SiloMap, type SiloTag } from '../domain/silos';

/** Bytes that one element of a type takes in a data block with standard access (STEP 7, "Data types"). */
const TYPE_BYTES = {
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

const MAX_SLOTS = 64;
/** A data block with standard access holds at most 64 KB (S7-1200/1500 system manual). */
const MAX_BLOCK_BYTES = 65_536;
/** A STRING's length is a byte and 255 is not used (STEP 7, "STRING"). */
const MAX_STRING = 254;

const isText = (type: SlotType): boolean => type === 'STRING' || type === 'CHAR';

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

const inRange = (value: unknown, min: number, max: number): boolean =>
  Number.isInteger(value) && (value as number) >= min && (value as number) <= max;

/** What is wrong with one row by itself. */
function rowProblems(row: SlotField, layout: SlotLayout, silos: SiloMap): string[] {
  const { field, type, offset, length, scale } = row;
  if (!(SLOT_FIELDS as readonly string[]).includes(field)) return [`"${field}" is not a field of a slot`];
  if (!SLOT_TYPES.includes(type)) return [`"${type}" is not a supported S7 type (${SLOT_TYPES.join(', ')})`];
  if (isText(type) && !inRange(length, 1, MAX_STRING)) return [`a ${type} needs a length of 1 to ${MAX_STRING}`];
  const { byte, bit } = position(row);
  const exact = type === 'BOOL' ? Math.abs(byte + bit / 10 - offset) < 1e-6 && bit <= 7 : Number.isInteger(offset);
  if (!(offset >= 0 && exact)) {
    return [`offset ${offset} is not ${type === 'BOOL' ? 'byte.bit with bit 0 to 7' : 'a whole number from 0'}`];
  }
  const problems: string[] = [];
  const flag = (FLAG_FIELDS as readonly string[]).includes(field);
  const counter = field === 'counter';
  if (field === 'mo_id' ? !isText(type) : isText(type)) {
    problems.push(field === 'mo_id' ? 'must be STRING or CHAR' : `cannot be ${type}`);
  } else if (((flag || counter) && (type === 'REAL' || type === 'LREAL')) || (!flag && type === 'BOOL')) {
    problems.push(`cannot be ${type}`);
  }
  if (scale !== undefined) {
    if (!(Number.isFinite(scale) && scale > 0)) problems.push(`scale ${scale} is not a number above 0`);
    else if (scale !== 1 && (flag || counter || field === 'mo_id')) problems.push('only weights have a scale');
  }
  if ((SILO_TAGS as readonly string[]).includes(field) && !silos.byTag(field)) {
    problems.push('the silo map does not know this tag: switch the silo on there, or remove the row');
  }
  const end = byte + fieldBytes(row);
  if (end > layout.stride) {
    problems.push(`bytes ${byte}..${end - 1} lie beyond the stride of ${layout.stride} bytes`);
  }
  if (TYPE_BYTES[type] > 1 && (layout.base + byte) % 2 !== 0) {
    problems.push(`a ${type} must start at an even address; base ${layout.base} + offset ${byte} is odd`);
  } else if (TYPE_BYTES[type] > 1 && layout.slots > 1 && layout.stride % 2 !== 0) {
    problems.push(`a ${type} must start at an even address; the stride ${layout.stride} makes it odd in slot 2`);
  }
  return problems;
}

/** Whether two rows share a bit. */
function overlap(a: SlotField, b: SlotField): boolean {
  const [left, right] = [position(a), position(b)];
  if (a.type === 'BOOL' && b.type === 'BOOL') return left.byte === right.byte && left.bit === right.bit;
  return left.byte < right.byte + fieldBytes(b) && right.byte < left.byte + fieldBytes(a);
}

/**
 * Checks a layout before anything is read with it.
 * @returns every problem; `field` names the row by number (from 1) and field, e.g. "row 4 (silo_b)", or the setting.
 */
export function validateLayout(layout: SlotLayout, silos: SiloMap): Problem[] {
  const { db, base, stride, slots, fields } = layout;
  const problems: Problem[] = [];
  const setting = (field: string, value: unknown, min: number, max: number): void => {
    if (!inRange(value, min, max)) {
      problems.push({ field, problem: `${String(value)} is not a whole number from ${min} to ${max}` });
    }
  };
  setting('db', db, 1, 65_535);
  setting('base', base, 0, MAX_BLOCK_BYTES - 1);
  setting('stride', stride, 1, MAX_BLOCK_BYTES);
  setting('slots', slots, 1, MAX_SLOTS);
  const end = slotStart(layout, slots) + slotBytes(layout);
  if (problems.length === 0 && end > MAX_BLOCK_BYTES) {
    problems.push({ field: 'slots', problem: `slot ${slots} ends at byte ${end}, a block has ${MAX_BLOCK_BYTES}` });
  }

  const rowName = (index: number): string => `row ${index + 1} (${fields[index]?.field})`;
  const sound: number[] = [];
  fields.forEach((row, index) => {
    const found = rowProblems(row, layout, silos);
    const twin = fields.findIndex(({ field }) => field === row.field);
    if (twin < index) found.push(`stands twice, first in row ${twin + 1}`);
    for (const problem of found) problems.push({ field: rowName(index), problem });
    // Offsets of a row that is itself unsound prove nothing about its neighbours.
    if (found.length > 0) return;
    for (const other of sound) {
      if (!overlap(fields[other]!, row)) continue;
      const { byte } = position(row);
      const last = byte + fieldBytes(row) - 1;
      problems.push({ field: rowName(index), problem: `bytes ${byte}..${last} overlap ${rowName(other)}` });
    }
    sound.push(index);
  });

  const has = (wanted: string): boolean => fields.some(({ field }) => field === wanted);
  for (const wanted of ['mo_id', 'status_manufacturing']) {
    if (!has(wanted)) problems.push({ field: wanted, problem: 'has no row in the field table' });
  }
  if (!SILO_TAGS.some(has)) problems.push({ field: 'fields', problem: 'no row is a silo' });
  return problems;
}

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
