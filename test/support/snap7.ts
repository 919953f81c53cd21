/**
 * An S7 server that others wrote: Snap7's, through node-snap7. It is no dependency of the project: what needs it installs and
 * builds it once, beside the project's other tools, and is skipped with the reason where that is not possible.
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { connect, createServer, type AddressInfo } from 'node:net';
import { dirname, join, resolve } from 'node:path';
import { type TestContext } from 'node:test';
import { promisify } from 'node:util';
import { CACHE } from './installation';

const VERSIONS = { 'node-snap7': '1.0.9', 'node-gyp': '12.4.0' };
/** Built for one Node.js on one kind of machine; `npm ci` clears it. */
const HOME = join(
  CACHE,
  `node-snap7-${VERSIONS['node-snap7']}-${process.platform}-${process.arch}-${process.versions.modules}`,
);
/** ms for downloading and compiling. */
const LIMIT = 5 * 60_000;

/** The part in use; node-snap7 ships without types. */
interface Snap7Server {
  readonly LocalPort: number;
  readonly PDURequest: number;
  readonly srvAreaDB: number;
  readonly S7CpuStatusRun: number;
  readonly S7CpuStatusStop: number;
  SetParam(parameter: number, value: number): boolean;
  RegisterArea(area: number, db: number, bytes: Buffer): boolean;
  GetArea(area: number, db: number): Buffer;
  SetArea(area: number, db: number, bytes: Buffer): void;
  SetEventMask(mask: number): void;
  SetCpuStatus(status: number): boolean;
  StartTo(address: string): number | false;
  Stop(): number | false;
  LastError(): number;
  ErrorText(error: number): string;
}
interface Snap7 {
  S7Server: new () => Snap7Server;
}

const run = promisify(execFile);
const load = (folder: string): Snap7 => createRequire(join(folder, 'package.json'))('node-snap7') as Snap7;

/** Installs without scripts and compiles against the headers of this Node.js, where they lie beside it; else node-gyp fetches them. */
async function build(): Promise<void> {
  await mkdir(CACHE, { recursive: true });
  const folder = await mkdtemp(`${HOME}-`);
  try {
    await writeFile(join(folder, 'package.json'), JSON.stringify({ private: true, dependencies: VERSIONS }));
    const options = { cwd: folder, timeout: LIMIT };
    await run('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund'], options);
    const prefix = resolve(dirname(process.execPath), '..');
    const headers = existsSync(join(prefix, 'include', 'node', 'node.h')) ? [`--nodedir=${prefix}`] : [];
    const gyp = join(folder, 'node_modules', 'node-gyp', 'bin', 'node-gyp.js');
    const module = join(folder, 'node_modules', 'node-snap7');
    await run(process.execPath, [gyp, 'rebuild', '-C', module, ...headers], options);
    // Another test file may have been quicker.
    if (!existsSync(HOME)) await rename(folder, HOME);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

let built: Promise<Snap7> | undefined;
const snap7 = (): Promise<Snap7> => (built ??= (existsSync(HOME) ? Promise.resolve() : build()).then(() => load(HOME)));

/** A server of Snap7 on a port of 127.0.0.1, with data blocks in memory of its own. */
export interface OtherServer {
  readonly port: number;
  /** What a data block holds now. */
  read(db: number): Buffer;
  write(db: number, offset: number, bytes: Buffer): void;
  /** Switches the CPU to STOP or back to RUN. */
  setRunning(running: boolean): void;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Starts it. @throws Error in Snap7's words when it does not listen */
async function start(
  { S7Server }: Snap7,
  t: TestContext,
  { dbs, pduSize = 480 }: { dbs: Record<number, number>; pduSize?: number },
): Promise<OtherServer> {
  const server = new S7Server();
  const port = await freePort();
  // Nobody hears its events.
  server.SetEventMask(0);
  server.SetParam(server.LocalPort, port);
  server.SetParam(server.PDURequest, pduSize);
  for (const [db, bytes] of Object.entries(dbs)) server.RegisterArea(server.srvAreaDB, Number(db), Buffer.alloc(bytes));
  if (server.StartTo('127.0.0.1') === false) throw new Error(server.ErrorText(server.LastError()));
  t.after(() => server.Stop());
  await new Promise<void>((resolve, reject) => {
    const probe = connect(port, '127.0.0.1', () => resolve(void probe.destroy())).on('error', reject);
  });
  return {
    port,
    read: (db) => server.GetArea(server.srvAreaDB, db),
    write(db, offset, bytes) {
      const block = server.GetArea(server.srvAreaDB, db);
      bytes.copy(block, offset);
      server.SetArea(server.srvAreaDB, db, block);
    },
    setRunning(running) {
      server.SetCpuStatus(running ? server.S7CpuStatusRun : server.S7CpuStatusStop);
    },
  };
}

/**
 * A server of Snap7 for one test, which it ends with.
 * @param setup data block → bytes; the largest PDU
 * @returns undefined where it cannot be had: the test is marked as skipped, with the reason, and has to return
 */
export async function otherServer(
  t: TestContext,
  setup: { dbs: Record<number, number>; pduSize?: number },
): Promise<OtherServer | undefined> {
  const module = await snap7().catch((error: unknown) => {
    const [reason] = String(error instanceof Error ? error.message : error).split('\n');
    t.skip(`not run: node-snap7 cannot be installed or built here (${reason})`);
    return undefined;
  });
  return module && start(module, t, setup);
}
