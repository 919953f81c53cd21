/**
 * Reads the slots of a data block over the connection of an S7 endpoint. A slot that newly tells an order or a completion is
 * read twice, and believed where both reads agree.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { type S7Endpoint } from '@st-one-io/nodes7';
import { type Reading } from '../domain/reading';
import { type SiloMap } from '../domain/silos';
import { type FieldSight, sightsOf } from './field-sight';
import { LayoutError, validateLayout } from './layout-check';
import { type Acknowledgement, acknowledgeSlot } from './slot-acknowledgement';
import { moIdOf, rejectDuplicates, slotGuard, type Guards, type SlotGuard, type SlotOutcome } from './slot-guards';
import { judge, judgeApart } from './slot-judgement';
import { type SlotLayout } from './slot-layout';
import { SlotMemory } from './slot-memory';
import { type Look, SlotTelegrams } from './slot-telegrams';
import { SlotTeller, type Seen, type Told } from './slot-teller';

export type { Acknowledgement } from './slot-acknowledgement';
export type { UnnamedSlot } from './slot-teller';

export interface SlotReaderOptions extends Guards {
  /** ms between the two reads of a slot that tells something new (default 500). */
  settleMs?: number;
  /** ms for the telegrams of one round, of which a read has three at most (default 5000). */
  timeoutMs?: number;
  /** Ask for the operating mode with every read (one more telegram), since memory can be read in STOP too. */
  checkMode?: boolean;
  /** Which connection this is: with it and the data block a slot has one name, whoever reads it. */
  endpointId?: string;
  /**
   * Whether the store decides about batches without a number that this reader cannot judge: a leftover is known by the
   * last stored order, and after a start this reader knows none. By default they are refused.
   */
  asksStore?: () => boolean;
}

export interface SlotReadResult extends Told {
  /** Read telegrams sent for slots. */
  telegrams: number;
  duration_ms: number;
  /** Endpoint and data block. */
  source: string;
}

/** The second look confirms the first; the third a completion that only the second one showed. */
const MOST_LOOKS = 3;

const isComplete = (outcome: SlotOutcome | undefined): boolean =>
  outcome?.kind === 'reading' && outcome.reading.status_manufacturing;

/** What some slots show. */
type Shown = { outcomes: SlotOutcome[] } & Pick<Look, 'telegrams' | 'whole'>;

/** What became of all slots of one read: what they tell, and the completions that were gone at the next look. */
interface Read extends Shown {
  now: (SlotOutcome | undefined)[];
  gone: Seen[];
}

export class SlotReader {
  readonly #layout: SlotLayout;
  readonly #slots: readonly number[];
  readonly #settleMs: number;
  readonly #checkMode: boolean;
  readonly #source: string;
  readonly #closing = new AbortController();
  readonly #telegrams: SlotTelegrams;
  readonly #guard: SlotGuard;
  readonly #memory = new SlotMemory();
  readonly #teller: SlotTeller;

  /**
   * @param endpoint of the `s7 endpoint` config node; it owns the connection
   * @throws LayoutError with every problem of the layout; SyntaxError when the MO id pattern is no regular expression
   */
  constructor(endpoint: S7Endpoint, layout: SlotLayout, silos: SiloMap, options: SlotReaderOptions = {}) {
    const problems = validateLayout(layout, silos);
    if (problems.length > 0) throw new LayoutError(problems);
    const { settleMs = 500, timeoutMs = 5000, checkMode = false, endpointId = '', asksStore, ...guards } = options;
    this.#layout = layout;
    this.#slots = Array.from({ length: layout.slots }, (_, index) => index + 1);
    this.#settleMs = settleMs;
    this.#checkMode = checkMode;
    // Two nodes may read two parts of one block: slot 1 of the one is not slot 1 of the other.
    this.#source = `${endpointId}/DB${layout.db}${layout.base > 0 ? `+${layout.base}` : ''}`;
    this.#teller = new SlotTeller(this.#source, this.#memory, asksStore);
    this.#telegrams = new SlotTelegrams(endpoint, layout, timeoutMs);
    this.#guard = slotGuard(this.#telegrams.image, { ...guards, silos });
  }

  /** Ends running reads and leaves the endpoint as it was. May be called twice. */
  close(): void {
    this.#closing.abort();
    this.#telegrams.close();
  }

  /**
   * Reads every slot once, and those that newly tell an order or a completion again after the settle time.
   * @throws PlcError when any telegram fails: no part of a read is used; the signal's reason when it was aborted
   */
  read(signal?: AbortSignal): Promise<SlotReadResult> {
    return this.#until(signal, async (ending) => {
      const started = performance.now();
      const first = await this.#look(this.#slots, ending);
      const read = await this.#lookAgain(first, ending);
      if (this.#checkMode) await this.#telegrams.refuseStop(ending);
      return {
        ...this.#teller.tell(rejectDuplicates(read.now), { ...read, seen: read.outcomes }),
        telegrams: read.telegrams,
        duration_ms: Math.round(performance.now() - started),
        source: this.#source,
      };
    });
  }

  /**
   * What each field of a slot says now, for a person to look at: nothing is judged, remembered or passed on.
   * @throws PlcError when the telegram fails; Error when there is no such slot; the signal's reason when it was aborted
   */
  peek(slot: number, signal?: AbortSignal): Promise<FieldSight[]> {
    return this.#until(signal, async (ending) => {
      if (!(slot >= 1 && slot <= this.#layout.slots)) throw new Error(`The slot layout has no slot ${slot}`);
      const { answers } = await this.#telegrams.read([slot], ending);
      return sightsOf(answers[0]!.bytes, this.#telegrams.image);
    });
  }

  /**
   * Tells the PLC that a completed slot may be used again: writes into its acknowledge field what means so and reads it
   * back, unless the slot says anything else by now than the reading that was stored.
   * @param stored the reading as it was taken into the database
   * @throws PlcError when the telegrams fail or the field reads back otherwise; Error when the layout has no such slot or field
   */
  acknowledge(stored: Reading, signal?: AbortSignal): Promise<Acknowledgement> {
    return this.#until(signal, (ending) => {
      const look = async (slot: number): Promise<SlotOutcome> => (await this.#look([slot], ending)).outcomes[0]!;
      const by = { layout: this.#layout, telegrams: this.#telegrams, memory: this.#memory, look };
      return acknowledgeSlot(by, stored, ending);
    });
  }

  /** Work that ends with the caller's signal or with this reader, and leaves nothing behind on either, as AbortSignal.any does. */
  async #until<T>(signal: AbortSignal | undefined, work: (ending: AbortSignal) => Promise<T>): Promise<T> {
    const ending = new AbortController();
    const sources = [this.#closing.signal, ...(signal ? [signal] : [])];
    const stop = (): void => ending.abort(sources.find(({ aborted }) => aborted)?.reason);
    if (sources.some(({ aborted }) => aborted)) stop();
    ending.signal.throwIfAborted();
    for (const source of sources) source.addEventListener('abort', stop);
    try {
      return await work(ending.signal);
    } finally {
      for (const source of sources) source.removeEventListener('abort', stop);
    }
  }

  async #look(slots: readonly number[], ending: AbortSignal): Promise<Shown> {
    const { answers, ...sent } = await this.#telegrams.read(slots, ending);
    return { ...sent, outcomes: answers.map(({ slot, bytes, at }) => this.#guard(bytes, slot, at)) };
  }

  /**
   * Looks once more, after the settle time, at the slots of which one look is not enough; and a third time where only the
   * second one showed a completion: by the next trigger it may be gone.
   */
  async #lookAgain(first: Shown, ending: AbortSignal): Promise<Read> {
    const { outcomes, whole } = first;
    const read: Read = { ...first, now: [...outcomes], gone: [] };
    const doubted = this.#slots.filter((slot) => {
      const outcome = outcomes[slot - 1]!;
      return !this.#memory.isFree(slot, outcome) && this.#memory.doubts(slot, outcome, whole);
    });
    let before = new Map(doubted.map((slot) => [slot, outcomes[slot - 1]!]));
    for (let looks = 1; looks < MOST_LOOKS && before.size > 0; looks += 1) {
      await delay(this.#settleMs, undefined, { signal: ending }).catch(() => ending.throwIfAborted());
      const slots = [...before.keys()];
      const next = await this.#look(slots, ending);
      const unproven = new Map<number, SlotOutcome>();
      slots.forEach((slot, index) => {
        const outcome = next.outcomes[index]!;
        const one = before.get(slot)!;
        const { now, gone } = (whole ? judge : judgeApart)(one, outcome);
        read.now[slot - 1] = now;
        if (gone) read.gone.push(gone);
        // Another order's is read anew by the next trigger: it was not there when this read began.
        if (isComplete(outcome) && !isComplete(now) && moIdOf(one) === moIdOf(outcome)) unproven.set(slot, outcome);
      });
      read.telegrams += next.telegrams;
      read.outcomes = [...read.outcomes, ...next.outcomes];
      before = unproven;
    }
    return read;
  }
}
