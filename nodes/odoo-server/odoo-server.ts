import type { NodeAPI } from 'node-red';
import { LinkState } from '../lib/domain/link-state';
import { bounded } from '../lib/node-red/bounded';
import { migrateConfig } from '../lib/node-red/config-migrations';
import type { OdooServerNode, TlsConfigNode } from '../lib/node-red/config-nodes';
import { registerDialogCall } from '../lib/node-red/dialog-call';
import { Limiter } from '../lib/push/limiter';
import { type Config, type Credentials, missingIn, openOdoo, parallelOf, PLACE, placeOf, TIMEOUT } from './settings';
import { testConnection } from './test-call';

export = function (RED: NodeAPI) {
  registerDialogCall(RED, 'odoo-server', 'test', { place: PLACE }, (values) => testConnection(RED, values));

  RED.nodes.registerType<OdooServerNode, Config, object, Credentials>(
    'odoo-server',
    function (this: OdooServerNode & { credentials: Credentials }, saved: Config) {
      RED.nodes.createNode(this, saved);
      const config = migrateConfig('odoo-server', saved);
      const t = (key: string, values = {}): string => RED._(`odoo-server.${key}`, values);
      const { user = '', password = '', apiKey = '' } = this.credentials ?? {};
      // An address may not carry a user; one that does is not shown with it.
      const label = config.name || (config.url ?? '').replace(/\/\/[^/]*@/, '//');
      const tls = config.tls ? (RED.nodes.getNode(config.tls) as unknown as TlsConfigNode | null) : null;
      // A tls-config that was deleted or disabled must not leave the password to other rules than were chosen.
      const missing = [
        ...missingIn(RED, { ...config, user, password, apiKey }),
        ...(config.tls && !tls ? [t('label.tls')] : []),
      ];
      this.link = new LinkState(({ up, problem }) => {
        if (up) this.log(t('status.back', { label }));
        else this.error(problem);
      });
      const limiter = new Limiter(bounded(this, t, 'parallel', config.parallel, parallelOf(config.interface)));
      const timeoutMs = bounded(this, t, 'timeout', config.timeout, TIMEOUT) * 1000;
      const { url } = placeOf(config);
      const odoo =
        url && missing.length === 0
          ? openOdoo(
              { ...config, user, password, apiKey },
              {
                ...{
                  timeoutMs,
                  observe: (problem) => (problem ? this.link.isDown(`${label}: ${problem}`) : this.link.isUp()),
                },
                ...(tls ? { tls: tls.addTLSOptions({}) } : {}),
              },
            )
          : undefined;
      this.connection = () => {
        if (!odoo) throw new Error(t('error.incomplete', { label, missing: missing.join(', ') }));
        return { orders: odoo.orders, limiter };
      };
      this.on('close', () => odoo?.close());
    },
    { credentials: { user: { type: 'text' }, password: { type: 'password' }, apiKey: { type: 'password' } } },
  );
};
