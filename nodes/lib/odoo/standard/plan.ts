/** Which move of an order gets which figure of a set. */
import type { Consignment } from '../../domain/consumption';
import type { SiloMap } from '../../domain/silos';
import { clean, type Command, entry, perMove } from './figures';
import type { Generation } from '../generation';
import type { KnownOrder } from './known';

/** @returns the write's entries, and the silos above 0 that no component of the order is on */
export function plan(
  { weights }: Consignment,
  { moves }: KnownOrder,
  silos: SiloMap,
  generation: Generation,
): { entries: Command[]; missing: string[] } {
  const entries: Command[] = [];
  const missing: string[] = [];
  for (const [tag, kg = 0] of Object.entries(weights)) {
    const code = silos.byTag(tag)?.code ?? '';
    const own = moves.filter((move) => move.code === code);
    if (own.length === 0 && kg > 0) missing.push(`${silos.name(tag)} (${code})`);
    for (const [move, share] of perMove(kg, own)) entries.push(entry(move, clean(share / move.kg), generation));
  }
  return { entries, missing };
}
