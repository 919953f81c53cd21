/** What people call the silos, for a node that works without a silo map of its own. */
import type { NodeAPI } from 'node-red';
import type { SiloNames, SiloTag } from '../domain/silos';
import type { SiloMapNode } from './config-nodes';

function namesOf(node: SiloMapNode | null): SiloNames[] {
  try {
    return node ? [node.map()] : [];
  } catch {
    // A map that cannot be used says so in the nodes that need it; its silos are called by their tags meanwhile.
    return [];
  }
}

/** Of the chosen silo map; where none is chosen, of all in the flow: a silo that they call by two names keeps its tag. */
export function siloNames(RED: NodeAPI, chosen: string | undefined): SiloNames {
  const look = (): SiloNames[] => {
    const ids: string[] = chosen ? [chosen] : [];
    if (!chosen) RED.nodes.eachNode(({ id, type }) => void (type === 'silo-map' && ids.push(id)));
    return ids.flatMap((id) => namesOf(RED.nodes.getNode(id) as SiloMapNode | null));
  };
  // Most messages name no silo.
  let maps: SiloNames[] | undefined;
  const label = (tag: SiloTag): string | undefined => {
    const given = new Set((maps ??= look()).flatMap((map) => map.label(tag) ?? []));
    return given.size === 1 ? [...given][0] : undefined;
  };
  return { label, name: (tag) => label(tag) ?? tag };
}
