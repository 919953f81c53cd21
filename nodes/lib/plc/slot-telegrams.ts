/**
 * The telegrams of a slot reader over the connection of an S7 endpoint: one per slot, so that no slot is put together from
 * two moments, each round of them within a time limit.
 */
import { type S7Endpoint, type WriteVarItem } from '@st-one-io/nodes7';
import { ITEM_OK, itemRefused, offline, PlcError, stopped, timedOut, tooSlow, toPlcError } from './plc-errors';
import { guardEndpoint } from './endpoint-guard';
import { fieldBytes, position, slotBytes, slotStart, type SlotField, type SlotLayout } from './slot-layout';

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

/** A slot's bytes, and when they arrived. */
export interface SlotAnswer {
  slot: number;
  bytes: Buffer;
  at: Date;
}

export class SlotTelegrams {
  readonly #endpoint: S7Endpoint;
  readonly #layout: SlotLayout;
  readonly #bytes: number;
  readonly #timeoutMs: number;
  readonly #leaveGuard: () => void;
  #silentOnMode = false;
  #endpointError: unknown;
  readonly #onError = (error: unknown): void => void (this.#endpointError = error);
  readonly #onConnect = (): void => void (this.#endpointError = undefined);

  /** @param timeoutMs for the telegrams of one round */
  constructor(endpoint: S7Endpoint, layout: SlotLayout, timeoutMs: number) {
    this.#endpoint = endpoint;
    this.#layout = layout;
    this.#bytes = slotBytes(layout);
    this.#timeoutMs = timeoutMs;
    endpoint.on('error', this.#onError);
    endpoint.on('connect', this.#onConnect);
    this.#leaveGuard = guardEndpoint(endpoint);
  }

  /** Leaves the endpoint as it was. May be called twice. */
  close(): void {
    this.#endpoint.off('error', this.#onError);
    this.#endpoint.off('connect', this.#onConnect);
    this.#leaveGuard();
  }

  /** @throws PlcError when any telegram fails; the signal's reason when it was aborted */
  async read(slots: readonly number[], ending: AbortSignal): Promise<SlotAnswer[]> {
    const where = slots.length === 1 ? `slot ${slots[0]} of DB${this.#layout.db}` : this.#block();
    if (!this.#endpoint.isConnected) throw offline(`reading ${where}`, this.#endpointError);
    const room = (this.#endpoint.pduSize ?? 0) - ANSWER_OVERHEAD;
    if (this.#bytes > room) {
      const numbers = `a slot takes ${this.#bytes} bytes, one telegram carries ${room} (PDU ${this.#endpoint.pduSize} - ${ANSWER_OVERHEAD})`;
      throw new PlcError('too-big', `PLC: ${numbers}. Move the fields closer together, or drop rows of unused silos.`);
    }
    let answered = 0;
    const fetch = async (slot: number): Promise<SlotAnswer> => {
      const bytes = await this.#fetch(slot);
      answered += 1;
      return { slot, bytes, at: new Date() };
    };
    const late = (): PlcError =>
      answered > 0 && slots.length > 1
        ? tooSlow(`reading ${where}`, { answered, slots: slots.length, ms: this.#timeoutMs })
        : timedOut(`reading ${where}`, this.#timeoutMs);
    try {
      return await this.#limited(Promise.all(slots.map(fetch)), `reading ${where}`, ending, late);
    } catch (error) {
      // A CPU in STOP may refuse what it answers in RUN: then STOP is the cause to name.
      const refused = error instanceof PlcError && ['access', 'missing-block', 'protocol'].includes(error.kind);
      if (refused && (await this.#inStop(ending))) throw stopped(where, error);
      throw error;
    }
  }

  /** Writes 1 into a field. @throws PlcError when the CPU does not confirm it */
  async writeOne(slot: number, row: SlotField, ending: AbortSignal): Promise<string> {
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
    return where;
  }

  /** @throws PlcError when the CPU says that it is in STOP, where memory can be read too */
  async refuseStop(ending: AbortSignal): Promise<void> {
    if (await this.#inStop(ending)) throw stopped(this.#block());
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
  async #limited<T>(
    work: Promise<T>,
    where: string,
    ending: AbortSignal,
    late: () => PlcError = () => timedOut(where, this.#timeoutMs),
  ): Promise<T> {
    let stop = (): void => undefined;
    const end = new Promise<never>((_, reject) => {
      const timer = setTimeout(() => reject(late()), this.#timeoutMs);
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
