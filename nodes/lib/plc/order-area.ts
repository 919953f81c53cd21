/**
 * The order slots of a PLC over the connection of an S7 endpoint: one telegram after the other, and nothing but the fields of
 * the layout. Before every telegram that writes, its caller is asked whether it still may.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { S7Endpoint, WriteVarItem } from '@st-one-io/nodes7';
import type { OrderSlot } from '../domain/handover';
import { guardEndpoint } from './endpoint-guard';
import {
  isHandshake,
  orderFieldByte,
  orderFieldBytes,
  type OrderField,
  type OrderFieldName,
  type OrderLayout,
  orderSlotBytes,
} from './order-layout';
import type { FieldSight } from './field-sight';
import { orderSights, orderSlotIn } from './order-record';
import { OperatingMode } from './operating-mode';
import { ITEM_OK, itemRefused, offline, PlcError, stopped, timedOut, toPlcError } from './plc-errors';
import { AREA_DB, DATA_BIT, DATA_BYTE, TRANSPORT_BIT, TRANSPORT_BYTE } from './slot-flag';
import { roomOf } from './telegram-plan';
import { within } from './time-limit';

/** Of a request to write one item: 10 bytes header, 2 of parameter and 12 of the item, 4 before its data. */
const WRITE_OVERHEAD = 28;

/** Bytes of a slot, from its start. */
interface Span {
  from: number;
  to: number;
}

/** What may be written with one item: fields that lie next to one another, none of them a bit. */
function spansOf(rows: readonly OrderField[]): Span[] {
  const spans: Span[] = [];
  for (const row of [...rows].sort((a, b) => a.offset - b.offset)) {
    const [from, to] = [orderFieldByte(row), orderFieldByte(row) + orderFieldBytes(row)];
    const last = spans.at(-1);
    if (last?.to === from) last.to = to;
    else spans.push({ from, to });
  }
  return spans;
}

export class OrderArea {
  readonly #endpoint: S7Endpoint;
  readonly #layout: OrderLayout;
  readonly #timeoutMs: number;
  readonly #settleMs: number;
  readonly #mode: OperatingMode;
  readonly #leaveGuard: () => void;
  #endpointError: unknown;
  readonly #onError = (error: unknown): void => void (this.#endpointError = error);

  /**
   * @param timeoutMs for one telegram
   * @param settleMs longer than the PLC program takes from copying an order to saying so
   */
  constructor(
    endpoint: S7Endpoint,
    layout: OrderLayout,
    { timeoutMs, settleMs }: { timeoutMs: number; settleMs: number },
  ) {
    [this.#endpoint, this.#layout, this.#timeoutMs, this.#settleMs] = [endpoint, layout, timeoutMs, settleMs];
    this.#mode = new OperatingMode(endpoint, timeoutMs);
    endpoint.on('error', this.#onError);
    this.#leaveGuard = guardEndpoint(endpoint);
  }

  close(): void {
    this.#endpoint.off('error', this.#onError);
    this.#leaveGuard();
  }

  /** What is offered to a CPU in STOP is taken at a moment that nobody chose. @throws PlcError when it says that it is in STOP */
  async refuseStop(ending: AbortSignal): Promise<void> {
    if (await this.#mode.isStop(ending)) throw stopped(`the order area in DB${this.#layout.db}`);
  }

  /** What the fields of one slot say, for people. @throws PlcError */
  async peek(slot: number, ending: AbortSignal): Promise<FieldSight[]> {
    return orderSights(await this.#bytes(slot, ending), this.#layout);
  }

  /** @throws PlcError */
  async read(slot: number, ending: AbortSignal): Promise<OrderSlot> {
    return orderSlotIn(await this.#bytes(slot, ending), this.#layout);
  }

  /** Reads a slot twice, the settle time apart: `settled` where it shows `ready` 0 and the same both times. */
  async settle(slot: number, ending: AbortSignal): Promise<OrderSlot> {
    const before = await this.#bytes(slot, ending);
    await pause(this.#settleMs, undefined, { signal: ending });
    const after = await this.#bytes(slot, ending);
    const seen = orderSlotIn(after, this.#layout);
    return { ...seen, settled: !seen.ready && before.equals(after) };
  }

  /**
   * Writes everything but the handshake, the number last: until then the slot is nobody's.
   * @param mayI throws when nothing may be written any more
   */
  async write(slot: number, record: Buffer, mayI: () => Promise<void>, ending: AbortSignal): Promise<void> {
    const rows = this.#layout.fields.filter((row) => !isHandshake(row));
    const [number, rest] = [
      rows.filter(({ field }) => field === 'number'),
      rows.filter(({ field }) => field !== 'number'),
    ];
    for (const part of [rest, number]) await this.#writeRows(slot, part, record, mayI, ending);
  }

  /** Writes `ready`, or takes it back. */
  async ready(slot: number, on: boolean, mayI: () => Promise<void>, ending: AbortSignal): Promise<void> {
    await this.#flag(slot, 'ready', on, mayI, ending);
  }

  /** Number blank, then `taken` 0; `ready` has to be 0 already. What the PLC said last, its echo, is the program's own. */
  async clear(slot: number, mayI: () => Promise<void>, ending: AbortSignal): Promise<void> {
    const number = this.#layout.fields.filter(({ field }) => field === 'number');
    const blank = Buffer.alloc(orderSlotBytes(this.#layout));
    for (const { type, offset, length = 0 } of number) if (type === 'STRING') blank[offset] = length;
    await this.#writeRows(slot, number, blank, mayI, ending);
    await this.#flag(slot, 'taken', false, mayI, ending);
  }

  async #flag(
    slot: number,
    name: OrderFieldName,
    on: boolean,
    mayI: () => Promise<void>,
    ending: AbortSignal,
  ): Promise<void> {
    const rows = this.#layout.fields.filter(({ field }) => field === name);
    const bytes = Buffer.alloc(orderSlotBytes(this.#layout));
    for (const row of rows) {
      const at = orderFieldByte(row);
      // A number says yes with 1, in its last byte; a bit is written as a bit.
      if (row.type === 'BOOL') bytes[at] = on ? 0xff : 0;
      else bytes[at + orderFieldBytes(row) - 1] = Number(on);
    }
    await this.#writeRows(slot, rows, bytes, mayI, ending);
  }

  async #writeRows(
    slot: number,
    rows: readonly OrderField[],
    bytes: Buffer,
    mayI: () => Promise<void>,
    ending: AbortSignal,
  ): Promise<void> {
    const room = (this.#endpoint.pduSize ?? 0) - WRITE_OVERHEAD;
    const bits = rows.filter(({ type }) => type === 'BOOL');
    for (const { from, to } of spansOf(rows.filter(({ type }) => type !== 'BOOL')))
      for (let at = from; at < to; at += room)
        await this.#send(slot, { from: at, to: Math.min(to, at + room) }, bytes, mayI, ending);
    for (const row of bits) {
      const [at, bit] = [orderFieldByte(row), Math.round((row.offset - orderFieldByte(row)) * 10)];
      await this.#send(slot, { from: at, to: at + 1 }, bytes, mayI, ending, bit);
    }
  }

  /** One telegram that writes. @param bit of the byte; absent: whole bytes */
  async #send(
    slot: number,
    { from, to }: Span,
    bytes: Buffer,
    mayI: () => Promise<void>,
    ending: AbortSignal,
    bit?: number,
  ): Promise<void> {
    const { db } = this.#layout;
    const address = this.#start(slot) + from;
    const where = `writing DB${db} bytes ${address}..${address + to - from - 1} (order slot ${slot})`;
    await mayI();
    const common = { area: AREA_DB, db };
    const item: WriteVarItem =
      bit === undefined
        ? {
            ...common,
            address,
            length: to - from,
            data: bytes.subarray(from, to),
            transport: TRANSPORT_BYTE,
            dataTransport: DATA_BYTE,
          }
        : {
            ...{ ...common, address: address * 8 + bit, length: 1, transport: TRANSPORT_BIT, dataTransport: DATA_BIT },
            data: Buffer.from([(bytes[from]! >> bit) & 1]),
          };
    const [written] = await this.#limited(() => this.#endpoint.writeVars([item]), where, ending);
    if (written?.returnCode !== ITEM_OK) throw itemRefused(written?.returnCode ?? 0, db, where);
  }

  async #bytes(slot: number, ending: AbortSignal): Promise<Buffer> {
    const { db } = this.#layout;
    const [start, total, room] = [this.#start(slot), orderSlotBytes(this.#layout), roomOf(this.#endpoint.pduSize ?? 0)];
    const parts: Buffer[] = [];
    const where = `reading order slot ${slot} of DB${db}`;
    for (let at = 0; at === 0 || at < total; at += room) {
      const length = Math.min(room, total - at);
      const item = { area: AREA_DB, db, transport: TRANSPORT_BYTE, address: start + at, length };
      const [answer] = await this.#limited(() => this.#endpoint.readVars([item]), where, ending);
      if (answer?.returnCode !== ITEM_OK) throw itemRefused(answer?.returnCode ?? 0, db, where);
      if (answer.data.length !== length)
        throw new PlcError('protocol', `PLC: ${where} was answered with ${answer.data.length} bytes`);
      parts.push(answer.data);
    }
    return Buffer.concat(parts);
  }

  #start(slot: number): number {
    return this.#layout.base + (slot - 1) * this.#layout.stride;
  }

  async #limited<T>(call: () => Promise<T>, where: string, ending: AbortSignal): Promise<T> {
    if (!this.#endpoint.isConnected) throw offline(where, this.#endpointError);
    try {
      return await within(call(), this.#timeoutMs, ending, () => timedOut(where, this.#timeoutMs));
    } catch (error) {
      throw ending.aborted ? error : toPlcError(error, this.#layout.db, where, this.#endpointError);
    }
  }
}
