/** One PostgreSQL server process: start or adopt it, own it, notice its end, stop it. */
import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { open, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Claim } from './claim';
import { HOST, isAlive, readPassword, type ClusterPlace } from './cluster';
import { choosePort } from './port';
import { keepBeating, OwnedElsewhere, takeOwnership, type Connection } from './owner';
import { run, spawnOptions, type PostgresBinaries } from './binaries';

/** Longest start (ms); a recovery after a crash replays at most max_wal_size. */
const START_TIMEOUT = 60_000;
/** Fast shutdown, then immediate (s): well below the 15 s that Node-RED gives a closing node, whose connections end first. */
const STOP_SECONDS = { fast: 6, immediate: 3 };
const POLL = 25;
const LOG_LIMIT = 5_000_000;
/**
 * Small and quiet: no socket file, no extra I/O processes, a log that grows by events only (failed statements are
 * reported by the nodes). fsync stays at its default, on.
 */
const SETTINGS = {
  ...{ listen_addresses: HOST, unix_socket_directories: '', timezone: 'UTC', log_timezone: 'UTC' },
  ...{ shared_buffers: '32MB', max_wal_size: '256MB', min_wal_size: '64MB', io_method: 'sync' },
  ...{ log_min_messages: 'log', log_checkpoints: 'off', logging_collector: 'off', log_line_prefix: '%m [%p] ' },
};

/** A running server that this process owns. */
export interface Server {
  port: number;
  password: string;
  /** True when it was running already, left by a killed owner. */
  adopted: boolean;
  /** Ends the server; bounded; the same promise each time. */
  stop(): Promise<void>;
}

interface Postmaster {
  pid: number;
  port: number;
  ready: boolean;
}

/**
 * The living server of the data directory, from postmaster.pid (lines: pid, directory, start, port, …, 8th: status).
 * A process that took over the number of a dead server (usual in restarted containers) does not count.
 */
async function livingPostmaster(data: string): Promise<Postmaster | undefined> {
  const lines = (await readFile(`${data}/postmaster.pid`, 'utf8').catch(() => '')).split('\n');
  const pid = Number(lines[0]);
  if (!pid || !isAlive(pid)) return undefined;
  if (process.platform === 'linux') {
    const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    if (basename(command.split('\0')[0] ?? '') !== 'postgres' || !command.includes(data)) return undefined;
  }
  return { pid, port: Number(lines[3]), ready: lines[7]?.trim() === 'ready' };
}

/**
 * PostgreSQL takes a postmaster.pid for stale unless its process lives, whatever that process is. Our own number in its
 * place is stale to a child of ours, and the file's shared memory key goes on guarding against a server that still runs.
 */
async function disownStalePid(data: string): Promise<void> {
  const text = await readFile(`${data}/postmaster.pid`, 'utf8').catch(() => '');
  const pid = Number.parseInt(text, 10);
  if (pid > 0 && isAlive(pid)) await writeFile(`${data}/postmaster.pid`, text.replace(/^\d+/, String(process.pid)));
}

/** What the server said since `from` (a position in the log, bytes); of much, the end. */
async function readLog(place: ClusterPlace, from: number): Promise<string> {
  const file = await open(place.logFile, 'r');
  try {
    const { size } = await file.stat();
    const start = Math.max(from, size - 2000);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(Math.max(0, size - start)), { position: start });
    return buffer.toString('utf8', 0, bytesRead).trim();
  } finally {
    await file.close();
  }
}

const logSize = async (place: ClusterPlace) => (await stat(place.logFile).catch(() => undefined))?.size ?? 0;

/** A launched server process; `ended` says how it ended. */
interface Launch {
  child: ChildProcess;
  port: number;
  logFrom: number;
  ended?: string;
}

async function launch(place: ClusterPlace, binaries: PostgresBinaries, port: number): Promise<Launch> {
  await disownStalePid(place.data);
  if ((await logSize(place)) > LOG_LIMIT) await rename(place.logFile, `${place.logFile}.1`);
  const logFrom = await logSize(place);
  const settings = Object.entries({ ...SETTINGS, port }).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const logFile = openSync(place.logFile, 'a', 0o600);
  // Detached: Ctrl-C in Node-RED's terminal must not reach the server before Node-RED has closed its nodes.
  const child = spawn(binaries.postgres, ['-D', place.data, ...settings], {
    ...spawnOptions(place.user, place.root),
    detached: true,
    stdio: ['ignore', logFile, logFile],
  });
  closeSync(logFile);
  child.unref();
  const launched: Launch = { child, port, logFrom };
  child.once('error', (error) => (launched.ended = error.message));
  child.once('exit', (code, signal) => (launched.ended = signal ? `signal ${signal}` : `exit code ${code}`));
  return launched;
}

/** How `openServer` is asked for a server. */
export interface ServerRequest {
  place: ClusterPlace;
  /** This process's claim to the folder. */
  claim: Claim;
  binaries: PostgresBinaries;
  /** 0: the kept one, or the first free. */
  port: number;
  log: (line: string) => void;
  /** Called once when the server is lost without `stop`. */
  onExit: (reason: string) => void;
}

/** Starts the server of an existing cluster, or adopts the one that a killed owner left running. */
export async function openServer(request: ServerRequest): Promise<Server> {
  const { place, claim, binaries, port, log } = request;
  const password = await readPassword(place);
  const tried = new Set<number>();
  let launched: Launch | undefined;
  let said = '';
  for (const deadline = Date.now() + START_TIMEOUT; Date.now() < deadline; await pause(POLL)) {
    if (launched?.ended) {
      said = await explainFailure(place, launched, port, tried);
      launched = undefined;
    }
    const postmaster = await livingPostmaster(place.data);
    if (postmaster?.ready) {
      const owner = await takeOwnership(place, postmaster.port, password).catch((error: Error) => {
        // Refused by the server itself, not for another owner: it must not be left running.
        if (!(error instanceof OwnedElsewhere)) launched?.child.kill('SIGINT');
        throw error;
      });
      if (owner) {
        try {
          await claim.confirm();
          return await ownServer(request, postmaster, password, owner, launched);
        } catch (error) {
          // Its lock would keep every later start of this very process out.
          await owner.end().catch(() => undefined);
          throw error;
        }
      }
    } else if (!postmaster && !launched) {
      claim.lost.throwIfAborted();
      launched = await launch(place, binaries, port || (await choosePort(place, tried, log)));
    }
  }
  launched?.child.kill('SIGQUIT');
  throw new Error(
    `The embedded PostgreSQL in ${place.root} was not ready after ${START_TIMEOUT / 1000} s. See ${place.logFile} ${said}`,
  );
}

/** Returns what the server said when a new attempt makes sense (port lost, earlier server still ending); else throws. */
async function explainFailure(
  place: ClusterPlace,
  launched: Launch,
  port: number,
  tried: Set<number>,
): Promise<string> {
  const said = await readLog(place, launched.logFrom);
  // A server that was killed leaves children that need a moment to notice; another process may be starting too.
  if (/is still in use|lock file .* (already exists|is empty)/.test(said)) return said;
  if (/could not bind|could not create any TCP/.test(said)) {
    if (port)
      throw new Error(`Port ${port} for the embedded PostgreSQL is in use. Choose another, or 0 for a free one.`);
    tried.add(launched.port);
    return said;
  }
  throw new Error(`The embedded PostgreSQL in ${place.root} did not start (${launched.ended}). It said: ${said}`);
}

async function ownServer(
  { place, claim, binaries, port, log, onExit }: ServerRequest,
  postmaster: Postmaster,
  password: string,
  firstOwner: Connection,
  launched: Launch | undefined,
): Promise<Server> {
  let stopping: Promise<void> | undefined;
  let lost = false;
  const ended = new AbortController();

  const isRunning = async () => (await livingPostmaster(place.data))?.pid === postmaster.pid;

  const watch = (connection: Connection) => {
    // The server alone must not keep a process alive that has nothing else to do.
    connection.unref();
    connection.once('end', () => void connectionLost());
  };

  /** The server restarts its connections when one of its processes was killed: then ownership is taken again. */
  const connectionLost = async () => {
    let reason = '';
    try {
      while (!stopping && (await isRunning())) {
        const again = await takeOwnership(place, postmaster.port, password);
        if (again) return watch(again);
        await pause(POLL);
      }
      if (stopping) return;
      reason = `The embedded PostgreSQL in ${place.root} ended by itself${launched?.ended ? ` (${launched.ended})` : ''}`;
    } catch (error) {
      reason = (error as Error).message;
    }
    lose(`${reason}. See ${place.logFile}`);
  };

  const lose = (reason: string) => {
    if (lost || stopping) return;
    lost = true;
    ended.abort();
    onExit(reason);
  };

  /** Killed, not stopped: nothing more may be written, and no file of the other owner's server be removed. */
  const giveWay = async () => {
    try {
      if (await isRunning()) process.kill(postmaster.pid, 'SIGKILL');
    } catch (error) {
      log(`PostgreSQL (process ${postmaster.pid}) had ended before it was killed: ${(error as Error).message}`);
    }
    lose((claim.lost.reason as Error).message);
  };

  const shutDown = async () => {
    ended.abort();
    if (lost) return;
    for (const [mode, seconds] of Object.entries(STOP_SECONDS)) {
      const args = ['stop', '-D', place.data, '-m', mode, '-t', String(seconds), '-s'];
      if (!(await isRunning())) break;
      await run(binaries.pgCtl, args, place.user, place.root).catch((error: Error) =>
        log(`PostgreSQL's ${mode} shutdown did not end it within ${seconds} s: ${error.message}`),
      );
    }
    if (await isRunning())
      throw new Error(`The embedded PostgreSQL in ${place.root} (process ${postmaster.pid}) goes on.`);
  };

  const adopted = postmaster.pid !== launched?.child.pid;
  log(
    `PostgreSQL ${adopted ? 'was running and is adopted' : 'runs'} on ${HOST}:${postmaster.port}, data in ${place.data}`,
  );
  if (port && port !== postmaster.port) log(`It moves to port ${port} at its next start`);
  watch(firstOwner);
  await keepBeating(place, postmaster.port, password, ended.signal);
  claim.lost.addEventListener('abort', () => void giveWay(), { once: true });
  return { port: postmaster.port, password, adopted, stop: () => (stopping ??= shutDown()) };
}
