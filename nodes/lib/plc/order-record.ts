/**
 * An order as the bytes of its slot, and a slot's bytes as what they say. What a field cannot carry exactly is refused by
 * name: no number, order or weight is ever cut or clamped.
 */
import { type Batch, plannedWeights } from '../domain/batch';
import type { OrderSlot } from '../domain/handover';
import { siloNumber, type SiloTag } from '../domain/silos';
import { roundDecoded, roundForOdoo, sameForOdoo } from '../domain/weight';
import { hexOf, type FieldSight } from './field-sight';
import {
  isHandshake,
  isOrderWeight,
  isPlan,
  numberedSilo,
  ORDER_TEXTS,
  orderFieldByte,
  orderFieldBytes,
  type OrderField,
  type OrderLayout,
  orderSlotBytes,
} from './order-layout';

export type OrderProblem =
  | 'too-long'
  | 'not-ascii'
  /** NaN, infinite or below 0. */
  | 'not-a-weight'
  /** Above what the silo may be asked for. */
  | 'above-limit'
  /** Beyond what the field's type holds. */
  | 'out-of-range'
  /** The field's type and scale hold another weight only. */
  | 'not-exact'
  /** The plan has a silo that the layout has no field for. */
  | 'no-field';

/** Why an order cannot be handed over. */
export interface OrderRefusal {
  problem: OrderProblem;
  field: string;
  value: string | number;
}

/** The highest plan in kg, by tag: `silo` holds for every silo without an own limit. */
export type OrderLimits = Partial<Record<SiloTag, number>>;

/** Lowest and highest number of a type (STEP 7, "Data types"). */
const RANGES: Partial<Record<OrderField['type'], readonly [number, number]>> = {
  INT: [-0x8000, 0x7fff],
  UINT: [0, 0xffff],
  WORD: [0, 0xffff],
  DINT: [-0x80000000, 0x7fffffff],
  UDINT: [0, 0xffffffff],
  DWORD: [0, 0xffffffff],
};
const PRINTABLE = /^[\x20-\x7e]*$/;

/** Writes a whole number, the high byte first. */
function putNumber(slot: Buffer, row: OrderField, value: number): void {
  const at = orderFieldByte(row);
  if (row.type === 'REAL') slot.writeFloatBE(value, at);
  else if (row.type === 'BOOL') slot[at] = slot[at]! | (value << Math.round((row.offset - at) * 10));
  else
    for (let byte = orderFieldBytes(row) - 1, rest = value; byte >= 0; byte -= 1, rest = Math.floor(rest / 256))
      slot[at + byte] = rest & 0xff;
}

/** Writes a text; what lies behind it in its field is NUL. A STRING has its maximum and its length in front. */
function putText(slot: Buffer, row: OrderField, text: string): void {
  const [at, head] = [orderFieldByte(row), row.type === 'STRING' ? 2 : 0];
  slot.fill(0, at, at + orderFieldBytes(row));
  if (head) slot.set([row.length ?? 0, text.length], at);
  slot.write(text, at + head, 'latin1');
}

function textProblem(text: string, { length = 0 }: OrderField): OrderProblem | undefined {
  if (!PRINTABLE.test(text)) return 'not-ascii';
  return text.length > length ? 'too-long' : undefined;
}

/** A weight (kg) as the field's number, or why it has none. */
function weightIn(kg: number, { type, scale = 1 }: OrderField, limit = Infinity): number | OrderProblem {
  if (!Number.isFinite(kg) || kg < 0) return 'not-a-weight';
  if (kg > limit) return 'above-limit';
  const [lowest, highest] = RANGES[type] ?? [-Infinity, Infinity];
  const rounded = roundForOdoo(kg);
  const value = type === 'REAL' ? Math.fround(rounded / scale) : Math.round(rounded / scale);
  if (!Number.isFinite(value) || value < lowest || value > highest) return 'out-of-range';
  return sameForOdoo(value * scale, rounded) ? value : 'not-exact';
}

/** What the batch says of a field that is a number. */
function numberOf(batch: Batch, plan: Partial<Record<SiloTag, number>>, field: string): number | undefined {
  if (field === 'planned') return Number(batch.consumption ?? 0);
  if (isPlan(field)) return plan[field] ?? 0;
  return field === 'finished' ? 0 : undefined;
}

/**
 * An order as its slot's bytes, `ready` 0.
 * @param limits kg; a silo that is named in none may be asked for anything that its field holds
 */
export function encodeOrder(
  batch: Batch,
  layout: OrderLayout,
  limits: OrderLimits = {},
): { bytes: Buffer } | { refused: OrderRefusal[] } {
  const bytes = Buffer.alloc(orderSlotBytes(layout));
  const refused: OrderRefusal[] = [];
  const plan = plannedWeights(batch);
  const refuse = (field: string, value: string | number, problem: OrderProblem | undefined): boolean => {
    if (problem) refused.push({ field, value, problem });
    return problem !== undefined;
  };
  for (const row of layout.fields) {
    const { field } = row;
    const kg = numberOf(batch, plan, field);
    const numbered = numberedSilo(field);
    if (field === 'number') {
      if (!refuse(field, batch.mo_id, textProblem(batch.mo_id, row))) putText(bytes, row, batch.mo_id);
    } else if (field === 'product') {
      // Told for people: the only text that may be shortened.
      const text = (batch.finished_goods ?? '').replace(/[^\x20-\x7e]/g, '?').slice(0, row.length);
      putText(bytes, row, text);
    } else if (kg !== undefined) {
      const value = weightIn(kg, row, isPlan(field) ? (limits[field] ?? limits.silo) : undefined);
      if (typeof value === 'number') putNumber(bytes, row, value);
      else refuse(field, kg, value);
    } else if (field === 'batch_no') {
      const [lowest, highest] = RANGES[row.type] ?? [0, Number.MAX_SAFE_INTEGER];
      const fits = batch.batch_no >= lowest && batch.batch_no <= highest;
      if (!refuse(field, batch.batch_no, fits ? undefined : 'out-of-range')) putNumber(bytes, row, batch.batch_no);
    } else if (numbered) {
      putNumber(bytes, row, siloNumber(numbered));
    } else if (row.type === 'STRING' && !isHandshake(row)) putText(bytes, row, '');
  }
  for (const [tag, kg] of Object.entries(plan))
    if (kg && !layout.fields.some(({ field }) => field === tag)) refuse(tag, kg, 'no-field');
  return refused.length > 0 ? { refused } : { bytes };
}

/** The bytes that a hand-over writes, the handshake and what is between the fields left out (hex). */
export function recordOf(bytes: Buffer, { fields }: OrderLayout): string {
  const written = fields.filter((row) => !isHandshake(row));
  return written
    .map((row) => bytes.subarray(orderFieldByte(row), orderFieldByte(row) + orderFieldBytes(row)).toString('hex'))
    .join('');
}

function textIn(bytes: Buffer, row: OrderField): string {
  const raw = bytes.subarray(orderFieldByte(row), orderFieldByte(row) + orderFieldBytes(row));
  const text = row.type === 'STRING' ? raw.subarray(2, 2 + Math.min(raw[1]!, row.length ?? 0)) : raw;
  return text.toString('latin1').replace(/[\0 ]+$/, '');
}

/** Any bit of a flag counts: what is neither 0 nor 1 is not "no". */
function flagIn(bytes: Buffer, row: OrderField): boolean {
  const at = orderFieldByte(row);
  if (row.type === 'BOOL') return ((bytes[at]! >> Math.round((row.offset - at) * 10)) & 1) === 1;
  return bytes.subarray(at, at + orderFieldBytes(row)).some((byte) => byte !== 0);
}

/**
 * What a slot's bytes say.
 * @param settled see OrderSlot
 */
export function orderSlotIn(bytes: Buffer, layout: OrderLayout, settled = false): OrderSlot {
  const row = (name: OrderField['field']): OrderField | undefined => layout.fields.find(({ field }) => field === name);
  const [number, ready, taken, echo] = [row('number'), row('ready'), row('taken'), row('echo')];
  return {
    number: number ? textIn(bytes, number) : '',
    record: recordOf(bytes, layout),
    ready: ready !== undefined && flagIn(bytes, ready),
    taken: taken !== undefined && flagIn(bytes, taken),
    echo: echo ? textIn(bytes, echo) : '',
    settled,
  };
}

/** A number as its field holds it. */
function numberIn(bytes: Buffer, row: OrderField): number {
  const [at, length] = [orderFieldByte(row), orderFieldBytes(row)];
  if (row.type === 'REAL') return bytes.readFloatBE(at);
  return row.type.startsWith('U') || row.type.endsWith('WORD')
    ? bytes.readUIntBE(at, length)
    : bytes.readIntBE(at, length);
}

/** What the fields of a slot say, for people: weights in kg, flags as 0 or 1. */
export const orderSights = (bytes: Buffer, { fields }: OrderLayout): FieldSight[] =>
  fields.map((row) => {
    const { field, type, scale = 1 } = row;
    const raw = bytes.subarray(orderFieldByte(row), orderFieldByte(row) + orderFieldBytes(row));
    const seen = { field, hex: hexOf(raw) };
    if ((ORDER_TEXTS as readonly string[]).includes(field)) return { ...seen, value: textIn(bytes, row) };
    if (type === 'BOOL') return { ...seen, value: String(Number(flagIn(bytes, row))) };
    const value = numberIn(bytes, row);
    return { ...seen, value: String(isOrderWeight(field) ? roundDecoded(value * scale) : value) };
  });
