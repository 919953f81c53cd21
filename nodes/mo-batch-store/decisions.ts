/** The operations by which a person decides. */
import type { Order } from '../lib/domain/order';
import { queueable } from '../lib/domain/queueable';
import { LARGEST_WEIGHT, roundDecoded } from '../lib/domain/weight';
import { clock, type Input, type Outcome, userIn } from '../lib/node-red/node-shell';
import type { Left } from '../lib/store/set-aside';
import { type Call, list, named, shown } from './call';

export const DECISIONS = {
  async retry({ store, msg, line, context: { t, node } }: Call): Promise<Outcome> {
    const refused: Left[] = [];
    const batches = await store.retry(named(msg), line, (row) => refused.push(row), decisionIn(msg));
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

  async 'belongs-to'({ stores, msg, context: { t, node } }: Call): Promise<Outcome> {
    const moId = named(msg);
    const told = textIn(msg.told);
    if (!moId || !told) throw new Error(t('error.no-two-orders'));
    const given = queueable<Order>(list(msg));
    const order = given?.orders.find(({ mo_id }) => mo_id === moId);
    if (!order) throw new Error(t('error.not-in-odoo', { mo_id: moId, why: whyRefused(msg, moId) }));
    const slot = Number.isInteger(msg.slot) ? (msg.slot as number) : null;
    const batch = await stores.people.belongsTo({ told, slot, order }, decisionIn(msg));
    if (typeof batch === 'string') throw new Error(t(`error.belongs-to.${batch}`, { mo_id: moId, told }));
    const text = t('status.belongs-to', { mo_id: moId, told, at: clock() });
    node.log(text);
    return { outputs: [{ payload: [batch] }], status: shown('ok', text) };
  },

  async 'finished-weight'({ stores, msg, context: { t, node } }: Call): Promise<Outcome> {
    const moId = named(msg);
    if (!moId) throw new Error(t('error.no-order'));
    const kg = roundDecoded(Number(msg.finished));
    if (!(kg > 0 && kg <= LARGEST_WEIGHT)) throw new Error(t('error.finished', { given: String(msg.finished) }));
    const batch = await stores.people.finishedWeight(moId, kg, decisionIn(msg));
    if (!batch) throw new Error(t('error.no-weight-missing', { mo_id: moId }));
    const text = t('status.finished-weight', { mo_id: moId, kg, at: clock() });
    node.log(text);
    return { outputs: [{ payload: [batch] }], status: shown('ok', text) };
  },
};

const textIn = (given: unknown): string => (typeof given === 'string' ? given.trim() : '');

/** Who decides, and why, as the message says. */
const decisionIn = (msg: Input): { by: string; note: string } => ({ by: userIn(msg), note: textIn(msg.note) });

/** What "fetch orders" said of an order that it did not give. */
const whyRefused = ({ refused }: Input, moId: string): string => {
  const all = (Array.isArray(refused) ? refused : []) as { mo_id?: unknown; reason?: unknown }[];
  return textIn(all.find(({ mo_id }) => mo_id === moId)?.reason);
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
