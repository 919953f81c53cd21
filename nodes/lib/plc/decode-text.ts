/** Decodes texts: of what a PLC declares, only the first characters may have been read, and what lies behind its length is stale. */
import type { Decoded } from './decoded';
import { problem } from './slot-problem';
import { type SlotField } from './slot-layout';
import { typeOf } from './slot-types';

type Text = Decoded & { value: string };

/** The filling at the end of a text: NUL or space. Anything else in it, or before it, is the PLC's to answer for. */
const FILLING = /[\0 ]+$/;
const NON_ASCII = /[\x80-\xff]/;

/** Characters of one byte are ASCII, those of two UTF-16. latin1 keeps one character per byte, so that a problem shows it. */
function characters(slot: Buffer, from: number, to: number, width: number): Text {
  // A copy: swapping is done in place.
  if (width === 2)
    return { value: Buffer.from(slot.subarray(from, to)).swap16().toString('utf16le').replace(FILLING, '') };
  const value = slot.toString('latin1', from, to).replace(FILLING, '');
  return NON_ASCII.test(value) ? { value, problem: problem('not-ascii') } : { value };
}

/** The lengths that stand before the characters (STEP 7, "STRING", "WSTRING"): the maximum, the current one. */
function lengths(slot: Buffer, at: number, head: number): { maximum?: number; current: number } {
  if (head === 4) return { maximum: slot.readUInt16BE(at), current: slot.readUInt16BE(at + 2) };
  return head === 2 ? { maximum: slot[at]!, current: slot[at + 1]! } : { current: slot[at]! };
}

/**
 * What decodes the text of a row.
 * @param at where it begins in the slot, with what stands before its characters; as many are read as the row's length says
 */
export function textDecoder({ type, length = 0 }: SlotField, at: number): (slot: Buffer) => Decoded {
  const { head = 0, bytes: width } = typeOf(type);
  const start = at + head;
  const read = (slot: Buffer, count: number): Text =>
    characters(slot, start, start + width * Math.min(count, length), width);
  if (head === 0)
    return (slot) => {
      const text = read(slot, length);
      return text.value.length === length ? { ...text, full: true } : text;
    };
  return (slot) => {
    const { maximum, current } = lengths(slot, at, head);
    if (maximum === 0 && current === 0) {
      const bare = read(slot, length);
      return bare.value === '' ? bare : { ...bare, problem: problem('no-header'), headless: true };
    }
    const text = read(slot, current);
    if (maximum !== undefined && current > maximum)
      return { ...text, problem: problem('bad-length', { current, maximum }) };
    if (current > length) return { ...text, problem: problem('longer-text', { current, read: length }) };
    return text.value.length >= (maximum ?? length) ? { ...text, full: true } : text;
  };
}
