/**
 * The connection to PostgreSQL: one pg-promise per process, one pool per database.
 */
import type { Socket } from 'node:net';
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
/** SQLSTATE too_many_connections; a connection pooler says it in words. */
const TOO_MANY = /^53300|no more connections allowed/;

/** As node-postgres has it; pg-promise's types leave it out. */
interface Result {
  rows: unknown[];
}
interface PoolClient {
  query(sql: string): Promise<Result | Result[]>;
}
type Connected = (error: (Error & { code?: string }) | undefined, ...given: unknown[]) => void;
interface Pool {
  options: { max: number };
  totalCount: number;
  connect(connected: Connected): void;
}

/** The rows of the last of one or several statements. */
const rowsOf = async (client: PoolClient, sql: string): Promise<unknown[]> =>
  [await client.query(sql)].flat().at(-1)?.rows ?? [];

/** A role or a server may give fewer connections than the pool would open: it goes on with those that it has. */
function goOnWithFewer(pool: Pool, onFewer: (connections: number) => void): void {
  const connect = pool.connect.bind(pool);
  pool.connect = (connected) =>
    connect((error, ...given) => {
      const refused = error && TOO_MANY.test(`${error.code ?? ''} ${error.message}`);
      if (!refused || pool.totalCount < CONNECTIONS.fewest) return connected(error, ...given);
      pool.options.max = Math.min(pool.options.max, pool.totalCount);
      onFewer(pool.options.max);
      pool.connect(connected);
    });
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
    onConnect: (client: PoolClient) => prepareSession((sql) => rowsOf(client, sql), timeoutMs),
  };
  const db = pgp(
    {
      ...address,
      ...(ssl === undefined ? {} : { ssl }),
      application_name: 'mo-bridge',
      max: CONNECTIONS.most,
      connectionTimeoutMillis: 5_000,
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
