import { join, resolve } from 'node:path';
import type { NodeAPI, NodeDef } from 'node-red';
import { bounded } from '../lib/node-red/bounded';
import { migrateConfig } from '../lib/node-red/config-migrations';
import type { DatabaseNode, TlsConfigNode } from '../lib/node-red/config-nodes';
import { connectionsOf } from '../lib/node-red/connections';
import { registerDialogCall, tlsOptions } from '../lib/node-red/dialog-call';
import { LinkState } from '../lib/domain/link-state';
import { Metrics } from '../lib/node-red/metrics';
import type { DatabaseAddress } from '../lib/store/connection';
import { DatabaseLink } from '../lib/store/database-link';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../lib/postgres/embedded-postgres';
import type { MigrationReport } from '../lib/store/migrate';
import { probeDatabase } from '../lib/store/test-connection';

interface Config extends NodeDef {
  mode: 'embedded' | 'server';
  directory: string;
  port: string | number;
  host: string;
  serverPort: string | number;
  database: string;
  tls: string;
  metrics: boolean;
}

interface Credentials {
  user?: string;
  password?: string;
}

/** Where the stored password may go. */
const PLACE = ['mode', 'host', 'serverPort', 'database', 'tls'] as const;

/** 0: the first free one. */
const ANY_PORT = { standard: 0, least: 0, most: 65_535 };

/** A port that a server can have, or blank for the usual one: there is no nearest one to take instead. */
const isPort = (entered: unknown): boolean => {
  const port = Number(entered ?? '');
  return Number.isInteger(port) && port >= 0 && port <= 65_535;
};

/** What the dialog shows; never a password. */
const connectionOf = ({ host, port, user, database, passwordFile }: EmbeddedPostgres): object => ({
  ...{ host, port, user, database, passwordFile },
});

export = function (RED: NodeAPI) {
  /** Where each running mo-database really is, for its dialog. */
  const shown = new Map<string, object>();
  /** The same with the password, for the embedded ones: never leaves this process. */
  const running = new Map<string, DatabaseAddress>();
  const metrics = new Metrics(() => connectionsOf(RED, 'not configured'));

  RED.httpAdmin.get(
    '/mo-bridge/mo-database/:id/connection',
    RED.auth.needsPermission('mo-database.read'),
    (req, res) => {
      const connection = shown.get(String(req.params.id));
      if (connection) res.json(connection);
      else res.sendStatus(204);
    },
  );

  RED.httpAdmin.get('/mo-bridge/metrics', RED.auth.needsPermission('mo-bridge.read'), (_req, res, next) => {
    metrics
      .scrape()
      .then((page) => (page ? res.set('Content-Type', page.type).send(page.text) : res.sendStatus(404)))
      .catch(next);
  });

  registerDialogCall(RED, 'mo-database', 'test', { place: PLACE }, (values) => {
    const {
      id = '',
      mode,
      host,
      serverPort,
      database,
      user = '',
      password = '',
    } = values as Partial<Config> & Credentials;
    if (mode !== 'server') {
      const address = running.get(id);
      if (!address) throw new Error(RED._('mo-database.error.not-running'));
      return probeDatabase(address);
    }
    const given = { host, serverPort: isPort(serverPort), database, user };
    const missing = Object.entries(given).flatMap(([key, value]) => (value ? [] : [RED._(`mo-database.label.${key}`)]));
    if (!host || !given.serverPort || !database || !user)
      throw new Error(RED._('mo-database.error.blank', { missing: missing.join(', ') }));
    const ssl = tlsOptions(RED, 'mo-database', values.tls);
    return probeDatabase({ host, port: Number(serverPort) || 5432, database, user, password, ...(ssl ? { ssl } : {}) });
  });

  RED.nodes.registerType<DatabaseNode, Config, object, Credentials>(
    'mo-database',
    function (this: DatabaseNode & { credentials: Credentials }, saved: Config) {
      RED.nodes.createNode(this, saved);
      const config = migrateConfig('mo-database', saved);
      const t = (key: string, values = {}): string => RED._(`mo-database.${key}`, values);
      const embedded = config.mode !== 'server';
      const label = config.name || (embedded ? t('palette') : config.host);
      this.link = new LinkState(({ up, problem }) => {
        if (up) this.log(t('status.back', { label }));
        else this.error(problem);
      });

      let server: EmbeddedPostgres | undefined;
      let closed = false;
      const stopServer = async (): Promise<void> => {
        const ending = server;
        server = undefined;
        shown.delete(this.id);
        running.delete(this.id);
        await ending?.stop();
      };
      const startEmbedded = async (): Promise<DatabaseAddress> => {
        await stopServer();
        const directory = resolve(config.directory || join(RED.settings.userDir ?? '.', 'mo-bridge', 'postgresql'));
        const started = await startEmbeddedPostgres({
          directory,
          port: bounded(this, t, 'port', config.port, ANY_PORT),
          log: (line) => this.log(line),
          onExit: (reason) => this.link.isDown(`${label}: ${reason}`),
        });
        server = started;
        const { host, port, user, database, password } = started;
        const address = { host, port, user, database, password };
        shown.set(this.id, connectionOf(started));
        running.set(this.id, address);
        // Closed meanwhile: nobody else will stop it.
        if (closed) await stopServer();
        return address;
      };

      const { user = '', password = '' } = this.credentials ?? {};
      const tls = config.tls ? (RED.nodes.getNode(config.tls) as unknown as TlsConfigNode | null) : null;
      const missing = embedded
        ? []
        : [
            ...(config.host ? [] : [t('label.host')]),
            ...(isPort(config.serverPort) ? [] : [t('label.serverPort')]),
            ...(config.database ? [] : [t('label.database')]),
            ...(user ? [] : [t('label.user')]),
            // A tls-config that was deleted or disabled must not leave the password to plain TCP.
            ...(config.tls && !tls ? [t('label.tls')] : []),
          ];
      const onServer = (): Promise<DatabaseAddress> =>
        Promise.resolve({
          host: config.host,
          port: Number(config.serverPort) || 5432,
          database: config.database,
          user,
          password,
          ...(tls ? { ssl: tls.addTLSOptions({}) } : {}),
        });

      const onMigrated = ({ takenOver, version }: MigrationReport): void => {
        if (takenOver) this.warn(t('status.taken-over', { ...takenOver, orders: takenOver.orders.join(', ') }));
        else this.log(t('status.migrated', { version }));
      };
      const onWarning = (problem: string): void => this.warn(problem);
      const database =
        missing.length === 0
          ? new DatabaseLink(embedded ? startEmbedded : onServer, label, this.link, { onMigrated, onWarning })
          : undefined;
      if (!embedded)
        shown.set(this.id, { host: config.host, port: config.serverPort, user, database: config.database });
      this.database = () => {
        if (!database) throw new Error(t('error.incomplete', { label, missing: missing.join(', ') }));
        return database;
      };

      const withdraw = config.metrics
        ? metrics.publish({
            id: this.id,
            name: label,
            // Asynchronous: an incomplete config is one more database that cannot be reached.
            figures: async () => this.database().use(({ watch }) => watch.figures()),
          })
        : undefined;

      this.on('close', (done: () => void) => {
        closed = true;
        withdraw?.();
        const complain = (error: Error): void => this.error(error.message);
        void (database?.close() ?? Promise.resolve()).catch(complain).then(stopServer).catch(complain).then(done);
      });
    },
    { credentials: { user: { type: 'text' }, password: { type: 'password' } } },
  );
};
