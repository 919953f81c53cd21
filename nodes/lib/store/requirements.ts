/**
 * What a database has to be before it is used, as far as no session can set it: asked at every connect, and by "Test
 * connection". Reads only, but for one write that is rolled back.
 */
import { randomUUID } from 'node:crypto';
import type { Database, Task } from './connection';
import { DatabaseUnfit, POOLER } from './explain';
import { TABLE_NAMES } from './tables';

/** Our tables as the session finds them. */
const TABLES = [...TABLE_NAMES, 'mo_schema'];
const RIGHTS = ['SELECT', 'INSERT', 'UPDATE', 'DELETE'];

/** @throws DatabaseUnfit when the database cannot hold our tables, or the user may not make or change them */
export async function checkDatabase(task: Task, migrationDue: boolean): Promise<void> {
  const found = await task.one<{ encoding: string; schema: string | null; path: string; user: string; may: boolean }>(
    `SELECT current_setting('server_encoding') AS encoding, nullif(current_schema(), 'pg_catalog') AS schema,
       coalesce((SELECT reset_val FROM pg_settings WHERE name = 'search_path'), '') AS path, current_user::text AS "user",
       coalesce(has_schema_privilege(current_schema(), 'CREATE'), false) AS may`,
  );
  const { encoding, schema, path, user, may } = found;
  if (encoding !== 'UTF8') {
    throw new DatabaseUnfit(
      `the database's encoding is ${encoding}, which cannot hold every name: create one with ENCODING 'UTF8' TEMPLATE template0`,
    );
  }
  if (!schema) {
    throw new DatabaseUnfit(
      `the search_path (${path}) leads to no schema that the user may use: ` +
        `ALTER ROLE "${user}" SET search_path = public, and GRANT USAGE, CREATE ON SCHEMA public TO "${user}"`,
    );
  }
  if (!migrationDue) return;
  if (!may)
    throw new DatabaseUnfit(`the user may not create tables: GRANT CREATE ON SCHEMA "${schema}" TO "${user}"`, '42501');
  const foreign = await task.any<{ name: string; owner: string }>(
    `SELECT c.relname::text AS name, pg_get_userbyid(c.relowner)::text AS owner
     FROM unnest($<tables>::text[]) WITH ORDINALITY t (name, place) JOIN pg_class c ON c.oid = to_regclass(t.name)
     WHERE NOT pg_has_role(c.relowner, 'USAGE') ORDER BY t.place`,
    { tables: TABLES },
  );
  const [first] = foreign;
  if (first) {
    throw new DatabaseUnfit(
      `the user may not change the table ${first.name}, it belongs to "${first.owner}": ` +
        `GRANT "${first.owner}" TO "${user}", or ALTER TABLE ${first.name} OWNER TO "${user}" (and likewise all of ${TABLES.join(', ')})`,
      '42501',
    );
  }
}

/** @throws DatabaseUnfit when the user lacks a right on our tables, or when somebody has switched their triggers off */
export async function checkTables(task: Task): Promise<void> {
  const { lacking, off, user } = await task.one<{ lacking: string[]; off: string[]; user: string }>(
    `SELECT current_user::text AS "user",
       array(SELECT r || ' ON ' || t FROM unnest($<tables>::text[]) t, unnest($<rights>::text[]) r
         WHERE to_regclass(t) IS NOT NULL AND NOT has_table_privilege(to_regclass(t), r)) AS lacking,
       array(SELECT g.tgname::text FROM unnest($<tables>::text[]) t JOIN pg_trigger g ON g.tgrelid = to_regclass(t)
         WHERE NOT g.tgisinternal AND g.tgname LIKE 'mo\\_%' AND g.tgenabled IN ('D', 'R')) AS off`,
    { tables: TABLES, rights: RIGHTS },
  );
  if (lacking.length > 0) {
    throw new DatabaseUnfit(
      `the user lacks rights (${lacking.slice(0, 3).join(', ')}${lacking.length > 3 ? ', …' : ''}): ` +
        `GRANT ${RIGHTS.join(', ')} ON ${TABLES.join(', ')} TO "${user}"`,
      '42501',
    );
  }
  if (off.length > 0) {
    throw new DatabaseUnfit(
      `triggers are switched off (${off.join(', ')}), so that nothing clears update_odoo: ` +
        off.map((name) => `ALTER TABLE mo_batch ENABLE TRIGGER ${name}`).join('; '),
    );
  }
}

/** What says which session a statement runs in. */
interface Session {
  pid: number;
  mark: string | null;
}

/** What pg-pool says when a connection is not made in time. */
const NO_CONNECTION = /due to connection timeout/;
const MARK = 'mo_bridge.session';
const WHICH = `SELECT pg_backend_pid() AS pid, current_setting('${MARK}', true) AS mark`;

/**
 * Two clients in turns, one of them in a transaction at times: behind a pooler that hands out its connections by the
 * transaction, one finds itself in another session, or the other's mark in its own.
 * @throws DatabaseUnfit naming the transaction mode and what to set
 */
export async function checkSessionsAreKept(db: Database): Promise<void> {
  const marked = async (task: Task): Promise<() => Promise<void>> => {
    const mark = randomUUID();
    const { pid } = await task.one<Session>(
      `SELECT pg_backend_pid() AS pid, set_config('${MARK}', $1, false) AS mark`,
      mark,
    );
    return async () => {
      const now = await task.one<Session>(WHICH);
      if (now.pid !== pid || now.mark !== mark) {
        throw new DatabaseUnfit(
          `a connection pooler in transaction mode stands before the database (PgBouncer: pool_mode = transaction), where ` +
            `settings and locks of a session do not last: ${POOLER}`,
        );
      }
    };
  };
  const turns = (one: Task): Promise<void> =>
    db.task(async (two) => {
      const [isOne, isTwo] = [await marked(one), await marked(two)];
      // Twice: a pooler that hands its connections out in turns may come back to the same one after an even number.
      for (const look of [isOne, isOne, isTwo, isTwo, isOne]) await look();
      await one.tx(async () => isTwo());
      for (const look of [isTwo, isOne, isOne]) await look();
    });
  await db.task((one) =>
    turns(one).catch((error: unknown) => {
      if (!NO_CONNECTION.test((error as Error).message)) throw error;
      throw new DatabaseUnfit(
        'one connection works, a second one is not given: let the connection pooler (default_pool_size, max_user_connections) ' +
          'or the server give more; MO Bridge needs 2 and uses up to 6',
      );
    }),
  );
}

/** Bytes of the trial: enough to need new pages on the disk. */
const TRIAL = 65_536;
class TakenBack extends Error {}

/** Writes rows and takes them back: what a session says of itself tells nothing of a full disk. @throws what is in the way */
export async function tryToWrite(db: Database): Promise<void> {
  await db
    .tx(async (tx) => {
      await tx.none(
        `INSERT INTO mo_events (kind, detail)
         SELECT 'trial', to_jsonb(string_agg(md5(random()::text), '')) FROM generate_series(1, $1)`,
        TRIAL / 32,
      );
      throw new TakenBack();
    })
    .catch((error: unknown) => {
      if (!(error instanceof TakenBack)) throw error;
    });
}
