/** Which silo a material number of the PLC means, where the PLC keeps a list of what it weighed in place of a field per silo. */
import type { Silo } from './silos';

/** The number in an equipment code: silo101 → 101. */
const numberIn = (code: string): string | undefined => /^\D*?0*(\d+)\D*$/.exec(code)?.[1];

/**
 * The silos by what the PLC calls their material: the equipment code in Odoo, or the one number in it. A number that two
 * codes have means neither.
 */
export function silosByMaterial(silos: readonly Silo[]): ReadonlyMap<string, Silo['tag']> {
  const byNumber = new Map<string, Silo['tag'] | undefined>();
  for (const { code, tag } of silos) {
    const number = numberIn(code);
    if (number !== undefined) byNumber.set(number, byNumber.has(number) ? undefined : tag);
  }
  const sure = [...byNumber].filter((pair): pair is [string, Silo['tag']] => pair[1] !== undefined);
  return new Map([...sure, ...silos.map(({ code, tag }): [string, Silo['tag']] => [code, tag])]);
}
