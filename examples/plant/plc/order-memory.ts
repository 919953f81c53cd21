/** How an order lies in the order block of the simulated PLC, and its handshake. Pure functions over the block's bytes. */
import { WEIGHT_TAGS } from './batch-memory';
import {
  readFlag,
  readText,
  readWeight,
  slotBytes,
  writeFlag,
  writeText,
  type FlagPlace,
  type SlotRow,
  type TextPlace,
  type WeightType,
} from './s7-values';

/** Offsets in bytes from the slot's start. */
export interface OrderRow extends SlotRow {
  number: TextPlace;
  batch: number;
  /** Planned finished goods. */
  quantity: number;
  /** The first plan of a silo, and the bytes from one to the next. */
  plan: { first: number; step: number };
  weightType: WeightType;
  /** Set by whoever hands an order over. */
  ready: FlagPlace;
  /** Set by the program. */
  taken: FlagPlace;
  /** The number that the program took last, where the layout has room for it. */
  echo?: TextPlace;
}

/** Preset "S7 order record". */
export const S7_ORDER_RECORD: OrderRow = {
  name: 'S7 order record',
  db: 110,
  base: 0,
  stride: 146,
  length: 146,
  number: { byte: 0, characters: 20, header: true },
  batch: 22,
  quantity: 24,
  plan: { first: 28, step: 4 },
  weightType: 'REAL',
  ready: { byte: 120, bit: 0 },
  taken: { byte: 122, bit: 0 },
  echo: { byte: 124, characters: 20, header: true },
};

/** Preset "packed words": before each plan stands the number of its silo. */
export const PACKED_ORDER: OrderRow = {
  name: 'packed words',
  db: 110,
  base: 0,
  stride: 200,
  length: 154,
  number: { byte: 2, characters: 16, header: false },
  batch: 0,
  quantity: 50,
  plan: { first: 56, step: 6 },
  weightType: 'DINT×100',
  ready: { byte: 152 },
  taken: { byte: 146 },
};

/** What an order slot shows; weights in kg. */
export interface OrderSlot {
  /** '' in a blank slot. */
  mo_id: string;
  batch_no: number;
  quantity: number;
  /** kg by tag, without the silos of which nothing is planned. */
  plan: Record<string, number>;
  ready: boolean;
  taken: boolean;
  echo: string;
}

/** @throws RangeError when the slot is outside the block */
export function readOrder(memory: Buffer, layout: OrderRow, slot: number): OrderSlot {
  const bytes = slotBytes(memory, layout, slot);
  const weights = WEIGHT_TAGS.map((tag, index): [string, number] => [
    tag,
    readWeight(bytes, layout.weightType, layout.plan.first + index * layout.plan.step),
  ]);
  return {
    mo_id: readText(bytes, layout.number),
    batch_no: bytes.readInt16BE(layout.batch),
    quantity: readWeight(bytes, layout.weightType, layout.quantity),
    plan: Object.fromEntries(weights.filter(([, kg]) => kg !== 0)),
    ready: readFlag(bytes, layout.ready),
    taken: readFlag(bytes, layout.taken),
    echo: layout.echo ? readText(bytes, layout.echo) : '',
  };
}

/** The program says that it has this order. @param by `taken`: the bit; `echo`: the number, and `ready` is cleared */
export function sayTaken(memory: Buffer, layout: OrderRow, slot: number, by: 'taken' | 'echo'): void {
  const bytes = slotBytes(memory, layout, slot);
  if (layout.echo) writeText(bytes, layout.echo, readText(bytes, layout.number));
  if (by === 'echo') writeFlag(bytes, layout.ready, false);
  else writeFlag(bytes, layout.taken, true);
}

/** Number blank, `ready` and `taken` 0: whoever clears a slot clears all three. */
export function clearOrder(memory: Buffer, layout: OrderRow, slot: number): void {
  const bytes = slotBytes(memory, layout, slot);
  writeText(bytes, layout.number, '');
  writeFlag(bytes, layout.ready, false);
  writeFlag(bytes, layout.taken, false);
}

/** A block in which nothing was ever written: the program's own STRINGs have their lengths all the same. */
export function blankOrders(memory: Buffer, layout: OrderRow, slots: number): void {
  for (let slot = 1; slot <= slots; slot += 1) {
    slotBytes(memory, layout, slot).fill(0);
    clearOrder(memory, layout, slot);
    if (layout.echo) writeText(slotBytes(memory, layout, slot), layout.echo, '');
  }
}
