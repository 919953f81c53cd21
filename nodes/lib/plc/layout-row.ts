/** What is wrong with one row of the field table by itself, wherever it lies. */
import { fault, type Fault, inRange, type KnownSilos } from './layout-fault';
import {
  isFlag,
  isPosition,
  isSilo,
  isText,
  isWeight,
  position,
  SLOT_FIELDS,
  SLOT_TYPES,
  type SlotField,
  type SlotType,
  UNITS,
} from './slot-layout';
import { isWhole, typeOf } from './slot-types';

/** A STRING's length is a byte and 255 is not used (STEP 7, "STRING"). */
const MAX_STRING = 254;
/** As many as a list may name: more than a plant has silos. */
const MAX_POSITIONS = 64;
/** Digits of a number, and characters before it: an order's name has 64 at most. */
const MAX_WIDTH = 20;
const MAX_PREFIX = 44;

/** Why a value of a type has no place at an offset; undefined: it has. @param types those that are known */
export function shapeFault(row: SlotField, types: readonly SlotType[]): Fault | undefined {
  const { type, offset, length } = row;
  if (!types.includes(type)) return fault('unknownType', { type, types: types.join(', ') });
  if (isText(type) && !inRange(length, 1, MAX_STRING)) return fault('length', { type, most: MAX_STRING });
  const { byte, bit } = position(row);
  const exact = type === 'BOOL' ? Math.abs(byte + bit / 10 - offset) < 1e-6 && bit <= 7 : Number.isInteger(offset);
  return offset >= 0 && exact ? undefined : fault(type === 'BOOL' ? 'bit' : 'offset', { offset });
}

/** Why a row cannot even be placed; undefined: it can. */
function unplacedFault(row: SlotField, silos: KnownSilos | undefined): Fault | undefined {
  const { field, type } = row;
  const known = (SLOT_FIELDS as readonly string[]).includes(field) || (silos ? silos.byTag(field) : isSilo(field));
  if (!known) return fault('field');
  const shapeless = shapeFault(row, SLOT_TYPES);
  if (shapeless) return shapeless;
  if (isPosition(field) && !(inRange(row.count, 1, MAX_POSITIONS) && inRange(row.step, 1, 65_535)))
    return fault('list', { most: MAX_POSITIONS });
  const bits = 8 * typeOf(type).bytes;
  if (row.bit !== undefined && !(isFlag(field) && typeOf(type).kind === 'integer' && inRange(row.bit, 0, bits - 1)))
    return fault('bitNumber', { type, most: bits - 1 });
  return undefined;
}

/** Whether a field can be of a type. */
function typeFault({ field, type, prefix }: SlotField): Fault | undefined {
  const { kind } = typeOf(type);
  if (field === 'mo_id') return isText(type) || (isWhole(type) && prefix) ? undefined : fault('text', { type });
  if (field === 'plc_time') return kind === 'time' ? undefined : fault('type', { type });
  if (field === 'position_material') return isText(type) || isWhole(type) ? undefined : fault('type', { type });
  if (isText(type)) return fault('notText', { type });
  const whole = isFlag(field) || field === 'counter';
  const fits = kind === 'time' ? false : kind === 'bit' ? isFlag(field) : kind !== 'float' || !whole;
  return fits ? undefined : fault('type', { type });
}

/** Whether what a flag means can be told from its value. */
function meaningFaults({ field, type, bit, values, inverted }: SlotField): Fault[] {
  if (!isFlag(field)) return values || inverted ? [fault('meaning')] : [];
  const single = type === 'BOOL' || bit !== undefined;
  if (!values) return [];
  if (single || values.length === 0 || !values.every(Number.isSafeInteger)) return [fault('values')];
  // What it writes has to be one of the values, and to mean that it is on.
  return field === 'acknowledged' && inverted ? [fault('values')] : [];
}

function weightFaults({ field, scale, unit, part }: SlotField): Fault[] {
  const faults: Fault[] = [];
  if (scale !== undefined && !(Number.isFinite(scale) && scale > 0)) faults.push(fault('scale', { scale }));
  else if (!isWeight(field) && ((scale !== undefined && scale !== 1) || unit !== undefined))
    faults.push(fault('unscaled'));
  if (unit !== undefined && !Object.hasOwn(UNITS, unit)) faults.push(fault('unit', { unit }));
  if (part && (!isWeight(field) || isPosition(field))) faults.push(fault('part'));
  return faults;
}

function orderFaults({ field, prefix, width }: SlotField): Fault[] {
  const faults: Fault[] = [];
  if (prefix !== undefined && (field !== 'mo_id' || prefix.length > MAX_PREFIX))
    faults.push(fault('prefix', { most: MAX_PREFIX }));
  if (width !== undefined && (field !== 'mo_id' || !prefix || !inRange(width, 1, MAX_WIDTH)))
    faults.push(fault('width', { most: MAX_WIDTH }));
  return faults;
}

/**
 * Checks one row.
 * @returns `unplaced`: why it cannot even be placed; otherwise all the rest
 */
export function rowFaults(row: SlotField, silos: KnownSilos | undefined): { unplaced?: Fault; faults: Fault[] } {
  const unplaced = unplacedFault(row, silos);
  if (unplaced) return { unplaced, faults: [] };
  const wrongType = typeFault(row);
  return {
    faults: [
      ...(wrongType ? [wrongType] : [...meaningFaults(row), ...orderFaults(row)]),
      ...weightFaults(row),
      ...(isSilo(row.field) && silos && !silos.byTag(row.field) ? [fault('unused')] : []),
    ],
  };
}
