/**
 * The way to another database: everything of this package in one file of JSON lines. First a header, then every row as
 * {"table", "row"}, last {"end": rows per table}, by which a file that is cut short is known.
 */
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { resolve } from 'node:path';
import { type Database, LOCKS, SNAPSHOT, type Task } from './connection';
import { SCHEMA } from './migrations';
import { TABLE_NAMES, type TableName } from './tables';

export interface Transferred {
  /** Absolute path. */
  file: string;
  rows: Record<TableName, number>;
}

/** First line of a file. */
interface Header {
  format: 'mo-bridge-export';
  version: number;
  /** Schema of the database that it came from. */
  schema: number;
  at: string;
}

const FORMAT = { format: 'mo-bridge-export', version: 1 } as const;
/** Rows that are in memory at a time: about 2 MB. */
/** What an older export does not say: since when rows are unconfirmed. Nobody knows, so from now on. */
const UNCONFIRMED_SINCE = `UPDATE mo_batch SET unconfirmed_since = now()
  WHERE revision > 0 AND confirmed_revision IS DISTINCT FROM revision AND set_aside_at IS NULL AND unconfirmed_since IS NULL;`;

const CHUNK = 500;

/** What a flow that is deployed already fills by itself: that is not what was to be kept. */
const NOTED: readonly TableName[] = [
  'mo_lines',
  'mo_slots',
  'mo_rejected_slots',
  'mo_alarms',
  'mo_closings',
  'mo_order_areas',
];

const noRows = (): Transferred['rows'] =>
  Object.fromEntries(TABLE_NAMES.map((table) => [table, 0])) as Transferred['rows'];

/**
 * Writes everything as it is at one moment, while work goes on. The file appears only when it is complete; it replaces one
 * of the same name.
 */
export async function exportTo(db: Database, path: string): Promise<Transferred> {
  const file = resolve(path);
  const partial = `${file}.partial`;
  const handle = await open(partial, 'w', 0o600);
  try {
    const rows = await db.tx({ mode: SNAPSHOT }, (tx) => writeAll(tx, handle));
    await handle.sync();
    await handle.close();
    await rename(partial, file);
    return { file, rows };
  } catch (error) {
    await handle.close();
    await rm(partial, { force: true });
    throw error;
  }
}

async function writeAll(tx: Task, handle: FileHandle): Promise<Transferred['rows']> {
  const line = (value: object): Promise<void> => handle.appendFile(`${JSON.stringify(value)}\n`);
  const header: Header = { ...FORMAT, schema: SCHEMA, at: new Date().toISOString() };
  await line(header);
  const counts = noRows();
  for (const table of TABLE_NAMES) {
    await tx.none(`DECLARE export_rows NO SCROLL CURSOR FOR SELECT row_to_json(t)::text AS row FROM ${table} t`);
    for (;;) {
      const rows = await tx.any<{ row: string }>(`FETCH ${CHUNK} FROM export_rows`);
      if (rows.length === 0) break;
      // The database's own text: a number read and written again by JavaScript may lose digits.
      await handle.appendFile(rows.map(({ row }) => `{"table":"${table}","row":${row}}\n`).join(''));
      counts[table] += rows.length;
    }
    await tx.none('CLOSE export_rows');
  }
  await line({ end: counts });
  return counts;
}

/**
 * Brings an exported file into an empty database, all or nothing.
 * @throws Error when the database is not empty, or the file is not a whole export of a schema that this package knows
 */
export async function importFrom(db: Database, path: string): Promise<Transferred> {
  const file = resolve(path);
  const handle = await open(file);
  try {
    return { file, rows: await db.tx((tx) => readAll(tx, handle, file)) };
  } finally {
    await handle.close();
  }
}

async function readAll(tx: Task, handle: FileHandle, file: string): Promise<Transferred['rows']> {
  await tx.one('SELECT pg_advisory_xact_lock($<queue>)::text', LOCKS);
  // An alarm that is committed in between would stand in the way of the same one from the file.
  await tx.one('SELECT pg_advisory_xact_lock($<alarms>)::text', LOCKS);
  await refuseUnlessEmpty(tx);
  // The triggers would count every row as new; what they keep is in the file.
  await tx.none(
    `ALTER TABLE mo_batch DISABLE TRIGGER USER; ${NOTED.map((table) => `DELETE FROM ${table}`).join('; ')}`,
  );
  const inserter = new Inserter(tx);
  let header = false;
  let end = '';
  for await (const text of handle.readLines()) {
    const [, table, row] = /^\{"table":"(\w+)","row":(.*)\}$/.exec(text) ?? [];
    if (!header) {
      checkHeader(text, file);
      header = true;
    } else if (table && row) await inserter.add(table, row);
    else end = text;
  }
  await inserter.flush();
  if (!isEnd(end, inserter.counts))
    throw new Error(`${file} is cut short or damaged: export again; nothing was imported`);
  await tx.none(`ALTER TABLE mo_batch ENABLE TRIGGER USER; ${UNCONFIRMED_SINCE}`);
  await tx.one(`SELECT setval(pg_get_serial_sequence('mo_events', 'id'), greatest(max(id), 1)) FROM mo_events`);
  return inserter.counts;
}

async function refuseUnlessEmpty(tx: Task): Promise<void> {
  const tables = TABLE_NAMES.filter((table) => !NOTED.includes(table));
  const counts = await tx.one<Record<string, number>>(
    `SELECT ${tables.map((table) => `(SELECT count(*) FROM ${table})::int AS ${table}`).join(', ')}`,
  );
  const found = Object.entries(counts).filter(([, count]) => count > 0);
  if (found.length === 0) return;
  const what = found.map(([table, count]) => `${table}: ${count}`).join(', ');
  throw new Error(
    `The database is not empty (${what}): import into a new one, before the flow that fills it is deployed`,
  );
}

function checkHeader(text: string, file: string): void {
  const { format, version, schema } = parse(text) as Partial<Header>;
  if (format !== FORMAT.format) throw new Error(`${file} is not an export of this package`);
  if (version !== FORMAT.version || (schema ?? Infinity) > SCHEMA) {
    throw new Error(
      `${file} comes from a newer version of the package (schema ${schema}): update it on this Node-RED first`,
    );
  }
}

/** Whether the last line tells what was read; the file of an older package has no rows of the tables that came later. */
const isEnd = (text: string, counts: Transferred['rows']): boolean => {
  const { end } = parse(text) as { end?: Partial<Transferred['rows']> };
  return end !== undefined && TABLE_NAMES.every((table) => counts[table] === (end[table] ?? 0));
};

const parse = (text: string): object => {
  try {
    return JSON.parse(text) as object;
  } catch {
    return {}; // Not even JSON: the caller says what the file is not.
  }
};

/** Inserts rows in the order of the file, a chunk per statement. */
class Inserter {
  readonly counts = noRows();
  readonly #tx: Task;
  #table: TableName | undefined;
  #columns: string[] = [];
  #rows: string[] = [];

  constructor(tx: Task) {
    this.#tx = tx;
  }

  async add(name: string, row: string): Promise<void> {
    if (name !== this.#table) {
      await this.flush();
      this.#table = TABLE_NAMES.find((table) => table === name);
      if (!this.#table) throw new Error(`The file has rows of a table ${name} that this package does not know`);
      this.#columns = Object.keys(parse(row));
    }
    this.#rows.push(row);
    if (this.#rows.length === CHUNK) await this.flush();
  }

  async flush(): Promise<void> {
    if (!this.#table || this.#rows.length === 0) return;
    const rows = `[${this.#rows.join(',')}]`;
    this.counts[this.#table] += this.#rows.length;
    this.#rows = [];
    await this.#tx.none(
      `INSERT INTO ${this.#table} ($<columns:name>) OVERRIDING SYSTEM VALUE
       SELECT $<columns:name> FROM jsonb_populate_recordset(NULL::${this.#table}, $<rows>)`,
      { columns: this.#columns, rows },
    );
  }
}
