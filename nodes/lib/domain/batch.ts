/**
 * A batch: one manufacturing order in the queue (`mo_batch`), under the field names of the table.
 *
 *   queued ──▶ handed ──▶ taken ──▶ (orders down: in a slot of the PLC, copied by it)
 *   queued ──reading──▶ running ──status 1──▶ completed ──Odoo has every value──▶ confirmed ──read back done──▶ done ──▶ history
 *      └──────────────────┴───────────────────────┴─────── Odoo refuses for good ──▶ set-aside ──retry now──▶ (back)
 *                                                                                         └──archived by hand──▶ history
 */
import type { HandBack, HandoverProblem } from './handover';
import type { Order } from './order';
import type { Reading } from './reading';
import {
  actualWeights,
  componentNames,
  plannedWeights,
  type SiloColumns,
  silosIn,
  type SiloTag,
  type SiloWeights,
} from './silos';

export { actualWeights, plannedWeights };

export const BATCH_STATES = [
  'queued',
  'handed',
  'taken',
  'running',
  'completed',
  'confirmed',
  'done',
  'set-aside',
] as const;
export type BatchState = (typeof BATCH_STATES)[number];

/** How many there are of each; of `handed` and `taken` only where orders are handed to the PLC. */
export type StateCounts = Record<Exclude<BatchState, 'handed' | 'taken'>, number> & Partial<Record<BatchState, number>>;

/** What a call by hand sends, under the names it has on the row. */
export interface CallByHand {
  /** kg by silo tag. */
  consumption?: SiloWeights;
  /** kg of finished goods. */
  finished?: number;
  /** The order was to be marked done. */
  mark_done?: true;
}

/** What calls by hand may have put into Odoo, and nobody knows (`pending_call`). */
export interface PendingCall extends CallByHand {
  /** When the last of them was made or given up, by the database's clock (ISO 8601). */
  at: string;
}

/** A row of the queue. */
export interface Batch extends Order {
  id: string;
  batch_no: number;
  state: BatchState;
  status_manufacturing: boolean;
  status_operation: boolean;
  actual_weight_quantity_finished_goods: number | null;
  last_read_from_plc: Date | null;
  /** Odoo has confirmed every value of the row as it stands. */
  update_odoo: boolean;
  odoo_cancelled: boolean;
  /** Raised by the database whenever a value changes; 0: there is nothing to tell Odoo yet. */
  revision: number;
  confirmed_revision: number | null;
  last_plc_reading: Reading | null;
  /** kg per silo of the last set sent, and of the last set that Odoo confirmed. */
  sent_consumption: SiloWeights | null;
  confirmed_consumption: SiloWeights | null;
  /** Silos that were ever, or may have been, sent above 0, each with the last such kg; null: unknown, so it may be any. */
  ever_sent: SiloWeights | null;
  /** Tries of closing it that another closing was in the way of, in a row. */
  closing_collisions: number;
  /** The revision that a person wants closed although too little was weighed; null: none. */
  close_anyway: number | null;
  /** kg of finished goods that were sent last. */
  sent_finished?: number | null;
  /** What calls by hand may have put into Odoo, and nobody knows: left alone until it is settled. */
  pending_call?: PendingCall | null;
  /** The order slot that it stands in, or is being written to; null: none. */
  handed_slot?: number | null;
  handed_at?: Date | null;
  /** From then on the PLC may have taken it. */
  ready_at?: Date | null;
  taken_at?: Date | null;
  hand_back?: HandBack | null;
  handover_problem?: HandoverProblem | null;
  /** What Odoo showed after mark-done; it alone lets the row be archived as completed. */
  done_readback: DoneReadback | null;
  attempts: number;
  next_attempt_at: Date | null;
  last_conclusion: string | null;
  last_reason: string | null;
  set_aside_at: Date | null;
  set_aside_reason: string | null;
}

/** State and moves of an order, read back from Odoo after it was marked done. */
export interface DoneReadback {
  state: string;
  /** kg of finished goods as Odoo holds them. */
  finished: number;
  /** kg per silo, summed over the stock moves. */
  consumption: SiloWeights;
  read_at: string;
}

/** The four figures of one silo (kg); null: nothing was planned, read, sent or confirmed. */
export interface SiloFigures {
  silo: SiloTag;
  /** The label that people gave the silo, if they did. */
  label?: string;
  component: string | null;
  planned: number | null;
  /** As the row holds it: read from the PLC, or corrected by hand. */
  read: number | null;
  sent: number | null;
  confirmed: number | null;
  /** What a call by hand may have put into Odoo, while nobody knows. */
  unsettled?: number;
}

/** Planned, read, sent and confirmed per silo, of a row in the queue or in the history; silos without any are left out. */
export function siloFigures(
  row: SiloColumns & Pick<Batch, 'sent_consumption' | 'confirmed_consumption' | 'pending_call'>,
): SiloFigures[] {
  const [components, planned, read] = [componentNames(row), plannedWeights(row), actualWeights(row)];
  const { sent_consumption: sent, confirmed_consumption: confirmed, pending_call } = row;
  return silosIn(planned, read, sent, confirmed, pending_call?.consumption).map((silo) => ({
    ...unsettledOf(silo, pending_call),
    silo,
    component: components[silo] ?? null,
    planned: planned[silo] ?? null,
    read: read[silo] ?? null,
    sent: sent?.[silo] ?? null,
    confirmed: confirmed?.[silo] ?? null,
  }));
}

const unsettledOf = (silo: SiloTag, call: PendingCall | null | undefined): { unsettled?: number } => {
  const kg = call?.consumption?.[silo];
  return kg === undefined ? {} : { unsettled: kg };
};

/** Whether the last call for this row ended without an answer: the next one may take a whole time limit again. */
export const gotNoAnswer = ({ last_conclusion }: { last_conclusion?: unknown }): boolean =>
  last_conclusion === 'unknown-outcome';
