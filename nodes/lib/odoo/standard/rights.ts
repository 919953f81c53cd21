/** Which rights the package needs in a standard Odoo, and which of them a user lacks. */
import type { Generation } from '../generation';
import type { StandardRpc } from './rpc';

export interface Right {
  model: string;
  operation: 'read' | 'write' | 'create';
}

/** What "Manufacturing / User" gives. */
const NEEDED: readonly Right[] = [
  { model: 'mrp.production', operation: 'read' },
  { model: 'mrp.production', operation: 'write' },
  { model: 'stock.move', operation: 'write' },
  { model: 'stock.move.line', operation: 'write' },
  { model: 'product.product', operation: 'read' },
  { model: 'uom.uom', operation: 'read' },
];
/** The lot of a product tracked by lot. */
const lotMade = ({ finishedLot: { model } }: Generation): Right => ({ model, operation: 'create' });

/** Asked in words of old and new: `has_access` took the other's place in 18. Neither changes anything. */
async function isGranted(rpc: StandardRpc, { model, operation }: Right): Promise<boolean> {
  const old = await rpc.call(model, 'check_access_rights', { operation, raise_exception: false });
  if (typeof old.result === 'boolean') return old.result;
  const read = await rpc.call(model, 'has_access', { ids: [], operation });
  // Where neither is answered the calls themselves will tell.
  return read.result !== false;
}

/** What is looked at first needs no right at all. @throws OdooError */
export async function missingRights(rpc: StandardRpc, generation: () => Promise<Generation>): Promise<Right[]> {
  const missing: Right[] = [];
  for (const right of NEEDED) if (!(await isGranted(rpc, right))) missing.push(right);
  if (missing.length > 0) return missing;
  const lot = lotMade(await generation());
  return (await isGranted(rpc, lot)) ? [] : [lot];
}
