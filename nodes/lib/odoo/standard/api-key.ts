/** How long an API key is good for. */
import type { Calling } from '../../domain/odoo-orders';
import { KEY_ENDS } from '../generation';
import type { StandardRpc } from './rpc';

const DAY = 86_400_000;

/**
 * Days until the first API key of the user ends, where Odoo tells; below 0: it has, and works until Odoo restarts (18:182).
 * Odoo does not say which key it was called with. @returns undefined: it lasts for ever, or nobody may look
 */
export async function keyDaysLeft(rpc: StandardRpc, call?: Calling): Promise<number | undefined> {
  const read = await rpc.call('res.users.apikeys', 'search_read', { domain: [], fields: ['name', KEY_ENDS] }, call);
  if (!Array.isArray(read.result)) return undefined;
  const days = (read.result as Record<string, unknown>[])
    .map((key) => key[KEY_ENDS])
    .filter((end) => typeof end === 'string')
    .map((end) => (Date.parse(`${end.replace(' ', 'T')}Z`) - Date.now()) / DAY);
  return days.length > 0 ? Math.floor(Math.min(...days)) : undefined;
}
