/**
 * Readings as SQL sees them: what one says, what it weighs, which of two is the later one.
 */
import { ABOUT_READING } from '../domain/reading';
import { actualOf } from './silo-sql';

/** Why a reading is held for a person: its weights are those of the order that the slot told before. */
export const FOREIGN = 'foreign-weights';
/** Why a reading of a queued order waits: another session holds its row. */
export const LOCKED_ROW = 'locked-row';

/** Why a held reading goes by itself. */
export const OWN_FIGURES = 'figures of its own were recorded';

/** A row that the guard trigger has set aside: Odoo has its values, but nobody has seen its completion twice. */
export const SEEN_ONCE = `coalesce(b.set_aside_reason LIKE 'completion seen once%', false)`;

export const FINISHED = 'actual_weight_quantity_finished_goods';

/** What is no part of what a reading says: about itself, and what the store adds. */
const ABOUT = `'{${[...ABOUT_READING, 'seen_once', 'recorded_at'].join(',')}}'::text[]`;

/** What a reading says, without where, when and by whom: jsonb's @> then compares field by field, and 600.30 equals 600.3. */
export const said = (reading: string): string => `(${reading} - ${ABOUT})`;

/** A newer reading over an older one, field by field: what the newer one does not say stays; about itself each says all. */
export const merged = (older: string, newer: string): string =>
  `(${said(older)} || ${newer} || jsonb_build_object('consumption', coalesce(${older}->'consumption', '{}') || (${newer}->'consumption')))`;

/** The weights (kg) of a telling, those above 0: the silos' by tag, and the finished goods'. {}: nothing was weighed. */
export const figuresOf = (consumption: string, finished: string): string =>
  `(SELECT coalesce(jsonb_object_agg(key, value), '{}') FROM jsonb_each(${consumption} || jsonb_build_object('finished', ${finished}))
    WHERE value NOT IN ('0', 'null'))`;

/** The weights of a reading that differ from those of the last accepted one: kg by silo tag. */
export const newWeights = (read: string, last: string): string =>
  `(SELECT coalesce(jsonb_object_agg(key, value), '{}') FROM jsonb_each(${read}->'consumption') WHERE value IS DISTINCT FROM ${last}->'consumption'->key)`;

/**
 * Whether the reading `o` (jsonb) came after the input row `i`: by the count of their reader, or by the times of one source
 * that gives them. Two readers or sources are not compared, their readings count as they arrive; a time in the future
 * binds nobody: it was told by a clock that was wrong.
 */
export const later = (o: string): string => `(coalesce(${o}->>'source', '') = i.source AND CASE
    WHEN i.reader IS NOT NULL OR ${o} ? 'reader' THEN ${o}->>'reader' = i.reader AND (${o}->>'read_no')::int8 > i.read_no
    ELSE NOT i.undated AND (${o}->>'read_at')::timestamptz BETWEEN i.read_at + interval '1 microsecond' AND clock_timestamp() END)`;

/** Two weights (kg), as decoded: 3 decimals; one that is not there is 0. */
const differ = (one: string, other: string): string =>
  `round(coalesce((${one})::numeric, 0), 3) <> round(coalesce((${other})::numeric, 0), 3)`;

/** Whether a row, of the queue or the history, holds every weight of a reading. */
export const holds = (
  row: string,
  reading: string,
): string => `(NOT EXISTS (SELECT FROM jsonb_each_text(${reading}->'consumption') c
    WHERE ${differ('c.value', `${actualOf(row)}->>c.key`)})
  AND NOT ${differ(`${reading}->>'${FINISHED}'`, `${row}.${FINISHED}`)})`;
