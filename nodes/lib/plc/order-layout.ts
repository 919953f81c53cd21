/**
 * Order layout: where an order that is handed over lies in a data block, and its handshake. Order slot n starts at
 * base + (n − 1) × stride; offsets and lengths are bytes.
 */
import { type ColumnTag, isSiloTag, SILO_TAGS } from '../domain/silos';
import { valueBytes } from './slot-types';

/** The types that are written. */
export const ORDER_TYPES = ['BOOL', 'INT', 'UINT', 'WORD', 'DINT', 'UDINT', 'DWORD', 'REAL', 'CHAR', 'STRING'] as const;
export type OrderType = (typeof ORDER_TYPES)[number];

/** Set by the bridge, by the PLC program, and the number that the program took last. */
export const HANDSHAKE = ['ready', 'taken', 'echo'] as const;
export type Handshake = (typeof HANDSHAKE)[number];
export const ORDER_FLAGS = ['status_manufacturing', 'status_operation'] as const;
export const ORDER_TEXTS = ['number', 'bill', 'product', 'echo'] as const;

/** What the PLC is told. Of a silo its plan, by its tag; with `_number` the number of one of the fifteen, 101 for silo A. */
export const ORDER_FIELDS = [
  ...['number', 'batch_no', 'bill', 'product', 'planned'],
  ...SILO_TAGS.flatMap((tag) => [tag, `${tag}_number`]),
  ...[...ORDER_FLAGS, 'finished', ...HANDSHAKE],
] as const;
/** One of those, or the tag of a further silo of the plant. */
export type OrderFieldName = string;

/** Whether a field is a silo's plan. */
export const isPlan = (field: string): boolean => isSiloTag(field);
/** Whether a field is a weight, and so may have a scale. */
export const isOrderWeight = (field: string): boolean => isPlan(field) || field === 'planned' || field === 'finished';
/** The silo whose number a field is. */
export const numberedSilo = (field: string): ColumnTag | undefined =>
  SILO_TAGS.find((tag) => field === `${tag}_number`);

export interface OrderField {
  field: OrderFieldName;
  type: OrderType;
  /** From the start of the slot; of a BOOL byte.bit, e.g. 120.0. */
  offset: number;
  /** Characters of a text. */
  length?: number;
  /** kg = value × scale; 1 when absent. */
  scale?: number;
}

export interface OrderLayout {
  db: number;
  base: number;
  stride: number;
  slots: number;
  fields: readonly OrderField[];
}

/** Bytes that a field takes. */
export const orderFieldBytes = ({ type, length }: OrderField): number => valueBytes(type, length);
/** The byte where a field starts. */
export const orderFieldByte = ({ offset }: OrderField): number => Math.floor(offset);
/** From the start of a slot to the end of its last field. */
export const orderSlotBytes = ({ fields }: OrderLayout): number =>
  Math.max(0, ...fields.map((row) => orderFieldByte(row) + orderFieldBytes(row)));
/** Whether a field belongs to the handshake, and not to what is handed over. */
export const isHandshake = ({ field }: OrderField): boolean => (HANDSHAKE as readonly string[]).includes(field);

const RECORD_SILOS = SILO_TAGS.map((field, index): OrderField => ({ field, type: 'REAL', offset: 28 + 4 * index }));

/** Three words a silo: its number, then its plan. */
const PACKED_SILOS = SILO_TAGS.flatMap((tag, index): OrderField[] => [
  { field: `${tag}_number`, type: 'INT', offset: 54 + 6 * index },
  { field: tag, type: 'DINT', offset: 56 + 6 * index, scale: 0.01 },
]);

/** The two layouts that a dialog offers to start from. */
export const ORDER_PRESETS: Readonly<Record<'S7 order record' | 'packed words', OrderLayout>> = {
  'S7 order record': {
    ...{ db: 110, base: 0, stride: 146, slots: 10 },
    fields: [
      { field: 'number', type: 'STRING', offset: 0, length: 20 },
      { field: 'batch_no', type: 'INT', offset: 22 },
      { field: 'planned', type: 'REAL', offset: 24 },
      ...RECORD_SILOS,
      { field: 'product', type: 'STRING', offset: 88, length: 30 },
      { field: 'ready', type: 'BOOL', offset: 120 },
      { field: 'taken', type: 'BOOL', offset: 122 },
      { field: 'echo', type: 'STRING', offset: 124, length: 20 },
    ],
  },
  // The order area of the system that this one replaces: 100 words a slot. Its program says with "operation" that it has begun.
  'packed words': {
    ...{ db: 110, base: 0, stride: 200, slots: 10 },
    fields: [
      { field: 'batch_no', type: 'INT', offset: 0 },
      { field: 'number', type: 'CHAR', offset: 2, length: 16 },
      { field: 'bill', type: 'CHAR', offset: 18, length: 16 },
      { field: 'product', type: 'CHAR', offset: 34, length: 16 },
      { field: 'planned', type: 'DINT', offset: 50, scale: 0.01 },
      ...PACKED_SILOS,
      { field: 'status_manufacturing', type: 'INT', offset: 144 },
      { field: 'taken', type: 'INT', offset: 146 },
      { field: 'finished', type: 'DINT', offset: 148, scale: 0.01 },
      { field: 'ready', type: 'INT', offset: 152 },
    ],
  },
};
