/** What the soak says of every order: what the PLC weighed for it has to be in Odoo and in the history, once. */
import type { OrderFate } from './plant-process';

export interface Verdict {
  orders: number;
  lost: string[];
  doubled: string[];
  stuck: string[];
  kg_differs: string[];
}

const differs = ({ plc, odoo }: OrderFate): string =>
  Object.keys({ ...plc, ...odoo })
    .filter((tag) => (plc[tag] ?? 0) !== (odoo[tag] ?? 0))
    .map((tag) => `${tag} ${plc[tag] ?? 0}/${odoo[tag] ?? 0}`)
    .join(', ');

/**
 * @param fates of every order that was weighed, and of those that were not and have kg in Odoo
 * @param history orders archived as completed, and how often
 * @param left what is still open, or was set aside without need
 */
export function judge(
  fates: readonly OrderFate[],
  history: readonly { mo_id: string; n: number }[],
  left: readonly string[],
): Verdict {
  const made = fates.filter(({ cancelled }) => !cancelled);
  const weighed = made.filter(({ plc }) => Object.keys(plc).length > 0);
  const times = new Map(history.map(({ mo_id, n }) => [mo_id, n]));
  return {
    orders: weighed.length,
    lost: weighed.filter(({ mo_id }) => !times.has(mo_id)).map(({ mo_id }) => mo_id),
    doubled: history.filter(({ n }) => n > 1).map(({ mo_id }) => mo_id),
    stuck: [
      ...left,
      ...fates
        .filter(({ cancelled, mo_id }) => cancelled && times.has(mo_id))
        .map(({ mo_id }) => `${mo_id} is cancelled, and archived as completed`),
      ...weighed.filter(({ state }) => state !== 'done').map(({ mo_id, state }) => `${mo_id} is ${state}`),
    ],
    kg_differs: made.flatMap((fate) => (differs(fate) ? [`${fate.mo_id}: ${differs(fate)}`] : [])),
  };
}
