/**
 * Decodes the bytes of a slot's fields. S7 stores every number big-endian, the high byte first (STEP 7, "Data types").
 */
import { decodeText } from './decode-text';
import type { Decoded } from './decoded';
import { decodeTime } from './decode-time';
import { problem } from './slot-problem';
import { bitOf, fieldBytes, position, type SlotField } from './slot-layout';
import { typeOf, type SlotType } from './slot-types';

export type { Decoded } from './decoded';

type NumberType = Exclude<
  SlotType,
  'BOOL' | `BCD${number}` | 'CHAR' | 'WCHAR' | 'STRING' | 'WSTRING' | 'S7-200 STRING' | 'DATE_AND_TIME' | 'DTL' | 'LDT'
>;

const NUMBERS: Record<NumberType, (bytes: Buffer) => number | bigint> = {
  BYTE: (bytes) => bytes.readUInt8(),
  USINT: (bytes) => bytes.readUInt8(),
  SINT: (bytes) => bytes.readInt8(),
  WORD: (bytes) => bytes.readUInt16BE(),
  UINT: (bytes) => bytes.readUInt16BE(),
  INT: (bytes) => bytes.readInt16BE(),
  DWORD: (bytes) => bytes.readUInt32BE(),
  UDINT: (bytes) => bytes.readUInt32BE(),
  DINT: (bytes) => bytes.readInt32BE(),
  LWORD: (bytes) => bytes.readBigUInt64BE(),
  ULINT: (bytes) => bytes.readBigUInt64BE(),
  LINT: (bytes) => bytes.readBigInt64BE(),
  REAL: (bytes) => bytes.readFloatBE(),
  LREAL: (bytes) => bytes.readDoubleBE(),
};

function decodeNumber(raw: Buffer, type: NumberType): Decoded {
  const exact = NUMBERS[type](raw);
  const value = Number(exact);
  if (typeof exact === 'number' || Number.isSafeInteger(value)) return { value, raw };
  return { value, raw, problem: problem('too-large') };
}

/** One digit to four bits; STEP 7 keeps the sign of 3 or 7 digits in the first four, 1111 for minus ("BCD_I"). */
function decodeBcd(raw: Buffer): Decoded {
  const digits = raw.toString('hex');
  const negative = raw.length > 1 && digits.startsWith('f');
  const text = negative ? digits.slice(1) : digits;
  if (/[a-f]/.test(text)) return { value: digits, raw, problem: problem('not-bcd') };
  // 0 − x, so that a negative 0 is 0.
  return { value: negative ? 0 - Number(text) : Number(text), raw };
}

/**
 * Decodes one field.
 * @param slot the bytes of the whole slot, as long as slotBytes() says
 * @returns a number unscaled and unchecked (NaN and infinities included), a bit as boolean, a text without its filling
 */
export function decodeField(slot: Buffer, field: SlotField): Decoded {
  const { byte } = position(field);
  const raw = slot.subarray(byte, byte + fieldBytes(field));
  const only = bitOf(field);
  if (only) return { value: ((slot[only.byte]! >> only.bit) & 1) === 1, raw };
  switch (typeOf(field.type).kind) {
    case 'text':
      return decodeText(raw, field);
    case 'time':
      return { value: decodeTime(raw, field.type), raw };
    case 'bcd':
      return decodeBcd(raw);
    default:
      return decodeNumber(raw, field.type as NumberType);
  }
}
