import type { NodeAPI } from 'node-red';
import { LinkState } from '../lib/domain/link-state';
import { migrateConfig } from '../lib/node-red/config-migrations';
import type { DatabaseNode, TlsConfigNode } from '../lib/node-red/config-nodes';
import { connectionsOf } from '../lib/node-red/connections';
import { Metrics } from '../lib/node-red/metrics';
import { DatabaseLink } from '../lib/store/database-link';
import { registerRoutes } from './admin';
import { atServer, BuiltIn, Running, tellings } from './running';
import { type Config, type Credentials, missingIn } from './settings';

export = function (RED: NodeAPI) {
  const running = new Running();
  const metrics = new Metrics(() => connectionsOf(RED, 'not configured'));
  registerRoutes(RED, running, metrics);

  RED.nodes.registerType<DatabaseNode, Config, object, Credentials>(
    'mo-database',
    function (this: DatabaseNode & { credentials: Credentials }, saved: Config) {
      RED.nodes.createNode(this, saved);
      const config = migrateConfig('mo-database', saved);
      const t = (key: string, values = {}): string => RED._(`mo-database.${key}`, values);
      const builtIn = config.mode !== 'server';
      const label = config.name || (builtIn ? t('palette') : config.host);
      this.link = new LinkState(({ up, problem }) =>
        up ? this.log(t('status.back', { label })) : this.error(problem),
      );
      const { user = '', password = '' } = this.credentials ?? {};
      const tls = config.tls ? (RED.nodes.getNode(config.tls) as unknown as TlsConfigNode | null) : null;
      const missing = missingIn(config, user, tls !== null).map((key) => t(`label.${key}`));

      const server = new BuiltIn(RED, running, this, config, label);
      const source = builtIn ? () => server.start() : atServer(config, { user, password }, tls);
      if (!builtIn) running.show(this.id, config, user);
      const link = missing.length === 0 ? new DatabaseLink(source, label, this.link, tellings(this, t)) : undefined;
      this.database = () => {
        if (!link) throw new Error(t('error.incomplete', { label, missing: missing.join(', ') }));
        return link;
      };
      // Asynchronous: an incomplete config is one more database that cannot be reached.
      const figures = async () => this.database().use(({ watch }) => watch.figures());
      const withdraw = config.metrics ? metrics.publish({ id: this.id, name: label, figures }) : undefined;

      this.on('close', (done: () => void) => {
        withdraw?.();
        const complain = (error: Error): void => this.error(error.message);
        const closed = (link?.close() ?? Promise.resolve()).catch(complain);
        void closed
          .then(() => server.close())
          .catch(complain)
          .then(done);
      });
    },
    { credentials: { user: { type: 'text' }, password: { type: 'password' } } },
  );
};
