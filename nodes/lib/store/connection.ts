/**
 * The connection to PostgreSQL: one pg-promise per process, one pool per database, migrations before first use.
 */
import pgPromise, { type IDatabase, type ITask } from 'pg-promise';
import { IDENTIFYING_COLUMNS, MIGRATIONS } from './schema';

/** Where a database is. `ssl` as node-postgres takes it. */
export interface DatabaseAddress {
  host: string;
  port: number;
  database: string;
  user: string;
  password: string;
  ssl?: boolean | object;
}

export type Database = IDatabase<object>;
export type Task = ITask<object>;

const pgp = pgPromise();

/** OIDs of PostgreSQL's numeric and int8, which node-postgres hands over as text (pg_type.dat). */
const NUMERIC = 1700;
const INT8 = 20;

/** Advisory locks of this package; the numbers only have to differ from each other ("MO" = 0x4d4f). */
export const LOCKS = { migrate: 0x4d4f01, queue: 0x4d4f02 } as const;

let opened = 0;

/**
 * Opens a pool (nothing is connected yet). Numbers come as numbers on this pool alone: type parsers are never set
 * globally, other nodes share the module.
 * @throws never; the first query does.
 */
export function openDatabase({ ssl, ...address }: DatabaseAddress, label = 'mo-bridge'): Database {
  const number = (text: string): number => Number(text);
  return pgp(
    {
      ...address,
      ...(ssl ? { ssl } : {}),
      application_name: label,
      max: 6,
      connectionTimeoutMillis: 5_000,
      idleTimeoutMillis: 30_000,
      statement_timeout: 60_000,
      keepAlive: true,
      types: {
        ...pgp.pg.types,
        getTypeParser: (oid, format) =>
          oid === NUMERIC || oid === INT8 ? number : pgp.pg.types.getTypeParser(oid, format),
      },
    },
    // The context makes every pool its own database object, so that two nodes on one server are no "duplicate".
    ++opened,
  );
}

/** What migrating found and did. */
export interface MigrationReport {
  /** Schema version now in force. */
  version: number;
  /** Names of the migrations that ran. */
  applied: string[];
  /** Rows of a queue that was taken over, and how many of them stepped aside as duplicates. */
  takenOver?: { queued: number; duplicates: number };
}

/**
 * Brings the schema to this package's version, one process at a time, in one transaction.
 * @throws Error when a table of ours is something else, or when the database is newer than the package; nothing is changed.
 */
export function migrate(db: Database): Promise<MigrationReport> {
  return db.tx(async (tx) => {
    await tx.one('SELECT pg_advisory_xact_lock($<lock>)::text', { lock: LOCKS.migrate });
    await tx.none(
      `CREATE TABLE IF NOT EXISTS mo_schema (version int PRIMARY KEY, name text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())`,
    );
    const { version } = await tx.one<{ version: number }>('SELECT coalesce(max(version), 0) AS version FROM mo_schema');
    if (version > MIGRATIONS.length) {
      throw new Error(
        `The database has schema ${version}, this package knows up to ${MIGRATIONS.length}: update the package on this Node-RED`,
      );
    }
    const found = version === 0 ? await inspect(tx) : false;
    const applied: string[] = [];
    for (const [index, { name, sql }] of MIGRATIONS.entries()) {
      if (index < version) continue;
      await tx.none(sql);
      await tx.none('INSERT INTO mo_schema (version, name) VALUES ($<version>, $<name>)', { version: index + 1, name });
      applied.push(name);
    }
    const report: MigrationReport = { version: MIGRATIONS.length, applied };
    if (!found) return report;
    const takenOver = await tx.one<{ queued: number; duplicates: number }>(
      'SELECT count(*)::int AS queued, (count(*) FILTER (WHERE duplicate))::int AS duplicates FROM mo_batch',
    );
    return { ...report, takenOver };
  });
}

/** Whether there is a queue to take over. @throws Error when a table of that name is not the one we know. */
async function inspect(tx: Task): Promise<boolean> {
  const present = await tx.any<{ table_name: string; columns: string[] }>(
    `SELECT table_name, array_agg(column_name::text) AS columns FROM information_schema.columns
     WHERE table_schema = current_schema() AND table_name IN ('mo_batch', 'mo_histories') GROUP BY table_name`,
  );
  for (const { table_name, columns } of present) {
    const missing = IDENTIFYING_COLUMNS.filter((name) => !columns.includes(name));
    if (missing.length > 0) {
      throw new Error(
        `The database has a table ${table_name} that is not a batch table (no column ${missing.join(', ')}): ` +
          `choose another database in mo-database; nothing was changed`,
      );
    }
  }
  return present.some(({ table_name }) => table_name === 'mo_batch');
}
