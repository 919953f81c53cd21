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

/** Seconds between two runs of each task; `orders`: handing orders over is switched on, and this is its own. */
export interface Timers {
  fetch: number;
  push: number;
  archive: number;
  orders?: number;
}

/** Node ids of the shipped flow. */
export const IDS = {
  odoo: 'mo-odoo',
  plc: 'mo-plc',
  database: 'mo-db',
  acknowledge: 'mo-t2-ack',
  enqueue: 'mo-t1-queue',
  timers: { fetch: 'mo-t1', push: 'mo-t2', archive: 'mo-t3', orders: 'mo-od' },
} as const;

/** Settings of an inject node. */
const every = (seconds: number, onceDelay: number): Record<string, string> => ({
  ...{ repeat: String(seconds), name: `every ${seconds} s` },
  onceDelay: String(onceDelay),
});

const load = (file: string): FlowNode[] => JSON.parse(readFileSync(file, 'utf8')) as FlowNode[];

export const shippedFlow = (): FlowNode[] => load(FLOW);

/** Enables the group that hands orders over, and the acknowledgement. @param seconds between two runs of the former */
function withOrdersDown(flow: readonly FlowNode[], seconds: number): FlowNode[] {
  const group = flow.find(({ id }) => id === IDS.timers.orders)?.g;
  return flow.map((node) => {
    if (node.g !== group && node.id !== IDS.acknowledge) return node;
    const { d: _, ...enabled } = node;
    return node.id === IDS.timers.orders ? { ...enabled, ...every(seconds, 2.5) } : enabled;
  });
}

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
    if (seconds) changes[IDS.timers[task]] = every(seconds, 1 + order / 2);
  });
  const flow = shippedFlow().map((node) => ({ ...node, ...changes[node.id] }));
  return {
    flow: timers?.orders ? withOrdersDown(flow, timers.orders) : flow,
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
