/**
 * The weights of a row as SQL sees them: one JSON object by silo tag, wherever the row keeps them.
 */
import { SILO_COLUMNS, SILO_TAGS } from '../domain/silos';

const { of, further } = SILO_COLUMNS.actual;
const NAMED = `'{${SILO_TAGS.join(',')}}'::text[]`;

/** What a row (alias) weighs: kg by silo tag, those that something was said about. */
export const actualOf = (row: string): string =>
  `jsonb_strip_nulls(jsonb_build_object(${SILO_TAGS.map((tag) => `'${tag}', ${row}.${of(tag)}`).join(', ')}) || ${row}.${further})`;

/** Sets the weights that a JSON object (kg by silo tag) tells; the other ones of the row `b` stay. */
export const setActual = (told: string): string =>
  [
    ...SILO_TAGS.map((tag) => `${of(tag)} = coalesce((${told}->>'${tag}')::float8, b.${of(tag)})`),
    `${further} = b.${further} || (${told} - ${NAMED})`,
  ].join(',\n    ');

/** The columns of weights, and what a JSON object (kg by silo tag; NULL: nothing is told) says for each. */
export const ACTUAL_COLUMNS = [...SILO_TAGS.map(of), further].join(', ');
export const actualValues = (told: string): string =>
  [...SILO_TAGS.map((tag) => `(${told}->>'${tag}')::float8`), `coalesce(${told} - ${NAMED}, '{}')`].join(', ');
