/**
 * What action nodes find behind their config nodes; nodes never import nodes.
 */
import type { S7Endpoint } from '@st-one-io/nodes7';
import type { Node } from 'node-red';
import type { OdooOrders } from '../domain/odoo-orders';
import type { SiloMap } from '../domain/silos';
import type { LinkState } from '../domain/link-state';
import type { Limiter } from '../push/limiter';
import type { DatabaseLink } from '../store/database-link';

export interface OdooServerNode extends Node {
  /** @throws Error saying what is missing in the config */
  connection(): { orders: OdooOrders; limiter: Limiter };
  link: LinkState;
}

export interface DatabaseNode extends Node {
  /** @throws Error saying what is missing in the config */
  database(): DatabaseLink;
  link: LinkState;
}

export interface SiloMapNode extends Node {
  /** @throws Error naming the line that is wrong */
  map(): SiloMap;
}

/** Node-RED's own `tls-config`. */
export interface TlsConfigNode {
  addTLSOptions(options: object): object;
}

/** A plc-consumption-read node that reads; its link is that of the endpoint. */
export interface PlcReadNode extends Node {
  link?: LinkState;
}

/** The `s7 endpoint` config node of node-red-contrib-s7, as far as it is used here. */
export interface S7EndpointNode extends Node {
  /** null when its own config is not valid. */
  endpoint: S7Endpoint | null;
}
