/**
 * What this Node-RED is connected to: the links of its config nodes in use and of its PLC readers, as they stand.
 */
import type { Node, NodeAPI, NodeDef } from 'node-red';
import type { DatabaseNode, OdooServerNode } from './config-nodes';
import type { LinkState } from '../domain/link-state';

/** One light of a display. */
export interface Connection {
  kind: 'odoo' | 'plc' | 'database';
  /** Of the config node (for a PLC: of its endpoint), else its type. */
  name: string;
  /** false: nobody has tried it since the start, so that nothing is known of it. */
  tried: boolean;
  /** Whether it can be reached, as last seen. */
  up: boolean;
  /** What is wrong; empty while up or not tried. */
  problem: string;
  /** Since when it is so (ISO 8601). */
  since: string;
}

/** The types that hold a link; a PLC reader holds that of its endpoint. */
const KINDS = { 'odoo-server': 'odoo', 'plc-consumption-read': 'plc', 'mo-database': 'database' } as const;

/** What was never set up is so since the start. */
const STARTED = new Date();

type Config = NodeDef & Partial<Record<'server' | 'database' | 'endpoint' | 'operation', string>>;
type Linked = Node & { link?: LinkState } & Partial<
    Pick<OdooServerNode, 'connection'> & Pick<DatabaseNode, 'database'>
  >;

/** Why a config node cannot connect at all; empty when it can. */
function incomplete(node: Linked): string {
  try {
    node.connection?.();
    node.database?.();
    return '';
  } catch (error) {
    return (error as Error).message;
  }
}

/**
 * Every link of the nodes that are running; a config node that no running node uses is none.
 * @param notConfigured the problem of a PLC reader that could not be set up
 */
export function connectionsOf(RED: NodeAPI, notConfigured: string): Connection[] {
  const running = new Map<string, { config: Config; node: Linked }>();
  RED.nodes.eachNode((config) => {
    const node = RED.nodes.getNode(config.id) as Linked | null;
    if (node) running.set(config.id, { config, node });
  });
  const used = new Set([...running.values()].flatMap(({ config: { server, database } }) => [server, database]));
  return [...running.values()].flatMap(({ config, node }) => {
    const kind = KINDS[config.type as keyof typeof KINDS];
    const reads = kind === 'plc' && config.operation !== 'acknowledge';
    if (!kind || !(reads || used.has(config.id))) return [];
    const { name } = reads ? (running.get(config.endpoint ?? '')?.config ?? config) : config;
    const { link } = node;
    const problem = link ? incomplete(node) || link.status.problem : notConfigured;
    const since = (link?.since ?? STARTED).toISOString();
    // What cannot be tried at all is no less wrong.
    const tried = problem !== '' || link?.tried === true;
    return [{ kind, name: name || config.type, tried, up: tried && problem === '', problem, since }];
  });
}
