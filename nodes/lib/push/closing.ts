/**
 * Closes an order that was just read back as open and holding the whole set: what is not weighed is booked, it is marked
 * done, and what Odoo says of it afterwards is what counts.
 */
import { describeUnweighed, odooAsks, tooLittleWeighed, unweighed } from '../domain/closing';
import { type Concluded, concluded } from '../domain/conclusion';
import type { Production } from '../domain/order';
import { roundForOdoo, sameForOdoo } from '../domain/weight';
import type { Delivered } from './outcome';
import { ASK_THE_STATE, type Goal, type OpenOrder, type Visit } from './visit';

export interface ClosingOptions {
  /** Close an order that differs from its bill of materials under policy "warning" / "strict". */
  closeWarning: boolean;
  closeStrict: boolean;
  /** Close without a backorder from this share of the planned quantity on (%); null: never, Odoo is asked and decides. */
  minFinishedShare: number | null;
  /** Set a batch aside of whose silos' plan less than this share was weighed (%). */
  minWeighedShare: number;
  /** Enter what no silo weighs and nobody entered, as Odoo itself would; else the batch is set aside. */
  bookUnweighed: boolean;
}

/**
 * @param order as it was just read back
 * @param finished kg of finished goods
 * @param anyway a person wants it closed, whatever was not weighed
 */
export async function close(
  visit: Visit,
  order: OpenOrder,
  goal: Goal,
  finished: number,
  options: ClosingOptions,
  anyway: boolean,
): Promise<Delivered> {
  const undecided = whyNot(visit, goal, order.production, finished, options, anyway);
  if (undecided) return { ...visit.confirmed(goal), ...concluded('undecided', undecided) };
  // No Odoo closes an order with its finished goods before they are entered.
  if (!sameForOdoo(order.production.qty_producing, finished)) {
    const taken = await visit.deliver(goal);
    if (taken.conclusion !== 'confirmed') return visit.refused(goal, taken);
  }
  const booked = await book(visit, order, finished, options, anyway);
  if (booked.conclusion !== 'confirmed') return { ...visit.confirmed(goal), ...booked };
  return markDone(visit, goal, order.production, finished, options);
}

/** Why a person has to decide first; '' when nothing stands in the way. */
function whyNot(
  { silos }: Visit,
  { consignment, planned }: Goal,
  { product_qty }: Production,
  finished: number,
  { minFinishedShare, minWeighedShare }: ClosingOptions,
  anyway: boolean,
): string {
  const empty = anyway ? '' : tooLittleWeighed(finished, consignment.weights, planned, silos, minWeighedShare);
  if (empty) return empty;
  const share = (100 * finished) / product_qty;
  if (minFinishedShare === null || share >= minFinishedShare) return '';
  return `${finished} kg finished of ${product_qty} kg planned (${share.toFixed(1)} %): close it or make a backorder in Odoo`;
}

/**
 * Enters what no silo weighs: a forced close, and one under policy "flexible", would drop it with 0. What a person entered
 * stays. It is read back.
 */
async function book(
  { odoo, silos }: Visit,
  { production, moves }: OpenOrder,
  finished: number,
  { bookUnweighed }: ClosingOptions,
  anyway: boolean,
): Promise<Concluded> {
  const byproducts = await odoo.byproducts();
  const planned = unweighed(moves, byproducts, silos, production, finished);
  if (planned.length === 0) return concluded('confirmed');
  const units = await odoo.units([...new Set(planned.map(({ move }) => move.uom_id))]);
  const open = unweighed(moves, byproducts, silos, production, finished, units);
  if (open.length === 0) return concluded('confirmed');
  if (bookUnweighed) return odoo.book(open);
  if (anyway) return concluded('confirmed');
  const what = `no silo weighs it and nobody has entered it: ${describeUnweighed(open)}`;
  const remedy = 'enter it in Odoo, switch booking on in the push node, or say "close all the same"';
  return concluded('undecided', `${what}; ${remedy}`);
}

/** Closes it, by force where the engineer lets it; what Odoo shows afterwards counts. */
async function markDone(
  visit: Visit,
  goal: Goal,
  production: Production,
  finished: number,
  options: ClosingOptions,
): Promise<Delivered> {
  const { said, collided, held } = await visit.odoo.close(
    finished,
    ({ moves }) => !odooAsks(production, moves, finished) || mayForce(production, finished, options),
  );
  const closed = visit.judge(goal, held);
  if (closed) return closed;
  const told = (outcome: Concluded): Delivered => ({ ...visit.confirmed(goal), ...outcome });
  const still = `the order is still "${held.production?.state}" (policy "${production.consumption}")`;
  if (collided) {
    const words = said.reason || 'Odoo said done';
    return told(concluded('collided', `${words}, and ${still}: close it in Odoo, or retry when nobody closes others`));
  }
  if (said.conclusion === 'confirmed')
    return told(concluded('not-done', `Odoo said done, but ${still}: ${remedyFor(production, finished, options)}`));
  if (!ASK_THE_STATE.includes(said.conclusion)) return told(said);
  // Refused for what the order is: the words may be in any language, what counts is that it is still open. Words that nobody
  // knows may be trouble that passes, unless its finished goods are missing.
  const passing = said.conclusion === 'unexplained' && (held.production?.qty_producing ?? 0) > 0;
  const reason = `Odoo said: ${said.reason}, but ${still}: mend it there, then retry, or close it in Odoo`;
  return told(concluded(passing ? 'unexplained' : 'not-done', reason));
}

const isShort = ({ product_qty }: Production, finished: number): boolean =>
  roundForOdoo(finished) < roundForOdoo(product_qty);

/** Whether the engineer lets an order be closed although Odoo would ask: its policy, and less finished than planned. */
function mayForce(production: Production, finished: number, options: ClosingOptions): boolean {
  const short = isShort(production, finished);
  if (short && options.minFinishedShare === null) return false;
  const { consumption } = production;
  if (consumption === 'strict') return options.closeStrict;
  return consumption === 'warning' ? options.closeWarning : short;
}

/** What lets an order be closed that Odoo asks a person about, and that may not be forced. */
function remedyFor(production: Production, finished: number, options: ClosingOptions): string {
  const short = isShort(production, finished);
  if (short && options.minFinishedShare === null)
    return `${finished} kg finished of ${production.product_qty} kg planned; close it or make a backorder in Odoo`;
  return 'its weights differ from its bill of materials; close it in Odoo, or switch closing on for this policy in the push node';
}
