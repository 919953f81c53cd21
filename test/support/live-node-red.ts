/** A Node-RED in a process of its own, worked with as its editor does: deploys over the admin API, buttons, the log. */
import { startNodeRed, type FlowNode, type HostOptions, type NodeRedHost } from '../../examples/plant/node-red-host';

export type Deployment = 'full' | 'nodes' | 'flows';
export type Credentials = Record<string, Record<string, string>>;

export interface LiveNodeRed {
  host: NodeRedHost;
  /** Deploys a whole set of flows. @returns once the nodes have started again: how long that took (ms) */
  deploy(flow: readonly FlowNode[], credentials?: Credentials, type?: Deployment): Promise<number>;
  /** Presses the button of an inject node. */
  press(id: string): Promise<void>;
  /** Resolves with the first line since the last deploy that matches; a line that was there already counts. */
  sees(what: RegExp): Promise<string>;
  /** Lines since the last deploy. */
  lines(what?: RegExp): string[];
  post(path: string, body: object): Promise<Response>;
}

/** What Node-RED's log says when a deploy is through. */
const STARTED = /\[info\] Started (modified )?(flows|nodes)/;
/** Far more than anything here takes; a test fails with the log instead of hanging (ms). */
const PATIENCE = 60_000;

/** Starts Node-RED with no flow but an empty tab. */
export async function startLiveNodeRed(options: Partial<HostOptions> = {}): Promise<LiveNodeRed> {
  let lines: string[] = [];
  const watchers = new Set<() => void>();
  const onLine = (line: string): void => {
    lines.push(line);
    for (const look of watchers) look();
  };
  const host = await startNodeRed({ flow: [{ id: 'empty', type: 'tab', label: 'empty' }], ...options, onLine });

  const sees = (what: RegExp): Promise<string> =>
    new Promise((found, failed) => {
      const stop = (): void => {
        clearTimeout(timer);
        watchers.delete(look);
      };
      const look = (): void => {
        const line = lines.find((each) => what.test(each));
        if (line === undefined) return;
        stop();
        found(line);
      };
      const timer = setTimeout(() => {
        stop();
        failed(new Error(`Node-RED did not say ${String(what)}:\n${lines.slice(-30).join('\n')}`));
      }, PATIENCE);
      watchers.add(look);
      look();
    });
  const post = async (path: string, body: object, headers: Record<string, string> = {}): Promise<Response> =>
    fetch(host.url + path, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });

  return {
    host,
    deploy: async (flow, credentials = {}, type = 'full') => {
      lines = [];
      const began = performance.now();
      const nodes = flow.map((node) => (credentials[node.id] ? { ...node, credentials: credentials[node.id] } : node));
      const { status } = await post('/flows', nodes, { 'Node-RED-Deployment-Type': type });
      if (status !== 204) throw new Error(`Node-RED did not take the flows: HTTP ${status}`);
      await sees(STARTED);
      return performance.now() - began;
    },
    press: async (id) => {
      const { status } = await post(`/inject/${id}`, {});
      if (status !== 200) throw new Error(`there is no button ${id}: HTTP ${status}`);
    },
    sees,
    lines: (what) => lines.filter((line) => !what || what.test(line)),
    post,
  };
}
