/**
 * Orders on their way to the PLC: which one is next, in which order slot it is being written, whether the PLC may have it.
 * All of it stands on the row before the first byte goes out. One writer at a time works on the order slots of a line, under
 * a lease by the database's clock; whoever lost it changes nothing.
 */
import { randomUUID } from 'node:crypto';
import type { Batch } from '../domain/batch';
import type { HandedOrder, HandoverProblem } from '../domain/handover';
import type { Database } from './connection';
import { BATCH_COLUMNS, eventOf, LOCK_QUEUE, OF_LINE, TIMES_OUT, UNTIL } from './sql';

/** Whoever asks still holds the order slots of the line. */
const HELD = `EXISTS (SELECT FROM mo_order_areas a WHERE a.line = $<line> AND a.owner = $<owner> AND ${TIMES_OUT('a.until')})`;
/** The order may still be made. */
const OPEN = `(b.set_aside_at IS NULL AND NOT b.duplicate AND NOT coalesce(b.odoo_cancelled, false))`;
/** No reading has named it: it was not begun by another way. */
const UNTOUCHED = `(b.revision = 0 AND b.last_plc_reading IS NULL AND NOT b.status_manufacturing)`;

const TAKE = `INSERT INTO mo_order_areas AS a (line, owner, until) VALUES ($<line>, $<owner>, ${UNTIL('$<ttlMs>::float8')})
  ON CONFLICT (line) DO UPDATE SET owner = excluded.owner, until = excluded.until WHERE NOT ${TIMES_OUT('a.until')} RETURNING owner`;

/** What is to be handed over: in no slot, not taken, not wanted back. */
const WAITING = `(b.handed_slot IS NULL AND b.taken_at IS NULL AND b.hand_back IS NULL AND ${OPEN} AND ${UNTOUCHED}
      AND b.mo_id IS NOT NULL AND ${OF_LINE})`;

const CLAIM = `WITH next AS MATERIALIZED (
    SELECT b.id FROM mo_batch b WHERE ${WAITING} AND b.mo_id <> ALL($<refused>) AND ${HELD}
      AND NOT EXISTS (SELECT FROM mo_batch o WHERE o.handed_area = $<line> AND o.handed_slot = $<slot>)
    ORDER BY b.batch_no, b.id LIMIT 1 FOR UPDATE OF b SKIP LOCKED
  ), b AS (
    UPDATE mo_batch b SET handed_at = clock_timestamp(), handed_slot = $<slot>, handed_area = $<line>, ready_at = NULL, handover_problem = NULL
    FROM next n WHERE b.id = n.id RETURNING b.*
  ), event AS (${eventOf('handed', `jsonb_build_object('slot', b.handed_slot)`)})
  SELECT ${BATCH_COLUMNS} FROM b`;

/** Changes the row that stands in the slot, if its writer still holds the slots; with an event where something happened. */
const change = (set: string, where = 'true', event?: string): string => `WITH b AS (
    UPDATE mo_batch b SET ${set} WHERE b.id = $<id> AND b.handed_area = $<line> AND b.handed_slot = $<slot> AND ${HELD} AND ${where}
    RETURNING b.*
  )${event ? `, event AS (${event})` : ''} SELECT ${BATCH_COLUMNS} FROM b`;

const inSlot = (kind: string): string =>
  eventOf(
    kind,
    `jsonb_strip_nulls(jsonb_build_object('slot', b.handed_slot, 'back', b.hand_back, 'problem', b.handover_problem))`,
  );

const NEVER_HANDED = `WITH shown AS (
    SELECT s.* FROM jsonb_to_recordset($<shown:json>) AS s(mo_id text, slot int)
    WHERE EXISTS (SELECT FROM mo_order_areas a WHERE ($<line> = '' OR a.line IN ('', $<line>)) AND a.until > now() - interval '1 day')
      AND NOT EXISTS (SELECT FROM mo_batch b WHERE b.mo_id = s.mo_id AND b.handed_at IS NOT NULL)
      AND NOT EXISTS (SELECT FROM mo_histories h WHERE h.mo_id = s.mo_id)
      AND NOT EXISTS (SELECT FROM mo_events e WHERE e.mo_id = s.mo_id AND e.kind = 'never-handed')
  ), told AS (
    INSERT INTO mo_events (mo_id, line, kind, detail)
    SELECT s.mo_id, $<line>, 'never-handed', jsonb_build_object('slot', s.slot) FROM shown s
  ) SELECT mo_id, slot FROM shown`;

const STATEMENTS = {
  offer: change(
    'ready_at = clock_timestamp()',
    `b.ready_at IS NULL AND b.taken_at IS NULL AND b.hand_back IS NULL AND ${OPEN} AND ${UNTOUCHED}
      AND mo_told_to_plc(to_jsonb(b)) = mo_told_to_plc($<told:json>)`,
    inSlot('offered'),
  ),
  taken: change('taken_at = clock_timestamp(), handover_problem = NULL', 'b.taken_at IS NULL', inSlot('taken')),
  withdrawn: change('ready_at = NULL, handover_problem = NULL', 'b.taken_at IS NULL', inSlot('withdrawn')),
  // What a person wants back stays out until it is named; one that was begun by another way was taken after all.
  letGo: change(`handed_slot = NULL, handed_area = NULL, handover_problem = NULL,
    hand_back = CASE WHEN b.hand_back = 'person' AND b.taken_at IS NULL THEN b.hand_back END,
    taken_at = coalesce(b.taken_at, CASE WHEN NOT ${UNTOUCHED} THEN clock_timestamp() END)`),
  ask: change(
    'handover_problem = $<problem>',
    'b.handover_problem IS DISTINCT FROM $<problem>',
    inSlot('handover-asked'),
  ),
} as const;

/** The writer of a line's order slots, as long as its lease holds. */
export interface AreaLease {
  line: string;
  owner: string;
}

/**
 * What the database knows of a slot: its order, and whether the number in it is of another one of ours (`strayed`); or, where
 * no order belongs into it, that its number is at home elsewhere or not open any more.
 */
export type Standing = { batch: Batch; strayed: boolean } | { known: string } | undefined;

/** The row's side of nextStep. @param record what the row says as the slot's bytes (hex) */
export function handedOrder(batch: Batch, record: string): HandedOrder {
  const closed = batch.set_aside_at !== null || batch.odoo_cancelled;
  return {
    number: batch.mo_id,
    record,
    ready: batch.ready_at != null,
    taken: batch.taken_at != null || batch.last_plc_reading !== null,
    back: closed ? 'closed' : (batch.hand_back ?? null),
  };
}

export class DatabaseHandoverLedger {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** Takes the order slots of a line. @returns undefined: another writer has them */
  async take(line: string, ttlMs: number): Promise<AreaLease | undefined> {
    const owner = randomUUID();
    const taken = await this.#db.oneOrNone<{ owner: string }>(TAKE, { line, owner, ttlMs });
    return taken ? { line, owner } : undefined;
  }

  /** Before every telegram. @returns false: the lease is gone, nothing more may be sent */
  async renew(lease: AreaLease, ttlMs: number): Promise<boolean> {
    const { rowCount } = await this.#db.result(
      `UPDATE mo_order_areas a SET until = ${UNTIL('$<ttlMs>::float8')} WHERE a.line = $<line> AND a.owner = $<owner> AND ${TIMES_OUT('a.until')}`,
      { ...lease, ttlMs },
    );
    return rowCount === 1;
  }

  /** Only when no telegram is without its answer: what is still under way lands within the lease, or never. */
  async release(lease: AreaLease): Promise<void> {
    await this.#db.none(
      `UPDATE mo_order_areas SET until = clock_timestamp() WHERE line = $<line> AND owner = $<owner>`,
      lease,
    );
  }

  /** The orders of a line that are to be handed over, in the queue's order. */
  waiting = (line: string): Promise<Batch[]> =>
    this.#db.any<Batch>(`SELECT ${BATCH_COLUMNS} FROM mo_batch b WHERE ${WAITING} ORDER BY b.batch_no, b.id`, { line });

  /** What the database knows of a slot that shows this number ('' when blank). */
  async standing({ line }: Pick<AreaLease, 'line'>, slot: number, number: string): Promise<Standing> {
    const batch = await this.#db.oneOrNone<Batch>(
      `SELECT ${BATCH_COLUMNS} FROM mo_batch b WHERE b.handed_area = $<line> AND b.handed_slot = $<slot>`,
      { line, slot },
    );
    if (batch?.mo_id === number) return { batch, strayed: false };
    const { known } = await this.#db.one<{ known: boolean }>(
      `SELECT $<number> <> '' AND (EXISTS (SELECT FROM mo_batch WHERE mo_id = $<number>) OR EXISTS (SELECT FROM mo_histories WHERE mo_id = $<number>)) AS known`,
      { number },
    );
    if (batch) return { batch, strayed: known };
    return known ? { known: number } : undefined;
  }

  /**
   * Names the next order of the line for a free slot: in the queue's order, open, not begun, in no slot.
   * @param refused orders that the layout cannot carry: the next one goes on
   */
  async claim(lease: AreaLease, slot: number, refused: readonly string[] = []): Promise<Batch | null> {
    const [, [batch = null]] = (await this.#db.multi(`${LOCK_QUEUE}\n${CLAIM}`, { ...lease, slot, refused })) as [
      unknown,
      [Batch?],
    ];
    return batch;
  }

  /**
   * The PLC may take it from now on; before `ready` is written.
   * @param told the row that was written and read back: a plan that changed since is not offered
   * @returns null: it is not to be offered
   */
  offer = (lease: AreaLease, told: Batch): Promise<Batch | null> => this.#change('offer', lease, told, { told });

  taken = (lease: AreaLease, batch: Batch): Promise<Batch | null> => this.#change('taken', lease, batch);

  /** It was not taken, and cannot be any more. */
  withdrawn = (lease: AreaLease, batch: Batch): Promise<Batch | null> => this.#change('withdrawn', lease, batch);

  letGo = (lease: AreaLease, batch: Batch): Promise<Batch | null> => this.#change('letGo', lease, batch);

  /** What only a person can tell. @returns null: it was asked before */
  ask = (lease: AreaLease, batch: Batch, problem: HandoverProblem): Promise<Batch | null> =>
    this.#change('ask', lease, batch, { problem });

  /**
   * Orders that slots show and that nobody handed to the line, although its orders are handed down (within the last day):
   * each is noted once.
   * @returns those that are noted now
   */
  neverHanded(
    line: string,
    shown: readonly { mo_id: string; slot: number }[],
  ): Promise<{ mo_id: string; slot: number }[]> {
    return this.#db.any(NEVER_HANDED, { line, shown });
  }

  /** A person names orders that were wanted back: they may be handed over again. */
  async wantAgain(moIds: readonly string[]): Promise<void> {
    await this.#db.none(
      `WITH b AS (UPDATE mo_batch b SET hand_back = NULL WHERE b.mo_id = ANY($<moIds>) AND b.hand_back = 'person'
         AND b.handed_slot IS NULL AND NOT b.duplicate RETURNING b.*)
       ${inSlot('wanted-again')}`,
      { moIds },
    );
  }

  /** A person wants an order back, or says of one that went missing that the PLC did not take it. */
  withdraw(moId: string): Promise<Batch | null> {
    return this.#db.oneOrNone<Batch>(
      `WITH b AS (UPDATE mo_batch b SET hand_back = 'person', ready_at = CASE WHEN b.handover_problem = 'ready-gone' THEN NULL ELSE b.ready_at END,
         handover_problem = NULL WHERE b.mo_id = $<moId> AND NOT b.duplicate AND b.taken_at IS NULL RETURNING b.*),
       event AS (${inSlot('withdraw')}) SELECT ${BATCH_COLUMNS} FROM b`,
      { moId },
    );
  }

  #change(
    what: keyof typeof STATEMENTS,
    lease: AreaLease,
    { id, handed_slot: slot }: Batch,
    more: object = {},
  ): Promise<Batch | null> {
    return this.#db.oneOrNone<Batch>(STATEMENTS[what], { ...lease, id, slot, ...more });
  }
}
