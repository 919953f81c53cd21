/**
 * Closes an order that was just read back as open and holding the whole set: what is not weighed is booked, it is marked
 * done, and what Odoo says of it afterwards is what counts.
 */
import { describeUnweighed, odooAsks, tooLittleWeighed, unweighed } from '../domain/closing';
import { type Concluded, concluded } from '../domain/conclusion';
import type { Production } from '../domain/order';
import { roundForOdoo, sameForOdoo } from '../domain/weight';
import { ASK_THE_STATE, type Delivered, type Goal, type OrderState, type Visit } from './visit';

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
 * @param finished kg of finished goods
 * @param anyway a person wants it closed, whatever was not weighed
 */
export async function close(
  visit: Visit,
  goal: Goal,
  finished: number,
  options: ClosingOptions,
  anyway: boolean,
): Promise<Delivered> {
  const { production, moves } = visit.state as OrderState & { production: Production };
  const undecided = whyNot(visit, goal, production, finished, options, anyway);
  if (undecided) return { ...visit.confirmed(goal), ...concluded('undecided', undecided) };
  // Without a quantity in an update before, mark-done is refused (exchanges 158, 160).
  if (!sameForOdoo(production.qty_producing, finished)) {
    const update = await visit.update(goal);
    if (update.conclusion !== 'confirmed') return visit.refused(goal, update);
  }
  const booked = await book(visit, production, moves, finished, options, anyway);
  if (booked.conclusion !== 'confirmed') return { ...visit.confirmed(goal), ...booked };
  return markDone(visit, goal, production, finished, options);
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
  visit: Visit,
  production: Production,
  components: OrderState['moves'],
  finished: number,
  { bookUnweighed }: ClosingOptions,
  anyway: boolean,
): Promise<Concluded> {
  const { client, silos, call } = visit;
  const ids = production.move_byproduct_ids ?? [];
  const byproducts = await client.movesOf(ids, call);
  const planned = unweighed(components, byproducts, silos, production, finished);
  if (planned.length === 0) return concluded('confirmed');
  const units = await client.units([...new Set(planned.map(({ move }) => move.uom_id))], call);
  const open = unweighed(components, byproducts, silos, production, finished, units);
  if (!bookUnweighed) {
    const what = `no silo weighs it and nobody has entered it: ${describeUnweighed(open)}`;
    const remedy = 'enter it in Odoo, switch booking on in the push node, or say "close all the same"';
    return anyway ? concluded('confirmed') : concluded('undecided', `${what}; ${remedy}`);
  }
  for (const { move, quantity } of open) {
    const named = `book ${move.product}`;
    const entered = await visit.enter(
      named,
      ({ id }) => id === move.id,
      () => client.enterDone(move.id, quantity, call),
    );
    if (entered.conclusion !== 'confirmed')
      return { ...entered, reason: `${move.product}, which no silo weighs: ${entered.reason}` };
  }
  const found = new Map(
    (
      await client.movesOf(
        open.map(({ move }) => move.id),
        call,
      )
    ).map(({ id, done }) => [id, done]),
  );
  const missing = open.filter(({ move, quantity }) => Math.abs((found.get(move.id) ?? 0) - quantity) > 1e-6);
  if (missing.length === 0) return concluded('confirmed');
  return concluded('not-done', `booked, but not found in Odoo: ${describeUnweighed(missing)}`);
}

/** Closes it, by force where the engineer lets it, and reads what came of it. */
async function markDone(
  visit: Visit,
  goal: Goal,
  production: Production,
  finished: number,
  options: ClosingOptions,
): Promise<Delivered> {
  const { client, order, call } = visit;
  const first = await visit.answered('mark-done', client.markDone(order.name, finished, call));
  let said = first;
  let after = await visit.read();
  let closed = visit.closed(goal, after);
  // Without a quantity Odoo refuses for certain (exchanges 158, 160).
  const quantity = (after.production?.qty_producing ?? 0) > 0;
  const asks = odooAsks(production, after.moves, finished);
  // A refusal in words that nobody knows is told by its kind where Odoo itself is asked.
  const tells = first.conclusion === 'confirmed' || (first.conclusion === 'unexplained' && quantity);
  if (!closed && tells && (!asks || mayForce(production, finished, options))) {
    said = await visit.answered('close despite difference', client.closeDespiteDifference(production.id, call));
    after = await visit.read();
    closed = visit.closed(goal, after);
  }
  if (closed) return closed;
  const told = (outcome: Concluded): Delivered => ({ ...visit.confirmed(goal), ...outcome });
  const still = `the order is still "${after.production?.state}" (policy "${production.consumption}")`;
  const forgotten =
    said !== first && ['confirmed', 'unexplained'].includes(said.conclusion) && first.conclusion === 'confirmed';
  if (said.conclusion === 'collided' || forgotten || isCollision(said)) {
    const words = said.reason || 'Odoo said done';
    return told(concluded('collided', `${words}, and ${still}: close it in Odoo, or retry when nobody closes others`));
  }
  if (said.conclusion === 'confirmed')
    return told(concluded('not-done', `Odoo said done, but ${still}: ${remedyFor(production, finished, options)}`));
  if (!ASK_THE_STATE.includes(said.conclusion)) return told(said);
  // Refused for what the order is: the words may be in any language, what counts is that it is still open. Words that nobody
  // knows may be trouble that passes.
  const conclusion = said.conclusion === 'unexplained' && quantity ? 'unexplained' : 'not-done';
  return told(
    concluded(conclusion, `Odoo said: ${said.reason}, but ${still}: mend it there, then retry, or close it in Odoo`),
  );
}

/** PostgreSQL's words for two transactions in each other's way; other trouble is not over soon. */
const isCollision = ({ conclusion, reason }: Concluded): boolean =>
  conclusion === 'busy' && /could not serialize|transaction is aborted|deadlock/i.test(reason);

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
