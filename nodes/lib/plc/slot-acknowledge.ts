/**
 * Which slots a PLC may use again: those whose completed reading is safe in the database. Decided by what the store said
 * became of it, since acknowledging ends the PLC's own copy of the weights.
 */
import { checkReading, type Reading } from '../domain/reading';

/**
 * Safe by the store's word: these very weights stand in the queue or the history (in the row, or as its last PLC reading
 * where the row was corrected by hand), or among the held readings.
 */
const SAFE: readonly unknown[] = ['recorded', 'unchanged', 'held', 'stale'];

/** Held, but not as the order's own weights, or only until its row is free: the PLC keeps its copy until that is decided. */
const HELD_FOR: Readonly<Record<string, string>> = {
  'foreign-weights': 'shows the weights of the order that it told before: a person decides',
  'locked-row': "is held, since another program holds the order's row locked: the next read decides",
};

/** Why a completed reading with another outcome keeps its slot. */
const NOT_SAFE: Readonly<Record<string, string>> = {
  locked:
    'shows other weights than those the batch was completed with: compare both, correct by hand, free it in the PLC',
  older: 'was read before the last accepted reading of its order: the next read decides',
};

/** A completed slot that is not acknowledged. */
export interface KeptSlot {
  slot: number;
  mo_id: string;
  reason: string;
}

/**
 * Sorts the store's answer to "record"; running batches are left out.
 * @param recorded readings with their outcome
 * @throws Error when any of them is not a recorded reading
 */
export function sortForAcknowledging(recorded: readonly unknown[]): { safe: Reading[]; kept: KeptSlot[] } {
  const safe: Reading[] = [];
  const kept: KeptSlot[] = [];
  for (const candidate of recorded) {
    const { reading } = checkReading(candidate);
    const { outcome, reason } = (candidate ?? {}) as { outcome?: unknown; reason?: unknown };
    if (!reading || typeof outcome !== 'string') throw new Error('not the recorded readings of mo-batch-store');
    const { slot, mo_id, status_manufacturing } = reading;
    if (!status_manufacturing) continue;
    if (outcome === 'held' && typeof reason === 'string')
      kept.push({ slot, mo_id, reason: HELD_FOR[reason] ?? `is held for a person: ${reason}` });
    else if (SAFE.includes(outcome)) safe.push(reading);
    else kept.push({ slot, mo_id, reason: NOT_SAFE[outcome] ?? `was not stored: ${outcome}` });
  }
  return { safe, kept };
}
