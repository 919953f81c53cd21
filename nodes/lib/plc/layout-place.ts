/** What is wrong with where a row of the field table lies. */
import { fault, type Fault, inRange, MAX_BLOCK_BYTES } from './layout-fault';
import { elementsOf, fieldBytes, isApart, isPosition, position, type SlotField, type SlotLayout } from './slot-layout';
import { typeOf } from './slot-types';

/** A row with a block or array of its own. */
function apartFaults(row: SlotField, { slots, stride: common }: SlotLayout, last: number): Fault[] {
  const { db, stride } = row;
  if (db !== undefined && !inRange(db, 1, 65_535)) return [fault('ownPlace', { value: db, most: 65_535 })];
  if (stride !== undefined && !inRange(stride, 1, MAX_BLOCK_BYTES))
    return [fault('ownPlace', { value: stride, most: MAX_BLOCK_BYTES })];
  const end = (slots - 1) * (stride ?? common) + last + 1;
  return end > MAX_BLOCK_BYTES ? [fault('ownBlock', { end, most: MAX_BLOCK_BYTES })] : [];
}

/** Words begin at even bytes; an S7-200, whose texts have one byte of length, keeps to no such rule. */
function oddFault(row: SlotField, layout: SlotLayout): Fault | undefined {
  const { type } = row;
  if (!typeOf(type).even || layout.fields.some((other) => other.type === 'S7-200 STRING')) return undefined;
  const base = isApart(row) ? 0 : layout.base;
  const stride = row.stride ?? layout.stride;
  const { byte } = position(row);
  if ((base + byte) % 2 !== 0) return fault('odd', { type, base, offset: byte });
  if (layout.slots > 1 && stride % 2 !== 0) return fault('oddStride', { type, stride });
  return (row.count ?? 1) > 1 && (row.step ?? 0) % 2 !== 0
    ? fault('oddStride', { type, stride: row.step! })
    : undefined;
}

/** Checks where a row lies that can be placed at all. */
export function placeFaults(row: SlotField, layout: SlotLayout): Fault[] {
  const faults: Fault[] = [];
  const { byte } = position(row);
  const last = position(elementsOf(row).at(-1)!).byte + fieldBytes(row) - 1;
  if (isApart(row)) faults.push(...apartFaults(row, layout, last));
  else if (last >= layout.stride) faults.push(fault('beyond', { byte, last, stride: layout.stride }));
  if (isPosition(row.field)) {
    const other = layout.fields.find(({ field }) => isPosition(field) && field !== row.field);
    if (other && other.count !== row.count) faults.push(fault('listPair'));
  }
  const odd = oddFault(row, layout);
  return odd ? [...faults, odd] : faults;
}
