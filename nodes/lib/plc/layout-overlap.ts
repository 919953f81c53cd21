/** Whether two rows of the field table take the same bytes, in any slot. */
import {
  bitOf,
  elementsOf,
  fieldBytes,
  isApart,
  isFlag,
  originOf,
  position,
  type SlotField,
  type SlotLayout,
} from './slot-layout';

/** A layout with more is faulty for that. */
const MOST_SLOTS = 64;

const meaningOf = ({ bit, values, inverted = false }: SlotField): string => JSON.stringify([bit, values, inverted]);

/** Two flags may be two meanings of one value: complete at 3, running at 1; or a trigger bit that acknowledging clears. */
const areTwoMeanings = (a: SlotField, b: SlotField): boolean =>
  isFlag(a.field) && isFlag(b.field) && a.type === b.type && a.offset === b.offset && meaningOf(a) !== meaningOf(b);

/** Whether two rows meet, counted from where their offsets begin. @param shift of the second one's beginning (bytes) */
function meet(a: SlotField, b: SlotField, shift: number): boolean {
  const [left, right] = [bitOf(a), bitOf(b)];
  if (left && right) return left.byte === right.byte + shift && left.bit === right.bit;
  const [from, to] = [position(a).byte, position(b).byte + shift];
  return from < to + fieldBytes(b) && to < from + fieldBytes(a);
}

/** Whether two rows overlap in one slot, or one in a slot with the other in another. */
export function overlaps(a: SlotField, b: SlotField, layout: SlotLayout): boolean {
  if (originOf(layout, a, 1).db !== originOf(layout, b, 1).db) return false;
  const pairs = elementsOf(a).flatMap((one) => elementsOf(b).map((other) => [one, other] as const));
  const begins = (row: SlotField, slot: number): number => originOf(layout, row, slot).start;
  // Rows of the slot itself end before the next slot, or are faulty for that.
  const inSlot = !isApart(a) && !isApart(b);
  const slots = Array.from({ length: inSlot ? 1 : Math.min(layout.slots, MOST_SLOTS) }, (_, index) => index + 1);
  const same = begins(a, 1) === begins(b, 1) && begins(a, 2) === begins(b, 2);
  return slots.some((slot) =>
    slots.some((other) => {
      const shift = begins(b, other) - begins(a, slot);
      return pairs.some(([one, two]) => meet(one, two, shift) && !(same && slot === other && areTwoMeanings(one, two)));
    }),
  );
}
