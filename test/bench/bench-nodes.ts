/**
 * What the bench loads into Node-RED beside the package: an admin API that measures the process from inside, and a stand-in
 * for node-red-contrib-postgresql.
 */
import { Session, type Profiler } from 'node:inspector/promises';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { NodeAPI, NodeDef, Node, NodeMessageInFlow } from 'node-red';
import pgPromise from 'pg-promise';

/** What the event loop delay is sampled with (ms); the histogram's values include it. */
const SAMPLE = 1;

/** MB of this process after a full collection. */
export interface Memory {
  /** Resident set size. */
  rss: number;
  /** Live objects of JavaScript, and the buffers that they hold. */
  live: number;
}

const MB = 1e6;
setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

function memory(): Memory {
  collect();
  collect();
  const { rss, heapUsed, external } = process.memoryUsage();
  return { rss: rss / MB, live: (heapUsed + external) / MB };
}

const delays = monitorEventLoopDelay({ resolution: SAMPLE });
const session = new Session();
session.connect();

const commands: Record<string, () => unknown> = {
  memory,
  'delay-start': () => {
    delays.reset();
    delays.enable();
  },
  /** p99 and maximum of the event loop delay since the start (ms), beyond the sampling interval. */
  'delay-stop': () => {
    delays.disable();
    const [p99, max] = [delays.percentile(99), delays.max].map((ns) => ns / 1e6 - SAMPLE);
    return { p99, max };
  },
  'profile-start': async () => {
    await session.post('Profiler.enable');
    await session.post('Profiler.setSamplingInterval', { interval: 500 });
    await session.post('Profiler.start');
  },
  'profile-stop': async (): Promise<Profiler.Profile> => (await session.post('Profiler.stop')).profile,
};

interface Pool {
  query(text: string, values: unknown[]): Promise<{ rows: unknown[]; command: string; rowCount: number }>;
  end(): Promise<void>;
}
interface ConnectionNode extends Node {
  pgPool: Pool;
}
interface ConnectionDef extends NodeDef {
  host: string;
  port: string;
  database: string;
  user: string;
  password: string;
  max: string;
}
interface QueryDef extends NodeDef {
  query: string;
  postgreSQLConfig: string;
}
type Message = NodeMessageInFlow & { params?: unknown[]; pgsql?: object };

/**
 * Takes the place of node-red-contrib-postgresql (0.14: a pool of node-postgres, `msg.params` bound to the query, rows in
 * `msg.payload`), under the same type and property names. It leaves out what costs time there and helps nobody here:
 * templates, cursors, ticks.
 */
function registerPostgresql(RED: NodeAPI): void {
  const { Pool } = pgPromise({ noWarnings: true }).pg as unknown as { Pool: new (options: object) => Pool };
  RED.nodes.registerType('postgreSQLConfig', function (this: ConnectionNode, config: ConnectionDef) {
    RED.nodes.createNode(this, config);
    const { host, port, database, user, password, max } = config;
    this.pgPool = new Pool({ host, port: Number(port), database, user, password, max: Number(max) });
    this.on('close', (done: () => void) => void this.pgPool.end().finally(done));
  });
  RED.nodes.registerType('postgresql', function (this: Node, config: QueryDef) {
    RED.nodes.createNode(this, config);
    const { pgPool } = RED.nodes.getNode(config.postgreSQLConfig) as unknown as ConnectionNode;
    this.on('input', (msg: Message, send, done) => {
      pgPool.query(config.query, msg.params ?? []).then(({ rows, command, rowCount }) => {
        msg.payload = rows;
        msg.pgsql = { command, rowCount };
        send(msg);
        done();
      }, done);
    });
  });
}

export const init = (RED: NodeAPI): void => {
  registerPostgresql(RED);
  RED.httpAdmin.post('/bench/:command', (request, response) => {
    const command = commands[request.params.command];
    if (!command) return void response.sendStatus(404);
    Promise.resolve()
      .then(command)
      .then(
        (result: unknown) => response.json(result ?? null),
        (error: unknown) => response.status(500).json(String(error)),
      );
  });
};
