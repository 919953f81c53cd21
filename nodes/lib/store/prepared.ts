/**
 * Statements that every cycle runs: a session parses and plans each of them once, and is told the values alone from then on.
 */
import { PreparedStatement } from 'pg-promise';
import { type Queryable, Query } from './connection';
import { LOCK_QUEUE } from './sql';

/** What a query of node-postgres sends itself with, as pg-cursor does too; the names are those of the protocol's messages. */
interface Wire {
  /** Texts by name, of this session. */
  parsedStatements: Partial<Record<string, string>>;
  stream: { cork(): void; uncork(): void };
  parse(statement: { name?: string; text: string }): void;
  bind(values: { statement?: string; values?: (string | null)[] }): void;
  describe(what: { type: 'P' }): void;
  execute(portal: object): void;
  sync(): void;
}

interface Executed {
  name: string;
  text: string;
  values: (string | null)[];
}

/**
 * Takes the queue's lock first: one round trip, and one transaction, since nothing before Sync ends it. A statement begun
 * after the lock was granted sees what its last holder left.
 */
class UnderQueueLock extends Query {
  readonly #executed: Executed;

  constructor(executed: Executed) {
    super(executed);
    this.#executed = executed;
  }

  submit(wire: Wire): null {
    const { name, text, values } = this.#executed;
    wire.stream.cork();
    // Parsed before the lock: node-postgres takes the first answer to a Parse for that of the query's own.
    if (!wire.parsedStatements[name]) wire.parse({ name, text });
    wire.parse({ text: LOCK_QUEUE });
    for (const bound of [{}, { statement: name, values }]) {
      wire.bind(bound);
      wire.describe({ type: 'P' });
      wire.execute({});
    }
    wire.sync();
    wire.stream.uncork();
    return null;
  }
}

class LockedStatement extends PreparedStatement {
  override parse(): ReturnType<PreparedStatement['parse']> {
    const parsed = super.parse();
    return parsed instanceof Error ? parsed : (new UnderQueueLock(parsed) as unknown as typeof parsed);
  }
}

/** SQLSTATEs: the session has forgotten it (26000), or a table has other columns than when it was prepared (0A000). */
const OUTDATED: readonly unknown[] = ['26000', '0A000'];

/** `$<name>`: a value as it is; `$<name:json>`: as JSON. */
const PARAMETER = /\$<(\w+)(:json)?>/g;

type Values = Readonly<Record<string, unknown>>;

/** As the protocol sends it: numbers and truth values look the same in JSON. */
const sent = (value: unknown, json: boolean): string | null => {
  if (!json && typeof value === 'string') return value;
  return value === undefined || (value === null && !json) ? null : JSON.stringify(value);
};

export class Prepared<Row> {
  readonly #name: string;
  readonly #text: string;
  readonly #parameters: ((values: Values) => string | null)[] = [];
  /** Prepared anew it has another name: what sessions hold under the old one is no longer asked for. */
  #version = 1;

  /**
   * @param name no other statement's
   * @param text with parameters as pg-promise writes them
   */
  constructor(name: string, text: string) {
    this.#name = name;
    const places = new Map<string, number>();
    this.#text = text.replace(PARAMETER, (parameter, key: string, json?: string) => {
      if (!places.has(parameter)) {
        this.#parameters.push((values) => sent(values[key], json !== undefined));
        places.set(parameter, this.#parameters.length);
      }
      return `$${places.get(parameter) ?? 0}${json ? '::jsonb' : ''}`;
    });
  }

  any(db: Queryable, values: Values): Promise<Row[]> {
    return this.#fresh(() => db.any<Row>(new PreparedStatement(this.#with(values))));
  }

  /** Under the queue's lock: see LOCK_QUEUE. */
  underLock(db: Queryable, values: Values): Promise<Row[]> {
    return this.#fresh(async () => {
      const [, rows = []] = (await db.multi(new LockedStatement(this.#with(values)))) as [unknown, Row[]];
      return rows;
    });
  }

  #with(values: Values): Executed {
    const name = `mo_${this.#name}_${this.#version}`;
    return { name, text: this.#text, values: this.#parameters.map((valueOf) => valueOf(values)) };
  }

  /** An outdated one has done nothing yet. */
  async #fresh(run: () => Promise<Row[]>): Promise<Row[]> {
    try {
      return await run();
    } catch (error) {
      if (!OUTDATED.includes((error as { code?: unknown }).code)) throw error;
      this.#version += 1;
      return run();
    }
  }
}
