/**
 * The account of what was weighed: what the PLC's own memory finally showed, what was sent, and what Odoo's own stock
 * moves hold, per order and silo.
 */
import type pgPromise from 'pg-promise';
import { tagOf, type Plant } from './plant';

export interface Kilograms {
  read: number;
  sent: number;
  confirmed: number;
}

export interface Account {
  /** Orders ever queued, pushes that Odoo confirmed, orders in the history. */
  queued: number;
  pushed: number;
  archived: number;
  kg: Kilograms;
  bySilo: Record<string, Kilograms>;
  /** Orders and silos where the three are not equal; empty when all is well. */
  differences: { mo_id: string; silo: string; kg: Kilograms }[];
}

/** 0.01 kg, half-up, after the 3 decimals that a float32 is good for. */
const hundredths = (kg = 0): number => Math.round(Math.round(kg * 1000) / 10);

const none = (): Kilograms => ({ read: 0, sent: 0, confirmed: 0 });
const add = (sum: Kilograms, kg: Kilograms): void => {
  for (const key of ['read', 'sent', 'confirmed'] as const)
    sum[key] = (hundredths(sum[key]) + hundredths(kg[key])) / 100;
};

/** Adds up the archived orders. @param db the queue's database */
export async function account(db: pgPromise.IDatabase<object>, plant: Pick<Plant, 'mill' | 'odoo'>): Promise<Account> {
  const counts = await db.one<Pick<Account, 'queued' | 'pushed' | 'archived'>>(
    `SELECT (SELECT count(*) FROM mo_events WHERE kind = 'queued')::int AS queued,
       (SELECT count(*) FROM mo_events WHERE kind = 'push' AND detail->>'conclusion' = 'confirmed')::int AS pushed,
       (SELECT count(*) FROM mo_histories WHERE status = 'completed')::int AS archived`,
  );
  const archived = await db.any<{ mo_id: string; sent: Record<string, number> | null }>(
    `SELECT h.mo_id, (SELECT e.detail->'sent' FROM mo_events e WHERE e.mo_id = h.mo_id AND e.kind = 'push' ORDER BY e.id DESC LIMIT 1) AS sent
     FROM mo_histories h WHERE h.status = 'completed' ORDER BY h.archived_at, h.mo_id`,
  );
  const result: Account = { ...counts, kg: none(), bySilo: {}, differences: [] };
  const finals = plant.mill.finals();
  for (const { mo_id, sent } of archived) {
    const confirmed: Record<string, number> = {};
    for (const [code, kg] of Object.entries(plant.odoo.done(mo_id))) confirmed[tagOf(code)] = kg;
    const read = finals.get(mo_id)?.consumption ?? {};
    for (const silo of new Set([...Object.keys(read), ...Object.keys(sent ?? {}), ...Object.keys(confirmed)])) {
      const kg = {
        read: hundredths(read[silo]) / 100,
        sent: hundredths(sent?.[silo]) / 100,
        confirmed: hundredths(confirmed[silo]) / 100,
      };
      add((result.bySilo[silo] ??= none()), kg);
      add(result.kg, kg);
      if (kg.read !== kg.sent || kg.sent !== kg.confirmed) result.differences.push({ mo_id, silo, kg });
    }
  }
  return result;
}
