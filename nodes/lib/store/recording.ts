/** Recording what a read of the PLC found: one statement for all readings, and what became of each. */
import type { Reading } from '../domain/reading';
import type { Database } from './connection';
import { patiently } from './locked-row';
import { Prepared } from './prepared';
import { figuresOf, LOCKED_ROW } from './reading-sql';
import { RECORD } from './record-sql';

/** What became of one reading. */
export type RecordOutcome =
  /** Written to its row. */
  | 'recorded'
  /** The same as the last accepted one: no row was touched. */
  | 'unchanged'
  /** The batch is completed, in the queue or the history, with other values: no reading changes them any more. */
  | 'locked'
  /** Read before the last accepted one of its order. */
  | 'older'
  /** Kept: until its order is queued, its row is free, or a person decides; `reason` tells. */
  | 'held'
  /** Its order is archived as completed, with these values if it tells final ones; or a person threw this telling away. */
  | 'stale';

/** Why a reading is held: absent where its order is not in the queue, else 'foreign-weights', 'locked-row' or the reading's `hold`. */
export interface Judgement {
  outcome: RecordOutcome;
  reason?: string;
  /** The order whose weights these are: its slot told them before. */
  weights_of?: string;
}

export interface RecordedReading extends Reading, Judgement {}

/** A batch without a readable order number, as its slot shows it. */
export type UnnamedSlot = Pick<Reading, 'slot' | 'consumption' | 'actual_weight_quantity_finished_goods'>;

/** What else a read of the PLC found: slots of one source that show no order now. */
export interface SlotsRead {
  source?: string;
  emptied?: readonly number[];
}

/** What nobody has looked at is still to be recorded, like what waits for its row. */
const NOT_YET: Judgement = { outcome: 'held', reason: LOCKED_ROW };

interface Recorded {
  mo_id: string;
  outcome: RecordOutcome;
  reason: string | null;
  weights_of: string | null;
}

const STATEMENT = new Prepared<Recorded>('record', RECORD);

/**
 * Records readings, one statement for all: what changed since the last accepted PLC reading is written field by field
 * (so that a correction by hand is not undone by an unchanged PLC), the final values together with the lock; the rest is
 * told. No two readings may name the same order.
 * A row that another session holds locked is tried for a moment; then its reading is held until a recording finds it free.
 * @param line the line that was read; its liveness is noted
 */
export async function record(
  db: Database,
  readings: readonly Reading[],
  line: string,
  read: SlotsRead,
): Promise<RecordedReading[]> {
  const isLocked = ({ reason }: Judgement): boolean => reason === LOCKED_ROW;
  const byOrder = await patiently<ReadonlyMap<string, Judgement>>(
    async (before = new Map()) => {
      const waiting = readings.filter(({ mo_id }) => isLocked(before.get(mo_id) ?? NOT_YET));
      // What was empty before these readings is not emptied once more.
      const judged = await recordOnce(db, waiting, line, before.size > 0 ? { ...read, emptied: [] } : read);
      return new Map([...before, ...judged.map(({ mo_id, ...judgement }) => [mo_id, judgement] as const)]);
    },
    (judged) => [...judged.values()].some(isLocked),
  );
  return readings.map((reading) => ({ ...reading, ...(byOrder.get(reading.mo_id) as Judgement) }));
}

async function recordOnce(
  db: Database,
  readings: readonly Reading[],
  line: string,
  { source = '', emptied = [] }: SlotsRead,
): Promise<(Judgement & { mo_id: string })[]> {
  const rows = await STATEMENT.underLock(db, { readings, line, source, emptied, alive: true });
  return rows.map(({ mo_id, outcome, reason, weights_of }) => ({
    ...{ mo_id, outcome },
    ...(reason && outcome === 'held' ? { reason } : {}),
    ...(weights_of && outcome === 'held' ? { weights_of } : {}),
  }));
}

/**
 * Which of these batches without a number are leftovers: they weigh what their slot told last, whose number alone was cleared.
 * @returns numbers of slots
 */
export const leftovers = (
  db: Database,
  unnamed: readonly UnnamedSlot[],
  line: string,
  { source = '' }: SlotsRead,
): Promise<number[]> =>
  db.map(
    `SELECT s.slot FROM jsonb_to_recordset($<unnamed:json>) AS u(slot int, consumption jsonb, finished numeric)
     JOIN mo_slots s ON (s.line, s.source, s.slot) = ($<line>, $<source>, u.slot) AND s.figures = ${figuresOf('u.consumption', 'u.finished')}`,
    {
      unnamed: unnamed.map(({ actual_weight_quantity_finished_goods: finished, ...slot }) => ({ ...slot, finished })),
      ...{ line, source },
    },
    ({ slot }: { slot: number }) => slot,
  );
