import type { NodeAPI } from 'node-red';
import type { DatabaseNode } from '../lib/node-red/config-nodes';
import { siloNames } from '../lib/node-red/silo-names';
import { registerAction, requireNode } from '../lib/node-red/node-shell';
import { type HealthConfig, healthAction, minutesOf } from './alarms';
import { connections } from './connections';
import { OPERATIONS } from './operations';

interface Config extends HealthConfig {
  database: string;
  /** Of flows that were saved before there was a choice: undefined. */
  silos?: string;
  operation: keyof typeof OPERATIONS | 'connections' | 'health';
  line: string;
  limit: string;
  limitType: string;
}

/** Enough for any plant, and a bound for a mistyped limit. */
const MOST = 100_000;

export = function (RED: NodeAPI) {
  registerAction<Config>(RED, 'mo-batch-store', { whileBusy: 'queue' }, (node, config, t) => {
    const database = requireNode<DatabaseNode>(RED, config.database, t, t('label.database'));
    const { operation } = config;
    // Tells also of a database that is not there: nothing of it waits for one.
    if (operation === 'connections') return { run: () => Promise.resolve(connections(RED, t)) };
    if (operation === 'health') return healthAction(database, config, node, t);
    const link = database.database();
    const told = new Set<string>();
    const bounded = ['enqueue', 'due', 'completed'].includes(operation);
    return {
      links: [database.link],
      run: async (msg, context) => {
        const given: unknown = bounded
          ? RED.util.evaluateNodeProperty(config.limit, config.limitType || 'num', node, msg)
          : MOST;
        const limit = Number(given);
        if (!Number.isInteger(limit) || limit < 1) throw new Error(t('error.limit-value', { limit: String(given) }));
        return link.use((stores) =>
          OPERATIONS[operation]({
            store: stores.batches,
            stores,
            msg,
            line: config.line ?? '',
            silos: siloNames(RED, config.silos),
            limit: Math.min(limit, MOST),
            stalled: operation === 'needs' ? minutesOf(config, 'stalled', t) : 0,
            here: (time) => link.here(time),
            context,
            told,
          }),
        );
      },
    };
  });
};
