/** The operations that look something up for a person; they change nothing. */
import type { SiloFigures } from '../lib/domain/batch';
import { labelled, type SiloNames } from '../lib/domain/silos';
import { sumForOdoo } from '../lib/domain/weight';
import { clock, type Context, type Input, type Outcome } from '../lib/node-red/node-shell';
import { auditOf } from '../lib/store/audit';
import { auditInWords } from './audit-words';
import { type Call, listed, named, shown } from './call';

export const REPORTS = {
  async trail({ store, msg, silos, context: { t } }: Call): Promise<Outcome> {
    const moId = named(msg);
    if (!moId) throw new Error(t('error.no-order'));
    const trail = await store.trail(moId);
    return {
      outputs: [{ payload: { ...trail, ...auditInWords(t, auditOf(trail, silos)) } }],
      status: shown('ok', t('status.trail', { mo_id: moId, count: trail.events.length })),
    };
  },

  async list({ stores, line, silos, context: { t } }: Call): Promise<Outcome> {
    const batches = withLabels(await stores.reports.list(line), silos);
    return { outputs: [{ payload: batches }], status: listed(t, batches.length) };
  },

  async activity({ stores, line, context: { t } }: Call): Promise<Outcome> {
    const hours = await stores.reports.activity(line);
    const kg = sumForOdoo(hours.map((hour) => hour.kg));
    const pushes = hours.reduce((sum, hour) => sum + hour.pushes, 0);
    const status = shown('ok', t('status.activity', { kg, pushes, at: clock() }));
    return { outputs: [{ payload: hours }], status };
  },

  async archived({ stores, msg, line, silos, context: { t } }: Call): Promise<Outcome> {
    const batches = withLabels(await stores.reports.archived(periodIn(msg, t), line), silos);
    const status = shown(
      batches.length > 0 ? 'ok' : 'idle',
      t('status.archived', { count: batches.length, at: clock() }),
    );
    return { outputs: [{ payload: batches }], status };
  },
};

/** Rows whose silos are called as people call them. */
const withLabels = <Row extends { silos: readonly SiloFigures[] }>(rows: readonly Row[], names: SiloNames): Row[] =>
  rows.map((row) => ({ ...row, silos: row.silos.map((figures) => labelled(figures, names)) }));

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
