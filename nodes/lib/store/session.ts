/**
 * What every session on the database sets for itself, whatever role, database or server hand it, and the proof that it can
 * write. No start-up parameters: a connection pooler refuses them, while SET works there too.
 */
import { DatabaseUnfit } from './explain';

/** [setting, value, what goes wrong without it]; the names are PostgreSQL's, and one that a server lacks is left out. */
export const SESSION_SETTINGS: readonly (readonly [name: string, value: string, why: string])[] = [
  ['standard_conforming_strings', 'on', 'off: a backslash in a text (a product name) ends it early: SQL injection'],
  ['backslash_quote', 'off', "a quotation mark is doubled, never written as \\'"],
  ['client_encoding', 'UTF8', 'texts arrive as other characters'],
  ['default_transaction_isolation', 'read committed', 'what follows a lock would not see what its last holder left'],
  ['default_transaction_deferrable', 'off', 'an export in a snapshot could wait without end'],
  ['synchronous_commit', 'on', 'a commit that the PLC was told of would be lost with a crash of the server'],
  ['session_replication_role', 'origin', 'replica: the triggers that clear update_odoo and keep the trail do not run'],
  ['row_security', 'off', 'rows hidden by a policy would be missing in silence: an error names the table instead'],
  ['TimeZone', 'UTC', 'timestamps as text, in rows kept as JSON and in exports, are UTC'],
  ['DateStyle', 'ISO, MDY', 'node-postgres reads dates in ISO style only'],
  ['IntervalStyle', 'postgres', 'node-postgres reads intervals in this style only'],
  ['timezone_abbreviations', 'Default', 'times with an abbreviation mean the same everywhere'],
  ['extra_float_digits', '1', 'below 1 weights (float8) come back rounded to 15 digits and look changed'],
  ['bytea_output', 'hex', 'node-postgres reads bytes in both styles, other readers of an export do not'],
  ['transform_null_equals', 'off', 'a comparison with an unknown value would be true'],
  ['array_nulls', 'on', 'the text NULL in a list would stand for four letters'],
  ['plan_cache_mode', 'force_generic_plan', 'statements of every cycle are planned anew for each set of values'],
  ['quote_all_identifiers', 'off', 'names of types and tables as text are compared with our own'],
  ['gin_fuzzy_search_limit', '0', 'a search by index would leave rows out at random'],
  ['restrict_nonsystem_relation_kind', '', 'a queue that is read through a view would be refused'],
  ['default_table_access_method', 'heap', 'a migration would make tables whose rows cannot be locked or updated'],
  ['check_function_bodies', 'on', 'a migration with a fault in a function would go through'],
  ['exit_on_error', 'off', 'one refused statement would end the session'],
  ['idle_session_timeout', '0', 'an idle connection that is ended looks like a lost server'],
  ['transaction_timeout', '0', 'an export or a migration takes longer than one statement may'],
];

/** The server gives up first, so that its reason is heard; the client's own limit (query_timeout) is for a silent one. */
const limits = (timeoutMs: number): [string, string][] => [
  ['statement_timeout', String(timeoutMs)],
  ['lock_timeout', String(Math.ceil(timeoutMs / 2))],
  ['idle_in_transaction_session_timeout', String(timeoutMs)],
];

const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/**
 * The schemas that the path leads to now, pinned: what comes into being later does not move the tables. pg_catalog comes
 * first then, whatever the path said, so that nothing of another schema stands in for PostgreSQL's own.
 */
const PIN_PATH = `SELECT pg_catalog.set_config('search_path', pg_catalog.string_agg(pg_catalog.quote_ident(s), ', '), false)
  FROM pg_catalog.unnest(pg_catalog.array_remove(pg_catalog.current_schemas(false), 'pg_catalog')) s`;

const setAll = (settings: readonly (readonly [string, string, ...unknown[]])[]): string =>
  `SELECT set_config(s.name, v.value, false)
   FROM (VALUES ${settings.map(([name, value]) => `(${literal(name)}, ${literal(value)})`).join(', ')}) v (name, value)
   JOIN pg_settings s ON s.name = v.name
   WHERE s.context = 'user' OR s.setting <> v.value`;

/** Where a session's default_transaction_read_only comes from when it is nobody's but the role's or the database's. */
const INHERITED = ['database', 'user', 'database user', 'global', 'client'];

interface Ability {
  read_only: boolean;
  standby: boolean;
  source: string;
}

const ABILITY = `SELECT current_setting('transaction_read_only')::bool AS read_only, pg_is_in_recovery() AS standby,
  (SELECT source FROM pg_settings WHERE name = 'default_transaction_read_only') AS source`;

/** SQLSTATE insufficient_privilege and read_only_sql_transaction (PostgreSQL, appendix A). */
const FORBIDDEN = '42501';
const READ_ONLY = '25006';

const REFUSED: Record<'standby' | 'server', string> = {
  standby:
    'the server is a standby, it takes no writes: let host and port lead to the primary (after a failover: to the new one)',
  server:
    'the server takes no writes (default_transaction_read_only is on for all of it): switch it off there, or let host and ' +
    'port lead to the server that took its place',
};

/** Runs one statement, or several at once, and gives the rows of the last. */
type Run = (sql: string) => Promise<unknown[]>;

/** @throws DatabaseUnfit (SQLSTATE 25006) when the session cannot write */
export async function proveWritable(run: Run): Promise<void> {
  const [{ read_only, standby }] = (await run(ABILITY)) as [Ability];
  if (read_only || standby) throw new DatabaseUnfit(REFUSED[standby ? 'standby' : 'server'], READ_ONLY);
}

/**
 * Makes a new connection fit for this package, in one round trip where nothing is in the way.
 * @param timeoutMs longest time a statement may take (ms)
 * @throws DatabaseUnfit when the role's settings cannot be changed here, or when the server does not let the session write
 */
export async function prepareSession(run: Run, timeoutMs: number): Promise<void> {
  const everything = [PIN_PATH, setAll([...SESSION_SETTINGS, ...limits(timeoutMs)]), ABILITY].join(';\n');
  const [{ read_only, standby, source }] = (await run(everything).catch((error: unknown) => {
    const { code, message } = error as { code?: string; message: string };
    if (code !== FORBIDDEN) throw error;
    throw new DatabaseUnfit(
      `the role inherits a setting that only a superuser may change (${message}): let one ` +
        'ALTER ROLE … RESET session_replication_role, or ALTER DATABASE … RESET where it was set there',
      FORBIDDEN,
    );
  })) as [Ability];
  if (!read_only && !standby) return;
  if (!standby && INHERITED.includes(source)) await run('SET default_transaction_read_only = off');
  await proveWritable(run);
}
