/** One pass over the order slots of a line: first what stands in them, then the next orders into those that are free. */
import { PlcError } from '../lib/plc/plc-errors';
import type { OrderRefusal } from '../lib/plc/order-record';
import type { AreaLease } from '../lib/store/handover';
import { type Asked, type Left, SlotWork, type Told, type Tools, unfit } from './order-slot';

/** What a pass came to. */
export interface Passed {
  told: Told[];
  asked: Asked[];
  unfit: { mo_id: string; refused: OrderRefusal[] }[];
  slots: Left[];
  /** Orders that are left for want of a free slot. */
  waiting: number;
  /** What the CPU refused, slot by slot: the others went on. */
  errors: PlcError[];
}

/** What concerns one slot, or all: a CPU that answers with a refusal is there, and knows what it got. */
const OF_THE_SLOT: readonly string[] = ['access', 'missing-block'];

async function tendAll(
  work: SlotWork,
  slots: readonly number[],
  errors: PlcError[],
  refused?: readonly string[],
): Promise<Left[]> {
  const left: Left[] = [];
  for (const slot of slots)
    try {
      left.push(await work.tend(slot, refused));
    } catch (error) {
      if (!(error instanceof PlcError && OF_THE_SLOT.includes(error.kind))) throw error;
      work.unanswered = false;
      errors.push(error);
    }
  return left;
}

async function tendArea(work: SlotWork, tools: Tools, { line }: AreaLease): Promise<Passed> {
  const errors: PlcError[] = [];
  const slots = Array.from({ length: tools.layout.slots }, (_, index) => index + 1);
  const standing = await tendAll(work, slots, errors);
  const free = standing.flatMap(({ slot, as }) => (as === 'free' ? [slot] : []));
  // Judged before any is named for a slot: what the layout cannot carry keeps nobody else waiting.
  const unfitted = unfit(await tools.ledger.waiting(line), tools);
  const refused = unfitted.map(({ mo_id }) => mo_id);
  const filled = await tendAll(work, free, errors, refused);
  const waiting = (await tools.ledger.waiting(line)).length - unfitted.length;
  const left = [...standing.filter(({ as }) => as !== 'free'), ...filled];
  return { told: work.told, asked: work.asked, unfit: unfitted, slots: left, waiting, errors };
}

/**
 * @param offered ids of orders that were offered and not yet seen so; kept from pass to pass
 * @returns undefined: another writer has the slots of the line
 * @throws PlcError, LeaseLost, DatabaseUnavailable: whatever was begun, the next pass goes on with
 */
export async function pass(
  tools: Tools,
  line: string,
  offered: Set<string>,
  ending: AbortSignal,
): Promise<Passed | undefined> {
  await tools.area.refuseStop(ending);
  const lease = await tools.ledger.take(line, tools.ttlMs);
  if (!lease) return undefined;
  const work = new SlotWork(tools, lease, ending, offered);
  try {
    return await tendArea(work, tools, lease);
  } finally {
    // A write that may still land keeps everybody else out until it cannot any more.
    if (!work.unanswered) await tools.ledger.release(lease);
  }
}
