import type { NodeAPI } from 'node-red';
import { LinkState } from '../lib/domain/link-state';
import { bounded } from '../lib/node-red/bounded';
import { migrateConfig } from '../lib/node-red/config-migrations';
import type { OdooServerNode, TlsConfigNode } from '../lib/node-red/config-nodes';
import { registerDialogCall } from '../lib/node-red/dialog-call';
import { AddonOrders } from '../lib/odoo/addon/orders';
import { OdooClient } from '../lib/odoo/client';
import { Limiter } from '../lib/push/limiter';
import { type Config, type Credentials, missingIn, PARALLEL, PLACE, placeOf, TIMEOUT } from './settings';
import { testConnection } from './test-call';

export = function (RED: NodeAPI) {
  registerDialogCall(RED, 'odoo-server', 'test', { place: PLACE }, (values) => testConnection(RED, values));

  RED.nodes.registerType<OdooServerNode, Config, object, Credentials>(
    'odoo-server',
    function (this: OdooServerNode & { credentials: Credentials }, saved: Config) {
      RED.nodes.createNode(this, saved);
      const config = migrateConfig('odoo-server', saved);
      const t = (key: string, values = {}): string => RED._(`odoo-server.${key}`, values);
      const { user = '', password = '' } = this.credentials ?? {};
      // An address may not carry a user; one that does is not shown with it.
      const label = config.name || (config.url ?? '').replace(/\/\/[^/]*@/, '//');
      const tls = config.tls ? (RED.nodes.getNode(config.tls) as unknown as TlsConfigNode | null) : null;
      // A tls-config that was deleted or disabled must not leave the password to other rules than were chosen.
      const missing = [
        ...missingIn(RED, { ...config, user, password }),
        ...(config.tls && !tls ? [t('label.tls')] : []),
      ];
      this.link = new LinkState(({ up, problem }) => {
        if (up) this.log(t('status.back', { label }));
        else this.error(problem);
      });
      const limiter = new Limiter(bounded(this, t, 'parallel', config.parallel, PARALLEL));
      const timeoutMs = bounded(this, t, 'timeout', config.timeout, TIMEOUT) * 1000;
      const { url, database } = placeOf(config);
      const client =
        url && missing.length === 0
          ? new OdooClient({
              ...{ url, database, user, password, timeoutMs },
              ...(tls ? { tls: tls.addTLSOptions({}) } : {}),
              observe: (problem) => (problem ? this.link.isDown(`${label}: ${problem}`) : this.link.isUp()),
            })
          : undefined;
      this.connection = () => {
        if (!client) throw new Error(t('error.incomplete', { label, missing: missing.join(', ') }));
        return { client, orders: new AddonOrders(client), limiter };
      };
      this.on('close', () => client?.close());
    },
    { credentials: { user: { type: 'text' }, password: { type: 'password' } } },
  );
};
