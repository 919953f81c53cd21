/**
 * A Node-RED in a process and a user directory of its own, with this package and a flow: as a user would have it.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

/** The project: compiled files run from dist/examples/plant. */
const PROJECT = resolve(__dirname, '..', '..', '..');
const PACKAGE = '@mo-bridge/node-red-mo-bridge';

export interface FlowNode {
  id: string;
  type: string;
  [property: string]: unknown;
}

export interface HostOptions {
  flow: readonly FlowNode[];
  /** Credentials by node id. */
  credentials?: Record<string, Record<string, string>>;
  /** 0: a free one. */
  port?: number;
  /** Node-RED's log, line by line. */
  onLine?: (line: string) => void;
  /** Kept when given, made and removed otherwise. */
  userDir?: string;
  /** The flows and credentials in `userDir` are taken as they were left there. */
  asLeft?: boolean;
  /** Packages of this project that Node-RED's user would have installed beside this one. */
  beside?: readonly string[];
  /** npm has installed the package in `userDir`: it is used as it is, instead of a link to this project. */
  installed?: boolean;
  /** More of its settings. */
  settings?: object;
  /** Path of Node-RED's red.js. */
  nodeRed?: string;
  /** The Node.js that runs it. */
  node?: string;
}

export interface NodeRedHost {
  url: string;
  userDir: string;
  pid: number;
  child: ChildProcess;
  /** Where its database is, once mo-database has one. @throws Error when there is none */
  database(
    mo_database: string,
  ): Promise<{ host: string; port: number; user: string; database: string; password: string }>;
  /** Ends it as the system would (SIGTERM) and removes what was made for it. */
  stop(): Promise<void>;
}

/** A TCP port that is free now. */
export async function freePort(preferred = 0): Promise<number> {
  const probe = createServer();
  try {
    probe.listen(preferred, '127.0.0.1');
    await once(probe, 'listening');
    return (probe.address() as { port: number }).port;
  } catch {
    // The preferred one is taken: any other will do.
    return freePort();
  } finally {
    probe.close();
  }
}

/** Puts this project, and others that it has, where Node-RED looks for what its user has installed. */
async function linkProject(userDir: string, beside: readonly string[]): Promise<void> {
  for (const name of [PACKAGE, ...beside]) {
    const link = join(userDir, 'node_modules', name);
    await mkdir(dirname(link), { recursive: true });
    const lies = name === PACKAGE ? PROJECT : join(PROJECT, 'node_modules', name);
    await symlink(lies, link, 'dir').catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
  }
  const dependencies = Object.fromEntries([PACKAGE, ...beside].map((name) => [name, '*']));
  const contents = { name: 'node-red-project', dependencies };
  await writeFile(join(userDir, 'package.json'), JSON.stringify(contents));
}

/** Starts Node-RED; it answers HTTP when the promise resolves. @throws Error with its log when it ends before that. */
export async function startNodeRed({
  flow,
  credentials = {},
  port = 0,
  onLine = () => undefined,
  userDir: kept,
  asLeft = false,
  beside = [],
  installed = false,
  settings: more = {},
  nodeRed = require.resolve('node-red/red.js', { paths: [PROJECT] }),
  node = process.execPath,
}: HostOptions): Promise<NodeRedHost> {
  const userDir = kept ?? (await mkdtemp(join(tmpdir(), 'mo-bridge-')));
  // As root the database runs as another user, who has to reach its data below this directory.
  await chmod(userDir, 0o755);
  const uiPort = await freePort(port);
  if (!installed) await linkProject(userDir, beside);
  const settings = {
    uiPort,
    uiHost: '127.0.0.1',
    flowFile: 'flows.json',
    credentialSecret: false,
    telemetry: { enabled: false },
    editorTheme: { tours: false },
    ...more,
  };
  await writeFile(join(userDir, 'settings.js'), `module.exports = ${JSON.stringify(settings, null, 2)};\n`);
  if (!asLeft) {
    await writeFile(join(userDir, 'flows.json'), JSON.stringify(flow, null, 2));
    await writeFile(join(userDir, 'flows_cred.json'), JSON.stringify(credentials));
  }

  const child = spawn(node, [nodeRed, '--userDir', userDir], { cwd: userDir, stdio: ['ignore', 'pipe', 'pipe'] });
  const lines: string[] = [];
  const started = new Promise<void>((started_, failed) => {
    let rest = '';
    const read = (chunk: Buffer): void => {
      const parts = (rest + chunk.toString()).split('\n');
      rest = parts.pop() ?? '';
      for (const line of parts) {
        lines.push(line);
        onLine(line);
        if (line.includes('Started flows')) started_();
      }
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    child.once('exit', (code) =>
      failed(new Error(`Node-RED ended (${code}) before its flows started:\n${lines.slice(-30).join('\n')}`)),
    );
  });
  const url = `http://127.0.0.1:${uiPort}`;
  const cleanUp = async (): Promise<void> => {
    if (!kept) await rm(userDir, { recursive: true, force: true });
  };
  await started.catch(async (error: unknown) => {
    await cleanUp();
    throw error;
  });
  return {
    url,
    userDir,
    pid: child.pid as number,
    child,
    database: async (id) => {
      const response = await fetch(`${url}/mo-bridge/mo-database/${id}/connection`);
      if (response.status !== 200) throw new Error(`mo-database ${id} has no connection yet (HTTP ${response.status})`);
      const {
        host,
        port: databasePort,
        user,
        database,
        passwordFile,
      } = (await response.json()) as Record<string, string>;
      const password = (await readFile(passwordFile as string, 'utf8')).trim();
      return {
        host: host as string,
        port: Number(databasePort),
        user: user as string,
        database: database as string,
        password,
      };
    },
    stop: async () => {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill('SIGTERM');
        await once(child, 'exit');
      }
      await cleanUp();
    },
  };
}
