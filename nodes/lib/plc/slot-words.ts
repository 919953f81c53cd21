/** The words for what is wrong with a slot, from the node's locale: in the dialog as in Node-RED. */
import type { SlotProblem } from './slot-problem';
import type { Translate } from './layout-words';

export const problemWords = (t: Translate, { code, values }: SlotProblem): string =>
  t(`problem.${code}`, { ...values });

/** What was refused, with the words of each of its problems. */
export const inWords = <Refused extends { problems: readonly SlotProblem[] }>(t: Translate, refused: Refused) => ({
  ...refused,
  problems: refused.problems.map((each) => ({ ...each, problem: problemWords(t, each) })),
});
