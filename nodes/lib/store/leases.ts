/**
 * Leases and conclusions of pushes: who may send a row to Odoo now, and what came of it. Two statements a push.
 */
import { randomUUID } from 'node:crypto';
import type { Batch, CallByHand } from '../domain/batch';
import type { LeaseRefusal, PushLedger, Settlement } from '../domain/ledger';
import { saveManual, settleCalls } from './by-hand';
import { DatabaseClosingLedger } from './closings';
import type { Queryable } from './connection';
import { Gathering } from './gathering';
import { patiently } from './locked-row';
import { Prepared } from './prepared';
import { settle, type Told, toldOf } from './settle-sql';
import { actualOf } from './silo-sql';
import { BATCH_COLUMNS, DUE, LEASED, UNCONFIRMED, UNTIL } from './sql';

/** What a row has to be, besides free, to be leased for a purpose. */
const PURPOSES = {
  /** Tell Odoo what it has not confirmed. */
  push: `${UNCONFIRMED} AND ${DUE}`,
  /** The same, and close completed orders. */
  finish: `(${UNCONFIRMED} OR (b.status_manufacturing AND b.done_readback IS NULL)) AND ${DUE}`,
  /** A person asked: due or not. */
  manual: 'true',
} as const;

/** Silos that hold more than 0 kg, with their kg: sent before the lease ends, or perhaps. */
const ABOVE_ZERO = `(SELECT coalesce(jsonb_object_agg(key, value::float8), '{}') FROM jsonb_each_text(${actualOf('b')}) WHERE value::float8 > 0)`;

const SENDS_NOTHING = '(f.call IS NULL OR (b.status_manufacturing AND NOT f.completed))';
/**
 * What a call by hand is about to send joins what is unsettled already, before its first byte goes out: from then on, and
 * after a crash, Odoo may hold it. One that a completed batch refuses sends nothing.
 */
const BY_HAND = `, confirmed_revision = NULL, pending_call = CASE WHEN ${SENDS_NOTHING} THEN b.pending_call
    ELSE coalesce(b.pending_call, '{}') || f.call || jsonb_build_object('at', clock_timestamp()) || CASE WHEN f.call ? 'consumption'
      THEN jsonb_build_object('consumption', coalesce(b.pending_call->'consumption', '{}') || (f.call->'consumption')) ELSE '{}' END END,
    ever_sent = CASE WHEN ${SENDS_NOTHING} THEN b.ever_sent ELSE b.ever_sent ||
      (SELECT coalesce(jsonb_object_agg(key, value), '{}') FROM jsonb_each(f.call->'consumption') WHERE value > '0') END`;

/** Takes the rows that are asked for, each for its owner; tells what was unsettled before, and how long (ms). */
const lease = (purpose: keyof typeof PURPOSES): string => `
  WITH asked AS MATERIALIZED (
    SELECT * FROM jsonb_to_recordset($<asked:json>) AS a(owner uuid, id uuid, mo_id text, ttl_ms float8, call jsonb, completed bool)
  ), free AS MATERIALIZED (
    SELECT b.id, a.owner, a.ttl_ms, a.call, a.completed, b.pending_call AS unsettled FROM mo_batch b
    JOIN asked a ON b.id = a.id OR (b.mo_id = a.mo_id AND NOT b.duplicate)
    WHERE NOT ${LEASED} AND ${PURPOSES[purpose]} ORDER BY b.id FOR UPDATE OF b SKIP LOCKED
  )
  UPDATE mo_batch b SET lease_owner = f.owner, lease_until = ${UNTIL('f.ttl_ms')}, lease_confirmed = b.confirmed_revision
    ${purpose === 'manual' ? BY_HAND : `, ever_sent = b.ever_sent || ${ABOVE_ZERO}`}
  FROM free f WHERE b.id = f.id RETURNING ${BATCH_COLUMNS}, f.unsettled AS pending_call,
    (EXTRACT(EPOCH FROM clock_timestamp() - (f.unsettled->>'at')::timestamptz) * 1000)::float8 AS pending_ms`;

type Leased = Batch & { lease_owner: string };
type Settled = Batch & { told_by: string };

const LEASE = {
  push: new Prepared<Leased>('lease', lease('push')),
  finish: new Prepared<Leased>('lease_to_finish', lease('finish')),
};
const SETTLE = new Prepared<Settled>('settle', settle('SKIP LOCKED'));

type Taken = { batch: Batch; owner: string } | { refused: LeaseRefusal; batch?: Batch };

const lockedRow = (taken: Taken): boolean => 'refused' in taken && taken.refused === 'locked';

interface Asked {
  owner: string;
  id?: string;
  mo_id?: string;
  ttl_ms: number;
  call?: CallByHand;
  completed?: boolean;
}

export class DatabasePushLedger implements PushLedger {
  readonly closings: DatabaseClosingLedger;
  readonly #db: Queryable;
  /** Pushes run side by side: what they ask for meanwhile shares a statement. Rows that another holds locked stay out of it. */
  readonly #leases: Record<'push' | 'finish', Gathering<Asked, Leased>>;
  readonly #settlements: Gathering<Told, Settled>;
  /** The last settlement that waits for a locked row. */
  #locked: Promise<unknown> = Promise.resolve();

  constructor(db: Queryable) {
    this.closings = new DatabaseClosingLedger(db);
    this.#db = db;
    const leases = (purpose: 'push' | 'finish'): Gathering<Asked, Leased> =>
      new Gathering(
        (asked) => LEASE[purpose].any(db, { asked }),
        ({ owner }, row) => row.lease_owner === owner,
      );
    this.#leases = { push: leases('push'), finish: leases('finish') };
    this.#settlements = new Gathering(
      (told) => SETTLE.any(db, { told }),
      ({ owner }, row) => row.told_by === owner,
    );
  }

  async lease(
    which: { id: string } | { mo_id: string },
    purpose: keyof typeof PURPOSES,
    ttlMs: number,
    byHand?: { call: CallByHand; completed: boolean },
  ): Promise<Taken> {
    const owner = randomUUID();
    const asked: Asked = { ...which, owner, ttl_ms: ttlMs, ...byHand };
    // A person waits a moment for a row that another transaction holds locked; a push leaves it for its next turn.
    if (purpose === 'manual') return patiently(() => this.#lease(which, purpose, asked), lockedRow);
    return this.#lease(which, purpose, asked);
  }

  async #lease(
    which: { id: string } | { mo_id: string },
    purpose: keyof typeof PURPOSES,
    asked: Asked,
  ): Promise<Taken> {
    const { owner } = asked;
    const batch =
      purpose === 'manual'
        ? await this.#db.oneOrNone<Batch>(lease(purpose), { asked: [asked] })
        : await this.#leases[purpose].ask(asked);
    if (batch) return { batch, owner };
    const target = 'id' in which ? 'b.id = $<id>' : 'b.mo_id = $<mo_id> AND NOT b.duplicate';
    const found = await this.#db.oneOrNone<Batch & { refused: LeaseRefusal }>(
      `SELECT ${BATCH_COLUMNS}, CASE
         WHEN ${LEASED} THEN 'leased'
         WHEN ${PURPOSES[purpose]} THEN '${purpose === 'manual' ? 'locked' : 'leased'}'
         WHEN b.set_aside_at IS NOT NULL OR b.duplicate THEN 'set-aside'
         WHEN b.revision = 0 THEN 'nothing-to-send'
         WHEN NOT ${DUE} THEN 'not-due'
         ELSE 'already-confirmed' END AS refused
       FROM mo_batch b WHERE ${target}`,
      which,
    );
    return found ? { refused: found.refused, batch: found } : { refused: 'not-queued' };
  }

  async renew(id: string, owner: string, ttlMs: number): Promise<boolean> {
    const { rowCount } = await this.#db.result(
      `UPDATE mo_batch b SET lease_until = ${UNTIL('$<ttlMs>')} WHERE b.id = $<id> AND b.lease_owner = $<owner> AND ${LEASED}`,
      { id, owner, ttlMs },
    );
    return rowCount === 1;
  }

  /** Ends a lease and stores what came of it, with the event, in one statement. */
  async settle(batch: Batch, owner: string, settlement: Settlement): Promise<Batch | null> {
    const told = toldOf(batch, owner, settlement);
    return (await this.#settlements.ask(told)) ?? this.#settleLocked(told);
  }

  /** Waits for a row that another transaction holds locked, one row at a time: the pool is for the others. */
  #settleLocked(told: Told): Promise<Batch | null> {
    const settled = this.#locked.then(() => this.#db.oneOrNone<Batch>(settle(''), { told: [told] }));
    this.#locked = settled.catch(() => undefined);
    return settled;
  }

  /** Gives a lease back untouched: nothing was sent. One whose row stays locked by another session ends by the clock. */
  async release(id: string, owner: string, call: Pick<Settlement, 'given' | 'earlier'> = {}): Promise<void> {
    const { given = null, earlier = null } = call;
    const free = `SELECT id FROM mo_batch WHERE id = $<id> AND lease_owner = $<owner> FOR UPDATE SKIP LOCKED`;
    const release = `WITH free AS MATERIALIZED (${free}), released AS (
       UPDATE mo_batch SET lease_owner = NULL, lease_until = NULL, confirmed_revision = lease_confirmed, lease_confirmed = NULL,
         pending_call = CASE WHEN $<given:json>::jsonb = 'null' THEN pending_call
           ELSE mo_pending_settled(pending_call, $<given:json>, nullif($<earlier:json>::jsonb, 'null')) END
       WHERE id IN (SELECT id FROM free))
     SELECT EXISTS (SELECT FROM mo_batch WHERE id = $<id> AND lease_owner = $<owner>) AND NOT EXISTS (SELECT FROM free) AS locked`;
    await patiently(
      () => this.#db.one<{ locked: boolean }>(release, { id, owner, given, earlier }),
      ({ locked }) => locked,
    );
  }

  async current(id: string): Promise<Batch | null> {
    return this.#db.oneOrNone<Batch>(`SELECT ${BATCH_COLUMNS} FROM mo_batch b WHERE b.id = $<id>`, { id });
  }

  /** Takes what is known by now of unsettled calls into the row: see by-hand.ts. */
  settleCalls(...given: Parameters<PushLedger['settleCalls']>): Promise<Batch | null> {
    return settleCalls(this.#db, ...given);
  }

  /** Saves what a person sent and Odoo confirmed: see by-hand.ts. */
  saveManual(...given: Parameters<PushLedger['saveManual']>): Promise<Batch | null> {
    return saveManual(this.#db, ...given);
  }
}
