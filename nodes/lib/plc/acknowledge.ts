/** The acknowledgement of what one message of the store says: slot after slot, so that one that fails keeps no other back. */
import { sortForAcknowledging, type KeptSlot } from './slot-acknowledge';
import { PlcError } from './plc-errors';
import { type SlotReader } from './slot-reader';

export interface AcknowledgeResult {
  /** Slots that the PLC may use again. */
  acknowledged: { slot: number; mo_id: string }[];
  /** Completed slots that it has to keep, and why. */
  kept: KeptSlot[];
  /** Why a write failed, of the first one that did; the next reading of the slot brings it here again. */
  error?: Error;
}

/**
 * Acknowledges the completed readings that are safe in the database.
 * @param recorded what mo-batch-store answered to "record"
 * @throws Error when it is anything else; the signal's reason when it was aborted
 */
export async function acknowledgeRecorded(
  reader: Pick<SlotReader, 'acknowledge'>,
  recorded: readonly unknown[],
  signal: AbortSignal,
): Promise<AcknowledgeResult> {
  const { safe, kept } = sortForAcknowledging(recorded);
  const result: AcknowledgeResult = { acknowledged: [], kept };
  for (const reading of safe) {
    const { slot, mo_id } = reading;
    try {
      const outcome = await reader.acknowledge(reading, signal);
      if (outcome === 'acknowledged') result.acknowledged.push({ slot, mo_id });
      else if (outcome === 'changed') kept.push({ slot, mo_id, code: 'changed', values: {} });
    } catch (error) {
      signal.throwIfAborted();
      result.error ??= error instanceof Error ? error : new Error(String(error));
      // Without a connection the others would fail too, each after its time limit.
      if (error instanceof PlcError && (error.kind === 'offline' || error.kind === 'timeout')) break;
    }
  }
  return result;
}
