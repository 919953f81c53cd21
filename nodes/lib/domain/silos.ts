/**
 * Silos: how a weight is named in a reading and in the tables (tag), in Odoo (equipment code) and to people (label).
 */

/** Every tag that the tables have columns for, in their order. */
export const SILO_TAGS = [
  'silo_a',
  'silo_b',
  'silo_c',
  'silo_d',
  'silo_e',
  'silo_f',
  'silo_g',
  'silo_h',
  'silo_i',
  'silo_j',
  'silo_k',
  'silo_l',
  'silo_m',
  'lq_tetes',
  'lq_fml',
] as const;

export type SiloTag = (typeof SILO_TAGS)[number];

/** Kilograms by silo tag; a silo that says nothing is absent. */
export type SiloWeights = Partial<Record<SiloTag, number>>;

/** One line of a silo map. */
export interface Silo {
  tag: SiloTag;
  /** Odoo's equipment code, exact case: any other key in an update counts as an error there (exchange 103). */
  code: string;
  /** What people call it. */
  label: string;
  enabled: boolean;
}

const isTag = (tag: string): tag is SiloTag => (SILO_TAGS as readonly string[]).includes(tag);

/** The number that the tables keep beside a silo (silo_a int = 101 …, lq114, lq115). */
export const siloNumber = (tag: SiloTag): number => 101 + SILO_TAGS.indexOf(tag);

/** The column that holds this number: silo_a … silo_m, lq114, lq115. */
export const siloNumberColumn = (tag: SiloTag): string => (tag.startsWith('lq_') ? `lq${siloNumber(tag)}` : tag);

/** The map that a new silo-map node starts with: silo_a ↔ silo101 … lq_fml ↔ lq115, all switched on. */
export const DEFAULT_SILOS: readonly Silo[] = SILO_TAGS.map((tag) => ({
  tag,
  code: `${tag.startsWith('lq_') ? 'lq' : 'silo'}${siloNumber(tag)}`,
  label: tag.replace('_', ' ').toUpperCase(),
  enabled: true,
}));

/** The silos in use, looked up by tag and by code. */
export class SiloMap {
  readonly enabled: readonly Silo[];
  readonly #byTag: ReadonlyMap<string, Silo>;
  readonly #byCode: ReadonlyMap<string, Silo>;

  /** @throws Error naming the line, when a tag is unknown or a tag or code stands twice. */
  constructor(silos: readonly { tag: string; code: string; label?: string; enabled?: boolean }[] = DEFAULT_SILOS) {
    const enabled: Silo[] = [];
    for (const { tag, code, label, enabled: on = true } of silos) {
      if (!on) continue;
      if (!isTag(tag)) throw new Error(`silo-map: unknown silo tag "${tag}"; known are ${SILO_TAGS.join(', ')}`);
      if (!code) throw new Error(`silo-map: ${tag} has no Odoo equipment code; enter it or switch the silo off`);
      if (enabled.some((other) => other.tag === tag)) throw new Error(`silo-map: ${tag} stands twice`);
      if (enabled.some((other) => other.code === code)) throw new Error(`silo-map: code ${code} stands twice`);
      enabled.push({ tag, code, label: label || tag, enabled: true });
    }
    this.enabled = enabled;
    this.#byTag = new Map(enabled.map((silo) => [silo.tag, silo]));
    this.#byCode = new Map(enabled.map((silo) => [silo.code, silo]));
  }

  byTag(tag: string): Silo | undefined {
    return this.#byTag.get(tag);
  }

  byCode(code: string): Silo | undefined {
    return this.#byCode.get(code);
  }
}
