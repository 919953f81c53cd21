/** Telling the PLC that a completed slot may be used again. */
import { type Reading } from '../domain/reading';
import { PlcError } from './plc-errors';
import { isOnNow, isTrigger } from './slot-flag';
import { sameFigures, sameWeights, type SlotOutcome } from './slot-guards';
import { type SlotField, type SlotLayout } from './slot-layout';
import { valueOfOn } from './slot-meaning';
import { type SlotMemory } from './slot-memory';
import { type SlotTelegrams } from './slot-telegrams';

/** What became of an acknowledgement. */
export type Acknowledgement =
  /** The field says so, or the PLC has emptied the slot because of it. */
  | 'acknowledged'
  /** The slot was empty, or held another MO, before anything was written. */
  | 'released'
  /** The slot shows other values than those stored: nothing was written. */
  | 'changed';

export interface Acknowledging {
  layout: SlotLayout;
  telegrams: SlotTelegrams;
  memory: SlotMemory;
  /** Reads one slot. */
  look: (slot: number) => Promise<SlotOutcome>;
}

/** What the acknowledge field shows that did not keep what was written. */
const unwritten = (row: SlotField): string => {
  const written = valueOfOn(row);
  return written > 1 ? `something else than ${written}` : String(1 - written);
};

/**
 * Writes into a slot's acknowledge field what means so and reads it back, unless the slot says anything else by now than the
 * reading that was stored.
 * @param stored the reading as it was taken into the database
 * @throws PlcError when the telegrams fail or the field reads back otherwise; Error when the layout has no such slot or field
 */
export async function acknowledgeSlot(
  { layout, telegrams, memory, look }: Acknowledging,
  stored: Reading,
  ending: AbortSignal,
): Promise<Acknowledgement> {
  const { slot } = stored;
  const row = layout.fields.find(({ field }) => field === 'acknowledged');
  if (!row) throw new Error('The slot layout has no field "acknowledged": add its row, or leave acknowledging out');
  if (slot < 1 || slot > layout.slots) throw new Error(`The slot layout has no slot ${slot}`);
  const trigger = isTrigger(layout, row);
  const state = async (): Promise<Acknowledgement | 'open'> => {
    const now = await look(slot);
    if (now.kind !== 'reading') return now.kind === 'empty' ? 'released' : 'changed';
    if (now.reading.mo_id !== stored.mo_id) return 'released';
    const done = isOnNow(telegrams.image, row, now.raw);
    // Where acknowledging takes "complete" back, the slot is no longer complete because of it.
    if (done && trigger && sameFigures(now.reading, stored)) return 'acknowledged';
    if (!sameWeights(now.reading, stored)) return 'changed';
    return done ? 'acknowledged' : 'open';
  };
  const before = await state();
  if (before !== 'open') return before;
  const where = await telegrams.write(slot, row, ending);
  memory.acknowledge(slot, trigger);
  // A PLC that is quick has emptied the slot by now, or is about to.
  if ((await state()) !== 'open') return 'acknowledged';
  throw new PlcError(
    'protocol',
    `PLC: ${where} was confirmed but reads back as ${unwritten(row)}. Does the PLC program overwrite it?`,
  );
}
