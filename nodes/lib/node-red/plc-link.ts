/** The link to the PLC of an endpoint, as the nodes that use it show it. */
import type { S7Endpoint } from '@st-one-io/nodes7';
import type { Node } from 'node-red';
import { LinkState } from '../domain/link-state';
import type { Context } from './node-shell';

/** Follows an endpoint for as long as the node is there. @param t the node's texts: `status.back`, `status.offline` */
export function followPlc(node: Node, endpoint: S7Endpoint, t: Context['t']): LinkState {
  const link = new LinkState(({ up, problem }) => (up ? node.log(t('status.back')) : node.error(problem)));
  // 'error' alone tells of a PLC that was never there; its own text is in the log of the endpoint.
  const onLost = (): void => link.isDown(t('status.offline'));
  const onBack = (): void => link.isUp();
  endpoint.on('disconnect', onLost).on('error', onLost);
  endpoint.on('connect', onBack);
  if (endpoint.isConnected) link.isUp();
  // At once: an endpoint that is deployed anew together with this node hangs up, and that is no lost PLC. (Not by once():
  // a listener that removes itself makes Node-RED skip the next one, which is the shell's.)
  node.on('close', () => {
    endpoint.off('disconnect', onLost).off('error', onLost);
    endpoint.off('connect', onBack);
  });
  return link;
}
