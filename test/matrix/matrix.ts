/**
 * Each supported pair of Node.js and Node-RED: the packed package installed as the palette does it, its nodes in the editor's
 * list, the shipped flow at work until orders are archived and the account agrees, and the tests of the nodes, the examples
 * and the deploys.
 * Run by `npm run test:matrix`.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmod, cp, mkdtemp, readdir, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import pgPromise from 'pg-promise';
import { account, type Account } from '../../examples/plant/account';
import { demoFlow, IDS } from '../../examples/plant/demo-flow';
import { startNodeRed, type NodeRedHost } from '../../examples/plant/node-red-host';
import { startPlant, type Plant } from '../../examples/plant/plant';
import {
  install,
  nameOf,
  PACKAGE,
  packageJson,
  PAIRS,
  programs,
  PROJECT,
  workshop,
  type Installation,
} from '../support/installation';

/** Orders to see archived, and how long that may take (ms); one is weighed for 6 s. */
const WANTED = 3;
const PATIENCE = 120_000;
/** Longest run of one test file (ms): a hang fails with its file's name. */
const FILE_LIMIT = 10 * 60_000;
/** What starts a Node-RED of its own, and has to work on each. */
const RUN_TOO = ['examples', 'redeploy'].map((name) => join('dist', 'test', `${name}.test.js`));
/** What the tests of the nodes read besides what is compiled. */
const NEEDED = ['package.json', 'dist', 'nodes', 'icons', 'flows', 'examples', join('test', 'fixtures')];

interface NodeSet {
  module: string;
  types: string[];
  enabled: boolean;
  local: boolean;
  err?: string;
}

async function untilArchived(wanted: number, plant: Plant, host: NodeRedHost, log: string[]): Promise<Account> {
  const pgp = pgPromise({ noWarnings: true });
  let db: pgPromise.IDatabase<object> | undefined;
  let trouble: unknown;
  try {
    for (const until = Date.now() + PATIENCE; Date.now() < until; await delay(500)) {
      try {
        db ??= pgp(await host.database(IDS.database));
        const now = await account(db, plant);
        if (now.archived >= wanted) return now;
      } catch (error) {
        // The database is still starting, or its tables are not there yet.
        trouble = error;
      }
    }
    const said = log.slice(-30).join('\n');
    throw new Error(`fewer than ${wanted} orders were archived; Node-RED said:\n${said}`, { cause: trouble });
  } finally {
    await db?.$pool.end();
  }
}

/** This project beside another Node-RED: what `require('node-red')` finds from there is that one. */
async function projectWith(version: string): Promise<Installation> {
  const folder = await mkdtemp(join(tmpdir(), 'mo-bridge-project-'));
  await chmod(folder, 0o755);
  for (const name of NEEDED) await cp(join(PROJECT, name), join(folder, name), { recursive: true });
  await symlink(join(await workshop(version), 'node_modules'), join(folder, 'node_modules'), 'dir');
  return { userDir: folder, remove: () => rm(folder, { recursive: true, force: true }) };
}

/** Runs the tests of the nodes, the examples and the deploys in a project. @returns what the runner told (TAP) @throws AssertionError that names the tests that fail */
async function runNodeTests(project: string, node: string): Promise<string> {
  const folder = join('dist', 'test', 'nodes');
  const nodes = (await readdir(join(project, folder))).filter((name) => name.endsWith('.test.js'));
  const files = [...nodes.map((name) => join(folder, name)), ...RUN_TOO];
  // Without the variable by which a test runner knows that another one started it.
  const { NODE_TEST_CONTEXT: _context, ...env } = process.env;
  const args = ['--test', '--test-concurrency=2', `--test-timeout=${FILE_LIMIT}`, '--test-reporter=tap', ...files];
  const options = { cwd: project, env, maxBuffer: 2 ** 26 };
  const { code, stdout } = await new Promise<{ code: unknown; stdout: string }>((ended) =>
    execFile(node, args, options, (error, told) => ended({ code: error?.code ?? 0, stdout: told })),
  );
  const failed = stdout.split('\n').filter((line) => /^\s*not ok /.test(line));
  assert.equal(code, 0, `tests of the nodes fail:\n${failed.join('\n')}`);
  return stdout;
}

for (const pair of PAIRS) {
  describe(nameOf(pair), () => {
    const log: string[] = [];
    let installed: Installation;
    let plant: Plant;
    let host: NodeRedHost;

    before(async () => {
      installed = await install();
      plant = await startPlant({ orders: 6, weighMs: 6_000, keepMs: 30_000, tickMs: 200 });
      const { flow, credentials } = demoFlow(plant, { fetch: 4, push: 2, archive: 2 });
      const { userDir } = installed;
      const onLine = (line: string): void => void log.push(line);
      host = await startNodeRed({ ...(await programs(pair)), flow, credentials, userDir, installed: true, onLine });
    });
    after(async () => {
      await host?.stop();
      await plant?.stop();
      await installed?.remove();
    });

    test('it is the Node-RED and the Node.js that it should be', () => {
      assert.ok(
        log.some((line) => line.includes(`Node-RED version: v${pair.nodeRed}`)),
        log.join('\n'),
      );
      assert.ok(
        log.some((line) => line.includes(`Node.js  version: v${pair.node}.`)),
        log.join('\n'),
      );
    });

    test("all nodes appear, together with node-red-contrib-s7's", async () => {
      const response = await fetch(`${host.url}/nodes`, { headers: { Accept: 'application/json' } });
      const sets = ((await response.json()) as NodeSet[]).filter(({ local }) => local);
      for (const { enabled, err, types } of sets) assert.ok(enabled && !err, `${types.join()}: ${err ?? 'disabled'}`);
      const own = sets.filter(({ module }) => module === PACKAGE);
      const types = own.flatMap((set) => set.types).sort();
      assert.deepEqual(types, Object.keys(packageJson()['node-red'].nodes).sort());
      const s7 = sets.filter(({ module }) => module === 'node-red-contrib-s7').flatMap((set) => set.types);
      assert.ok(s7.includes('s7 endpoint'), s7.join());
    });

    test('the shipped flow carries orders into the history, and the account agrees', async () => {
      const { archived, differences, kg } = await untilArchived(WANTED, plant, host, log);
      assert.ok(archived >= WANTED);
      assert.ok(kg.confirmed > 0);
      assert.deepEqual(differences, []);
    });

    test('the tests of the nodes pass', async () => {
      const [project, { node }] = await Promise.all([projectWith(pair.nodeRed), programs(pair)]);
      try {
        const told = await runNodeTests(project.userDir, node);
        assert.ok(Number(/^# pass (\d+)/m.exec(told)?.[1]) > 0, 'tests have run');
        assert.match(told, /^# skipped 0$/m);
      } finally {
        await project.remove();
      }
    });
  });
}
