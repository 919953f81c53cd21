/**
 * What a person wants to know of a standard Odoo before deploying: does the login work, which generation is it, what can be
 * weighed there.
 */
import { OdooError } from '../../domain/odoo-orders';
import { OdooHttp } from '../http';
import { StandardOrders } from './orders';
import type { SiloKey } from './reader';
import type { StandardAddress } from './rpc';

export interface StandardProbe {
  user: string;
  /** Version of Odoo, e.g. "17.0"; '' where it does not tell. */
  server: string;
  /** Where Odoo was found. */
  url: string;
  /** How many orders are open. */
  orders: number;
  standard: {
    /** Versions of Odoo that have these fields. */
    versions: string;
    /** Components of the open orders, and how many of them say on which silo they are. */
    components: number;
    keyed: number;
    /** The SCADA addon answers, too. */
    addonThere: boolean;
    /** Days until the first API key of the user ends, where Odoo tells; below 0: it has. */
    daysLeft?: number;
  };
}

/** Logs in once, reads, and changes nothing. @throws Error saying what is wrong and what to do */
export async function probeStandard(address: StandardAddress, silo: SiloKey): Promise<StandardProbe> {
  const odoo = new StandardOrders(address, silo);
  try {
    const version = await odoo.rpc.version();
    if (version.concluded && !address.isKey) throw new OdooError('Asking for the version', version.concluded);
    const { versions } = await odoo.reader.generation();
    const found = await odoo.orders({ line: '' });
    const components = found.flatMap(({ moves }) => moves);
    const daysLeft = address.isKey ? await keyDays(odoo) : undefined;
    return {
      ...{ user: address.user, server: version.result?.server_version ?? '', url: odoo.rpc.url, orders: found.length },
      standard: {
        ...{ versions, components: components.length, keyed: components.filter(({ code }) => code).length },
        addonThere: await hasAddon(address),
        ...(daysLeft === undefined ? {} : { daysLeft }),
      },
    };
  } catch (error) {
    if (!(error instanceof OdooError) || error.concluded.conclusion !== 'not-permitted') throw error;
    throw new Error(`${error.message}: give the user the right Manufacturing / User`, { cause: error });
  } finally {
    odoo.close();
  }
}

/** From 18 on a key ends; earlier ones, and users who may not look, tell nothing. */
async function keyDays(odoo: StandardOrders): Promise<number | undefined> {
  const named = { domain: [], fields: ['name', 'expiration_date'] };
  const read = await odoo.rpc.call('res.users.apikeys', 'search_read', named);
  if (!Array.isArray(read.result)) return undefined;
  const ends = (read.result as { expiration_date?: string | false }[]).flatMap(
    ({ expiration_date }) => expiration_date || [],
  );
  const days = ends.map((end) => (Date.parse(`${end.replace(' ', 'T')}Z`) - Date.now()) / 86_400_000);
  return days.length > 0 ? Math.floor(Math.min(...days)) : undefined;
}

/** The addon answers its version's route with JSON, if only to say that there is no session. */
async function hasAddon(address: StandardAddress): Promise<boolean> {
  const http = new OdooHttp(address, () => performance.now());
  try {
    const { answer } = await http.send('/api/scada/version', {}, { method: 'GET' });
    return answer.kind === 'answer' && answer.status === 200 && /^\s*\{/.test(answer.body);
  } finally {
    http.close();
  }
}
