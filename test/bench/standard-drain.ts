/** The drain of what piled up while a standard Odoo was away, against the time that Odoo's own calls take. */
import { drainStandard } from '../support/standard-drain';
import type { Figures, Setting } from './setting';

const BATCHES = 60;

/** One of each kind: figures on the move, reservations that are figures (by line), and the same over /json/2. */
const KINDS = [14, 17, 19] as const;

export async function standardDrain({ say }: Setting): Promise<Figures> {
  const figures: Figures = {};
  for (const version of KINDS) {
    const { first, risen, final, closing } = await drainStandard(version, BATCHES, 1);
    const stretches = { first, risen, final, closing };
    for (const [name, { calls, ms, own }] of Object.entries(stretches))
      say(
        `Odoo ${version}, ${name}: ${calls} calls, ${(ms / 1000).toFixed(1)} s, Odoo's own ${(own / 1000).toFixed(1)} s`,
      );
    const [ms, own] = [final.ms + closing.ms, final.own + closing.own];
    figures[`drain_standard_${version}`] = ms / own;
  }
  return figures;
}
