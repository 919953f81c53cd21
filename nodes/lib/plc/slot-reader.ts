/**
 * Reads the slots of a data block over the connection of an S7 endpoint. A slot that newly tells an order or a completion is
 * read twice, and believed where both reads agree.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { type S7Endpoint } from '@st-one-io/nodes7';
import { MO_ID_PATTERN, type Reading } from '../domain/reading';
import { type SiloMap } from '../domain/silos';
import {
  fallingSilos,
  inKg,
  moIdOf,
  readSlot,
  rejectDuplicates,
  rejectReading,
  sameFigures,
  sameWeights,
  type Figures,
  type Guards,
  type Rejection,
  type SlotOutcome,
  type SlotReading,
} from './slot-guards';
import { judge, judgeApart } from './slot-judgement';
import { LayoutError, validateLayout } from './layout-check';
import { type SlotField, type SlotLayout } from './slot-layout';
import { type FieldSight, sightsOf } from './field-sight';
import { imageOf } from './slot-places';
import { SlotMemory } from './slot-memory';
import { problem } from './slot-problem';
import { isOnNow, isTrigger } from './slot-flag';
import { valueOfOn } from './slot-meaning';
import { type Look, SlotTelegrams } from './slot-telegrams';
import { PlcError } from './plc-errors';

export interface SlotReaderOptions extends Guards {
  /** ms between the two reads of a slot that tells something new (default 500). */
  settleMs?: number;
  /** ms for the telegrams of one round, of which a read has two at most (default 5000). */
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

/** A batch without a readable number, for the store to judge: a leftover of the slot's last stored order, or refused. */
export type UnnamedSlot = Rejection & Figures & { status_manufacturing: boolean };

export interface SlotReadResult {
  readings: SlotReading[];
  rejected: Rejection[];
  /** Slots without a MO. */
  empty: number;
  /** Read telegrams sent for slots. */
  telegrams: number;
  duration_ms: number;
  /** Endpoint and data block. */
  source: string;
  /** Numbers of the slots whose last batch is released: no MO id now, or the acknowledge bit that was 1 is 0 again. */
  emptied: number[];
  unnamed: UnnamedSlot[];
}

/** What became of an acknowledgement. */
export type Acknowledgement =
  /** The field says so, or the PLC has emptied the slot because of it. */
  | 'acknowledged'
  /** The slot was empty, or held another MO, before anything was written. */
  | 'released'
  /** The slot shows other values than those stored: nothing was written. */
  | 'changed';

/** undefined for an empty one. */
const slotOf = (outcome: SlotOutcome): number | undefined =>
  outcome.kind === 'reading' ? outcome.reading.slot : outcome.kind === 'rejected' ? outcome.rejection.slot : undefined;

/** What the acknowledge field shows that did not keep what was written. */
const unwritten = (row: SlotField): string => {
  const written = valueOfOn(row);
  return written > 1 ? `something else than ${written}` : String(1 - written);
};

type Seen = SlotOutcome & { kind: 'reading' };

export class SlotReader {
  readonly #layout: SlotLayout;
  readonly #options: SlotReaderOptions & { settleMs: number };
  readonly #closing = new AbortController();
  readonly #memory = new SlotMemory();
  readonly #telegrams: SlotTelegrams;
  readonly #source: string;
  readonly #id = randomUUID();
  #readNo = 0;

  /**
   * @param endpoint of the `s7 endpoint` config node; it owns the connection
   * @throws LayoutError with every problem of the layout; SyntaxError when the MO id pattern is no regular expression
   */
  constructor(endpoint: S7Endpoint, layout: SlotLayout, silos: SiloMap, options: SlotReaderOptions = {}) {
    const problems = validateLayout(layout, silos);
    if (problems.length > 0) throw new LayoutError(problems);
    const { settleMs = 500, timeoutMs = 5000, moIdPattern = MO_ID_PATTERN, endpointId = '' } = options;
    this.#layout = layout;
    this.#options = { ...options, silos, settleMs, moIdPattern: new RegExp(moIdPattern) };
    // Two nodes may read two parts of one block: slot 1 of the one is not slot 1 of the other.
    this.#source = `${endpointId}/DB${layout.db}${layout.base > 0 ? `+${layout.base}` : ''}`;
    this.#telegrams = new SlotTelegrams(endpoint, layout, timeoutMs);
  }

  /** Ends running reads and leaves the endpoint as it was. May be called twice. */
  close(): void {
    this.#closing.abort();
    this.#telegrams.close();
  }

  /**
   * Reads every slot once, and those that newly tell an order or a completion once more after the settle time.
   * @throws PlcError when any telegram fails: no part of a read is used; the signal's reason when it was aborted
   */
  read(signal?: AbortSignal): Promise<SlotReadResult> {
    return this.#until(signal, async (ending) => {
      const started = performance.now();
      const slots = Array.from({ length: this.#layout.slots }, (_, index) => index + 1);
      const { outcomes: first, whole, ...sent } = await this.#look(slots, ending);
      const doubted = slots.filter((slot) => {
        const outcome = first[slot - 1]!;
        return !this.#memory.isFree(slot, outcome) && this.#memory.doubts(slot, outcome, whole);
      });
      const outcomes: (SlotOutcome | undefined)[] = [...first];
      const gone: Seen[] = [];
      let seen = first;
      if (doubted.length > 0) {
        const { settleMs } = this.#options;
        await delay(settleMs, undefined, { signal: ending }).catch(() => ending.throwIfAborted());
        const { outcomes: second, telegrams } = await this.#look(doubted, ending);
        sent.telegrams += telegrams;
        seen = [...first, ...second];
        doubted.forEach((slot, index) => {
          const judgement = (whole ? judge : judgeApart)(first[slot - 1]!, second[index]!);
          outcomes[slot - 1] = judgement.now;
          if (judgement.gone) gone.push(judgement.gone);
        });
      }
      if (this.#options.checkMode) await this.#telegrams.refuseStop(ending);
      return {
        ...this.#passOn(rejectDuplicates(outcomes), this.#passOnGone(gone, seen, whole)),
        telegrams: sent.telegrams,
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
      return sightsOf(answers[0]!.bytes, imageOf(this.#layout));
    });
  }

  /**
   * Tells the PLC that a completed slot may be used again: writes into its acknowledge field what means so and reads it
   * back, unless the slot says anything else by now than the reading that was stored.
   * @param stored the reading as it was taken into the database
   * @throws PlcError when the telegrams fail or the field reads back otherwise; Error when the layout has no such slot or field
   */
  acknowledge(stored: Reading, signal?: AbortSignal): Promise<Acknowledgement> {
    return this.#until(signal, async (ending) => {
      const { slot } = stored;
      const row = this.#layout.fields.find(({ field }) => field === 'acknowledged');
      if (!row) throw new Error('The slot layout has no field "acknowledged": add its row, or leave acknowledging out');
      if (slot < 1 || slot > this.#layout.slots) throw new Error(`The slot layout has no slot ${slot}`);
      const trigger = isTrigger(this.#layout, row);
      const look = async (): Promise<Acknowledgement | 'open'> => {
        const [now] = (await this.#look([slot], ending)).outcomes;
        if (now?.kind !== 'reading') return now?.kind === 'empty' ? 'released' : 'changed';
        if (now.reading.mo_id !== stored.mo_id) return 'released';
        const done = isOnNow(this.#telegrams.image, row, now.raw);
        // Where acknowledging takes "complete" back, the slot is no longer complete because of it.
        if (done && trigger && sameFigures(now.reading, stored)) return 'acknowledged';
        if (!sameWeights(now.reading, stored)) return 'changed';
        return done ? 'acknowledged' : 'open';
      };
      const before = await look();
      if (before !== 'open') return before;
      const where = await this.#telegrams.write(slot, row, ending);
      this.#memory.acknowledge(slot, trigger);
      // A PLC that is quick has emptied the slot by now, or is about to.
      if ((await look()) !== 'open') return 'acknowledged';
      throw new PlcError(
        'protocol',
        `PLC: ${where} was confirmed but reads back as ${unwritten(row)}. Does the PLC program overwrite it?`,
      );
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

  async #look(
    slots: readonly number[],
    ending: AbortSignal,
  ): Promise<{ outcomes: SlotOutcome[] } & Pick<Look, 'telegrams' | 'whole'>> {
    const { answers, telegrams, whole } = await this.#telegrams.read(slots, ending);
    const layout = { ...this.#layout, fields: this.#telegrams.image.fields };
    const outcomes = answers.map(({ slot, bytes, at }) => {
      const outcome = readSlot(bytes, layout, slot, at, this.#options);
      return outcome.kind === 'reading' ? { ...outcome, reading: { ...outcome.reading, ...outcome.marks } } : outcome;
    });
    return { outcomes, telegrams, whole };
  }

  /** What leaves the reader, and is remembered. @param outcomes one per slot; undefined: it told nothing yet */
  #passOn(
    outcomes: readonly (SlotOutcome | undefined)[],
    gone: Pick<SlotReadResult, 'readings' | 'rejected'>,
  ): Pick<SlotReadResult, 'readings' | 'rejected' | 'empty' | 'emptied' | 'unnamed'> {
    const memory = this.#memory;
    const result = {
      ...gone,
      empty: 0,
      emptied: [] as number[],
      unnamed: [] as UnnamedSlot[],
    };
    outcomes.forEach((outcome, index) => {
      const slot = index + 1;
      if (!outcome) return;
      if (outcome.kind === 'rejected' && outcome.unnamed) {
        const leftover = memory.isFree(slot, outcome);
        if (leftover || (!memory.knows(slot) && this.#options.asksStore?.()))
          result.unnamed.push({ ...outcome.rejection, ...outcome.unnamed });
        else
          result.rejected.push({
            ...outcome.rejection,
            ...(memory.refuses(outcome.rejection) ? {} : { repeated: true }),
          });
        if (leftover) result.empty += 1;
        // Its number is empty, whatever else it shows.
        memory.empty(slot, leftover);
        result.emptied.push(slot);
      } else if (outcome.kind === 'rejected') {
        result.rejected.push(outcome.rejection);
      } else if (outcome.kind === 'empty' || memory.isFree(slot, outcome)) {
        result.empty += 1;
        if (outcome.kind !== 'empty') return;
        memory.empty(slot);
        result.emptied.push(slot);
      } else {
        if (memory.isReleased(outcome.reading)) result.emptied.push(slot);
        result.readings.push(this.#told(outcome.reading));
      }
    });
    return result;
  }

  /**
   * Completions that were seen once. One goes on as a running reading where this slot told this order before and no other
   * slot does; else a person has to say whose it is. After an accepted completion other figures are no batch of their own.
   * @param seen what all slots showed in either read
   * @param whole a slot's bytes are of one moment; otherwise one read alone may mix two batches
   */
  #passOnGone(
    gone: readonly Seen[],
    seen: readonly SlotOutcome[],
    whole: boolean,
  ): Pick<SlotReadResult, 'readings' | 'rejected'> {
    const result = { readings: [] as SlotReading[], rejected: [] as Rejection[] };
    for (const completed of gone) {
      const { slot, mo_id } = completed.reading;
      const last = this.#memory.last(slot);
      const before = last?.mo_id === mo_id ? last : undefined;
      if (before?.status_manufacturing || !whole) {
        result.rejected.push(rejectReading(completed, problem('left-slot', inKg(completed.reading))));
        continue;
      }
      const elsewhere = seen.some((outcome) => moIdOf(outcome) === mo_id && slotOf(outcome) !== slot);
      const reading = { ...completed.reading, status_manufacturing: false, seen_once: true };
      result.readings.push(this.#told(before && !elsewhere ? reading : { ...reading, hold: 'seen-once' }));
    }
    return result;
  }

  /** A reading on its way out, with who read it. */
  #told(reading: SlotReading): SlotReading {
    const falling = fallingSilos(this.#memory.last(reading.slot), reading);
    this.#memory.tell(reading);
    this.#readNo += 1;
    const by = { source: this.#source, reader: this.#id, read_no: this.#readNo };
    return { ...reading, ...by, ...(falling.length > 0 ? { falling } : {}) };
  }
}
