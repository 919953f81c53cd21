/**
 * Where the fields of a slot lie: as areas of data blocks, and as one image of the slot's bytes in which every field has an
 * offset. A slot whose fields have no block or array of their own is one area, and its image begins where the slot does.
 */
import { elementsOf, fieldBytes, isApart, originOf, position, type SlotField, type SlotLayout } from './slot-layout';

/** A run of bytes, without the last. */
export interface Span {
  from: number;
  to: number;
}

/** A stretch of a data block that every slot needs: in slot n it begins at `start` + (n − 1) × `stride`. */
export interface Area {
  db: number;
  start: number;
  stride: number;
  bytes: number;
  /** Where it begins in the image. */
  at: number;
  /** The bytes that are fields, from the area's start, in their order. */
  fields: readonly Span[];
}

/** A row of the image; `index`: which position of a list it is, from 0. */
export type ImageField = SlotField & { index?: number };

export interface SlotImage {
  areas: readonly Area[];
  /** The layout's rows with their offsets in the image, a list of positions as a row for each. */
  fields: readonly ImageField[];
  /** Length of the image. */
  bytes: number;
}

/** A row with the bytes it takes, from the slot's own start or from its block's. */
interface Placed {
  row: ImageField;
  db: number;
  stride: number;
  apart: boolean;
  span: Span;
}

function place(layout: SlotLayout, row: SlotField): Placed[] {
  const { db = layout.db, stride = layout.stride } = row;
  const elements = elementsOf(row);
  return elements.map((element, index) => {
    const { byte } = position(element);
    const span = { from: byte, to: byte + fieldBytes(element) };
    const listed = elements.length > 1 || row.count !== undefined ? { index } : {};
    return { row: { ...element, ...listed }, db, stride, apart: isApart(row), span };
  });
}

/** Rows that one area takes: those of the slot, or those of a block and stride as far as they lie within one stride. */
function together(placed: readonly Placed[]): Placed[][] {
  const slot = placed.filter(({ apart }) => !apart);
  const groups: Placed[][] = [];
  const apart = placed.filter(({ apart }) => apart);
  for (const one of apart.sort((a, b) => a.db - b.db || a.stride - b.stride || a.span.from - b.span.from)) {
    const [first] = groups.at(-1) ?? [];
    const fits = first?.db === one.db && first.stride === one.stride && one.span.to - first.span.from <= one.stride;
    if (fits) groups.at(-1)?.push(one);
    else groups.push([one]);
  }
  return slot.length > 0 ? [slot, ...groups] : groups;
}

/** The image of a layout's slots. */
export function imageOf(layout: SlotLayout): SlotImage {
  const placed = layout.fields.flatMap((row) => place(layout, row));
  const moved = new Map<Placed, number>();
  let at = 0;
  const areas = together(placed).map((group): Area => {
    const [{ row, db, stride, apart }] = group as [Placed];
    // A slot is taken from its first byte on, so that what is shown of it begins there too.
    const first = apart ? Math.min(...group.map(({ span }) => span.from)) : 0;
    const fields = group.map(({ span }) => ({ from: span.from - first, to: span.to - first }));
    const bytes = Math.max(...fields.map(({ to }) => to));
    for (const one of group) moved.set(one, at - first);
    const area = { db, start: originOf(layout, row, 1).start + first, stride, bytes, at };
    at += bytes;
    return { ...area, fields: fields.sort((a, b) => a.from - b.from) };
  });
  const fields = placed.map((one) => ({ ...one.row, offset: one.row.offset + (moved.get(one) ?? 0) }));
  return { areas, fields, bytes: at };
}
