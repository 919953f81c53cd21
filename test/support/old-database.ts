/** The tables of the system that this one replaces, from its column list: 72 columns each, no index, nearly all nullable. */
import type { Database } from '../../nodes/lib/store/connection';

const SILOS = [
  ...[...'abcdefghijklm'].map((letter) => ({ tag: `silo_${letter}`, number: `silo_${letter}` })),
  { tag: 'lq_tetes', number: 'lq114' },
  { tag: 'lq_fml', number: 'lq115' },
];

const SHARED = [
  'id uuid',
  'batch_no int',
  'mo_id varchar(64)',
  'consumption numeric(18,3)',
  'equipment_id_batch varchar(64) not null',
  'finished_goods varchar(128)',
  ...SILOS.flatMap(({ tag, number }) => [
    `${number} int`,
    `component_${tag}_name varchar(64)`,
    `consumption_${tag} float8`,
    `actual_consumption_${tag} float8`,
  ]),
  'status_manufacturing bool',
  'status_operation bool',
  'actual_weight_quantity_finished_goods numeric(18,3)',
  'last_read_from_plc timestamptz',
];

export const OLD_COLUMNS = {
  mo_batch: [...SHARED, 'update_odoo bool', 'odoo_cancelled bool'],
  mo_histories: [...SHARED, 'status varchar(20)', 'notes text'],
};

export const oldNames = (table: keyof typeof OLD_COLUMNS): string[] =>
  OLD_COLUMNS[table].map((column) => column.split(' ')[0] as string);

const plans = SILOS.flatMap(({ tag, number }, index) => [
  `${101 + index} AS ${number}`,
  `'Component ${index}' AS component_${tag}_name`,
  `n + ${index}.5 AS consumption_${tag}`,
]).join(', ');
const weights = SILOS.map(
  ({ tag }, index) => `CASE WHEN read THEN n + ${index}.3 END AS actual_consumption_${tag}`,
).join(', ');

/**
 * Makes the tables: 5,000 orders in the history (1…5000) and 500 rows in the queue: 497 orders (5001…5497), of which the
 * first three stand twice; every second row was read, every fourth is completed; the old flag claims that all is confirmed.
 */
export async function createOldDatabase(db: Database): Promise<void> {
  for (const table of ['mo_batch', 'mo_histories'] as const) {
    await db.none(`CREATE TABLE ${table} (${OLD_COLUMNS[table].join(', ')})`);
  }
  const rows = (source: string): string => `
    SELECT gen_random_uuid() AS id, n AS batch_no, 'WH/MO/' || lpad(n::text, 5, '0') AS mo_id, 2500.125 AS consumption,
      'PLC0' || (1 + n % 2) AS equipment_id_batch, 'JF PLUS 25' AS finished_goods, ${plans}, ${weights},
      completed AS status_manufacturing, read AS status_operation, CASE WHEN completed THEN 2499.5 END AS actual_weight_quantity_finished_goods,
      CASE WHEN read THEN timestamptz '2026-01-01 00:00Z' + make_interval(mins => n) END AS last_read_from_plc
    FROM (${source}) s`;
  const insert = (table: keyof typeof OLD_COLUMNS, source: string, more: string): Promise<null> =>
    db.none(
      `INSERT INTO ${table} (${oldNames(table).join(', ')}) SELECT ${oldNames(table).join(', ')} FROM (SELECT r.*, ${more} FROM (${rows(source)}) r) o`,
    );
  await insert(
    'mo_histories',
    'SELECT n, true AS read, true AS completed FROM generate_series(1, 5000) n',
    `'completed'::varchar AS status, NULL::text AS notes`,
  );
  await insert(
    'mo_batch',
    `SELECT n, n % 2 = 0 AS read, n % 4 = 0 AS completed FROM generate_series(5001, 5497) n
     UNION ALL SELECT n, true, false FROM generate_series(5001, 5003) n`,
    'true AS update_odoo, NULL::bool AS odoo_cancelled',
  );
}
