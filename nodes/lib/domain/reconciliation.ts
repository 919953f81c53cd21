/**
 * Reconciliation: what the queue or the history holds of an order against what Odoo holds of it.
 */
import type { Batch } from './batch';
import { describe, differences, wholeSet } from './consumption';
import { consumedBySilo, type OrderMove, type Production } from './order';
import { actualWeights, componentNames, type SiloMap, type SiloTag, type SiloWeights } from './silos';
import { roundForOdoo, sameForOdoo, sumForOdoo } from './weight';

/** A row of the queue or of the history, as far as it is compared. */
export type ComparedRow = Pick<Batch, 'mo_id'> &
  Partial<Batch> & {
    /** Only of a row of the history: completed, cancelled or failed. */
    status?: string | null;
    /** A later row of the same order is in the queue or the history: that one counts. */
    superseded?: boolean;
    /** Another row of the same order is the live one. */
    duplicate?: boolean;
  };

/** Something that is not the same here and in Odoo. */
export interface Discrepancy {
  mo_id: string;
  batch_no: number | null;
  /** Of one silo; of the finished goods; or of the order as a whole: not done, cancelled or unknown in Odoo. */
  finding: 'silo' | 'finished' | 'not-done' | 'cancelled' | 'unknown-order';
  /** null: the finding is not about one silo. */
  silo: SiloTag | null;
  /** The label that people gave it, if they did. */
  label?: string;
  component: string | null;
  /** kg here; null: nothing was read. */
  read: number | null;
  /** kg in Odoo; null: not known. */
  odoo: number | null;
  /** kg that Odoo has too much, below 0: too little; null where one of both is not known. */
  difference: number | null;
  /** In words a person can act on. */
  reason: string;
}

/**
 * Compares one row with its order in Odoo, to 0.01 kg.
 *
 * A row that was archived as cancelled or failed counts too if anything was weighed for it: that material left the silos,
 * and somebody has to book it. Without a weight there is nothing to book. What a cancelled order's moves hold is not
 * booked: Odoo takes nothing out of stock for it. An open order is a finding only where it was read back as done before:
 * a plant may leave the closing to somebody else.
 * @param production undefined: Odoo does not know the order
 * @param moves its raw moves
 */
export function reconcile(
  row: ComparedRow,
  production: Production | undefined,
  moves: readonly OrderMove[],
  silos: SiloMap,
): Discrepancy[] {
  const [actual, components] = [actualWeights(row), componentNames(row)];
  const total = sumForOdoo(Object.values(actual));
  const byHand = row.status === 'cancelled' || row.status === 'failed';
  if (byHand && total === 0) return [];
  const open = !row.status && row.update_odoo === false ? 'Odoo has not confirmed the row yet; ' : '';
  const about = byHand ? `archived here as ${row.status}, ${total} kg were weighed; ` : open;
  const finding = (kind: Discrepancy['finding'], reason: string, more: Partial<Discrepancy> = {}): Discrepancy => ({
    ...{ mo_id: row.mo_id, batch_no: row.batch_no ?? null, finding: kind, silo: null, component: null },
    ...{ read: null, odoo: null, difference: null, reason: about + reason, ...more },
  });

  if (!production) return [finding('unknown-order', 'Odoo does not know the order: was it deleted?', { read: total })];
  const found: Discrepancy[] = [];
  const { state, qty_produced } = production;
  if (state === 'cancel') {
    found.push(finding('cancelled', 'the order is cancelled in Odoo, nothing of it is taken out of stock there'));
  } else if (row.done_readback && state !== 'done') {
    found.push(finding('not-done', `the order was done in Odoo, and is "${state}" now`));
  }

  const booked = state === 'cancel' ? {} : consumedBySilo(moves, silos);
  // A silo that Odoo alone knows something of counts as 0 here.
  const wanted: SiloWeights = { ...zeros(booked), ...wholeSet(row) };
  for (const difference of differences(wanted, booked, silos)) {
    const { tag, name, wanted: here, found: odoo } = difference;
    const label = silos.label(tag);
    const known = { silo: tag, component: components[tag] ?? null, ...(label ? { label } : {}) };
    const read = actual[tag] === undefined ? null : here;
    if (silos.byTag(tag)) {
      const figures = { ...known, read, odoo, difference: roundForOdoo(odoo - here) };
      found.push(finding('silo', describe([difference]), figures));
    } else {
      const reason = `${name}: ${here} kg here; it is switched off in the silo map, so that Odoo's figure is not known`;
      found.push(finding('silo', reason, { ...known, read }));
    }
  }

  const finished = row.actual_weight_quantity_finished_goods || row.done_readback?.finished;
  if (state === 'done' && finished && !sameForOdoo(finished, qty_produced)) {
    const [here, odoo] = [roundForOdoo(finished), roundForOdoo(qty_produced)];
    const reason = `finished goods: ${here} kg here, ${odoo} kg in Odoo`;
    found.push(finding('finished', reason, { read: here, odoo, difference: roundForOdoo(odoo - here) }));
  }
  return found;
}

const zeros = (weights: SiloWeights): SiloWeights => Object.fromEntries(Object.keys(weights).map((tag) => [tag, 0]));
