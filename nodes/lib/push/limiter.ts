import { onAbort } from '../domain/abort';

/** Lets so many run at a time; the others wait in the order they came, urgent ones before the rest, slow ones after it. */
class Gate {
  readonly #most: number;
  #running = 0;
  readonly #waiting: { rank: number; enter: () => void }[] = [];

  constructor(most: number) {
    this.#most = most;
  }

  /** @throws the signal's reason when it was aborted before the work had its turn */
  async run<T>(work: () => Promise<T>, { urgent = false, slow = false, signal }: Turn = {}): Promise<T> {
    signal?.throwIfAborted();
    if (this.#running >= this.#most) await this.#turn(urgent ? 0 : slow ? 2 : 1, signal);
    else this.#running += 1;
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next) next.enter();
      else this.#running -= 1;
    }
  }

  #turn(rank: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const stay = onAbort(signal, () => {
        this.#waiting.splice(this.#waiting.indexOf(own), 1);
        reject(signal?.reason as Error);
      });
      const own = {
        rank,
        enter: (): void => {
          stay();
          resolve();
        },
      };
      const place = this.#waiting.findIndex((other) => other.rank > rank);
      this.#waiting.splice(place < 0 ? this.#waiting.length : place, 0, own);
    });
  }
}

interface Turn {
  /** Before what waits. */
  urgent?: boolean;
  /** After what waits, and after what comes meanwhile: it may hold its turn for a whole time limit. */
  slow?: boolean;
  /** Gives up waiting. */
  signal?: AbortSignal | undefined;
}

/** How many pushes work on one Odoo at a time, over all nodes. */
export class Limiter {
  readonly #rows: Gate;
  readonly #deliveries: Gate;
  /** They only undo each other: two at a time set 23 of 60 aside, one at a time none, at 1.1 a second against 1.3. */
  readonly #closings = new Gate(1);

  /** @param most deliveries at a time, 1 at least */
  constructor(most: number) {
    const whole = Math.max(1, Math.floor(most));
    this.#deliveries = new Gate(whole);
    // As many again lease their rows meanwhile, so that Odoo never waits for the database.
    this.#rows = new Gate(2 * whole);
  }

  /** Work that calls Odoo. @throws the signal's reason when it was aborted before the work had its turn */
  run<T>(work: () => Promise<T>, turn?: Turn): Promise<T> {
    return this.#deliveries.run(work, turn);
  }

  /** Work on one row, in which `run` calls Odoo: twice as many at a time. @throws as `run` */
  withRow<T>(work: () => Promise<T>, turn?: Turn): Promise<T> {
    return this.#rows.run(work, turn);
  }

  /** Work that closes an order, one at a time; it calls Odoo with `run`. @throws as `run` */
  closing<T>(work: () => Promise<T>, turn?: Turn): Promise<T> {
    return this.#closings.run(work, turn);
  }
}
