/** Decodes texts: of what a PLC declares, only the first characters may have been read, and what lies behind its length is stale. */
import type { Decoded } from './decoded';
import { problem } from './slot-problem';
import { type SlotField } from './slot-layout';
import { typeOf } from './slot-types';

/** The filling at the end of a text: NUL or space. Anything else in it, or before it, is the PLC's to answer for. */
const FILLING = /[\0 ]+$/;
const FIRST_NON_ASCII = 0x80;

/** Characters of one byte are ASCII, those of two UTF-16. latin1 keeps one character per byte, so that a problem shows it. */
function characters(bytes: Buffer, width: number): Pick<Decoded, 'value' | 'problem'> & { value: string } {
  // A copy: swapping is done in place.
  if (width === 2) return { value: Buffer.from(bytes).swap16().toString('utf16le').replace(FILLING, '') };
  const value = bytes.toString('latin1').replace(FILLING, '');
  return bytes.some((byte) => byte >= FIRST_NON_ASCII) ? { value, problem: problem('not-ascii') } : { value };
}

/** The lengths that stand before the characters (STEP 7, "STRING", "WSTRING"): the maximum, the current one. */
function lengths(raw: Buffer, head: number): { maximum?: number; current: number } {
  if (head === 4) return { maximum: raw.readUInt16BE(0), current: raw.readUInt16BE(2) };
  return head === 2 ? { maximum: raw[0]!, current: raw[1]! } : { current: raw[0]! };
}

/** @param raw as many characters as the field's length says, with what stands before them */
export function decodeText(raw: Buffer, { type, length = 0 }: SlotField): Decoded {
  const { head = 0, bytes: width } = typeOf(type);
  const read = (count = length): ReturnType<typeof characters> =>
    characters(raw.subarray(head, head + width * Math.min(count, length)), width);
  if (head === 0) {
    const text = read();
    return { ...text, raw, ...(text.value.length === length ? { full: true } : {}) };
  }
  const { maximum, current } = lengths(raw, head);
  if (maximum === 0 && current === 0) {
    const bare = read();
    return { ...bare, raw, ...(bare.value === '' ? {} : { problem: problem('no-header'), headless: true }) };
  }
  const text: Decoded = { ...read(current), raw };
  if (maximum !== undefined && current > maximum)
    return { ...text, problem: problem('bad-length', { current, maximum }) };
  if (current > length) return { ...text, problem: problem('longer-text', { current, read: length }) };
  return String(text.value).length >= (maximum ?? length) ? { ...text, full: true } : text;
}
