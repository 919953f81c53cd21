/** The order slots of a simulated CPU as its program sees them, read and written by code of its own. */
import { ORDER_PRESETS, type OrderLayout } from '../../nodes/lib/plc/order-layout';

export const RECORD = ORDER_PRESETS['S7 order record'];
export const ORDER_DB = 110;

/** Where the two presets have what the PLC program needs (bytes), written down once more. */
const PLACES = {
  record: { number: 2, head: true, ready: 120, taken: 122, siloA: 28, echo: 124, bytes: 146 },
  packed: { number: 2, head: false, ready: 153, taken: 147, siloA: 56, echo: 0, bytes: 154 },
} as const;

/** The order slots as the PLC program sees them. */
export class OrderMemory {
  readonly #memory: Buffer;
  readonly #layout: OrderLayout;
  readonly #at: (typeof PLACES)[keyof typeof PLACES];

  constructor(memory: Buffer, layout: OrderLayout) {
    [this.#memory, this.#layout] = [memory, layout];
    this.#at = layout.stride === RECORD.stride ? PLACES.record : PLACES.packed;
  }

  #slot = (slot: number): Buffer =>
    this.#memory.subarray(this.#layout.base + (slot - 1) * this.#layout.stride).subarray(0, this.#at.bytes);

  slot(slot: number): { number: string; ready: boolean; taken: boolean; siloA: number } {
    const [bytes, { number, head, ready, taken, siloA }] = [this.#slot(slot), this.#at];
    const text = bytes.toString('latin1', number, number + (head ? bytes[1]! : 16));
    return {
      number: text.replace(/\0+$/, ''),
      ready: bytes[ready] !== 0,
      taken: bytes[taken] !== 0,
      siloA: head ? bytes.readFloatBE(siloA) : bytes.readInt32BE(siloA) / 100,
    };
  }

  put(slot: number, { number, ready }: { number: string; ready: boolean }): void {
    const [bytes, at] = [this.#slot(slot), this.#at];
    bytes.fill(0, at.number, at.number + 16).write(number, at.number, 'latin1');
    if (at.head) bytes.set([20, number.length]);
    [bytes[at.ready], bytes[at.taken]] = [Number(ready), 0];
  }

  /** The program copies the order and says so. */
  take(slot: number): void {
    if (this.slot(slot).ready) this.#slot(slot)[this.#at.taken] = 1;
  }

  bytes = (slot: number): Buffer => Buffer.from(this.#slot(slot));
  restore = (slot: number, bytes: Buffer): void => void bytes.copy(this.#slot(slot));
}
