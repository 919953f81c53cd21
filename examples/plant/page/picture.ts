/** What the page "The plant" shows of one moment: gathered from the plant's own memories and from the queue's tables. */
import type pgPromise from 'pg-promise';
import { account, type Account } from '../account';
import { DATA_BLOCK, tagOf, type Plant } from '../plant';
import { readSlot, S7_BATCH_RECORD } from '../plc/batch-memory';
import type { Deed } from './mischief';
import type { Counts, DeedPicture, Picture, SlotPicture } from './told';

type Database = pgPromise.IDatabase<object>;

const hundredths = (kg: number): number => Math.round(Math.round(kg * 1000) / 10) / 100;

/** Adds up in hundredths of a kg, as Odoo keeps them. */
const sum = (weights: Iterable<number>): number => {
  let total = 0;
  for (const kg of weights) total += Math.round(hundredths(kg) * 100);
  return total / 100;
};

function slotPictures({ plc, mill }: Plant): SlotPicture[] {
  const memory = plc.memory(DATA_BLOCK);
  return mill.snapshot().slots.map(({ phase, targets }, index): SlotPicture => {
    const { mo_id, consumption } = readSlot(memory, S7_BATCH_RECORD, index + 1);
    const kg = sum(Object.values(consumption));
    const planned = sum(targets.map(([, target]) => target));
    const inUse = phase !== 'free';
    return { slot: index + 1, phase, number: mo_id, kg: inUse ? kg : 0, share: inUse && planned ? kg / planned : 0 };
  });
}

/** kg by tag that the PLC has weighed since the start: of completed batches, and of those that are being weighed. */
function weighedBySilo({ plc, mill }: Plant): Map<string, number> {
  const weighed = new Map<string, number>();
  const add = (consumption: Record<string, number>): void => {
    for (const [tag, kg] of Object.entries(consumption)) weighed.set(tag, sum([weighed.get(tag) ?? 0, kg]));
  };
  for (const { consumption } of mill.finals().values()) add(consumption);
  const memory = plc.memory(DATA_BLOCK);
  mill.snapshot().slots.forEach(({ phase }, index) => {
    if (phase === 'weighing' || phase === 'weighed') add(readSlot(memory, S7_BATCH_RECORD, index + 1).consumption);
  });
  return weighed;
}

function confirmedBySilo({ odoo }: Plant, apart: ReadonlySet<string>): Map<string, number> {
  const confirmed = new Map<string, number>();
  for (const { name, state } of odoo.orders())
    if (state !== 'cancel' && !apart.has(name))
      for (const [code, kg] of Object.entries(odoo.done(name)))
        confirmed.set(tagOf(code), sum([confirmed.get(tagOf(code)) ?? 0, kg]));
  return confirmed;
}

interface Stored {
  counts: Counts;
  /** kg in queue, history and readings that wait. */
  kg: number;
  /** Of the orders asked for, those in the history; those that a person has archived as cancelled or failed; those that wait for one. */
  arrived: string[];
  apart: string[];
  asks: string[];
}

const WEIGHTS = `SELECT coalesce(sum(round(value::numeric, 2)), 0) FROM`;
const OF_ROWS = (table: string): string =>
  `(${WEIGHTS} ${table} t, jsonb_each_text(to_jsonb(t)) WHERE key LIKE 'actual\\_consumption\\_%')`;

const STORED = `SELECT
  (SELECT count(*) FROM mo_batch WHERE revision = 0 AND set_aside_at IS NULL)::int AS queued,
  (SELECT count(*) FROM mo_batch WHERE revision > 0 AND NOT status_manufacturing AND set_aside_at IS NULL)::int AS running,
  (SELECT count(*) FROM mo_batch WHERE status_manufacturing AND set_aside_at IS NULL)::int AS completed,
  (SELECT count(*) FROM mo_batch WHERE set_aside_at IS NOT NULL)::int
    + (SELECT count(*) FROM mo_held_readings)::int AS needs_person,
  (SELECT count(*) FROM mo_histories WHERE status = 'completed')::int AS archived,
  (${OF_ROWS('mo_batch')} + ${OF_ROWS('mo_histories')}
    + (${WEIGHTS} mo_held_readings h, jsonb_each_text(h.reading->'consumption')))::float8 AS kg,
  ARRAY(SELECT mo_id FROM mo_histories WHERE mo_id = ANY ($1::text[]))::text[] AS arrived,
  ARRAY(SELECT mo_id FROM mo_histories WHERE status <> 'completed')::text[] AS apart,
  ARRAY(SELECT mo_id FROM mo_batch WHERE set_aside_at IS NOT NULL
    UNION SELECT mo_id FROM mo_held_readings)::text[] AS asks`;

async function stored(db: Database, orders: string[]): Promise<Stored> {
  const { kg, arrived, apart, asks, ...counts } = await db.one<Counts & Omit<Stored, 'counts'>>(STORED, [orders]);
  return { counts, kg, arrived, apart, asks };
}

function deedPicture(deed: Deed, { mill, odoo }: Plant, held: Stored | undefined): DeedPicture {
  const befallen = deed.orders() ?? [];
  const arrived = befallen.filter((order) => held?.arrived.includes(order));
  const typed = new Map(mill.mishaps().flatMap(({ mo_id, typed }) => (typed ? [[mo_id, typed] as const] : [])));
  const finals = mill.finals();
  const kgOf = (order: string): number[] =>
    Object.values(held?.apart.includes(order) ? (finals.get(order)?.consumption ?? {}) : odoo.done(order));
  return {
    id: deed.id,
    code: deed.code,
    at: deed.at,
    ...(deed.mended === undefined ? {} : { mended: deed.mended }),
    coming: deed.orders() === undefined,
    befallen: befallen.length,
    arrived: arrived.length,
    asks: befallen
      .filter((order) => !arrived.includes(order))
      .flatMap((order) => [order, typed.get(order) ?? order].filter((number) => held?.asks.includes(number)))
      .filter((number, index, all) => all.indexOf(number) === index),
    kg: sum(arrived.flatMap(kgOf)),
  };
}

const accountOf = ({ queued, pushed, archived, kg, differences }: Account): NonNullable<Picture['account']> => ({
  queued,
  pushed,
  archived,
  kg: kg.confirmed,
  differences: differences.length,
});

/** @param db the queue's database; undefined: it cannot be reached now. @throws Error when it is gone meanwhile */
export async function pictureOf(plant: Plant, db: Database | undefined, deeds: readonly Deed[]): Promise<Picture> {
  const befallen = deeds.flatMap((deed) => deed.orders() ?? []);
  const held = db && (await stored(db, befallen));
  const result = db && (await account(db, plant));
  const apart = new Set(held?.apart);
  const weighed = weighedBySilo(plant);
  const confirmed = confirmedBySilo(plant, apart);
  const states = plant.odoo.orders().map(({ state }) => state);
  const count = (...of: string[]): number => states.filter((state) => of.includes(state)).length;
  const finals = plant.mill.finals();
  return {
    slots: slotPictures(plant),
    silos: [...new Set([...weighed.keys(), ...confirmed.keys()])]
      .sort()
      .map((tag) => ({ tag, weighed: weighed.get(tag) ?? 0, confirmed: confirmed.get(tag) ?? 0 }))
      .filter((silo) => silo.weighed > 0 || silo.confirmed > 0),
    odoo: {
      open: count('confirmed'),
      progress: count('progress', 'to_close'),
      done: count('done'),
      cancelled: count('cancel'),
    },
    kg: {
      weighed: sum(weighed.values()),
      confirmed: sum(confirmed.values()),
      set_apart: sum([...apart].flatMap((order) => Object.values(finals.get(order)?.consumption ?? {}))),
      ...(held ? { stored: held.kg } : {}),
    },
    deeds: deeds.map((deed) => deedPicture(deed, plant, held)).reverse(),
    ...(held ? { database: held.counts } : {}),
    ...(result ? { account: accountOf(result) } : {}),
  };
}
