import type { NodeAPI, NodeDef } from 'node-red';
import type { OdooServerNode } from '../lib/config-nodes';
import { LinkState } from '../lib/link-state';
import { OdooClient } from '../lib/odoo/client';
import { Limiter } from '../lib/odoo/limiter';

interface Config extends NodeDef {
  url: string;
  database: string;
  timeout: string | number;
  parallel: string | number;
  tls: string;
}

interface Credentials {
  user?: string;
  password?: string;
}

interface TlsConfigNode {
  addTLSOptions(options: object): object;
}

/** Recorded answers took up to 0.25 s; a busy server may take long, and giving up means an unknown outcome (s). */
const DEFAULT_TIMEOUT = 30;
/** Two at a time were the fastest on a two-core Odoo 14: 6.8 updates/s, against 4.3 one at a time, 5.7 eight at a time. */
const DEFAULT_PARALLEL = 2;

export = function (RED: NodeAPI) {
  RED.nodes.registerType<OdooServerNode, Config, object, Credentials>(
    'odoo-server',
    function (this: OdooServerNode & { credentials: Credentials }, config: Config) {
      RED.nodes.createNode(this, config);
      const t = (key: string, values = {}): string => RED._(`odoo-server.${key}`, values);
      const { user = '', password = '' } = this.credentials ?? {};
      const label = config.name || config.url;
      const missing = [
        ...(/^https?:\/\//.test(config.url ?? '') ? [] : [t('label.url')]),
        ...(config.database ? [] : [t('label.database')]),
        ...(user ? [] : [t('label.user')]),
        ...(password ? [] : [t('label.password')]),
      ];
      this.link = new LinkState(({ up, problem }) => {
        if (up) this.log(t('status.back', { label }));
        else this.error(problem);
      });
      const limiter = new Limiter(Number(config.parallel) || DEFAULT_PARALLEL);
      const tls = config.tls ? (RED.nodes.getNode(config.tls) as unknown as TlsConfigNode | null) : null;
      const client =
        missing.length === 0
          ? new OdooClient({
              url: config.url,
              database: config.database,
              user,
              password,
              timeoutMs: (Number(config.timeout) || DEFAULT_TIMEOUT) * 1000,
              ...(tls ? { tls: tls.addTLSOptions({}) } : {}),
              observe: (problem) => (problem ? this.link.isDown(`${label}: ${problem}`) : this.link.isUp()),
            })
          : undefined;
      this.connection = () => {
        if (!client) throw new Error(t('error.incomplete', { label, missing: missing.join(', ') }));
        return { client, limiter };
      };
      this.on('close', () => client?.close());
    },
    { credentials: { user: { type: 'text' }, password: { type: 'password' } } },
  );
};
