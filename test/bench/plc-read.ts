/**
 * A PLC read of 30 slots against the best that a user of nodes7 alone has: one group over every field of every slot, which
 * fetches neighbouring fields together, splits them where a telegram is full, and decodes what comes. Neither asks for the
 * operating mode.
 */
import { S7Endpoint, S7ItemGroup } from '@st-one-io/nodes7';
import { SiloMap } from '../../nodes/lib/domain/silos';
import { addresses, LAYOUT_PRESETS } from '../../nodes/lib/plc/slot-layout';
import { SlotReader } from '../../nodes/lib/plc/slot-reader';
import { interleaved } from './measure';
import { type Figures, medians, type Setting, SLOTS } from './setting';

const PDU_SIZES = [240, 480, 960];

async function connect(port: number): Promise<S7Endpoint> {
  const endpoint = new S7Endpoint({ host: '127.0.0.1', port, s7ConnOpts: { timeout: 2000 } });
  await new Promise<void>((connected, failed) => endpoint.once('connect', connected).once('error', failed));
  return endpoint;
}

/** Per PDU size: the time of a read and its telegrams, as times nodes7's. */
export async function plcRead({ plant, say }: Setting): Promise<Figures> {
  const figures: Figures = {};
  const layout = { ...LAYOUT_PRESETS['S7 batch record'], slots: SLOTS };
  for (const pduSize of PDU_SIZES) {
    const port = await plant.call('plc', { slots: SLOTS, pduSize });
    await plant.call('weigh', { orders: Array.from({ length: SLOTS }, (_, n) => `WH/MO/${n + 1}`), kg: 100 });
    const [ours, alone] = [await connect(port), await connect(port)];
    const reader = new SlotReader(ours, layout, new SiloMap(), { checkMode: false });
    const group = new S7ItemGroup(alone);
    for (let slot = 1; slot <= SLOTS; slot += 1) group.addItems(addresses(layout, slot).map(({ address }) => address));
    const readers = { slots: () => reader.read(), nodes7: () => group.readAllItems() };
    const result = await interleaved<keyof typeof readers>(readers, { rounds: 200, warmUps: 50 });

    const telegramsOf = async (read: () => Promise<unknown>): Promise<number> => {
      const before = await plant.call('telegrams');
      await read();
      return (await plant.call('telegrams')) - before;
    };
    const telegrams = { slots: await telegramsOf(readers.slots), nodes7: await telegramsOf(readers.nodes7) };
    say(`PDU ${pduSize}: ${medians(result.times)}; telegrams ${telegrams.slots} and ${telegrams.nodes7}`);
    figures[`read${pduSize}_vs_nodes7`] = result.ratio('slots', 'nodes7');
    figures[`read${pduSize}_telegrams_vs_nodes7`] = telegrams.slots / telegrams.nodes7;
    reader.close();
    await Promise.all([ours.disconnect(), alone.disconnect()]);
  }
  return figures;
}
