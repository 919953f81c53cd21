/**
 * The simulated feed mill: it lives in the PLC's memory only. An operator enters the next order into a free slot, the silos
 * are weighed one after the other, and the completed batch stays until its time is over or it has been acknowledged.
 */
import { acknowledged, blankSlot, readSlot, writeSlot, S7_BATCH_RECORD, type BatchLayout } from './batch-memory';
import { seededRandom, textSeed } from './random';
import type { S7Server } from './s7-server';

/** An order as the operator gets it. */
export interface MillOrder {
  mo_id: string;
  /** Planned finished goods, kg. */
  quantity: number;
  /** Planned kg by silo tag. */
  plan: Record<string, number>;
}

/** free → entered (MO id, zero weights) → weighing → weighed (final weights, not yet complete) → complete → free. */
export type SlotPhase = 'free' | 'entered' | 'weighing' | 'weighed' | 'complete';

/** What the PLC's own memory said when a batch was completed: kg as decoded, not rounded. */
export interface FinalWeights {
  consumption: Record<string, number>;
  finished: number;
}

/** What a restarted plant needs to go on: JSON. */
export interface MillState {
  slots: SlotState[];
  finals: [string, FinalWeights][];
  /** The data block, base64. */
  memory: string;
}

interface SlotState {
  phase: SlotPhase;
  mo_id: string;
  /** ms of PLC time spent in this phase: a frozen slot's clock stands still. */
  elapsedMs: number;
  frozen: boolean;
  /** Final kg by tag, in the order of weighing. */
  targets: [string, number][];
  finished: number;
}

export interface MillOptions {
  server: S7Server;
  layout?: BatchLayout;
  slots?: number;
  /** Keep a completed batch until it is acknowledged, instead of for keepMs. */
  acknowledge?: boolean;
  /** ms that a completed batch is kept. */
  keepMs?: number;
  /** ms that the weighing of one batch takes. */
  weighMs?: number;
  tickMs?: number;
  /** The same seed and order give the same weights, whatever else happens. */
  seed?: number;
  /** The next order to make; undefined: none now, asked again at the next tick while a slot is free. */
  nextOrder: () => Promise<MillOrder | undefined>;
  /** Told when an order could not be had or does not fit the layout. The mill goes on. */
  onError?: (error: Error) => void;
  /** Told after a slot has changed its phase. */
  onPhase?: (slot: number, phase: SlotPhase, moId: string) => void;
  /** From `snapshot()`: go on where another mill was. */
  restore?: MillState;
}

export interface Mill {
  /** By MO id: the final weights of every batch completed so far, decoded from memory at completion. */
  finals(): Map<string, FinalWeights>;
  /** Freezes a slot: its bytes stay as they are. @param slot from 1 */
  pause(slot: number): void;
  resume(slot: number): void;
  snapshot(): MillState;
  /** Stops the clock; memory stays. May be called twice. */
  stop(): void;
}

/** A dosing scale shows 0.1 kg on large weights, 0.01 kg on small ones. */
const onScale = (kg: number): number => {
  const perKg = kg >= 100 ? 10 : 100;
  return Math.round(kg * perKg) / perKg;
};

/** Actual weights lie within this share of the plan. */
const SCATTER = 0.01;

const freeSlot = (): SlotState => ({
  phase: 'free',
  mo_id: '',
  elapsedMs: 0,
  frozen: false,
  targets: [],
  finished: 0,
});

/** What the scales will show in the end; order and seed alone decide it. */
function weigh(order: MillOrder, seed: number): Pick<SlotState, 'targets' | 'finished'> {
  const random = seededRandom(seed ^ textSeed(order.mo_id));
  const scattered = (kg: number): number => onScale(kg * (1 + (random() * 2 - 1) * SCATTER));
  const targets = Object.entries(order.plan).map(([tag, kg]): [string, number] => [tag, scattered(kg)]);
  return { targets, finished: scattered(order.quantity) };
}

/** The weights at this share (0 to 1) of the weighing time: one silo after the other, each growing evenly. */
function weightsAt(targets: readonly [string, number][], share: number): Record<string, number> {
  const silos = share * targets.length;
  return Object.fromEntries(
    targets.map(([tag, kg], index) => [tag, onScale(kg * Math.min(1, Math.max(0, silos - index)))]),
  );
}

/**
 * Starts the mill. Its clock counts ticks, not the time of day, and stands still while the CPU is in STOP.
 * @throws RangeError when the data block is too small for the slots
 */
export function startMill(options: MillOptions): Mill {
  const { server, layout = S7_BATCH_RECORD, nextOrder, onError, onPhase, restore, seed = 1 } = options;
  const { acknowledge = false, keepMs = 60_000, weighMs = 30_000, tickMs = 1000 } = options;
  const memory = server.memory(layout.db);
  const slots = restore?.slots.map((slot) => ({ ...slot })) ?? Array.from({ length: options.slots ?? 10 }, freeSlot);
  const finals = new Map(restore?.finals);
  let asking = false;

  if (restore) Buffer.from(restore.memory, 'base64').copy(memory);
  else slots.forEach((_, index) => blankSlot(memory, layout, index + 1));

  const enter = (index: number, phase: SlotPhase, changes: Partial<SlotState> = {}): void => {
    const slot = slots[index];
    if (!slot) return;
    const { mo_id } = slot;
    Object.assign(slot, changes, { phase, elapsedMs: 0 });
    onPhase?.(index + 1, phase, slot.mo_id || mo_id);
  };

  const freeIndex = (): number => slots.findIndex(({ phase, frozen }) => phase === 'free' && !frozen);

  /** The operator takes an order for a free slot, which nobody else fills meanwhile. @returns whether there was one */
  const takeOrder = async (index: number): Promise<boolean> => {
    const order = await nextOrder();
    if (!order || !timer) return false;
    if (slots.some(({ mo_id }) => mo_id === order.mo_id)) throw new Error(`${order.mo_id} is in a slot already`);
    const weights = weigh(order, seed);
    const zeros = Object.fromEntries(weights.targets.map(([tag]) => [tag, 0]));
    writeSlot(memory, layout, index + 1, { mo_id: order.mo_id, consumption: zeros });
    enter(index, 'entered', { mo_id: order.mo_id, ...weights });
    return true;
  };

  const operate = async (): Promise<void> => {
    if (asking) return;
    asking = true;
    try {
      let index = freeIndex();
      while (index >= 0 && (await takeOrder(index))) index = freeIndex();
    } catch (error) {
      onError?.(error instanceof Error ? error : new Error(String(error)));
    } finally {
      asking = false;
    }
  };

  const step = (slot: SlotState, index: number): void => {
    if (slot.frozen || slot.phase === 'free') return;
    const number = index + 1;
    slot.elapsedMs += tickMs;
    if (slot.phase === 'entered') {
      writeSlot(memory, layout, number, { status_operation: true });
      enter(index, 'weighing');
    } else if (slot.phase === 'weighing') {
      const share = weighMs > 0 ? Math.min(1, slot.elapsedMs / weighMs) : 1;
      writeSlot(memory, layout, number, { consumption: weightsAt(slot.targets, share) });
      if (share < 1) return;
      writeSlot(memory, layout, number, { actual_weight_quantity_finished_goods: slot.finished });
      enter(index, 'weighed');
    } else if (slot.phase === 'weighed') {
      // A tick after the weights: whoever sees status 1 sees final weights, as a careful PLC program has it.
      writeSlot(memory, layout, number, { status_operation: false, status_manufacturing: true });
      const { mo_id, consumption, actual_weight_quantity_finished_goods: finished } = readSlot(memory, layout, number);
      finals.set(mo_id, { consumption, finished });
      enter(index, 'complete');
    } else if (acknowledge ? acknowledged(memory, layout, number) : slot.elapsedMs >= keepMs) {
      blankSlot(memory, layout, number);
      enter(index, 'free', { mo_id: '', targets: [], finished: 0 });
    }
  };

  let timer: NodeJS.Timeout | undefined = setInterval(() => {
    if (server.faults.stop) return;
    slots.forEach(step);
    void operate();
  }, tickMs).unref();

  const freeze = (number: number, frozen: boolean): void => {
    const slot = slots[number - 1];
    if (!slot) throw new RangeError(`The mill has slots 1 to ${slots.length}: no slot ${number}`);
    slot.frozen = frozen;
  };

  return {
    finals: () => new Map(finals),
    pause: (slot) => freeze(slot, true),
    resume: (slot) => freeze(slot, false),
    snapshot: () =>
      structuredClone({ slots, finals: [...finals], memory: memory.toString('base64') } satisfies MillState),
    stop() {
      clearInterval(timer);
      timer = undefined;
    },
  };
}
