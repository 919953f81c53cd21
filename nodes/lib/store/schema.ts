/**
 * The schema: drop-in on the tables of the system that this one replaces. What is missing is added, nothing is renamed or
 * dropped. Migrations are numbered, run once each in a transaction, and are safe to run again.
 */
import { SILO_TAGS, siloNumber, siloNumberColumn } from '../domain/silos';

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
  'batch_no int NOT NULL',
  'mo_id varchar(64) NOT NULL',
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

/** What the rules need, in both tables. */
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
  'queued_at timestamptz NOT NULL DEFAULT now()',
  'completed_at timestamptz',
);

const SHARED = [...LEGACY, ...OURS];

const TABLES = {
  mo_batch: [
    ...SHARED,
    ...columns(
      'update_odoo bool DEFAULT false',
      'odoo_cancelled bool DEFAULT false',
      'next_attempt_at timestamptz',
      'lease_owner uuid',
      'lease_until timestamptz',
    ),
  ],
  mo_histories: [
    ...SHARED,
    ...columns('status varchar(20)', 'notes text', 'archived_at timestamptz NOT NULL DEFAULT now()'),
  ],
} as const;

/** Columns that move from the queue into the history as they are. */
export const SHARED_COLUMNS: readonly string[] = SHARED.map(({ name }) => name);

/** Columns an order brings when it is queued. */
export const ORDER_COLUMNS: readonly string[] = [
  'mo_id',
  'consumption',
  'equipment_id_batch',
  'finished_goods',
  ...SILO_TAGS.flatMap((tag) => [`component_${tag}_name`, `consumption_${tag}`]),
];

/** Columns whose value Odoo keeps: a change of any of them raises the revision. */
export const VALUE_COLUMNS: readonly string[] = [
  ...SILO_TAGS.map((tag) => `actual_consumption_${tag}`),
  'actual_weight_quantity_finished_goods',
  'status_manufacturing',
];

/** Columns without which a table of this name is not ours to take over. */
export const IDENTIFYING_COLUMNS: readonly string[] = ['id', 'mo_id', 'batch_no', 'equipment_id_batch', 'consumption_silo_a'];

const createTable = (table: keyof typeof TABLES): string => {
  const list = TABLES[table].map(({ name, type, extra = '' }) => `${name} ${type} ${extra}`.trim());
  const add = TABLES[table].map(({ name, type, extra = '' }) =>
    `ALTER TABLE ${table} ADD COLUMN IF NOT EXISTS ${name} ${type} ${extra}`.trim(),
  );
  return [`CREATE TABLE IF NOT EXISTS ${table} (${list.join(', ')})`, ...add, ''].join(';\n');
};

const row = (alias: string): string => `(${VALUE_COLUMNS.map((name) => `${alias}.${name}`).join(', ')})`;
const values = `jsonb_strip_nulls(jsonb_build_object(${VALUE_COLUMNS.map((name) => `'${name}', NEW.${name}`).join(', ')}))`;

/** Whoever changes a value: the revision rises, update_odoo tells the truth, the change becomes an event. */
const GUARD = `
CREATE OR REPLACE FUNCTION mo_batch_guard() RETURNS trigger LANGUAGE plpgsql AS $guard$
BEGIN
  IF TG_OP = 'INSERT' THEN
    NEW.confirmed_revision := NULL;
    NEW.revision := CASE WHEN coalesce(NEW.status_manufacturing, false)
      OR num_nonnulls(${VALUE_COLUMNS.filter((name) => name !== 'status_manufacturing')
        .map((name) => `NEW.${name}`)
        .join(', ')}) > 0 THEN 1 ELSE 0 END;
  ELSIF ${row('NEW')} IS DISTINCT FROM ${row('OLD')} THEN
    NEW.revision := OLD.revision + 1;
    NEW.done_readback := NULL;
  ELSE
    NEW.revision := OLD.revision;
  END IF;
  IF NEW.status_manufacturing THEN
    NEW.completed_at := coalesce(NEW.completed_at, now());
  END IF;
  NEW.update_odoo := NEW.revision > 0 AND NEW.confirmed_revision IS NOT DISTINCT FROM NEW.revision;
  RETURN NEW;
END $guard$;

CREATE OR REPLACE FUNCTION mo_batch_changed() RETURNS trigger LANGUAGE plpgsql AS $changed$
DECLARE
  source text := coalesce(nullif(current_setting('mo_bridge.source', true), ''), 'sql');
BEGIN
  IF TG_OP = 'INSERT' THEN
    INSERT INTO mo_events (mo_id, batch_id, line, kind, detail)
    VALUES (NEW.mo_id, NEW.id, NEW.equipment_id_batch, 'queued',
      jsonb_build_object('batch_no', NEW.batch_no, 'consumption', NEW.consumption));
  END IF;
  IF NEW.revision > 0 AND (TG_OP = 'INSERT' OR NEW.revision <> OLD.revision) THEN
    IF NEW.last_plc_reading IS NOT NULL AND (TG_OP = 'INSERT' OR NEW.last_plc_reading IS DISTINCT FROM OLD.last_plc_reading) THEN
      source := 'plc';
    END IF;
    INSERT INTO mo_events (mo_id, batch_id, line, kind, detail)
    VALUES (NEW.mo_id, NEW.id, NEW.equipment_id_batch, 'changed',
      jsonb_build_object('source', source, 'revision', NEW.revision, 'values', ${values}));
  END IF;
  RETURN NULL;
END $changed$;

CREATE OR REPLACE TRIGGER mo_batch_guard BEFORE INSERT OR UPDATE ON mo_batch
  FOR EACH ROW EXECUTE FUNCTION mo_batch_guard();
CREATE OR REPLACE TRIGGER mo_batch_changed AFTER INSERT OR UPDATE ON mo_batch
  FOR EACH ROW EXECUTE FUNCTION mo_batch_changed();
`;

/** Take-over: the old flag cannot be trusted, rows that were ever read are told to Odoo again, later duplicates step aside. */
const TAKE_OVER = `
UPDATE mo_batch SET update_odoo = false, confirmed_revision = NULL,
  status_manufacturing = coalesce(status_manufacturing, false),
  revision = CASE WHEN revision = 0 AND (last_read_from_plc IS NOT NULL OR status_manufacturing) THEN 1 ELSE revision END;
UPDATE mo_batch b SET duplicate = true, set_aside_at = now(),
  set_aside_reason = 'duplicate of another row of this order, found at take-over: compare both, archive one'
FROM (SELECT id, row_number() OVER (PARTITION BY mo_id ORDER BY last_read_from_plc DESC NULLS LAST, batch_no, id) AS n FROM mo_batch) d
WHERE d.id = b.id AND d.n > 1 AND NOT b.duplicate;
`;

/** In order; the number is the position, from 1. Never edit one that was released: add another. */
export const MIGRATIONS: readonly { name: string; sql: string }[] = [
  {
    name: 'queue, history, events',
    sql: [
      createTable('mo_batch'),
      createTable('mo_histories'),
      `CREATE TABLE IF NOT EXISTS mo_held_readings (
        mo_id varchar(64) PRIMARY KEY, line varchar(64) NOT NULL DEFAULT '', reading jsonb NOT NULL,
        held_since timestamptz NOT NULL DEFAULT now());`,
      `CREATE TABLE IF NOT EXISTS mo_lines (
        line varchar(64) PRIMARY KEY, last_read_at timestamptz NOT NULL, seen jsonb NOT NULL DEFAULT '{}');`,
      `CREATE TABLE IF NOT EXISTS mo_events (
        id int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at timestamptz NOT NULL DEFAULT clock_timestamp(),
        mo_id varchar(64) NOT NULL, batch_id uuid, line varchar(64) NOT NULL DEFAULT '', kind varchar(32) NOT NULL,
        detail jsonb NOT NULL DEFAULT '{}');`,
      TAKE_OVER,
      `CREATE UNIQUE INDEX IF NOT EXISTS mo_batch_one_per_order ON mo_batch (mo_id) WHERE NOT duplicate;
       CREATE INDEX IF NOT EXISTS mo_histories_mo_id ON mo_histories (mo_id);
       CREATE INDEX IF NOT EXISTS mo_histories_batch_no ON mo_histories (equipment_id_batch, batch_no);
       CREATE INDEX IF NOT EXISTS mo_events_mo_id ON mo_events (mo_id, id);
       CREATE INDEX IF NOT EXISTS mo_events_at ON mo_events (at);`,
      GUARD,
    ].join('\n'),
  },
];
