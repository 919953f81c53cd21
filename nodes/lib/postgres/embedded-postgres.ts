/**
 * The embedded database: a real PostgreSQL server, started and stopped by this process, on 127.0.0.1 only. One server
 * per data directory; its owner is whoever holds an advisory lock in it, and across containers whoever has claimed the folder.
 * Users within one process share a server.
 */
import { resolve } from 'node:path';
import { findPostgresPackage, preparePostgresBinaries } from './binaries';
import { claimFolder } from './claim';
import { createCluster, DATABASE_USER, findPlace, HOST, inspectPlace, type ClusterPlace } from './cluster';
import { DATABASE } from './owner';
import { openServer, type Server } from './server';

export interface EmbeddedPostgresOptions {
  /** Preferred folder for the data, e.g. <userDir>/mo-bridge/postgresql. Must be missing, empty, or ours. */
  directory: string;
  /** TCP port. 0 or absent: the first free one from 15432 up, kept and used again while it is free. */
  port?: number;
  /** Receives one line for everything worth telling the engineer; never a secret. */
  log: (line: string) => void;
  /** As root only: where the data lies when the unprivileged user cannot reach `directory`. Default /var/lib/mo-bridge. */
  fallbackRoot?: string;
  /** Called once when the server has ended, or was lost, without `stop`. A new start works after it. */
  onExit?: (reason: string) => void;
}

/** A user's share of a running server, with everything needed to connect. */
export interface EmbeddedPostgres {
  host: typeof HOST;
  port: number;
  user: string;
  password: string;
  database: string;
  /** Path of the file that holds the password (mode 0600). */
  passwordFile: string;
  /** Folder where the data really lies. */
  directory: string;
  /** The server was running already, left by a Node-RED that was killed. */
  adopted: boolean;
  /** Gives the share back; the last one stops the server (within 15 s). Repeating it does nothing. */
  stop(): Promise<void>;
}

interface SharedServer {
  users: Set<EmbeddedPostgresOptions>;
  running: Promise<{ place: ClusterPlace; server: Server }>;
}

/** Running or starting servers of this process, and those that are stopping, by preferred directory. */
const servers = new Map<string, SharedServer>();
const stopping = new Map<string, Promise<void>>();

/**
 * Starts the embedded PostgreSQL in `options.directory`, creating it when there is none, or joins the one that this
 * process already runs there (whose port and fallback then count). A server that a killed process left is adopted.
 * @throws when the platform has no embedded PostgreSQL; when the directory is foreign, of another PostgreSQL major, or
 * in use by another living process (named); when the port given is in use; when PostgreSQL does not start
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const key = resolve(options.directory);
  const shared = servers.get(key) ?? open(key, options);
  // A copy: the same options object used twice counts as two users.
  const user = { ...options };
  shared.users.add(user);
  const { place, server } = await shared.running;
  const { port, password, adopted } = server;
  let stopped: Promise<void> | undefined;
  return {
    ...{ host: HOST, port, user: DATABASE_USER, password, database: DATABASE, adopted },
    ...{ passwordFile: place.passwordFile, directory: place.root },
    stop: () => (stopped ??= leave(key, shared, user)),
  };
}

function open(key: string, options: EmbeddedPostgresOptions): SharedServer {
  const users = new Set<EmbeddedPostgresOptions>();
  const log = (line: string) => users.forEach((user) => user.log(line));
  const forget = () => {
    if (servers.get(key) === shared) servers.delete(key);
  };
  const start = async () => {
    await stopping.get(key);
    const found = await findPostgresPackage();
    const place = await findPlace(key, options.fallbackRoot ?? '/var/lib/mo-bridge', log);
    // What is not ours is refused before anything is written.
    await inspectPlace(place, found.major);
    const claim = await claimFolder(place, log);
    const onExit = (reason: string) => {
      forget();
      void claim.release().catch((error: Error) => log(error.message));
      users.forEach((user) => user.onExit?.(reason));
    };
    try {
      const binaries = await preparePostgresBinaries(found, place.root, place.user);
      if (!(await inspectPlace(place, found.major))) await createCluster(place, binaries, found.major);
      const server = await openServer({ place, claim, binaries, port: options.port ?? 0, log, onExit });
      return { place, server: { ...server, stop: () => server.stop().then(() => claim.release()) } };
    } catch (error) {
      await claim.release();
      throw error;
    }
  };
  const shared: SharedServer = { users, running: start() };
  servers.set(key, shared);
  shared.running.catch(forget);
  return shared;
}

async function leave(key: string, shared: SharedServer, user: EmbeddedPostgresOptions): Promise<void> {
  shared.users.delete(user);
  if (shared.users.size > 0) return;
  if (servers.get(key) === shared) servers.delete(key);
  const ended = shared.running.then(({ server }) => server.stop());
  // The next start in this directory waits for the end, whichever way it goes: it then sees what is there.
  const settled = ended.catch(() => undefined).finally(() => stopping.get(key) === settled && stopping.delete(key));
  stopping.set(key, settled);
  await ended;
}
