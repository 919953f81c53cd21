/**
 * The package as a user gets it: packed by npm, installed into a user directory with the palette's own command, and run by
 * one of the supported pairs of Node.js and Node-RED.
 */
import { execFile } from 'node:child_process';
import { chmod, cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { existsSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';

export const PACKAGE = '@mo-bridge/node-red-mo-bridge';
/** Compiled files run from dist/test/support. */
export const PROJECT = resolve(__dirname, '..', '..', '..');
/** Node-REDs and tools that are not the project's own dependencies are kept here; `npm ci` clears it. */
export const CACHE = join(PROJECT, 'node_modules', '.cache', 'mo-bridge');
/** What Node-RED 4.1 and 5 give npm when the palette installs a module (@node-red/registry/lib/installer.js). */
const PALETTE = [
  '--no-audit',
  '--no-update-notifier',
  '--no-fund',
  '--save',
  '--save-prefix=~',
  '--omit=dev',
  '--engine-strict',
];

const run = promisify(execFile);

/** A supported pair. */
export interface Pair {
  /** Major version. */
  node: 20 | 22 | 24;
  /** Exact version. */
  nodeRed: string;
}

export const PAIRS: readonly Pair[] = [
  { node: 20, nodeRed: '4.1.15' },
  { node: 22, nodeRed: '5.0.7' },
  { node: 24, nodeRed: '5.0.7' },
];

export const nameOf = ({ node, nodeRed }: Pair): string => `Node-RED ${nodeRed} on Node.js ${node}`;

type Versions = Record<string, string>;
/** The project's own package.json. */
export const packageJson = (): Record<'dependencies' | 'optionalDependencies' | 'devDependencies', Versions> & {
  'node-red': { nodes: Record<string, string> };
} => JSON.parse(readFileSync(join(PROJECT, 'package.json'), 'utf8')) as ReturnType<typeof packageJson>;

const versionIn = (folder: string, name: string): string | undefined => {
  const file = join(folder, 'node_modules', name, 'package.json');
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version : undefined;
};

/** Path of a Node.js of this major version: the running one, or npm's `node` package. */
async function nodeBinary(major: number): Promise<string> {
  if (process.versions.node.startsWith(`${major}.`)) return process.execPath;
  const { stdout } = await run('npx', ['-y', '-p', `node@${major}`, 'node', '-p', 'process.execPath'], {
    cwd: tmpdir(),
  });
  return stdout.trim();
}

/** Installs a module once, with what else its folder's package.json names. @returns the folder */
async function kept(name: string, version: string, others: object = {}): Promise<string> {
  const folder = join(CACHE, `${name}-${version}`);
  if (versionIn(folder, name) === version) return folder;
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'package.json'), JSON.stringify({ private: true, ...others }));
  await run('npm', ['install', '--no-audit', '--no-fund', `${name}@${version}`], { cwd: folder });
  return folder;
}

/** A program from the registry that is too large to be installed with the project. @returns a folder whose node_modules has it */
export const tool = (name: string, version: string): Promise<string> => kept(name, version);

/**
 * A folder with a node_modules that holds this Node-RED, what its nodes are tested with and what the package depends on: the
 * project, or one installed from the registry.
 */
export async function workshop(version: string): Promise<string> {
  if (versionIn(PROJECT, 'node-red') === version) return PROJECT;
  const { dependencies, optionalDependencies, devDependencies } = packageJson();
  const helper = { 'node-red-node-test-helper': devDependencies['node-red-node-test-helper'] };
  return kept('node-red', version, { dependencies: { ...dependencies, ...helper }, optionalDependencies });
}

/** Programs of a pair, downloaded where needed. @returns paths of the Node.js binary and of Node-RED's red.js */
export async function programs(pair: Pair): Promise<{ node: string; nodeRed: string }> {
  const [node, folder] = await Promise.all([nodeBinary(pair.node), workshop(pair.nodeRed)]);
  return { node, nodeRed: join(folder, 'node_modules', 'node-red', 'red.js') };
}

/** Path of a file as `npm pack` lists it, and the archive. */
export interface Tarball {
  path: string;
  files: string[];
}

/** Packs what is built. @param folder where the archive is put; none: it is only listed */
export async function pack(folder?: string): Promise<Tarball> {
  const where = folder === undefined ? ['--dry-run'] : ['--pack-destination', folder];
  // The build has run: npm must not run it again (prepack) while tests use its output.
  const { stdout } = await run('npm', ['pack', '--json', '--ignore-scripts', ...where], { cwd: PROJECT });
  // npm 12 answers an object by package name, its predecessors a list.
  const [packed] = Object.values(JSON.parse(stdout) as Record<string, { filename: string; files: { path: string }[] }>);
  if (!packed) throw new Error(`npm pack answered nothing: ${stdout}`);
  return { path: join(folder ?? '', packed.filename), files: packed.files.map(({ path }) => path) };
}

export interface Installation {
  userDir: string;
  remove(): Promise<void>;
}

/** A new user directory with the packed package, installed as Node-RED's palette manager does it. */
export async function install(): Promise<Installation> {
  const userDir = await mkdtemp(join(tmpdir(), 'mo-bridge-installed-'));
  const remove = (): Promise<void> => rm(userDir, { recursive: true, force: true });
  try {
    await chmod(userDir, 0o755);
    await writeFile(
      join(userDir, 'package.json'),
      JSON.stringify({ name: 'node-red-project', version: '0.0.1', private: true }),
    );
    const { path } = await pack(userDir);
    await run('npm', ['install', ...PALETTE, '--', path], { cwd: userDir });
    return { userDir, remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

/** A copy of an installation, so that each Node-RED has a user directory of its own. */
export async function copyOf({ userDir }: Installation): Promise<Installation> {
  const copy = await mkdtemp(join(tmpdir(), 'mo-bridge-installed-'));
  await chmod(copy, 0o755);
  await cp(userDir, copy, { recursive: true, verbatimSymlinks: true });
  return { userDir: copy, remove: () => rm(copy, { recursive: true, force: true }) };
}

/** Adds Dashboard 2 to an installation, as the palette manager would: the project's own, so that no network is needed. */
export async function linkDashboard({ userDir }: Installation): Promise<void> {
  const name = '@flowfuse/node-red-dashboard';
  const target = join(userDir, 'node_modules', name);
  await mkdir(dirname(target), { recursive: true });
  await symlink(join(PROJECT, 'node_modules', name), target, 'dir');
}
