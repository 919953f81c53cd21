/** Frees the completed slots of a message that the store has answered. */
import type { Node, NodeAPI } from 'node-red';
import { type Action, clock, type Context } from '../lib/node-red/node-shell';
import { acknowledgeRecorded } from '../lib/plc/acknowledge';
import type { ReadNode } from './settings';

export function acknowledgeAction(RED: NodeAPI, node: Node, t: Context['t']): Action {
  let told = new Set<string>();
  return {
    whileBusy: 'queue',
    run: async ({ payload, read }, { signal }) => {
      if (!Array.isArray(payload)) throw new Error(t('error.recorded'));
      // The message says who read it, so that the layout is entered once, and may pass any number of nodes in between.
      const from = (read as { node?: string } | undefined)?.node ?? '';
      const { slotReader } = (RED.nodes.getNode(from) as ReadNode | null) ?? {};
      if (!slotReader) throw new Error(t('error.reader'));
      const { acknowledged, error, ...result } = await acknowledgeRecorded(slotReader, payload, signal);
      const kept = result.kept.map(({ code, values, ...slot }) => ({
        ...slot,
        code,
        reason: t(`kept.${code}`, values),
      }));
      for (const { slot, mo_id } of acknowledged) node.log(t('status.acknowledged-one', { slot, mo_id }));
      const keptTexts = kept.map((slot) => t('status.kept-one', { ...slot }));
      for (const text of keptTexts) if (!told.has(text)) node.warn(text);
      told = new Set(keptTexts);
      const values = { count: acknowledged.length, kept: kept.length, at: clock() };
      const level = kept.length > 0 ? 'attention' : acknowledged.length > 0 ? 'ok' : 'idle';
      return {
        outputs: [acknowledged, kept].map((slots) => (slots.length > 0 ? { payload: slots } : undefined)),
        status: error
          ? { level: 'failed', text: error.message }
          : { level, text: t(kept.length > 0 ? 'status.acknowledged-kept' : 'status.acknowledged', values) },
        ...(error ? { error } : {}),
      };
    },
  };
}
