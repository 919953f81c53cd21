/**
 * Fetches orders for the queue, and asks for the state of queued ones.
 */
import { actualWeights, type DoneReadback } from '../domain/batch';
import { doneDifferently, otherFigures, wholeSet } from '../domain/consumption';
import {
  ambiguous,
  consumedBySilo,
  identify,
  nameInOdoo,
  type Order,
  type Production,
  remaindersOf,
} from '../domain/order';
import { changedPlans, type Fetched, type FetchedOrder, plansOf } from './plans';
import type { ComparedRow } from '../domain/reconciliation';
import type { SiloMap } from '../domain/silos';
import type { Calling, FoundOrder, LineFilter, OdooOrders } from '../domain/odoo-orders';

/** States in which a named order may still be weighed. */
const WEIGHABLE = ['confirmed', 'progress', 'to_close'];

/**
 * Every order of a line that may be weighed, by schedule then name, with the true plan per silo; or those that are named,
 * begun or not. @throws OdooError, and Error when none of the named can be weighed
 */
export async function fetchOrders(
  odoo: OdooOrders,
  silos: SiloMap,
  { moIds = [], ...filter }: Partial<LineFilter> & { moIds?: readonly string[] },
  signal?: AbortSignal,
): Promise<Fetched> {
  const call = signal ? { signal } : {};
  const fetched: Fetched = { orders: [], refused: [] };
  const found =
    moIds.length > 0
      ? await namedOrders(odoo, moIds, fetched, call)
      : unambiguous(await odoo.orders({ line: '', ...filter }, call), fetched);
  found.sort(
    ({ listed: a }, { listed: b }) =>
      compare(a.schedule_start || '', b.schedule_start || '') || compare(a.mo_id, b.mo_id),
  );
  const { orders, refused } = await plansOf(odoo, silos, found, call);
  return { orders, refused: [...fetched.refused, ...refused] };
}

/** Without orders that share their name: readings tell no id. */
function unambiguous(found: readonly FoundOrder[], { refused }: Fetched): FoundOrder[] {
  const namesakes = new Map<string, Set<number>>();
  for (const { listed, production } of found) {
    namesakes.set(listed.mo_id, (namesakes.get(listed.mo_id) ?? new Set()).add(production.id));
  }
  for (const [mo_id, ids] of namesakes) if (ids.size > 1) refused.push({ mo_id, reason: ambiguous(mo_id, ids.size) });
  return found.filter(({ listed }) => namesakes.get(listed.mo_id)?.size === 1);
}

async function namedOrders(
  odoo: OdooOrders,
  moIds: readonly string[],
  fetched: Fetched,
  call: Calling,
): Promise<FoundOrder[]> {
  const { refused } = fetched;
  const names = [...new Set(moIds)];
  const states = await odoo.states({ names }, call);
  const weighable: Production[] = [];
  for (const mo_id of names) {
    const { production, reason = `Odoo does not know order ${mo_id}: check its spelling` } = identify(
      { mo_id },
      states,
    );
    if (!production) refused.push({ mo_id, reason });
    else if (WEIGHABLE.includes(production.state)) weighable.push(production);
    else {
      const reason = `order ${mo_id} is "${production.state}" in Odoo: only ${WEIGHABLE.join(', ')} orders can be queued`;
      refused.push({ mo_id, reason });
    }
  }
  const told = weighable.length > 0 ? await odoo.orders({ productions: weighable }, call) : [];
  const found: FoundOrder[] = [];
  for (const { id, name: mo_id } of weighable) {
    const one = told.find(({ production }) => production.id === id);
    if (one?.listed.mo_id === mo_id) found.push(one);
    else refused.push({ mo_id, reason: `order ${mo_id} has just got another name in Odoo: fetch it again` });
  }
  if (found.length === 0) throw new Error(refused.map(({ reason }) => reason).join('; '));
  return found;
}

export type { Fetched, FetchedOrder };

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
  /** It is open, nothing was weighed for it, and Odoo plans by now what the row does not say. */
  plan?: Order;
}

type ClosedOrder = CheckedOrder & { reason: string };

/**
 * The state of given rows' orders in Odoo: one call, and for those done after they were weighed their moves.
 * @param plans whether the plans of those that nothing was weighed for are compared too: three calls more for all
 * @throws OdooError
 */
export async function checkOrders(
  odoo: OdooOrders,
  silos: SiloMap,
  rows: readonly ComparedRow[],
  signal?: AbortSignal,
  plans = false,
): Promise<{ open: CheckedOrder[]; closed: ClosedOrder[] }> {
  const options = signal ? { signal } : {};
  const ids = rows.flatMap(({ odoo_id }) => odoo_id ?? []);
  const found = rows.length > 0 ? await odoo.states({ ids, names: rows.map(nameInOdoo) }, options) : [];
  const open: CheckedOrder[] = [];
  const closed: ClosedOrder[] = [];
  const plannable: { row: ComparedRow; production: Production }[] = [];
  const weighed: { row: ComparedRow; production: Production; checked: CheckedOrder }[] = [];
  for (const row of rows) {
    const { production, reason } = identify(row, found);
    const state = production?.state ?? 'unknown';
    const checked: CheckedOrder = {
      ...{ mo_id: row.mo_id, state },
      ...(production ? { odoo_id: production.id, odoo_name: production.name } : {}),
    };
    if (reason) closed.push({ ...checked, state: 'ambiguous', reason });
    else if (production && WEIGHABLE.includes(state)) {
      open.push(checked);
      plannable.push({ row, production });
    } else if (production?.state === 'done' && isWeighed(row)) weighed.push({ row, production, checked });
    else {
      const since = isWeighed(row) ? 'it was weighed and not closed here' : 'and was never weighed';
      closed.push({ ...checked, reason: `order is "${state}" in Odoo, ${since}` });
    }
  }
  if (weighed.length > 0) closed.push(...(await checkFigures(odoo, silos, weighed, options)));
  const changed = await changedPlans(odoo, silos, plans ? plannable : [], options);
  const refused = new Map(changed.refused.map(({ mo_id, reason }) => [mo_id, reason]));
  for (const order of changed.orders) for (const each of open) if (each.mo_id === order.mo_id) each.plan = order;
  const unplanned = open.flatMap((each) => {
    const reason = refused.get(each.mo_id);
    return reason === undefined ? [] : [{ ...each, reason }];
  });
  return { open: open.filter(({ mo_id }) => !refused.has(mo_id)), closed: [...closed, ...unplanned] };
}

const isWeighed = (row: ComparedRow): boolean => Object.keys(actualWeights(row)).length > 0;

/** Orders that a person has closed in Odoo, against what was weighed here. */
async function checkFigures(
  odoo: OdooOrders,
  silos: SiloMap,
  weighed: readonly { row: ComparedRow; production: Production; checked: CheckedOrder }[],
  options: Calling,
): Promise<ClosedOrder[]> {
  const ids = weighed.map(({ production }) => production.id);
  const names = weighed.flatMap(({ row, production }) => remaindersOf(row, production));
  const moves = await odoo.moves(ids, options);
  const remainders = await odoo.states({ names }, options);
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
