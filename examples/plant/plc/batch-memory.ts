/**
 * How a batch lies in the data block of the simulated PLC: slot n starts at base + (n − 1) × stride. Pure functions over
 * the block's bytes.
 */
import {
  readFlag,
  readText,
  readWeight,
  slotBytes,
  writeFlag,
  writeText,
  writeWeight,
  type FlagPlace,
  type SlotRow,
  type TextPlace,
  type WeightType,
} from './s7-values';

export { blockSize } from './s7-values';

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
export interface BatchLayout extends SlotRow {
  /** MO id. */
  id: TextPlace;
  flags: Record<Flag, FlagPlace>;
  finished: number;
  /** Offset of the first of the weights, which follow one another four bytes apart. */
  weights: number;
  weightType: WeightType;
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
  id: { byte: 0, characters: 20, header: true },
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
  id: { byte: 0, characters: 16, header: false },
  flags: { status_manufacturing: { byte: 16 }, status_operation: { byte: 18 }, acknowledged: { byte: 84 } },
  finished: 20,
  weights: 24,
  weightType: 'DINT×100',
};

function weightOffset(layout: BatchLayout, tag: string): number {
  const index = WEIGHT_TAGS.indexOf(tag);
  if (index < 0) throw new RangeError(`Unknown weight "${tag}"; a slot has ${WEIGHT_TAGS.join(', ')}`);
  return layout.weights + index * 4;
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
    writeWeight(bytes, layout.weightType, weightOffset(layout, tag), kg);
  }
  const finished = record.actual_weight_quantity_finished_goods;
  if (finished !== undefined) writeWeight(bytes, layout.weightType, layout.finished, finished);
  if (record.mo_id !== undefined) writeText(bytes, layout.id, record.mo_id);
  for (const flag of FLAGS) {
    const value = record[flag];
    if (value !== undefined) writeFlag(bytes, layout.flags[flag], value);
  }
}

/** What a slot holds; weights in kg as decoded, not rounded. @throws RangeError when the slot is outside the block */
export function readSlot(memory: Buffer, layout: BatchLayout, slot: number): SlotRecord {
  const bytes = slotBytes(memory, layout, slot);
  return {
    mo_id: readText(bytes, layout.id),
    status_manufacturing: readFlag(bytes, layout.flags.status_manufacturing),
    status_operation: readFlag(bytes, layout.flags.status_operation),
    acknowledged: readFlag(bytes, layout.flags.acknowledged),
    actual_weight_quantity_finished_goods: readWeight(bytes, layout.weightType, layout.finished),
    consumption: Object.fromEntries(
      WEIGHT_TAGS.map((tag) => [tag, readWeight(bytes, layout.weightType, weightOffset(layout, tag))]),
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
  readFlag(slotBytes(memory, layout, slot), layout.flags.acknowledged);
