/**
 * Group commit: while one statement is under way, what is asked meanwhile waits and shares the next one. Nobody waits longer
 * than one statement, and a single caller not at all.
 */
export class Gathering<Ask, Row> {
  readonly #statement: (asks: Ask[]) => Promise<Row[]>;
  readonly #isFor: (ask: Ask, row: Row) => boolean;
  #waiting: { ask: Ask; resolve: (row: Row | undefined) => void; reject: (error: Error) => void }[] = [];
  #running = false;

  /**
   * @param statement one for all
   * @param isFor whether a row that it returned answers an ask
   */
  constructor(statement: (asks: Ask[]) => Promise<Row[]>, isFor: (ask: Ask, row: Row) => boolean) {
    this.#statement = statement;
    this.#isFor = isFor;
  }

  /** The row for one ask; undefined: the statement returned none, or failed for several. @throws what it threw for one */
  ask(ask: Ask): Promise<Row | undefined> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ ask, resolve, reject });
      // What is asked in the same turn comes along.
      if (!this.#running) queueMicrotask(() => void this.#next());
    });
  }

  async #next(): Promise<void> {
    if (this.#running || this.#waiting.length === 0) return;
    const all = this.#waiting;
    this.#waiting = [];
    this.#running = true;
    try {
      const rows = await this.#statement(all.map(({ ask }) => ask));
      for (const { ask, resolve } of all) resolve(rows.find((row) => this.#isFor(ask, row)));
    } catch (error) {
      // Perhaps one of many spoiled it: each is told to try alone.
      for (const { resolve, reject } of all)
        if (all.length > 1) resolve(undefined);
        else reject(error as Error);
    } finally {
      this.#running = false;
      void this.#next();
    }
  }
}
