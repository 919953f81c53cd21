/** Pushes the batches of a message, side by side, and tells what came of each. */
import { clock, type Context, type Input, type Outcome } from '../lib/node-red/node-shell';
import type { Named } from '../lib/push/outcome';
import type { PushList } from '../lib/push/push-list';
import { messageOf } from './message';
import type { Pusher } from './settings';
import { count, shown, tell } from './tell';

/** The batches of a message; undefined when something else is among them. */
function batchesIn({ payload }: Input): Named[] | undefined {
  const list = (Array.isArray(payload) ? payload : [payload]) as ({ id?: unknown; mo_id?: unknown } | null)[];
  const isNamed = (batch: (typeof list)[number]): boolean =>
    typeof batch?.id === 'string' || typeof batch?.mo_id === 'string';
  return list.every(isNamed) ? (list as Named[]) : undefined;
}

/** @param list the rows under way, for whichever message @param markDone also close completed orders */
export async function processBatches(
  pusher: Pusher,
  list: PushList,
  markDone: boolean,
  msg: Input,
  { signal, progress, t }: Context,
): Promise<Outcome> {
  const { link } = pusher;
  if (!link) throw new Error(t('error.no-database'));
  const rows = batchesIn(msg);
  if (!rows) throw new Error(t('error.batches'));
  // Each status goes to every open editor: twenty of them show how far it is.
  const step = Math.ceil(rows.length / 20);
  const outcomes = await list.run(
    rows,
    (named) => link.use(({ ledger }) => pusher.push.process(ledger, named, markDone, signal)),
    signal,
    (outcome, finished) => {
      count(pusher, outcome);
      if (outcome.kind !== 'failed') tell(pusher, messageOf(outcome));
      if (finished % step === 0) progress(t('status.pushing', { finished, count: rows.length }));
    },
  );
  const failures = outcomes.flatMap((outcome) => (outcome.kind === 'failed' ? outcome.error : []));
  if (failures[0] && failures.length === rows.length) throw failures[0];
  const all = outcomes.map(messageOf);
  const confirmed = all.filter(({ conclusion }) => conclusion === 'confirmed');
  const open = all.filter(({ conclusion }) => conclusion !== 'confirmed');
  const failed = open.filter(({ skipped }) => !skipped);
  const next = failed.reduce((first, row) => Math.min(first, row.next_attempt_at?.getTime() ?? Infinity), Infinity);
  const values = { confirmed: confirmed.length, open: failed.length, at: clock() };
  const error = signal.aborted ? new Error(t('error.closed')) : failures[0];
  return {
    outputs: [
      confirmed.length > 0 ? { payload: confirmed } : undefined,
      open.length > 0 ? { payload: open } : undefined,
    ],
    status: {
      level: failed.length > 0 ? 'attention' : rows.length > 0 ? 'ok' : 'idle',
      text: Number.isFinite(next)
        ? t('status.waiting', { ...values, next: clock(shown(pusher, new Date(next))).slice(0, 5) })
        : t(failed.length > 0 ? 'status.pushed-some' : 'status.pushed', values),
    },
    ...(error ? { error } : {}),
  };
}
