/** What an odoo-server node is set to, and what of it is still missing. */
import type { NodeAPI, NodeDef } from 'node-red';
import { type Range } from '../lib/domain/setting';
import { odooAddress } from '../lib/odoo/address';
import { LONGEST_TIMEOUT } from '../lib/odoo/http';

export interface Config extends NodeDef {
  url: string;
  database: string;
  timeout: string | number;
  parallel: string | number;
  tls: string;
}

export interface Credentials {
  user?: string;
  password?: string;
}

/** Recorded answers took up to 0.25 s; a busy server may take long, and giving up means an unknown outcome (s). */
export const TIMEOUT: Range = { standard: 30, least: 0.1, most: LONGEST_TIMEOUT / 1000 };
/** Two at a time were the fastest on a two-core Odoo 14: 6.8 updates/s, against 4.3 one at a time, 5.7 eight at a time. */
export const PARALLEL: Range = { standard: 2, least: 1, most: 16 };

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

/** The labels of the fields that a login needs and that are blank or wrong. */
export function missingIn(RED: NodeAPI, { url, database, user, password }: Partial<Config> & Credentials): string[] {
  const place = placeOf({ url, database });
  return [
    ...(place.problem ? ['url'] : []),
    ...(place.database ? [] : ['database']),
    ...(user ? [] : ['user']),
    ...(password ? [] : ['password']),
  ].map((key) => RED._(`odoo-server.label.${key}`));
}
