/** What leaves a reader of what its slots showed, and is remembered of them. */
import { randomUUID } from 'node:crypto';
import {
  fallingSilos,
  inKg,
  moIdOf,
  rejectReading,
  type Figures,
  type Rejection,
  type SlotOutcome,
  type SlotReading,
} from './slot-guards';
import { type SlotMemory } from './slot-memory';
import { problem } from './slot-problem';

/** A batch without a readable number, for the store to judge: a leftover of the slot's last stored order, or refused. */
export type UnnamedSlot = Rejection & Figures & { status_manufacturing: boolean };

export interface Told {
  readings: SlotReading[];
  rejected: Rejection[];
  /** Slots without a MO. */
  empty: number;
  /** Numbers of the slots whose last batch is released: no MO id now, or the acknowledge bit that was 1 is 0 again. */
  emptied: number[];
  unnamed: UnnamedSlot[];
}

export type Seen = SlotOutcome & { kind: 'reading' };

/** undefined for an empty one. */
const slotOf = (outcome: SlotOutcome): number | undefined =>
  outcome.kind === 'reading' ? outcome.reading.slot : outcome.kind === 'rejected' ? outcome.rejection.slot : undefined;

export class SlotTeller {
  readonly #source: string;
  readonly #memory: SlotMemory;
  readonly #asksStore: () => boolean;
  readonly #id = randomUUID();
  #readNo = 0;

  /** @param asksStore whether the store decides about batches without a number that this reader cannot judge */
  constructor(source: string, memory: SlotMemory, asksStore: () => boolean = () => false) {
    this.#source = source;
    this.#memory = memory;
    this.#asksStore = asksStore;
  }

  /**
   * @param outcomes one per slot; undefined: it told nothing yet
   * @param gone completions that were seen once
   * @param seen what all slots showed in either read
   * @param whole a slot's bytes are of one moment; otherwise one read alone may mix two batches
   */
  tell(
    outcomes: readonly (SlotOutcome | undefined)[],
    { gone, seen, whole }: { gone: readonly Seen[]; seen: readonly SlotOutcome[]; whole: boolean },
  ): Told {
    const told: Told = { readings: [], rejected: [], empty: 0, emptied: [], unnamed: [] };
    for (const completed of gone) this.#tellGone(told, completed, seen, whole);
    outcomes.forEach((outcome, index) => outcome && this.#tellSlot(told, index + 1, outcome));
    return told;
  }

  #tellSlot(told: Told, slot: number, outcome: SlotOutcome): void {
    if (outcome.kind === 'rejected') this.#tellRejected(told, slot, outcome);
    else if (outcome.kind === 'empty' || this.#memory.isFree(slot, outcome)) {
      told.empty += 1;
      if (outcome.kind !== 'empty') return;
      this.#memory.empty(slot);
      told.emptied.push(slot);
    } else {
      if (this.#memory.isReleased(outcome.reading)) told.emptied.push(slot);
      told.readings.push(this.#signed(outcome.reading));
    }
  }

  #tellRejected(told: Told, slot: number, outcome: SlotOutcome & { kind: 'rejected' }): void {
    const { rejection, unnamed } = outcome;
    if (!unnamed) return void told.rejected.push(rejection);
    const leftover = this.#memory.isFree(slot, outcome);
    if (leftover || (!this.#memory.knows(slot) && this.#asksStore())) told.unnamed.push({ ...rejection, ...unnamed });
    else told.rejected.push(this.#memory.refuses(rejection) ? rejection : { ...rejection, repeated: true });
    if (leftover) told.empty += 1;
    // Its number is empty, whatever else it shows.
    this.#memory.empty(slot, leftover);
    told.emptied.push(slot);
  }

  /**
   * A completion that was seen once goes on as a running reading where this slot told this order before and no other slot
   * does; else a person has to say whose it is. After an accepted completion other figures are no batch of their own.
   */
  #tellGone(told: Told, completed: Seen, seen: readonly SlotOutcome[], whole: boolean): void {
    const { slot, mo_id } = completed.reading;
    const last = this.#memory.last(slot);
    const before = last?.mo_id === mo_id ? last : undefined;
    if (before?.status_manufacturing || !whole) {
      told.rejected.push(rejectReading(completed, problem('left-slot', inKg(completed.reading))));
      return;
    }
    const elsewhere = seen.some((outcome) => moIdOf(outcome) === mo_id && slotOf(outcome) !== slot);
    const reading = { ...completed.reading, status_manufacturing: false, seen_once: true };
    told.readings.push(this.#signed(before && !elsewhere ? reading : { ...reading, hold: 'seen-once' }));
  }

  /** A reading on its way out, with who read it. */
  #signed(reading: SlotReading): SlotReading {
    const falling = fallingSilos(this.#memory.last(reading.slot), reading);
    this.#memory.tell(reading);
    this.#readNo += 1;
    Object.assign(reading, { source: this.#source, reader: this.#id, read_no: this.#readNo });
    return falling.length > 0 ? { ...reading, falling } : reading;
  }
}
