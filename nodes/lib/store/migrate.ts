/**
 * Brings a database to this package's schema: numbered migrations, one process at a time, each in a transaction.
 */
import { type Database, LOCKS, type Task } from './connection';
import { MIGRATIONS, SCHEMA } from './migrations';
import { checkDatabase } from './requirements';
import { EXPECTED } from './tables';

/** What migrating found and did. */
export interface MigrationReport {
  /** Schema version now in force. */
  version: number;
  /** Names of the migrations that ran. */
  applied: string[];
  takenOver?: TakeOver;
}

/** What was in the tables of the replaced system. */
export interface TakeOver {
  /** Rows of the queue, and how many of them stepped aside as duplicates of another row. */
  queued: number;
  duplicates: number;
  /** Orders that have duplicates. */
  orders: string[];
  /** Rows of the history. */
  history: number;
}

/** CREATE OR REPLACE TRIGGER came with PostgreSQL 14. */
const OLDEST_SERVER = 14;

/**
 * Runs every migration that the database lacks; safe to call from several processes at once.
 * @throws Error when a table of ours is something else, or when the database is newer than the package; nothing is changed.
 */
export async function migrate(db: Database): Promise<MigrationReport> {
  const report: MigrationReport = { version: SCHEMA, applied: [] };
  while (await db.tx((tx) => applyNext(tx, report)));
  return report;
}

/** @returns whether a migration was applied. */
async function applyNext(tx: Task, report: MigrationReport): Promise<boolean> {
  await tx.one('SELECT pg_advisory_xact_lock($<migrate>)::text', LOCKS);
  const version = await currentVersion(tx);
  await checkDatabase(tx, version < SCHEMA);
  if (version > SCHEMA) {
    throw new Error(
      `The database has schema ${version}, this package knows up to ${SCHEMA}: update the package on this Node-RED`,
    );
  }
  const next = MIGRATIONS[version];
  if (!next) return false;
  const known = (await inspect(tx)) && version === 0;
  if (version === 0) await tx.none(OWN_TABLE);
  await tx.none(next.sql);
  await tx.none('INSERT INTO mo_schema (version, name) VALUES ($<version>, $<name>)', {
    version: version + 1,
    name: next.name,
  });
  if (known) report.takenOver = await countTakenOver(tx);
  report.applied.push(next.name);
  return true;
}

const OWN_TABLE =
  'CREATE TABLE IF NOT EXISTS mo_schema (version int PRIMARY KEY, name text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())';

/** Version of the schema; 0 for a database that this package has not seen. */
export async function currentVersion(tx: Task): Promise<number> {
  const { exists } = await tx.one<{ exists: boolean }>(`SELECT to_regclass('mo_schema') IS NOT NULL AS exists`);
  if (!exists) return 0;
  return (await tx.one<{ version: number }>('SELECT coalesce(max(version), 0) AS version FROM mo_schema')).version;
}

/** Whether there is a queue to take over. @throws Error when the server or a table of that name is not what we can use. */
export async function inspect(tx: Task): Promise<boolean> {
  const { server, known } = await tx.one<{ server: number; known: boolean }>(
    `SELECT current_setting('server_version_num')::int / 10000 AS server, to_regclass('mo_batch') IS NOT NULL AS known`,
  );
  if (server < OLDEST_SERVER) {
    throw new Error(
      `The server runs PostgreSQL ${server}: version ${OLDEST_SERVER} or newer is needed; nothing was changed`,
    );
  }
  const wrong = await tx.any<{ table: string; name: string; type: string; found: string | null }>(
    `SELECT e."table", e.name, e.type, CASE WHEN c.relkind = 'r' THEN a.atttypid::regtype::text ELSE 'of something that is no table' END AS found
     FROM ROWS FROM (jsonb_to_recordset($<expected:json>) AS ("table" text, name text, type text, required bool)) WITH ORDINALITY
       AS e("table", name, type, required, place)
     JOIN pg_class c ON c.oid = to_regclass(e."table")
     LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = e.name AND NOT a.attisdropped
     WHERE c.relkind <> 'r' OR (a.attname IS NULL AND e.required) OR a.atttypid <> e.type::regtype
     ORDER BY e.place`,
    { expected: EXPECTED },
  );
  const [first] = wrong;
  if (!first) return known;
  const problems = wrong
    .filter(({ table }) => table === first.table)
    .slice(0, 5)
    .map(({ name, type, found }) => (found ? `${name} is ${found}, not ${type}` : `no column ${name}`));
  throw new Error(
    `The database has a table ${first.table} that is not the one of this package (${problems.join(', ')}): ` +
      'choose another database in mo-database; nothing was changed',
  );
}

const countTakenOver = (tx: Task): Promise<TakeOver> =>
  tx.one<TakeOver>(
    `SELECT count(*)::int AS queued, (count(*) FILTER (WHERE duplicate))::int AS duplicates,
       coalesce(array_agg(DISTINCT mo_id) FILTER (WHERE duplicate), '{}') AS orders,
       (SELECT count(*) FROM mo_histories)::int AS history
     FROM mo_batch`,
  );
