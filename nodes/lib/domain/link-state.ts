/**
 * Whether something outside (database, Odoo, PLC) can be reached: kept by a config node, shown by all who use it.
 */
export interface LinkStatus {
  up: boolean;
  /** What is wrong, in words for the status line; empty while up. */
  problem: string;
}

export class LinkState {
  #status: LinkStatus = { up: true, problem: '' };
  #tried = false;
  #since = new Date();
  readonly #listeners = new Set<(status: LinkStatus) => void>();
  readonly #onTurn: (status: LinkStatus) => void;

  /** @param onTurn called once when the link is lost and once when it is back */
  constructor(onTurn: (status: LinkStatus) => void = () => undefined) {
    this.#onTurn = onTurn;
  }

  get status(): LinkStatus {
    return this.#status;
  }

  /** Whether anything is known of the link; before its first success or failure it counts as up, for want of a problem. */
  get tried(): boolean {
    return this.#tried;
  }

  /** When the link was last lost or came back; before that, when it was first tried, or made. */
  get since(): Date {
    return this.#since;
  }

  isUp(): void {
    this.#set({ up: true, problem: '' });
  }

  isDown(problem: string): void {
    this.#set({ up: false, problem });
  }

  /** Calls the listener now and at every change. @returns the way out */
  watch(listener: (status: LinkStatus) => void): () => void {
    this.#listeners.add(listener);
    listener(this.#status);
    return () => this.#listeners.delete(listener);
  }

  #set(status: LinkStatus): void {
    const before = this.#status;
    this.#status = status;
    const turned = before.up !== status.up;
    if (turned || !this.#tried) this.#since = new Date();
    this.#tried = true;
    if (turned) this.#onTurn(status);
    if (turned || before.problem !== status.problem) {
      for (const listener of this.#listeners) listener(status);
    }
  }
}
