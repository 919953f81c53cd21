/**
 * Handing an order over to the PLC: what the row and the order slot, as read, say is to be done next. Every step is one
 * statement or one write, so that a kill at any moment leaves a row and a slot from which the next one follows.
 *
 * A slot offers an order while `ready` is 1; the PLC program copies it then and sets `taken`. `ready_at` stands on the row
 * before `ready` is written, and means: from here on the PLC may have taken it.
 */

/** The row's side of a hand-over. */
export interface HandedOrder {
  /** The number, as the PLC gets it. */
  number: string;
  /** What the row says now as the slot's bytes, handshake left out (hex). */
  record: string;
  /** `ready` may have been written. */
  ready: boolean;
  /** The PLC has taken it, or tells readings of it. */
  taken: boolean;
  /** Why it must not be taken any more; null: it is wanted. */
  back: HandBack | null;
}

/** Its plan changed (it is handed over anew), a person wants it back, or it is no longer open. */
export type HandBack = 'plan' | 'person' | 'closed';

/** An order slot as read. */
export interface OrderSlot {
  /** '' when blank. */
  number: string;
  /** The bytes that a hand-over writes, handshake left out (hex). */
  record: string;
  ready: boolean;
  taken: boolean;
  /** The number that the PLC program took last, where the layout has such a field; '' otherwise. */
  echo: string;
  /** Read twice, the settle time apart, with `ready` 0 and everything else alike: what the PLC was about to say is said. */
  settled: boolean;
  /** The number is that of an order of ours which does not belong into this slot: old content after a PLC's restart. */
  strayed?: boolean;
}

/** Who clears a slot after its order was taken. */
export type Clearing = 'bridge' | 'plc';

/** Why nothing is done now. */
export type Waiting =
  /** Offered; the PLC has not taken it yet. */
  | 'offered'
  /** Taken; the PLC program has not cleared the slot yet. */
  | 'uncleared'
  /** The slot holds what is not ours. */
  | 'foreign';

/** What only a person can tell or mend. */
export type HandoverProblem =
  /** It was to be offered, is not, and nothing says that it was taken: at the PLC somebody can see which. */
  | 'ready-gone'
  /** The PLC says taken of an order that was not offered. */
  | 'taken-unoffered'
  /** The PLC took the same number before: it would look taken at once. */
  | 'echoed-before';

export type Step =
  /** Nobody's order, a free slot: the database may name the next order for it. */
  | { do: 'claim' }
  /** Everything but the handshake, then read back. */
  | { do: 'write' }
  /** Note `ready_at`, then write `ready` 1: only in this order, and only where the row is still as it was. */
  | { do: 'offer' }
  | { do: 'note-taken' }
  /** Write `ready` 0. */
  | { do: 'unready' }
  /** Read again after the settle time. */
  | { do: 'settle' }
  /** It was not taken and cannot be any more: `ready_at` is null again. */
  | { do: 'note-withdrawn' }
  /** Number blank, `ready` and `taken` 0. */
  | { do: 'clear' }
  /** The slot has nothing of this order (any more): the row lets go of it. */
  | { do: 'let-go' }
  | { do: 'wait'; why: Waiting }
  | { do: 'ask'; problem: HandoverProblem };

export const isFree = ({ number, ready, taken }: OrderSlot): boolean => number === '' && !ready && !taken;

/** The order was taken: its slot is for whoever clears it, then the row lets go. */
function afterTaking(order: HandedOrder, slot: OrderSlot, clearing: Clearing): Step {
  // Blank with a bit still set: a clearing that was cut off half-way.
  const ours = slot.number === order.number || (slot.number === '' && !isFree(slot));
  if (!ours) return { do: 'let-go' };
  // Offered once more, as after a PLC's restart with old memory: nobody may take it a second time.
  if (slot.ready && !(slot.taken && clearing === 'plc')) return { do: 'unready' };
  return clearing === 'plc' ? { do: 'wait', why: 'uncleared' } : { do: 'clear' };
}

/** What was offered does not stand there any more: whether it was taken is for a person to see. */
const gone = ({ number, ready, strayed }: OrderSlot): Step =>
  ready && (number === '' || strayed) ? { do: 'unready' } : { do: 'ask', problem: 'ready-gone' };

/** The order must not be taken any more, and nothing says that it was. */
function withdrawing(order: HandedOrder, slot: OrderSlot): Step {
  if (slot.number !== order.number) return order.ready ? gone(slot) : { do: 'let-go' };
  if (slot.ready) return { do: 'unready' };
  if (!slot.settled) return { do: 'settle' };
  return { do: order.ready ? 'note-withdrawn' : 'clear' };
}

function offering(order: HandedOrder, slot: OrderSlot): Step {
  const ours = slot.number === order.number;
  if (order.ready) return ours && slot.ready ? { do: 'wait', why: 'offered' } : gone(slot);
  if (!ours) return { do: isFree(slot) ? 'write' : 'let-go' };
  if (slot.ready) return { do: 'unready' };
  return { do: slot.record === order.record ? 'offer' : 'write' };
}

/**
 * What is to be done next with a slot.
 * @param order the order whose slot this is by the database; of a number that the database knows, but not here, with
 *   `back` 'closed'; undefined: no order of ours
 */
export function nextStep(order: HandedOrder | undefined, slot: OrderSlot, clearing: Clearing): Step {
  if (!order) return isFree(slot) ? { do: 'claim' } : { do: 'wait', why: 'foreign' };
  if (order.taken) return afterTaking(order, slot, clearing);
  const says = (slot.number === order.number && slot.taken) || slot.echo === order.number;
  if (says && order.ready) return { do: 'note-taken' };
  if (says) return { do: 'ask', problem: slot.taken ? 'taken-unoffered' : 'echoed-before' };
  return order.back ? withdrawing(order, slot) : offering(order, slot);
}
