/** The simulated plant of the bench in a process of its own, so that it takes no time of what is measured. Steered over IPC. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { startSimulatedOdoo, type SimulatedOdoo } from '../../examples/plant/odoo/simulated-odoo';
import { RECIPE } from '../../examples/plant/odoo/catalogue';
import { blockSize, S7_BATCH_RECORD, WEIGHT_TAGS, writeSlot } from '../../examples/plant/plc/batch-memory';
import { startS7Server, type S7Server } from '../../examples/plant/plc/s7-server';

/** The recorded recipe with both liquids, so that no silo of a batch is 0: a 0 costs further calls to Odoo. */
const COMPONENTS = [
  ...RECIPE,
  { code: 'lq114', product: 'Molases', quantity: 40 },
  { code: 'lq115', product: 'Premix', quantity: 20 },
];

let plc: S7Server | undefined;
const odoos: SimulatedOdoo[] = [];

const running = (): S7Server => {
  if (!plc) throw new Error('the PLC has not been started');
  return plc;
};

const commands = {
  /** @returns TCP port */
  plc: async ({ slots, pduSize }: { slots: number; pduSize: number }) => {
    await plc?.stop();
    plc = await startS7Server({ pduSize, dbs: { [S7_BATCH_RECORD.db]: blockSize(S7_BATCH_RECORD, slots) } });
    return plc.port;
  },
  /** @param latencyMs what each call takes @param line what orders are called by @returns its address and their names */
  odoo: async ({ orders, latencyMs, line }: { orders: number; latencyMs: number; line?: string }) => {
    const odoo = await startSimulatedOdoo({ latencyMs });
    odoos.push(odoo);
    const names = Array.from({ length: orders }, (_, n) => {
      const { name } = odoo.createOrder({ components: COMPONENTS, policy: 'flexible' });
      if (!line) return name;
      odoo.renameByHand(name, `${line}/MO/${n + 1}`);
      return `${line}/MO/${n + 1}`;
    });
    return { url: odoo.url, orders: names };
  },
  /** Every given order weighs in its slot: all weights become `kg` plus a little per silo. */
  weigh: ({ orders, kg }: { orders: readonly string[]; kg: number }) => {
    const memory = running().memory(S7_BATCH_RECORD.db);
    const consumption = Object.fromEntries(WEIGHT_TAGS.map((tag, index) => [tag, kg + index / 4]));
    orders.forEach((mo_id, index) =>
      writeSlot(memory, S7_BATCH_RECORD, index + 1, {
        ...{ mo_id, status_operation: true, consumption },
        actual_weight_quantity_finished_goods: kg * 10,
      }),
    );
  },
  /** Telegrams that the PLC has had. */
  telegrams: () => running().counters.telegrams,
  /** Calls that the Odoos have had. */
  calls: () => odoos.reduce((sum, { calls }) => sum + calls.length, 0),
  stop: async () => {
    await Promise.all([plc?.stop(), ...odoos.map((odoo) => odoo.stop())]);
  },
};

type Commands = typeof commands;

export interface PlantProcess {
  call<K extends keyof Commands>(
    command: K,
    ...argument: Parameters<Commands[K]>
  ): Promise<Awaited<ReturnType<Commands[K]>>>;
  stop(): Promise<void>;
}

/** Starts this file as a process and gives its commands as functions. */
export function startPlantProcess(): PlantProcess {
  const child = fork(__filename, { env: { ...process.env, BENCH_PLANT: '1' } });
  const waiting = new Map<number, { resolve: (value: never) => void; reject: (error: Error) => void }>();
  child.on('message', ({ id, result, error }: { id: number; result: never; error?: string }) => {
    const call = waiting.get(id);
    waiting.delete(id);
    if (error) call?.reject(new Error(error));
    else call?.resolve(result);
  });
  let calls = 0;
  const plant: PlantProcess = {
    call: (command, argument?: unknown) =>
      new Promise((resolve, reject) => {
        waiting.set((calls += 1), { resolve, reject });
        child.send({ id: calls, command, argument });
      }),
    stop: async () => {
      const ended = once(child, 'exit');
      await plant.call('stop');
      child.disconnect();
      await ended;
    },
  };
  return plant;
}

if (process.env['BENCH_PLANT']) {
  process.on('message', ({ id, command, argument }: { id: number; command: keyof Commands; argument: never }) => {
    Promise.resolve()
      .then(() => commands[command](argument) as unknown)
      .then(
        (result: unknown) => process.send?.({ id, result }),
        (error: unknown) => process.send?.({ id, error: String(error) }),
      );
  });
  process.on('disconnect', () => process.exit());
}
