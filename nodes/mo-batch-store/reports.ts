/** The operations that look something up for a person; they change nothing. */
import { sumForOdoo } from '../lib/domain/weight';
import { clock, type Context, type Input, type Outcome } from '../lib/node-red/node-shell';
import { auditOf } from '../lib/store/audit';
import { auditInWords } from './audit-words';
import { type Call, listed, named, shown } from './call';

export const REPORTS = {
  async trail({ store, msg, context: { t } }: Call): Promise<Outcome> {
    const moId = named(msg);
    if (!moId) throw new Error(t('error.no-order'));
    const trail = await store.trail(moId);
    return {
      outputs: [{ payload: { ...trail, ...auditInWords(t, auditOf(trail)) } }],
      status: shown('ok', t('status.trail', { mo_id: moId, count: trail.events.length })),
    };
  },

  async list({ stores, line, context: { t } }: Call): Promise<Outcome> {
    const batches = await stores.reports.list(line);
    return { outputs: [{ payload: batches }], status: listed(t, batches.length) };
  },

  async activity({ stores, line, context: { t } }: Call): Promise<Outcome> {
    const hours = await stores.reports.activity(line);
    const kg = sumForOdoo(hours.map((hour) => hour.kg));
    const pushes = hours.reduce((sum, hour) => sum + hour.pushes, 0);
    const status = shown('ok', t('status.activity', { kg, pushes, at: clock() }));
    return { outputs: [{ payload: hours }], status };
  },

  async archived({ stores, msg, line, context: { t } }: Call): Promise<Outcome> {
    const batches = await stores.reports.archived(periodIn(msg, t), line);
    const status = shown(
      batches.length > 0 ? 'ok' : 'idle',
      t('status.archived', { count: batches.length, at: clock() }),
    );
    return { outputs: [{ payload: batches }], status };
  },
};

/** The period named in the message, if any: ISO 8601 texts, with a time zone or in that of this machine. */
const periodIn = ({ from, to }: Input, t: Context['t']): { from: string | null; to: string | null } => {
  const [begin, end] = [from, to].map((given) => {
    if (given === undefined || given === null || given === '') return null;
    const time = typeof given === 'string' || given instanceof Date ? new Date(given) : new Date(NaN);
    if (Number.isNaN(time.getTime())) throw new Error(t('error.period'));
    return time.toISOString();
  }) as [string | null, string | null];
  if (begin && begin >= (end ?? new Date().toISOString())) throw new Error(t('error.period'));
  return { from: begin, to: end };
};
