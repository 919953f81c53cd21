/**
 * What a person wants to know of a database before deploying: is it reachable, is it ours, what is in it.
 */
import { BatchStore } from './batch-store';
import { type DatabaseAddress, openDatabase, type Task } from './connection';
import { explained } from './explain';
import { currentVersion, inspect } from './migrate';
import { SCHEMA } from './migrations';
import { checkDatabase, checkSessionsAreKept, checkTables } from './requirements';

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

/** Reads only. @throws Error saying what is wrong and what to do */
export async function probeDatabase(address: DatabaseAddress): Promise<DatabaseProbe> {
  const db = openDatabase({ ...address, timeoutMs: STATEMENT_LIMIT });
  try {
    await checkSessionsAreKept(db);
    return await db.task((task) => probe(task, new BatchStore(db)));
  } catch (error) {
    throw new Error(explained(error), { cause: error });
  } finally {
    // Its end may wait for a server that is gone: nobody waits for it.
    db.$pool.end().catch(() => undefined);
  }
}

async function probe(task: Task, store: BatchStore): Promise<DatabaseProbe> {
  const { server } = await task.one<{ server: string }>(`SELECT current_setting('server_version') AS server`);
  const found = { server, schema: await currentVersion(task), latest: SCHEMA };
  const { schema, latest } = found;
  if (schema > latest) {
    throw new Error(`the database has schema ${schema}, this package knows up to ${latest}: update the package here`);
  }
  const old = schema < latest && (await inspect(task)) && schema === 0;
  await checkDatabase(task, schema < latest);
  await checkTables(task);
  if (schema === latest) return { ...found, state: 'current', counts: await counts(task, store) };
  return { ...found, state: schema > 0 ? 'older' : old ? 'old-system' : 'empty' };
}

async function counts(task: Task, store: BatchStore): Promise<DatabaseProbe['counts']> {
  const { queue, unconfirmed, set_aside, held } = await store.summary();
  const { history } = await task.one<{ history: number }>('SELECT count(*)::int AS history FROM mo_histories');
  return { queue, unconfirmed, set_aside: set_aside.length, held: held.length, history };
}
