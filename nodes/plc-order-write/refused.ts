/** What was refused, and what only a person can tell or mend, in the words of the locale. */
import type { SiloNames } from '../lib/domain/silos';
import type { Context } from '../lib/node-red/node-shell';
import type { Passed } from './pass';

export interface Refused {
  /** Of a slot that is not ours: what stands in it. */
  mo_id: string;
  slot?: number;
  problems: { code: string; problem: string; field?: string; value?: string | number }[];
}

export function refusedIn({ unfit, asked, slots }: Passed, t: Context['t'], silos: SiloNames): Refused[] {
  const orders = unfit.map(({ mo_id, refused }) => ({
    mo_id,
    problems: refused.map(({ problem: code, field, value }) => ({
      ...{ code, field, value },
      problem: t(`refused.${code}`, { field: silos.name(field), value }),
    })),
  }));
  const persons = asked.map(({ mo_id, slot, code }) => ({
    ...{ mo_id, slot },
    problems: [{ code, problem: t(code === 'not-kept' ? 'refused.not-kept' : `handover.${code}`) }],
  }));
  const foreign = slots.flatMap((left) =>
    left.as === 'foreign'
      ? [{ mo_id: left.number, slot: left.slot, problems: [{ code: 'foreign', problem: t('refused.foreign') }] }]
      : [],
  );
  return [...orders, ...persons, ...foreign];
}
