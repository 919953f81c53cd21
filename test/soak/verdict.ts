/** What the soak says of every order: what the PLC weighed for it has to be in Odoo and in the history, once. */
import type { OrderFate } from './plant-process';

/** Hundredths of a kg. */
export interface Planned {
  quantity: number;
  /** By silo tag. */
  plan: Record<string, number>;
}

/** An order that the PLC took from its order block. */
export interface HandedOrder {
  mo_id: string;
  /** When (ms since 1970). */
  at: number;
  /** As the PLC copied it. */
  plc: Planned;
  /** As Odoo had it at that moment, if it was open there. */
  odoo?: Planned;
  /** What Odoo had before a person changed it, and until when. */
  replaced: (Planned & { until: number })[];
}

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

/**
 * How long a plan that was changed in Odoo may still be taken: a killed Node-RED comes back, waits until the dead one's order
 * slots are free, compares with Odoo, and takes the order back (ms).
 */
const ON_ITS_WAY_BACK = 60_000;

const samePlan = (a: Planned, b: Planned): boolean =>
  a.quantity === b.quantity &&
  Object.keys({ ...a.plan, ...b.plan }).every((tag) => (a.plan[tag] ?? 0) === (b.plan[tag] ?? 0));

/** What the soak says of orders that were handed over, by what the PLC itself remembers. @param again see offeredAgain */
export function judgeHanded(
  handed: readonly HandedOrder[],
  again: readonly string[],
): { handed_twice: string[]; handed_wrong: string[] } {
  const twice = handed.map(({ mo_id }) => mo_id).filter((mo_id, index, all) => all.indexOf(mo_id) !== index);
  const wrong = handed.filter(({ at, plc, odoo, replaced }) => {
    const allowed = [odoo, ...replaced.filter(({ until }) => at - until <= ON_ITS_WAY_BACK)];
    return !allowed.some((each) => each && samePlan(each, plc));
  });
  return {
    handed_twice: [...new Set([...twice, ...again])],
    handed_wrong: wrong.map((order) => JSON.stringify(order)),
  };
}
