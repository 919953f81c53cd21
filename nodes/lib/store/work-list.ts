/** Which rows are to be worked on now, and which of them first. */
import { type Batch, gotNoAnswer } from '../domain/batch';
import type { Database } from './connection';
import { Prepared } from './prepared';
import { UNREAD } from './set-aside';
import { BATCH_COLUMNS, CLOSED_BY_HAND, DUE, LEASED, OF_LINE, SLOT_FREE, UNCONFIRMED } from './sql';

/** Rows that may be worked on now. */
const READY = `b.mo_id IS NOT NULL AND ${DUE} AND NOT ${LEASED} AND ${OF_LINE}`;

const WAITING = new Prepared<Batch>(
  'due',
  `SELECT ${BATCH_COLUMNS} FROM mo_batch b WHERE ${UNCONFIRMED} AND ${READY}
   ORDER BY b.last_attempt_at NULLS FIRST, b.batch_no LIMIT $<limit>`,
);

const COMPLETED = new Prepared<Batch>(
  'completed',
  `SELECT ${BATCH_COLUMNS} FROM mo_batch b
   WHERE (b.status_manufacturing OR (${CLOSED_BY_HAND} AND ${SLOT_FREE})) AND ${READY}
   ORDER BY b.last_attempt_at NULLS FIRST, b.completed_at, b.batch_no LIMIT $<limit>`,
);

/**
 * Of the rows chosen, those whose last call got no answer come after the others: each may hold a turn for a whole time
 * limit. Chosen they are like any other, or they would never have a turn.
 */
const slowLast = (rows: readonly Batch[]): Batch[] => [
  ...rows.filter((row) => !gotNoAnswer(row)),
  ...rows.filter(gotNoAnswer),
];

/** Rows whose values Odoo has not confirmed and whose pause is over; never tried ones first, those that got no answer last. */
export async function due(db: Database, limit: number, line = ''): Promise<Batch[]> {
  return slowLast(await WAITING.any(db, { limit, line }));
}

/** Completed rows to confirm, mark done and archive; and those that a person has closed in Odoo, once their slot is free. */
export async function completed(db: Database, limit: number, line = ''): Promise<Batch[]> {
  return slowLast(await COMPLETED.any(db, { limit, line }));
}

/** Rows that no reading has reached yet, and running ones that none has changed for an hour: Odoo may have closed their orders. */
export const unread = (db: Database, line = ''): Promise<Batch[]> =>
  db.any<Batch>(`SELECT ${BATCH_COLUMNS} FROM mo_batch b WHERE ${UNREAD} AND ${OF_LINE} ORDER BY b.batch_no`, { line });
