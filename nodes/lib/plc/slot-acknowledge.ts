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

/** Outcomes and reasons for holding that keep a slot and have a sentence of their own; any other one is told by its code. */
const HELD_FOR: readonly string[] = ['foreign-weights', 'locked-row'];
const NOT_SAFE: readonly string[] = ['locked', 'older'];

/** A completed slot that is not acknowledged, and why: the words are the locale's (`kept.<code>`). */
export interface KeptSlot {
  slot: number;
  mo_id: string;
  code: string;
  /** What the store called it, where the code has no sentence for it. */
  values: { called?: string };
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
    const keep = (known: readonly string[], called: string, otherwise: string): void => {
      const why = known.includes(called) ? { code: called, values: {} } : { code: otherwise, values: { called } };
      kept.push({ slot, mo_id, ...why });
    };
    if (outcome === 'held' && typeof reason === 'string') keep(HELD_FOR, reason, 'held');
    else if (SAFE.includes(outcome)) safe.push(reading);
    else keep(NOT_SAFE, outcome, 'not-stored');
  }
  return { safe, kept };
}
