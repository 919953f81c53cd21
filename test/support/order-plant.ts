/** A simulated CPU with order slots, its program's memory seen by code of its own, and a flow that hands orders over to it. */
import type { TestContext } from 'node:test';
import { startS7Server, type S7Server } from '../../examples/plant/plc/s7-server';
import type { S7EndpointNode } from '../../nodes/lib/node-red/config-nodes';
import { ORDER_PRESETS, type OrderLayout } from '../../nodes/lib/plc/order-layout';
import { database, databaseLogin, type Ended, type NodeRed, silos, startFlow } from './node-red';
import { freshStore, type TestStore } from './store';

export const RECORD = ORDER_PRESETS['S7 order record'];
export const ORDER_DB = 110;

/** Where the two presets have what the PLC program needs (bytes), written down once more. */
const PLACES = {
  record: { number: 2, head: true, ready: 120, taken: 122, siloA: 28, echo: 124, bytes: 146 },
  packed: { number: 2, head: false, ready: 153, taken: 147, siloA: 56, echo: 0, bytes: 154 },
} as const;

/** The order slots as the PLC program sees them. */
export class OrderMemory {
  readonly #memory: Buffer;
  readonly #layout: OrderLayout;
  readonly #at: (typeof PLACES)[keyof typeof PLACES];

  constructor(memory: Buffer, layout: OrderLayout) {
    [this.#memory, this.#layout] = [memory, layout];
    this.#at = layout.stride === RECORD.stride ? PLACES.record : PLACES.packed;
  }

  #slot = (slot: number): Buffer =>
    this.#memory.subarray(this.#layout.base + (slot - 1) * this.#layout.stride).subarray(0, this.#at.bytes);

  slot(slot: number): { number: string; ready: boolean; taken: boolean; siloA: number } {
    const [bytes, { number, head, ready, taken, siloA }] = [this.#slot(slot), this.#at];
    const text = bytes.toString('latin1', number, number + (head ? bytes[1]! : 16));
    return {
      number: text.replace(/\0+$/, ''),
      ready: bytes[ready] !== 0,
      taken: bytes[taken] !== 0,
      siloA: head ? bytes.readFloatBE(siloA) : bytes.readInt32BE(siloA) / 100,
    };
  }

  put(slot: number, { number, ready }: { number: string; ready: boolean }): void {
    const [bytes, at] = [this.#slot(slot), this.#at];
    bytes.fill(0, at.number, at.number + 16).write(number, at.number, 'latin1');
    if (at.head) bytes.set([20, number.length]);
    [bytes[at.ready], bytes[at.taken]] = [Number(ready), 0];
  }

  /** The program copies the order and says so. */
  take(slot: number): void {
    if (this.slot(slot).ready) this.#slot(slot)[this.#at.taken] = 1;
  }

  bytes = (slot: number): Buffer => Buffer.from(this.#slot(slot));
  restore = (slot: number, bytes: Buffer): void => void bytes.copy(this.#slot(slot));
}

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
