/** The owner's connections to its own server: the lock that says whose it is, and PostgreSQL's own sign of life. */
import { setTimeout as pause } from 'node:timers/promises';
import pgPromise from 'pg-promise';
import { BEAT, beatFile } from './claim';
import { DATABASE_USER, HOST, type ClusterPlace } from './cluster';

export const DATABASE = 'mo_bridge';
/** Key of the advisory lock in database `postgres` that the owner holds: "mobr" in ASCII. */
const OWNER_LOCK = 0x6d6f6272;
/** How long the lock is waited for (ms): the server needs a moment to see that a killed owner's connection is gone. */
const OWNER_LOCK_WAIT = 1000;

/** Connection states that pass: starting up, shutting down, terminated, nobody listening (yet). */
const PASSING = ['57P03', '57P01', '57P02', 'ECONNREFUSED', 'ECONNRESET', 'EPIPE'];

// Only to reach node-postgres's Client: no database object is made here.
const { pg } = pgPromise({ noWarnings: true });
/** pg-promise's types leave out what it uses itself. */
export type Connection = InstanceType<typeof pg.Client> & {
  connect(): Promise<void>;
  end(): Promise<void>;
  unref(): void;
};

function newClient(port: number, password: string, name: string): Connection {
  const client = new pg.Client({
    ...{ host: HOST, port, user: DATABASE_USER, password, database: 'postgres', keepAlive: true },
    ...{ application_name: name, connectionTimeoutMillis: 5000 },
  }) as Connection;
  // 'end' follows every error and is what is acted on; without a listener an error would end Node-RED.
  client.on('error', () => undefined);
  return client;
}

/** Another living process holds the owner's lock. */
export class OwnedElsewhere extends Error {}

/**
 * Connects and takes the owner's lock, held as long as this connection lives.
 * @returns undefined while the server does not accept connections
 * @throws when another process holds the lock: it is named
 */
export async function takeOwnership(
  place: ClusterPlace,
  port: number,
  password: string,
): Promise<Connection | undefined> {
  const client = newClient(port, password, `mo-bridge owner ${process.pid}`);
  try {
    await client.connect();
    await client.query(`set lock_timeout = ${OWNER_LOCK_WAIT}; select pg_advisory_lock(${OWNER_LOCK})`);
    const existing = await client.query('select from pg_database where datname = $1', [DATABASE]);
    if (existing.rows.length === 0) await client.query(`create database ${DATABASE}`);
    return client;
  } catch (cause) {
    const { code, message } = cause as Error & { code?: string };
    const owner = code === '55P03' ? await ownerName(client).catch(() => 'unknown owner') : undefined;
    await client.end().catch(() => undefined);
    if (owner)
      throw new OwnedElsewhere(
        `The database in ${place.root} is in use by another process (${owner}). Two Node-REDs cannot own one data ` +
          'directory: stop the other one, choose another directory, or let both use one PostgreSQL server.',
        { cause },
      );
    if (PASSING.includes(code ?? '') || /terminated unexpectedly|timeout expired/.test(message)) return undefined;
    throw new Error(`The embedded PostgreSQL in ${place.root} (port ${port}) refuses its owner: ${message}`, { cause });
  }
}

async function ownerName(client: Connection): Promise<string> {
  const holders = await client.query<{ name: string }>(
    `select application_name as name from pg_stat_activity join pg_locks using (pid)
      where locktype = 'advisory' and classid = 0 and objid = $1 and granted`,
    [OWNER_LOCK],
  );
  return holders.rows[0]?.name ?? 'unknown owner';
}

const BEATER = 'mo-bridge beat';

/** A file is written between transactions, so that nothing is kept from being tidied up; a full disk ends no beat. */
const beats = (file: string): string => `do $beat$ begin loop
    begin
      copy (select clock_timestamp()) to '${file.replaceAll("'", "''")}';
    exception when others then null;
    end;
    commit;
    perform pg_sleep(${BEAT / 1000});
  end loop; end $beat$`;

async function beatOnConnection(client: Connection, file: string, begun: () => void): Promise<void> {
  await client.connect();
  // Of the owner before.
  await client.query(
    `select pg_terminate_backend(pid) from pg_stat_activity where application_name = '${BEATER}' and pid <> pg_backend_pid()`,
  );
  await client.query('set statement_timeout = 0');
  const beating = client.query(beats(file));
  client.unref();
  begun();
  await beating;
}

/**
 * Has PostgreSQL beat by itself for as long as it lives, whatever becomes of this process. Aborting `ended` lets go of it.
 * @returns when it has been told to, so that nothing is written before that a stall could put at risk
 */
export async function keepBeating(
  place: ClusterPlace,
  port: number,
  password: string,
  ended: AbortSignal,
): Promise<void> {
  const keep = async (begun: () => void): Promise<void> => {
    while (!ended.aborted) {
      const client = newClient(port, password, BEATER);
      // The server restarts its connections, or has ended: whoever owns it notices.
      await beatOnConnection(client, beatFile(place), begun).catch(() => undefined);
      begun();
      await client.end().catch(() => undefined);
      await pause(BEAT, undefined, { signal: ended, ref: false }).catch(() => undefined);
    }
  };
  await new Promise<void>((begun) => void keep(begun));
}
