/**
 * Leases and conclusions of pushes: who may send a row to Odoo now, and what came of it. Two statements a push.
 */
import { randomUUID } from 'node:crypto';
import type { Batch, DoneReadback } from '../domain/batch';
import type { LeaseRefusal, PushLedger, Settlement } from '../domain/push-ledger';
import { SILO_TAGS, type SiloWeights } from '../domain/silos';
import { BATCH_COLUMNS } from './batch-store';
import type { Database } from './connection';

/** The claims that a lease has to satisfy besides being free. */
const PURPOSES = {
  /** Tell Odoo what it has not confirmed. */
  push: `b.revision > 0 AND b.confirmed_revision IS DISTINCT FROM b.revision`,
  /** The same, and close completed orders. */
  finish: `b.revision > 0 AND (b.confirmed_revision IS DISTINCT FROM b.revision OR (b.status_manufacturing AND b.done_readback IS NULL))`,
  /** A person asked: due or not. */
  manual: 'true',
} as const;

export class DatabasePushLedger implements PushLedger {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  async lease(
    which: { id: string } | { mo_id: string },
    purpose: keyof typeof PURPOSES,
    ttlMs: number,
  ): Promise<{ batch: Batch; owner: string } | { refused: LeaseRefusal; batch?: Batch }> {
    const owner = randomUUID();
    const { id = null, mo_id = null } = which as { id?: string; mo_id?: string };
    const target = `(b.id = $<id> OR ($<id> IS NULL AND b.mo_id = $<mo_id> AND NOT b.duplicate))`;
    const waits = `b.next_attempt_at > now()`;
    const batch = await this.#db.oneOrNone<Batch>(
      `UPDATE mo_batch b SET lease_owner = $<owner>, lease_until = clock_timestamp() + make_interval(secs => $<ttl>)
       WHERE ${target} AND ${PURPOSES[purpose]} AND (b.lease_until IS NULL OR b.lease_until <= clock_timestamp())
         ${purpose === 'manual' ? '' : `AND b.set_aside_at IS NULL AND NOT b.duplicate AND NOT coalesce(${waits}, false)`}
       RETURNING ${BATCH_COLUMNS}`,
      { id, mo_id, owner, ttl: ttlMs / 1000 },
    );
    if (batch) return { batch, owner };
    const found = await this.#db.oneOrNone<Batch & { refused: LeaseRefusal }>(
      `SELECT ${BATCH_COLUMNS}, CASE
         WHEN b.set_aside_at IS NOT NULL OR b.duplicate THEN 'set-aside'
         WHEN b.lease_until > clock_timestamp() THEN 'leased'
         WHEN NOT (${PURPOSES[purpose]}) THEN CASE WHEN b.revision = 0 THEN 'nothing-to-send' ELSE 'already-confirmed' END
         ELSE 'not-due' END AS refused
       FROM mo_batch b WHERE ${target}`,
      { id, mo_id },
    );
    return found ? { refused: found.refused, batch: found } : { refused: 'not-queued' };
  }

  async renew(id: string, owner: string, ttlMs: number): Promise<boolean> {
    const { rowCount } = await this.#db.result(
      `UPDATE mo_batch SET lease_until = clock_timestamp() + make_interval(secs => $<ttl>)
       WHERE id = $<id> AND lease_owner = $<owner> AND lease_until > clock_timestamp()`,
      { id, owner, ttl: ttlMs / 1000 },
    );
    return rowCount === 1;
  }

  /** Ends a lease and stores what came of it, with the event, in one statement. */
  async settle(batch: Batch, owner: string, settlement: Settlement): Promise<Batch | null> {
    const { conclusion, reason, pauseMs, setAside, sent, confirmed, done, answers, cancelled } = settlement;
    const { wholeRow = true, doubt = false } = settlement;
    const ok = conclusion === 'confirmed';
    return this.#db.oneOrNone<Batch>(
      `WITH b AS (
         UPDATE mo_batch b SET lease_owner = NULL, lease_until = NULL, last_attempt_at = now(),
           last_conclusion = $<conclusion>, last_reason = nullif($<reason>, ''),
           sent_consumption = coalesce($<sent>::jsonb, b.sent_consumption),
           confirmed_consumption = coalesce($<confirmed>::jsonb, b.confirmed_consumption),
           confirmed_revision = CASE WHEN $<doubt> THEN NULL WHEN $<confirmed>::jsonb IS NOT NULL AND $<wholeRow> AND b.revision = $<revision> THEN $<revision> ELSE b.confirmed_revision END,
           done_readback = CASE WHEN b.revision = $<revision> THEN coalesce($<done>::jsonb, b.done_readback) ELSE b.done_readback END,
           attempts = CASE WHEN $<ok> THEN 0 WHEN $<doubt> THEN b.attempts ELSE b.attempts + 1 END,
           next_attempt_at = CASE WHEN $<pause>::float8 IS NULL THEN NULL ELSE now() + make_interval(secs => $<pause>) END,
           set_aside_at = CASE WHEN $<setAside> THEN now() ELSE b.set_aside_at END,
           set_aside_reason = CASE WHEN $<setAside> THEN $<reason> ELSE b.set_aside_reason END,
           odoo_cancelled = b.odoo_cancelled OR $<cancelled>
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
        ok,
        wholeRow,
        doubt,
        pause: pauseMs === undefined ? null : pauseMs / 1000,
        setAside,
        cancelled: cancelled ?? false,
        sent: json(sent),
        confirmed: json(confirmed),
        done: json<DoneReadback>(done),
        answers: json(answers),
      },
    );
  }

  /** Gives a lease back untouched: nothing was sent. */
  async release(id: string, owner: string): Promise<void> {
    await this.#db.none('UPDATE mo_batch SET lease_owner = NULL, lease_until = NULL WHERE id = $<id> AND lease_owner = $<owner>', {
      id,
      owner,
    });
  }

  /**
   * Saves values that a person sent and Odoo confirmed. The row counts as confirmed only if nothing else of it was
   * unconfirmed before; both in one transaction under the lease.
   */
  saveManual(
    batch: Batch,
    owner: string,
    values: { consumption?: SiloWeights; finished?: number; completed?: boolean },
    settlement: Settlement,
  ): Promise<Batch | null> {
    const sets = SILO_TAGS.filter((tag) => values.consumption?.[tag] !== undefined).map(
      (tag) => `actual_consumption_${tag} = $<${tag}>`,
    );
    if (values.finished !== undefined) sets.push('actual_weight_quantity_finished_goods = $<finished>');
    if (values.completed) sets.push('status_manufacturing = true');
    return this.#db.tx(async (tx) => {
      await tx.one(`SELECT set_config('mo_bridge.source', 'manual', true)`);
      const saved = await tx.oneOrNone<Batch & { whole: boolean }>(
        `WITH before AS (SELECT id, (revision = 0 OR confirmed_revision = revision) AND revision = $<revision> AS whole
           FROM mo_batch WHERE id = $<id> AND lease_owner = $<owner> FOR UPDATE)
         UPDATE mo_batch b SET ${[...sets, 'last_read_from_plc = now()'].join(', ')}
         FROM before WHERE b.id = before.id RETURNING ${BATCH_COLUMNS}, before.whole`,
        { ...values.consumption, finished: values.finished, id: batch.id, owner, revision: batch.revision },
      );
      if (!saved) return null;
      const ledger = new DatabasePushLedger(tx as unknown as Database);
      return ledger.settle(saved, owner, { ...settlement, wholeRow: saved.whole });
    });
  }
}

const json = <T>(value: T | undefined | null): string | null => (value == null ? null : JSON.stringify(value));
