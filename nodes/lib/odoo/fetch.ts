/**
 * Fetches orders for the queue, and asks for the state of queued ones.
 */
import { actualWeights, type DoneReadback } from '../domain/batch';
import { doneDifferently, otherFigures, wholeSet } from '../domain/consumption';
import {
  consumedBySilo,
  identify,
  nameInOdoo,
  type Order,
  type Production,
  remaindersOf,
  toOrder,
  type Unit,
} from '../domain/order';
import type { ComparedRow } from '../domain/reconciliation';
import type { SiloMap } from '../domain/silos';
import type { OdooClient } from './client';
import { CHUNK, movesWithCodes } from './moves';
import type { OrderDetail } from './records';
import type { CallOptions } from './session';

export type FetchedOrder = Order & { schedule_start: string; notes: string[] };

export interface Fetched {
  orders: FetchedOrder[];
  /** Orders that cannot be queued, and why. */
  refused: { mo_id: string; reason: string }[];
}

/** States in which a named order may still be weighed. */
const WEIGHABLE = ['confirmed', 'progress', 'to_close'];

/** An order with its id: the addon's details tell none. */
interface Found {
  detail: OrderDetail;
  production: Production;
}

/**
 * Every confirmed order of a line, by schedule then name, with the true plan per silo; or those that are named, begun or
 * not. @param line equipment code; '': all lines. @throws OdooError, and Error when none of the named can be weighed
 */
export async function fetchOrders(
  client: OdooClient,
  silos: SiloMap,
  { line = '', moIds = [] }: { line?: string; moIds?: readonly string[] },
  signal?: AbortSignal,
): Promise<Fetched> {
  const options = { ...(signal ? { signal } : {}) };
  const fetched: Fetched = { orders: [], refused: [] };
  const found =
    moIds.length > 0
      ? await namedOrders(client, moIds, fetched, options)
      : await confirmedOrders(client, line, fetched, options);
  found.sort(
    ({ detail: a }, { detail: b }) =>
      compare(a.schedule_start || '', b.schedule_start || '') || compare(a.mo_id, b.mo_id),
  );
  const units = new Map<number, Unit>();
  for (let first = 0; first < found.length; first += CHUNK) {
    const chunk = found.slice(first, first + CHUNK);
    const productions = chunk.map(({ production }) => production);
    const moves = await client.moves(
      productions.map(({ id }) => id),
      chunk.map(({ detail }) => detail),
      options,
    );
    const byproducts = await client.movesOf(productions.flatMap(byproductIds), options);
    const weighed = [...moves.values()].flat().filter(({ code }) => silos.byCode(code));
    const wanted = new Set([...productions.map(unitOf), ...weighed.map(({ uom_id }) => uom_id)]);
    const unread = [...wanted].filter((id) => id > 0 && !units.has(id));
    for (const [id, unit] of await client.units(unread, options)) units.set(id, unit);
    for (const { detail, production } of chunk) {
      const made = byproductIds(production);
      const { order, refused } = toOrder(detail, moves.get(production.id) ?? [], silos, {
        ...{ unit: unitOf(production), units },
        byproducts: byproducts.filter(({ id }) => made.includes(id)),
      });
      if (order) fetched.orders.push({ ...order, odoo_id: production.id });
      else fetched.refused.push({ mo_id: detail.mo_id, reason: refused });
    }
  }
  return fetched;
}

const byproductIds = ({ move_byproduct_ids = [] }: Production): number[] => move_byproduct_ids;
const unitOf = ({ product_uom_id }: Production): number => (product_uom_id ? product_uom_id[0] : 0);

/** Orders by their name; those that share it with another are refused. */
async function byName(
  client: OdooClient,
  names: readonly string[],
  { refused }: Fetched,
  options: CallOptions,
): Promise<Map<string, Production>> {
  const productions = await client.productions({ names }, options);
  const only = new Map<string, Production>();
  for (const mo_id of names) {
    const { production, reason } = identify({ mo_id }, productions);
    if (production) only.set(mo_id, production);
    else if (reason) refused.push({ mo_id, reason });
  }
  return only;
}

async function confirmedOrders(
  client: OdooClient,
  line: string,
  fetched: Fetched,
  options: CallOptions,
): Promise<Found[]> {
  const details = (await client.confirmedOrders(options)).filter(
    ({ equipment }) => !line || (equipment && equipment.code === line),
  );
  if (details.length === 0) return [];
  const productions = await byName(client, [...new Set(details.map(({ mo_id }) => mo_id))], fetched, options);
  return details.flatMap((detail) => {
    const production = productions.get(detail.mo_id);
    // One that is gone since the list was made is no order any more.
    return production ? [{ detail, production }] : [];
  });
}

async function namedOrders(
  client: OdooClient,
  moIds: readonly string[],
  fetched: Fetched,
  options: CallOptions,
): Promise<Found[]> {
  const { refused } = fetched;
  const names = [...new Set(moIds)];
  const productions = await byName(client, names, fetched, options);
  const found: Found[] = [];
  for (const mo_id of names) {
    const production = productions.get(mo_id);
    if (production && !WEIGHABLE.includes(production.state)) {
      const reason = `order ${mo_id} is "${production.state}" in Odoo: only ${WEIGHABLE.join(', ')} orders can be queued`;
      refused.push({ mo_id, reason });
    } else if (production) {
      const detail = await client.order(production.id, options);
      if (detail?.mo_id === mo_id) found.push({ detail, production });
      else refused.push({ mo_id, reason: `order ${mo_id} has just got another name in Odoo: fetch it again` });
    } else if (!refused.some((other) => other.mo_id === mo_id)) {
      refused.push({ mo_id, reason: `Odoo does not know order ${mo_id}: check its spelling` });
    }
  }
  if (found.length === 0) throw new Error(refused.map(({ reason }) => reason).join('; '));
  return found;
}

export interface CheckedOrder {
  mo_id: string;
  /** State in Odoo; 'unknown' when Odoo does not know the order, 'ambiguous' when several have its name. */
  state: Production['state'] | 'unknown' | 'ambiguous';
  /** Its id in Odoo, and its name there by now. */
  odoo_id?: number;
  odoo_name?: string;
  /** No longer to be weighed: why. */
  reason?: string;
  /** It is done in Odoo with the figures of the row. */
  done?: DoneReadback;
}

type ClosedOrder = CheckedOrder & { reason: string };

/** The state of given rows' orders in Odoo: one call, and for those done after they were weighed their moves. @throws OdooError */
export async function checkOrders(
  client: OdooClient,
  silos: SiloMap,
  rows: readonly ComparedRow[],
  signal?: AbortSignal,
): Promise<{ open: CheckedOrder[]; closed: ClosedOrder[] }> {
  const options = signal ? { signal } : {};
  const ids = rows.flatMap(({ odoo_id }) => odoo_id ?? []);
  const found = rows.length > 0 ? await client.productions({ ids, names: rows.map(nameInOdoo) }, options) : [];
  const open: CheckedOrder[] = [];
  const closed: ClosedOrder[] = [];
  const weighed: { row: ComparedRow; production: Production; checked: CheckedOrder }[] = [];
  for (const row of rows) {
    const { production, reason } = identify(row, found);
    const state = production?.state ?? 'unknown';
    const checked: CheckedOrder = {
      ...{ mo_id: row.mo_id, state },
      ...(production ? { odoo_id: production.id, odoo_name: production.name } : {}),
    };
    if (reason) closed.push({ ...checked, state: 'ambiguous', reason });
    else if (WEIGHABLE.includes(state)) open.push(checked);
    else if (production?.state === 'done' && isWeighed(row)) weighed.push({ row, production, checked });
    else {
      const since = isWeighed(row) ? 'it was weighed and not closed here' : 'and was never weighed';
      closed.push({ ...checked, reason: `order is "${state}" in Odoo, ${since}` });
    }
  }
  if (weighed.length > 0) closed.push(...(await checkFigures(client, silos, weighed, options)));
  return { open, closed };
}

const isWeighed = (row: ComparedRow): boolean => Object.keys(actualWeights(row)).length > 0;

/** Orders that a person has closed in Odoo, against what was weighed here. */
async function checkFigures(
  client: OdooClient,
  silos: SiloMap,
  weighed: readonly { row: ComparedRow; production: Production; checked: CheckedOrder }[],
  options: CallOptions,
): Promise<ClosedOrder[]> {
  const ids = weighed.map(({ production }) => production.id);
  const names = weighed.flatMap(({ row, production }) => remaindersOf(row, production));
  const moves = await movesWithCodes(client, ids, [], options);
  const remainders = await client.productions({ names }, options);
  return weighed.map(({ row, production, checked }) => {
    const consumption = consumedBySilo(moves.get(production.id) ?? [], silos);
    const finished = row.actual_weight_quantity_finished_goods || undefined;
    const told = otherFigures({ weights: wholeSet(row), finished }, { production, consumption }, silos);
    if (told.length > 0) return { ...checked, reason: doneDifferently(row, production, told, remainders) };
    const { state, qty_produced } = production;
    const done = { state, finished: qty_produced, consumption, read_at: new Date().toISOString() };
    return { ...checked, done, reason: `order ${row.mo_id} was closed in Odoo, with the figures weighed here` };
  });
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
