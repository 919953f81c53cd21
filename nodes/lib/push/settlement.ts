/** What came of a delivery, as it is stored. */
import type { Batch } from '../domain/batch';
import {
  CONCLUSIONS,
  type Conclusion,
  needsDecision,
  pauseAfterCollision,
  pauseBeforeRetry,
} from '../domain/conclusion';
import type { Settlement } from '../domain/ledger';
import type { Delivered } from './outcome';

/** @param signal aborted: the node closes; a call that was given up for it says nothing about Odoo, and the row is due again at once */
export function settlementOf(batch: Batch, delivered: Delivered, signal?: AbortSignal): Settlement {
  const { conclusion, reason, sent, sentFinished, confirmed, done, order, answers } = delivered;
  const pauses = CONCLUSIONS[conclusion].consequence === 'retry' && !signal?.aborted;
  return {
    ...{ conclusion, reason, answers },
    setAside: needsDecision(conclusion),
    cancelled: conclusion === 'order-cancelled',
    ...(pauses ? { pauseMs: pauseOf(conclusion, batch) } : {}),
    ...(sent ? { sent } : {}),
    ...(sentFinished === undefined ? {} : { sentFinished }),
    ...(confirmed ? { confirmed } : {}),
    // Beside what is unsettled nothing is proven.
    ...(conclusion === 'unsettled' ? { wholeRow: false } : done ? { done } : {}),
    ...(order ? { order } : {}),
  };
}

const pauseOf = (conclusion: Conclusion, { attempts, closing_collisions }: Batch): number =>
  conclusion === 'collided' ? pauseAfterCollision(closing_collisions) : pauseBeforeRetry(conclusion, attempts);
