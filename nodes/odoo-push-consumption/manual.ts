/** A call by hand: checked, carried out at once, and answered in the shapes that other programs know. */
import type { Context, Input, Outcome } from '../lib/node-red/node-shell';
import { DatabaseUnavailable } from '../lib/domain/ledger';
import type { Outcome as Pushed } from '../lib/push/outcome';
import { checkManual, invalidAnswer, manualAnswer, type ManualOperation } from './manual-api';
import { messageOf } from './message';
import type { Pusher } from './settings';
import { count, tell } from './tell';

/** The answer to a manual call that could not be begun: nothing was sent. */
const unavailable = ({ message }: Error): object => ({ statusCode: 503, payload: { status: 'error', message } });

/**
 * A call that ended in an exception. What was sent never does: its outcome is told instead.
 * @param closing in words, when the node closes
 */
function failed(error: Error, closing?: Error): Outcome {
  const statusCode = closing || error instanceof DatabaseUnavailable ? 503 : 500;
  const answer = { ...unavailable(closing ?? error), statusCode };
  return { outputs: [undefined, answer], status: { level: 'failed', text: error.message }, error };
}

/** Who waits for an HTTP answer gets one also from a node that is not configured. */
export const unconfigured = (error: Error, msg: Input): Outcome['outputs'] =>
  'res' in msg ? [undefined, unavailable(error)] : [];

export async function manualCall(
  pusher: Pusher,
  operation: ManualOperation,
  msg: Input,
  { signal, node, t }: Context,
): Promise<Outcome> {
  const { link } = pusher;
  const { request, problems } = checkManual(operation, msg.payload, pusher.silos);
  if (problems) {
    const text = t('status.invalid', {
      problems: problems.map(({ field, problem }) => `${field} ${problem}`).join('; '),
    });
    node.warn(text);
    return { outputs: [undefined, invalidAnswer(problems)], status: { level: 'attention', text } };
  }
  const { mo_id } = request;
  const { equipment_id } = msg.payload as { equipment_id?: string };
  let pushed: Pushed;
  const began = performance.now();
  try {
    const { push } = pusher;
    // Without a reachable queue nobody knows whether the batch is locked or being pushed: nothing is sent then.
    pushed = await (link
      ? link.use(({ ledger }) => push.manual(ledger, request, signal))
      : push.manual(null, request, signal));
  } catch (thrown) {
    return failed(thrown as Error, signal.aborted ? new Error(t('error.closing')) : undefined);
  }
  count(pusher, pushed, (performance.now() - began) / 1000);
  const outcome = messageOf(pushed);
  const { warning, db_saved, conclusion } = outcome;
  if (warning) node[outcome.id ? 'error' : 'warn'](t('status.warning', { mo_id, reason: warning }));
  if (outcome.locked) node.log(t('status.locked', { mo_id }));
  else tell(pusher, outcome);
  if (db_saved && request.consumption) {
    node.log(t('status.saved', { mo_id, entries: Object.keys(request.consumption).length }));
  }
  if (db_saved && request.markDone) node.log(t('status.saved-done', { mo_id, finished: request.finished }));
  const answer = manualAnswer(operation, request, outcome, equipment_id);
  const ok = conclusion === 'confirmed';
  const text = t(ok ? 'status.confirmed-one' : 'status.failed-one', { ...outcome, next: '' });
  return {
    outputs: ok ? [answer] : [undefined, answer],
    status: { level: ok ? 'ok' : 'attention', text },
    ...(signal.aborted ? { error: new Error(t('error.closed')) } : {}),
  };
}
