/** What history-archive does with one message: which rows are meant, and where they go. */
import { clock, type Context, type Input, type Outcome, userIn } from '../lib/node-red/node-shell';
import type { BatchStore } from '../lib/store/batch-store';

export interface ArchiveSettings {
  status: 'completed' | 'cancelled' | 'failed';
  source: 'message' | 'all';
  requires: 'done' | 'confirmed';
  line: string;
}

/** What an archiving works with. */
interface Call {
  batches: BatchStore;
  settings: ArchiveSettings;
  note: string;
  msg: Input;
  context: Context;
}

/** Row ids of the batches in a message; undefined when anything else is among them. */
function idsIn({ payload }: Input): string[] | undefined {
  const list = (Array.isArray(payload) ? payload : [payload]) as ({ id?: unknown } | null | undefined)[];
  const ids = list.map((batch) => batch?.id);
  return ids.every((id) => typeof id === 'string') ? ids : undefined;
}

/** The rows that a message means; null: all that may go. @throws Error in the words of the locale */
async function rowsOf({ batches, settings, msg, context: { t } }: Call, moId: string): Promise<string[] | null> {
  if (settings.status === 'completed' && settings.source === 'all') return null;
  const rows = moId ? await batches.idsOf(moId) : idsIn(msg);
  if (!rows) throw new Error(t('error.no-batch'));
  if (moId && rows.length > 1) throw new Error(t('error.duplicate', { mo_id: moId, ids: rows.join(', ') }));
  return rows;
}

/** The order is not queued: a person may throw away the reading that is held for it. */
async function discard({ batches, settings, note, msg, context: { t, node } }: Call, moId: string): Promise<Outcome> {
  const { status, line } = settings;
  if (status === 'completed' || !(await batches.discardHeld(moId, status, note, userIn(msg))))
    throw new Error(t('error.not-queued', { mo_id: moId }));
  const text = t('status.discarded', { mo_id: moId, at: clock() });
  node.log(text);
  const { queue } = await batches.summary(line);
  const payload = { archived: [], kept: [], discarded: [{ mo_id: moId }], queue };
  return { outputs: [{ payload }], status: { level: 'ok', text } };
}

export async function archive(call: Call): Promise<Outcome> {
  const { batches, settings, note, msg, context } = call;
  const { t, node } = context;
  const { status, source, requires, line } = settings;
  const byHand = status !== 'completed';
  if (byHand && !note.trim()) throw new Error(t('error.note'));
  const all = !byHand && source === 'all';
  if (!all && msg.mo_id != null && typeof msg.mo_id !== 'string') throw new Error(t('error.one-order'));
  const moId = typeof msg.mo_id === 'string' ? msg.mo_id.trim() : '';
  const rows = await rowsOf(call, moId);
  if (moId && rows?.length === 0) return discard(call, moId);
  if (byHand && rows?.length === 0) throw new Error(t('error.no-batch'));
  const { archived, kept } = await batches.archive(rows, {
    ...{ status, note, requires, line, named: Boolean(moId) },
    by: userIn(msg),
  });
  const { queue } = await batches.summary(line);
  for (const { mo_id } of archived) node.log(t('status.archived-one', { mo_id, queue }));
  const values = { count: archived.length, kept: kept.length, queue, at: clock() };
  return {
    outputs: [{ payload: { archived, kept, queue } }],
    status: {
      level: kept.length > 0 ? 'attention' : archived.length > 0 ? 'ok' : 'idle',
      text: t(kept.length > 0 ? 'status.archived-kept' : 'status.archived', values),
    },
  };
}
