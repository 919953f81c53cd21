/** What goes wrong at the simulated mill: by itself its program and its operator are careful. */

/**
 * What an operator or a careless PLC program does, once and by command.
 * - typed-over: the number of another order stands over a completed batch that was read, and is corrected after a while.
 * - mistyped: the number is entered wrong, and stays so until the slot is free.
 * - blinking: the running bit of a completed batch changes with every scan for a while.
 * - emptied: a completed batch is gone right after it was read for the first time.
 * - number-blanked: a completed batch is freed by its number alone; weights and flags stay until the next order.
 * - number-first: a completed batch stays until the next order, whose number is there a scan before the rest is cleared.
 */
export type MillTrouble = 'typed-over' | 'mistyped' | 'blinking' | 'emptied' | 'number-blanked' | 'number-first';

export interface TroubleOptions {
  /** The order whose batch it befalls; any by default. */
  mo_id?: string;
  /** How long it lasts, where it lasts (ms of PLC time, default 3000). */
  ms?: number;
}

/** A trouble that has happened. */
export interface Mishap {
  kind: MillTrouble;
  slot: number;
  /** The order whose batch it was. */
  mo_id: string;
  /** typed-over, mistyped: the number that stood there. */
  typed?: string;
}

/** A number as a slip of the finger has it: one that no order has, of the same length. */
export const mistypedNumber = (number: string): string =>
  number.replace(/0|\d/, (digit) => (digit === '0' ? '9' : '0'));

/** What is to happen, and what has. */
export class Troubles {
  readonly #armed: ({ kind: MillTrouble } & TroubleOptions)[] = [];
  readonly #mishaps: Mishap[] = [];

  arm(kind: MillTrouble, options: TroubleOptions = {}): void {
    this.#armed.push({ kind, ...options });
  }

  /** Takes the trouble of this kind that is to befall an order's batch, if there is one. */
  befalls(kind: MillTrouble, moId: string): TroubleOptions | undefined {
    const index = this.#armed.findIndex((trouble) => trouble.kind === kind && (trouble.mo_id ?? moId) === moId);
    return index < 0 ? undefined : this.#armed.splice(index, 1)[0];
  }

  /** Calls off what has not happened yet. */
  disarm(kind: MillTrouble): void {
    for (let index = this.#armed.length - 1; index >= 0; index -= 1) {
      if (this.#armed[index]?.kind === kind) this.#armed.splice(index, 1);
    }
  }

  happened(kind: MillTrouble, slot: number, mo_id: string, typed?: string): void {
    this.#mishaps.push({ kind, slot, mo_id, ...(typed === undefined ? {} : { typed }) });
  }

  all(): Mishap[] {
    return structuredClone(this.#mishaps);
  }
}
