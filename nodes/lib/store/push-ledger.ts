/**
 * Leases and conclusions of pushes: who may send a row to Odoo now, and what came of it. Two statements a push.
 */
import { randomUUID } from 'node:crypto';
import type { Batch } from '../domain/batch';
import type { LeaseRefusal, PushLedger, Settlement } from '../domain/push-ledger';
import { SILO_TAGS, type SiloWeights } from '../domain/silos';
import type { Queryable } from './connection';
import { BATCH_COLUMNS, DUE, LEASED, UNCONFIRMED } from './sql';

/** What a row has to be, besides free, to be leased for a purpose. */
const PURPOSES = {
  /** Tell Odoo what it has not confirmed. */
  push: `${UNCONFIRMED} AND ${DUE}`,
  /** The same, and close completed orders. */
  finish: `(${UNCONFIRMED} OR (b.status_manufacturing AND b.done_readback IS NULL)) AND ${DUE}`,
  /** A person asked: due or not. */
  manual: 'true',
} as const;

const UNTIL = 'clock_timestamp() + make_interval(secs => $<ttlMs> / 1000.0)';

export class DatabasePushLedger implements PushLedger {
  readonly #db: Queryable;

  constructor(db: Queryable) {
    this.#db = db;
  }

  async lease(
    which: { id: string } | { mo_id: string },
    purpose: keyof typeof PURPOSES,
    ttlMs: number,
  ): Promise<{ batch: Batch; owner: string } | { refused: LeaseRefusal; batch?: Batch }> {
    const owner = randomUUID();
    const target = 'id' in which ? 'b.id = $<id>' : 'b.mo_id = $<mo_id> AND NOT b.duplicate';
    // A call by hand sends values that are not in the row yet: from now on, and after a crash, Odoo may hold another value.
    const batch = await this.#db.oneOrNone<Batch>(
      `UPDATE mo_batch b SET lease_owner = $<owner>, lease_until = ${UNTIL}, lease_confirmed = b.confirmed_revision
         ${purpose === 'manual' ? ', confirmed_revision = NULL' : ''}
       WHERE ${target} AND NOT ${LEASED} AND ${PURPOSES[purpose]}
       RETURNING ${BATCH_COLUMNS}`,
      { ...which, owner, ttlMs },
    );
    if (batch) return { batch, owner };
    const found = await this.#db.oneOrNone<Batch & { refused: LeaseRefusal }>(
      `SELECT ${BATCH_COLUMNS}, CASE
         WHEN ${LEASED} THEN 'leased'
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
      `UPDATE mo_batch b SET lease_until = ${UNTIL} WHERE b.id = $<id> AND b.lease_owner = $<owner> AND ${LEASED}`,
      { id, owner, ttlMs },
    );
    return rowCount === 1;
  }

  /** Ends a lease and stores what came of it, with the event, in one statement. */
  async settle(batch: Batch, owner: string, settlement: Settlement): Promise<Batch | null> {
    const { conclusion, reason, pauseMs, setAside, sent, confirmed, done, answers, cancelled = false } = settlement;
    const { wholeRow = true, doubt = false } = settlement;
    // What was sent and not confirmed may have arrived in part: update_odoo would claim too much.
    const open = doubt || (sent !== undefined && confirmed === undefined);
    const told = '($<confirmed>::jsonb IS NOT NULL AND $<wholeRow> AND b.revision = $<revision>)';
    return this.#db.oneOrNone<Batch>(
      `WITH b AS (
         UPDATE mo_batch b SET lease_owner = NULL, lease_until = NULL, lease_confirmed = NULL, last_attempt_at = now(),
           last_conclusion = $<conclusion>, last_reason = nullif($<reason>, ''),
           sent_consumption = coalesce(b.sent_consumption || $<sent>::jsonb, $<sent>::jsonb, b.sent_consumption),
           confirmed_consumption = coalesce(b.confirmed_consumption || $<confirmed>::jsonb, $<confirmed>::jsonb, b.confirmed_consumption),
           confirmed_revision = CASE WHEN $<open> THEN NULL WHEN ${told} THEN b.revision ELSE b.lease_confirmed END,
           done_readback = CASE WHEN b.revision = $<revision> THEN coalesce($<done>::jsonb, b.done_readback) ELSE b.done_readback END,
           attempts = CASE WHEN $<ok> THEN 0 WHEN $<doubt> THEN b.attempts ELSE b.attempts + 1 END,
           next_attempt_at = CASE WHEN $<doubt> THEN b.next_attempt_at ELSE now() + make_interval(secs => $<pauseMs> / 1000.0) END,
           set_aside_at = CASE WHEN $<setAside> THEN now() WHEN $<ok> AND ${told} THEN NULL ELSE b.set_aside_at END,
           set_aside_reason = CASE WHEN $<setAside> THEN $<reason> WHEN $<ok> AND ${told} THEN NULL ELSE b.set_aside_reason END,
           odoo_cancelled = coalesce(b.odoo_cancelled, false) OR $<cancelled>
         WHERE b.id = $<id> AND b.lease_owner = $<owner> RETURNING b.*
       ), told AS (
         INSERT INTO mo_events (mo_id, batch_id, line, kind, detail)
         VALUES ($<mo_id>, $<id>, $<line>, 'push', jsonb_strip_nulls(jsonb_build_object('conclusion', $<conclusion>,
           'reason', nullif($<reason>, ''), 'revision', $<revision>, 'sent', $<sent>::jsonb, 'confirmed', $<confirmed>::jsonb,
           'done', $<done>::jsonb, 'answers', $<answers>::jsonb, 'set_aside', nullif($<setAside>, false))))
       ) SELECT ${BATCH_COLUMNS} FROM b`,
      {
        id: batch.id,
        mo_id: batch.mo_id,
        line: batch.equipment_id_batch,
        revision: batch.revision,
        owner,
        conclusion,
        reason,
        ok: conclusion === 'confirmed',
        wholeRow,
        doubt,
        open,
        pauseMs: pauseMs ?? null,
        setAside,
        cancelled,
        sent: json(sent),
        confirmed: json(confirmed),
        done: json(done),
        answers: json(answers),
      },
    );
  }

  /** Gives a lease back untouched: nothing was sent. */
  async release(id: string, owner: string): Promise<void> {
    await this.#db.none(
      `UPDATE mo_batch SET lease_owner = NULL, lease_until = NULL, confirmed_revision = lease_confirmed, lease_confirmed = NULL
       WHERE id = $<id> AND lease_owner = $<owner>`,
      { id, owner },
    );
  }

  /**
   * Saves values that a person sent and Odoo confirmed, except where a reading wrote another one while the call was under
   * way: what the PLC said since then goes to Odoo with the next push. The row counts as confirmed only if nothing else of
   * it was unconfirmed: before the call, or because mark-done sends every value of the row. One transaction, under the lease.
   */
  saveManual(
    batch: Batch,
    owner: string,
    values: { consumption?: SiloWeights; finished?: number; completed?: boolean },
    settlement: Settlement,
  ): Promise<Batch | null> {
    const { consumption = {}, finished, completed = false } = values;
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
    return this.#db.tx(async (tx) => {
      const ledger = new DatabasePushLedger(tx);
      await tx.one(`SELECT set_config('mo_bridge.source', 'manual', true)`);
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
        await ledger.settle(batch, owner, { ...known, reason, wholeRow: false, doubt: true });
        return null;
      }
      const saved = await tx.one<Batch>(
        `UPDATE mo_batch b SET ${[...sets, 'last_read_from_plc = now()'].join(', ')} WHERE b.id = $<id> RETURNING ${BATCH_COLUMNS}`,
        { id: batch.id, batch: JSON.stringify(batch), told: JSON.stringify(told) },
      );
      // What was read back shows the values that were sent: of a row that has others by now it proves nothing.
      const proof = now.whole && done ? { done } : {};
      return ledger.settle(saved, owner, { ...known, ...proof, wholeRow: now.whole });
    });
  }
}

const json = (value: object | undefined): string | null => (value ? JSON.stringify(value) : null);
