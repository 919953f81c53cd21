/**
 * The queue, its history and its events: every rule of the store as one statement. Knows no Node-RED and no Odoo.
 */
import type { Batch } from '../domain/batch';
import type { Order } from '../domain/order';
import type { Reading } from '../domain/reading';
import { archive, type Archived, type Archiving, pruneEvents } from './archive';
import type { Database } from './connection';
import type { Decided, Decision } from './decide';
import { accept, closeAnyway, discard } from './decisions';
import { ENQUEUE, UNQUEUED } from './enqueue-sql';
import { Prepared } from './prepared';
import { leftovers, record, type RecordedReading, type SlotsRead, type UnnamedSlot } from './recording';
import { replan } from './replan';
import { type Left, retry, setAside, type Told } from './set-aside';
import { type QueueSummary, summary, type Trail, trail } from './summary';
import { ORDER_COLUMNS } from './tables';
import { completed, due, unread } from './work-list';

export type { RecordedReading, RecordOutcome, SlotsRead, UnnamedSlot } from './recording';

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

const STATEMENTS = {
  enqueue: new Prepared<Batch>('enqueue', ENQUEUE),
  unqueued: new Prepared<UnqueuedOrder>('unqueued', UNQUEUED),
} as const;

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
    return STATEMENTS.unqueued.underLock(this.#db, { line: line ?? '' });
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

  /** Records readings: see recording.ts. */
  record(readings: readonly Reading[], line = '', read: SlotsRead = {}): Promise<RecordedReading[]> {
    return record(this.#db, readings, line, read);
  }

  /** Which batches without a number are leftovers: see recording.ts. @returns numbers of slots */
  leftovers(unnamed: readonly UnnamedSlot[], line = '', read: SlotsRead = {}): Promise<number[]> {
    return leftovers(this.#db, unnamed, line, read);
  }

  /** Rows whose values Odoo has not confirmed and whose pause is over: see work-list.ts. */
  due(limit: number, line?: string): Promise<Batch[]> {
    return due(this.#db, limit, line);
  }

  /** Rows to confirm, mark done and archive: see work-list.ts. */
  completed(limit: number, line?: string): Promise<Batch[]> {
    return completed(this.#db, limit, line);
  }

  /** Rows whose orders Odoo may have closed: see work-list.ts. */
  unread(line?: string): Promise<Batch[]> {
    return unread(this.#db, line);
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

  /** Puts the plans that Odoo has by now into the rows: see replan.ts. @returns the rows that changed, and orders taken meanwhile */
  replan(orders: readonly Order[]): Promise<{ changed: Batch[]; taken: string[] }> {
    return replan(this.#db, orders);
  }

  /**
   * Takes rows that Odoo has closed out of the gate: see set-aside.ts.
   * @param onLeft told of each row that should have gone, and why it did not
   * @returns the rows that were set aside or found done
   */

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
