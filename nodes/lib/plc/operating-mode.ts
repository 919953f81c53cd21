/** Whether a CPU runs its program: its memory can be read and written in STOP too. */
import type { S7Endpoint } from '@st-one-io/nodes7';
import { timedOut, toPlcError } from './plc-errors';
import { within } from './time-limit';

/** System status list 0x0424, "current operating mode": 1 to 4 in the low half of byte 3 are kinds of STOP, 8 is RUN. */
const SSL_OPERATING_MODE = 0x0424;
const MODES_STOP = [1, 2, 3, 4];
const WHAT = 'the operating mode';

export class OperatingMode {
  readonly #endpoint: S7Endpoint;
  readonly #timeoutMs: number;
  #silent = false;

  constructor(endpoint: S7Endpoint, timeoutMs: number) {
    [this.#endpoint, this.#timeoutMs] = [endpoint, timeoutMs];
  }

  /** Not every CPU or gateway knows the list: then nothing says that it is in STOP. */
  async isStop(ending: AbortSignal): Promise<boolean> {
    if (this.#silent || !this.#endpoint.isConnected) return false;
    try {
      const asked = this.#endpoint.getSSL(SSL_OPERATING_MODE, 0);
      const [record] = await within(asked, this.#timeoutMs, ending, () => timedOut(WHAT, this.#timeoutMs));
      return record !== undefined && MODES_STOP.includes(record[3]! & 0x0f);
    } catch (error) {
      ending.throwIfAborted();
      // One that leaves the question unanswered, which costs the connection, is not asked again.
      this.#silent = ['timeout', 'offline'].includes(toPlcError(error, 0, WHAT).kind);
      return false;
    }
  }
}
