/**
 * The suite's runner: starts one PostgreSQL for all test files, runs `node --test` on them and stops it again, however that
 * ends. Arguments: test files; none: every *.test.js beside this file.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { startTestCluster } from './support/cluster';

/** Longest run of one test file (ms), many times what the slowest needs: a hang fails with its file's name. */
const FILE_LIMIT = 15 * 60_000;

const everyTest = (): string[] =>
  readdirSync(__dirname, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.js'))
    .sort()
    .map((name) => join(__dirname, name));

/** @returns the exit code of `node --test`; 1 when a signal ended it */
async function run(files: readonly string[]): Promise<number> {
  let child: ChildProcess | undefined;
  let ended: NodeJS.Signals | undefined;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      ended = signal;
      child?.kill(signal);
    });
  }
  const cluster = await startTestCluster();
  try {
    if (ended) return 1;
    child = spawn(process.execPath, ['--test', '--test-concurrency=2', `--test-timeout=${FILE_LIMIT}`, ...files], {
      stdio: 'inherit',
      env: { ...process.env, MO_BRIDGE_TEST_CLUSTER: JSON.stringify(cluster.connection) },
    });
    const [code] = (await once(child, 'exit')) as [number | null];
    return code ?? 1;
  } finally {
    await cluster.stop();
  }
}

// Until the tests have said otherwise: a process that ends early has proven nothing.
process.exitCode = 1;
const given = process.argv.slice(2);
void run(given.length > 0 ? given : everyTest()).then((code) => {
  process.exitCode = code;
});
