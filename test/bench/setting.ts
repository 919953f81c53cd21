/** What every part has of the bench. */
import type { BenchHost } from './host';
import { median } from './measure';
import type { PlantProcess } from './plant-process';

export type Figures = Record<string, number>;

/** What a figure says, and what it has to be: at most, or at least, so much. */
export interface Goal {
  says: string;
  most?: number;
  least?: number;
}

export interface Setting {
  plant: PlantProcess;
  say: (line: string) => void;
  /** Receives CPU profiles of Node-RED, when they are wanted. */
  onProfile?: (name: string, profile: object) => void;
}

/** Slots of the PLC in most parts. */
export const SLOTS = 30;

/** Milliseconds, to be read by a person. */
export const list = (times: readonly number[]): string => times.map((ms) => ms.toFixed(ms < 100 ? 1 : 0)).join(' ');

/** Medians of contestants, to be read by a person. */
export const medians = (times: Record<string, number[]>): string =>
  Object.entries(times)
    .map(([name, all]) => `${name} ${list([median(all)])} ms`)
    .join(', ');

/** Weights that grow with every call, so that each reading differs from the one before. */
export const growing = (): (() => number) => {
  let kg = 100;
  return () => (kg = kg < 4000 ? kg + 0.25 : 100);
};

/** Runs a flow. @throws Error when it did not push as many batches as it should have */
export async function runs(host: BenchHost, name: string, batches: number): Promise<void> {
  const pushed = await host.run(name);
  if (pushed !== batches) throw new Error(`${name}: ${pushed} of ${batches} batches were confirmed`);
}

/** Hands on the profile of some work in Node-RED, when it is wanted. */
export async function profiled(
  { onProfile }: Setting,
  host: BenchHost,
  name: string,
  work: () => Promise<unknown>,
): Promise<void> {
  if (!onProfile) return;
  await host.command('profile-start');
  await work();
  onProfile(name, await host.command<object>('profile-stop'));
}
