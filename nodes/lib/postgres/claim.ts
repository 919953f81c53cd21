/**
 * Whose a data folder is, across containers and machines that share a volume. PostgreSQL's own guards end at the border of a
 * pid and ipc namespace, so the owner keeps a file beside the cluster:
 *
 *   <root>/owner.json                 who it is, and a count that goes up with every beat of its process
 *   <root>/cluster/data/mo-bridge.beat   written by PostgreSQL itself: it beats as long as the server lives, also when its
 *                                     Node-RED stalls or was killed
 *
 * A starter that cannot see the owner's process watches both for longer than any living owner is silent. An owner that finds
 * another one's name in the file has been taken for dead, and stops at once.
 */
import { randomUUID } from 'node:crypto';
import { readdir, readFile, readlink, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { isAlive, type ClusterPlace } from './cluster';

/** Time between two beats (ms). */
export const BEAT = 1000;
/** How long a file is watched before its owner counts as dead (ms): a busy disk may hold up some beats, not all. */
const WATCH = 5 * BEAT;
/** How long a claim over a dead owner's stands before it is used (ms): one that was merely frozen finds it and stops. */
const SETTLE = 2 * BEAT;
const POLL = 100;

interface Owner {
  id: string;
  host: string;
  pid: number;
  /** When the process began, in ticks since the machine's start; '' where the system does not tell. */
  started: string;
  /** This start of the machine, and the namespace in which `pid` is a process. */
  boot: string;
  namespace: string;
  since: string;
  beat: number;
}

/** A folder that this process may use. */
export interface Claim {
  id: string;
  /** Aborted, with the reason, when another owner has taken the folder. */
  lost: AbortSignal;
  /** PostgreSQL's own lock has decided for this process: the file says so from now on. */
  confirm(): Promise<void>;
  /** Ends the beats, and gives the folder free unless it is another's by now. */
  release(): Promise<void>;
}

const orEmpty = (text: Promise<string>): Promise<string> => text.catch(() => '');

/** Field 22 of /proc/<pid>/stat (proc(5)); the name in field 2 may hold anything. */
const startedAt = async (pid: number | 'self'): Promise<string> =>
  (await orEmpty(readFile(`/proc/${pid}/stat`, 'latin1'))).split(') ').pop()?.split(' ')[19] ?? '';

async function myself(): Promise<Omit<Owner, 'id' | 'since' | 'beat'>> {
  const boot = (await orEmpty(readFile('/proc/sys/kernel/random/boot_id', 'utf8'))).trim() || hostname();
  const namespace = await orEmpty(readlink('/proc/self/ns/pid'));
  return { host: hostname(), pid: process.pid, started: await startedAt('self'), boot, namespace };
}

async function read(file: string): Promise<Owner | undefined> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as Owner;
  } catch {
    return undefined; // none, or not yet written to its end
  }
}

/** Whether a process of our own namespace still is the one that made the claim: numbers are used again. */
async function lives({ pid, started }: Owner): Promise<boolean> {
  if (!isAlive(pid)) return false;
  // A container may show another namespace's /proc.
  const comparable = started !== '' && (await orEmpty(readlink('/proc/self'))) === String(process.pid);
  return !comparable || (await startedAt(pid)) === started;
}

const inUse = (root: string, owner: Owner | undefined): Error =>
  new Error(
    `The database in ${root} is in use by another MO Bridge` +
      (owner ? `, on host ${owner.host} (process ${owner.pid}) since ${owner.since}` : '') +
      '. Two Node-REDs cannot own one data directory: stop the other one (this one then goes on by itself), choose ' +
      'another directory, or let both use one PostgreSQL server.',
  );

/** The file that PostgreSQL writes. */
export const beatFile = (place: ClusterPlace): string => join(place.data, 'mo-bridge.beat');

/** What a living owner changes with every beat. */
async function pulse(place: ClusterPlace, file: string): Promise<string> {
  const seen = [file, beatFile(place)].map(async (path) => [
    await orEmpty(readFile(path, 'utf8')),
    (await stat(path).catch(() => undefined))?.mtimeMs,
  ]);
  return JSON.stringify(await Promise.all(seen));
}

/** Resolves when nothing has changed for longer than a living owner is silent. @throws when something has: it is named */
async function watchForLife(place: ClusterPlace, file: string): Promise<void> {
  const before = await pulse(place, file);
  for (const end = performance.now() + WATCH; performance.now() < end; await pause(POLL)) {
    if ((await pulse(place, file)) === before) continue;
    const owner = await read(file);
    // Given free meanwhile: the next attempt finds nobody.
    if (owner) throw inUse(place.root, owner);
    return;
  }
}

/**
 * Claims the folder for this process. At once where it is free, or where its owner is a dead process of this machine and
 * namespace; a living one there is left to PostgreSQL's own lock. Any other owner is watched first.
 * @throws Error naming the owner, while it lives
 */
export async function claimFolder(place: ClusterPlace, log: (line: string) => void): Promise<Claim> {
  const file = join(place.root, 'owner.json');
  const self = await myself();
  const mine: Owner = { ...self, id: randomUUID(), since: new Date().toISOString(), beat: 0 };
  const lost = new AbortController();
  let beating: NodeJS.Timeout | undefined;

  const isNear = ({ boot, namespace }: Owner): boolean => boot === self.boot && namespace === self.namespace;
  let writing: Promise<void> = Promise.resolve();
  /** One after the other: a beat and a confirmation share the name under which the file is prepared. */
  const write = (): Promise<void> => {
    const prepared = `${file}.${mine.id}`;
    const replace = async (): Promise<void> => {
      await writeFile(prepared, JSON.stringify({ ...mine, beat: mine.beat++ }));
      await rename(prepared, file);
    };
    // Once more where another starter has tidied up the prepared file meanwhile.
    const now = writing.then(() => replace().catch(replace));
    writing = now.catch(() => undefined);
    return now;
  };
  const stopBeating = (): void => clearInterval(beating);
  const beat = async (): Promise<void> => {
    const now = await read(file);
    if (!now || now.id === mine.id) {
      // A full disk takes no new file, but a new time.
      return await write().catch(() => utimes(file, new Date(), new Date()));
    }
    stopBeating();
    if (!isNear(now)) lost.abort(inUse(place.root, now));
  };
  const startBeating = (): void => {
    stopBeating();
    beating = setInterval(() => {
      beat().catch((error: Error) => log(`${file} could not be kept up: ${error.message}`));
    }, BEAT).unref();
  };

  /** @returns whether the file is ours */
  const take = async (): Promise<boolean> => {
    const isFree = await writeFile(file, JSON.stringify(mine), { flag: 'wx' }).then(
      () => true,
      (error: NodeJS.ErrnoException) => {
        if (error.code !== 'EEXIST') throw error;
        return false;
      },
    );
    if (isFree) return true;
    const owner = await read(file);
    if (owner && isNear(owner)) {
      if (owner.pid !== process.pid && (await lives(owner))) return false;
      await write();
      return true;
    }
    await watchForLife(place, file);
    log(`${place.root} was in use on host ${owner?.host ?? 'unknown'} and gives no sign of life: it is taken over`);
    await write();
    await pause(SETTLE);
    const now = await read(file);
    if (now?.id !== mine.id) throw inUse(place.root, now);
    return true;
  };

  if (await take()) {
    // What a killed owner was about to rename.
    for (const entry of await readdir(place.root))
      if (entry.startsWith('owner.json.')) await rm(join(place.root, entry), { force: true });
    startBeating();
  }
  return {
    id: mine.id,
    lost: lost.signal,
    confirm: async () => {
      lost.signal.throwIfAborted();
      await write();
      startBeating();
    },
    release: async () => {
      stopBeating();
      await writing;
      if ((await read(file))?.id === mine.id) await rm(file, { force: true });
    },
  };
}
