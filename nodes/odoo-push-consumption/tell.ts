/** What is told of a push: in the log, and in the figures for monitoring. */
import { clock } from '../lib/node-red/node-shell';
import { tellPush } from '../lib/node-red/telemetry';
import type { Outcome } from '../lib/push/outcome';
import type { PushMessage } from './message';
import type { Pusher } from './settings';

/** A wait for its turn to be closed that is told (s). */
const LONG_WAIT = 60;

/** @param seconds how long it took; a call by hand counts the wait for its turn, too */
export function count({ database }: Pusher, outcome: Outcome, seconds?: number): void {
  if (outcome.kind !== 'tried') return;
  const { conclusion } = outcome.delivered;
  tellPush({ ...(database ? { database } : {}), conclusion, seconds: seconds ?? outcome.seconds });
}

/** A time of the database by the clock of this machine, which people see. */
export const shown = ({ link }: Pusher, time: Date): Date => link?.here(time) ?? time;

export function tell(
  pusher: Pusher,
  { mo_id, conclusion, reason, skipped, done, set_aside, next_attempt_at, ...more }: PushMessage,
): void {
  const { node, t } = pusher;
  if (more.overwritten) node.warn(t('status.overwritten', { mo_id, reason: more.overwritten }));
  if (skipped === 'closings') node.warn(t('status.warning', { mo_id, reason }));
  if (skipped) return;
  const { waited = 0 } = more;
  if (waited > LONG_WAIT) node.log(t('status.waited', { mo_id, seconds: Math.round(waited) }));
  if (conclusion === 'confirmed') return node.log(t(done ? 'status.done-one' : 'status.confirmed-one', { mo_id }));
  const next = next_attempt_at ? t('status.next', { at: clock(shown(pusher, next_attempt_at)) }) : '';
  if (conclusion === 'credentials') return node.error(t('status.credentials', { mo_id, reason, next }));
  node.warn(t(set_aside ? 'status.aside' : 'status.failed-one', { mo_id, conclusion, reason, next }));
}
