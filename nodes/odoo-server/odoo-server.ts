import type { NodeAPI, NodeDef } from 'node-red';
import { migrateConfig } from '../lib/node-red/config-migrations';
import type { OdooServerNode, TlsConfigNode } from '../lib/node-red/config-nodes';
import { registerDialogCall, tlsOptions } from '../lib/node-red/dialog-call';
import { LinkState } from '../lib/domain/link-state';
import { OdooClient } from '../lib/odoo/client';
import { Limiter } from '../lib/push/limiter';
import { probeOdoo } from '../lib/odoo/test-connection';

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

/** Recorded answers took up to 0.25 s; a busy server may take long, and giving up means an unknown outcome (s). */
const DEFAULT_TIMEOUT = 30;
/** Two at a time were the fastest on a two-core Odoo 14: 6.8 updates/s, against 4.3 one at a time, 5.7 eight at a time. */
const DEFAULT_PARALLEL = 2;

/** A dialog must not wait longer than a person does (s). */
const LONGEST_TEST_TIMEOUT = 10;

export = function (RED: NodeAPI) {
  const missingIn = ({ url, database, user, password }: Partial<Config> & Credentials): string[] =>
    [
      ...(/^https?:\/\/[^/@]+(\/|$)/.test(url ?? '') ? [] : ['url']),
      ...(database ? [] : ['database']),
      ...(user ? [] : ['user']),
      ...(password ? [] : ['password']),
    ].map((key) => RED._(`odoo-server.label.${key}`));

  registerDialogCall(RED, 'odoo-server', 'test', (values) => {
    const { url, database, user = '', password = '', timeout } = values as Partial<Config> & Credentials;
    const missing = missingIn({ url, database, user, password });
    if (missing.length > 0) throw new Error(RED._('odoo-server.error.blank', { missing: missing.join(', ') }));
    const tls = tlsOptions(RED, 'odoo-server', values.tls);
    const timeoutMs = Math.min(Number(timeout) || DEFAULT_TIMEOUT, LONGEST_TEST_TIMEOUT) * 1000;
    return probeOdoo({ url: url ?? '', database: database ?? '', user, password, timeoutMs, ...(tls ? { tls } : {}) });
  });

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
      const missing = [...missingIn({ ...config, user, password }), ...(config.tls && !tls ? [t('label.tls')] : [])];
      this.link = new LinkState(({ up, problem }) => {
        if (up) this.log(t('status.back', { label }));
        else this.error(problem);
      });
      const limiter = new Limiter(Number(config.parallel) || DEFAULT_PARALLEL);
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
