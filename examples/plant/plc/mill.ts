/**
 * The simulated feed mill: it lives in the PLC's memory only. The next order is entered into a free slot, the silos
 * are weighed one after the other, and the completed batch stays until its time is over or it has been acknowledged.
 */
import {
  acknowledged,
  blankSlot,
  countBatch,
  readSlot,
  writeSlot,
  S7_BATCH_RECORD,
  type BatchLayout,
} from './batch-memory';
import { seededRandom, textSeed } from './random';
import type { S7Server } from './s7-server';
import { mistypedNumber, Troubles, type Mishap, type MillTrouble, type TroubleOptions } from './troubles';

/** An order as the operator gets it, or the PLC's program from its order block. */
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

interface Left {
  kind: 'number-blanked' | 'number-first';
  /** ms of PLC time in the free slot until the next order may come. */
  until: number;
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
  /** A completed batch: how often it was read. */
  reads: number;
  /** A trouble that lasts, until `elapsedMs` of the phase has reached `until`. */
  lasting?: { kind: 'typed-over' | 'blinking'; until: number };
  /** A free slot whose memory still shows its last batch, and how the next order gets in. */
  left?: Left;
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
  /** Another part of the PLC's program, called once in every scan. @param ms PLC time since the last one */
  onScan?: (ms: number) => void;
  /** Told when an order could not be had or does not fit the layout. The mill goes on. */
  onError?: (error: Error) => void;
  /** Told after a slot has changed its phase. */
  onPhase?: (slot: number, phase: SlotPhase, moId: string) => void;
  /** From `snapshot()`: go on where another mill was. */
  restore?: MillState;
}

export interface Mill {
  /** By MO id, whatever was typed: the final weights of every batch completed so far, decoded from memory at completion. */
  finals(): Map<string, FinalWeights>;
  /** Freezes a slot: its bytes stay as they are. @param slot from 1 */
  pause(slot: number): void;
  resume(slot: number): void;
  /** A completed batch is kept for so long from now on (ms). */
  keepFor(ms: number): void;
  /** Has this happen once, at the next batch that it can befall. */
  trouble(kind: MillTrouble, options?: TroubleOptions): void;
  /** Calls off what has not happened yet. */
  spare(kind: MillTrouble): void;
  /** Every trouble that has happened so far. */
  mishaps(): Mishap[];
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
  reads: 0,
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
  const { server, layout = S7_BATCH_RECORD, nextOrder, onScan, onError, onPhase, restore, seed = 1 } = options;
  let { keepMs = 60_000 } = options;
  const { acknowledge = false, weighMs = 30_000, tickMs = 1000 } = options;
  const memory = server.memory(layout.db);
  const slots = restore?.slots.map((slot) => ({ ...slot })) ?? Array.from({ length: options.slots ?? 10 }, freeSlot);
  const finals = new Map(restore?.finals);
  const troubles = new Troubles();
  /** Orders whose number was typed over another batch by mistake: they are made later. */
  const mistyped: MillOrder[] = [];
  let asking = false;

  if (restore) Buffer.from(restore.memory, 'base64').copy(memory);
  else slots.forEach((_, index) => blankSlot(memory, layout, index + 1));

  const enter = (index: number, phase: SlotPhase, changes: Partial<SlotState> = {}): void => {
    const slot = slots[index];
    if (!slot) return;
    const { mo_id } = slot;
    Object.assign(slot, changes, { phase, elapsedMs: 0, reads: 0 });
    onPhase?.(index + 1, phase, slot.mo_id || mo_id);
  };

  const freeIndex = (): number =>
    slots.findIndex(
      ({ phase, frozen, left, elapsedMs }) => phase === 'free' && !frozen && elapsedMs >= (left?.until ?? 0),
    );

  /** An order is taken for a free slot, which nobody else fills meanwhile. @returns whether there was one */
  const takeOrder = async (index: number): Promise<boolean> => {
    const order = mistyped.shift() ?? (await nextOrder());
    if (!order || !timer) return false;
    if (slots.some(({ mo_id }) => mo_id === order.mo_id)) throw new Error(`${order.mo_id} is in a slot already`);
    const weights = weigh(order, seed);
    const zeros = Object.fromEntries(weights.targets.map(([tag]) => [tag, 0]));
    if (slots[index]?.left?.kind !== 'number-first') blankSlot(memory, layout, index + 1);
    const entered = troubles.befalls('mistyped', order.mo_id) ? mistypedNumber(order.mo_id) : order.mo_id;
    if (entered !== order.mo_id) troubles.happened('mistyped', index + 1, order.mo_id, entered);
    writeSlot(memory, layout, index + 1, { mo_id: entered, ...(slots[index]?.left ? {} : { consumption: zeros }) });
    countBatch(memory, layout, index + 1);
    enter(index, 'entered', { mo_id: order.mo_id, ...weights });
    return true;
  };

  /** The operator has the wrong line of the list in mind. */
  const typeOver = async (index: number, slot: SlotState, { ms = 3000, ...trouble }: TroubleOptions): Promise<void> => {
    const order = mistyped.at(0) ?? (await nextOrder());
    if (!order || slot.phase !== 'complete') return troubles.arm('typed-over', { ms, ...trouble });
    if (!mistyped.includes(order)) mistyped.push(order);
    writeSlot(memory, layout, index + 1, { mo_id: order.mo_id });
    slot.lasting = { kind: 'typed-over', until: slot.elapsedMs + ms };
    troubles.happened('typed-over', index + 1, slot.mo_id, order.mo_id);
  };

  /** A completed batch under a trouble: told whether that lasts. */
  const suffer = (slot: SlotState, index: number): boolean => {
    if (!slot.lasting) {
      const typed = slot.reads > 1 ? troubles.befalls('typed-over', slot.mo_id) : undefined;
      if (typed) void typeOver(index, slot, typed).catch((error: unknown) => onError?.(error as Error));
      const blinking = troubles.befalls('blinking', slot.mo_id);
      if (blinking) {
        slot.lasting = { kind: 'blinking', until: slot.elapsedMs + (blinking.ms ?? 3000) };
        troubles.happened('blinking', index + 1, slot.mo_id);
      }
      return typed !== undefined || blinking !== undefined;
    }
    const over = slot.elapsedMs >= slot.lasting.until;
    if (slot.lasting.kind === 'typed-over' && over) writeSlot(memory, layout, index + 1, { mo_id: slot.mo_id });
    if (slot.lasting.kind === 'blinking') {
      const { status_operation } = readSlot(memory, layout, index + 1);
      writeSlot(memory, layout, index + 1, { status_operation: !over && !status_operation });
    }
    if (over) delete slot.lasting;
    return !over;
  };

  /** Frees a completed slot. */
  const free = (slot: SlotState, index: number): void => {
    const blanked = troubles.befalls('number-blanked', slot.mo_id);
    const kind: Left['kind'] | undefined = blanked
      ? 'number-blanked'
      : troubles.befalls('number-first', slot.mo_id)
        ? 'number-first'
        : undefined;
    if (kind) troubles.happened(kind, index + 1, slot.mo_id);
    if (!kind) blankSlot(memory, layout, index + 1);
    else if (blanked) writeSlot(memory, layout, index + 1, { mo_id: '' });
    const left: Left | undefined = kind && { kind, until: blanked ? (blanked.ms ?? 3000) : 0 };
    enter(index, 'free', { mo_id: '', targets: [], finished: 0, ...(left ? { left } : {}) });
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
    if (slot.frozen) return;
    const number = index + 1;
    slot.elapsedMs += tickMs;
    if (slot.phase === 'free') return;
    if (slot.phase === 'entered') {
      if (slot.left?.kind === 'number-first') {
        const { mo_id } = readSlot(memory, layout, number);
        blankSlot(memory, layout, number);
        writeSlot(memory, layout, number, { mo_id });
      }
      delete slot.left;
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
      const { consumption, actual_weight_quantity_finished_goods: finished } = readSlot(memory, layout, number);
      finals.set(slot.mo_id, { consumption, finished });
      enter(index, 'complete');
    } else if (suffer(slot, index)) {
      return;
    } else if (acknowledge ? acknowledged(memory, layout, number) : slot.elapsedMs >= keepMs) {
      free(slot, index);
    }
  };

  const stopListening = server.onRead((db, start) => {
    const index = (start - layout.base) / layout.stride;
    const slot = slots[index];
    if (db !== layout.db || slot?.phase !== 'complete' || slot.frozen) return;
    slot.reads += 1;
    if (slot.reads > 1 || !troubles.befalls('emptied', slot.mo_id)) return;
    troubles.happened('emptied', index + 1, slot.mo_id);
    // Once this read is answered.
    setImmediate(() => {
      blankSlot(memory, layout, index + 1);
      enter(index, 'free', { mo_id: '', targets: [], finished: 0 });
    });
  });

  let timer: NodeJS.Timeout | undefined = setInterval(() => {
    if (server.faults.stop) return;
    onScan?.(tickMs);
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
    keepFor(ms) {
      keepMs = ms;
    },
    trouble: (kind, options) => troubles.arm(kind, options),
    spare: (kind) => troubles.disarm(kind),
    mishaps: () => troubles.all(),
    snapshot: () =>
      structuredClone({ slots, finals: [...finals], memory: memory.toString('base64') } satisfies MillState),
    stop() {
      clearInterval(timer);
      stopListening();
      timer = undefined;
    },
  };
}
