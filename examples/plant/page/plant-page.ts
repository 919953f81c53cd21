/**
 * The page "The plant": the simulated plant, the queue and Odoo drawn as they are, and buttons that pull things. It is
 * served by the demo itself, so that it outlives the Node-RED that it may kill.
 */
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import pgPromise from 'pg-promise';
import { IDS } from '../demo-flow';
import { Deeds, type Scene } from './mischief';
import { pictureOf } from './picture';
import type { Picture, Told } from './told';

/** Between two pictures, while somebody looks (ms). */
const PACE = 1000;
/** A database that was killed answers nothing: no picture waits longer for it (ms). */
const PATIENCE = 3000;
/** Compiled files run from dist/examples/plant/page; what is no code lies beside the sources. */
const SOURCES = resolve(__dirname, '..', '..', '..', '..', 'examples', 'plant', 'page');

const FILES: Record<string, { file: string; type: string }> = {
  '/': { file: join(SOURCES, 'page.html'), type: 'text/html' },
  '/page.css': { file: join(SOURCES, 'page.css'), type: 'text/css' },
  '/page.js': { file: join(__dirname, 'browser.js'), type: 'text/javascript' },
};

export interface PlantPage {
  url: string;
  stop(): Promise<void>;
}

/** The queue's database as it is now; asked for anew after each failure. */
class QueueDatabase {
  readonly #pgp = pgPromise({ noWarnings: true });
  #db: pgPromise.IDatabase<object> | undefined;

  constructor(private readonly scene: Scene) {}

  /** @returns undefined while there is none */
  async get(): Promise<pgPromise.IDatabase<object> | undefined> {
    if (this.#db || !this.scene.nodeRed.up) return this.#db;
    try {
      const connection = await this.scene.nodeRed.host.database(IDS.database);
      const limits = { max: 1, connectionTimeoutMillis: PATIENCE, query_timeout: PATIENCE };
      this.#db = this.#pgp({ ...connection, ...limits });
    } catch {
      // Node-RED or its database is still starting: the next picture asks again.
      return undefined;
    }
    return this.#db;
  }

  async drop(): Promise<void> {
    const db = this.#db;
    this.#db = undefined;
    await db?.$pool.end();
  }
}

const answer = (response: ServerResponse, status: number, type: string, body: string | Buffer): void => {
  response.writeHead(status, { 'Content-Type': `${type}; charset=utf-8`, 'Cache-Control': 'no-store' }).end(body);
};

/** Another site's page must not pull at the plant of whoever looks at it. */
const ofThisPage = ({ headers }: IncomingMessage): boolean =>
  headers['sec-fetch-site'] === undefined || headers['sec-fetch-site'] === 'same-origin';

/** Serves the page on 127.0.0.1. @param port 0: a free one */
export async function startPlantPage(scene: Scene, port = 0): Promise<PlantPage> {
  const deeds = new Deeds(scene);
  const database = new QueueDatabase(scene);
  const watchers = new Set<ServerResponse>();

  const picture = async (): Promise<Picture> => {
    try {
      return await pictureOf(scene.plant, await database.get(), deeds.all);
    } catch {
      // The database has gone: the picture without it says so.
      await database.drop();
      return pictureOf(scene.plant, undefined, deeds.all);
    }
  };
  const tell = async (): Promise<void> => {
    const { plant, nodeRed } = scene;
    const { refuse, stop } = plant.plc.faults;
    const told: Told = {
      ...(await picture()),
      at: new Date().toISOString(),
      node_red: { up: nodeRed.up, url: nodeRed.host.url },
      plc: { cable: !refuse, running: !stop },
    };
    for (const watcher of watchers) watcher.write(`data: ${JSON.stringify(told)}\n\n`);
  };
  let telling = Promise.resolve();
  const tellNext = (): Promise<void> => (telling = telling.then(tell));

  const act = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const [, verb, code = ''] = /^\/(pull|mend)\/([\w-]+)$/.exec(request.url ?? '') ?? [];
    if (!verb) return answer(response, 404, 'text/plain', 'no such page');
    if (!ofThisPage(request)) return answer(response, 403, 'text/plain', 'from this page only');
    try {
      await (verb === 'pull' ? deeds.pull(code) : deeds.mend(code));
      answer(response, 204, 'text/plain', '');
      if (watchers.size > 0) await tellNext();
    } catch (error) {
      answer(response, 409, 'text/plain', (error as Error).message);
    }
  };
  const watch = (request: IncomingMessage, response: ServerResponse): void => {
    response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
    watchers.add(response);
    request.once('close', () => watchers.delete(response));
    void tellNext();
  };

  const server = createServer((request, response) => {
    if (request.method === 'POST') return void act(request, response);
    if (request.url === '/events') return watch(request, response);
    const found = FILES[request.url ?? ''];
    if (!found) return answer(response, 404, 'text/plain', 'no such page');
    answer(response, 200, found.type, readFileSync(found.file));
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const timer = setInterval(() => watchers.size > 0 && void tellNext(), PACE);
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: async () => {
      clearInterval(timer);
      for (const watcher of watchers) watcher.end();
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
      await telling;
      await database.drop();
    },
  };
}
