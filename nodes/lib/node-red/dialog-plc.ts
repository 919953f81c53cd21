/** The PLC that a dialog names: through the deployed endpoint where it is as in the editor, else by a connection of its own. */
import type { S7Endpoint } from '@st-one-io/nodes7';
import type { NodeAPI } from 'node-red';
import { type EndpointSettings, withEndpoint } from '../plc/open-endpoint';
import type { S7EndpointNode } from './config-nodes';

export async function withPlc<T>(
  RED: NodeAPI,
  endpoint: EndpointSettings & { id: string; changed: boolean },
  act: (connected: S7Endpoint, own: boolean) => Promise<T>,
): Promise<T> {
  const deployed = (RED.nodes.getNode(endpoint.id) as S7EndpointNode | null)?.endpoint;
  return deployed && !endpoint.changed
    ? act(deployed, false)
    : withEndpoint(endpoint, (connected) => act(connected, true));
}
