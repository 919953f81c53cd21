/** The databases that run: where each is, for dialogs and tests of the connection. */
import { resolve, join } from 'node:path';
import type { Node, NodeAPI } from 'node-red';
import type { LinkState } from '../lib/domain/link-state';
import { bounded } from '../lib/node-red/bounded';
import type { TlsConfigNode } from '../lib/node-red/config-nodes';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../lib/postgres/embedded-postgres';
import type { DatabaseAddress } from '../lib/store/connection';
import type { LinkOptions } from '../lib/store/database-link';
import { type Config, USUAL_PORT } from './settings';

type Words = (key: string, values?: object) => string;

/** By node: what its dialog shows, never a password; and of a built-in one the address, which never leaves this process. */
export class Running {
  readonly shown = new Map<string, object>();
  readonly addresses = new Map<string, DatabaseAddress>();

  show(id: string, { host, serverPort: port, database }: Config, user: string): void {
    this.shown.set(id, { host, port, user, database });
  }
}

/** 0: the first free one. */
const ANY_PORT = { standard: 0, least: 0, most: 65_535 };

/** What the link to a database tells in the log: what a migration did and took over, and what is tried again. */
export const tellings = (node: Node, t: Words): LinkOptions => ({
  onMigrated: ({ takenOver, version }) => {
    if (takenOver) node.warn(t('status.taken-over', { ...takenOver, orders: takenOver.orders.join(', ') }));
    else node.log(t('status.migrated', { version }));
  },
  onWarning: (problem) => node.warn(problem),
});

/** Where a server of one's own is; asked again after each loss. */
export const atServer =
  (config: Config, login: { user: string; password: string }, tls: TlsConfigNode | null) =>
  (): Promise<DatabaseAddress> =>
    Promise.resolve({
      ...{ host: config.host, port: Number(config.serverPort) || USUAL_PORT, database: config.database, ...login },
      ...(tls ? { ssl: tls.addTLSOptions({}) } : {}),
    });

/** The built-in server of one node: started anew after each loss, and stopped with the node. */
export class BuiltIn {
  readonly #running: Running;
  readonly #node: Node & { link: LinkState };
  readonly #start: () => Promise<EmbeddedPostgres>;
  #server: EmbeddedPostgres | undefined;
  #closed = false;

  constructor(RED: NodeAPI, running: Running, node: Node & { link: LinkState }, config: Config, label: string) {
    const t = (key: string, values = {}): string => RED._(`mo-database.${key}`, values);
    const directory = resolve(config.directory || join(RED.settings.userDir ?? '.', 'mo-bridge', 'postgresql'));
    this.#running = running;
    this.#node = node;
    this.#start = () =>
      startEmbeddedPostgres({
        directory,
        port: bounded(node, t, 'port', config.port, ANY_PORT),
        log: (line) => node.log(line),
        onExit: (reason) => node.link.isDown(`${label}: ${reason}`),
      });
  }

  async start(): Promise<DatabaseAddress> {
    await this.#stop();
    const started = await this.#start();
    this.#server = started;
    const { host, port, user, database, password, passwordFile } = started;
    const address = { host, port, user, database, password };
    this.#running.shown.set(this.#node.id, { host, port, user, database, passwordFile });
    this.#running.addresses.set(this.#node.id, address);
    // Closed meanwhile: nobody else will stop it.
    if (this.#closed) await this.#stop();
    return address;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#stop();
  }

  async #stop(): Promise<void> {
    const ending = this.#server;
    this.#server = undefined;
    this.#running.shown.delete(this.#node.id);
    this.#running.addresses.delete(this.#node.id);
    await ending?.stop();
  }
}
