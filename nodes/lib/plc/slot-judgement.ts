/**
 * What two reads of one slot in one trigger come to. A program may write a number before it clears the weights, or say
 * "complete" before it has written them: only what both reads agree in is believed.
 */
import { silosIn } from '../domain/silos';
import { moIdOf, sameFigures, sameWeights, type SlotOutcome, type SlotReading } from './slot-guards';

type Seen = SlotOutcome & { kind: 'reading' };

export interface Judgement {
  /** What the slot tells; undefined: nothing yet, the next trigger reads it anew. */
  now?: SlotOutcome;
  /** A completion of the first read that was gone at the second. */
  gone?: Seen;
}

const FINISHED = 'actual_weight_quantity_finished_goods';

/** Whether a slot is being cleared: what it weighs now is what it weighed, but for weights that became 0. */
export function cleared(before: SlotReading, now: SlotReading): boolean {
  const pairs = [
    [before[FINISHED], now[FINISHED]],
    ...silosIn(before.consumption, now.consumption).map((tag) => [before.consumption[tag], now.consumption[tag]]),
  ].map(([was, is]) => [was ?? 0, is ?? 0] as const);
  return pairs.every(([was, is]) => is === was || is === 0) && pairs.some(([was, is]) => was > is);
}

const weighsNothing = ({ consumption, ...reading }: SlotReading): boolean =>
  !reading[FINISHED] && silosIn(consumption).every((tag) => !consumption[tag]);

const running = (outcome: Seen): Seen => ({ ...outcome, reading: { ...outcome.reading, status_manufacturing: false } });

/**
 * | first read          | second read                        | the slot tells          | gone  |
 * |---------------------|------------------------------------|-------------------------|-------|
 * | order X, complete   | X, complete, the same figures      | the second, complete    |       |
 * | order X, complete   | X, its weights being cleared       | nothing yet             | first |
 * | order X, complete   | no number, or refused as another's | the second              | first |
 * | order X, complete   | another order                      | nothing yet             | first |
 * | order X             | X, anything else                   | the second, as running  |       |
 * | order X, running    | another order                      | nothing yet             |       |
 * | refused, no number  | an order                           | nothing yet             |       |
 * | anything else       |                                    | the second              |       |
 *
 * The figures are the weights and the finished quantity; whether the machine runs may change at any time.
 */
export function judge(first: SlotOutcome, second: SlotOutcome): Judgement {
  const completed = first.kind === 'reading' && first.reading.status_manufacturing ? first : undefined;
  const agreed = moIdOf(first) !== null && moIdOf(first) === moIdOf(second);
  if (agreed && completed && second.kind === 'reading') {
    const { reading } = second;
    if (reading.status_manufacturing && sameFigures(completed.reading, reading)) return { now: second };
    const goes = !reading.status_manufacturing || weighsNothing(reading);
    if (goes && cleared(completed.reading, reading)) return { gone: completed };
  }
  if (agreed) return { now: second.kind === 'reading' ? running(second) : second };
  // Another order was read once only.
  return {
    ...(second.kind === 'reading' ? {} : { now: second }),
    ...(completed ? { gone: completed } : {}),
  };
}

/** Whether two readings say the same about a batch, its counter included. */
export const sameBatch = (a: SlotReading, b: SlotReading): boolean => a.counter === b.counter && sameWeights(a, b);

/**
 * The same of a slot whose parts lie in several blocks or telegrams. Each read may be put together from two moments, so
 * that nothing of it is believed which the other does not say as well: completions and running weights alike.
 *
 * | first read      | second read             | the slot tells | gone  |
 * |-----------------|-------------------------|----------------|-------|
 * | order X         | X, and all the same     | the second     |       |
 * | X, complete     | another order, or none  | nothing yet    | first |
 * | refused         | refused, the same order | the second     |       |
 * | anything        | no number, no weights   | the second     |       |
 * | anything else   |                         | nothing yet    |       |
 */
export function judgeApart(first: SlotOutcome, second: SlotOutcome): Judgement {
  if (first.kind === 'reading' && second.kind === 'reading' && sameBatch(first.reading, second.reading))
    return { now: second };
  const refused = first.kind === 'rejected' && second.kind === 'rejected' && moIdOf(first) === moIdOf(second);
  const left = first.kind === 'reading' && first.reading.status_manufacturing && moIdOf(first) !== moIdOf(second);
  return {
    ...(refused || second.kind === 'empty' ? { now: second } : {}),
    ...(left ? { gone: first } : {}),
  };
}
