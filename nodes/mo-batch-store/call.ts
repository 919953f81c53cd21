/** What every operation of the batch store gets, and how it says what came of it. */
import type { SiloNames } from '../lib/domain/silos';
import { clock, type Context, type Input, type Status } from '../lib/node-red/node-shell';
import type { BatchStore } from '../lib/store/batch-store';
import type { Stores } from '../lib/store/database-link';

export interface Call {
  store: BatchStore;
  stores: Stores;
  msg: Input;
  line: string;
  /** What people call the silos. */
  silos: SiloNames;
  limit: number;
  /** How long the weights of a running slot may stand still (minutes). */
  stalled: number;
  /** A time of the database, by this machine's clock. */
  here: (time: string) => Date;
  context: Context;
  /** What was told already: a slot shows its batch for many cycles, and Odoo lists an order at every fetch. */
  told: Set<string>;
}

/** The order named in the message, if any. */
export const named = ({ mo_id }: Input): string | null =>
  typeof mo_id === 'string' && mo_id.trim() ? mo_id.trim() : null;
export const list = <T>({ payload }: Input): T[] => (Array.isArray(payload) ? payload : [payload]) as T[];
export const shown = (level: Status['level'], text: string): Status => ({ level, text });

export const listed = (t: Context['t'], count: number): Status =>
  shown(count > 0 ? 'ok' : 'idle', t('status.listed', { count, at: clock() }));
