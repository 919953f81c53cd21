/** The lines whose orders are fetched from an Odoo, with the codes of their silo-map: what "Test connection" looks for there. */
import type { NodeAPI } from 'node-red';
import { matches } from '../lib/domain/schema';
import { migrateConfig } from '../lib/node-red/config-migrations';
import type { SiloMapNode } from '../lib/node-red/config-nodes';
import { variableIn } from '../lib/node-red/variables';
import type { SurveyedLine } from '../lib/odoo/survey';

const text = { type: 'string' } as const;
const areLines = matches<SurveyedLine[]>({
  type: 'array',
  items: {
    type: 'object',
    required: ['line'],
    properties: { line: text, by: text, field: text, codes: { type: 'array', items: text } },
  },
});

/** @param id of the odoo-server @param given lines as the editor has them; those that a variable names are deployed ones */
export function linesOf(RED: NodeAPI, id: string | undefined, given: unknown): SurveyedLine[] {
  const found = areLines(given) ? [...given] : [];
  RED.nodes.eachNode((config) => {
    if (config.type !== 'odoo-fetch-mo') return;
    const fetch = migrateConfig('odoo-fetch-mo', config) as unknown as Record<string, string>;
    const { server, operation, line = '', lineBy, lineField = '', silos = '' } = fetch;
    const name = variableIn(line);
    if (server !== id || operation !== 'fetch' || !name) return;
    const node = RED.nodes.getNode(config.id);
    const value: unknown = RED.util.evaluateNodeProperty(name, 'env', node, {});
    const map = RED.nodes.getNode(silos) as unknown as SiloMapNode | null;
    const codes = map?.map().enabled.map(({ code }) => code);
    if (typeof value !== 'string') return;
    found.push({ line: value, by: lineBy as SurveyedLine['by'], field: lineField, ...(codes ? { codes } : {}) });
  });
  return [...new Map(found.map((line) => [JSON.stringify(line), line])).values()];
}
