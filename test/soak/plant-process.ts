/** The simulated plant in a process of its own: it goes on while Node-RED is killed. Steered over IPC by soak.ts. */
import { setTimeout as delay } from 'node:timers/promises';
import { ORDER_BLOCK, planned, startPlant, tagOf, type Plant, type PlantOptions } from '../../examples/plant/plant';
import type { Fault } from '../../examples/plant/odoo/simulated-odoo';
import type { Cut } from '../../examples/plant/plc/s7-faults';
import type { Mishap, MillTrouble } from '../../examples/plant/plc/troubles';
import type { OrderCut, OrderMishap } from './orders';
import type { HandedOrder, Planned } from './verdict';

/** What happened to one order, on both sides of the bridge. */
export interface OrderFate {
  mo_id: string;
  /** State in Odoo. */
  state: string;
  /** Odoo's stock moves and the PLC's final memory, kg by silo tag, in hundredths; of an order never weighed nothing. */
  odoo: Record<string, number>;
  plc: Record<string, number>;
  /** A person in Odoo has cancelled it: it is not made, whatever was weighed. */
  cancelled: boolean;
}

/** What a person does in Odoo with an order that is being weighed. */
export type OdooDeed = 'cancel' | 'unreserve' | 'checkAvailability' | 'typeQuantity';

/** A slot that is emptied is not read again: for so long afterwards what was read of it may still be on its way (ms). */
const ON_ITS_WAY = 3_000;
/** Enough for a Node-RED that reads every second (ms). */
const KEPT_AT_THE_END = 30_000;
/** What is left of a completed batch's time in its slot must be enough for a mistake and its correction (ms). */
const TIME_TO_CORRECT = 25_000;

const hundredths = (kg: number): number => Math.round(Math.round(kg * 1000) / 10);
const inHundredths = (kg: Record<string, number>): Record<string, number> =>
  Object.fromEntries(Object.entries(kg).map(([tag, weight]) => [tag, hundredths(weight)]));

/** A CPU is in STOP for so long between an order's last byte and its `ready` (ms). */
const STOPPED = 2_000;
/** How long an order is offered before it is taken, where the PLC takes late (ms). */
const LATE = 8_000;

let plant: Plant | undefined;
let keepMs = 0;
const running = (): Plant => {
  if (!plant) throw new Error('the plant has not been started');
  return plant;
};

const fateOf = (mo_id: string, consumption: Record<string, number>): OrderFate => ({
  mo_id,
  state: running().odoo.order(mo_id).state,
  odoo: inHundredths(
    Object.fromEntries(Object.entries(running().odoo.done(mo_id)).map(([code, kg]) => [tagOf(code), kg])),
  ),
  plc: inHundredths(consumption),
  cancelled: cancelled.has(mo_id),
});

const cancelled = new Set<string>();

/** What a person in Odoo is still to do, with the next orders that are weighed: what is completed is left alone. */
const deeds: OdooDeed[] = [];
function watchWeighed(): void {
  const busy = new Set<string>();
  setInterval(() => {
    const { mill, odoo } = running();
    const weighing = mill.snapshot().slots.filter(({ phase }) => phase === 'entered' || phase === 'weighing');
    const found = weighing.find(({ mo_id }) => !busy.has(mo_id));
    const deed = found && deeds.shift();
    if (!deed) return;
    const { id, name, quantity } = odoo.order(found.mo_id);
    busy.add(name);
    if (deed === 'typeQuantity') odoo.people?.typeQuantity(id, quantity);
    else odoo.people?.[deed](id);
    if (deed === 'cancel') cancelled.add(name);
  }, 100).unref();
}

/** When a slot was emptied last (performance.now(), ms). */
let lastEmptied = -Infinity;
function watchEmptied(): void {
  let before = 0;
  setInterval(() => {
    const count = running()
      .mill.mishaps()
      .filter(({ kind }) => kind === 'emptied').length;
    if (count > before) lastEmptied = performance.now();
    before = count;
  }, 50).unref();
}

const intake = (): NonNullable<Plant['intake']> => {
  const found = running().intake;
  if (!found) throw new Error('orders do not come through the order block here');
  return found;
};

/** What Odoo had planned for an order until a person changed it. */
const replaced: (Planned & { mo_id: string; until: number })[] = [];
const inKg = ({ quantity, plan }: { quantity: number; plan: Record<string, number> }): Planned => ({
  quantity: hundredths(quantity),
  plan: inHundredths(plan),
});

/** A planner takes a tenth off a component: of an order that is offered now, else of any that is not begun. */
function replan(): void {
  const { odoo } = running();
  const begun = new Set(running().begun());
  const open = odoo.orders().filter(({ name, state }) => state === 'confirmed' && !begun.has(name));
  const offered = new Set(
    intake()
      .shown()
      .map(({ mo_id }) => mo_id),
  );
  const order = open.find(({ name }) => offered.has(name)) ?? open[0];
  const move = order?.moves.find(({ code, plan }) => code !== null && plan > 1);
  if (!order || !move?.code) return;
  replaced.push({ mo_id: order.name, until: Date.now(), ...inKg(planned(order)) });
  odoo.planByHand(order.name, move.code, Math.round(move.plan * 90) / 100);
}

/** STOP as soon as an order stands in its slot and is not ready yet. */
function stopBeforeReady(): void {
  const { plc } = running();
  const off = plc.onWrite((db) => {
    if (
      db !== ORDER_BLOCK ||
      !intake()
        .shown()
        .some(({ mo_id, ready, taken }) => mo_id && !ready && !taken)
    )
      return;
    off();
    void plc.setFault({ stop: true });
    setTimeout(() => void plc.setFault({ stop: false }), STOPPED);
  });
}

const ORDER_MISHAPS: Record<OrderMishap, () => void> = {
  never: () => intake().setFault({ never: true }),
  late: () => intake().setFault({ lateMs: LATE }),
  forgetful: () => intake().setFault({ forgetful: true }),
  'stop-before-ready': stopBeforeReady,
  'old-content': () => intake().restartWithOldContent(),
  'cleared-by-hand': () => void intake().clearByHand(),
  replanned: () => {
    intake().setFault({ lateMs: LATE });
    replan();
  },
};

const commands = {
  start: async (options: PlantOptions) => {
    plant = await startPlant(options);
    keepMs = options.keepMs ?? 0;
    watchEmptied();
    watchWeighed();
    const { url, login } = plant.odoo;
    return { plcPort: plant.plc.port, odoo: { url, login } };
  },
  odooFault: (fault: Fault) => running().odoo.setFault(fault),
  odooOutage: (ms: number) => running().odoo.outage(ms),
  odooPerson: (deed: OdooDeed) => void deeds.push(deed),
  /** Orders that a person has cancelled in Odoo. */
  cancelled: () => [...cancelled],
  plcDrop: () => running().plc.setFault({ dropMidTelegram: true }),
  plcRefuse: () => running().plc.setFault({ refuse: true }),
  millTrouble: ({ kind, ms }: { kind: MillTrouble; ms: number }) => running().mill.trouble(kind, { ms }),
  /** Another number is typed over one of these completed batches, if one of them is still in its slot for long enough. */
  typeOver: ({ orders, ms }: { orders: string[]; ms: number }) => {
    const { slots } = running().mill.snapshot();
    const found = slots.find(
      ({ phase, mo_id, elapsedMs }) =>
        phase === 'complete' && orders.includes(mo_id) && elapsedMs + ms + TIME_TO_CORRECT < keepMs,
    );
    if (found) running().mill.trouble('typed-over', { mo_id: found.mo_id, ms });
    return found?.mo_id;
  },
  /** No slot is emptied any more, and what was read of the last one has had the time to be stored. */
  settleEmptied: async () => {
    running().mill.spare('emptied');
    await delay(100);
    while (performance.now() < lastEmptied + ON_ITS_WAY) await delay(100);
  },
  mishaps: (): Mishap[] => running().mill.mishaps(),
  orderMishap: (mishap: OrderMishap) => ORDER_MISHAPS[mishap](),
  /** @returns whether the connection was cut at that telegram; false: nobody wrote an order for so long */
  cutOrder: async ({ patienceMs, ...cut }: OrderCut & { patienceMs: number }) => {
    const { plc } = running();
    const before = plc.counters.cuts;
    await plc.setFault({ cut: { ...cut, db: ORDER_BLOCK, fromWrite: true } satisfies Cut });
    for (const end = performance.now() + patienceMs; performance.now() < end; await delay(10))
      if (plc.counters.cuts > before) return true;
    return false;
  },
  /** How often a hand-over was cut. */
  cuts: () => running().plc.counters.cuts,
  /** Orders that the PLC took, with what Odoo had planned then. */
  handed: (): HandedOrder[] =>
    running()
      .handed()
      .map(({ taking, odoo }) => ({
        ...{ mo_id: taking.mo_id, at: taking.at, plc: inKg(taking) },
        ...(odoo?.state === 'confirmed' && { odoo: inKg(odoo) }),
        replaced: replaced.filter(({ mo_id, until }) => mo_id === taking.mo_id && until <= taking.at),
      })),
  /** Orders that were offered once more after the PLC had taken them, and no restart brought that about. */
  offeredAgain: (): string[] => {
    const takings = intake().takings();
    const first = (moId: string): number => takings.find(({ mo_id }) => mo_id === moId)?.restarts ?? 0;
    return takings
      .filter(({ mo_id, repeated, restarts }) => repeated && restarts === first(mo_id))
      .map(({ mo_id }) => mo_id);
  },
  /** Orders that are still to be made. */
  open: (): string[] =>
    running()
      .odoo.orders()
      .filter(({ state }) => state !== 'done' && state !== 'cancel')
      .map(({ name }) => name),
  heal: async () => {
    running().intake?.clearFaults();
    running().odoo.clearFaults();
    await running().plc.clearFaults();
  },
  /** No new orders from now on: what was begun is finished, and nobody is killed any more. */
  runOut: () => {
    running().stopOrders();
    running().mill.keepFor(KEPT_AT_THE_END);
  },
  /** Most writing calls of one order at a time. */
  concurrency: () => running().odoo.maxConcurrentPerOrder(),
  /** Orders that the mill has entered into a slot, finished or not. */
  begun: () => running().begun(),
  /** kg of what the PLC weighed for an order, in the end: what stands on the batch's own report. */
  weighed: (mo_id: string) => inHundredths(running().mill.finals().get(mo_id)?.consumption ?? {}),
  fates: (): OrderFate[] => [...running().mill.finals()].map(([mo_id, { consumption }]) => fateOf(mo_id, consumption)),
  /** Orders that were never weighed and have kg in Odoo all the same. */
  strays: (): OrderFate[] => {
    const weighed = running().mill.finals();
    const others = running()
      .odoo.orders()
      .filter(({ name }) => !weighed.has(name));
    return others.map(({ name }) => fateOf(name, {})).filter(({ odoo }) => Object.values(odoo).some((kg) => kg > 0));
  },
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
