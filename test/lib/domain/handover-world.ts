/** A small world in which orders are handed over: two orders, two slots, two writers, a PLC. What its states are. */
import type { HandBack } from '../../../nodes/lib/domain/handover';

export const NONE = -1;

/** What a telegram does to its slot. */
export type Telegram = 'torn' | 'body' | 'number' | 'ready' | 'unready' | 'blank' | 'untaken';

interface Row {
  slot: number;
  plan: number;
  ready: boolean;
  taken: boolean;
  back: HandBack | null;
  /** It may be handed over. */
  open: boolean;
  asked: boolean;
  /** For the judge: the plan that Odoo had when the order was offered last. */
  offered: number;
}

export interface Slot {
  number: number;
  record: number;
  ready: boolean;
  taken: boolean;
  echo: number;
}

export interface Writer {
  at: 'idle' | 'read' | 'look' | 'send';
  slot: number;
  view: (Slot & { settled: boolean }) | null;
  /** The order that it knows to be the slot's, and the telegrams that its step still has to send. */
  order: number;
  plan: number;
  queue: Telegram[];
  flight: Telegram | null;
  settle: boolean;
}

export interface World {
  rows: Row[];
  slots: Slot[];
  writers: Writer[];
  lease: number;
  /** Copied, not yet said so: order per slot. */
  mid: number[];
  /** For the judge: how often each was taken. */
  took: number[];
  planChanges: boolean;
}

export const idle = (): Writer => ({
  ...{ at: 'idle', slot: NONE, view: null, order: NONE, plan: NONE, queue: [], flight: null, settle: false },
});
export const emptySlot = (echo = NONE): Slot => ({ number: NONE, record: NONE, ready: false, taken: false, echo });
const newRow = (): Row => ({
  ...{ slot: NONE, plan: 0, ready: false, taken: false, back: null, open: true, asked: false, offered: NONE },
});

export const start = (): World => ({
  rows: [newRow(), newRow()],
  slots: [emptySlot(), emptySlot()],
  writers: [idle(), idle()],
  lease: NONE,
  mid: [NONE, NONE],
  took: [0, 0],
  planChanges: false,
});

export const clone = ({ rows, slots, writers, lease, mid, took, planChanges }: World): World => ({
  rows: [{ ...rows[0]! }, { ...rows[1]! }],
  slots: [{ ...slots[0]! }, { ...slots[1]! }],
  writers: [{ ...writers[0]! }, { ...writers[1]! }],
  mid: [mid[0]!, mid[1]!],
  took: [took[0]!, took[1]!],
  lease,
  planChanges,
});

/** A state in as few characters as it takes; `swap`: with the slots changed over. */
function packed({ rows, slots, writers, lease, mid, took, planChanges }: World, swap: boolean): string {
  const place = (slot: number): number => (swap && slot !== NONE ? 1 - slot : slot);
  const [first, second] = swap ? [1, 0] : [0, 1];
  const codes: number[] = [Number(planChanges), took[0]!, took[1]!, mid[first]!, mid[second]!];
  for (const { slot, plan, ready, taken, back, open, asked, offered } of rows)
    codes.push(
      place(slot),
      plan,
      Number(ready) + 2 * Number(taken) + 4 * Number(open) + 8 * Number(asked),
      offered,
      [null, 'plan', 'person', 'closed'].indexOf(back),
    );
  const push = ({ number, record, ready, taken, echo }: Slot): unknown =>
    codes.push(number, record, Number(ready) + 2 * Number(taken), echo);
  for (const index of [first, second]) push(slots[index]!);
  const busy = writers.findIndex(({ at, flight }) => at !== 'idle' || flight !== null);
  codes.push(lease === NONE ? 0 : 1);
  const writer = writers[busy];
  let text = '';
  if (writer) {
    const { at, slot, view, order, plan, queue, flight, settle } = writer;
    codes.push(
      place(slot),
      order,
      plan,
      Number(settle),
      ['idle', 'read', 'look', 'send'].indexOf(at) * 4 + queue.length,
    );
    text = flight ?? queue[0] ?? '';
    if (view) {
      push(view);
      codes.push(Number(view.settled));
    }
  }
  return String.fromCharCode(...codes.map((code) => code + 4)) + text;
}

/** The two writers are alike, and so are the two slots: it makes no other state which of them is which. At most one writer is busy. */
export function keyOf(world: World): string {
  const [plain, swapped] = [packed(world, false), packed(world, true)];
  return plain < swapped ? plain : swapped;
}

/** Nothing is left to be done: every order is taken and known to be, or not open; no slot holds one of them. */
export const isOver = ({ rows, slots, took, mid }: World): boolean =>
  rows.every((row, order) => (took[order]! > 0 ? row.taken : !row.open) && row.slot === NONE) &&
  mid.every((order) => order === NONE) &&
  slots.every(({ number }) => number === NONE);
