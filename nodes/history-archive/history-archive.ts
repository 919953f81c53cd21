import type { NodeAPI, NodeDef } from 'node-red';
import type { DatabaseNode } from '../lib/node-red/config-nodes';
import { clock, registerAction, requireNode, type Input } from '../lib/node-red/node-shell';

interface Config extends NodeDef {
  database: string;
  operation: 'completed' | 'cancelled' | 'failed';
  source: 'message' | 'all';
  requires: 'done' | 'confirmed';
  note: string;
  noteType: string;
  line: string;
}

/** Row ids of the batches in a message; undefined when anything else is among them. */
function idsIn({ payload }: Input): string[] | undefined {
  const list = (Array.isArray(payload) ? payload : [payload]) as ({ id?: unknown } | null | undefined)[];
  const ids = list.map((batch) => batch?.id);
  return ids.every((id) => typeof id === 'string') ? ids : undefined;
}

export = function (RED: NodeAPI) {
  registerAction<Config>(RED, 'history-archive', { whileBusy: 'queue' }, (node, config, t) => {
    const database = requireNode<DatabaseNode>(RED, config.database, t, t('label.database'));
    const link = database.database();
    const status = config.operation || 'completed';
    const byHand = status !== 'completed';
    return {
      links: [database.link],
      run: (msg) =>
        link.use(async ({ batches }) => {
          const note = config.note
            ? String(RED.util.evaluateNodeProperty(config.note, config.noteType || 'str', node, msg) ?? '')
            : '';
          if (byHand && !note.trim()) throw new Error(t('error.note'));
          const all = !byHand && config.source === 'all';
          if (!all && msg.mo_id != null && typeof msg.mo_id !== 'string') throw new Error(t('error.one-order'));
          const moId = typeof msg.mo_id === 'string' ? msg.mo_id.trim() : '';
          const which = all ? null : moId ? await batches.idsOf(moId) : idsIn(msg);
          if (moId && which && which.length > 1)
            throw new Error(t('error.duplicate', { mo_id: moId, ids: which.join(', ') }));
          if (moId && which?.length === 0) {
            if (!byHand || !(await batches.discardHeld(moId, status, note)))
              throw new Error(t('error.not-queued', { mo_id: moId }));
            const text = t('status.discarded', { mo_id: moId, at: clock() });
            node.log(text);
            const { queue } = await batches.summary(config.line ?? '');
            const payload = { archived: [], kept: [], discarded: [{ mo_id: moId }], queue };
            return { outputs: [{ payload }], status: { level: 'ok', text } };
          }
          if (which === undefined || (byHand && which?.length === 0)) throw new Error(t('error.no-batch'));
          const { archived, kept } = await batches.archive(which, {
            status,
            note,
            requires: config.requires || 'done',
            line: config.line ?? '',
            named: Boolean(moId),
          });
          const { queue } = await batches.summary(config.line ?? '');
          for (const { mo_id } of archived) node.log(t('status.archived-one', { mo_id, queue }));
          return {
            outputs: [{ payload: { archived, kept, queue } }],
            status: {
              level: kept.length > 0 ? 'attention' : archived.length > 0 ? 'ok' : 'idle',
              text: t(kept.length > 0 ? 'status.archived-kept' : 'status.archived', {
                count: archived.length,
                kept: kept.length,
                queue,
                at: clock(),
              }),
            },
          };
        }),
    };
  });
};
