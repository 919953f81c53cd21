/** What a role, a database or a server hands to every session does not change what this package does. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { openDatabase } from '../../../nodes/lib/store/connection';
import { migrate } from '../../../nodes/lib/store/migrate';
import { SESSION_SETTINGS } from '../../../nodes/lib/store/session';
import { BatchStore } from '../../../nodes/lib/store/batch-store';
import { type ConnectionData, queryOnce } from '../../support/cluster';
import { plainRole, type Role } from '../../support/role';
import { moId, order, reading } from '../../support/store';

/** Settings that a session inherits and that change nothing here: speed, logs, limits of memory, the server's upkeep. */
const LEFT_ALONE =
  /^(enable|debug|log|trace|track|geqo|jit|cpu|parallel|vacuum|tcp|wal|max|min|scram|icu|lc|xml)|_(cost|limit|mem|flush_after|cache_size|concurrency|buffers|siblings|factor|fraction|multiplier|tablespaces?|libraries|path|messages|warnings?|warning)$/;
const LEFT_ALONE_BY_NAME = [
  // Who and what the session is, and what the present transaction is: not defaults.
  ...['application_name', 'transaction_deferrable', 'transaction_isolation', 'transaction_read_only'],
  // Looked at by itself: a role's is switched off, a server's is refused.
  'default_transaction_read_only',
  // Statistics, plans, order without ORDER BY, compression, files.
  ...[
    'constraint_exclusion',
    'default_statistics_target',
    'from_collapse_limit',
    'plan_cache_mode',
    'io_combine_limit',
  ],
  ...[
    'stats_fetch_consistency',
    'synchronize_seqscans',
    'default_toast_compression',
    'file_copy_method',
    'commit_delay',
  ],
  ...[
    'logical_decoding_work_mem',
    'update_process_title',
    'compute_query_id',
    'backtrace_functions',
    'deadlock_timeout',
  ],
  // Text search, large objects, new roles and their passwords: nothing here uses them.
  ...['default_text_search_config', 'lo_compat_privileges', 'createrole_self_grant', 'password_encryption'],
  // Of the server's keeper alone: damaged pages, catalogs, event triggers.
  ...['allow_in_place_tablespaces', 'allow_system_table_mods', 'event_triggers', 'ignore_checksum_failure'],
  'zero_damaged_pages',
  // Ends a statement whose client is gone: welcome at any value.
  'client_connection_check_interval',
];

/** A role that may make tables. */
async function ground(t: TestContext): Promise<Role> {
  const made = await plainRole(t);
  await made.sql(`GRANT CREATE ON SCHEMA public TO ${made.role}`);
  return made;
}

function opened(t: TestContext, { host, port, user, password, database }: ConnectionData) {
  const db = openDatabase({ host, port, user, password, database });
  t.after(() => db.$pool.end());
  return { db, store: new BatchStore(db) };
}

test('every setting that a session of this server inherits is decided: set, or left alone', async (t) => {
  const { server } = await ground(t);
  const names = await queryOnce<{ name: string }>(
    server,
    `SELECT name FROM pg_settings WHERE context IN ('user', 'superuser') AND name NOT LIKE '%.%' ORDER BY name`,
  );
  const limits = ['statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout', 'search_path'];
  const set = new Set([...SESSION_SETTINGS.map(([name]) => name), ...limits]);
  const undecided = names.filter(
    ({ name }) => !set.has(name) && !LEFT_ALONE_BY_NAME.includes(name) && !LEFT_ALONE.test(name),
  );
  assert.deepEqual(undecided, []);
  for (const [name, , why] of SESSION_SETTINGS) assert.ok(why, name);
});

/** The worst a role can bring, per setting. */
const HOSTILE: Record<string, string> = {
  ...{ standard_conforming_strings: 'off', backslash_quote: 'on', transform_null_equals: 'on', array_nulls: 'off' },
  ...{ default_transaction_isolation: 'serializable', default_transaction_deferrable: 'on' },
  ...{ default_transaction_read_only: 'on', synchronous_commit: 'off', row_security: 'on', TimeZone: 'Asia/Jakarta' },
  ...{ DateStyle: 'German, DMY', IntervalStyle: 'sql_standard', extra_float_digits: '-15', bytea_output: 'escape' },
  ...{ quote_all_identifiers: 'on', check_function_bodies: 'off', exit_on_error: 'on', statement_timeout: '1s' },
  ...{ lock_timeout: '1', idle_in_transaction_session_timeout: '1s', idle_session_timeout: '200' },
  ...{
    transaction_timeout: '1s',
    client_encoding: 'LATIN1',
    gin_fuzzy_search_limit: '1',
    client_min_messages: 'error',
  },
  ...{ timezone_abbreviations: 'India', restrict_nonsystem_relation_kind: 'view' },
};

test('a session has the settings of this package, whatever its role and its database bring', async (t) => {
  const { server, address, role, sql } = await ground(t);
  for (const [name, value] of Object.entries(HOSTILE)) {
    await sql(`ALTER ROLE ${role} SET ${name} = '${value.replace(/, /g, "', '")}'`);
  }
  await sql(`ALTER DATABASE ${server.database} SET default_transaction_read_only = on`);
  const { db, store } = opened(t, address);
  await migrate(db);
  const found = await db.any<{ name: string; setting: string }>(
    'SELECT name, setting FROM pg_settings WHERE name IN ($1:csv)',
    [SESSION_SETTINGS.map(([name]) => name)],
  );
  assert.deepEqual(
    Object.fromEntries(found.map(({ name, setting }) => [name, setting])),
    Object.fromEntries(SESSION_SETTINGS.map(([name, value]) => [name, value])),
  );
  await store.enqueue([order(1)], 1);
  await store.record([reading(1, { silo_a: 600.2999877929688 }, 1)]);
  const kept = await db.one<{ kg: number; at: Date }>(
    'SELECT actual_consumption_silo_a AS kg, queued_at AS at FROM mo_batch',
  );
  assert.equal(kept.kg, 600.2999877929688);
  assert.ok(Math.abs(Date.now() - kept.at.getTime()) < 60_000);
});

test('a product name is text, also where the role gives backslashes a meaning', async (t) => {
  const { address, role, sql } = await ground(t);
  await sql(`ALTER ROLE ${role} SET standard_conforming_strings = off`);
  await sql(`ALTER ROLE ${role} SET backslash_quote = on`);
  const { db, store } = opened(t, address);
  await migrate(db);
  const names = ["x\\' ); DROP TABLE mo_histories; --", "'; SELECT 1; --", 'C:\\new\\table', "\\'", '\\'];
  await store.enqueue(
    names.map((name, n) => order(n + 1, { finished_goods: name, component_silo_a_name: name })),
    10,
  );
  const found = await db.any<{ goods: string; part: string }>(
    'SELECT finished_goods AS goods, component_silo_a_name AS part FROM mo_batch ORDER BY mo_id',
  );
  assert.deepEqual(
    found,
    names.map((name) => ({ goods: name, part: name })),
  );
  assert.equal((await store.trail(moId(1))).batch?.finished_goods, names[0]);
  assert.deepEqual(await db.any(`SELECT to_regclass('mo_histories') IS NOT NULL AS there`), [{ there: true }]);
});

test('triggers that a role switches off are on again for a superuser, and refused with the remedy for others', async (t) => {
  const { address, role, sql } = await ground(t);
  await sql(`ALTER ROLE ${role} SET session_replication_role = replica`);
  const { db } = opened(t, address);
  await assert.rejects(db.one('SELECT 1'), /session_replication_role.*ALTER ROLE … RESET session_replication_role/);
  await sql(`ALTER ROLE ${role} SUPERUSER`);
  const { setting } = await db.one<{ setting: string }>(
    `SELECT current_setting('session_replication_role') AS setting`,
  );
  assert.equal(setting, 'origin');
});

test("PGOPTIONS of Node-RED's environment changes nothing", async (t) => {
  const { address } = await ground(t);
  process.env['PGOPTIONS'] =
    '-c standard_conforming_strings=off -c default_transaction_read_only=on -c extra_float_digits=-15';
  try {
    const { db } = opened(t, address);
    assert.ok((await migrate(db)).applied.length > 0);
    assert.deepEqual(await db.one(`SELECT current_setting('standard_conforming_strings') AS scs`), { scs: 'on' });
  } finally {
    delete process.env['PGOPTIONS'];
  }
});
