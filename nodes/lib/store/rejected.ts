/**
 * Slots that are refused now: kept until they are right again, so that nobody has to have watched the debug panel.
 */
import type { Database } from './connection';

/** A slot that its reader refused whole. */
export interface RejectedSlot {
  slot: number;
  /** null where the number itself cannot be relied on. */
  mo_id?: string | null;
  /** What is wrong with which field: a code and what belongs to it, in words, and the value that the slot shows. */
  problems: readonly { field: string; problem: string; code?: string; value?: string | number | boolean }[];
  /** The slot's bytes, hex; '' where a source has none. */
  raw?: string;
}

/** One that is wrong in another way is still the same slot that is wrong: `since` stays. */
const NOTE = `
WITH wrong AS (
  SELECT DISTINCT ON (r.slot) r.slot, left(r.mo_id, 64) AS mo_id, r.problems, coalesce(r.raw, '') AS raw
  FROM jsonb_to_recordset($<rejected:json>) AS r(slot int, mo_id text, problems jsonb, raw text) ORDER BY r.slot
), right_again AS (
  DELETE FROM mo_rejected_slots s WHERE (s.line, s.source) = ($<line>, $<source>)
    AND ($<right> IS NULL OR s.slot = ANY($<right>)) AND NOT EXISTS (SELECT FROM wrong w WHERE w.slot = s.slot)
)
INSERT INTO mo_rejected_slots AS s (line, source, slot, mo_id, problems, raw)
SELECT $<line>, $<source>, w.* FROM wrong w
ON CONFLICT (line, source, slot) DO UPDATE SET mo_id = excluded.mo_id, problems = excluded.problems, raw = excluded.raw
  WHERE (s.mo_id, s.problems, s.raw) IS DISTINCT FROM (excluded.mo_id, excluded.problems, excluded.raw)`;

/** What a message says of the slots of a source. */
export interface SlotsJudged {
  rejected: readonly RejectedSlot[];
  /** Slots that are right; null: all that are not rejected. */
  right: readonly number[] | null;
  line: string;
  source: string;
}

/** Notes which slots of a source are refused now, those that were told before too, and which are right again. */
export const noteRejected = (db: Database, judged: SlotsJudged): Promise<null> => db.none(NOTE, judged);
