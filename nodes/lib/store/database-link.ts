/**
 * Keeps one database reachable: opens, migrates, notices a loss, comes back by itself. Knows no Node-RED.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { DatabaseUnavailable } from '../domain/ledger';
import type { LinkState } from '../domain/link-state';
import { BatchStore } from './batch-store';
import { type Database, type DatabaseAddress, openDatabase } from './connection';
import { explained, isLost } from './explain';
import { migrate, type MigrationReport } from './migrate';
import { checkSessionsAreKept, checkTables, tryToWrite } from './requirements';
import { proveWritable } from './session';
import { DatabaseHandoverLedger } from './handover';
import { DatabasePushLedger } from './leases';
import { People } from './people';
import { Reports } from './reports';
import { exportTo, importFrom, type Transferred } from './transfer';
import { Watch } from './watch';

/** What work on a database is done with. */
export interface Stores {
  batches: BatchStore;
  ledger: DatabasePushLedger;
  handovers: DatabaseHandoverLedger;
  reports: Reports;
  people: People;
  watch: Watch;
  exportTo(file: string): Promise<Transferred>;
  importFrom(file: string): Promise<Transferred>;
}

export interface LinkOptions {
  /** Told what a migration did: once, or again after another database appeared at the address. */
  onMigrated?: (report: MigrationReport) => void;
  /** Told what went wrong in the background and is tried again by itself. */
  onWarning?: (problem: string) => void;
  /** How long events of archived orders are kept (days). */
  keepDays?: number;
  /** This machine's clock (ms since 1970). */
  now?: () => number;
}

/** Pause before the first and the longest pause between attempts to reach the database (ms). */
const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 15_000;
/** How long work waits for a database that is still starting (ms): a first start initialises a cluster. */
const START_LIMIT = 60_000;
/** How long each of the three steps of closing may take (ms): Node-RED gives a node 15 s, and a server may have to stop after. */
const CLOSE_LIMIT = 1_500;
/** How often an idle link looks whether its server still takes writes (ms). */
const LOOK = 10_000;
/** Two clocks that differ by more are worth a word (ms). */
const CLOCKS_DIFFER = 60_000;
const DAY = 86_400_000;
const KEEP_DAYS = 365;

/** SQLSTATE lock_not_available. */
const LOCK_TIMEOUT = '55P03';
/** SQLSTATE insufficient_privilege: a right was taken away meanwhile. */
const FORBIDDEN = '42501';

export class DatabaseLink {
  readonly #source: () => Promise<DatabaseAddress>;
  readonly #name: string;
  readonly #state: LinkState;
  readonly #options: LinkOptions;
  readonly #closing = new AbortController();
  readonly #daily: NodeJS.Timeout;
  readonly #look: NodeJS.Timeout;
  #db: Database | undefined;
  #stores: Stores | undefined;
  /** How far the database's clock is ahead of this machine's (ms). */
  #ahead = 0;
  #connecting: Promise<void>;
  readonly #working = new Set<Promise<unknown>>();
  #endFirstAttempt: () => void = () => undefined;
  readonly #firstAttempt = new Promise<void>((resolve) => (this.#endFirstAttempt = resolve));

  /**
   * @param source where the database is; asked again after a loss (an embedded one is started again)
   * @param name what messages call it
   * @param state told about loss and return
   */
  constructor(source: () => Promise<DatabaseAddress>, name: string, state: LinkState, options: LinkOptions = {}) {
    this.#source = source;
    this.#name = name;
    this.#state = state;
    this.#options = options;
    this.#daily = setInterval(() => void this.#prune(), DAY).unref();
    this.#look = setInterval(() => this.#lookAfter(this.#db), LOOK).unref();
    this.#connecting = this.#connect();
  }

  /**
   * Runs work on the database; while the very first attempt to reach it is under way, the work waits.
   * @throws DatabaseUnavailable naming the database and what is wrong
   */
  async use<T>(work: (stores: Stores) => Promise<T>): Promise<T> {
    await this.#within(START_LIMIT, this.#firstAttempt);
    const stores = this.#stores;
    if (!stores) throw new DatabaseUnavailable(this.#unreachable());
    const working = work(stores);
    this.#working.add(working);
    try {
      return await working;
    } catch (error) {
      const { code } = error as { code?: unknown };
      if (code === LOCK_TIMEOUT) {
        const what =
          'another program holds the queue locked, perhaps an open transaction in an SQL tool: end it, then try again';
        throw new DatabaseUnavailable(`${this.#name}: ${what}`, { cause: error });
      }
      if (!isLost(error))
        throw code === FORBIDDEN ? new DatabaseUnavailable(this.#problem(error), { cause: error }) : error;
      // What fails late does not throw away a connection that is back already.
      if (stores === this.#stores) this.#lose(error);
      throw new DatabaseUnavailable(this.#unreachable(), { cause: error });
    } finally {
      this.#working.delete(working);
    }
  }

  /**
   * A time of the database as this machine's clock will show it, or showed it: what people compare with the clock they see.
   * Nothing is decided by it.
   */
  here(time: Date | string): Date {
    return new Date(new Date(time).getTime() - this.#ahead);
  }

  /** Ends attempts and pool. May be called twice. */
  async close(): Promise<void> {
    clearInterval(this.#daily);
    clearInterval(this.#look);
    this.#closing.abort();
    this.#endFirstAttempt();
    await this.#within(CLOSE_LIMIT, this.#connecting);
    // Node-RED closes all nodes at once: what they save while they end still finds its connection.
    await this.#within(CLOSE_LIMIT, Promise.allSettled(this.#working));
    const db = this.#db;
    this.#db = undefined;
    this.#stores = undefined;
    if (db) await this.#within(CLOSE_LIMIT, db.$pool.end());
  }

  /** Waits for something, but not for ever. */
  async #within(ms: number, what: Promise<unknown>): Promise<void> {
    const limit = new AbortController();
    await Promise.race([what, delay(ms, undefined, { signal: limit.signal }).catch(() => undefined)]);
    limit.abort();
  }

  /** Every session of the old pool ends: after a failover it would stay on a server that has become read-only. */
  #lose(error: unknown): void {
    if (!this.#stores || this.#closing.signal.aborted) return;
    this.#stores = undefined;
    this.#state.isDown(this.#problem(error));
    this.#leavePool();
    this.#connecting = this.#connect();
  }

  /** Tries until it works or the link is closed. */
  async #connect(): Promise<void> {
    for (let pause = FIRST_PAUSE; !this.#closing.signal.aborted; pause = Math.min(pause * 2, LONGEST_PAUSE)) {
      try {
        const db = this.#openPool(await this.#source());
        await checkSessionsAreKept(db);
        const report = await migrate(db);
        await db.task(checkTables);
        await tryToWrite(db);
        await this.#compareClocks(db);
        if (this.#closing.signal.aborted) return;
        this.#stores = {
          batches: new BatchStore(db),
          ledger: new DatabasePushLedger(db),
          handovers: new DatabaseHandoverLedger(db),
          reports: new Reports(db),
          people: new People(db),
          watch: new Watch(db),
          exportTo: (file) => exportTo(db, file),
          importFrom: (file) => importFrom(db, file),
        };
        if (report.applied.length > 0) this.#options.onMigrated?.(report);
        this.#state.isUp();
        this.#endFirstAttempt();
        return void this.#prune();
      } catch (error) {
        if (this.#closing.signal.aborted) return;
        this.#leavePool();
        this.#state.isDown(this.#problem(error));
        this.#endFirstAttempt();
        // Ends early when the link closes.
        await delay(pause, undefined, { signal: this.#closing.signal, ref: false }).catch(() => undefined);
      }
    }
  }

  /** The answer was given half a round trip ago. Said once per connection: only what people are told depends on it. */
  async #compareClocks(db: Database): Promise<void> {
    const { now = Date.now } = this.#options;
    const asked = now();
    const { at } = await db.one<{ at: number }>('SELECT EXTRACT(EPOCH FROM clock_timestamp())::float8 * 1000 AS at');
    this.#ahead = at - (asked + now()) / 2;
    if (Math.abs(this.#ahead) <= CLOCKS_DIFFER) return;
    const seconds = Math.round(Math.abs(this.#ahead) / 1000);
    this.#options.onWarning?.(
      `${this.#name}: its clock is ${seconds} s ${this.#ahead > 0 ? 'ahead of' : 'behind'} this machine's: set both by NTP. ` +
        "Nothing is decided by comparing them; times in texts are this machine's, those in tables the database's",
    );
  }

  #openPool(address: DatabaseAddress): Database {
    const db = openDatabase(address, (connections) =>
      this.#options.onWarning?.(
        `${this.#name}: the server gives no more than ${connections} connections (6 would be used): it goes on with these`,
      ),
    );
    // An idle connection that breaks may be the first sign of a loss: look whether the database still answers.
    db.$pool.on('error', () => this.#lookAfter(db));
    this.#db = db;
    return db;
  }

  /** Whether the server still answers and takes writes; use() tells the state. */
  #lookAfter(db: Database | undefined): void {
    if (!db || this.#db !== db || !this.#stores) return;
    this.use(() => proveWritable((sql) => db.any(sql))).catch(() => undefined);
  }

  /** The end may wait for a dead connection: nobody waits for it. */
  #leavePool(): void {
    const before = this.#db;
    this.#db = undefined;
    before?.$pool.end().catch((error: unknown) => this.#options.onWarning?.(this.#problem(error)));
  }

  async #prune(): Promise<void> {
    try {
      await this.#stores?.batches.pruneEvents(this.#options.keepDays ?? KEEP_DAYS);
    } catch (error) {
      this.#options.onWarning?.(`old events could not be deleted, tried again within a day: ${this.#problem(error)}`);
    }
  }

  #problem(error: unknown): string {
    return `${this.#name}: ${explained(error)}`;
  }

  #unreachable(): string {
    return `database not available, ${this.#state.status.problem || `${this.#name} is starting`}; it is tried again by itself`;
  }
}
