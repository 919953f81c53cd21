/** Writing a flag of a slot: the acknowledgement, as a bit or as a number. */
import type { WriteVarItem } from '@st-one-io/nodes7';
import { decodeField } from './slot-decode';
import { bitOf, fieldBytes, originOf, position, type SlotField, type SlotLayout } from './slot-layout';
import { flagOf, valueOfOn } from './slot-meaning';
import { type SlotImage } from './slot-places';
import { typeOf } from './slot-types';

/** S7 protocol numbers (constants.json of nodes7: proto.area, proto.transport, proto.dataTransport). */
export const AREA_DB = 0x84;
export const TRANSPORT_BIT = 0x01;
export const TRANSPORT_BYTE = 0x02;
export const DATA_BIT = 0x03;
export const DATA_BYTE = 0x04;

const PLACE = ['type', 'offset', 'bit', 'db', 'stride'] as const;

/** Whether acknowledging takes back what says "complete": both are one place. */
export const isTrigger = ({ fields }: SlotLayout, row: SlotField): boolean =>
  fields.some((other) => other.field === 'status_manufacturing' && PLACE.every((key) => other[key] === row[key]));

/** Whether a flag is on in a slot's bytes. @param row of the layout */
export function isOnNow({ fields }: SlotImage, row: SlotField, slot: Buffer): boolean {
  const placed = fields.find(({ field }) => field === row.field)!;
  return flagOf(placed, decodeField(slot, placed).value) === true;
}

/** The number's bytes, the high one first. */
function numberBytes(row: SlotField): Buffer {
  const data = Buffer.alloc(fieldBytes(row));
  const value = BigInt(valueOfOn(row));
  const hex = typeOf(row.type).kind === 'bcd' ? value.toString() : BigInt.asUintN(8 * data.length, value).toString(16);
  data.write(hex.padStart(2 * data.length, '0'), 'hex');
  return data;
}

/** What writes into a flag so that it is on. Of a number that holds other bits too only the one bit is written. */
export function writeItem(layout: SlotLayout, slot: number, row: SlotField): WriteVarItem {
  const { db, start } = originOf(layout, row, slot);
  const only = bitOf(row);
  const common = { area: AREA_DB, db };
  if (!only) {
    const data = numberBytes(row);
    const where = { address: start + position(row).byte, length: data.length };
    return { ...common, ...where, data, transport: TRANSPORT_BYTE, dataTransport: DATA_BYTE };
  }
  const where = { address: (start + only.byte) * 8 + only.bit, length: 1 };
  const data = Buffer.from([valueOfOn(row)]);
  return { ...common, ...where, data, transport: TRANSPORT_BIT, dataTransport: DATA_BIT };
}
