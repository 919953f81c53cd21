/**
 * Group commit: while one statement is under way, what is asked meanwhile waits and shares the next one. Nobody waits longer
 * than one statement, and a single caller not at all.
 */

/** SQLSTATE classes 22 (data exception) and 23 (integrity constraint violation): what one ask brings along. */
const OF_ONE = /^2[23]/;

interface Waiting<Ask, Row> {
  ask: Ask;
  resolve: (row: Row | undefined) => void;
  reject: (error: Error) => void;
}

export class Gathering<Ask, Row> {
  readonly #statement: (asks: Ask[]) => Promise<Row[]>;
  readonly #isFor: (ask: Ask, row: Row) => boolean;
  #waiting: Waiting<Ask, Row>[] = [];
  #running = false;

  /**
   * @param statement one for all
   * @param isFor whether a row that it returned answers an ask
   */
  constructor(statement: (asks: Ask[]) => Promise<Row[]>, isFor: (ask: Ask, row: Row) => boolean) {
    this.#statement = statement;
    this.#isFor = isFor;
  }

  /** The row for one ask; undefined: the statement returned none for it. @throws what the statement threw */
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
    await this.#run(all);
    this.#running = false;
    void this.#next();
  }

  async #run(all: readonly Waiting<Ask, Row>[]): Promise<void> {
    try {
      const rows = await this.#statement(all.map(({ ask }) => ask));
      for (const { ask, resolve } of all) resolve(rows.find((row) => this.#isFor(ask, row)));
    } catch (error) {
      // What one of them brought does not spoil the others; any other failure is everybody's.
      if (all.length > 1 && OF_ONE.test(String((error as { code?: unknown }).code))) {
        for (const one of all) await this.#run([one]);
      } else {
        for (const { reject } of all) reject(error as Error);
      }
    }
  }
}
