/** The two flows that are compared: the shipped one's Task 2, and the one from stock nodes, each as often as it is needed. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { shippedFlow } from '../../examples/plant/demo-flow';
import type { FlowNode } from '../../examples/plant/node-red-host';
import type { ConnectionData } from '../support/cluster';

const STOCK_FLOW = resolve(__dirname, '..', '..', '..', 'test', 'bench', 'stock-flow.json');

/** What the simulated Odoo is asked to allow at a time. */
export const PARALLEL = 8;

/** Where a flow works. */
export interface Place {
  /** Its nodes' prefix, and its address: GET /bench/<name>. */
  name: string;
  database: ConnectionData;
  odooUrl: string;
  plcPort: number;
}

/** Nodes as in an exported flow, and the credentials of some. */
export interface Deployable {
  flow: FlowNode[];
  credentials: Record<string, Record<string, string>>;
}

/** Several on one Node-RED. */
export const together = (...parts: Deployable[]): Deployable => ({
  flow: parts.flatMap(({ flow }) => flow),
  credentials: Object.assign({}, ...parts.map(({ credentials }) => credentials)) as Deployable['credentials'],
});

/** Changes by node id; `null` leaves the node out. */
type Changes = Record<string, Record<string, unknown> | null>;

/** A copy of the nodes under other ids, on a tab of its own. */
function copied(nodes: readonly FlowNode[], prefix: string, changes: Changes): FlowNode[] {
  const rename = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(rename);
    return typeof value === 'string' && nodes.some(({ id }) => id === value) ? `${prefix}:${value}` : value;
  };
  return nodes.flatMap((node) => {
    const change = changes[node.id];
    if (change === null) return [];
    const { g: _, ...changed } = { ...node, ...change };
    const renamed = Object.fromEntries(Object.entries(changed).map(([key, value]) => [key, rename(value)]));
    return [{ ...renamed, id: `${prefix}:${node.id}`, type: node.type }];
  });
}

/** A function node. */
const code = (id: string, z: string, func: string, ...wires: string[][]): FlowNode => ({
  ...{ id, type: 'function', z, func, outputs: wires.length, libs: [] },
  wires,
});

/**
 * An HTTP address that starts a run and answers when it has ended. The request waits beside the flow, so that both flows
 * work on a message as a timer sends it: `s7 in` starts one of its own, and the push takes a request for a call by hand.
 * @param count JavaScript: how many batches `msg` says were confirmed
 */
const door = (name: string, z: string, first: string, count: string): FlowNode[] => [
  { id: `${name}:in`, type: 'http in', z, url: `/bench/${name}`, method: 'get', wires: [[`${name}:keep`]] },
  code(`${name}:keep`, z, 'flow.set("waiting", msg);\nreturn { payload: Date.now() };', [first]),
  code(
    `${name}:answer`,
    z,
    `const waiting = flow.get("waiting");\nwaiting.payload = { count: ${count} };\nreturn waiting;`,
    [`${name}:out`],
  ),
  { id: `${name}:catch`, type: 'catch', z, scope: null, uncaught: false, wires: [[`${name}:failure`]] },
  code(
    `${name}:failure`,
    z,
    'const waiting = flow.get("waiting");\nreturn { ...waiting, statusCode: 500, payload: msg.error.message };',
    [`${name}:out`],
  ),
  { id: `${name}:out`, type: 'http response', z, statusCode: '', headers: {}, wires: [] },
];

/** Task 2 of the shipped flow: read, record, list, push; or from the list on. */
export function shippedTask2(
  place: Place,
  { slots, from = 'read', line = '' }: { slots: number; from?: 'read' | 'due'; line?: string },
): Deployable {
  const { name, database, odooUrl, plcPort } = place;
  const ids = [
    'mo-cycle',
    'mo-t2-read',
    'mo-t2-record',
    'mo-t2-due',
    'mo-t2-push',
    'mo-odoo',
    'mo-db',
    'mo-silos',
    'mo-plc',
  ];
  const nodes = shippedFlow().filter(({ id }) => ids.includes(id));
  const { host, port, user, password } = database;
  const z = `${name}:mo-cycle`;
  const flow = copied(nodes, name, {
    'mo-t2-read': { slots: String(slots), wires: [['mo-t2-record'], []] },
    'mo-t2-record': { line, wires: [['mo-t2-due'], []] },
    'mo-t2-due': { line, wires: [[`${name}:any`]] },
    'mo-t2-push': { wires: [[`${name}:answer`], [`${name}:answer`]] },
    'mo-odoo': { url: odooUrl, database: 'odoo14', parallel: PARALLEL },
    'mo-db': { mode: 'server', host, serverPort: String(port), database: database.database },
    'mo-plc': { address: '127.0.0.1', port: String(plcPort) },
  });
  // The push sends nothing when nothing is due.
  const any = code(
    `${name}:any`,
    z,
    'return msg.payload.length > 0 ? [msg, null] : [null, msg];',
    [`${name}:mo-t2-push`],
    [`${name}:answer`],
  );
  const count = 'msg.payload.filter(({ conclusion }) => conclusion === "confirmed").length';
  return {
    flow: [...flow, any, ...door(name, z, `${name}:mo-t2-${from}`, count)],
    credentials: { [`${name}:mo-odoo`]: { user: 'scada', password: 'scada' }, [`${name}:mo-db`]: { user, password } },
  };
}

/** The same from stock nodes. */
export function stockTask2(place: Place, { from = 'read' }: { from?: 'read' | 'due' } = {}): Deployable {
  const { name, database, odooUrl, plcPort } = place;
  const nodes = JSON.parse(readFileSync(STOCK_FLOW, 'utf8')) as FlowNode[];
  const { host, port, user, password } = database;
  const z = `${name}:stock`;
  const urls = nodes
    .filter(({ type }) => type === 'http request')
    .map(({ id, url }) => [id, { url: String(url).replace(/^http:\/\/[^/]+/, odooUrl) }] as const);
  const flow = copied(nodes, name, {
    'stock-t2': null,
    'stock-end': null,
    'stock-next': { wires: [['stock-login'], [`${name}:answer`]] },
    'stock-db': { host, port: String(port), database: database.database, user, password },
    'stock-plc': { address: '127.0.0.1', port: String(plcPort) },
    ...Object.fromEntries(urls),
  });
  const counting = `if (msg.pgsql && msg.pgsql.command === 'UPDATE') msg.count = (msg.count || 0) + 1;\ndelete msg.pgsql;\n`;
  const counted = flow.map((node) =>
    node.id === `${name}:stock-next` ? { ...node, func: counting + String(node.func) } : node,
  );
  const first = `${name}:stock-${from === 'read' ? 'trigger' : 'due'}`;
  return { flow: [...counted, ...door(name, z, first, 'msg.count || 0')], credentials: {} };
}
