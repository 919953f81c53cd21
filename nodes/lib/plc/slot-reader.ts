/**
 * Reads the slots of a data block over the connection of an S7 endpoint: one telegram per slot, so that no slot is put
 * together from two moments. A completion is accepted only from two reads that agree.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { type S7Endpoint, type WriteVarItem } from '@st-one-io/nodes7';
import { MO_ID_PATTERN, type Reading } from '../domain/reading';
import { type SiloMap } from '../domain/silos';
import { decodeField } from './slot-decode';
import {
  fallingSilos,
  readSlot,
  rejectDuplicates,
  rejectReading,
  sameValues,
  sameWeights,
  type Guards,
  type Rejection,
  type SlotOutcome,
  type SlotReading,
} from './slot-guards';
import { fieldBytes, position, slotBytes, slotStart, validateLayout, type SlotLayout } from './slot-layout';
import { guardEndpoint } from './endpoint-guard';
import { ITEM_OK, itemRefused, offline, PlcError, stopped, timedOut, toPlcError } from './plc-errors';

/** S7 protocol numbers (constants.json of nodes7: proto.area, proto.transport, proto.dataTransport). */
const AREA_DB = 0x84;
const TRANSPORT_BIT = 0x01;
const TRANSPORT_BYTE = 0x02;
const DATA_BIT = 0x03;
const DATA_BYTE = 0x04;
/** Of an answer's PDU: 12 bytes header, 2 parameter, 4 before the item's data. */
const ANSWER_OVERHEAD = 18;
/** System status list 0x0424, "current operating mode": 1 to 4 in the low half of byte 3 are kinds of STOP, 8 is RUN. */
const SSL_OPERATING_MODE = 0x0424;
const MODES_STOP = [1, 2, 3, 4];

export interface SlotReaderOptions extends Guards {
  /** ms between the two reads of a completion (default 500). */
  settleMs?: number;
  /** ms for the telegrams of one round, of which a read has two at most (default 5000). */
  timeoutMs?: number;
  /** Ask for the operating mode with every read (one more telegram), since memory can be read in STOP too. */
  checkMode?: boolean;
}

export interface SlotReadResult {
  readings: SlotReading[];
  rejected: Rejection[];
  /** Slots without a MO. */
  empty: number;
  /** Read telegrams sent for slots. */
  telegrams: number;
  duration_ms: number;
}

/** What became of an acknowledgement. */
export type Acknowledgement =
  /** The field is 1, or the PLC has emptied the slot because of it. */
  | 'acknowledged'
  /** The slot was empty, or held another MO, before anything was written. */
  | 'released'
  /** The slot shows other values than those stored: nothing was written. */
  | 'changed';

export class SlotReader {
  readonly #endpoint: S7Endpoint;
  readonly #layout: SlotLayout;
  readonly #bytes: number;
  readonly #options: SlotReaderOptions & { settleMs: number; timeoutMs: number };
  readonly #closing = new AbortController();
  /** Per slot the reading passed on last; with status_manufacturing true it is an accepted completion. */
  readonly #last = new Map<number, SlotReading>();
  readonly #leaveGuard: () => void;
  #silentOnMode = false;
  #endpointError: unknown;
  readonly #onError = (error: unknown): void => void (this.#endpointError = error);
  readonly #onConnect = (): void => void (this.#endpointError = undefined);

  /**
   * @param endpoint of the `s7 endpoint` config node; it owns the connection
   * @throws Error with every problem of the layout; SyntaxError when the MO id pattern is no regular expression
   */
  constructor(endpoint: S7Endpoint, layout: SlotLayout, silos: SiloMap, options: SlotReaderOptions = {}) {
    const problems = validateLayout(layout, silos);
    if (problems.length > 0) {
      const list = problems.map(({ field, problem }) => `${field}: ${problem}`).join('; ');
      throw new Error(`The slot layout is not valid: ${list}`);
    }
    this.#endpoint = endpoint;
    this.#layout = layout;
    this.#bytes = slotBytes(layout);
    const { settleMs = 500, timeoutMs = 5000, moIdPattern = MO_ID_PATTERN } = options;
    this.#options = { ...options, settleMs, timeoutMs, moIdPattern: new RegExp(moIdPattern) };
    endpoint.on('error', this.#onError);
    endpoint.on('connect', this.#onConnect);
    this.#leaveGuard = guardEndpoint(endpoint);
  }

  /** Ends running reads and leaves the endpoint as it was. May be called twice. */
  close(): void {
    this.#closing.abort();
    this.#endpoint.off('error', this.#onError);
    this.#endpoint.off('connect', this.#onConnect);
    this.#leaveGuard();
  }

  /**
   * Reads every slot once, and those that newly show status 1 (or changed since they were accepted) once more after the
   * settle time. A slot whose two reads differ is passed on as running.
   * @throws PlcError when any telegram fails: no part of a read is used; the signal's reason when it was aborted
   */
  async read(signal?: AbortSignal): Promise<SlotReadResult> {
    const ending = this.#ending(signal);
    const started = performance.now();
    const slots = Array.from({ length: this.#layout.slots }, (_, index) => index + 1);
    let outcomes = await this.#readSlots(slots, ending);

    const completed = outcomes
      .filter((outcome) => outcome.kind === 'reading')
      .filter(({ reading }) => this.#isNew(reading));
    const lost: Rejection[] = [];
    if (completed.length > 0) {
      await delay(this.#options.settleMs, undefined, { signal: ending }).catch(() => ending.throwIfAborted());
      const again = await this.#readSlots(
        completed.map(({ reading }) => reading.slot),
        ending,
      );
      outcomes = [...outcomes];
      completed.forEach((first, index) => {
        const second = again[index]!;
        const same = second.kind === 'reading' && sameValues(first.reading, second.reading);
        if (second.kind === 'reading' && !same) second.reading.status_manufacturing = false;
        if (second.kind === 'empty' || (second.kind === 'reading' && second.reading.mo_id !== first.reading.mo_id)) {
          lost.push(
            rejectReading(first, 'was complete, but left the slot within the settle time: keep it there longer'),
          );
        }
        outcomes[first.reading.slot - 1] = second;
      });
    }
    if (this.#options.checkMode && (await this.#inStop(ending))) throw stopped(this.#block());
    return {
      ...this.#passOn(rejectDuplicates(outcomes), lost),
      telegrams: slots.length + completed.length,
      duration_ms: Math.round(performance.now() - started),
    };
  }

  /**
   * Tells the PLC that a completed slot may be used again: writes 1 into its acknowledge field and reads it back, unless
   * the slot says anything else by now than the reading that was stored.
   * @param stored the reading as it was taken into the database
   * @throws PlcError when the telegrams fail or the field reads back as 0; Error when the layout has no such slot or field
   */
  async acknowledge(stored: Reading, signal?: AbortSignal): Promise<Acknowledgement> {
    const { slot } = stored;
    const row = this.#layout.fields.find(({ field }) => field === 'acknowledged');
    if (!row) throw new Error('The slot layout has no field "acknowledged": add its row, or leave acknowledging out');
    if (slot < 1 || slot > this.#layout.slots) throw new Error(`The slot layout has no slot ${slot}`);
    const ending = this.#ending(signal);
    const look = async (): Promise<Acknowledgement | 'open'> => {
      const [now] = await this.#readSlots([slot], ending);
      if (now?.kind !== 'reading') return now?.kind === 'empty' ? 'released' : 'changed';
      if (now.reading.mo_id !== stored.mo_id) return 'released';
      if (!sameWeights(now.reading, stored)) return 'changed';
      return Number(decodeField(now.raw, row).value) === 1 ? 'acknowledged' : 'open';
    };
    const before = await look();
    if (before !== 'open') return before;

    const { byte, bit } = position(row);
    const address = slotStart(this.#layout, slot) + byte;
    const data = Buffer.alloc(fieldBytes(row));
    data[data.length - 1] = 1;
    const common = { area: AREA_DB, db: this.#layout.db, data };
    const item: WriteVarItem =
      row.type === 'BOOL'
        ? { ...common, transport: TRANSPORT_BIT, address: address * 8 + bit, length: 1, dataTransport: DATA_BIT }
        : { ...common, transport: TRANSPORT_BYTE, address, length: data.length, dataTransport: DATA_BYTE };
    const where = `acknowledging slot ${slot} (DB${this.#layout.db}, byte ${address})`;
    const [written] = await this.#limited(this.#endpoint.writeVars([item]), where, ending);
    if (written?.returnCode !== ITEM_OK) throw itemRefused(written?.returnCode ?? 0, this.#layout.db, where);
    // A PLC that is quick has emptied the slot by now, or is about to.
    if ((await look()) !== 'open') return 'acknowledged';
    throw new PlcError(
      'protocol',
      `PLC: ${where} was confirmed but reads back as 0. Does the PLC program overwrite it?`,
    );
  }

  #ending(signal?: AbortSignal): AbortSignal {
    const ending = signal ? AbortSignal.any([signal, this.#closing.signal]) : this.#closing.signal;
    ending.throwIfAborted();
    return ending;
  }

  /** Not the completion that this reader accepted before: another MO, or values that changed since. */
  #isNew(reading: SlotReading): boolean {
    return reading.status_manufacturing && !sameValues(this.#last.get(reading.slot), reading);
  }

  #passOn(
    outcomes: readonly SlotOutcome[],
    lost: readonly Rejection[],
  ): Omit<SlotReadResult, 'telegrams' | 'duration_ms'> {
    const result = { readings: [] as SlotReading[], rejected: [...lost], empty: 0 };
    outcomes.forEach((outcome, index) => {
      if (outcome.kind === 'rejected') {
        result.rejected.push(outcome.rejection);
      } else if (outcome.kind === 'empty') {
        result.empty += 1;
        this.#last.delete(index + 1);
      } else {
        const { reading } = outcome;
        const falling = fallingSilos(this.#last.get(reading.slot), reading);
        this.#last.set(reading.slot, reading);
        result.readings.push(falling.length > 0 ? { ...reading, falling } : reading);
      }
    });
    return result;
  }

  async #readSlots(slots: readonly number[], ending: AbortSignal): Promise<SlotOutcome[]> {
    const { db } = this.#layout;
    const where = slots.length === 1 ? `slot ${slots[0]} of DB${db}` : this.#block();
    if (!this.#endpoint.isConnected) throw offline(`reading ${where}`, this.#endpointError);
    const room = (this.#endpoint.pduSize ?? 0) - ANSWER_OVERHEAD;
    if (this.#bytes > room) {
      const numbers = `a slot takes ${this.#bytes} bytes, one telegram carries ${room} (PDU ${this.#endpoint.pduSize} - ${ANSWER_OVERHEAD})`;
      throw new PlcError('too-big', `PLC: ${numbers}. Move the fields closer together, or drop rows of unused silos.`);
    }
    const read = async (slot: number): Promise<SlotOutcome> =>
      readSlot(await this.#fetch(slot), this.#layout, slot, new Date(), this.#options);
    try {
      return await this.#limited(Promise.all(slots.map(read)), `reading ${where}`, ending);
    } catch (error) {
      // A CPU in STOP may refuse what it answers in RUN: then STOP is the cause to name.
      const answered = error instanceof PlcError && ['access', 'missing-block', 'protocol'].includes(error.kind);
      if (answered && (await this.#inStop(ending))) throw stopped(where, error);
      throw error;
    }
  }

  /**
   * One slot in one telegram. Not by an S7ItemGroup: it splits an item from PDU - 35 bytes on into two telegrams, and
   * takes an answer that is too short for the zeros its buffer started with.
   */
  async #fetch(slot: number): Promise<Buffer> {
    const { db } = this.#layout;
    const [address, length] = [slotStart(this.#layout, slot), this.#bytes];
    const item = { area: AREA_DB, db, transport: TRANSPORT_BYTE, address, length };
    const [answer] = await this.#endpoint.readVars([item]);
    const where = `reading DB${db} bytes ${address}..${address + length - 1} (slot ${slot})`;
    if (answer && answer.returnCode !== ITEM_OK) throw itemRefused(answer.returnCode, db, where);
    if (answer?.data.length === length) return answer.data;
    throw new PlcError('protocol', `PLC: ${where} was answered with ${answer?.data.length ?? 0} bytes`);
  }

  /** Whether the CPU says it is in STOP; one that does not tell counts as running. Asked of one that answers reads. */
  async #inStop(ending: AbortSignal): Promise<boolean> {
    if (this.#silentOnMode || !this.#endpoint.isConnected) return false;
    try {
      const [record] = await this.#limited(this.#endpoint.getSSL(SSL_OPERATING_MODE, 0), 'the operating mode', ending);
      return record !== undefined && MODES_STOP.includes(record[3]! & 0x0f);
    } catch (error) {
      ending.throwIfAborted();
      // Not every CPU or gateway knows the list. One that leaves the question unanswered, which costs the connection, is
      // not asked again.
      this.#silentOnMode = error instanceof PlcError && ['timeout', 'offline'].includes(error.kind);
      return false;
    }
  }

  /** Waits for work no longer than the time limit or the abort; what it still brings later is dropped. */
  async #limited<T>(work: Promise<T>, where: string, ending: AbortSignal): Promise<T> {
    const { timeoutMs } = this.#options;
    let stop = (): void => undefined;
    const end = new Promise<never>((_, reject) => {
      const timer = setTimeout(() => reject(timedOut(where, timeoutMs)), timeoutMs);
      const onAbort = (): void => reject(ending.reason as Error);
      ending.addEventListener('abort', onAbort, { once: true });
      stop = () => {
        clearTimeout(timer);
        ending.removeEventListener('abort', onAbort);
      };
    });
    try {
      return await Promise.race([work, end]);
    } catch (error) {
      throw ending.aborted ? error : toPlcError(error, this.#layout.db, where, this.#endpointError);
    } finally {
      stop();
    }
  }

  #block(): string {
    return `${this.#layout.slots} slots of DB${this.#layout.db}`;
  }
}
