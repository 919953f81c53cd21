/**
 * What all decisions of a person share: who, what a held reading tells, and one transaction that finds everything free.
 */
import type { Batch } from '../domain/batch';
import type { Database, Task } from './connection';
import { HELD_ELSEWHERE, patiently } from './locked-row';
import { FINISHED, figuresOf } from './reading-sql';
import { BATCH_COLUMNS, LOCK_QUEUE } from './sql';

/** Who decided, as the message names them, and why. */
export interface Decision {
  by?: string;
  note?: string;
  /** Archiving as cancelled or failed throws a reading away whose order is not queued. */
  status?: string;
}

/** What was decided about. */
export interface Decided {
  mo_id: string;
  /** The order's row as it is now; null: it is not queued, an accepted reading waits for it. */
  batch: Batch | null;
}

export const parameters = (moId: string, { by = '', note = '', status = '' }: Decision) => ({ moId, by, note, status });
const DECISION = `'by', nullif($<by>, ''), 'note', nullif($<note>, ''), 'status', nullif($<status>, '')`;
/** What the event of a decision says: who, why, and more. */
export const detail = (more = ''): string => `jsonb_strip_nulls(jsonb_build_object(${DECISION}${more}))`;

/** The line, source and slot of a held reading, and what it weighs. */
export const telling = (h: string): string =>
  `${h}.line, coalesce(${h}.reading->>'source', '') AS source, coalesce((${h}.reading->>'slot')::int, 0) AS slot,
   ${figuresOf(`${h}.reading->'consumption'`, `${h}.reading->'${FINISHED}'`)} AS figures`;

export const ROW = `SELECT ${BATCH_COLUMNS} FROM mo_batch b WHERE b.mo_id = $<moId> AND NOT b.duplicate`;

/** What a decision changes: rows, held readings, the telling of their slots. Parameter: moIds. */
const LOCKED = `
WITH rows AS MATERIALIZED (
  SELECT b.id FROM mo_batch b WHERE b.mo_id = ANY($<moIds>) AND NOT b.duplicate ORDER BY b.id FOR UPDATE SKIP LOCKED
), kept AS MATERIALIZED (
  SELECT h.reason FROM mo_held_readings h WHERE h.mo_id = ANY($<moIds>) FOR UPDATE SKIP LOCKED
), of_slots AS (
  SELECT s.line, s.source, s.slot FROM mo_slots s
  WHERE EXISTS (SELECT FROM (SELECT ${telling('h')} FROM mo_held_readings h WHERE h.mo_id = ANY($<moIds>)) t WHERE (t.line, t.source, t.slot) = (s.line, s.source, s.slot))
), slots AS MATERIALIZED (
  SELECT s.slot FROM mo_slots s JOIN of_slots o ON (o.line, o.source, o.slot) = (s.line, s.source, s.slot) FOR UPDATE OF s SKIP LOCKED
)
SELECT (SELECT count(*) FROM rows) < (SELECT count(*) FROM mo_batch b WHERE b.mo_id = ANY($<moIds>) AND NOT b.duplicate)
  OR (SELECT count(*) FROM kept) < (SELECT count(*) FROM mo_held_readings h WHERE h.mo_id = ANY($<moIds>))
  OR (SELECT count(*) FROM slots) < (SELECT count(*) FROM of_slots) AS locked`;

/** What a person changes is told as changed by hand. */
const BY_HAND = `SELECT set_config('mo_bridge.source', 'manual', true);`;

/**
 * Works in one transaction under the queue's lock, once nobody else holds anything locked that these orders have.
 * @throws Error naming the order, when that does not come to an end
 */
export async function whenFree<T>(db: Database, moIds: readonly string[], work: (tx: Task) => Promise<T>): Promise<T> {
  const { done } = await patiently<{ done: { of: T } | null }>(
    () =>
      db.tx(async (tx) => {
        const results = (await tx.multi(`${LOCK_QUEUE}${BY_HAND}${LOCKED}`, { moIds })) as [{ locked: boolean }][];
        return { done: results.at(-1)?.[0].locked === false ? { of: await work(tx) } : null };
      }),
    ({ done: found }) => found === null,
  );
  if (!done) throw new Error(`MO ${moIds[0]}: ${HELD_ELSEWHERE}`);
  return done.of;
}

/** Decides by statements of which the first says whether there was anything to decide. @throws as `whenFree` */
export function decide(db: Database, moId: string, statements: string, values: object): Promise<Decided | null> {
  return whenFree(db, [moId], async (tx) => {
    const [found = [], ...more] = (await tx.multi(`${statements}\n${ROW}`, values)) as [unknown[], ...Batch[][]];
    return found.length > 0 ? { mo_id: moId, batch: more.at(-1)?.[0] ?? null } : null;
  });
}
