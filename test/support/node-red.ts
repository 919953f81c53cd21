/**
 * A Node-RED in this process (node-red-node-test-helper) with the compiled nodes of this package, their real texts, the real
 * `s7 endpoint` and http nodes; everything that a node sends, shows, logs and completes is recorded as it happens.
 */
import { EventEmitter, once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join, resolve } from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import type { Node, NodeAPI } from 'node-red';
import type { ConnectionData } from './cluster';

/** The compiled tree that this test runs in. */
const BUILT = resolve(__dirname, '..', '..');
const NODE_RED = require.resolve('node-red');
const fromNodeRed = (id: string): unknown => require(require.resolve(id, { paths: [dirname(NODE_RED)] }));

export const TYPES = [
  'odoo-server',
  'mo-database',
  'silo-map',
  'odoo-fetch-mo',
  'plc-consumption-read',
  'plc-order-write',
  'mo-batch-store',
  'odoo-push-consumption',
  'history-archive',
] as const;

export interface FlowNode {
  id: string;
  type: string;
  [property: string]: unknown;
}

export interface LogEntry {
  level: 'error' | 'warn' | 'info' | 'other';
  id: string | undefined;
  name: string | undefined;
  text: string;
}

export interface Shown {
  fill?: string;
  shape?: string;
  text?: string;
}

export type Message = Record<string, unknown> & { payload?: unknown; _msgid?: string };

/** How one input ended: the error of its done(), how often done() was called, and what went out before, per output. */
export interface Ended {
  error: Error | undefined;
  out: Message[][];
}

interface Helper {
  init(runtimePath: string): void;
  startServer(): Promise<void>;
  stopServer(): Promise<void>;
  load(modules: unknown[], flow: readonly FlowNode[], credentials: object): Promise<void>;
  unload(): Promise<void>;
  getNode(id: string): Node | null;
}
interface Hooks {
  add(name: string, listener: (event: never) => void): void;
  remove(name: string): void;
}
interface Log {
  addHandler(handler: EventEmitter): void;
  removeHandler(handler: EventEmitter): void;
}
interface I18n {
  registerMessageCatalog(namespace: string, directory: string, file: string): Promise<void>;
  _(key: string, values?: object): string;
}

const helper = require('node-red-node-test-helper') as Helper;
const { i18n, hooks, log } = fromNodeRed('@node-red/util') as { i18n: I18n; hooks: Hooks; log: Log };
/** A test that waits longer for an event has failed (ms). */
const PATIENCE = 20_000;
const LEVELS: Record<number, LogEntry['level']> = { 20: 'error', 30: 'warn', 40: 'info' };

export interface NodeRed {
  /** Sends a message to a node; resolves when the node has called done(). */
  send: (id: string, msg?: Message) => Promise<Ended>;
  /** How often done() was called for messages of this node. */
  dones: (id: string) => number;
  status: (id: string) => Shown;
  /** Resolves as soon as a node shows it; at once when it does already. */
  shows: (id: string, what: RegExp) => Promise<Shown>;
  logged: (level?: LogEntry['level']) => LogEntry[];
  /** Resolves as soon as a line like it was logged. */
  logs: (what: RegExp) => Promise<LogEntry>;
  node<T extends Node = Node>(id: string): T;
  /** Permissions that admin routes ask for. */
  permissions: string[];
  /** Base address of http in nodes / of admin routes. */
  httpNode: string;
  httpAdmin: string;
  /** Stops every node, as a deploy does. */
  stop: () => Promise<void>;
}

let prepared: Promise<void> | undefined;
let texts: Promise<void> | undefined;

async function registerTexts(): Promise<void> {
  for (const type of TYPES)
    await i18n.registerMessageCatalog(`test/${type}`, join(BUILT, 'nodes', type, 'locales'), `${type}.json`);
}

/** Nodes with wires lie on a tab; Node-RED takes those that lie nowhere for config nodes. */
const inTab = (flow: readonly FlowNode[]): FlowNode[] => [
  { id: 'tab', type: 'tab', label: 'test' },
  ...flow.map((node) => ('wires' in node ? { ...node, z: 'tab', x: 0, y: 0 } : node)),
];

/** Starts a flow; it ends with the test. @param credentials by node id */
export async function startFlow(
  t: TestContext,
  flow: readonly FlowNode[],
  credentials: Record<string, object> = {},
): Promise<NodeRed> {
  prepared ??= Promise.resolve(helper.init(NODE_RED)).then(() => helper.startServer());
  await prepared;
  texts ??= registerTexts();
  await texts;

  const sent: { source: string; port: number; msg: Message }[] = [];
  const completed: { id: string; msgid: string; error: Error | undefined }[] = [];
  const shown = new Map<string, Shown>();
  const logged: LogEntry[] = [];
  const permissions: string[] = [];
  const watchers = new Set<() => void>();
  const changed = (): void => watchers.forEach((look) => look());
  /** Looks now and after everything that happens, until there is something. */
  const until = <T>(what: string, look: () => T | undefined): Promise<T> =>
    new Promise((found, missed) => {
      const end = (): void => {
        clearTimeout(timer);
        watchers.delete(watcher);
      };
      const timer = setTimeout(() => {
        end();
        missed(
          new Error(
            `${what}: not within ${PATIENCE} ms; shown: ${JSON.stringify([...shown])}; logged: ${JSON.stringify(logged)}`,
          ),
        );
      }, PATIENCE);
      const watcher = (): void => {
        const value = look();
        if (value === undefined) return;
        end();
        found(value);
      };
      watchers.add(watcher);
      watcher();
    });

  let api: NodeAPI | undefined;
  const onStatus = ({ id, status }: { id: string; status: Shown }): void => {
    shown.set(id, status);
    changed();
  };
  const modules = TYPES.map((type) => (RED: NodeAPI) => {
    const init = require(join(BUILT, 'nodes', type, `${type}.js`)) as (RED: NodeAPI) => void;
    if (!api) {
      api = RED;
      RED.events.on('node-status', onStatus);
    }
    const needsPermission = (permission: string): RequestListener => {
      permissions.push(permission);
      return RED.auth.needsPermission(permission) as RequestListener;
    };
    init({
      ...RED,
      auth: { ...RED.auth, needsPermission },
      _: (key: string, values = {}) => i18n._(`test/${type}:${key}`, values),
    });
  });
  hooks.add('onSend.recorded', (events: { msg: Message; source: { id: string; port: number } }[]) => {
    for (const { msg, source } of events) sent.push({ source: source.id, port: source.port, msg });
  });
  hooks.add('onComplete.recorded', ({ msg, node, error }: { msg: Message; node: { id: string }; error?: Error }) => {
    completed.push({ id: node.id, msgid: msg._msgid ?? '', error });
    changed();
  });
  const logHandler = new EventEmitter().on(
    'log',
    (entry: { level: number; id?: string; name?: string; msg: unknown }) => {
      const { level, id, name, msg } = entry;
      if (!id) return;
      logged.push({
        level: LEVELS[level] ?? 'other',
        id,
        name,
        text: msg instanceof Error ? msg.message : String(msg),
      });
      changed();
    },
  );
  log.addHandler(logHandler);
  const contrib = require('node-red-contrib-s7/red/s7.js') as unknown;
  await helper.load(
    [...modules, contrib, fromNodeRed('@node-red/nodes/core/network/21-httpin.js')],
    inTab(flow),
    credentials,
  );
  const RED = api as unknown as NodeAPI & { httpNode: RequestListener; httpAdmin: RequestListener };

  const servers = [RED.httpNode, RED.httpAdmin].map((app) => createServer(app).listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const [httpNode = '', httpAdmin = ''] = servers.map(
    (server) => `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
  );

  let stopped: Promise<void> | undefined;
  const stop = (): Promise<void> =>
    (stopped ??= (async () => {
      await helper.unload();
      hooks.remove('*.recorded');
      log.removeHandler(logHandler);
      RED.events.off('node-status', onStatus);
      for (const server of servers) {
        server.closeAllConnections();
        server.close();
      }
    })());
  t.after(stop);

  let messages = 0;
  return {
    send: async (id, msg = {}) => {
      const message: Message = { _msgid: `m${(messages += 1)}`, ...msg };
      const { _msgid } = message;
      const before = sent.length;
      helper.getNode(id)?.receive(message);
      const { error } = await until(`done() of ${id}`, () =>
        completed.find((entry) => entry.id === id && entry.msgid === _msgid),
      );
      const own = sent.slice(before).filter(({ source, msg: { _msgid: other } }) => source === id && other === _msgid);
      return { error, out: [0, 1].map((port) => own.filter((event) => event.port === port).map((event) => event.msg)) };
    },
    dones: (id) => completed.filter((entry) => entry.id === id).length,
    status: (id) => shown.get(id) ?? {},
    shows: (id, what) =>
      until(`status ${what} of ${id}`, () => {
        const status = shown.get(id);
        return status && what.test(`${status.fill}: ${status.text}`) ? status : undefined;
      }),
    logged: (level) => logged.filter((entry) => !level || entry.level === level),
    logs: (what) => until(`a log line like ${what}`, () => logged.find(({ text }) => what.test(text))),
    node: <T extends Node>(id: string) => helper.getNode(id) as T,
    permissions,
    httpNode,
    httpAdmin,
    stop,
  };
}

/** Looks again until it is so, where the other side has no event to wait for. */
export async function eventually(what: string, look: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + PATIENCE;
  while (!(await look())) {
    if (performance.now() > deadline) throw new Error(`${what}: not within ${PATIENCE} ms`);
    await pause(5);
  }
}

/** For `after` of a test file: the server of the helper. */
export const stopHelper = async (): Promise<void> => {
  if (prepared) await helper.stopServer();
};

/** Config nodes for the simulated plant, with their credentials. */
export const odooServer = (url: string, more: object = {}): FlowNode => ({
  ...{ id: 'odoo', type: 'odoo-server', name: 'Odoo', url, database: 'odoo14', timeout: '2', parallel: '2', tls: '' },
  ...more,
});
export const ODOO_LOGIN = { odoo: { user: 'scada', password: 'scada' } };
export const silos: FlowNode = { id: 'silos', type: 'silo-map', name: 'Silos' };
export const database = ({ host, port, database: name }: ConnectionData, more: object = {}): FlowNode => ({
  ...{ id: 'db', type: 'mo-database', name: 'Batches', mode: 'server', host, serverPort: String(port), database: name },
  ...more,
});
export const databaseLogin = ({ user, password }: ConnectionData): Record<string, object> => ({
  db: { user, password },
});
/** Where outputs are wired to, so that what is sent can be seen. */
export const sink: FlowNode = { id: 'sink', type: 'helper', wires: [] };
export const TO_SINK = { wires: [['sink'], ['sink']] };
