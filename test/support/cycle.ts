/** A simulated Odoo, a database and the nodes between them: queued orders to push, for the tests of the push and archive nodes. */
import type { TestContext } from 'node:test';
import { startSimulatedOdoo, type SimulatedOdoo } from '../../examples/plant/odoo/simulated-odoo';
import { type ConnectionData, queryOnce, testDatabase } from './cluster';
import { startTcpProxy, type TcpProxy } from './tcp-proxy';
import {
  database,
  databaseLogin,
  type FlowNode,
  type Message,
  type NodeRed,
  ODOO_LOGIN,
  odooServer,
  silos,
  sink,
  startFlow,
  TO_SINK,
} from './node-red';

export interface Row {
  id: string;
  mo_id: string;
  conclusion?: string;
  reason?: string;
  skipped?: string;
  done?: boolean;
  db_saved?: boolean;
}

export interface Cycle {
  odoo: SimulatedOdoo;
  red: NodeRed;
  address: ConnectionData;
  /** The way from the nodes to the database. */
  network: TcpProxy;
  /** Queues orders that exist in Odoo, with what the PLC said about silo_a (kg); some of them completed. */
  queue: (weights: Record<string, number>, completed?: readonly string[]) => Promise<Row[]>;
  sql: <T>(text: string) => Promise<T[]>;
  /** The rows of a store operation. */
  ask: (operation: string, msg?: Message) => Promise<Row[]>;
}

/** The recipe of the orders here: 100 kg of one component from silo_a for 100 kg of product, any difference allowed. */
const RECIPE = {
  quantity: 100,
  bomQty: 100,
  policy: 'flexible',
  components: [{ code: 'silo101', product: 'Pollard Angsa', quantity: 100 }],
} as const;

export const push = (more: object = {}): FlowNode => ({
  ...{
    id: 'push',
    type: 'odoo-push-consumption',
    name: 'push',
    server: 'odoo',
    database: 'db',
    silos: 'silos',
    operation: 'process',
  },
  ...{
    markDone: false,
    readBack: false,
    closeWarning: true,
    closeStrict: false,
    minFinishedShare: 90,
    noFinishedWeight: 'set-aside',
  },
  ...TO_SINK,
  ...more,
});

/** @param nodes besides the config nodes and a store node per operation */
export async function startCycle(
  t: TestContext,
  nodes: readonly FlowNode[],
  { server = {}, db = {}, login = ODOO_LOGIN }: { server?: object; db?: object; login?: Record<string, object> } = {},
): Promise<Cycle> {
  const [odoo, address] = await Promise.all([startSimulatedOdoo(), testDatabase()]);
  const network = await startTcpProxy(address);
  const stores = ['enqueue', 'record', 'due', 'completed', 'retry', 'summary'].map((operation) => ({
    ...{ id: operation, type: 'mo-batch-store', name: operation, database: 'db', operation, line: '' },
    ...{ limit: '1000', limitType: 'num', ...TO_SINK },
  }));
  const flow = [
    odooServer(odoo.url, server),
    database({ ...address, port: network.port }, db),
    silos,
    ...stores,
    ...nodes,
    sink,
  ];
  const red = await startFlow(t, flow, { ...login, ...databaseLogin(address) });
  t.after(async () => {
    await red.stop();
    await Promise.all([odoo.stop(), network.stop(), address.drop()]);
  });
  const ask = async (operation: string, msg: Message = {}): Promise<Row[]> => {
    const { error, out } = await red.send(operation, msg);
    if (error) throw error;
    return out[0]?.[0]?.payload as Row[];
  };
  return {
    odoo,
    red,
    address,
    network,
    ask,
    queue: async (weights, completed = []) => {
      const names = Object.keys(weights);
      for (const name of names) odoo.createOrder({ ...RECIPE, name });
      const order = { consumption: 100, equipment_id_batch: 'PLC01', consumption_silo_a: 100 };
      await ask('enqueue', { payload: names.map((mo_id) => ({ mo_id, ...order })) });
      const reading = (mo_id: string, slot: number): object => ({
        ...{ slot, mo_id, status_operation: true, status_manufacturing: completed.includes(mo_id) },
        actual_weight_quantity_finished_goods: completed.includes(mo_id) ? 100 : null,
        consumption: { silo_a: weights[mo_id] },
      });
      await ask('record', { payload: names.map(reading) });
      return ask('due');
    },
    sql: (text) => queryOnce(address, text),
  };
}
