/**
 * What became of one push, as data. What is told of it (the message, the log, the figures for monitoring, the answer over HTTP)
 * and what is stored are made of it where they are needed, and of nothing else.
 */
import type { Batch, DoneReadback } from '../domain/batch';
import type { Concluded } from '../domain/conclusion';
import type { LeaseRefusal } from '../domain/ledger';
import type { OrderRef } from '../domain/order';
import type { SiloWeights } from '../domain/silos';

/** A batch as it is named: by the id of its row, or by its order. */
export type Named = { id: string; mo_id?: string } | { id?: undefined; mo_id: string };

/** What stands in Odoo after a delivery, as far as it is known. */
export interface Delivered extends Concluded {
  /** kg per silo that were sent (or found to be there already). */
  sent?: SiloWeights;
  /** kg of finished goods that were sent. */
  sentFinished?: number;
  /** kg per silo that Odoo confirmed; also present when only the closing did not go through. */
  confirmed?: SiloWeights;
  done?: DoneReadback;
  /** Figures of somebody else that stood in Odoo and were overwritten, in words. */
  overwritten?: string;
  /** The order as it was found in Odoo: present where it was looked for. */
  order?: OrderRef;
  /** Every conclusion on the way, for the trail. */
  answers: Answered[];
}

export type Answered = { call: string } & Concluded;

/** Whether a byte of any of these calls went out. */
export const wentOut = (answers: readonly Concluded[]): boolean => answers.some(({ unsent }) => !unsent);

/** Why nothing was sent. */
export type NotSent =
  | LeaseRefusal
  /** A call by hand for a batch that is completed, and that it does not say to correct. */
  | 'completed'
  /** The lease ran out, or the node closed, before the first call. */
  | 'too-late'
  /** Others were closed meanwhile, for too long. */
  | 'closings'
  /** It waits already, for an earlier message. */
  | 'waiting'
  /** The node closed before it had its turn. */
  | 'closed';

/** What the database holds of a delivery. */
export type Kept =
  /** `row`: as it stands now, where it is known. `pauseMs`: before its next attempt. */
  | { saved: true; row?: Batch; pauseMs?: number }
  | {
      saved: false;
      why:
        | 'lease-lost'
        | 'no-database'
        | 'not-queued'
        /** Nothing is saved of a call by hand that did not go through. */
        | 'not-confirmed'
        /** The same, and the row remembers that what was sent may have arrived. */
        | 'unsettled'
        /** The row has another value than was sent by hand: `missing` names both. `left`: the pushes leave it alone. */
        | 'overtaken'
        /** The database failed with `problem` when the outcome of a confirmed call was saved, or of another one noted. */
        | 'save-failed'
        | 'note-failed';
      missing?: string[];
      left?: boolean;
      problem?: string;
    };

export interface Skipped {
  kind: 'skipped';
  named: Named;
  why: NotSent;
  /** A person asked, and waits for the answer. */
  byHand?: true;
  /** The row, where there is one. */
  batch?: Batch;
}

export interface Tried {
  kind: 'tried';
  named: Named;
  delivered: Delivered;
  kept: Kept;
  byHand?: true;
  /** The row as it was leased. */
  batch?: Batch;
  /** From its turn to its outcome in the database, without the wait for its turn to be closed. */
  seconds?: number;
  /** How long its closing waited for others of the same Odoo (s). */
  waited?: number;
}

/** The push threw: the row keeps what it holds. */
export interface Failed {
  kind: 'failed';
  named: Named;
  error: Error;
}

export type Outcome = Skipped | Tried | Failed;
