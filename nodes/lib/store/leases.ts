/**
 * Leases and conclusions of pushes: who may send a row to Odoo now, and what came of it. Two statements a push.
 */
import { randomUUID } from 'node:crypto';
import type { Batch, CallByHand } from '../domain/batch';
import type { LeaseRefusal, PushLedger, Settlement } from '../domain/ledger';
import { SILO_TAGS } from '../domain/silos';
import { DatabaseClosingLedger } from './closings';
import type { Queryable } from './connection';
import { Gathering } from './gathering';
import { GIVEN_UP } from '../domain/conclusion';
import { namedWhenLocked, patiently, ROW_PATIENCE } from './locked-row';
import { BATCH_COLUMNS, DUE, eventOf, LEASED, UNCONFIRMED, UNTIL } from './sql';

/** A closing that collided with another one is repeated so many times, within so long, before a person has to look. */
const MOST_REPEATS = 10;
const COLLISION_WINDOW = `interval '15 minutes'`;

/** Whether a statement waits for rows that another transaction holds locked, or leaves them out. */
type Locked = '' | 'SKIP LOCKED';

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
const ABOVE_ZERO = `(SELECT coalesce(jsonb_object_agg(silo, kg), '{}') FROM (VALUES
  ${SILO_TAGS.map((tag) => `('${tag}', b.actual_consumption_${tag})`).join(', ')}) v(silo, kg) WHERE kg > 0)`;

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

/** Odoo itself answered this row in words that nobody knows; a call by hand does not count. */
const COUNTS = `(t.conclusion = 'unexplained' AND NOT t.doubt)`;
/** The answer that makes too many of them, over too long. */
const GIVES_UP = `(${COUNTS} AND b.refusals + 1 >= ${GIVEN_UP.answers}
  AND coalesce(b.failing_since <= now() - interval '${GIVEN_UP.hours} hours', false))`;
const COLLIDED = `t.conclusion = 'collided'`;
/** A closing that collides goes on with the count of those before it, unless the last try is long ago. */
const MET_BEFORE = `coalesce(b.closing_since IS NOT NULL AND b.last_attempt_at > now() - ${COLLISION_WINDOW}, false)`;
/** So many repeats, or so long, and a person has to look. */
const MET_TOO_OFTEN = `(b.closing_collisions >= ${MOST_REPEATS} OR b.closing_since < now() - ${COLLISION_WINDOW})`;

/** What was sent and not confirmed may have arrived in part (`open`): update_odoo would claim too much. */
const settle = (locked: Locked): string => `
  WITH told AS MATERIALIZED (
    SELECT *, conclusion = 'confirmed' AS ok, doubt OR (sent IS NOT NULL AND confirmed IS NULL) AS open
    FROM jsonb_to_recordset($<told:json>) AS t(id uuid, owner uuid, mo_id text, line text, revision int8, conclusion text,
      reason text, pause_ms float8, set_aside bool, cancelled bool, whole_row bool, doubt bool, sent jsonb, confirmed jsonb,
      sent_finished float8, given jsonb, earlier jsonb, done jsonb, odoo_id int, odoo_name text, answers jsonb)
  ), held AS MATERIALIZED (
    SELECT t.*, ${COUNTS} AS counts, ${GIVES_UP} AS gives_up, ${COLLIDED} AS collided, ${COLLIDED} AND ${MET_BEFORE} AS again,
      ${COLLIDED} AND ${MET_BEFORE} AND ${MET_TOO_OFTEN} AS enough,
      t.confirmed IS NOT NULL AND t.whole_row AND b.revision = t.revision AS all_told
    FROM mo_batch b JOIN told t ON b.id = t.id AND b.lease_owner = t.owner ORDER BY b.id FOR UPDATE OF b ${locked}
  ), b AS (
    UPDATE mo_batch b SET lease_owner = NULL, lease_until = NULL, lease_confirmed = NULL, last_attempt_at = now(),
      last_conclusion = h.conclusion, last_reason = nullif(h.reason, ''),
      sent_consumption = coalesce(b.sent_consumption || h.sent, h.sent, b.sent_consumption),
      ever_sent = b.ever_sent || (SELECT coalesce(jsonb_object_agg(key, value), '{}') FROM jsonb_each(h.sent) WHERE value > '0'),
      confirmed_consumption = coalesce(b.confirmed_consumption || h.confirmed, h.confirmed, b.confirmed_consumption),
      sent_finished = coalesce(h.sent_finished, b.sent_finished),
      pending_call = CASE WHEN h.given IS NOT NULL THEN mo_pending_settled(b.pending_call, h.given, h.earlier)
        WHEN h.doubt THEN b.pending_call || jsonb_build_object('at', clock_timestamp()) ELSE b.pending_call END,
      confirmed_revision = CASE WHEN h.open THEN NULL WHEN h.all_told THEN b.revision ELSE b.lease_confirmed END,
      done_readback = CASE WHEN b.revision = h.revision THEN coalesce(h.done, b.done_readback) ELSE b.done_readback END,
      attempts = CASE WHEN h.ok THEN 0 WHEN h.doubt THEN b.attempts ELSE b.attempts + 1 END,
      next_attempt_at = CASE WHEN h.doubt THEN b.next_attempt_at ELSE now() + make_interval(secs => h.pause_ms / 1000.0) END,
      refusals = CASE WHEN h.ok THEN 0 WHEN h.counts THEN b.refusals + 1 ELSE b.refusals END,
      failing_since = CASE WHEN h.ok THEN NULL WHEN h.counts THEN coalesce(least(b.failing_since, now()), now())
        ELSE b.failing_since END,
      closing_collisions = CASE WHEN h.again THEN b.closing_collisions + 1 WHEN h.collided THEN 1 ELSE 0 END,
      closing_since = CASE WHEN h.again THEN b.closing_since WHEN h.collided THEN now() END,
      set_aside_at = CASE WHEN h.set_aside OR h.gives_up OR h.enough THEN now() WHEN h.ok AND h.all_told THEN NULL ELSE b.set_aside_at END,
      set_aside_reason = CASE WHEN h.gives_up THEN format('%s (answered so %s times since %s: see the log of Odoo, then retry)',
          h.reason, b.refusals + 1, to_char(b.failing_since, 'YYYY-MM-DD HH24:MI'))
        WHEN h.enough THEN format('%s; closing it failed %s times', h.reason, b.closing_collisions + 1)
        WHEN h.set_aside THEN h.reason WHEN h.ok AND h.all_told THEN NULL ELSE b.set_aside_reason END,
      odoo_cancelled = coalesce(b.odoo_cancelled, false) OR h.cancelled,
      odoo_id = coalesce(h.odoo_id, b.odoo_id),
      odoo_name = CASE WHEN h.odoo_id IS NULL THEN b.odoo_name ELSE nullif(h.odoo_name, b.mo_id) END
    FROM held h WHERE b.id = h.id RETURNING b.*, h.owner AS told_by
  ), event AS (
    INSERT INTO mo_events (mo_id, batch_id, line, kind, detail)
    SELECT mo_id, id, line, 'push', jsonb_strip_nulls(jsonb_build_object('conclusion', conclusion,
      'reason', nullif(reason, ''), 'revision', revision, 'sent', sent, 'confirmed', confirmed,
      'done', done, 'answers', answers, 'set_aside',
      nullif(set_aside OR EXISTS (SELECT FROM held h WHERE h.owner = t.owner AND (h.gives_up OR h.enough)), false)))
    FROM told t ${locked ? 'WHERE EXISTS (SELECT FROM b WHERE b.told_by = t.owner)' : ''}
  ) SELECT ${BATCH_COLUMNS} FROM b`;

type Leased = Batch & { lease_owner: string };
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

/** A settlement as it goes to the database. */
type Told = ReturnType<typeof toldOf>;

const toldOf = (batch: Batch, owner: string, settlement: Settlement) => {
  const { conclusion, reason, pauseMs, setAside, sent, confirmed, done, order, answers } = settlement;
  const { cancelled = false, wholeRow = true, doubt = false, sentFinished, given, earlier } = settlement;
  const { id, mo_id, equipment_id_batch: line, revision } = batch;
  return {
    ...{ id, owner, mo_id, line, revision, conclusion, reason, pause_ms: pauseMs, set_aside: setAside, cancelled },
    ...{ whole_row: wholeRow, doubt, sent, confirmed, sent_finished: sentFinished, given, earlier, done },
    ...{ odoo_id: order?.id, odoo_name: order?.name, answers },
  };
};

export class DatabasePushLedger implements PushLedger {
  readonly closings: DatabaseClosingLedger;
  readonly #db: Queryable;
  /** Pushes run side by side: what they ask for meanwhile shares a statement. Rows that another holds locked stay out of it. */
  readonly #leases: Record<'push' | 'finish', Gathering<Asked, Leased>>;
  readonly #settlements: Gathering<Told, Batch & { told_by: string }>;
  /** The last settlement that waits for a locked row. */
  #locked: Promise<unknown> = Promise.resolve();

  constructor(db: Queryable) {
    this.closings = new DatabaseClosingLedger(db);
    this.#db = db;
    const leases = (purpose: 'push' | 'finish'): Gathering<Asked, Leased> =>
      new Gathering(
        (asked) => db.any<Leased>(lease(purpose), { asked }),
        ({ owner }, row) => row.lease_owner === owner,
      );
    this.#leases = { push: leases('push'), finish: leases('finish') };
    this.#settlements = new Gathering(
      (told) => db.any<Batch & { told_by: string }>(settle('SKIP LOCKED'), { told }),
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

  /** Takes what is known by now of unsettled calls into the row, unless it was told anew meanwhile; with the event. */
  settleCalls(
    batch: Batch,
    owner: string,
    { settled, arrived }: { settled: CallByHand; arrived: CallByHand },
    reason: string,
  ): Promise<Batch | null> {
    const { consumption = {}, finished, mark_done } = arrived;
    const pending = (key: string, column: string, value: string): string =>
      `${column} = CASE WHEN b.pending_call${key} IS NOT NULL THEN ${value} ELSE b.${column} END`;
    const sets = SILO_TAGS.filter((tag) => consumption[tag] !== undefined).map((tag) =>
      pending(
        `->'consumption'->'${tag}'`,
        `actual_consumption_${tag}`,
        `($<arrived:json>::jsonb->'consumption'->>'${tag}')::float8`,
      ),
    );
    if (finished !== undefined)
      sets.push(pending(`->'finished'`, 'actual_weight_quantity_finished_goods', '$<finished>::numeric'));
    if (mark_done) sets.push(pending(`->'mark_done'`, 'status_manufacturing', 'true'));
    const left = 'pending_call = mo_pending_settled(b.pending_call, $<settled:json>, NULL)';
    const saved = this.#db.tx(async (tx) => {
      await tx.one(`SELECT set_config('mo_bridge.source', 'manual', true), ${ROW_PATIENCE}`);
      return tx.oneOrNone<Batch>(
        `WITH b AS (
           UPDATE mo_batch b SET ${[...sets, left].join(', ')} WHERE b.id = $<id> AND b.lease_owner = $<owner> RETURNING b.*
         ), told AS (${eventOf('settled', `jsonb_build_object('reason', $<reason>, 'settled', $<settled:json>::jsonb, 'arrived', $<arrived:json>::jsonb)`)})
         SELECT ${BATCH_COLUMNS} FROM b`,
        { id: batch.id, owner, settled, arrived, finished, reason },
      );
    });
    return namedWhenLocked(batch.mo_id, saved);
  }

  /**
   * Saves values that a person sent and Odoo confirmed, except where a reading wrote another one while the call was under
   * way: what the PLC said since then goes to Odoo with the next push. The row counts as confirmed only if nothing else of
   * it was unconfirmed: before the call, or because mark-done sends every value of the row. One transaction, under the lease.
   */
  saveManual(
    batch: Batch,
    owner: string,
    values: Omit<CallByHand, 'mark_done'> & { completed?: boolean },
    settlement: Settlement,
  ): Promise<Batch | null> {
    const { consumption = {}, finished, completed = false } = values;
    const given: CallByHand = {
      consumption,
      ...(finished === undefined ? {} : { finished }),
      ...(completed ? { mark_done: true } : {}),
    };
    const told: Record<string, number | undefined> = { actual_weight_quantity_finished_goods: finished };
    for (const tag of SILO_TAGS) told[`actual_consumption_${tag}`] = consumption[tag];
    const sets = Object.keys(told)
      .filter((column) => told[column] !== undefined)
      .map(
        (column) =>
          `${column} = CASE WHEN b.${column}::float8 IS NOT DISTINCT FROM ($<batch>::jsonb->>'${column}')::float8
             THEN ($<told>::jsonb->>'${column}')::float8 ELSE b.${column} END`,
      );
    if (completed) sets.push('status_manufacturing = true');
    const saved = this.#db.tx(async (tx) => {
      const ledger = new DatabasePushLedger(tx);
      await tx.one(`SELECT set_config('mo_bridge.source', 'manual', true), ${ROW_PATIENCE}`);
      const parameters = { id: batch.id, owner, revision: batch.revision, completed, was: batch.status_manufacturing };
      const now = await tx.oneOrNone<{ whole: boolean; overtaken: boolean }>(
        `SELECT revision = $<revision> AND ($<completed> OR revision = 0 OR coalesce(lease_confirmed = revision, false)) AS whole,
           status_manufacturing AND NOT $<was> AND NOT $<completed> AS overtaken
         FROM mo_batch WHERE id = $<id> AND lease_owner = $<owner> FOR UPDATE`,
        parameters,
      );
      if (!now) return ledger.settle(batch, owner, settlement);
      const { done, ...known } = settlement;
      if (now.overtaken) {
        const reason = 'the PLC completed the batch meanwhile: its final values stand and are told to Odoo again';
        await ledger.settle(batch, owner, { ...known, reason, wholeRow: false, doubt: true, given });
        return null;
      }
      const row = await tx.one<Batch>(
        `UPDATE mo_batch b SET ${[...sets, 'last_read_from_plc = now()'].join(', ')},
           pending_call = mo_pending_settled(b.pending_call, $<given:json>, NULL)
         WHERE b.id = $<id> RETURNING ${BATCH_COLUMNS}`,
        { id: batch.id, batch: JSON.stringify(batch), told: JSON.stringify(told), given },
      );
      // What was read back shows the values that were sent: of a row that has others by now it proves nothing.
      const proof = now.whole && done ? { done } : {};
      return ledger.settle(row, owner, { ...known, ...proof, wholeRow: now.whole });
    });
    return namedWhenLocked(batch.mo_id, saved);
  }
}
