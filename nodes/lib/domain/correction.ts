/** A correction by hand: what a person, or another program, wants Odoo and the row to hold. */
import type { SiloWeights } from './silos';

export interface ManualRequest {
  mo_id: string;
  /** kg by silo tag: only what is to be changed. */
  consumption?: SiloWeights;
  /** kg of finished goods. */
  finished?: number;
  markDone: boolean;
  /** Correct Odoo and row together although the batch is completed. */
  correct_completed: boolean;
}
