/** The operation "what needs a person": each with a sentence that says what, which order and slot, since when, what to do. */
import type { Need } from '../lib/domain/need';
import { clock, type Context, type Outcome } from '../lib/node-red/node-shell';
import { type Call, shown } from './call';
import { moment, where } from './where';

/** `what` and `todo` are the parts of `text`, for a display that shows the time in its own way. */
export interface NeedInWords extends Need {
  what: string;
  todo: string;
  text: string;
}

function inWords(need: Need, t: Context['t'], here: (time: string) => Date): NeedInWords {
  const { code, mo_id, weighed, asks, weights_of, finished } = need;
  const reason = code === 'handover' ? t(`handover.${need.reason}`) : need.reason;
  const values = { where: where(need, t), mo_id, reason, weighed, asks, weights_of, finished };
  const [what, todo] = [t(`need.${code}.what`, values), t(`need.${code}.todo`, values)];
  const since = need.since ? t('need.since', { since: moment(here(need.since)) }) : '';
  return { ...need, what, todo, text: `${what}${since}. ${todo}` };
}

export const NEEDS = {
  async needs({ stores, line, silos, stalled, here, context: { t } }: Call): Promise<Outcome> {
    const needs = (await stores.people.needs(line, stalled, silos)).map((need) => inWords(need, t, here));
    const text = t(needs.length > 0 ? 'status.needs' : 'status.needs-none', { count: needs.length, at: clock() });
    return { outputs: [{ payload: needs }], status: shown(needs.length > 0 ? 'failed' : 'ok', text) };
  },
};
