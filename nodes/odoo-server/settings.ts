/** What an odoo-server node is set to, and what of it is still missing. */
import type { NodeAPI, NodeDef } from 'node-red';
import type { OdooOrders } from '../lib/domain/odoo-orders';
import { type Range } from '../lib/domain/setting';
import { odooAddress } from '../lib/odoo/address';
import { AddonOrders } from '../lib/odoo/addon/orders';
import { OdooClient } from '../lib/odoo/addon/client';
import { type HttpAddress, LONGEST_TIMEOUT } from '../lib/odoo/http';
import type { SiloKey } from '../lib/odoo/standard/reader';
import { StandardOrders } from '../lib/odoo/standard/orders';

export interface Config extends NodeDef {
  url: string;
  database: string;
  timeout: string | number;
  parallel: string | number;
  tls: string;
  interface: 'addon' | 'standard';
  /** What stands in for the user's name: with the addon always the password. */
  secret: 'password' | 'key';
  /** What of a product says on which silo it is; only without the addon. */
  siloBy: 'reference' | 'barcode' | 'field';
  siloField: string;
}

export interface Credentials {
  user?: string;
  password?: string;
  apiKey?: string;
}

/** Recorded answers took up to 0.25 s; a busy server may take long, and giving up means an unknown outcome (s). */
export const TIMEOUT: Range = { standard: 30, least: 0.1, most: LONGEST_TIMEOUT / 1000 };
/** Two at a time were the fastest on a two-core Odoo 14: 6.8 updates/s, against 4.3 one at a time, 5.7 eight at a time. */
export const PARALLEL: Range = { standard: 2, least: 1, most: 16 };
/** Without the addon two at a time are no faster, and some fail: orders that share components meet in their reservations. */
const ONE_AT_A_TIME: Range = { ...PARALLEL, standard: 1 };

export const parallelOf = (kind: Config['interface']): Range => (kind === 'standard' ? ONE_AT_A_TIME : PARALLEL);

/** Where the stored password may go. */
export const PLACE = ['url', 'database', 'tls'] as const;

/** The address and the database as they are used: the one may name the other. */
export function placeOf({ url, database }: { url?: string | undefined; database?: string | undefined }) {
  const found = odooAddress(url ?? '');
  const named = found.database;
  const entered = (database ?? '').trim();
  // Two databases for one Odoo: only the engineer knows which is meant.
  const clash = Boolean(named && entered && named !== entered);
  return { url: found.url, problem: clash ? 'database' : found.problem, database: entered || (named ?? '') } as const;
}

/** Whether the user is let in by an API key. */
export const usesKey = ({ interface: kind, secret }: Partial<Config>): boolean =>
  kind === 'standard' && secret === 'key';

/** The labels of the fields that a login needs and that are blank or wrong. */
export function missingIn(RED: NodeAPI, config: Partial<Config> & Credentials): string[] {
  const { url, database, user, password, apiKey, siloBy, siloField } = config;
  const place = placeOf({ url, database });
  const key = usesKey(config);
  const field = config.interface === 'standard' && siloBy === 'field' && !siloField?.trim();
  return [
    ...(place.problem ? ['url'] : []),
    ...(place.database ? [] : ['database']),
    ...(user ? [] : ['user']),
    ...((key ? apiKey : password) ? [] : [key ? 'apiKey' : 'password']),
    ...(field ? ['siloField'] : []),
  ].map((key) => RED._(`odoo-server.label.${key}`));
}

/** What of a product says on which silo it is. */
export const siloKey = ({ siloBy = 'reference', siloField = '' }: Partial<Config>): SiloKey =>
  siloBy === 'field' ? { by: siloBy, field: siloField.trim() } : { by: siloBy };

/** An Odoo as it is configured. */
export function openOdoo(
  config: Config & Required<Credentials>,
  how: Omit<HttpAddress, 'url'> & { observe?: (problem: string) => void },
): { orders: OdooOrders; close: () => void } {
  const { url = '', database } = placeOf(config);
  const { user, password, apiKey } = config;
  if (config.interface === 'standard') {
    const isKey = usesKey(config);
    const orders = new StandardOrders(
      { url, database, user, secret: isKey ? apiKey : password, isKey, ...how },
      siloKey(config),
    );
    return { orders, close: () => orders.close() };
  }
  const client = new OdooClient({ url, database, user, password, ...how });
  return { orders: new AddonOrders(client), close: () => client.close() };
}
