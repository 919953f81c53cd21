/**
 * Group commit: while one statement is under way, what is asked meanwhile waits and shares the next one. Nobody waits longer
 * than one statement, and a single caller not at all.
 */

/**
 * What fails for everybody, by SQLSTATE: the connection (08), the role or database (28, 3D), a server that may not write
 * (25006), is full (53) or goes down (57P). Anything else may be what one ask brings along: a value, a lock, a trigger.
 */
const OF_ALL = /^(08|28|3D|25006|53|57P)/;
const SQLSTATE = /^[0-9A-Z]{5}$/;

/** Without a SQLSTATE no server has answered; a program error may be in one ask. */
function mayBeOfOne(error: unknown): boolean {
  const { code } = error as { code?: unknown };
  if (typeof code === 'string' && SQLSTATE.test(code)) return !OF_ALL.test(code);
  return error instanceof TypeError || error instanceof RangeError;
}

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
      // What one of them brought does not spoil the others.
      if (all.length > 1 && mayBeOfOne(error)) return this.#oneByOne(all);
      for (const { reject } of all) reject(error as Error);
    }
  }

  /** Ends with the first failure that is everybody's. */
  async #oneByOne(all: readonly Waiting<Ask, Row>[]): Promise<void> {
    let gone: Error | undefined;
    for (const { ask, resolve, reject } of all) {
      try {
        if (gone) throw gone;
        const rows = await this.#statement([ask]);
        resolve(rows.find((row) => this.#isFor(ask, row)));
      } catch (error) {
        if (!mayBeOfOne(error)) gone = error as Error;
        reject(error as Error);
      }
    }
  }
}
