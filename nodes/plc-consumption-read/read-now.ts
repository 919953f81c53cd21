/** What the dialog asks of the PLC with what stands there, before it is deployed: "Read now", and the live values of a slot. */
import type { NodeAPI } from 'node-red';
import { setting } from '../lib/domain/setting';
import { type Silo, SiloMap } from '../lib/domain/silos';
import { withPlc } from '../lib/node-red/dialog-plc';
import type { Context } from '../lib/node-red/node-shell';
import type { EndpointSettings } from '../lib/plc/open-endpoint';
import type { SlotReader } from '../lib/plc/slot-reader';
import { type Bounded, createReader, RANGES, type Settings } from './settings';

/** What stands in the dialog, with the editor's own state of the config nodes that it names. */
export interface ReadNow extends Settings {
  endpoint: EndpointSettings & { id: string; changed: boolean };
  silos?: Silo[];
}

const withReader = <T>(
  RED: NodeAPI,
  t: Context['t'],
  { endpoint, silos, ...settings }: ReadNow,
  act: (reader: SlotReader, own: boolean) => Promise<T>,
): Promise<T> =>
  withPlc(RED, endpoint, async (connected, own) => {
    const within: Bounded = (key) => setting(settings[key], RANGES[key]).value;
    const reader = createReader(t, connected, settings, new SiloMap(silos), within);
    try {
      return await act(reader, own);
    } finally {
      reader.close();
    }
  });

/** Every slot, decoded and judged. */
export const readNow = (RED: NodeAPI, t: Context['t'], asked: ReadNow): Promise<object> =>
  withReader(RED, t, asked, (reader) => reader.read());

/** One slot's fields with their bytes, and whether a connection was made for it alone: then the dialog asks less often. */
export const lookAt = (RED: NodeAPI, t: Context['t'], asked: ReadNow & { slot: number }): Promise<object> =>
  withReader(RED, t, asked, async (reader, own) => ({ own, fields: await reader.peek(Number(asked.slot)) }));
