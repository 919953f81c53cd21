/** What the dialog asks of the PLC with what stands there, before it is deployed: "Read now", and the live values of a slot. */
import type { NodeAPI } from 'node-red';
import { type Silo, SiloMap } from '../lib/domain/silos';
import type { Context } from '../lib/node-red/node-shell';
import { withPlc } from '../lib/node-red/dialog-plc';
import type { EndpointSettings } from '../lib/plc/open-endpoint';
import type { OrderArea } from '../lib/plc/order-area';
import { createArea, quietly, type Settings, soundLayout } from './settings';

/** What stands in the dialog, with the editor's own state of the config nodes that it names. */
export interface ReadNow extends Settings {
  endpoint: EndpointSettings & { id: string; changed: boolean };
  silos?: Silo[];
}

const withArea = <T>(
  RED: NodeAPI,
  t: Context['t'],
  { endpoint, silos, ...settings }: ReadNow,
  act: (area: OrderArea, slots: number, own: boolean) => Promise<T>,
): Promise<T> => {
  const layout = soundLayout(t, settings, new SiloMap(silos));
  return withPlc(RED, endpoint, async (connected, own) => {
    const area = createArea(connected, layout, quietly(settings));
    try {
      return await act(area, layout.slots, own);
    } finally {
      area.close();
    }
  });
};

/** Every slot: its number and the handshake. */
export const readNow = (RED: NodeAPI, t: Context['t'], asked: ReadNow): Promise<object> =>
  withArea(RED, t, asked, async (area, count) => {
    const { signal } = new AbortController();
    const slots: object[] = [];
    for (let slot = 1; slot <= count; slot += 1) {
      const { number, ready, taken, echo } = await area.read(slot, signal);
      slots.push({ slot, number, ready, taken, echo });
    }
    return { slots };
  });

/** One slot's fields with their bytes, and whether a connection was made for it alone: then the dialog asks less often. */
export const lookAt = (RED: NodeAPI, t: Context['t'], asked: ReadNow & { slot: number }): Promise<object> =>
  withArea(RED, t, asked, async (area, _count, own) => {
    const { signal } = new AbortController();
    return { own, fields: await area.peek(Number(asked.slot), signal) };
  });
