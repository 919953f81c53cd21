/** The operations that fill the queue and say which of its rows are to be worked on. */
import type { Order } from '../lib/domain/order';
import { legible, queueable } from '../lib/domain/queueable';
import { clock, ordersIn, type Outcome } from '../lib/node-red/node-shell';
import type { Left } from '../lib/store/set-aside';
import { type Call, list, listed, named, shown } from './call';

export const QUEUE = {
  async summary({ store, line, context: { t } }: Call): Promise<Outcome> {
    const summary = await store.summary(line);
    const wants = [
      ['aside', summary.set_aside.length],
      ['unsettled', summary.unsettled?.length ?? 0],
      ['quiet', summary.quiet.length],
      ['other-lines', summary.other_lines.reduce((sum, { rows }) => sum + rows, 0)],
    ] as const;
    const what = wants.flatMap(([key, n]) => (n > 0 ? [t(`status.summary-${key}`, { count: n })] : [])).join(', ');
    const level = summary.set_aside.length > 0 ? 'failed' : what ? 'attention' : 'ok';
    const text = t(what ? 'status.summary-attention' : 'status.summary', { queue: summary.queue, what, at: clock() });
    return { outputs: [{ payload: summary }], status: shown(level, text) };
  },

  async enqueue({ store, msg, line, limit, told, context: { t, node } }: Call): Promise<Outcome> {
    const given = queueable<Order & { notes?: string[] }>(list(msg));
    if (!given) throw new Error(t('error.orders'));
    const { orders, refused } = given;
    for (const { mo_id, reason } of refused) node.warn(t('status.refused', { mo_id: legible(mo_id), reason }));
    const queued = await store.enqueue(orders, limit, named(msg));
    const notes = new Map(orders.map(({ mo_id, notes = [] }) => [mo_id, notes]));
    for (const { mo_id, equipment_id_batch: other } of queued) {
      for (const note of notes.get(mo_id) ?? []) node.warn(t('status.note', { mo_id, note }));
      if (line && other && other !== line) node.warn(t('status.other-line', { mo_id, other, line }));
    }
    for (const mo_id of await store.archivedByHand([...notes.keys()])) {
      if (!told.has(mo_id)) node.warn(t('status.by-hand', { mo_id }));
      told.add(mo_id);
    }
    const values = { count: queued.length, refused: refused.length, at: clock() };
    if (refused.length > 0) {
      const before = Array.isArray(msg.refused) ? (msg.refused as unknown[]) : [];
      const status = shown('attention', t('status.queued-refused', values));
      return { outputs: [{ payload: queued, refused: [...before, ...refused] }], status };
    }
    const status = shown(queued.length > 0 ? 'ok' : 'idle', t('status.queued', values));
    return { outputs: [{ payload: queued }], status };
  },

  async 'set-aside'({ store, msg, context: { t, node } }: Call): Promise<Outcome> {
    const closed = ordersIn<{ mo_id: string; reason: string }>(msg);
    if (!closed) throw new Error(t('error.orders'));
    // The check tells the ids of the others, too.
    const open = ordersIn<{ mo_id: string; plan?: Order }>({ ...msg, payload: msg.open ?? [] }) ?? [];
    const { changed, taken } = await store.replan(open.flatMap(({ plan }) => plan ?? []));
    for (const { mo_id } of changed) node.log(t('status.replanned', { mo_id }));
    for (const mo_id of taken) node.warn(t('status.replanned-late', { mo_id }));
    const left: Left[] = [];
    const found = await store.setAside([...open, ...closed], (row) => left.push(row));
    const batches = found.filter(({ set_aside_at }) => set_aside_at !== null);
    for (const { mo_id, set_aside_reason } of batches)
      node.warn(t('status.aside', { mo_id, reason: set_aside_reason }));
    for (const { mo_id } of found.filter(({ set_aside_at }) => set_aside_at === null))
      node.warn(t('status.closed-by-hand', { mo_id }));
    for (const { mo_id, reason } of left) node.warn(t('status.not-set-aside', { mo_id, reason }));
    const level = batches.length + left.length > 0 ? 'attention' : 'idle';
    return {
      outputs: [
        {
          payload: batches,
          ...(left.length > 0 ? { left } : {}),
          ...(changed.length > 0 ? { replanned: changed } : {}),
        },
      ],
      status: shown(level, t('status.set-aside', { count: batches.length, at: clock() })),
    };
  },

  async due({ store, line, limit, context: { t } }: Call): Promise<Outcome> {
    const batches = await store.due(limit, line);
    return { outputs: [{ payload: batches }], status: listed(t, batches.length) };
  },

  async completed({ store, line, limit, context: { t } }: Call): Promise<Outcome> {
    const batches = await store.completed(limit, line);
    return { outputs: [{ payload: batches }], status: listed(t, batches.length) };
  },

  async unread({ store, line, context: { t } }: Call): Promise<Outcome> {
    const batches = await store.unread(line);
    return { outputs: [{ payload: batches }], status: listed(t, batches.length) };
  },

  async unqueued({ store, line, context: { t } }: Call): Promise<Outcome> {
    const orders = await store.unqueued(line);
    const status = shown(
      orders.length > 0 ? 'ok' : 'idle',
      t('status.unqueued', { count: orders.length, at: clock() }),
    );
    // Without a name "fetch orders" would fetch all of them.
    if (orders.length === 0) return { outputs: [], status };
    return { outputs: [{ payload: orders, mo_id: orders.map(({ mo_id }) => mo_id) }], status };
  },
};
