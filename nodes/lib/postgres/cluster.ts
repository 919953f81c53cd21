/**
 * The data directory of the embedded PostgreSQL: where it lies, whose it is, how it comes into being.
 *
 *   <root>/cluster/            appears complete, by one rename
 *     data/                    PostgreSQL's own data directory
 *     mo-bridge.json           marker: this package, the PostgreSQL major
 *     password                 of the one database user; readable by Node-RED's user only
 *     port, postgresql.log     kept port; what the server says
 *   <root>/owner.json        whose it is just now
 *   <root>/bin-<version>/      copied programs, only where they cannot run from node_modules
 */
import { createHash, randomBytes } from 'node:crypto';
import { chmod, chown, mkdir, open, readdir, readFile, realpath, rename, rm, stat } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { run, unprivilegedUser, type PostgresBinaries, type SystemUser } from './binaries';

/** The one address the server listens on. */
export const HOST = '127.0.0.1';
export const DATABASE_USER = 'mo_bridge';
const PACKAGE = '@mo-bridge/node-red-mo-bridge';
/** Entries of a root without a cluster that do not make it foreign: our own leftovers, and those of a file system. */
const OWN_ENTRY = /^(cluster\.new-\d+|bin-.*|owner\.json.*|lost\+found)$/;

/** Where the cluster lies (absolute paths) and the user that runs it: undefined means our own. */
export interface ClusterPlace {
  root: string;
  cluster: string;
  data: string;
  passwordFile: string;
  portFile: string;
  logFile: string;
  user: SystemUser | undefined;
}

function placeIn(root: string, user: SystemUser | undefined): ClusterPlace {
  const cluster = join(root, 'cluster');
  const file = (name: string) => join(cluster, name);
  return {
    ...{ root, cluster, user },
    ...{ data: file('data'), passwordFile: file('password'), portFile: file('port'), logFile: file('postgresql.log') },
  };
}

const found = async (path: string) => await stat(path).catch(() => undefined);

/** As root: the owner of an existing cluster keeps running it, even when a user `postgres` was added since. */
async function userFor(root: string): Promise<SystemUser> {
  const data = await found(placeIn(root, undefined).data);
  if (data?.uid) return { name: `with id ${data.uid}`, uid: data.uid, gid: data.gid };
  return unprivilegedUser(await readFile('/etc/passwd', 'utf8'));
}

async function canReach(user: SystemUser, directory: string): Promise<boolean> {
  let existing = directory;
  while (!(await found(existing))) existing = dirname(existing);
  return await run('/bin/sh', ['-c', 'cd -- "$1"', 'sh', existing], user, '/').then(
    () => true,
    () => false,
  );
}

/** Creates `directory`; as root every folder that had to be made may be entered by all, whatever the umask. */
async function makeDirectory(directory: string, asRoot: boolean): Promise<void> {
  const first = await mkdir(directory, { recursive: true });
  if (!first || !asRoot) return;
  for (let made = directory; made.length >= first.length; made = dirname(made)) await chmod(made, 0o755);
}

/**
 * Decides where the cluster lies. A normal user: in `directory`. Root: there too if the user that will run PostgreSQL
 * can reach it (it cannot below /root), else in a folder of `fallbackRoot` whose name follows from `directory`; a cluster
 * that exists in either place goes first. Creates the folder.
 */
export async function findPlace(
  directory: string,
  fallbackRoot: string,
  log: (line: string) => void,
): Promise<ClusterPlace> {
  const wanted = resolve(directory);
  if (process.getuid?.() !== 0) {
    await makeDirectory(wanted, false);
    return placeIn(await realpath(wanted), undefined);
  }
  const hash = createHash('sha256').update(wanted).digest('hex').slice(0, 12);
  const fallback = join(resolve(fallbackRoot), `${basename(wanted)}-${hash}`);
  const existing: string[] = [];
  for (const root of [wanted, fallback]) if (await found(join(root, 'cluster'))) existing.push(root);
  for (const root of existing.length ? existing : [wanted, fallback]) {
    const user = await userFor(root);
    if (!(await canReach(user, root))) continue;
    if (root === fallback) log(`User ${user.name} cannot enter ${wanted}: the database is kept in ${fallback}`);
    await makeDirectory(root, true);
    return placeIn(await realpath(root), user);
  }
  throw new Error(
    `Node-RED runs as root, and the user that has to run PostgreSQL can enter neither ${wanted} nor ${fallback}. ` +
      'Make one of them reachable (chmod a+x on every folder above it), or choose another data directory.',
  );
}

/**
 * Whether the place holds a cluster of ours.
 * @returns false when it is free for a new one
 * @throws when it holds anything else (nothing is touched): foreign files, another PostgreSQL major, another user's data
 */
export async function inspectPlace(place: ClusterPlace, major: string): Promise<boolean> {
  const { root, cluster, data } = place;
  const instead = 'It was not touched. Choose another data directory';
  if (!(await found(cluster))) {
    const entries = await readdir(root);
    if (entries.every((entry) => OWN_ENTRY.test(entry))) return false;
    const what = entries.includes('PG_VERSION') ? 'the PostgreSQL data directory' : 'files';
    throw new Error(`${root} holds ${what} of another package (e.g. ${entries[0] ?? ''}). ${instead}.`);
  }
  const marker = await readFile(join(cluster, 'mo-bridge.json'), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw new Error(`${cluster} cannot be read: ${error.message}. ${instead}, or correct its owner.`, { cause: error });
  });
  if (!marker.includes(PACKAGE)) throw new Error(`${cluster} belongs to another package. ${instead}.`);
  const owner = (await stat(data)).uid;
  const self = place.user?.uid ?? process.getuid?.() ?? owner;
  if (owner !== self)
    throw new Error(`${data} belongs to the system user ${owner}; PostgreSQL would run as ${self}. ${instead}.`);
  const version = (await readFile(join(data, 'PG_VERSION'), 'utf8')).trim();
  if (version !== major)
    throw new Error(
      `${data} was written by PostgreSQL ${version}, this package brings PostgreSQL ${major}. It was not touched. ` +
        'Go back to the earlier version of this package, export the data, and import it into a new data directory.',
    );
  return true;
}

export async function writeDurably(path: string, text: string, mode: number): Promise<void> {
  const file = await open(path, 'w', mode);
  try {
    await file.chmod(mode);
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** initdb looks its user up by id and refuses one without a name, as OpenShift makes them up; PostgreSQL itself does not. */
function checkUserHasName(): void {
  try {
    userInfo();
  } catch (cause) {
    throw new Error(
      `The system user ${process.getuid?.() ?? ''} that runs Node-RED has no name (no line in /etc/passwd), and PostgreSQL ` +
        'creates no database without one: give it one when the container starts ' +
        '(echo "node-red:x:$(id -u):$(id -g)::/data:/bin/sh" >> /etc/passwd), run the container as a user of its image ' +
        '(runAsUser), or set the database node to "PostgreSQL server".',
      { cause },
    );
  }
}

/**
 * Creates the cluster with a random password. It is built in a folder beside and renamed when complete, so that a kill
 * leaves no half of one. Local trust is nowhere: every connection needs the password (SCRAM).
 */
export async function createCluster(place: ClusterPlace, binaries: PostgresBinaries, major: string): Promise<void> {
  if (!place.user) checkUserHasName();
  for (const entry of await readdir(place.root)) {
    const pid = Number(/^cluster\.new-(\d+)$/.exec(entry)?.[1]);
    if (pid && (pid === process.pid || !isAlive(pid))) await rm(join(place.root, entry), { recursive: true });
  }
  const unfinished = join(place.root, `cluster.new-${process.pid}`);
  const data = join(unfinished, 'data');
  const passwordFile = join(unfinished, 'password');
  await makeDirectory(unfinished, place.user !== undefined);
  await mkdir(data, { mode: 0o700 });
  await writeDurably(passwordFile, randomBytes(24).toString('base64url'), 0o600);
  if (place.user) for (const path of [data, passwordFile]) await chown(path, place.user.uid, place.user.gid);
  const args = ['--auth=scram-sha-256', `--username=${DATABASE_USER}`, `--pwfile=${passwordFile}`, '--encoding=UTF8'];
  args.push('--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--no-instructions', '-D', data);
  try {
    await run(binaries.initdb, args, place.user, place.root);
    if (place.user) await chown(passwordFile, process.getuid?.() ?? 0, process.getgid?.() ?? 0);
    await writeDurably(
      join(unfinished, 'mo-bridge.json'),
      `${JSON.stringify({ package: PACKAGE, postgresql: Number(major) })}\n`,
      0o644,
    );
    await rename(unfinished, place.cluster);
  } catch (cause) {
    await rm(unfinished, { recursive: true, force: true });
    // Another process that started at the same moment was faster: its cluster is as good.
    if (
      ['ENOTEMPTY', 'EEXIST', 'EPERM'].includes((cause as NodeJS.ErrnoException).code ?? '') &&
      (await found(place.cluster))
    )
      return;
    throw new Error(`The PostgreSQL data directory ${place.data} could not be created: ${(cause as Error).message}`, {
      cause,
    });
  }
}

/** Whether a process with this id exists, of whichever user. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** The password of the cluster's user. Throws when its file is gone: there is no other copy. */
export async function readPassword(place: ClusterPlace): Promise<string> {
  return await readFile(place.passwordFile, 'utf8').catch((cause: Error) => {
    throw new Error(
      `The password file ${place.passwordFile} of the embedded PostgreSQL cannot be read: ${cause.message}. ` +
        'Restore it from a backup of that folder.',
      { cause },
    );
  });
}
