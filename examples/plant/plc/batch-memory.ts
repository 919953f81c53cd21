/**
 * How a batch lies in the data block of the simulated PLC: slot n starts at base + (n − 1) × stride. Pure functions over
 * the block's bytes; S7 numbers are big-endian.
 */

/** Every weight of a slot, in the order of the data block. */
export const WEIGHT_TAGS = [
  ...Array.from('abcdefghijklm', (letter) => `silo_${letter}`),
  'lq_tetes',
  'lq_fml',
] as readonly string[];

/** One slot; weights in kg, flags as the PLC's program sees them. */
export interface SlotRecord {
  /** The order's name; '' in a free slot. */
  mo_id: string;
  status_manufacturing: boolean;
  status_operation: boolean;
  /** Set by the reader of the PLC once it has the completed batch (only when acknowledgement is on). */
  acknowledged: boolean;
  actual_weight_quantity_finished_goods: number;
  /** kg by tag. Reading gives all tags, writing takes any of them. */
  consumption: Record<string, number>;
}

type Flag = 'status_manufacturing' | 'status_operation' | 'acknowledged';
const FLAGS: readonly Flag[] = ['status_manufacturing', 'status_operation', 'acknowledged'];

/** A layout of the data block; offsets in bytes from the slot's start. */
export interface BatchLayout {
  name: string;
  db: number;
  base: number;
  stride: number;
  /** Bytes of a slot that are in use. */
  length: number;
  /** MO id: characters, with the two-byte header of an S7 STRING (maximum, current length) or bare ASCII. */
  id: { characters: number; header: boolean };
  /** BOOL: byte and bit; INT: byte only. */
  flags: Record<Flag, { byte: number; bit?: number }>;
  finished: number;
  /** Offset of the first of the weights, which follow one another four bytes apart. */
  weights: number;
  /** REAL in kg, or DINT in hundredths of a kg. */
  weightType: 'REAL' | 'DINT×100';
  /** Offset of the batch counter (UINT), where the program keeps one: it goes up by 1 with every order in the slot. */
  counter?: number;
}

/** Preset "S7 batch record": STRING[20], BOOL, REAL. */
export const S7_BATCH_RECORD: BatchLayout = {
  name: 'S7 batch record',
  db: 100,
  base: 0,
  stride: 110,
  length: 88,
  id: { characters: 20, header: true },
  flags: {
    status_manufacturing: { byte: 22, bit: 0 },
    status_operation: { byte: 22, bit: 1 },
    acknowledged: { byte: 22, bit: 2 },
  },
  finished: 24,
  weights: 28,
  weightType: 'REAL',
};

/** The same with a batch counter behind the weights. */
export const COUNTED_BATCH_RECORD: BatchLayout = {
  ...S7_BATCH_RECORD,
  name: 'S7 batch record with a batch counter',
  length: 90,
  counter: 88,
};

/** Preset "packed words": 16 ASCII characters, INT, DINT × 100. */
export const PACKED_WORDS: BatchLayout = {
  name: 'packed words',
  db: 100,
  base: 0,
  stride: 100,
  length: 86,
  id: { characters: 16, header: false },
  flags: { status_manufacturing: { byte: 16 }, status_operation: { byte: 18 }, acknowledged: { byte: 84 } },
  finished: 20,
  weights: 24,
  weightType: 'DINT×100',
};

/** Bytes that a data block needs for this many slots. */
export const blockSize = (layout: BatchLayout, slots: number): number => layout.base + slots * layout.stride;

/** The bytes of one slot (from 1), live. @throws RangeError when the block ends before the slot */
function slotBytes(memory: Buffer, layout: BatchLayout, slot: number): Buffer {
  const start = layout.base + (slot - 1) * layout.stride;
  if (!Number.isInteger(slot) || slot < 1 || start + layout.length > memory.length) {
    throw new RangeError(`DB ${layout.db} has ${memory.length} bytes: no slot ${slot} in layout "${layout.name}"`);
  }
  return memory.subarray(start, start + layout.length);
}

function writeId(bytes: Buffer, { name, id }: BatchLayout, value: string): void {
  if (value.length > id.characters || !/^[\x20-\x7e]*$/.test(value)) {
    throw new RangeError(`"${value}" does not fit layout "${name}": ${id.characters} ASCII characters at most`);
  }
  const start = id.header ? 2 : 0;
  if (id.header) bytes.set([id.characters, value.length]);
  bytes.fill(0, start, start + id.characters).write(value, start, 'latin1');
}

function readId(bytes: Buffer, { id }: BatchLayout): string {
  const length = id.header ? Math.min(bytes.readUInt8(1), id.characters) : id.characters;
  const text = bytes.toString('latin1', id.header ? 2 : 0, (id.header ? 2 : 0) + length);
  return id.header ? text : text.replace(/[\0 ]+$/, '');
}

/** REAL keeps about 7 digits: 600.3 kg reads as 600.2999877929688. */
const writeWeight = (bytes: Buffer, { weightType }: BatchLayout, offset: number, kg: number): void => {
  if (weightType === 'REAL') bytes.writeFloatBE(kg, offset);
  else bytes.writeInt32BE(Math.round(kg * 100), offset);
};

const readWeight = (bytes: Buffer, { weightType }: BatchLayout, offset: number): number =>
  weightType === 'REAL' ? bytes.readFloatBE(offset) : bytes.readInt32BE(offset) / 100;

function weightOffset(layout: BatchLayout, tag: string): number {
  const index = WEIGHT_TAGS.indexOf(tag);
  if (index < 0) throw new RangeError(`Unknown weight "${tag}"; a slot has ${WEIGHT_TAGS.join(', ')}`);
  return layout.weights + index * 4;
}

function writeFlag(bytes: Buffer, layout: BatchLayout, flag: Flag, value: boolean): void {
  const { byte, bit } = layout.flags[flag];
  if (bit === undefined) bytes.writeInt16BE(Number(value), byte);
  else bytes[byte] = value ? bytes.readUInt8(byte) | (1 << bit) : bytes.readUInt8(byte) & ~(1 << bit);
}

function readFlag(bytes: Buffer, layout: BatchLayout, flag: Flag): boolean {
  const { byte, bit } = layout.flags[flag];
  return bit === undefined ? bytes.readInt16BE(byte) !== 0 : (bytes.readUInt8(byte) & (1 << bit)) !== 0;
}

/**
 * Writes the given fields of a slot and leaves the others as they are; weights first, then the MO id, flags last.
 * @param memory the whole data block
 * @param slot slot number, from 1
 * @throws RangeError when the slot is outside the block, the MO id does not fit, or a tag is unknown
 */
export function writeSlot(memory: Buffer, layout: BatchLayout, slot: number, record: Partial<SlotRecord>): void {
  const bytes = slotBytes(memory, layout, slot);
  for (const [tag, kg] of Object.entries(record.consumption ?? {})) {
    writeWeight(bytes, layout, weightOffset(layout, tag), kg);
  }
  const finished = record.actual_weight_quantity_finished_goods;
  if (finished !== undefined) writeWeight(bytes, layout, layout.finished, finished);
  if (record.mo_id !== undefined) writeId(bytes, layout, record.mo_id);
  for (const flag of FLAGS) {
    const value = record[flag];
    if (value !== undefined) writeFlag(bytes, layout, flag, value);
  }
}

/** What a slot holds; weights in kg as decoded, not rounded. @throws RangeError when the slot is outside the block */
export function readSlot(memory: Buffer, layout: BatchLayout, slot: number): SlotRecord {
  const bytes = slotBytes(memory, layout, slot);
  return {
    mo_id: readId(bytes, layout),
    status_manufacturing: readFlag(bytes, layout, 'status_manufacturing'),
    status_operation: readFlag(bytes, layout, 'status_operation'),
    acknowledged: readFlag(bytes, layout, 'acknowledged'),
    actual_weight_quantity_finished_goods: readWeight(bytes, layout, layout.finished),
    consumption: Object.fromEntries(
      WEIGHT_TAGS.map((tag) => [tag, readWeight(bytes, layout, weightOffset(layout, tag))]),
    ),
  };
}

/** Empties a slot: no MO id, zero weights, every flag 0; its batch counter stays. */
export function blankSlot(memory: Buffer, layout: BatchLayout, slot: number): void {
  const bytes = slotBytes(memory, layout, slot);
  bytes.fill(0, 0, layout.counter ?? bytes.length);
  writeSlot(memory, layout, slot, { mo_id: '' });
}

/** Counts one more batch in a slot whose layout has a batch counter; after 65535 comes 0. */
export function countBatch(memory: Buffer, layout: BatchLayout, slot: number): void {
  if (layout.counter === undefined) return;
  const bytes = slotBytes(memory, layout, slot);
  bytes.writeUInt16BE((bytes.readUInt16BE(layout.counter) + 1) % 65_536, layout.counter);
}

/** Whether the reader of the PLC has acknowledged the batch in this slot. */
export const acknowledged = (memory: Buffer, layout: BatchLayout, slot: number): boolean =>
  readFlag(slotBytes(memory, layout, slot), layout, 'acknowledged');
