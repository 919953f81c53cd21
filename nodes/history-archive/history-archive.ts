import type { NodeAPI, NodeDef } from 'node-red';
import type { DatabaseNode } from '../lib/node-red/config-nodes';
import { registerAction, requireNode } from '../lib/node-red/node-shell';
import { archive, type ArchiveSettings } from './archive';

interface Config extends NodeDef {
  database: string;
  operation: ArchiveSettings['status'];
  source: ArchiveSettings['source'];
  requires: ArchiveSettings['requires'];
  note: string;
  noteType: string;
  line: string;
}

export = function (RED: NodeAPI) {
  registerAction<Config>(RED, 'history-archive', { whileBusy: 'queue' }, (node, config, t) => {
    const database = requireNode<DatabaseNode>(RED, config.database, t, t('label.database'));
    const link = database.database();
    const { operation, source, requires, line = '' } = config;
    const settings = { status: operation || 'completed', source, requires: requires || 'done', line } as const;
    return {
      links: [database.link],
      run: (msg, context) =>
        link.use(({ batches }) => {
          const value: unknown =
            config.note && RED.util.evaluateNodeProperty(config.note, config.noteType || 'str', node, msg);
          return archive({
            batches,
            settings,
            note: typeof value === 'string' ? value : value == null ? '' : JSON.stringify(value),
            msg,
            context,
          });
        }),
    };
  });
};
