/**
 * The simulated plant: a PLC and an Odoo, each on its real protocol. The number of the next order is entered at the PLC's
 * panel by an operator, or comes through its order block. It shares no code with the package.
 */
import type { Collisions, OrderView, SimulatedOdoo } from './odoo/simulated-odoo';
import { startOdoo, type WhichOdoo } from './odoo/which';
import { blockSize, S7_BATCH_RECORD } from './plc/batch-memory';
import { type Mill, type MillOrder, startMill } from './plc/mill';
import { type IntakeOptions, OrderIntake, type Taking } from './plc/order-intake';
import { S7_ORDER_RECORD } from './plc/order-memory';
import { type S7Server, startS7Server } from './plc/s7-server';

export interface PlantOptions {
  /** With the addon without it. */
  which?: WhichOdoo;
  /** Orders that are open in Odoo at the start. */
  orders?: number;
  /** Create new orders for ever, as sales would. */
  endless?: boolean;
  slots?: number;
  /** How long the weighing of a batch takes, and how long a completed one is kept in its slot (ms). */
  weighMs?: number;
  keepMs?: number;
  tickMs?: number;
  seed?: number;
  /** Orders come through the PLC's order block, and nobody types. */
  ordersDown?: Partial<IntakeOptions>;
  /** A completed batch is kept until it is acknowledged, instead of for `keepMs`. */
  acknowledge?: boolean;
  /** What becomes in Odoo of closings that meet. */
  collisions?: Collisions;
  plcPort?: number;
  odooPort?: number;
}

/** What the PLC took, and what Odoo had planned at that very moment; undefined: it knew no such order. */
export interface Handed {
  taking: Taking;
  odoo?: MillOrder & { state: OrderView['state'] };
}

export interface Plant {
  plc: S7Server;
  odoo: SimulatedOdoo;
  mill: Mill;
  /** The program that takes orders from the order block, where orders come through it. */
  intake?: OrderIntake;
  /** Orders that were entered at the panel or taken from the order block so far. */
  begun(): string[];
  /** What came through the order block, what the PLC refused as a repetition left out. */
  handed(): Handed[];
  /** No further order is created, nor entered at the panel: what was begun or handed over runs out. */
  stopOrders(): void;
  stop(): Promise<void>;
}

export const DATA_BLOCK = 100;
export const ORDER_BLOCK = S7_ORDER_RECORD.db;
const ORDER_SLOTS = 10;

/** What planners order, in turn (kg of finished goods); the recorded recipe is for 2500 kg. */
const QUANTITIES = [2500, 5000, 1250, 2500, 3750];

/** Tag in the PLC's record of an Odoo equipment code: silo101 is silo_a, lq114 lq_tetes, lq115 lq_fml. */
export const tagOf = (code: string): string =>
  ({ lq114: 'lq_tetes', lq115: 'lq_fml' })[code] ?? `silo_${String.fromCharCode(97 + Number(code.slice(-3)) - 101)}`;

/** What is planned in Odoo, kg by tag over all moves. */
export function planned({ name, quantity, moves }: OrderView): MillOrder {
  const plan: Record<string, number> = {};
  for (const { code, plan: kg } of moves) if (code) plan[tagOf(code)] = (plan[tagOf(code)] ?? 0) + kg;
  return { mo_id: name, quantity, plan };
}

/** Starts PLC, Odoo and mill on 127.0.0.1. */
export async function startPlant({
  which = 'addon',
  orders = 12,
  endless = false,
  slots = 10,
  weighMs = 60_000,
  keepMs = 120_000,
  tickMs = 500,
  seed = 1,
  ordersDown,
  acknowledge = false,
  collisions = 'context-lost',
  plcPort = 0,
  odooPort = 0,
}: PlantOptions = {}): Promise<Plant> {
  const odoo = await startOdoo(which, { port: odooPort, latencyMs: 30, collisions });
  const orderRow = ordersDown && { layout: S7_ORDER_RECORD, slots: ORDER_SLOTS, ...ordersDown };
  const dbs = {
    [DATA_BLOCK]: blockSize(S7_BATCH_RECORD, slots),
    ...(orderRow && { [ORDER_BLOCK]: blockSize(orderRow.layout, orderRow.slots) }),
  };
  const plc = await startS7Server({ port: plcPort, dbs });
  const intake = orderRow && new OrderIntake(plc.memory(ORDER_BLOCK), orderRow);
  const begun = new Set<string>();
  let created = 0;
  let ordering = true;
  const create = (): void => {
    const schedule = new Date(Date.UTC(2026, 0, 5, 6) + created * 1_800_000)
      .toISOString()
      .slice(0, 19)
      .replace('T', ' ');
    odoo.createOrder({ quantity: QUANTITIES[created % QUANTITIES.length] as number, schedule });
    created += 1;
  };
  for (let n = 0; n < orders; n += 1) create();

  const handed: Handed[] = [];
  const takeHanded = (): MillOrder | undefined => {
    const taking = intake?.take();
    const known = odoo.orders().find(({ name }) => name === taking?.mo_id);
    if (taking) handed.push({ taking, ...(known && { odoo: { ...planned(known), state: known.state } }) });
    return taking;
  };
  /** The operator looks at Odoo's list and enters the next order that nobody has begun; or the PLC's program has one. */
  const nextOrder = (): Promise<MillOrder | undefined> => {
    const open = odoo.orders().filter(({ name, state }) => state === 'confirmed' && !begun.has(name));
    if (ordering && endless && open.length <= slots) create();
    const typed = ordering && !intake ? open.sort((a, b) => a.id - b.id)[0] : undefined;
    const order = typed ? planned(typed) : takeHanded();
    if (order) begun.add(order.mo_id);
    return Promise.resolve(order);
  };
  const onScan = (ms: number): void => intake?.scan(ms);
  const mill = startMill({ server: plc, slots, weighMs, keepMs, tickMs, seed, acknowledge, nextOrder, onScan });
  return {
    plc,
    odoo,
    mill,
    ...(intake && { intake }),
    begun: () => [...begun],
    handed: () => structuredClone(handed),
    stopOrders: () => {
      ordering = false;
    },
    stop: async () => {
      mill.stop();
      await Promise.all([plc.stop(), odoo.stop()]);
    },
  };
}
