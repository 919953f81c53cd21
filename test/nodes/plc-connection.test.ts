/**
 * What can become of a PLC's connection, over the real `s7 endpoint` node with its own pause of 5 s: all at once, each with a
 * PLC and a reading node of its own. A status that does not come within the patience of the harness fails the test.
 */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { S7Endpoint } from '@st-one-io/nodes7';
import { S7_BATCH_RECORD, writeSlot } from '../../examples/plant/plc/batch-memory';
import { startS7Server, type S7Server } from '../../examples/plant/plc/s7-server';
import type { S7EndpointNode } from '../../nodes/lib/node-red/config-nodes';
import { LAYOUT_PRESETS } from '../../nodes/lib/plc/slot-layout';
import type { SlotReading } from '../../nodes/lib/plc/slot-guards';
import { eventually, type FlowNode, silos, sink, startFlow, stopHelper, TO_SINK } from '../support/node-red';

after(stopHelper);

const DB = 100;
const RECORD = LAYOUT_PRESETS['S7 batch record'];
/** The order number of 22 bytes and 18 around it do not fit. */
const SMALL_PDU = 38;

/** A PLC, its endpoint, and what can be done to them. */
class Place {
  plc!: S7Server;
  s7!: S7Endpoint;
  #port = 0;

  /** Another CPU on the same port, whose first slot holds an order. */
  async start(pduSize = 480): Promise<void> {
    this.plc = await startS7Server({ port: this.#port, pduSize, dbs: { [DB]: 2000 } });
    this.#port = this.plc.port;
    writeSlot(this.plc.memory(DB), S7_BATCH_RECORD, 1, { mo_id: 'WH/MO/00001', consumption: { silo_a: 600.3 } });
  }

  async restart(pduSize?: number): Promise<void> {
    await this.plc.stop();
    await this.start(pduSize);
  }

  connected(): Promise<void> {
    return new Promise((resolve) => (this.s7.isConnected ? resolve() : this.s7.once('connect', resolve)));
  }
}

interface Scenario {
  /** Before the flow starts. */
  begin?: (place: Place) => Promise<void>;
  fail?: (place: Place) => Promise<void>;
  error: RegExp;
  mend: (place: Place) => Promise<void>;
}

const clear = ({ plc }: Place): Promise<void> => plc.clearFaults();

const SCENARIOS: Record<string, Scenario> = {
  absent: { begin: ({ plc }) => plc.setFault({ refuse: true }), error: /PLC: offline/, mend: clear },
  gone: { fail: ({ plc }) => plc.setFault({ refuse: true }), error: /PLC: offline/, mend: clear },
  hanging: {
    fail: ({ plc }) => plc.setFault({ hang: true }),
    error: /PLC: no answer/,
    mend: async ({ plc }) => {
      // The connection that is accepted while it hangs stays mute, whatever the PLC does later.
      const { connections } = plc.counters;
      await eventually('another connection', () => plc.counters.connections > connections);
      await plc.clearFaults();
    },
  },
  resetting: { fail: ({ plc }) => plc.setFault({ dropMidTelegram: true }), error: /PLC: /, mend: clear },
  'small PDU': {
    fail: async (place) => {
      await place.restart(SMALL_PDU);
      await eventually('the loss', () => !place.s7.isConnected);
      await place.connected();
    },
    error: /a field takes 22 bytes, one telegram carries 20 \(PDU 38 - 18\)/,
    mend: (place) => place.restart(),
  },
  stopped: { fail: ({ plc }) => plc.stop(), error: /PLC: offline/, mend: (place) => place.start() },
};

test('a PLC that is absent, gone, hanging, resetting, restarted: the status tells, and reading resumes by itself', async (t) => {
  const places = new Map<string, Place>();
  const flow: FlowNode[] = [silos, sink];
  for (const [id, { begin }] of Object.entries(SCENARIOS)) {
    const place = new Place();
    await place.start();
    // The endpoint's close waits for an answer or a refusal.
    t.after(() => place.plc.stop());
    await begin?.(place);
    places.set(id, place);
    const endpoint = {
      address: '127.0.0.1',
      port: String(place.plc.port),
      rack: '0',
      slot: '1',
      connmode: 'rack-slot',
    };
    const vartable = [{ addr: 'DB100,X22.0', name: 'one' }];
    const limits = { settle: '1', timeout: '2000', maxSilo: '5000', maxFinished: '10000000', moPattern: '' };
    flow.push(
      {
        id: `plc ${id}`,
        type: 's7 endpoint',
        transport: 'iso-on-tcp',
        ...endpoint,
        cycletime: '0',
        timeout: '300',
        vartable,
      },
      {
        id,
        type: 'plc-consumption-read',
        endpoint: `plc ${id}`,
        silos: 'silos',
        ...RECORD,
        slots: 4,
        ...limits,
        ...TO_SINK,
      },
    );
  }
  const red = await startFlow(t, flow);

  const play = async ([id, { begin, fail, error, mend }]: [string, Scenario]): Promise<void> => {
    const place = places.get(id) as Place;
    place.s7 = red.node<S7EndpointNode>(`plc ${id}`).endpoint as S7Endpoint;
    if (!begin) await place.connected();
    await fail?.(place);
    const failed = await red.send(id);
    assert.match(failed.error?.message ?? '', error, id);
    assert.deepEqual(failed.out, [[], []], `${id}: nothing old is passed on`);
    await red.shows(id, /^red: PLC/);
    await mend(place);
    await place.connected();
    // Lost and found again within one turn would be connected as well: what counts is that it is read.
    await eventually(`${id}: read again`, async () => (await red.send(id)).error === undefined);
    const { out } = await red.send(id);
    const [reading] = out[0]?.[0]?.payload as SlotReading[];
    assert.deepEqual([reading?.mo_id, reading?.consumption.silo_a], ['WH/MO/00001', 600.3], id);
    assert.match(red.status(id).text ?? '', /^1 batches/, id);
  };
  await Promise.all(Object.entries(SCENARIOS).map(play));
});
