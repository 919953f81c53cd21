/**
 * Whether slots can be read by a layout at all: every fault of its settings and rows, as a value; the words are the shell's.
 */
import { SILO_TAGS, type SiloMap } from '../domain/silos';
import {
  fieldBytes,
  isFlag,
  isSilo,
  isText,
  isWeight,
  position,
  SLOT_FIELDS,
  SLOT_TYPES,
  slotBytes,
  slotStart,
  TYPE_BYTES,
  type SlotField,
  type SlotLayout,
} from './slot-layout';

const MAX_SLOTS = 64;
/** A data block with standard access holds at most 64 KB (S7-1200/1500 system manual). */
const MAX_BLOCK_BYTES = 65_536;
/** A STRING's length is a byte and 255 is not used (STEP 7, "STRING"). */
const MAX_STRING = 254;

const inRange = (value: unknown, min: number, max: number): boolean =>
  Number.isInteger(value) && (value as number) >= min && (value as number) <= max;

/** What can be wrong with a layout; the words are in the locale of plc-consumption-read, under `layout`. */
export type LayoutFault =
  | 'setting'
  | 'block'
  | 'field'
  | 'unknownType'
  | 'length'
  | 'bit'
  | 'offset'
  | 'text'
  | 'notText'
  | 'type'
  | 'scale'
  | 'unscaled'
  | 'unused'
  | 'beyond'
  | 'odd'
  | 'oddStride'
  | 'twice'
  | 'overlap'
  | 'missing'
  | 'noSilo';

export interface LayoutProblem {
  fault: LayoutFault;
  /** Number of the row in the field table, from 1; null: of none. */
  row: number | null;
  /** The field of that row, a field that is missing, or the setting. */
  field: string;
  /** What the words need beside row and field. */
  values: Record<string, string | number>;
}

type Fault = Pick<LayoutProblem, 'fault' | 'values'>;
const fault = (name: LayoutFault, values: LayoutProblem['values'] = {}): Fault => ({ fault: name, values });

/** The silos in use, as far as a layout asks for them. */
export type KnownSilos = Pick<SiloMap, 'byTag'>;

/** Why a row cannot even be placed; undefined: it can. */
function unplaced({ field, type, offset, length }: SlotField): Fault | undefined {
  if (!(SLOT_FIELDS as readonly string[]).includes(field)) return fault('field');
  if (!SLOT_TYPES.includes(type)) return fault('unknownType', { type, types: SLOT_TYPES.join(', ') });
  if (isText(type) && !inRange(length, 1, MAX_STRING)) return fault('length', { type, most: MAX_STRING });
  const { byte, bit } = position({ field, type, offset });
  const exact = type === 'BOOL' ? Math.abs(byte + bit / 10 - offset) < 1e-6 && bit <= 7 : Number.isInteger(offset);
  return offset >= 0 && exact ? undefined : fault(type === 'BOOL' ? 'bit' : 'offset', { offset });
}

/** What is wrong with one row by itself. */
function rowFaults(row: SlotField, layout: SlotLayout, silos: KnownSilos | undefined): Fault[] {
  const { field, type, scale } = row;
  const nowhere = unplaced(row);
  if (nowhere) return [nowhere];
  const faults: Fault[] = [];
  const whole = isFlag(field) || field === 'counter';
  if ((field === 'mo_id') !== isText(type)) faults.push(fault(field === 'mo_id' ? 'text' : 'notText', { type }));
  else if ((whole && (type === 'REAL' || type === 'LREAL')) || (type === 'BOOL' && !isFlag(field)))
    faults.push(fault('type', { type }));
  if (scale !== undefined && !(Number.isFinite(scale) && scale > 0)) faults.push(fault('scale', { scale }));
  else if (scale !== undefined && scale !== 1 && !isWeight(field)) faults.push(fault('unscaled'));
  if (isSilo(field) && silos && !silos.byTag(field)) faults.push(fault('unused'));
  const { byte } = position(row);
  const { base, stride, slots } = layout;
  const last = byte + fieldBytes(row) - 1;
  if (last >= stride) faults.push(fault('beyond', { byte, last, stride }));
  if (TYPE_BYTES[type] > 1 && (base + byte) % 2 !== 0) faults.push(fault('odd', { type, base, offset: byte }));
  else if (TYPE_BYTES[type] > 1 && slots > 1 && stride % 2 !== 0) faults.push(fault('oddStride', { type, stride }));
  return faults;
}

/** Whether two rows share a bit. */
function overlap(a: SlotField, b: SlotField): boolean {
  const [left, right] = [position(a), position(b)];
  if (a.type === 'BOOL' && b.type === 'BOOL') return left.byte === right.byte && left.bit === right.bit;
  return left.byte < right.byte + fieldBytes(b) && right.byte < left.byte + fieldBytes(a);
}

/**
 * Checks a layout before anything is read with it.
 * @param silos the silos in use; undefined: not known yet
 * @returns every problem, those of the rows in their order
 */
export function validateLayout(layout: SlotLayout, silos: KnownSilos | undefined): LayoutProblem[] {
  const { db, base, stride, slots, fields } = layout;
  const problems: LayoutProblem[] = [];
  const settings = [
    ['db', db, 1, 65_535],
    ['base', base, 0, MAX_BLOCK_BYTES - 1],
    ['stride', stride, 1, MAX_BLOCK_BYTES],
    ['slots', slots, 1, MAX_SLOTS],
  ] as const;
  for (const [field, value, least, most] of settings)
    if (!inRange(value, least, most))
      problems.push({ row: null, field, ...fault('setting', { value: String(value), least, most }) });
  const end = slotStart(layout, slots) + slotBytes(layout);
  if (problems.length === 0 && end > MAX_BLOCK_BYTES)
    problems.push({ row: null, field: 'slots', ...fault('block', { slots, end, most: MAX_BLOCK_BYTES }) });

  const sound: number[] = [];
  fields.forEach((row, index) => {
    const found = rowFaults(row, layout, silos);
    const twin = fields.findIndex(({ field }) => field === row.field);
    if (twin < index) found.push(fault('twice', { other: twin + 1 }));
    const place = { row: index + 1, field: row.field };
    for (const one of found) problems.push({ ...place, ...one });
    // Offsets of a row that is itself unsound prove nothing about its neighbours.
    if (found.length > 0) return;
    for (const other of sound) {
      if (overlap(fields[other]!, row))
        problems.push({ ...place, ...fault('overlap', { other: other + 1, otherField: fields[other]!.field }) });
    }
    sound.push(index);
  });

  const has = (wanted: string): boolean => fields.some(({ field }) => field === wanted);
  for (const field of ['mo_id', 'status_manufacturing'])
    if (!has(field)) problems.push({ row: null, field, ...fault('missing') });
  if (!SILO_TAGS.some(has)) problems.push({ row: null, field: 'fields', ...fault('noSilo') });
  return problems;
}

/** A layout that cannot be read with; whoever shows it has the words. */
export class LayoutError extends Error {
  override readonly name = 'LayoutError';

  constructor(readonly problems: readonly LayoutProblem[]) {
    const list = problems.map(({ fault, row, field }) => `${row === null ? field : `row ${row} (${field})`}: ${fault}`);
    super(`The slot layout is not valid: ${list.join('; ')}`);
  }
}
