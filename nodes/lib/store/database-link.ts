/**
 * Keeps one database reachable: opens, migrates, notices a loss, comes back by itself. Knows no Node-RED.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { LinkState } from '../link-state';
import { BatchStore } from './batch-store';
import { type Database, type DatabaseAddress, migrate, type MigrationReport, openDatabase } from './connection';
import { DatabasePushLedger } from './push-ledger';

export interface Stores {
  batches: BatchStore;
  ledger: DatabasePushLedger;
  migration: MigrationReport;
}

/** Pause before the first and the longest pause between attempts to reach the database (ms). */
const FIRST_PAUSE = 1_000;
const LONGEST_PAUSE = 30_000;
/** How long work waits for a database that is still starting (ms): a first start initialises a cluster. */
const START_LIMIT = 60_000;

/** SQLSTATE classes 08 (connection), 53 (resources), 57P (operator intervention), and Node's own network codes. */
const LOST = /^(08|53|57P)|^(ECONN|EPIPE|ETIMEDOUT|ENOTFOUND|EHOSTUNREACH|ENETUNREACH|EAI_AGAIN)/;
const LOST_WORDS = /terminated|timeout exceeded when trying to connect|Connection ended|not queryable|pool has been destroyed|pool after calling end/i;

const isLost = (error: unknown): boolean => {
  const { code = '', message = '' } = error as { code?: string; message?: string };
  return LOST.test(code) || LOST_WORDS.test(message);
};

export class DatabaseLink {
  readonly #source: () => Promise<DatabaseAddress>;
  readonly #name: string;
  readonly #state: LinkState;
  readonly #closing = new AbortController();
  #db: Database | undefined;
  #stores: Stores | undefined;
  #connecting: Promise<void>;
  #wasUp = false;

  /**
   * @param source where the database is; asked again after a loss (an embedded one is started again)
   * @param name what messages call it
   * @param state told about loss and return
   * @param onMigrated told what a migration did, once
   */
  constructor(
    source: () => Promise<DatabaseAddress>,
    name: string,
    state: LinkState,
    onMigrated: (report: MigrationReport) => void = () => undefined,
  ) {
    this.#source = source;
    this.#name = name;
    this.#state = state;
    this.#connecting = this.#connect(onMigrated);
  }

  /**
   * Runs work on the database; while it is still starting for the first time, the work waits.
   * @throws Error naming the database and what to check, when it cannot be reached
   */
  async use<T>(work: (stores: Stores) => Promise<T>): Promise<T> {
    if (!this.#stores && !this.#wasUp) await this.#started();
    if (!this.#stores) throw new Error(this.#unreachable());
    try {
      return await work(this.#stores);
    } catch (error) {
      if (!isLost(error)) throw error;
      this.#lose(error);
      throw new Error(this.#unreachable(), { cause: error });
    }
  }

  /** Ends attempts and pool. May be called twice. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#connecting;
    await this.#db?.$pool.end();
    this.#db = undefined;
    this.#stores = undefined;
  }

  async #started(): Promise<void> {
    const limit = delay(START_LIMIT, undefined, { signal: this.#closing.signal, ref: false }).catch(() => undefined);
    await Promise.race([this.#connecting, limit]);
  }

  #lose(error: unknown): void {
    if (!this.#stores || this.#closing.signal.aborted) return;
    const lost = this.#db;
    this.#stores = undefined;
    this.#db = undefined;
    this.#state.isDown(this.#problem(error));
    // The pool's end may wait for a dead socket: nobody waits for it.
    this.#connecting = Promise.all([this.#connect(), lost?.$pool.end().catch(() => undefined)]).then(() => undefined);
  }

  /** Tries until it works or the link is closed. */
  async #connect(onMigrated?: (report: MigrationReport) => void): Promise<void> {
    for (let pause = FIRST_PAUSE; !this.#closing.signal.aborted; pause = Math.min(pause * 2, LONGEST_PAUSE)) {
      let db: Database | undefined;
      try {
        db = openDatabase(await this.#source());
        const migration = await migrate(db);
        this.#db = db;
        this.#stores = { batches: new BatchStore(db), ledger: new DatabasePushLedger(db), migration };
        this.#wasUp = true;
        onMigrated?.(migration);
        return this.#state.isUp();
      } catch (error) {
        await db?.$pool.end();
        this.#state.isDown(this.#problem(error));
        await delay(pause, undefined, { signal: this.#closing.signal, ref: false }).catch(() => undefined);
      }
    }
  }

  #problem(error: unknown): string {
    return `${this.#name}: ${error instanceof Error ? error.message : String(error)}`;
  }

  #unreachable(): string {
    return `database not available, ${this.#state.status.problem || `${this.#name} is starting`}; it is tried again by itself`;
  }
}
