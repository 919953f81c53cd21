/** The operations by which a person decides. */
import { clock, type Input, type Outcome } from '../lib/node-red/node-shell';
import type { Left } from '../lib/store/set-aside';
import { type Call, named, shown } from './call';

export const DECISIONS = {
  async retry({ store, msg, line, context: { t, node } }: Call): Promise<Outcome> {
    const refused: Left[] = [];
    const batches = await store.retry(named(msg), line, (row) => refused.push(row));
    for (const { id, mo_id, reason } of refused)
      node.warn(t('status.not-retried', { mo_id: mo_id ?? `(${id})`, reason }));
    const values = { count: batches.length, refused: refused.length, at: clock() };
    const text = t(refused.length > 0 ? 'status.retried-some' : 'status.retried', values);
    return {
      outputs: [{ payload: batches, ...(refused.length > 0 ? { refused } : {}) }],
      status: shown(refused.length > 0 ? 'attention' : 'ok', text),
    };
  },

  accept: (call: Call) => decided('accepted', call),

  discard: (call: Call) => decided('discarded', call),

  async 'close-anyway'({ store, msg, context: { t, node } }: Call): Promise<Outcome> {
    const moId = named(msg);
    if (!moId) throw new Error(t('error.no-order'));
    const batch = await store.closeAnyway(moId, decisionIn(msg));
    if (!batch) throw new Error(t('error.nothing-to-close', { mo_id: moId }));
    const text = t('status.close-anyway', { mo_id: moId, at: clock() });
    node.log(text);
    return { outputs: [{ payload: [batch] }], status: shown('ok', text) };
  },
};

/** Who decides, and why, as the message says. */
const decisionIn = ({ user, note }: Input): { by: string; note: string } => {
  const [by = '', why = ''] = [user, note].map((given) => (typeof given === 'string' ? given.trim() : ''));
  return { by, note: why };
};

/** What a person decided about the order in msg.mo_id. */
async function decided(what: 'accepted' | 'discarded', { store, msg, context: { t, node } }: Call): Promise<Outcome> {
  const moId = named(msg);
  if (!moId) throw new Error(t('error.no-order'));
  const payload = await store[what === 'accepted' ? 'accept' : 'discard'](moId, decisionIn(msg));
  if (!payload) throw new Error(t('error.nothing-kept', { mo_id: moId }));
  const text = t(`status.${what}`, { mo_id: moId, at: clock() });
  node.log(text);
  return { outputs: [{ payload }], status: shown('ok', text) };
}
