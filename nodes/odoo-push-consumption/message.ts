/** What came of a push, under the names it has in messages, in the log and in the answers of the manual API. */
import { plannedWeights } from '../lib/domain/batch';
import type { Concluded } from '../lib/domain/conclusion';
import type { SiloWeights } from '../lib/domain/silos';
import { LONGEST_WAIT } from '../lib/push/closing-turn';
import type { Failed, Kept, NotSent, Outcome, Skipped, Tried } from '../lib/push/outcome';

export interface PushMessage extends Concluded {
  mo_id: string;
  id?: string;
  batch_no?: number;
  /** Nothing was sent, because… */
  skipped?: Exclude<NotSent, 'closed'>;
  planned?: SiloWeights;
  sent?: SiloWeights;
  confirmed?: SiloWeights;
  /** The order was read back as done. */
  done?: boolean;
  next_attempt_at?: Date | null;
  set_aside?: boolean;
  seconds?: number;
  /** Figures of somebody else that stood in Odoo and were overwritten, in words. */
  overwritten?: string;
  /** Seconds that its closing waited for others of the same Odoo. */
  waited?: number;
  /** Whether the outcome is in the database. */
  db_saved: boolean;
  /** A call by hand met a batch that is completed. */
  locked?: true;
  /** What a person has to know who called by hand. */
  warning?: string;
}

const SKIPPED: Record<NotSent, string> = {
  'not-queued': 'not in the queue',
  'set-aside': 'set aside: retry it or archive it',
  leased: 'another push of this order is running or about to, or another program holds its row locked',
  locked: 'another program holds its row locked, perhaps an open transaction in an SQL tool: end it, then try again',
  'not-due': 'waiting for its next attempt',
  'already-confirmed': 'already confirmed',
  'nothing-to-send': 'no reading yet',
  completed: 'the batch is completed (locked); "correct_completed": true corrects Odoo and row together',
  'too-late': 'its turn came too late: it waits for the next one',
  closings: `other orders of this Odoo were being closed for ${LONGEST_WAIT / 60_000} minutes: the next run closes it`,
  waiting: 'waiting already: an earlier message names it, it is pushed once',
  closed: 'the node closed before its turn',
};

/** The same to a person who waits for it: there is no next run. */
const SKIPPED_BY_HAND: Partial<Record<NotSent, string>> = {
  'too-late': 'nothing was sent, its turn came too late: repeat the call',
  closings: 'other orders are being closed: repeat the call',
};

export function messageOf(outcome: Outcome): PushMessage {
  if (outcome.kind === 'skipped') return skippedMessage(outcome);
  return outcome.kind === 'tried' ? triedMessage(outcome) : failedMessage(outcome);
}

function skippedMessage({ named, why, batch, byHand }: Skipped): PushMessage {
  const confirmed = why === 'already-confirmed';
  const skipped = why === 'closed' ? 'waiting' : why;
  const waits = skipped === 'waiting' && named.id !== undefined ? { id: named.id } : {};
  return {
    mo_id: batch?.mo_id ?? named.mo_id ?? '',
    ...(batch ? { id: batch.id, batch_no: batch.batch_no, done: batch.done_readback !== null } : waits),
    conclusion: why === 'completed' ? 'bad-value' : confirmed ? 'confirmed' : 'busy',
    reason: (byHand ? SKIPPED_BY_HAND[why] : undefined) ?? SKIPPED[why],
    ...{ skipped, db_saved: confirmed },
    ...(why === 'completed' ? { locked: true } : {}),
  };
}

const failedMessage = ({ named: { id, mo_id = '' }, error }: Failed): PushMessage => ({
  ...{ mo_id, ...(id === undefined ? {} : { id }) },
  ...{ conclusion: 'unknown-outcome', reason: error.message, db_saved: false },
});

function triedMessage(outcome: Tried): PushMessage {
  const { named, batch, delivered, kept, seconds, waited } = outcome;
  const { conclusion, sent, confirmed, done, overwritten } = delivered;
  const warning = warningOf(outcome);
  return {
    mo_id: batch?.mo_id ?? named.mo_id ?? '',
    ...(batch ? { id: batch.id, batch_no: batch.batch_no, planned: plannedWeights(batch) } : {}),
    ...{ conclusion, reason: reasonOf(outcome) },
    ...(sent ? { sent } : {}),
    ...(confirmed ? { confirmed } : {}),
    ...(overwritten ? { overwritten } : {}),
    ...{ done: done !== undefined, db_saved: kept.saved },
    ...(outcome.byHand ? {} : nextOf(kept)),
    ...(seconds === undefined ? {} : { seconds }),
    ...(waited === undefined ? {} : { waited }),
    ...(warning ? { warning } : {}),
  };
}

/** What the row's next attempt is, where its outcome was stored. */
function nextOf(kept: Kept): Pick<PushMessage, 'next_attempt_at' | 'set_aside'> {
  const row = kept.saved ? kept.row : undefined;
  return { next_attempt_at: row?.next_attempt_at ?? null, set_aside: row !== undefined && row.set_aside_at !== null };
}

function reasonOf({ delivered: { conclusion, reason }, kept, byHand }: Tried): string {
  if (!byHand) {
    const row = kept.saved && kept.row?.set_aside_at ? kept.row : undefined;
    return row?.set_aside_reason || reason;
  }
  if (kept.saved) return reason;
  if (kept.why === 'unsettled') return `${reason}; until it is settled, the pushes leave it alone: repeat the call`;
  const withoutRow = kept.why === 'no-database' || kept.why === 'not-queued';
  return withoutRow && conclusion === 'unknown-outcome' ? `${reason}: repeat the call` : reason;
}

/** What a correction comes to that is in Odoo, but not in the database. */
const UNSETTLED = 'the row is marked for the next push, which leaves what this call sent alone: repeat the call';
const KEEPS = 'the row keeps its own value, which the next push puts into Odoo';

function warningOf({ named: { mo_id }, kept, byHand }: Tried): string | undefined {
  if (!byHand || kept.saved) return undefined;
  const { why, missing = [], left, problem } = kept;
  if (why === 'no-database') return 'no database: save skipped';
  if (why === 'not-queued') return 'MO not in the database';
  if (why === 'overtaken') return `the row changed meanwhile, ${missing.join('; ')}: ${left ? UNSETTLED : KEEPS}`;
  if (why === 'save-failed') return `saving for ${mo_id} failed, ${UNSETTLED} (${problem})`;
  return why === 'note-failed' ? `noting it for ${mo_id} failed (${problem})` : undefined;
}
