/**
 * Figures for a monitoring system, in Prometheus' text format: what happens in this process is counted as it is told
 * (telemetry), what is in the databases is asked at every scrape. Nothing is counted, and prom-client is not even loaded,
 * before the first database publishes.
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { setTimeout as delay } from 'node:timers/promises';
import type { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Connection } from './connections';
import { CONCLUSIONS } from '../domain/conclusion';
import { countedAs } from '../plc/slot-problem';
import type { LineFigures } from '../store/watch';
import { PUSH_CHANNEL, type PushTold, READ_CHANNEL, type ReadTold } from './telemetry';

/** A database that publishes. */
export interface MetricSource {
  /** Of its config node. */
  id: string;
  /** Value of the label `database`. */
  name: string;
  figures: () => Promise<LineFigures[]>;
}

interface Published extends MetricSource {
  /** The answer that is awaited: a database that hangs is not asked again before. */
  asked?: Promise<LineFigures[]>;
}

/** How long a scrape waits for a database (ms); Prometheus itself gives up after 10 s. */
const SCRAPE_LIMIT = 5_000;
/** Seconds. One update takes 0.15 to 0.4 s on a small Odoo; 30 s is the default time limit of a call. */
const PUSH_BUCKETS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
/** Seconds. One telegram takes 5 to 50 ms, a completion waits the settle time, 5 s is the default time limit. */
const READ_BUCKETS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

const load = (): typeof import('prom-client') => require('prom-client') as typeof import('prom-client');

export class Metrics {
  readonly #connections: () => readonly Connection[];
  readonly #sources = new Map<string, Published>();
  #counted: Counted | undefined;

  /** @param connections what this Node-RED is connected to, asked at every scrape */
  constructor(connections: () => readonly Connection[]) {
    this.#connections = connections;
  }

  /** Publishes a database until the returned function is called; counting begins at 0. */
  publish(source: MetricSource): () => void {
    const taken = [...this.#sources.values()].some(({ name }) => name === source.name);
    // Two series with the same labels would be one, and wrong.
    const published: Published = { ...source, name: taken ? `${source.name} (${source.id})` : source.name };
    this.#sources.set(source.id, published);
    this.#counted ??= new Counted((id) => this.#sources.get(id)?.name);
    this.#counted.add(published.name);
    return () => {
      if (this.#sources.get(source.id) !== published) return;
      this.#sources.delete(source.id);
      this.#counted?.remove(published.name);
      if (this.#sources.size > 0) return;
      this.#counted?.end();
      this.#counted = undefined;
    };
  }

  /** The page and its content type; undefined while no database publishes. Never fails because of a database. */
  async scrape(): Promise<{ type: string; text: string } | undefined> {
    const counted = this.#counted;
    if (!counted) return undefined;
    const databases = await Promise.all(
      [...this.#sources.values()].map(async (source) => ({ name: source.name, lines: await ask(source) })),
    );
    const now = snapshot(databases, this.#connections());
    return { type: now.contentType, text: `${await counted.registry.metrics()}\n${await now.metrics()}` };
  }
}

/** The figures of a database; undefined when it cannot be reached in time. */
async function ask(source: Published): Promise<LineFigures[] | undefined> {
  source.asked ??= source.figures().finally(() => delete source.asked);
  const limit = new AbortController();
  const given = source.asked.catch(() => undefined);
  const late = delay(SCRAPE_LIMIT, undefined, { signal: limit.signal }).catch(() => undefined);
  return Promise.race([given, late]).finally(() => limit.abort());
}

/** What was told since the first database published. */
class Counted {
  readonly registry: Registry;
  readonly #nameOf: (id: string) => string | undefined;
  readonly #pushes: Counter<'database' | 'conclusion'>;
  readonly #pushSeconds: Histogram<'database'>;
  readonly #readSeconds: Histogram<'reader'>;
  readonly #readFailures: Counter<'reader' | 'kind'>;
  readonly #rejected: Counter<'reader' | 'reason'>;

  constructor(nameOf: (id: string) => string | undefined) {
    const { Registry, Counter, Histogram } = load();
    this.#nameOf = nameOf;
    this.registry = new Registry();
    const registers = [this.registry];
    this.#pushes = new Counter({
      name: 'mo_bridge_pushes_total',
      help: 'Pushes to Odoo by what they came to.',
      labelNames: ['database', 'conclusion'],
      registers,
    });
    this.#pushSeconds = new Histogram({
      name: 'mo_bridge_push_duration_seconds',
      help: 'Time of a push, from its turn among the parallel ones to its outcome in the database.',
      labelNames: ['database'],
      buckets: PUSH_BUCKETS,
      registers,
    });
    this.#readSeconds = new Histogram({
      name: 'mo_bridge_plc_read_duration_seconds',
      help: 'Time of a read of all slots, the settle time of completions included.',
      labelNames: ['reader'],
      buckets: READ_BUCKETS,
      registers,
    });
    this.#readFailures = new Counter({
      name: 'mo_bridge_plc_read_failures_total',
      help: 'Reads of the PLC that failed, by kind.',
      labelNames: ['reader', 'kind'],
      registers,
    });
    this.#rejected = new Counter({
      name: 'mo_bridge_plc_rejected_readings_total',
      help: 'Readings of slots that were refused, by the first reason.',
      labelNames: ['reader', 'reason'],
      registers,
    });
    subscribe(PUSH_CHANNEL, this.#onPush);
    subscribe(READ_CHANNEL, this.#onRead);
  }

  /** Shows zeros for a database before anything happens, so that a rate sees the first push. */
  add(database: string): void {
    for (const conclusion of Object.keys(CONCLUSIONS)) this.#pushes.inc({ database, conclusion }, 0);
    this.#pushSeconds.zero({ database });
  }

  remove(database: string): void {
    for (const conclusion of Object.keys(CONCLUSIONS)) this.#pushes.remove({ database, conclusion });
    this.#pushSeconds.remove({ database });
  }

  end(): void {
    unsubscribe(PUSH_CHANNEL, this.#onPush);
    unsubscribe(READ_CHANNEL, this.#onRead);
    this.registry.clear();
  }

  // What a listener throws would end the process: these only count.
  readonly #onPush = (message: unknown): void => {
    const { database: id, conclusion, seconds } = message as PushTold;
    const database = id === undefined ? '' : this.#nameOf(id);
    // One that does not publish.
    if (database === undefined) return;
    this.#pushes.inc({ database, conclusion });
    if (seconds !== undefined) this.#pushSeconds.observe({ database }, seconds);
  };

  readonly #onRead = (message: unknown): void => {
    const told = message as ReadTold;
    const { reader } = told;
    if (told.failed !== undefined) return this.#readFailures.inc({ reader, kind: told.failed });
    this.#readSeconds.observe({ reader }, told.seconds);
    for (const refused of told.rejected) this.#rejected.inc({ reader, reason: countedAs(refused) });
  };
}

/** What stands now; made anew at every scrape, so that nothing remains of a line or a link that is gone. */
function snapshot(
  databases: readonly { name: string; lines: readonly LineFigures[] | undefined }[],
  connections: readonly Connection[],
): Registry {
  const { Gauge, Registry } = load();
  const registry = new Registry();
  const gauge = <L extends string>(name: string, help: string, labelNames: L[]): Gauge<L> =>
    new Gauge({ name: `mo_bridge_${name}`, help, labelNames, registers: [registry] });
  const up = gauge('database_up', 'Whether the database answered this scrape.', ['database']);
  const batches = gauge('queue_batches', 'Batches in the queue by state, set-aside ones included.', [
    'database',
    'line',
    'state',
  ]);
  const oldest = gauge(
    'oldest_unconfirmed_seconds',
    'Age of the oldest values that Odoo has not confirmed, set-aside batches left out; 0: there are none.',
    ['database', 'line'],
  );
  const held = gauge('held_readings', 'Readings that are held for orders that are not queued.', ['database', 'line']);
  const link = gauge(
    'link_up',
    'Whether Odoo, PLC or database can be reached, as last seen; absent before the first try.',
    ['kind', 'name'],
  );

  for (const { name: database, lines } of databases) {
    up.set({ database }, lines ? 1 : 0);
    for (const { line, states, oldest_unconfirmed, held: readings } of lines ?? []) {
      for (const [state, count] of Object.entries(states)) batches.set({ database, line, state }, count);
      oldest.set({ database, line }, oldest_unconfirmed);
      held.set({ database, line }, readings);
    }
  }
  // Of several with one name the lost one shows.
  const lostLast = connections.filter(({ tried }) => tried).sort((a, b) => Number(b.up) - Number(a.up));
  for (const { kind, name, up: reachable } of lostLast) link.set({ kind, name }, reachable ? 1 : 0);
  return registry;
}
