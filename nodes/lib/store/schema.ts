/**
 * The schema: drop-in on the tables of the system that this one replaces. What is missing is added, nothing is renamed or
 * dropped. Migrations are numbered, run once each in a transaction, and are safe to run again.
 */
import { SILO_TAGS, siloNumber, siloNumberColumn } from '../domain/silos';
import { TRIGGERS } from './triggers';

interface Column {
  name: string;
  type: string;
  /** What CREATE and ADD COLUMN say beyond the type. */
  extra?: string;
}

const columns = (...rows: string[]): Column[] =>
  rows.map((row) => {
    const [, name, type, extra] = /^(\w+) (\w+(?:\([\d,]+\))?)(?: (.*))?$/.exec(row) ?? [];
    if (!name || !type) throw new Error(`Bad column: ${row}`);
    return { name, type, ...(extra ? { extra } : {}) };
  });

/** What both tables share with the replaced system. */
const LEGACY = columns(
  'id uuid PRIMARY KEY DEFAULT gen_random_uuid()',
  'batch_no int',
  'mo_id varchar(64)',
  'consumption numeric(18,3)',
  "equipment_id_batch varchar(64) NOT NULL DEFAULT ''",
  'finished_goods varchar(128)',
  ...SILO_TAGS.flatMap((tag) => [
    `${siloNumberColumn(tag)} int DEFAULT ${siloNumber(tag)}`,
    `component_${tag}_name varchar(64)`,
    `consumption_${tag} float8`,
    `actual_consumption_${tag} float8`,
  ]),
  'status_manufacturing bool DEFAULT false',
  'status_operation bool DEFAULT false',
  'actual_weight_quantity_finished_goods numeric(18,3)',
  'last_read_from_plc timestamptz',
);

/** What the rules need, in both tables. Times of rows that were taken over are unknown: NULL. */
const OURS = columns(
  'revision int8 NOT NULL DEFAULT 0',
  'confirmed_revision int8',
  'last_plc_reading jsonb',
  'sent_consumption jsonb',
  'confirmed_consumption jsonb',
  'done_readback jsonb',
  'attempts int NOT NULL DEFAULT 0',
  'last_conclusion varchar(32)',
  'last_reason text',
  'last_attempt_at timestamptz',
  'set_aside_at timestamptz',
  'set_aside_reason text',
  'duplicate bool NOT NULL DEFAULT false',
  'queued_at timestamptz',
  'completed_at timestamptz',
);

const SHARED = [...LEGACY, ...OURS];

/**
 * Every table as it is today, in the order in which an import fills them. Each migration adds what a database lacks of
 * its tables, so that a new one has everything from the first migration on.
 */
const TABLES = {
  mo_batch: [
    ...SHARED,
    ...columns(
      'update_odoo bool DEFAULT false',
      'odoo_cancelled bool DEFAULT false',
      'next_attempt_at timestamptz',
      'lease_owner uuid',
      'lease_until timestamptz',
      // What confirmed_revision was when the lease was taken: a call by hand puts it in doubt until it is settled.
      'lease_confirmed int8',
      // Since when Odoo lacks a value of the row while it waits for its pushes; kept by the guard trigger.
      'unconfirmed_since timestamptz',
    ),
  ],
  mo_histories: [...SHARED, ...columns('status varchar(20)', 'notes text', 'archived_at timestamptz')],
  mo_held_readings: columns(
    'mo_id varchar(64) PRIMARY KEY',
    "line varchar(64) NOT NULL DEFAULT ''",
    'reading jsonb NOT NULL',
    'held_since timestamptz NOT NULL DEFAULT now()',
  ),
  mo_lines: columns(
    'line varchar(64) PRIMARY KEY',
    'last_read_at timestamptz NOT NULL',
    "seen jsonb NOT NULL DEFAULT '{}'",
  ),
  mo_events: columns(
    'id int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY',
    'at timestamptz NOT NULL DEFAULT clock_timestamp()',
    'mo_id varchar(64)',
    'batch_id uuid',
    "line varchar(64) NOT NULL DEFAULT ''",
    'kind varchar(32) NOT NULL',
    "detail jsonb NOT NULL DEFAULT '{}'",
  ),
  // Alarms that were told and are not over. `watch` is who told them, `subject` the row's id, or the line.
  mo_alarms: columns(
    'watch text NOT NULL',
    'kind varchar(32) NOT NULL',
    'subject text NOT NULL',
    'mo_id varchar(64)',
    "line varchar(64) NOT NULL DEFAULT ''",
    'slot int',
    'since timestamptz NOT NULL',
    'reason text',
  ),
} as const;

export type TableName = keyof typeof TABLES;
export const TABLE_NAMES = Object.keys(TABLES) as TableName[];

/** Columns that move from the queue into the history as they are. */
export const SHARED_COLUMNS: readonly string[] = SHARED.map(({ name }) => name);

/** Columns an order brings when it is queued. */
export const ORDER_COLUMNS: readonly { name: string; type: string }[] = LEGACY.filter(({ name }) =>
  /^(mo_id|consumption|equipment_id_batch|finished_goods|component_\w+_name|consumption_\w+)$/.test(name),
);

/** Without these a table of the replaced system's name is something else; whatever else is missing is added. */
const IDENTIFYING = ['id', 'mo_id', 'batch_no', 'equipment_id_batch', 'consumption_silo_a'];

/** What a table has to look like where it exists already. */
export const EXPECTED = TABLE_NAMES.flatMap((table) =>
  TABLES[table].map(({ name, type }) => ({
    table,
    name,
    type,
    required: table === 'mo_batch' || table === 'mo_histories' ? IDENTIFYING.includes(name) : true,
  })),
);

const createTable = (table: TableName): string => {
  const definitions = TABLES[table].map(({ name, type, extra = '' }) => `${name} ${type} ${extra}`.trim());
  const add = definitions.map((definition) => `ALTER TABLE ${table} ADD COLUMN IF NOT EXISTS ${definition};`);
  return [`CREATE TABLE IF NOT EXISTS ${table} (${definitions.join(', ')});`, ...add].join('\n');
};

/** A primary key on id where the old table has none: rows without an id, or with one that stands twice, get their own. */
const identify = (table: TableName): string => `
ALTER TABLE ${table} ALTER COLUMN id SET DEFAULT gen_random_uuid();
DO $identify$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = '${table}'::regclass AND contype = 'p') THEN
    UPDATE ${table} t SET id = gen_random_uuid()
    FROM (SELECT ctid AS place, row_number() OVER (PARTITION BY id) AS n FROM ${table}) d
    WHERE t.ctid = d.place AND (t.id IS NULL OR d.n > 1);
    ALTER TABLE ${table} ADD PRIMARY KEY (id);
  END IF;
END $identify$;`;

const READ = `last_read_from_plc IS NOT NULL OR status_manufacturing OR coalesce(actual_weight_quantity_finished_goods, 0) <> 0
  OR ${SILO_TAGS.map((tag) => `coalesce(actual_consumption_${tag}, 0) <> 0`).join(' OR ')}`;

/**
 * Take-over: the old flag cannot be trusted, so rows that were ever read are told to Odoo again. A row that the old system
 * had copied to the history already keeps apart from its copy. Of several rows of one order the last read one stays live.
 */
const TAKE_OVER = `
UPDATE mo_batch b SET id = gen_random_uuid() WHERE EXISTS (SELECT FROM mo_histories h WHERE h.id = b.id);
UPDATE mo_batch SET update_odoo = false, confirmed_revision = NULL,
  status_manufacturing = coalesce(status_manufacturing, false),
  completed_at = CASE WHEN status_manufacturing THEN coalesce(completed_at, last_read_from_plc, now()) END,
  revision = CASE WHEN revision = 0 AND (${READ}) THEN 1 ELSE revision END;
UPDATE mo_batch SET set_aside_at = now(), set_aside_reason = 'has no mo_id, found at take-over: enter it by SQL, or archive the row'
WHERE mo_id IS NULL AND set_aside_at IS NULL;
UPDATE mo_batch b SET duplicate = true, set_aside_at = now(),
  set_aside_reason = 'duplicate of another row of this order, found at take-over: compare both, archive one'
FROM (SELECT id, row_number() OVER (PARTITION BY mo_id ORDER BY last_read_from_plc DESC NULLS LAST, batch_no, id) AS n
      FROM mo_batch WHERE mo_id IS NOT NULL) d
WHERE d.id = b.id AND d.n > 1 AND NOT b.duplicate;
INSERT INTO mo_events (mo_id, batch_id, line, kind, detail)
SELECT mo_id, id, equipment_id_batch, 'taken-over', jsonb_build_object('batch_no', batch_no, 'duplicate', duplicate) FROM mo_batch;
`;

/** Since when rows are unconfirmed that were so before the column was there: nobody knows, so from now on. */
export const UNCONFIRMED_SINCE = `UPDATE mo_batch SET unconfirmed_since = now()
  WHERE revision > 0 AND confirmed_revision IS DISTINCT FROM revision AND set_aside_at IS NULL AND unconfirmed_since IS NULL;`;

/** In order; the number is the position, from 1. Never edit one that was released: add another. */
export const MIGRATIONS: readonly { name: string; sql: string }[] = [
  {
    name: 'queue, history, events',
    sql: [
      ...TABLE_NAMES.map(createTable),
      identify('mo_batch'),
      identify('mo_histories'),
      TAKE_OVER,
      `CREATE UNIQUE INDEX IF NOT EXISTS mo_batch_one_per_order ON mo_batch (mo_id) WHERE NOT duplicate;
       CREATE INDEX IF NOT EXISTS mo_histories_mo_id ON mo_histories (mo_id);
       CREATE INDEX IF NOT EXISTS mo_histories_batch_no ON mo_histories (equipment_id_batch, batch_no);
       CREATE INDEX IF NOT EXISTS mo_events_mo_id ON mo_events (mo_id, id);
       CREATE INDEX IF NOT EXISTS mo_events_at ON mo_events (at);`,
      TRIGGERS,
    ].join('\n'),
  },
  {
    name: 'alarms',
    sql: [
      createTable('mo_batch'),
      createTable('mo_alarms'),
      `CREATE UNIQUE INDEX IF NOT EXISTS mo_alarms_once ON mo_alarms (watch, kind, subject);
       CREATE INDEX IF NOT EXISTS mo_histories_archived_at ON mo_histories (archived_at);`,
      TRIGGERS,
      UNCONFIRMED_SINCE,
    ].join('\n'),
  },
];
