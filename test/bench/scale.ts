/** How cost grows with the work: queue, history, events, Node-REDs. */
import { lines, LINES_GOALS } from './scale-lines';
import { archivedBytes, longHistory, PAST_GOALS } from './scale-past';
import { longQueue, longQueueCycle, QUEUE_GOALS } from './scale-queue';
import type { Figures, Goal, Setting } from './setting';

export const SCALE_GOALS: Record<string, Goal> = { ...QUEUE_GOALS, ...LINES_GOALS, ...PAST_GOALS };

export async function scale(setting: Setting): Promise<Figures> {
  const figures: Figures = {};
  for (const part of [longQueue, longQueueCycle, archivedBytes, lines, longHistory])
    Object.assign(figures, await part(setting));
  return figures;
}
