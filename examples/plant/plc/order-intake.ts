/**
 * The part of the simulated PLC's program that takes orders from an order block: in each scan it looks at every order slot,
 * and when the mill has room it copies the order, keeps its number and says `taken`, all in one scan. Its own memory of what
 * it took, with which plan, is no part of any data block.
 */
import { blankOrders, clearOrder, readOrder, sayTaken, type OrderRow, type OrderSlot } from './order-memory';
import { slotBytes } from './s7-values';

/** An order as the program copied it. */
export interface Taking extends Pick<OrderSlot, 'mo_id' | 'batch_no' | 'quantity' | 'plan'> {
  slot: number;
  /** When (ms since 1970). */
  at: number;
  /** It was offered once more and not made: the program knew its number. */
  repeated: boolean;
  /** How often the PLC had come back with old content before. */
  restarts: number;
}

export interface IntakeFaults {
  /** It takes nothing. */
  never: boolean;
  /** An order has to be offered for so long before it is taken (ms of PLC time). */
  lateMs: number;
  /** What it should clear stays. */
  forgetful: boolean;
}

/** What a restarted plant needs to go on: JSON. */
export interface IntakeState {
  takings: Taking[];
  /** By slot: the number taken last. */
  last: string[];
  /** By slot: its bytes when its last order was offered, base64. */
  offered: string[];
  restarts: number;
  /** The data block, base64. */
  memory: string;
}

export interface IntakeOptions {
  layout: OrderRow;
  slots: number;
  /** How it says that it has an order: the bit `taken`, or the number in `echo` with `ready` cleared. */
  says?: 'taken' | 'echo';
  /** Who clears a slot afterwards. */
  clears?: 'bridge' | 'plc';
  /** A program that clears leaves what it said for so long (ms of PLC time). */
  clearMs?: number;
  /** From `snapshot()`. */
  restore?: IntakeState;
}

const NO_FAULTS: Readonly<IntakeFaults> = { never: false, lateMs: 0, forgetful: false };

export class OrderIntake {
  readonly #memory: Buffer;
  readonly #options: Required<Omit<IntakeOptions, 'restore'>>;
  readonly #takings: Taking[];
  /** Retentive, as the number of each slot's last order has to be: such a number is refused, in whichever slot. */
  readonly #last: string[];
  readonly #offered: Buffer[];
  /** By slot: for how long what it shows now has been there (ms of PLC time). */
  readonly #shownMs: number[];
  readonly #shown: string[];
  #restarts: number;
  #faults = { ...NO_FAULTS };

  /** @param memory the order block, live */
  constructor(memory: Buffer, options: IntakeOptions) {
    const { layout, slots, says = 'taken', clears = 'bridge', clearMs = 1000, restore } = options;
    this.#options = { layout, slots, says, clears, clearMs };
    this.#memory = memory;
    this.#takings = structuredClone(restore?.takings ?? []);
    this.#last = [...(restore?.last ?? Array.from({ length: slots }, () => ''))];
    this.#offered = Array.from({ length: slots }, (_, index) => Buffer.from(restore?.offered[index] ?? '', 'base64'));
    this.#restarts = restore?.restarts ?? 0;
    this.#shownMs = Array.from({ length: slots }, () => 0);
    this.#shown = Array.from({ length: slots }, () => '');
    if (restore) Buffer.from(restore.memory, 'base64').copy(memory);
    else blankOrders(memory, layout, slots);
  }

  /** One scan of the program. @param ms PLC time since the last one */
  scan(ms: number): void {
    for (const [index, order] of this.#orders()) {
      const shown = JSON.stringify(order);
      this.#shownMs[index] = shown === this.#shown[index] ? this.#shownMs[index]! + ms : 0;
      this.#shown[index] = shown;
      if (this.#isOffered(order) && this.#last.includes(order.mo_id)) this.#keep(index, order, true);
      else if (this.#isMine(order, index)) this.#clear(index);
    }
  }

  /** Takes the offered order of the lowest batch number. @returns undefined: none is offered */
  take(): Taking | undefined {
    const offered = this.#orders()
      .filter(([index, order]) => this.#isOffered(order) && this.#shownMs[index]! >= this.#faults.lateMs)
      .filter(([, { mo_id }]) => !this.#last.includes(mo_id));
    const [next] = offered.sort(([, a], [, b]) => a.batch_no - b.batch_no);
    return next && this.#keep(...next, false);
  }

  /** All that it took so far, and what it refused to take a second time. */
  takings(): Taking[] {
    return structuredClone(this.#takings);
  }

  /** What every slot shows now. */
  shown(): OrderSlot[] {
    return this.#orders().map(([, order]) => order);
  }

  /** An operator clears the first slot that offers an order. @returns its number; '' when none does */
  clearByHand(): string {
    const found = this.#orders().find(([, { mo_id, ready, taken }]) => mo_id !== '' && ready && !taken);
    if (found) clearOrder(this.#memory, this.#options.layout, found[0] + 1);
    return found?.[1].mo_id ?? '';
  }

  setFault(faults: Partial<IntakeFaults>): void {
    this.#faults = { ...this.#faults, ...faults };
  }

  clearFaults(): void {
    this.#faults = { ...NO_FAULTS };
  }

  /** The PLC comes back with old content: every slot shows its last order as it was offered. What is retentive stays. */
  restartWithOldContent(): void {
    this.#restarts += 1;
    this.#offered.forEach((bytes, index) => bytes.copy(slotBytes(this.#memory, this.#options.layout, index + 1)));
  }

  snapshot(): IntakeState {
    return {
      takings: this.takings(),
      last: [...this.#last],
      offered: this.#offered.map((bytes) => bytes.toString('base64')),
      restarts: this.#restarts,
      memory: this.#memory.toString('base64'),
    };
  }

  #orders(): [index: number, order: OrderSlot][] {
    const { layout, slots } = this.#options;
    return Array.from({ length: slots }, (_, index) => [index, readOrder(this.#memory, layout, index + 1)]);
  }

  #isOffered({ mo_id, ready, taken }: OrderSlot): boolean {
    return mo_id !== '' && ready && !taken && !this.#faults.never;
  }

  /** Whether a slot shows what was taken from it last, and is this program's to clear. */
  #isMine({ mo_id, ready, taken }: OrderSlot, index: number): boolean {
    const { says, clears } = this.#options;
    return clears === 'plc' && mo_id !== '' && mo_id === this.#last[index] && (says === 'echo' ? !ready : taken);
  }

  #keep(index: number, { mo_id, batch_no, quantity, plan }: OrderSlot, repeated: boolean): Taking {
    const { layout, says } = this.#options;
    const [slot, restarts] = [index + 1, this.#restarts];
    const taking = { mo_id, batch_no, quantity, plan, slot, at: Date.now(), repeated, restarts };
    this.#takings.push(taking);
    if (!repeated) this.#last[index] = mo_id;
    this.#offered[index] = Buffer.from(slotBytes(this.#memory, layout, slot));
    sayTaken(this.#memory, layout, slot, says);
    return taking;
  }

  #clear(index: number): void {
    const { layout, clearMs } = this.#options;
    if (!this.#faults.forgetful && this.#shownMs[index]! >= clearMs) clearOrder(this.#memory, layout, index + 1);
  }
}
