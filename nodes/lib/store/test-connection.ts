/**
 * What a person wants to know of a database before deploying: is it reachable, is it ours, what is in it.
 */
import { BatchStore } from './batch-store';
import { type DatabaseAddress, openDatabase, type Task } from './connection';
import { inspect } from './migrate';
import { SCHEMA } from './migrations';

export interface DatabaseProbe {
  /** Version of PostgreSQL, e.g. "16.4". */
  server: string;
  /** 'empty' and 'old-system' get our tables at the next deploy, 'older' is brought up to date by it. */
  state: 'current' | 'older' | 'empty' | 'old-system';
  /** Schema found (0: none) and the one of this package. */
  schema: number;
  latest: number;
  /** Only where the schema is current: rows in the queue, of them unconfirmed; set aside; held readings; in the history. */
  counts?: { queue: number; unconfirmed: number; set_aside: number; held: number; history: number };
}

/** Longest time for a statement (ms); connecting has its own limit of 5 s. */
const STATEMENT_LIMIT = 5_000;

/** What to do about an error, by SQLSTATE (PostgreSQL, appendix A) or Node's own code. */
const ADVICE: [code: RegExp, advice: string][] = [
  [/^28/, 'check user and password, and that pg_hba.conf lets this machine in'],
  [/^3D000/, 'create it on the server (CREATE DATABASE …), or check its name'],
  [/^42501/, 'grant the user CREATE on the schema and all rights on its tables'],
  [/^ECONNREFUSED/, 'check the port, and that PostgreSQL listens on this address (listen_addresses)'],
  [/^(ENOTFOUND|EAI_AGAIN)/, 'check the name of the host'],
  [/^(EHOSTUNREACH|ENETUNREACH|ETIMEDOUT)/, 'check host, network and firewall'],
];

const explained = (error: unknown): Error => {
  const { message, code = '', errors } = error as { message: string; code?: string; errors?: unknown[] };
  // Several addresses of one name fail together, with the reason in the parts only.
  if (errors?.[0]) return explained(errors[0]);
  const advice = ADVICE.find(([pattern]) => pattern.test(code))?.[1];
  const said = /timeout/i.test(message) && !advice ? `${message}: check host, port and firewall` : message;
  return new Error(advice ? `${said}: ${advice}` : said, { cause: error });
};

/** Reads only. @throws Error saying what is wrong and what to do */
export async function probeDatabase(address: DatabaseAddress): Promise<DatabaseProbe> {
  const db = openDatabase({ ...address, timeoutMs: STATEMENT_LIMIT });
  try {
    return await db.task(async (task) => {
      const { server, known, may } = await task.one<{ server: string; known: boolean; may: boolean }>(
        `SELECT current_setting('server_version') AS server, to_regclass('mo_schema') IS NOT NULL AS known,
           coalesce(has_schema_privilege(current_schema(), 'CREATE'), false) AS may`,
      );
      const found = { server, schema: known ? await version(task) : 0, latest: SCHEMA };
      const { schema, latest } = found;
      if (schema > latest) {
        throw new Error(
          `the database has schema ${schema}, this package knows up to ${latest}: update the package here`,
        );
      }
      if (schema === latest) return { ...found, state: 'current', counts: await counts(task, new BatchStore(db)) };
      const old = schema === 0 && (await inspect(task));
      if (!may) throw new Error(`the user may not create tables: GRANT CREATE ON SCHEMA public TO "${address.user}"`);
      return { ...found, state: schema > 0 ? 'older' : old ? 'old-system' : 'empty' };
    });
  } catch (error) {
    throw explained(error);
  } finally {
    // Its end may wait for a server that is gone: nobody waits for it.
    db.$pool.end().catch(() => undefined);
  }
}

const version = async (task: Task): Promise<number> =>
  (await task.one<{ version: number }>('SELECT coalesce(max(version), 0) AS version FROM mo_schema')).version;

async function counts(task: Task, store: BatchStore): Promise<DatabaseProbe['counts']> {
  const { queue, unconfirmed, set_aside, held } = await store.summary();
  const { history } = await task.one<{ history: number }>('SELECT count(*)::int AS history FROM mo_histories');
  return { queue, unconfirmed, set_aside: set_aside.length, held: held.length, history };
}
