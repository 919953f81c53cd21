import type { NodeAPI, NodeDef } from 'node-red';
import { bounded } from '../lib/node-red/bounded';
import { migrateConfig } from '../lib/node-red/config-migrations';
import type { OdooServerNode, TlsConfigNode } from '../lib/node-red/config-nodes';
import { registerDialogCall, tlsOptions } from '../lib/node-red/dialog-call';
import { LinkState } from '../lib/domain/link-state';
import { type Range, setting } from '../lib/domain/setting';
import { odooAddress } from '../lib/odoo/address';
import { OdooClient } from '../lib/odoo/client';
import { LONGEST_TIMEOUT } from '../lib/odoo/session';
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
const TIMEOUT: Range = { standard: 30, least: 0.1, most: LONGEST_TIMEOUT / 1000 };
/** Two at a time were the fastest on a two-core Odoo 14: 6.8 updates/s, against 4.3 one at a time, 5.7 eight at a time. */
const PARALLEL: Range = { standard: 2, least: 1, most: 16 };

/** A dialog must not wait longer than a person does (s). */
const LONGEST_TEST_TIMEOUT = 10;

/** Where the stored password may go. */
const PLACE = ['url', 'database', 'tls'] as const;

/** The address and the database as they are used: the one may name the other. */
function placeOf({ url, database }: { url?: string | undefined; database?: string | undefined }) {
  const found = odooAddress(url ?? '');
  const named = found.database;
  const entered = (database ?? '').trim();
  // Two databases for one Odoo: only the engineer knows which is meant.
  const clash = Boolean(named && entered && named !== entered);
  return { url: found.url, problem: clash ? 'database' : found.problem, database: entered || (named ?? '') } as const;
}

export = function (RED: NodeAPI) {
  const missingIn = ({ url, database, user, password }: Partial<Config> & Credentials): string[] => {
    const place = placeOf({ url, database });
    return [
      ...(place.problem ? ['url'] : []),
      ...(place.database ? [] : ['database']),
      ...(user ? [] : ['user']),
      ...(password ? [] : ['password']),
    ].map((key) => RED._(`odoo-server.label.${key}`));
  };

  registerDialogCall(RED, 'odoo-server', 'test', { place: PLACE }, async (values) => {
    const { user = '', password = '', timeout, ...entered } = values as Partial<Config> & Credentials;
    const missing = missingIn({ ...entered, user, password });
    const { url, database, problem } = placeOf(entered);
    if (problem && problem !== 'blank' && missing.length === 1) {
      throw new Error(RED._(`odoo-server.error.address.${problem}`));
    }
    if (!url || missing.length > 0) throw new Error(RED._('odoo-server.error.blank', { missing: missing.join(', ') }));
    const tls = tlsOptions(RED, 'odoo-server', values.tls);
    const timeoutMs = Math.min(setting(timeout, TIMEOUT).value, LONGEST_TEST_TIMEOUT) * 1000;
    const { url: found, ...facts } = await probeOdoo({
      ...{ url, database, user, password, timeoutMs },
      ...(tls ? { tls } : {}),
    });
    const asEntered = (entered.url ?? '').replace(/\/+$/, '') === found;
    return { ...facts, ...(asEntered ? {} : { address: found }) };
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
        return { client, limiter };
      };
      this.on('close', () => client?.close());
    },
    { credentials: { user: { type: 'text' }, password: { type: 'password' } } },
  );
};
