/**
 * Decodes the bytes of a slot's fields. S7 stores every number big-endian, the high byte first (STEP 7, "Data types").
 */
import { textDecoder } from './decode-text';
import type { Decoded } from './decoded';
import { decodeTime } from './decode-time';
import { problem } from './slot-problem';
import { bitOf, fieldBytes, position, type SlotField } from './slot-layout';
import { typeOf, type SlotType } from './slot-types';

export type { Decoded } from './decoded';

/**
 * Decodes one field of a slot.
 * @param slot the bytes of the whole slot, as long as slotBytes() says
 * @returns a number unscaled and unchecked (NaN and infinities included), a bit as boolean, a text without its filling
 */
export type Decoder = (slot: Buffer) => Decoded;

type NumberType = Exclude<
  SlotType,
  'BOOL' | `BCD${number}` | 'CHAR' | 'WCHAR' | 'STRING' | 'WSTRING' | 'S7-200 STRING' | 'DATE_AND_TIME' | 'DTL' | 'LDT'
>;

const NUMBERS: Record<NumberType, (slot: Buffer, at: number) => number | bigint> = {
  BYTE: (slot, at) => slot.readUInt8(at),
  USINT: (slot, at) => slot.readUInt8(at),
  SINT: (slot, at) => slot.readInt8(at),
  WORD: (slot, at) => slot.readUInt16BE(at),
  UINT: (slot, at) => slot.readUInt16BE(at),
  INT: (slot, at) => slot.readInt16BE(at),
  DWORD: (slot, at) => slot.readUInt32BE(at),
  UDINT: (slot, at) => slot.readUInt32BE(at),
  DINT: (slot, at) => slot.readInt32BE(at),
  LWORD: (slot, at) => slot.readBigUInt64BE(at),
  ULINT: (slot, at) => slot.readBigUInt64BE(at),
  LINT: (slot, at) => slot.readBigInt64BE(at),
  REAL: (slot, at) => slot.readFloatBE(at),
  LREAL: (slot, at) => slot.readDoubleBE(at),
};

function decodeNumber(exact: number | bigint): Decoded {
  if (typeof exact === 'number') return { value: exact };
  const value = Number(exact);
  return Number.isSafeInteger(value) ? { value } : { value, problem: problem('too-large') };
}

/** One digit to four bits; STEP 7 keeps the sign of 3 or 7 digits in the first four, 1111 for minus ("BCD_I"). */
function decodeBcd(raw: Buffer): Decoded {
  const digits = raw.toString('hex');
  const negative = raw.length > 1 && digits.startsWith('f');
  const text = negative ? digits.slice(1) : digits;
  if (/[a-f]/.test(text)) return { value: digits, problem: problem('not-bcd') };
  // 0 − x, so that a negative 0 is 0.
  return { value: negative ? 0 - Number(text) : Number(text) };
}

/** The bytes of a field. @param slot as for a decoder */
export function bytesOf(slot: Buffer, field: SlotField): Buffer {
  const { byte } = position(field);
  return slot.subarray(byte, byte + fieldBytes(field));
}

/** What decodes a field: everything that follows from its row is worked out here, once. */
export function decoderOf(field: SlotField): Decoder {
  const only = bitOf(field);
  if (only) return (slot) => ({ value: ((slot[only.byte]! >> only.bit) & 1) === 1 });
  const { type } = field;
  const { byte } = position(field);
  switch (typeOf(type).kind) {
    case 'text':
      return textDecoder(field, byte);
    case 'time':
      return (slot) => ({ value: decodeTime(bytesOf(slot, field), type) });
    case 'bcd':
      return (slot) => decodeBcd(bytesOf(slot, field));
    default: {
      const numberAt = NUMBERS[type as NumberType];
      return (slot) => decodeNumber(numberAt(slot, byte));
    }
  }
}

/** Decodes one field, once. */
export const decodeField = (slot: Buffer, field: SlotField): Decoded => decoderOf(field)(slot);
