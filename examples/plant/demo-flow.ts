/**
 * The shipped flow, pointed at a simulated plant: the addresses, the credentials and the timers, nothing else.
 */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { FlowNode, HostOptions } from './node-red-host';
import type { Plant } from './plant';

const PROJECT = resolve(__dirname, '..', '..', '..');
const FLOW = join(PROJECT, 'flows', 'mo-consumption-cycle.json');
const DASHBOARD = join(PROJECT, 'examples', '10-operator-dashboard.json');

/** Seconds between two runs of each task. */
export interface Timers {
  fetch: number;
  push: number;
  archive: number;
}

/** Node ids of the shipped flow. */
export const IDS = {
  odoo: 'mo-odoo',
  plc: 'mo-plc',
  database: 'mo-db',
  timers: { fetch: 'mo-t1', push: 'mo-t2', archive: 'mo-t3' },
} as const;

const load = (file: string): FlowNode[] => JSON.parse(readFileSync(file, 'utf8')) as FlowNode[];

export const shippedFlow = (): FlowNode[] => load(FLOW);

/** @returns the flow and its credentials, ready for a Node-RED */
export function demoFlow(
  { plc, odoo }: Pick<Plant, 'plc' | 'odoo'>,
  timers?: Timers,
): { flow: FlowNode[]; credentials: Record<string, Record<string, string>> } {
  const { user, password, apiKey, ...login } = odoo.login;
  const changes: Record<string, Record<string, unknown>> = {
    // It answers at once, and what a killed Node-RED had leased stays leased for four time limits.
    [IDS.odoo]: { url: odoo.url, ...login, timeout: 5 },
    [IDS.plc]: { address: '127.0.0.1', port: String(plc.port) },
  };
  (['fetch', 'push', 'archive'] as const).forEach((task, order) => {
    const seconds = timers?.[task];
    if (seconds)
      changes[IDS.timers[task]] = {
        repeat: String(seconds),
        name: `every ${seconds} s`,
        onceDelay: String(1 + order / 2),
      };
  });
  return {
    flow: shippedFlow().map((node) => ({ ...node, ...changes[node.id] })),
    credentials: { [IDS.odoo]: { user, password, apiKey } },
  };
}

/** The same with the operator's dashboard beside it, for somebody to look at. */
export function watchedFlow(
  plant: Pick<Plant, 'plc' | 'odoo'>,
  timers: Timers,
): Pick<HostOptions, 'flow' | 'credentials' | 'beside'> {
  const { flow, credentials } = demoFlow(plant, timers);
  const ids = new Set(flow.map(({ id }) => id));
  const dashboard = load(DASHBOARD).filter(({ id }) => !ids.has(id));
  return { flow: [...flow, ...dashboard], credentials, beside: ['@flowfuse/node-red-dashboard'] };
}
