/**
 * What needs a person, from one look at the database: rows, held readings, slots. Reads only.
 */
import type { Batch } from '../domain/batch';
import { byNeed, type Need, type NeedCode, REMEDIES } from '../domain/need';
import type { Reading } from '../domain/reading';
import { actualWeights, labelled, SiloMap, type SiloNames, silosIn, type SiloWeights } from '../domain/silos';
import { sumForOdoo } from '../domain/weight';
import type { Database } from './connection';
import { FOREIGN, LOCKED_ROW, SEEN_ONCE } from './reading-sql';
import type { RejectedSlot } from './rejected';
import { CHANGED_AT, LAST_SEEN, OF_LINE, QUIET } from './sql';

/** Odoo was asked for the number and had time to answer, or nobody asks. `h` is a row of mo_held_readings. */
const UNKNOWN = `(CASE WHEN h.asks > 0 THEN h.asked_at < now() - interval '30 seconds' ELSE h.held_since < now() - interval '5 minutes' END)`;
const QUEUED = 'EXISTS (SELECT FROM mo_batch q WHERE q.mo_id = h.mo_id AND NOT q.duplicate)';
const LOCKED_LONG = `(${QUEUED} AND h.held_since < now() - interval '5 minutes')`;

/** Held readings that a person is needed for; others wait a moment for their order, or its row. Parameter: line. */
export const HELD_FOR_PERSON = `(h.reason IS NOT NULL OR (NOT ${QUEUED} AND ${UNKNOWN}) OR ${LOCKED_LONG})
  AND ($<line> = '' OR h.line IN ('', $<line>))`;

/** Its slot says that it runs, and the reading that last named it brought the weights of one so much older (minutes). */
const stalled = (minutes: string): string =>
  `(NOT b.status_manufacturing AND b.set_aside_at IS NULL AND NOT b.duplicate AND coalesce((b.last_plc_reading->>'status_operation')::bool, false)
  AND (SELECT max((l.seen->>b.mo_id)::timestamptz) FROM mo_lines l) - ${CHANGED_AT} >= make_interval(mins => ${minutes}))`;

const UNDECIDED = `(b.set_aside_at IS NOT NULL AND b.status_manufacturing AND b.last_conclusion = 'undecided')`;
const CODE = `CASE
  WHEN b.handover_problem IS NOT NULL AND b.set_aside_at IS NULL THEN 'handover'
  WHEN ${UNDECIDED} THEN CASE WHEN coalesce(b.actual_weight_quantity_finished_goods, 0) = 0 THEN 'no-finished-weight' ELSE 'undecided' END
  WHEN b.set_aside_at IS NOT NULL THEN CASE WHEN ${SEEN_ONCE} THEN 'completion-once' ELSE 'set-aside' END
  WHEN b.pending_call IS NOT NULL THEN 'unsettled'
  WHEN ${stalled('$<minutes>')} THEN 'stalled'
  WHEN ${QUIET} THEN 'quiet' END`;
const SINCE = `CASE c.code WHEN 'handover' THEN b.handed_at WHEN 'unsettled' THEN (b.pending_call->>'at')::timestamptz
  WHEN 'stalled' THEN ${CHANGED_AT} WHEN 'quiet' THEN ${LAST_SEEN} ELSE b.set_aside_at END`;

const NEEDS = `
SELECT b.*, c.code, ${SINCE} AS since FROM mo_batch b, LATERAL (SELECT ${CODE} AS code) c WHERE c.code IS NOT NULL AND ${OF_LINE};
SELECT h.*, ${QUEUED} AS queued FROM mo_held_readings h WHERE ${HELD_FOR_PERSON};
SELECT * FROM mo_rejected_slots WHERE $<line> = '' OR line IN ('', $<line>)`;

type NeedyRow = Batch & { code: NeedCode; since: Date | null };
interface HeldRow {
  mo_id: string;
  line: string;
  reading: Reading;
  held_since: Date;
  reason: string | null;
  weights_of: string | null;
  asks: number;
  queued: boolean;
}
type RejectedRow = Required<RejectedSlot> & { line: string; source: string; since: Date };

const weighed = (kg: SiloWeights): Pick<Need, 'weights' | 'weighed'> => ({
  weights: silosIn(kg).flatMap((silo) => (kg[silo] ? [{ silo, kg: kg[silo] }] : [])),
  weighed: sumForOdoo(Object.values(kg)),
});

const need = (code: NeedCode, key: string, known: Partial<Need>): Need => ({
  ...{ code, key, id: null, mo_id: null, line: '', slot: null, source: '', since: null, reason: '' },
  ...{ weights_of: null, asks: 0, ...weighed({}), finished: null, completed: false, remedies: REMEDIES[code] },
  ...known,
});

const reasonOf = ({ code, set_aside_reason, last_reason, handover_problem }: NeedyRow): string =>
  (code === 'handover' ? handover_problem : (set_aside_reason ?? last_reason)) ?? '';

const ofRow = (row: NeedyRow): Need =>
  need(row.code, `${row.code} ${row.id}`, {
    ...{ id: row.id, mo_id: row.mo_id, line: row.equipment_id_batch, since: row.since?.toISOString() ?? null },
    ...{ slot: row.last_plc_reading?.slot || null, source: row.last_plc_reading?.source ?? '', reason: reasonOf(row) },
    ...weighed(actualWeights(row)),
    finished:
      row.actual_weight_quantity_finished_goods === null ? null : Number(row.actual_weight_quantity_finished_goods),
    completed: row.status_manufacturing,
  });

const HELD_CODES: Readonly<Record<string, NeedCode>> = { [FOREIGN]: 'held-foreign', 'seen-once': 'held-once' };
const ofHeld = ({ mo_id, line, reading, held_since, reason, weights_of, asks, queued }: HeldRow): Need => {
  const code = reason ? (HELD_CODES[reason] ?? 'held-other') : queued ? 'held-locked' : 'held-unknown';
  return need(code, `${code} ${mo_id}`, {
    ...{ mo_id, line, slot: reading.slot || null, source: reading.source ?? '', since: held_since.toISOString() },
    ...{ reason: reason ?? (queued ? LOCKED_ROW : ''), weights_of, asks, ...weighed(reading.consumption) },
    finished: reading.actual_weight_quantity_finished_goods ?? null,
    completed: reading.status_manufacturing || reading.seen_once === true,
  });
};

const ofRejected = ({ mo_id, line, source, slot, problems, since }: RejectedRow, silos: SiloNames): Need =>
  need('rejected', `rejected ${line} ${source} ${slot}`, {
    ...{ mo_id, line, source, slot, since: since.toISOString() },
    reason: problems.map(({ field, problem, value }) => said(silos.name(field), problem, value)).join('; '),
  });
const said = (field: string, problem: string, value: string | number | boolean | undefined): string =>
  `${field} ${problem}${value === undefined || value === '' ? '' : ` (${value})`}`;

/**
 * Everything that needs a person: what blocks a batch first.
 * @param line of this line, and of none; '': of all
 * @param stalledMinutes how long the weights of a running slot may stand still
 * @param silos what people call them; without it they are called by their tags
 */
export async function needs(
  db: Database,
  line: string,
  stalledMinutes: number,
  silos: SiloNames = new SiloMap([]),
): Promise<Need[]> {
  const [rows, held, rejected] = (await db.multi(NEEDS, { line, minutes: stalledMinutes })) as [
    NeedyRow[],
    HeldRow[],
    RejectedRow[],
  ];
  const all = [...rows.map(ofRow), ...held.map(ofHeld), ...rejected.map((slot) => ofRejected(slot, silos))];
  return all.map((one) => ({ ...one, weights: one.weights.map((kg) => labelled(kg, silos)) })).sort(byNeed);
}
