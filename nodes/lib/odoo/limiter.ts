/** Lets so many run at a time; the others wait in the order they came, urgent ones before the rest. */
export class Limiter {
  readonly #most: number;
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(most: number) {
    this.#most = Math.max(1, Math.floor(most));
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
