/**
 * A connection of its own to a PLC, for a look before anything is deployed; the flows use the one of the endpoint node.
 */
import { once } from 'node:events';
import { S7Endpoint, type S7EndpointOptions } from '@st-one-io/nodes7';
import { guardEndpoint } from './endpoint-guard';
import { offline } from './plc-errors';

/** The properties of an `s7 endpoint` node (node-red-contrib-s7 3.1), as its dialog keeps them. */
export interface EndpointSettings {
  transport?: string;
  connmode?: string;
  address?: string;
  port?: string | number;
  rack?: string | number;
  slot?: string | number;
  localtsaphi?: string;
  localtsaplo?: string;
  remotetsaphi?: string;
  remotetsaplo?: string;
  timeout?: string | number;
}

/** Longest time for connecting (ms). */
const CONNECT_LIMIT = 5_000;
/** Connects once: a second attempt would come later than anybody waits (ms). */
const NO_RECONNECT = 60_000;

const tsap = (high = '', low = ''): number => parseInt(high, 16) * 256 + parseInt(low, 16);

function optionsOf(settings: EndpointSettings): S7EndpointOptions {
  const { transport = 'iso-on-tcp', connmode, address = '', port = 102, rack = 0, slot = 1, timeout } = settings;
  if (transport !== 'iso-on-tcp')
    throw new Error('An MPI adapter works only through the deployed endpoint: deploy first');
  if (!address.trim()) throw new Error('The S7 endpoint has no address: open it and enter the address of the PLC');
  const place =
    connmode === 'tsap'
      ? {
          srcTSAP: tsap(settings.localtsaphi, settings.localtsaplo),
          dstTSAP: tsap(settings.remotetsaphi, settings.remotetsaplo),
        }
      : { rack: Number(rack), slot: Number(slot) };
  const s7ConnOpts = { timeout: Number(timeout) || 2_000 };
  return { host: address.trim(), port: Number(port) || 102, ...place, s7ConnOpts, autoReconnect: NO_RECONNECT };
}

/** Connects, works, and hangs up. @throws PlcError when there is no connection within 5 s; whatever the work throws */
export async function withEndpoint<T>(
  settings: EndpointSettings,
  work: (endpoint: S7Endpoint) => Promise<T>,
): Promise<T> {
  const endpoint = new S7Endpoint(optionsOf(settings));
  const leaveGuard = guardEndpoint(endpoint);
  // What goes wrong is told by the call that it makes fail; an error event without a listener would end Node-RED.
  endpoint.on('error', () => undefined);
  try {
    await once(endpoint, 'connect', { signal: AbortSignal.timeout(CONNECT_LIMIT) }).catch((error: unknown) => {
      const timedOut = (error as Error).name === 'AbortError';
      throw offline(`connecting to ${settings.address}:${settings.port}`, timedOut ? undefined : error, error);
    });
    return await work(endpoint);
  } finally {
    await endpoint.disconnect();
    leaveGuard();
  }
}
