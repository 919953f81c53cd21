/**
 * The queue, its history and its events: every rule of the store as one statement. Knows no Node-RED and no Odoo.
 */
import { type Batch, gotNoAnswer } from '../domain/batch';
import type { Order } from '../domain/order';
import type { Reading } from '../domain/reading';
import { archive, type Archived, type Archiving, pruneEvents } from './archive';
import type { Database } from './connection';
import type { Decided, Decision } from './decide';
import { accept, closeAnyway, discard } from './decisions';
import { ENQUEUE, UNQUEUED } from './enqueue-sql';
import { patiently } from './locked-row';
import { Prepared } from './prepared';
import { figuresOf, LOCKED_ROW } from './reading-sql';
import { RECORD } from './record-sql';
import { replan } from './replan';
import { type Left, retry, setAside, type Told, UNREAD } from './set-aside';
import { BATCH_COLUMNS, CLOSED_BY_HAND, DUE, LEASED, OF_LINE, SLOT_FREE, UNCONFIRMED } from './sql';
import { type QueueSummary, summary, type Trail, trail } from './summary';
import { ORDER_COLUMNS } from './tables';

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

/** An order that a held reading waits for. */
export interface UnqueuedOrder {
  mo_id: string;
  /** The line that its reading came from. */
  line: string;
  slot: number;
  held_since: Date;
  /** How often it was asked for, this time included. */
  asks: number;
}

/** What nobody has looked at is still to be recorded, like what waits for its row. */
const NOT_YET: Judgement = { outcome: 'held', reason: LOCKED_ROW };

interface Recorded {
  mo_id: string;
  outcome: RecordOutcome;
  reason: string | null;
  weights_of: string | null;
}

/** Rows that may be worked on now. */
const READY = `b.mo_id IS NOT NULL AND ${DUE} AND NOT ${LEASED} AND ${OF_LINE}`;

/** What runs in every cycle. */
const STATEMENTS = {
  enqueue: new Prepared<Batch>('enqueue', ENQUEUE),
  unqueued: new Prepared<UnqueuedOrder>('unqueued', UNQUEUED),
  record: new Prepared<Recorded>('record', RECORD),
  due: new Prepared<Batch>(
    'due',
    `SELECT ${BATCH_COLUMNS} FROM mo_batch b WHERE ${UNCONFIRMED} AND ${READY}
     ORDER BY b.last_attempt_at NULLS FIRST, b.batch_no LIMIT $<limit>`,
  ),
  completed: new Prepared<Batch>(
    'completed',
    `SELECT ${BATCH_COLUMNS} FROM mo_batch b
     WHERE (b.status_manufacturing OR (${CLOSED_BY_HAND} AND ${SLOT_FREE})) AND ${READY}
     ORDER BY b.last_attempt_at NULLS FIRST, b.completed_at, b.batch_no LIMIT $<limit>`,
  ),
} as const;

const ofLine = (line?: string): { line: string } => ({ line: line ?? '' });

/**
 * Of the rows chosen, those whose last call got no answer come after the others: each may hold a turn for a whole time
 * limit. Chosen they are like any other, or they would never have a turn.
 */
const slowLast = (rows: readonly Batch[]): Batch[] => [
  ...rows.filter((row) => !gotNoAnswer(row)),
  ...rows.filter(gotNoAnswer),
];

export class BatchStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** Counts, what is set aside and why, what is held: all that Task 1's gate and a person need. */
  summary(line?: string): Promise<QueueSummary> {
    return summary(this.#db, line);
  }

  /**
   * Queues orders in the given order, each once: one that is queued, or archived in any way, is left alone. Readings that
   * were held for an order are applied, completion included; where Odoo names no line, it gets the one they came from.
   * @param limit how many new ones at most, counted after leaving those out
   * @param named the order that a person named: only this one is queued again if it was archived by hand
   */
  enqueue(orders: readonly Order[], limit: number, named: string | null = null): Promise<Batch[]> {
    // Whatever else a message's orders carry stays out of the statement: it could make the database refuse all of them.
    const known = orders.map((order) =>
      Object.fromEntries(ORDER_COLUMNS.map(({ name }) => [name, order[name as keyof Order]])),
    );
    return STATEMENTS.enqueue.underLock(this.#db, { orders: known, limit, named });
  }

  /**
   * The orders of held readings that are not in the queue and are to be asked for now: at once, and again after pauses that
   * grow from 5 to 60 minutes by the database's clock. Reading this list is the question: it is noted in the same statement.
   */
  unqueued(line?: string): Promise<UnqueuedOrder[]> {
    return STATEMENTS.unqueued.underLock(this.#db, ofLine(line));
  }

  /** Which of these orders are left alone by enqueue because a person archived them: they have to be named. */
  archivedByHand(moIds: readonly string[]): Promise<string[]> {
    return this.#db.map(
      `SELECT h.mo_id FROM mo_histories h WHERE h.mo_id = ANY($<moIds>) AND NOT EXISTS (SELECT FROM mo_batch b WHERE b.mo_id = h.mo_id)
       GROUP BY h.mo_id HAVING NOT bool_or(h.status = 'completed') ORDER BY h.mo_id`,
      { moIds },
      ({ mo_id }: { mo_id: string }) => mo_id,
    );
  }

  /**
   * Records readings, one statement for all: what changed since the last accepted PLC reading is written field by field
   * (so that a correction by hand is not undone by an unchanged PLC), the final values together with the lock; the rest is
   * told. No two readings may name the same order.
   * A row that another session holds locked is tried for a moment; then its reading is held until a recording finds it free.
   * @param line the line that was read; its liveness is noted
   */
  async record(readings: readonly Reading[], line = '', read: SlotsRead = {}): Promise<RecordedReading[]> {
    const isLocked = ({ reason }: Judgement): boolean => reason === LOCKED_ROW;
    const byOrder = await patiently<ReadonlyMap<string, Judgement>>(
      async (before = new Map()) => {
        const waiting = readings.filter(({ mo_id }) => isLocked(before.get(mo_id) ?? NOT_YET));
        // What was empty before these readings is not emptied once more.
        const judged = await this.#record(waiting, line, before.size > 0 ? { ...read, emptied: [] } : read);
        return new Map([...before, ...judged.map(({ mo_id, ...judgement }) => [mo_id, judgement] as const)]);
      },
      (judged) => [...judged.values()].some(isLocked),
    );
    return readings.map((reading) => ({ ...reading, ...(byOrder.get(reading.mo_id) as Judgement) }));
  }

  /**
   * Which of these batches without a number are leftovers: they weigh what their slot told last, whose number alone was cleared.
   * @returns numbers of slots
   */
  leftovers(unnamed: readonly UnnamedSlot[], line = '', { source = '' }: SlotsRead = {}): Promise<number[]> {
    return this.#db.map(
      `SELECT s.slot FROM jsonb_to_recordset($<unnamed:json>) AS u(slot int, consumption jsonb, finished numeric)
       JOIN mo_slots s ON (s.line, s.source, s.slot) = ($<line>, $<source>, u.slot) AND s.figures = ${figuresOf('u.consumption', 'u.finished')}`,
      {
        unnamed: unnamed.map(({ actual_weight_quantity_finished_goods: finished, ...slot }) => ({ ...slot, finished })),
        ...{ line, source },
      },
      ({ slot }: { slot: number }) => slot,
    );
  }

  async #record(
    readings: readonly Reading[],
    line: string,
    { source = '', emptied = [] }: SlotsRead,
  ): Promise<(Judgement & { mo_id: string })[]> {
    const rows = await STATEMENTS.record.underLock(this.#db, { readings, line, source, emptied, alive: true });
    return rows.map(({ mo_id, outcome, reason, weights_of }) => ({
      ...{ mo_id, outcome },
      ...(reason && outcome === 'held' ? { reason } : {}),
      ...(weights_of && outcome === 'held' ? { weights_of } : {}),
    }));
  }

  /** Rows whose values Odoo has not confirmed and whose pause is over; never tried ones first, those that got no answer last. */
  async due(limit: number, line?: string): Promise<Batch[]> {
    return slowLast(await STATEMENTS.due.any(this.#db, { limit, ...ofLine(line) }));
  }

  /** Completed rows to confirm, mark done and archive; and those that a person has closed in Odoo, once their slot is free. */
  async completed(limit: number, line?: string): Promise<Batch[]> {
    return slowLast(await STATEMENTS.completed.any(this.#db, { limit, ...ofLine(line) }));
  }

  /** Rows that no reading has reached yet, and running ones that none has changed for an hour: Odoo may have closed their orders. */
  unread(line?: string): Promise<Batch[]> {
    return this.#db.any<Batch>(
      `SELECT ${BATCH_COLUMNS} FROM mo_batch b WHERE ${UNREAD} AND ${OF_LINE} ORDER BY b.batch_no`,
      ofLine(line),
    );
  }

  /** Everything known about one order, from one look at the database. */
  trail(moId: string): Promise<Trail> {
    return trail(this.#db, moId);
  }

  /** Row ids of an order in the queue, the live one first; more than one only where duplicates were taken over. */
  async idsOf(moId: string): Promise<string[]> {
    return this.#db.map(
      'SELECT id FROM mo_batch WHERE mo_id = $<moId> ORDER BY duplicate, batch_no, id',
      { moId },
      ({ id }: { id: string }) => id,
    );
  }

  /**
   * Takes rows that Odoo has closed out of the gate: see set-aside.ts.
   * @param onLeft told of each row that should have gone, and why it did not
   * @returns the rows that were set aside or found done
   */
  /** @returns the rows whose plan changed, and the orders that were taken meanwhile */
  replan = (orders: readonly Order[]): Promise<{ changed: Batch[]; taken: string[] }> => replan(this.#db, orders);

  async setAside(orders: readonly Told[], onLeft?: (row: Left) => void): Promise<Batch[]> {
    const { batches, left } = await setAside(this.#db, orders);
    if (onLeft) left.forEach(onLeft);
    return batches;
  }

  /**
   * Brings rows back, and makes them due: see set-aside.ts.
   * @param onLeft told of each row that stays as it is, and why
   * @throws Error with what has to be mended, when that keeps the named row from coming back
   */
  async retry(which: string | null, line?: string, onLeft?: (row: Left) => void, by?: Decision): Promise<Batch[]> {
    const { batches, left } = await retry(this.#db, which, line, by);
    if (onLeft) left.forEach(onLeft);
    return batches;
  }

  /** "Its own batch": see decisions.ts. */
  accept(moId: string, decision: Decision = {}): Promise<Decided | null> {
    return accept(this.#db, moId, decision);
  }

  /** "Close all the same": see decisions.ts. */
  closeAnyway(moId: string, decision: Decision = {}): Promise<Batch | null> {
    return closeAnyway(this.#db, moId, decision);
  }

  /** Throws what was kept back for a person away: see decisions.ts. */
  discard(moId: string, decision: Decision = {}): Promise<Decided | null> {
    return discard(this.#db, moId, decision);
  }

  /**
   * Throws the held readings of an order away that is not queued, because a person archived it; events keep them.
   * @returns whether there was one
   */
  async discardHeld(moId: string, status: Archived['status'], note: string, by = ''): Promise<boolean> {
    return (await discard(this.#db, moId, { status, note, by })) !== null;
  }

  /** Moves rows into the history: see archive.ts. */
  archive(ids: readonly string[] | null, archiving: Archiving): ReturnType<typeof archive> {
    return archive(this.#db, ids, archiving);
  }

  /** Deletes what is older than so many days and needed no more: see archive.ts. @returns how many events */
  pruneEvents(days: number): Promise<number> {
    return pruneEvents(this.#db, days);
  }
}
