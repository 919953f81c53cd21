/** The operations that bring everything to another database. */
import { clock, type Context, type Input, type Outcome } from '../lib/node-red/node-shell';
import type { Transferred } from '../lib/store/transfer';
import { type Call, shown } from './call';

export const TRANSFER = {
  async export({ stores, msg, context }: Call): Promise<Outcome> {
    return transferred('exported', await stores.exportTo(fileIn(msg, context)), context);
  },

  async import({ stores, msg, context }: Call): Promise<Outcome> {
    return transferred('imported', await stores.importFrom(fileIn(msg, context)), context);
  },
};

/** The file named in the message, as Node-RED's own file nodes take it. */
const fileIn = ({ filename }: Input, { t }: Context): string => {
  if (typeof filename === 'string' && filename.trim()) return filename.trim();
  throw new Error(t('error.no-file'));
};

const transferred = (what: 'exported' | 'imported', payload: Transferred, { t, node }: Context): Outcome => {
  const { mo_batch: queue, mo_histories: history } = payload.rows;
  const text = t(`status.${what}`, { queue, history, at: clock() });
  node.log(`${text}: ${payload.file}`);
  return { outputs: [{ payload }], status: shown('ok', text) };
};
