/** "Read now" of the dialog: one read with what stands there, before it is deployed. */
import type { S7Endpoint } from '@st-one-io/nodes7';
import type { NodeAPI } from 'node-red';
import { setting } from '../lib/domain/setting';
import { type Silo, SiloMap } from '../lib/domain/silos';
import type { S7EndpointNode } from '../lib/node-red/config-nodes';
import type { Context } from '../lib/node-red/node-shell';
import { type EndpointSettings, withEndpoint } from '../lib/plc/open-endpoint';
import { type Bounded, createReader, RANGES, type Settings } from './settings';

/** What stands in the dialog, with the editor's own state of the config nodes that it names. */
export interface ReadNow extends Settings {
  endpoint: EndpointSettings & { id: string; changed: boolean };
  silos?: Silo[];
}

/** One read for the dialog: through the deployed endpoint where it is as in the editor, else by a connection of its own. */
export async function readNow(
  RED: NodeAPI,
  t: Context['t'],
  { endpoint, silos, ...settings }: ReadNow,
): Promise<object> {
  const read = async (connected: S7Endpoint): Promise<object> => {
    const within: Bounded = (key) => setting(settings[key], RANGES[key]).value;
    const reader = createReader(t, connected, settings, new SiloMap(silos), within);
    try {
      return await reader.read();
    } finally {
      reader.close();
    }
  };
  const deployed = (RED.nodes.getNode(endpoint.id) as S7EndpointNode | null)?.endpoint;
  return deployed && !endpoint.changed ? read(deployed) : withEndpoint(endpoint, read);
}
