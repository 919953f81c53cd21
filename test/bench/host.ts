/** Node-RED processes as the bench needs them: with and without the package, and looked into from inside. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { freePort, type NodeRedHost, startNodeRed } from '../../examples/plant/node-red-host';
import { openTempFolder } from '../support/cluster';
import type { Memory } from './bench-nodes';
import type { Deployable } from './flows';

const PROJECT = resolve(__dirname, '..', '..', '..');
const EMPTY: Deployable = { flow: [{ id: 'empty', type: 'tab', label: 'empty' }], credentials: {} };
const PACKAGE = ['node_modules', '@mo-bridge', 'node-red-mo-bridge'];

export interface BenchHost {
  /** Starts a run and waits for its end. @returns how many batches it pushed @throws Error with what went wrong */
  run(name: string): Promise<number>;
  memory(): Promise<Memory>;
  command<T>(name: string): Promise<T>;
  stop(): Promise<void>;
}

/** The nodes of the bench, where Node-RED finds them: in the `nodes` folder of the user directory. */
async function addBenchNodes(userDir: string): Promise<void> {
  const folder = join(userDir, 'nodes');
  await mkdir(folder, { recursive: true });
  const types = ['postgreSQLConfig', 'postgresql'].map(
    (type) => `<script type="text/html" data-template-name="${type}"></script>`,
  );
  await writeFile(join(folder, 'bench.html'), types.join('\n'));
  await writeFile(
    join(folder, 'bench.js'),
    `module.exports = require(${JSON.stringify(join(__dirname, 'bench-nodes.js'))}).init;\n`,
  );
}

/** @param withPackage false: Node-RED with what lies beside it in the project, node-red-contrib-s7 for one */
export async function startBenchHost({ flow, credentials } = EMPTY, withPackage = true): Promise<BenchHost> {
  const userDir = openTempFolder();
  await addBenchNodes(userDir);
  // A folder in the package's place keeps it out.
  if (!withPackage) await mkdir(join(userDir, ...PACKAGE), { recursive: true });
  const log: string[] = [];
  let host: NodeRedHost;
  try {
    host = await startNodeRed({ flow, credentials, userDir, onLine: (line) => log.push(line) });
  } catch (error) {
    await rm(userDir, { recursive: true, force: true });
    throw error;
  }
  const asked = async (response: Response): Promise<string> => {
    const text = await response.text();
    if (response.ok) return text;
    throw new Error(`${response.url}: HTTP ${response.status} ${text}\n${log.slice(-20).join('\n')}`);
  };
  const command = async <T>(name: string): Promise<T> =>
    JSON.parse(await asked(await fetch(`${host.url}/bench/${name}`, { method: 'POST' }))) as T;
  return {
    run: async (name) => (JSON.parse(await asked(await fetch(`${host.url}/bench/${name}`))) as { count: number }).count,
    memory: () => command<Memory>('memory'),
    command,
    stop: async () => {
      await host.stop();
      await rm(userDir, { recursive: true, force: true });
    },
  };
}

/** ms from the start of the process until its (empty) flows run. Without the package, node-red-contrib-s7 stays out too. */
export async function startTime(withPackage: boolean): Promise<number> {
  const userDir = openTempFolder();
  try {
    const settings = {
      ...{ uiPort: await freePort(), uiHost: '127.0.0.1', flowFile: 'flows.json', credentialSecret: false },
      ...{ telemetry: { enabled: false }, nodesExcludes: withPackage ? [] : ['s7.js'] },
    };
    await writeFile(join(userDir, 'settings.js'), `module.exports = ${JSON.stringify(settings)};\n`);
    await writeFile(join(userDir, 'flows.json'), JSON.stringify(EMPTY.flow));
    if (withPackage) {
      const place = join(userDir, ...PACKAGE);
      await mkdir(join(place, '..'), { recursive: true });
      await symlink(PROJECT, place, 'dir');
    }
    const nodeRed = require.resolve('node-red/red.js', { paths: [PROJECT] });
    const began = performance.now();
    const child = spawn(process.execPath, [nodeRed, '--userDir', userDir], {
      cwd: userDir,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const ended = once(child, 'exit');
    const took = await new Promise<number>((resolve, reject) => {
      let said = '';
      child.stdout.on('data', (chunk: Buffer) => {
        said += chunk.toString();
        if (said.includes('Started flows')) resolve(performance.now() - began);
      });
      child.once('exit', () => reject(new Error(`Node-RED ended before its flows started:\n${said}`)));
    });
    child.kill('SIGTERM');
    await ended;
    return took;
  } finally {
    await rm(userDir, { recursive: true, force: true });
  }
}
