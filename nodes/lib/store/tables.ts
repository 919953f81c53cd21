/**
 * The tables as the migrations leave them: drop-in on those of the system that this one replaces.
 */
import { SILO_COLUMNS, SILO_TAGS, siloNumber, siloNumberColumn } from '../domain/silos';

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
  // The order's id in Odoo, and its name there by now where that differs from what the PLC tells.
  'odoo_id int',
  'odoo_name text',
  // What calls by hand may have put into Odoo, until it is known.
  'pending_call jsonb',
  // kg of finished goods that were sent last.
  'sent_finished float8',
  // In which order slot of which line's area it is, since when; since when the PLC may take it, and has.
  'handed_at timestamptz',
  'handed_slot int',
  'handed_area varchar(64)',
  'ready_at timestamptz',
  'taken_at timestamptz',
  // What the row says of silos beyond those with columns of their own, by tag.
  ...Object.values(SILO_COLUMNS).map(({ further }) => `${further} jsonb NOT NULL DEFAULT '{}'`),
);

const SHARED = [...LEGACY, ...OURS];

/** Every table as it is today, in the order in which an import fills them. A new column also needs a migration. */
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
      // Silos that may have been sent above 0, noted with the lease; NULL: it may be any.
      'ever_sent jsonb',
      // Answers of Odoo's in words that nobody knows, in a row and since when: too many, and the row is set aside.
      'refusals int NOT NULL DEFAULT 0',
      'failing_since timestamptz',
      // Tries of closing it that another closing was in the way of, and since when.
      'closing_collisions int NOT NULL DEFAULT 0',
      'closing_since timestamptz',
      // The revision that a person wants closed although too little was weighed: no other one.
      'close_anyway int8',
      // Since when Odoo lacks a value of the row while it waits for its pushes; kept by the guard trigger.
      'unconfirmed_since timestamptz',
      // Why it is to be fetched back from its order slot, and what only a person can tell about it.
      'hand_back varchar(16)',
      'handover_problem varchar(32)',
    ),
  ],
  mo_histories: [...SHARED, ...columns('status varchar(20)', 'notes text', 'archived_at timestamptz')],
  mo_held_readings: columns(
    'mo_id varchar(64) NOT NULL',
    "line varchar(64) NOT NULL DEFAULT ''",
    'reading jsonb NOT NULL',
    'held_since timestamptz NOT NULL DEFAULT now()',
    // NULL: it waits for its order or its row. Otherwise why only a person applies it; one of each kind per order.
    'reason varchar(32)',
    // The order whose weights they are.
    'weights_of varchar(64)',
    // How often Odoo was asked for the order, and when last.
    'asks int NOT NULL DEFAULT 0',
    'asked_at timestamptz',
  ),
  mo_lines: columns(
    'line varchar(64) PRIMARY KEY',
    'last_read_at timestamptz NOT NULL',
    // When readings named the orders, by the database's clock, and which one of each was the last.
    "seen jsonb NOT NULL DEFAULT '{}'",
    "latest jsonb NOT NULL DEFAULT '{}'",
  ),
  // What each slot told last: the order, its weights (kg, above 0) and whether the slot was set free since.
  mo_slots: columns(
    'line varchar(64) NOT NULL',
    'source varchar(128) NOT NULL',
    'slot int NOT NULL',
    'mo_id varchar(64) NOT NULL',
    'figures jsonb NOT NULL',
    'counter numeric',
    'acknowledged bool',
    'released bool NOT NULL DEFAULT false',
    'at timestamptz NOT NULL DEFAULT clock_timestamp()',
  ),
  // Tellings that a person threw away, or said to belong to another order: they are not taken again.
  mo_discarded_readings: columns(
    'line varchar(64) NOT NULL',
    'source varchar(128) NOT NULL',
    'slot int NOT NULL',
    'mo_id varchar(64) NOT NULL',
    'figures jsonb NOT NULL',
    'at timestamptz NOT NULL DEFAULT clock_timestamp()',
    'decided_by text',
    'note text',
    'belongs_to varchar(64)',
  ),
  // Slots that are refused now, with what is wrong, and their bytes (hex).
  mo_rejected_slots: columns(
    'line varchar(64) NOT NULL',
    'source varchar(128) NOT NULL',
    'slot int NOT NULL',
    'mo_id varchar(64)',
    'problems jsonb NOT NULL',
    "raw text NOT NULL DEFAULT ''",
    'since timestamptz NOT NULL DEFAULT clock_timestamp()',
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
  // Alarms that are not over, or whose end was not sent yet. `watch` is who tells them, `subject` the row's id, or the line.
  mo_alarms: columns(
    'watch text NOT NULL',
    'kind varchar(32) NOT NULL',
    'subject text NOT NULL',
    'mo_id varchar(64)',
    "line varchar(64) NOT NULL DEFAULT ''",
    'slot int',
    'since timestamptz NOT NULL',
    'reason text',
    // When its beginning was sent; until when somebody is sending something of it; when it was over.
    'told_at timestamptz DEFAULT clock_timestamp()',
    'sending_until timestamptz',
    'ended_at timestamptz',
  ),
  // Who wants to close an order of an Odoo: the lowest ticket that has not run out has the turn.
  mo_closings: columns(
    'owner uuid PRIMARY KEY',
    'odoo text NOT NULL',
    'ticket int8 GENERATED ALWAYS AS IDENTITY',
    'until timestamptz NOT NULL',
  ),
  // Who writes to the order slots of a line now.
  mo_order_areas: columns('line varchar(64) PRIMARY KEY', 'owner uuid NOT NULL', 'until timestamptz NOT NULL'),
} as const;

export type TableName = keyof typeof TABLES;
export const TABLE_NAMES = Object.keys(TABLES) as TableName[];

/** Columns that move from the queue into the history as they are. */
export const SHARED_COLUMNS: readonly string[] = SHARED.map(({ name }) => name);

/** Columns an order brings when it is queued. */
export const ORDER_COLUMNS: readonly { name: string; type: string }[] = SHARED.filter(({ name }) =>
  /^(mo_id|odoo_id|odoo_name|consumption|equipment_id_batch|finished_goods|component_\w+_name|consumption_\w+|more_component_names|more_consumption)$/.test(
    name,
  ),
);

const OF_ORDERS = ['id', 'mo_id', 'batch_no', 'equipment_id_batch', 'consumption_silo_a'];
/** Without these a table of that name is something else; whatever else is missing, a migration adds. */
const IDENTIFYING: Record<TableName, readonly string[]> = {
  mo_batch: OF_ORDERS,
  mo_histories: OF_ORDERS,
  mo_held_readings: ['mo_id', 'line', 'reading', 'held_since'],
  mo_lines: ['line', 'last_read_at', 'seen'],
  mo_slots: ['line', 'source', 'slot', 'mo_id', 'figures'],
  mo_discarded_readings: ['line', 'source', 'slot', 'mo_id', 'figures'],
  mo_rejected_slots: ['line', 'source', 'slot', 'problems'],
  mo_events: ['id', 'at', 'mo_id', 'batch_id', 'line', 'kind', 'detail'],
  mo_alarms: ['watch', 'kind', 'subject', 'since'],
  mo_closings: ['owner', 'odoo', 'ticket', 'until'],
  mo_order_areas: ['line', 'owner', 'until'],
};

/** What a table has to look like where it exists already. */
export const EXPECTED = TABLE_NAMES.flatMap((table) =>
  TABLES[table].map(({ name, type }) => ({
    table,
    name,
    type,
    required: IDENTIFYING[table].includes(name),
  })),
);
