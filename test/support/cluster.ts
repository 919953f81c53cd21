/** A real PostgreSQL for tests: one cluster per run (or, for a single test file, per process), one database per use. */
import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pgPromise from 'pg-promise';
import { startEmbeddedPostgres } from '../../nodes/lib/postgres/embedded-postgres';

/** Where a database is, as node-postgres takes it. */
export interface ConnectionData {
  host: string;
  port: number;
  user: string;
  password: string;
  database: string;
}

export interface TestCluster {
  /** Goes as JSON into the environment variable MO_BRIDGE_TEST_CLUSTER of the test processes. */
  connection: ConnectionData;
  /** Stops the server and removes its folder. */
  stop(): Promise<void>;
}

export interface TestDatabase extends ConnectionData {
  url: string;
  /** Drops the database, connections or not. */
  drop(): Promise<void>;
}

const { pg } = pgPromise({ noWarnings: true });

/** A client of pg-promise's own node-postgres, whose types leave connecting out. */
export type Client = InstanceType<typeof pg.Client> & { connect(): Promise<void>; end(): Promise<void> };

/** Runs one statement on a connection of its own and gives its rows. */
export async function queryOnce<Row>({ host, port, user, password, database }: ConnectionData, sql: string) {
  const client = new pg.Client({ host, port, user, password, database }) as Client;
  // A server that ends between two of its answers: the statement fails, the process does not.
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query<Row>(sql)).rows;
  } finally {
    await client.end();
  }
}

/** A new folder below the system's temporary one that an unprivileged user can enter too. */
export function openTempFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'mo-bridge-test-'));
  chmodSync(folder, 0o755);
  return folder;
}

/** The process id of the server in a data root, from PostgreSQL's own postmaster.pid. */
export const postmasterPid = (root: string): number =>
  Number.parseInt(readFileSync(join(root, 'cluster/data/postmaster.pid'), 'utf8'), 10);

const pauseSync = (ms: number) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);

/** Starts a cluster of its own in a temporary folder; for the runner of the suite. Also cleans up at process exit. */
export async function startTestCluster(): Promise<TestCluster> {
  const folder = openTempFolder();
  const server = await startEmbeddedPostgres({ directory: join(folder, 'postgresql'), log: () => undefined });
  const pid = postmasterPid(server.directory);
  const remove = () => rmSync(folder, { recursive: true, force: true });
  const atExit = () => {
    // Nothing asynchronous runs here any more; the folder is thrown away, so an immediate shutdown will do.
    process.kill(pid, 'SIGQUIT');
    const pidFile = join(server.directory, 'cluster/data/postmaster.pid');
    for (let left = 500; existsSync(pidFile) && left > 0; left -= 1) pauseSync(10);
    remove();
  };
  process.once('exit', atExit);
  const { host, port, user, password, database } = server;
  return {
    connection: { host, port, user, password, database },
    stop: async () => {
      process.off('exit', atExit);
      await server.stop();
      remove();
    },
  };
}

let ownCluster: Promise<TestCluster> | undefined;

async function clusterConnection(): Promise<ConnectionData> {
  const shared = process.env['MO_BRIDGE_TEST_CLUSTER'];
  if (shared) return JSON.parse(shared) as ConnectionData;
  ownCluster ??= startTestCluster();
  return (await ownCluster).connection;
}

/** A new, empty database in the run's cluster. */
export async function testDatabase(): Promise<TestDatabase> {
  const server = await clusterConnection();
  const database = `mo_test_${randomBytes(6).toString('hex')}`;
  await queryOnce(server, `create database ${database}`);
  const { host, port, user, password } = server;
  return {
    ...server,
    database,
    url: `postgresql://${user}:${encodeURIComponent(password)}@${host}:${port}/${database}`,
    drop: async () => {
      await queryOnce(server, `drop database if exists ${database} with (force)`);
    },
  };
}
