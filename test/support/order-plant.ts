/** A simulated CPU with order slots, and a flow that hands orders over to it. */
import type { TestContext } from 'node:test';
import { startS7Server, type S7Server } from '../../examples/plant/plc/s7-server';
import type { S7EndpointNode } from '../../nodes/lib/node-red/config-nodes';
import type { OrderLayout } from '../../nodes/lib/plc/order-layout';
import { database, databaseLogin, type Ended, type NodeRed, silos, startFlow } from './node-red';
import { ORDER_DB, OrderMemory, RECORD } from './order-memory';
import { freshStore, type TestStore } from './store';

export interface OrderPlant extends TestStore {
  server: S7Server;
  plc: OrderMemory;
  red: NodeRed;
  handOver: () => Promise<Ended>;
  withdraw: (...moIds: string[]) => Promise<Ended>;
}

export async function orderPlant(
  t: TestContext,
  { layout = RECORD, slots = 1, node = {} }: { layout?: OrderLayout; slots?: number; node?: object },
): Promise<OrderPlant> {
  const server = await startS7Server({ dbs: { [ORDER_DB]: 4000 } });
  t.after(() => server.stop());
  const store = await freshStore(t);
  const { address } = store;
  const endpoint = { address: '127.0.0.1', port: String(server.port), rack: '0', slot: '1', connmode: 'rack-slot' };
  const vartable = [{ addr: `DB${ORDER_DB},X0.0`, name: 'one' }];
  const hand = {
    ...{ id: 'hand', type: 'plc-order-write', operation: 'hand-over', database: 'db', endpoint: 'plc', silos: 'silos' },
    ...{ ...layout, slots: String(slots), line: '', clearing: 'bridge', settle: '1', timeout: '2000', maxSilo: '5000' },
    ...{ wires: [['handed'], ['refused']], ...node },
  };
  const flow = [
    { id: 'plc', type: 's7 endpoint', transport: 'iso-on-tcp', ...endpoint, cycletime: '0', timeout: '1000', vartable },
    ...[silos, database(address), hand],
    {
      ...{ id: 'back', type: 'plc-order-write', operation: 'withdraw' },
      database: 'db',
      wires: [['handed'], ['refused']],
    },
    {
      ...{ id: 'save', type: 'mo-batch-store', operation: 'record', line: '' },
      database: 'db',
      wires: [['handed'], ['refused']],
    },
    ...['handed', 'refused'].map((id) => ({ id, type: 'helper' })),
  ];
  const red = await startFlow(t, flow, databaseLogin(address));
  const { endpoint: s7 } = red.node<S7EndpointNode>('plc');
  if (!s7?.isConnected) await new Promise((resolve) => s7?.once('connect', resolve));
  return {
    ...store,
    ...{ server, red, plc: new OrderMemory(server.memory(ORDER_DB), layout) },
    handOver: () => red.send('hand'),
    withdraw: (...moIds) => red.send('back', { mo_id: moIds }),
  };
}
