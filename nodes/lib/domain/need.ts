/**
 * What needs a person: each with what is known of it and the decisions that solve it. The words are the locale's (`need.<code>`).
 */
import type { SiloTag } from './silos';

/** What a person can decide where it is shown. */
export type Remedy =
  /** Make it due at once. */
  | 'retry'
  /** Move it to the history as cancelled or failed, with a note. */
  | 'archive'
  /** The kept reading is its order's own. */
  | 'accept'
  /** The kept reading is thrown away, with a note. */
  | 'discard'
  /** The kept reading is another order's, whose number was to be typed. */
  | 'belongs-to'
  /** Enter the kg of finished goods. */
  | 'finished-weight'
  /** Close it although too little was weighed. */
  | 'close-anyway';

/** Why a person is needed, and what he can decide about it; nothing: it is mended at the machine. */
export const REMEDIES = {
  /** The row is set aside; its reason says why. */
  'set-aside': ['retry', 'archive'],
  /** Complete, and set aside because something has to be decided before it is closed: too little weighed, say. */
  undecided: ['close-anyway', 'retry', 'archive'],
  /** Complete, and nobody told what was finished. */
  'no-finished-weight': ['finished-weight', 'archive'],
  /** Its completion was seen once and was gone at the second read: the row runs on, and is set aside. */
  'completion-once': ['accept', 'discard', 'archive'],
  /** Calls by hand may have put something into Odoo, and nobody knows. */
  unsettled: [],
  /** A slot shows a number that is no confirmed order. */
  'held-unknown': ['belongs-to', 'discard'],
  /** Its weights are those of the order that the slot told before. */
  'held-foreign': ['accept', 'belongs-to', 'discard'],
  /** A completion was seen once, and which order's it is is not certain. */
  'held-once': ['accept', 'belongs-to', 'discard'],
  /** Another program holds the row of its order locked. */
  'held-locked': [],
  /** Its source wants a person to look; its own code says why. */
  'held-other': ['accept', 'belongs-to', 'discard'],
  /** A slot shows what cannot be. */
  rejected: [],
  /** The slot says that it runs, and its weights stand still. */
  stalled: [],
  /** A running batch that no slot has shown for an hour. */
  quiet: ['archive'],
  /** An order that could not be handed over to the PLC. */
  handover: ['archive'],
} as const satisfies Record<string, readonly Remedy[]>;

export type NeedCode = keyof typeof REMEDIES;

/** Something that needs a person. */
export interface Need {
  code: NeedCode;
  /** The same as long as it is the same matter. */
  key: string;
  /** Row of the queue; null: it has none. */
  id: string | null;
  /** The number, as row or slot tell it; null: none. */
  mo_id: string | null;
  /** Odoo's equipment code; '' where none is known. */
  line: string;
  slot: number | null;
  /** Endpoint and data block; '' where a source has no name. */
  source: string;
  /** ISO 8601, UTC; null where the replaced system wrote the row. */
  since: string | null;
  /** Why: what Odoo or the store said, or what is wrong with which field. */
  reason: string;
  /** The order whose weights these are: its slot told them before. */
  weights_of: string | null;
  /** How often Odoo was asked for this number. */
  asks: number;
  /** What is weighed (kg, above 0), with the label that people gave the silo, if they did. */
  weights: { silo: SiloTag; label?: string; kg: number }[];
  /** Their sum (kg). */
  weighed: number;
  /** kg of finished goods; null: nobody told. */
  finished: number | null;
  /** The weights are final. */
  completed: boolean;
  remedies: readonly Remedy[];
}

/** In this order people are asked: what blocks a batch first, what only wants a look last. */
const ORDER = Object.keys(REMEDIES) as NeedCode[];
export const byNeed = (one: Need, other: Need): number =>
  ORDER.indexOf(one.code) - ORDER.indexOf(other.code) || (one.since ?? '').localeCompare(other.since ?? '');
