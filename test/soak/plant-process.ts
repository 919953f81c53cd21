/** The simulated plant in a process of its own: it goes on while Node-RED is killed. Steered over IPC by soak.ts. */
import { startPlant, tagOf, type Plant, type PlantOptions } from '../../examples/plant/plant';
import type { Fault } from '../../examples/plant/odoo/simulated-odoo';

/** What happened to one order, on both sides of the bridge. */
export interface OrderFate {
  mo_id: string;
  /** State in Odoo. */
  state: string;
  /** Odoo's stock moves and the PLC's final memory, kg by silo tag, in hundredths. */
  odoo: Record<string, number>;
  plc: Record<string, number>;
}

const hundredths = (kg: number): number => Math.round(Math.round(kg * 1000) / 10);
let plant: Plant | undefined;
const running = (): Plant => {
  if (!plant) throw new Error('the plant has not been started');
  return plant;
};

const commands = {
  start: async (options: PlantOptions) => {
    plant = await startPlant(options);
    return { plcPort: plant.plc.port, odooUrl: plant.odoo.url };
  },
  odooFault: (fault: Fault) => running().odoo.setFault(fault),
  odooOutage: (ms: number) => running().odoo.outage(ms),
  plcDrop: () => running().plc.setFault({ dropMidTelegram: true }),
  plcRefuse: () => running().plc.setFault({ refuse: true }),
  heal: async () => {
    running().odoo.clearFaults();
    await running().plc.clearFaults();
  },
  /** No new orders from now on: what was begun is finished. */
  runOut: () => running().stopOrders(),
  /** Most writing calls of one order at a time. */
  concurrency: () => running().odoo.maxConcurrentPerOrder(),
  /** Orders that the mill has entered into a slot, finished or not. */
  begun: () => running().begun(),
  fates: (): OrderFate[] =>
    [...running().mill.finals()].map(([mo_id, { consumption }]) => ({
      mo_id,
      state: running().odoo.order(mo_id).state,
      odoo: Object.fromEntries(
        Object.entries(running().odoo.done(mo_id)).map(([code, kg]) => [tagOf(code), hundredths(kg)]),
      ),
      plc: Object.fromEntries(Object.entries(consumption).map(([tag, kg]) => [tag, hundredths(kg)])),
    })),
  stop: () => running().stop(),
};

export type Commands = typeof commands;

process.on('message', ({ id, command, argument }: { id: number; command: keyof Commands; argument: unknown }) => {
  Promise.resolve()
    .then(() => (commands[command] as (argument: unknown) => unknown)(argument))
    .then(
      (result: unknown) => process.send?.({ id, result }),
      (error: unknown) => process.send?.({ id, error: String(error) }),
    );
});
process.on('disconnect', () => process.exit());
