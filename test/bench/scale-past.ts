/** What a long history costs, and what a batch leaves in the database. */
import { SILO_TAGS } from '../../nodes/lib/domain/silos';
import { openDatabase } from '../../nodes/lib/store/connection';
import { DatabasePushLedger } from '../../nodes/lib/store/leases';
import { Reports } from '../../nodes/lib/store/reports';
import { median, timed } from './measure';
import { type OwnQueue, ownQueue, readings } from './queue';
import { confirmed, names, silos } from './scale-queue';
import { type Figures, type Goal, growing, list, type Setting } from './setting';

/** Archived orders, each with so many events, over so many days; and a small history beside it. */
const HISTORY = { long: 1_000_000, short: 1_000, events: 10, days: 1_000 };
/** A batch is read so often before its final reading: half an hour in its slot, every five minutes. */
const ARCHIVED = { batches: 200, readings: 6 };

const LOOKS: Record<string, string> = {
  trail: 'the trail of one order',
  activity: 'what the last 24 hours brought',
  reconciliation: 'what was archived in 24 hours',
  prune: 'a day of old events deleted',
};

export const PAST_GOALS: Record<string, Goal> = {
  ...Object.fromEntries(
    Object.entries(LOOKS).map(([name, says]) => [
      `history1m_${name}_ms`,
      { says: `${says}, 1,000,000 archived orders and 10,000,000 events (ms)` },
    ]),
  ),
  archived_batch_bytes: { says: 'what an archived batch leaves in the database, read seven times (bytes)' },
  year_of_200_a_day_mb: { says: 'the same for a year of a line of 200 batches a day (MB)' },
};

/** Completed orders and their events, spread evenly over days until now. */
async function fillPast({ address }: OwnQueue, orders: number): Promise<void> {
  // Ten million rows in one statement take longer than any of the package may.
  const db = openDatabase({ ...address, timeoutMs: 3_600_000 });
  const weights = SILO_TAGS.flatMap((tag) => [`consumption_${tag}`, `actual_consumption_${tag}`]);
  const age = `now() - make_interval(secs => (n - 0.5) * 86400.0 * ${HISTORY.days} / ${orders})`;
  await db.none(
    `INSERT INTO mo_histories (mo_id, batch_no, consumption, equipment_id_batch, status, status_manufacturing, archived_at, ${weights.join(', ')})
     SELECT 'OLD/MO/' || n, n, 2500, 'PLC01', 'completed', true, ${age}, ${weights.map((_, i) => `n % 1000 + ${i}`).join(', ')}
     FROM generate_series(1, $<orders>) n`,
    { orders },
  );
  // Indexes are made when the rows are there: ten times as fast.
  const indexes = await db.any<{ indexname: string; indexdef: string }>(
    `SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'mo_events' AND indexname NOT LIKE '%pkey'`,
  );
  for (const { indexname } of indexes) await db.none('DROP INDEX $1:name', indexname);
  const values = SILO_TAGS.map((tag, i) => `'actual_consumption_${tag}', n % 1000 + ${i}`).join(', ');
  await db.none(
    `INSERT INTO mo_events (at, mo_id, line, kind, detail)
     SELECT ${age}, 'OLD/MO/' || n, 'PLC01', CASE e % 2 WHEN 0 THEN 'changed' ELSE 'push' END,
       jsonb_build_object('source', 'plc', 'revision', e / 2, 'conclusion', 'confirmed', 'values', jsonb_build_object(${values}))
     FROM generate_series(1, $<orders>) n, generate_series(1, ${HISTORY.events}) e`,
    { orders },
  );
  for (const { indexdef } of indexes) await db.none(indexdef);
  await db.none('VACUUM ANALYZE');
  await db.$pool.end();
}

/** A history of a million orders and ten million events against a short one. */
export async function longHistory({ say }: Setting): Promise<Figures> {
  const [short, long] = [await ownQueue([]), await ownQueue([])];
  say(`writing ${HISTORY.long} archived orders with ${HISTORY.long * HISTORY.events} events`);
  try {
    await fillPast(short, HISTORY.short);
    const wrote = await timed(() => fillPast(long, HISTORY.long));
    say(`written in ${Math.round(wrote / 1000)} s`);
    const figures: Figures = {};
    const ops: Record<string, (queue: OwnQueue, round: number) => Promise<unknown>> = {
      trail: ({ store }, round) => store.trail(`OLD/MO/${round * 7 + 1}`),
      activity: ({ db }) => new Reports(db).activity(),
      reconciliation: ({ db }) => new Reports(db).archived({ from: null, to: null }),
      // One day's events are old enough each time.
      prune: ({ store }, round) => store.pruneEvents(HISTORY.days - 1 - round),
    };
    for (const [name, op] of Object.entries(ops)) {
      const [few, many]: [number[], number[]] = [[], []];
      for (let round = 0; round < 7; round += 1) {
        few.push(await timed(() => op(short, round)));
        many.push(await timed(() => op(long, round)));
      }
      say(`${name}: short history ${list(few)} ms, long ${list(many)} ms`);
      figures[`history1m_${name}_ms`] = median(many);
    }
    return figures;
  } finally {
    for (const queue of [short, long]) await queue.drop();
  }
}

/** What an archived batch leaves in the database, with its events and indexes. */
export async function archivedBytes({ say }: Setting): Promise<Figures> {
  const orders = names('WH/MO', ARCHIVED.batches);
  const queue = await ownQueue(orders);
  const { db, store } = queue;
  const ledger = new DatabasePushLedger(db);
  const kept = `SELECT sum(pg_total_relation_size(t))::float8 AS bytes FROM unnest('{mo_histories,mo_events}'::regclass[]) t`;
  const bytes = async (): Promise<number> => {
    for (const table of ['mo_histories', 'mo_events']) await db.none('VACUUM FULL $1:name', table);
    return (await db.one<{ bytes: number }>(kept)).bytes;
  };
  const before = await bytes();
  const kg = growing();
  for (let round = 0; round <= ARCHIVED.readings; round += 1) {
    const weight = kg();
    const final = { status_manufacturing: round === ARCHIVED.readings };
    await store.record(
      readings(orders, weight).map((reading) => ({ ...reading, ...final })),
      'PLC01',
    );
    for (const { id } of await store.due(ARCHIVED.batches, 'PLC01')) {
      const taken = await ledger.lease({ id }, 'push', 60_000);
      if ('refused' in taken) throw new Error(`a row was not leased: ${taken.refused}`);
      const done = {
        state: 'done',
        finished: weight * 10,
        consumption: silos(weight),
        read_at: new Date().toISOString(),
      };
      await ledger.settle(taken.batch, taken.owner, {
        ...confirmed(weight),
        ...(final.status_manufacturing ? { done } : {}),
      });
    }
  }
  const { archived } = await store.archive(null, { status: 'completed' });
  const each = ((await bytes()) - before) / archived.length;
  say(`${archived.length} batches archived, each read ${ARCHIVED.readings + 1} times: ${Math.round(each)} bytes each`);
  await queue.drop();
  return { archived_batch_bytes: each, year_of_200_a_day_mb: (each * 200 * 365) / 1e6 };
}
