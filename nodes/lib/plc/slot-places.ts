/**
 * Where the fields of a slot lie: as areas of data blocks, and as one image of the slot's bytes in which every field has an
 * offset. A slot whose fields have no block or stride of their own is one area, and its image begins where the slot does.
 */
import { fieldBytes, position, type SlotField, type SlotLayout } from './slot-layout';

/** A run of bytes: [first, end). */
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

export interface SlotImage {
  areas: readonly Area[];
  /** The layout's rows with their offsets in the image. */
  fields: readonly SlotField[];
  /** Length of the image. */
  bytes: number;
}

const spanOf = (row: SlotField): Span => {
  const { byte } = position(row);
  return { from: byte, to: byte + fieldBytes(row) };
};

const movedTo = (row: SlotField, byte: number): SlotField => ({ ...row, offset: byte + position(row).bit / 10 });

/** The image of a layout's slots. */
export function imageOf(layout: SlotLayout): SlotImage {
  const { db, base, stride } = layout;
  const fields = [...layout.fields].map(spanOf).sort((a, b) => a.from - b.from);
  const bytes = Math.max(0, ...fields.map(({ to }) => to));
  return {
    areas: [{ db, start: base, stride, bytes, at: 0, fields }],
    fields: layout.fields.map((row) => movedTo(row, position(row).byte)),
    bytes,
  };
}
