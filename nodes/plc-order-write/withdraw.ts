/** Notes which orders a person wants back; the next pass over their slots fetches them. */
import type { NodeAPI } from 'node-red';
import type { DatabaseNode } from '../lib/node-red/config-nodes';
import { type Action, clock, type Context, namedIn, requireNode } from '../lib/node-red/node-shell';
import type { Config } from './settings';

export function withdrawAction(RED: NodeAPI, config: Config, t: Context['t']): Action {
  const database = requireNode<DatabaseNode>(RED, config.database, t, t('label.database'));
  const link = database.database();
  return {
    whileBusy: 'queue',
    links: [database.link],
    run: async (msg, { node }) => {
      const named = namedIn(msg);
      if (named.length === 0) throw new Error(t('error.unnamed'));
      const wanted: object[] = [];
      const refused: object[] = [];
      await link.use(async ({ handovers }) => {
        for (const mo_id of named) {
          const batch = await handovers.withdraw(mo_id);
          if (batch) wanted.push({ mo_id, batch_no: batch.batch_no, slot: batch.handed_slot, state: 'wanted-back' });
          else refused.push({ mo_id, problems: [{ code: 'not-ours', problem: t('refused.not-ours') }] });
        }
      });
      for (const { mo_id } of refused as { mo_id: string }[])
        node.warn(t('status.refused-one', { mo_id, problem: t('refused.not-ours') }));
      const values = { count: wanted.length, refused: refused.length, at: clock() };
      return {
        // By its first output it may trigger the hand-over: the orders named are not wanted again by that.
        outputs: [
          wanted.length > 0 ? { payload: wanted, mo_id: undefined } : undefined,
          refused.length > 0 ? { payload: refused } : undefined,
        ],
        status: {
          level: refused.length > 0 ? 'attention' : 'ok',
          text: t(refused.length > 0 ? 'status.back-refused' : 'status.wanted-back', values),
        },
      };
    },
  };
}
