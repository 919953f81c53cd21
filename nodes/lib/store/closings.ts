/**
 * Whose turn it is to close an order of an Odoo: who asked first and is still there, over all Node-REDs of the database and
 * by its clock. Nobody holds a session for it, and who was killed is passed over.
 */
import type { ClosingLedger } from '../domain/ledger';
import { LOCKS, type Queryable } from './connection';
import { TIMES_OUT, UNTIL } from './sql';

/** The lock makes tickets come in the order of their numbers: who has the lowest that lives has the turn. */
const ASK = `SELECT pg_advisory_xact_lock(${LOCKS.closings})::text;
  WITH living AS MATERIALIZED (
    SELECT c.owner, c.ticket FROM mo_closings c WHERE c.odoo = $<odoo> AND ${TIMES_OUT('c.until')}
  ), turn AS (
    SELECT coalesce((SELECT l.owner = $<owner> FROM living l ORDER BY l.ticket LIMIT 1), true) AS mine
  ), passed_over AS (
    DELETE FROM mo_closings c WHERE c.odoo = $<odoo> AND c.owner <> $<owner>
      AND NOT EXISTS (SELECT FROM living l WHERE l.owner = c.owner)
  ), asked AS (
    INSERT INTO mo_closings (odoo, owner, until)
    SELECT $<odoo>, $<owner>, ${UNTIL('CASE WHEN t.mine THEN $<ttlMs>::float8 ELSE $<waitMs>::float8 END')} FROM turn t
    ON CONFLICT (owner) DO UPDATE SET until = excluded.until
  ) SELECT mine FROM turn`;

export class DatabaseClosingLedger implements ClosingLedger {
  readonly #db: Queryable;

  constructor(db: Queryable) {
    this.#db = db;
  }

  async ask(odoo: string, owner: string, ttlMs: number, waitMs: number): Promise<boolean> {
    const [, [turn]] = (await this.#db.multi(ASK, { odoo, owner, ttlMs, waitMs })) as [unknown, [{ mine: boolean }]];
    return turn.mine;
  }

  async leave(owner: string): Promise<void> {
    await this.#db.none('DELETE FROM mo_closings WHERE owner = $<owner>', { owner });
  }
}
