/** How single values lie in the simulated PLC's memory. S7 numbers are big-endian; offsets are bytes from the slot's start. */

/** A row of slots in a data block: slot n starts at base + (n − 1) × stride. */
export interface SlotRow {
  name: string;
  db: number;
  base: number;
  stride: number;
  /** Bytes of a slot that are in use. */
  length: number;
}

/** BOOL: byte and bit; INT: byte only. */
export interface FlagPlace {
  byte: number;
  bit?: number;
}

/** Characters, with the two-byte header of an S7 STRING (maximum, current length) or bare ASCII. */
export interface TextPlace {
  byte: number;
  characters: number;
  header: boolean;
}

/** REAL in kg, or DINT in hundredths of a kg. */
export type WeightType = 'REAL' | 'DINT×100';

/** Bytes that a data block needs for this many slots. */
export const blockSize = ({ base, stride }: SlotRow, slots: number): number => base + slots * stride;

/** The bytes of one slot (from 1), live. @throws RangeError when the block ends before the slot */
export function slotBytes(memory: Buffer, { name, db, base, stride, length }: SlotRow, slot: number): Buffer {
  const start = base + (slot - 1) * stride;
  if (!Number.isInteger(slot) || slot < 1 || start + length > memory.length)
    throw new RangeError(`DB ${db} has ${memory.length} bytes: no slot ${slot} in layout "${name}"`);
  return memory.subarray(start, start + length);
}

/** @throws RangeError when the text is too long or not ASCII */
export function writeText(bytes: Buffer, { byte, characters, header }: TextPlace, value: string): void {
  if (value.length > characters || !/^[\x20-\x7e]*$/.test(value))
    throw new RangeError(`"${value}" does not fit: ${characters} ASCII characters at most`);
  const start = byte + (header ? 2 : 0);
  if (header) bytes.set([characters, value.length], byte);
  bytes.fill(0, start, start + characters).write(value, start, 'latin1');
}

export function readText(bytes: Buffer, { byte, characters, header }: TextPlace): string {
  const length = header ? Math.min(bytes.readUInt8(byte + 1), characters) : characters;
  const start = byte + (header ? 2 : 0);
  const text = bytes.toString('latin1', start, start + length);
  return header ? text : text.replace(/[\0 ]+$/, '');
}

/** REAL keeps about 7 digits: 600.3 kg reads as 600.2999877929688. */
export function writeWeight(bytes: Buffer, type: WeightType, byte: number, kg: number): void {
  if (type === 'REAL') bytes.writeFloatBE(kg, byte);
  else bytes.writeInt32BE(Math.round(kg * 100), byte);
}

export const readWeight = (bytes: Buffer, type: WeightType, byte: number): number =>
  type === 'REAL' ? bytes.readFloatBE(byte) : bytes.readInt32BE(byte) / 100;

export function writeFlag(bytes: Buffer, { byte, bit }: FlagPlace, value: boolean): void {
  if (bit === undefined) bytes.writeInt16BE(Number(value), byte);
  else bytes[byte] = value ? bytes.readUInt8(byte) | (1 << bit) : bytes.readUInt8(byte) & ~(1 << bit);
}

export const readFlag = (bytes: Buffer, { byte, bit }: FlagPlace): boolean =>
  bit === undefined ? bytes.readInt16BE(byte) !== 0 : (bytes.readUInt8(byte) & (1 << bit)) !== 0;
