/** What the dialog may propose as silos: the components of the orders that are open in an Odoo which is deployed. */
import type { NodeAPI } from 'node-red';
import type { OdooServerNode } from '../lib/node-red/config-nodes';
import type { DialogValues } from '../lib/node-red/dialog-call';
import { type Component, survey } from '../lib/odoo/survey';

/** @throws Error saying that the Odoo has to be deployed first, or what stands against asking it */
export async function propose(RED: NodeAPI, { server }: DialogValues): Promise<{ components: Component[] }> {
  const node = RED.nodes.getNode(String(server)) as OdooServerNode | null;
  if (node?.type !== 'odoo-server') throw new Error(RED._('silo-map.error.server'));
  const { known, unknown } = await survey(node.connection().orders, { line: '' });
  return { components: [...known, ...unknown] };
}
