/**
 * The connection to PostgreSQL: one pg-promise per process, one pool per database.
 */
import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import pgPromise, { type IBaseProtocol, type IDatabase, type ITask } from 'pg-promise';
import { NO_ANSWER } from './explain';
import { prepareSession } from './session';

/** Where a database is. `ssl` as node-postgres takes it. */
export interface DatabaseAddress {
  host: string;
  port: number;
  database: string;
  user: string;
  password: string;
  ssl?: boolean | object;
  /** Longest time a statement may take (ms); a connection that answers later is given up. */
  timeoutMs?: number;
}

export type Database = IDatabase<object>;
export type Task = ITask<object>;
/** A pool, or a transaction on it. */
export type Queryable = IBaseProtocol<object>;

const pgp = pgPromise({
  error: ({ message }, { client }) => {
    // Such a connection would go back into the pool with its statement still running: it is cut instead.
    if (message === NO_ANSWER)
      (client as unknown as { connection: { stream: Socket } } | undefined)?.connection.stream.destroy();
  },
});

const { TransactionMode, isolationLevel } = pgp.txMode;

/** node-postgres' query, which pg-promise's types leave out. */
export const { Query } = pgp.pg as unknown as { Query: new (config: object) => object };

/** Every statement of the transaction sees the same state of the database. */
export const SNAPSHOT = new TransactionMode({ tiLevel: isolationLevel.repeatableRead, readOnly: true });

/** OIDs of PostgreSQL's numeric and int8, which node-postgres hands over as text (pg_type.dat). */
const NUMERIC = 1700;
const INT8 = 20;
const TYPES = pgp.pg.types;

const numbersAsNumbers = ((oid: number, format: 'text'): unknown =>
  oid === NUMERIC || oid === INT8 ? Number : TYPES.getTypeParser(oid, format)) as typeof TYPES.getTypeParser;

/** Advisory locks of this package; the numbers only have to differ from each other ("MO" = 0x4d4f). */
export const LOCKS = { migrate: 0x4d4f01, queue: 0x4d4f02, alarms: 0x4d4f03, closings: 0x4d4f04 } as const;

/** Most connections of one pool, and the fewest it works with: a second one proves that sessions are kept apart. */
const CONNECTIONS = { most: 6, fewest: 2 } as const;
/** SQLSTATE too_many_connections; a connection pooler says it in words, or lets the next one wait. */
const TOO_MANY = /^53300|no more connections allowed|due to connection timeout/;

/** What pg-pool says when no connection came free in time. */
const ALL_BUSY = 'timeout exceeded when trying to connect';

/** As node-postgres has it; pg-promise's types leave it out. */
interface Result {
  rows: unknown[];
}
interface PoolClient {
  query(statement: { text: string; query_timeout: number }): Promise<Result | Result[]>;
}
type Connected = (error: (Error & { code?: string }) | undefined, ...given: unknown[]) => void;
interface Pool {
  options: { max: number };
  totalCount: number;
  connect(connected: Connected): void;
}

/** How long connecting may take (ms), and then the first statement: a pooler that has no session free lets that one wait. */
const CONNECT_LIMIT = 5_000;

/** The rows of the last of one or several statements; connecting has its own limit. */
const rowsOf = async (client: PoolClient, text: string): Promise<unknown[]> =>
  [await client.query({ text, query_timeout: CONNECT_LIMIT * 2 })].flat().at(-1)?.rows ?? [];

/** @throws as pg-pool does for a connection that is not made in time */
async function inTime(work: Promise<void>): Promise<void> {
  const limit = new AbortController();
  const late = delay(CONNECT_LIMIT, undefined, { signal: limit.signal, ref: false }).then(() => {
    throw new Error('Connection terminated due to connection timeout');
  });
  try {
    await Promise.race([work, late]);
  } finally {
    limit.abort();
  }
}

/** How often work is put back into the queue for a connection, each time for as long as connecting may take. */
const PATIENCE = 3;

/** A role, a server or a pooler may give fewer connections than the pool would open: it goes on with those that it has. */
function goOnWithFewer(pool: Pool, onFewer: (connections: number) => void): void {
  const connect = pool.connect.bind(pool);
  const attempt = (connected: Connected, left: number): void =>
    connect((error, ...given) => {
      if (!error || left === 0 || pool.totalCount < CONNECTIONS.fewest) return connected(error, ...given);
      const refused = TOO_MANY.test(`${error.code ?? ''} ${error.message}`);
      if (!refused && error.message !== ALL_BUSY) return connected(error);
      if (refused && pool.totalCount < pool.options.max) {
        pool.options.max = pool.totalCount;
        onFewer(pool.totalCount);
      }
      attempt(connected, refused ? left : left - 1);
    });
  pool.connect = (connected) => attempt(connected, PATIENCE);
}

let opened = 0;

/**
 * Opens a pool (nothing is connected yet). Numbers come as numbers on this pool alone: type parsers are never set
 * globally, other nodes share the module.
 * @param onFewer told to how many connections the pool has shrunk, because the server refuses more
 * @throws never; the first query does, also where a session cannot be made fit or cannot write
 */
export function openDatabase(
  { ssl, timeoutMs = 60_000, ...address }: DatabaseAddress,
  onFewer: (connections: number) => void = () => undefined,
): Database {
  /** What node-postgres takes and pg-promise's types leave out. */
  const untyped = {
    /** One connection is always kept: it breaks when the server goes, so that a loss shows before the next work. */
    min: 1,
    onConnect: (client: PoolClient) => inTime(prepareSession((sql) => rowsOf(client, sql), timeoutMs)),
  };
  const db = pgp(
    {
      ...address,
      ...(ssl === undefined ? {} : { ssl }),
      application_name: 'mo-bridge',
      max: CONNECTIONS.most,
      connectionTimeoutMillis: CONNECT_LIMIT,
      idleTimeoutMillis: 30_000,
      query_timeout: timeoutMs * 1.25,
      keepAlive: true,
      keepAliveInitialDelayMillis: 10_000,
      ...untyped,
      types: { ...TYPES, getTypeParser: numbersAsNumbers },
    },
    // The context makes every pool its own database object, so that two nodes on one server are no "duplicate".
    ++opened,
  );
  goOnWithFewer(db.$pool as unknown as Pool, onFewer);
  // An idle connection that breaks after the pool was ended is nobody's concern; without a listener it ends the process.
  db.$pool.on('error', () => undefined);
  return db;
}
