/** Lets so many run at a time; the others wait in the order they came, urgent ones before the rest. */
class Gate {
  readonly #most: number;
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(most: number) {
    this.#most = most;
  }

  async run<T>(work: () => Promise<T>, urgent = false): Promise<T> {
    const wait = (resolve: () => void): unknown =>
      urgent ? this.#waiting.unshift(resolve) : this.#waiting.push(resolve);
    if (this.#running >= this.#most) await new Promise<void>(wait);
    else this.#running += 1;
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#running -= 1;
    }
  }
}

/** How many pushes work on one Odoo at a time, over all nodes. */
export class Limiter {
  readonly #rows: Gate;
  readonly #deliveries: Gate;

  /** @param most deliveries at a time, 1 at least */
  constructor(most: number) {
    const whole = Math.max(1, Math.floor(most));
    this.#deliveries = new Gate(whole);
    // As many again lease or settle their rows meanwhile, so that Odoo never waits for the database.
    this.#rows = new Gate(2 * whole);
  }

  /** Work that calls Odoo; urgent work comes before what waits. */
  run<T>(work: () => Promise<T>, urgent = false): Promise<T> {
    return this.#deliveries.run(work, urgent);
  }

  /** Work on one row, in which `run` calls Odoo: twice as many at a time. */
  withRow<T>(work: () => Promise<T>): Promise<T> {
    return this.#rows.run(work);
  }
}
