/**
 * Decodes the bytes of a slot's fields. S7 stores every number big-endian, the high byte first (STEP 7, "Data types").
 */
import { problem, type SlotProblem } from './slot-problem';
import { fieldBytes, position, type SlotField, type SlotType } from './slot-layout';

/** A field's value as it stands in the PLC; `problem` says why a text cannot be read as one. */
export interface Decoded {
  value: number | boolean | string;
  /** The field's bytes. */
  raw: Buffer;
  problem?: SlotProblem;
  /** A STRING that nobody has ever given a header, with characters in it all the same. */
  headless?: true;
}

const NUMBERS: Record<Exclude<SlotType, 'BOOL' | 'STRING' | 'CHAR'>, (bytes: Buffer) => number> = {
  BYTE: (bytes) => bytes.readUInt8(),
  USINT: (bytes) => bytes.readUInt8(),
  SINT: (bytes) => bytes.readInt8(),
  WORD: (bytes) => bytes.readUInt16BE(),
  UINT: (bytes) => bytes.readUInt16BE(),
  INT: (bytes) => bytes.readInt16BE(),
  DWORD: (bytes) => bytes.readUInt32BE(),
  UDINT: (bytes) => bytes.readUInt32BE(),
  DINT: (bytes) => bytes.readInt32BE(),
  REAL: (bytes) => bytes.readFloatBE(),
  LREAL: (bytes) => bytes.readDoubleBE(),
};

/** The filling at the end of a text: NUL or space. Anything else in it, or before it, is the PLC's to answer for. */
const FILLING = /[\0 ]+$/;
const FIRST_NON_ASCII = 0x80;

function decodeText(characters: Buffer, raw: Buffer): Decoded {
  // latin1 keeps one character per byte, so that the text of a problem shows what was there.
  const value = characters.toString('latin1').replace(FILLING, '');
  return characters.some((byte) => byte >= FIRST_NON_ASCII)
    ? { value, raw, problem: problem('not-ascii') }
    : { value, raw };
}

/** A STRING is its maximum length, its current length (one byte each) and the characters (STEP 7, "STRING"). */
function decodeString(raw: Buffer, declared: number): Decoded {
  const [maximum = 0, current = 0] = raw;
  if (maximum === 0 && current === 0) {
    const bare = decodeText(raw.subarray(2), raw);
    return bare.value === '' ? bare : { ...bare, problem: problem('no-header'), headless: true };
  }
  const decoded = decodeText(raw.subarray(2, 2 + current), raw);
  if (maximum > declared) return { ...decoded, problem: problem('longer-string', { maximum, declared }) };
  if (current > maximum) return { ...decoded, problem: problem('bad-length', { current, maximum }) };
  return decoded;
}

/**
 * Decodes one field.
 * @param slot the bytes of the whole slot, as long as slotBytes() says
 * @returns a number unscaled and unchecked (NaN and infinities included), a BOOL as boolean, a text without its filling
 */
export function decodeField(slot: Buffer, field: SlotField): Decoded {
  const { byte, bit } = position(field);
  const raw = slot.subarray(byte, byte + fieldBytes(field));
  switch (field.type) {
    case 'BOOL':
      return { value: ((raw[0]! >> bit) & 1) === 1, raw };
    case 'STRING':
      return decodeString(raw, field.length ?? 0);
    case 'CHAR':
      return decodeText(raw, raw);
    default:
      return { value: NUMBERS[field.type](raw), raw };
  }
}
