/**
 * The connection to PostgreSQL: one pg-promise per process, one pool per database.
 */
import type { Socket } from 'node:net';
import pgPromise, { type IBaseProtocol, type IDatabase, type ITask } from 'pg-promise';

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

/** What node-postgres says when its own limit for an answer has passed (pg, lib/client.js). */
export const NO_ANSWER = 'Query read timeout';

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
export const LOCKS = { migrate: 0x4d4f01, queue: 0x4d4f02, alarms: 0x4d4f03 } as const;

/** What node-postgres takes and pg-promise's types leave out. */
const UNTYPED = {
  /** One connection is always kept: it breaks when the server goes, so that a loss shows before the next work. */
  min: 1,
  /** What follows an advisory lock has to see what the last holder left, whatever the server's default is. */
  options: '-c default_transaction_isolation=read\\ committed',
};

let opened = 0;

/**
 * Opens a pool (nothing is connected yet). Numbers come as numbers on this pool alone: type parsers are never set
 * globally, other nodes share the module.
 * @throws never; the first query does.
 */
export function openDatabase({ ssl, timeoutMs = 60_000, ...address }: DatabaseAddress): Database {
  const db = pgp(
    {
      ...address,
      ...(ssl ? { ssl } : {}),
      application_name: 'mo-bridge',
      max: 6,
      connectionTimeoutMillis: 5_000,
      idleTimeoutMillis: 30_000,
      // The server gives up first, so that its reason is heard; the client's own limit is for a server that is silent.
      statement_timeout: timeoutMs,
      query_timeout: timeoutMs * 1.25,
      lock_timeout: Math.ceil(timeoutMs / 2),
      idle_in_transaction_session_timeout: timeoutMs,
      keepAlive: true,
      keepAliveInitialDelayMillis: 10_000,
      ...UNTYPED,
      types: { ...TYPES, getTypeParser: numbersAsNumbers },
    },
    // The context makes every pool its own database object, so that two nodes on one server are no "duplicate".
    ++opened,
  );
  // An idle connection that breaks after the pool was ended is nobody's concern; without a listener it ends the process.
  db.$pool.on('error', () => undefined);
  return db;
}
