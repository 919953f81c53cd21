/**
 * Order layout: where an order that is handed over lies in a data block, and its handshake. Order slot n starts at
 * base + (n − 1) × stride; offsets and lengths are bytes.
 */
import { SILO_TAGS, type SiloTag } from '../domain/silos';
import { valueBytes } from './slot-types';

/** The types that are written. */
export type OrderType = 'BOOL' | 'INT' | 'UINT' | 'WORD' | 'DINT' | 'UDINT' | 'DWORD' | 'REAL' | 'CHAR' | 'STRING';

/** What the PLC is told. Of a silo its plan; with `_number` the silo's number, 101 for silo A. */
export type OrderFieldName =
  | 'number'
  | 'batch_no'
  | 'bill'
  | 'product'
  | 'planned'
  | SiloTag
  | `${SiloTag}_number`
  | 'status_manufacturing'
  | 'status_operation'
  | 'finished'
  | Handshake;
/** Set by the bridge, by the PLC program, and the number that the program took last. */
export type Handshake = 'ready' | 'taken' | 'echo';
const HANDSHAKE: readonly string[] = ['ready', 'taken', 'echo'] satisfies Handshake[];

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
export const isHandshake = ({ field }: OrderField): boolean => HANDSHAKE.includes(field);

/** What keeps a layout from handing over. */
export type OrderLayoutFault =
  | 'no-number'
  | 'no-ready'
  /** Neither `taken` nor an echo: nobody could know what the PLC has. */
  | 'no-answer'
  /** Where both sides write into one byte, one takes back what the other has written. */
  | 'shared-byte'
  | 'overlap'
  | 'beyond-stride';

export function orderLayoutFaults(layout: OrderLayout): { fault: OrderLayoutFault; field?: OrderFieldName }[] {
  const { fields, stride } = layout;
  const has = (name: OrderFieldName): boolean => fields.some(({ field }) => field === name);
  const faults: { fault: OrderLayoutFault; field?: OrderFieldName }[] = [];
  if (!has('number')) faults.push({ fault: 'no-number' });
  if (!has('ready')) faults.push({ fault: 'no-ready' });
  if (!has('taken') && !has('echo')) faults.push({ fault: 'no-answer' });
  fields.forEach((row, index) => {
    const [from, to] = [orderFieldByte(row), orderFieldByte(row) + orderFieldBytes(row)];
    if (to > stride) faults.push({ fault: 'beyond-stride', field: row.field });
    const shares = (other: OrderField): boolean =>
      from < orderFieldByte(other) + orderFieldBytes(other) && orderFieldByte(other) < to;
    const neighbour = fields.slice(0, index).find(shares);
    if (neighbour)
      faults.push({ fault: isHandshake(row) || isHandshake(neighbour) ? 'shared-byte' : 'overlap', field: row.field });
  });
  return faults;
}

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
