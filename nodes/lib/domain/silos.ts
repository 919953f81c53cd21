/**
 * Silos: how a weight is named in a reading and in the tables (tag), in Odoo (equipment code) and to people (label), and where
 * a row keeps what it says of one.
 */

/** The tags that the tables have columns of their own for, in their order. A plant may have any number of further ones. */
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

export type ColumnTag = (typeof SILO_TAGS)[number];

/** One of those fifteen, or a further one: see SILO_TAG_PATTERN. */
export type SiloTag = string;

/** A tag is a key beside these in slots, order slots and tellings. */
const RESERVED = [
  'silo',
  'mo_id',
  'status_manufacturing',
  'status_operation',
  'acknowledged',
  'counter',
  'finished',
  'position_material',
  'position_weight',
  'plc_time',
  ...['number', 'batch_no', 'bill', 'product', 'planned', 'ready', 'taken', 'echo'],
];

/** What every silo's tag looks like. */
export const SILO_TAG_PATTERN = `^(?!(?:${RESERVED.join('|')}|.*_number)$)[a-z][a-z0-9_]{0,30}$`;

export const isSiloTag = (tag: string): boolean => new RegExp(SILO_TAG_PATTERN).test(tag);

/** Kilograms by silo tag; a silo that says nothing is absent. */
export type SiloWeights = Partial<Record<ColumnTag, number>> & Partial<Record<SiloTag, number>>;

/** One line of a silo map. */
export interface Silo {
  tag: SiloTag;
  /** Odoo's equipment code, exact case: any other key in an update counts as an error there (exchange 103). */
  code: string;
  /** What people call it. */
  label: string;
  enabled: boolean;
}

/** Whether it is one of the fifteen. */
export const hasColumns = (tag: SiloTag): tag is ColumnTag => (SILO_TAGS as readonly string[]).includes(tag);

/** What a row says of each silo: the fifteen in a column each, further ones in one JSON column beside those. */
export const SILO_COLUMNS = {
  component: { of: <T extends string>(tag: T) => `component_${tag}_name` as const, further: 'more_component_names' },
  planned: { of: <T extends string>(tag: T) => `consumption_${tag}` as const, further: 'more_consumption' },
  actual: {
    of: <T extends string>(tag: T) => `actual_consumption_${tag}` as const,
    further: 'more_actual_consumption',
  },
} as const;

/** Per silo: name of the component, planned kg, actual kg. */
export type SiloColumns = { [T in ColumnTag as `component_${T}_name`]?: string | null } & {
  [T in ColumnTag as `consumption_${T}`]?: number | null;
} & { [T in ColumnTag as `actual_consumption_${T}`]?: number | null } & {
  more_component_names?: Record<SiloTag, string> | null;
  more_consumption?: SiloWeights | null;
  more_actual_consumption?: SiloWeights | null;
};

/** What a row says of its silos, by tag; those that it says nothing about are absent. */
const keptBy =
  <T extends Partial<Record<SiloTag, string | number>>>(what: keyof typeof SILO_COLUMNS) =>
  (row: SiloColumns): T => {
    const { of, further } = SILO_COLUMNS[what];
    const kept = Object.entries({ ...row[further] }).sort(([one], [other]) => bySiloOrder(one, other));
    const own = SILO_TAGS.map((tag) => [tag, row[of(tag)]] as const);
    return Object.fromEntries([...own, ...kept].filter(([, value]) => value != null)) as T;
  };

/** Names of the components by silo tag. */
export const componentNames = keptBy<Record<SiloTag, string>>('component');

/** Planned kg per silo; silos without a plan are absent. */
export const plannedWeights = keptBy<SiloWeights>('planned');

/** Actual kg per silo; silos that nothing was said about are absent. */
export const actualWeights = keptBy<SiloWeights>('actual');

/** The columns that keep this. */
export function siloColumns(said: { component: Record<SiloTag, string>; planned: SiloWeights }): SiloColumns {
  const columns: Record<string, unknown> = {};
  for (const what of ['component', 'planned'] as const) {
    const { of, further } = SILO_COLUMNS[what];
    const entries = Object.entries(said[what]);
    for (const [tag, value] of entries) if (hasColumns(tag)) columns[of(tag)] = value;
    const beside = entries.filter(([tag]) => !hasColumns(tag));
    if (beside.length > 0) columns[further] = Object.fromEntries(beside);
  }
  return columns;
}

/** The fifteen first, further ones as people count: bin_9 before bin_10. */
function bySiloOrder(one: SiloTag, other: SiloTag): number {
  const place = (tag: SiloTag): number => (hasColumns(tag) ? SILO_TAGS.indexOf(tag) : SILO_TAGS.length);
  return place(one) - place(other) || one.localeCompare(other, 'en', { numeric: true });
}

/** The silos that any of these say something about, in order. */
export const silosIn = (...said: (object | null | undefined)[]): SiloTag[] =>
  [...new Set(said.flatMap((bySilo) => Object.keys(bySilo ?? {})))].sort(bySiloOrder);

/** The number that the tables keep beside a silo (silo_a int = 101 …, lq114, lq115). */
export const siloNumber = (tag: ColumnTag): number => 101 + SILO_TAGS.indexOf(tag);

/** The column that holds this number: silo_a … silo_m, lq114, lq115. */
export const siloNumberColumn = (tag: ColumnTag): string => (tag.startsWith('lq_') ? `lq${siloNumber(tag)}` : tag);

const defaultLabel = (tag: SiloTag): string => tag.replace('_', ' ').toUpperCase();
/** Whether it says no more than the tag: "SILO A", "Silo A". */
const isDefault = (tag: SiloTag, label: string): boolean => label.toUpperCase() === defaultLabel(tag);

/** The map that a new silo-map node starts with: silo_a ↔ silo101 … lq_fml ↔ lq115, all switched on. */
export const DEFAULT_SILOS: readonly Silo[] = SILO_TAGS.map((tag) => ({
  tag,
  code: `${tag.startsWith('lq_') ? 'lq' : 'silo'}${siloNumber(tag)}`,
  label: defaultLabel(tag),
  enabled: true,
}));

/** The silos in use, looked up by tag and by code. */
export class SiloMap {
  readonly enabled: readonly Silo[];
  readonly #byTag: ReadonlyMap<string, Silo>;
  readonly #byCode: ReadonlyMap<string, Silo>;
  /** Of silos that are not in use, too. */
  readonly #labels: ReadonlyMap<string, string>;

  /** @throws Error naming the line, when a tag is none, or a tag or code stands twice. */
  constructor(silos: readonly { tag: string; code: string; label?: string; enabled?: boolean }[] = DEFAULT_SILOS) {
    const enabled: Silo[] = [];
    for (const { tag, code, label, enabled: on = true } of silos) {
      if (!on) continue;
      if (!isSiloTag(tag))
        throw new Error(`silo-map: "${tag}" is no silo tag: a small letter first, then small letters, digits and _`);
      if (!code) throw new Error(`silo-map: ${tag} has no Odoo equipment code; enter it or switch the silo off`);
      if (enabled.some((other) => other.tag === tag)) throw new Error(`silo-map: ${tag} stands twice`);
      if (enabled.some((other) => other.code === code)) throw new Error(`silo-map: code ${code} stands twice`);
      enabled.push({ tag, code, label: label || tag, enabled: true });
    }
    this.enabled = enabled;
    this.#byTag = new Map(enabled.map((silo) => [silo.tag, silo]));
    this.#byCode = new Map(enabled.map((silo) => [silo.code, silo]));
    this.#labels = new Map(
      silos.flatMap(({ tag, label }) => (label && !isDefault(tag, label) ? [[tag, label] as const] : [])),
    );
  }

  byTag(tag: string): Silo | undefined {
    return this.#byTag.get(tag);
  }

  byCode(code: string): Silo | undefined {
    return this.#byCode.get(code);
  }

  /** The label that people gave; undefined: none, or the one that a new map starts with. */
  label(tag: SiloTag): string | undefined {
    return this.#labels.get(tag);
  }

  /** What people read: the label that they gave; the tag while they gave none. */
  name(tag: SiloTag): string {
    return this.label(tag) ?? tag;
  }
}

/** What people call the silos. */
export type SiloNames = Pick<SiloMap, 'label' | 'name'>;

/** What is told of a silo, with the label that people gave it, if they did. */
export function labelled<Told extends { silo: SiloTag }>(told: Told, silos: SiloNames): Told & { label?: string } {
  const label = silos.label(told.silo);
  return label ? { ...told, label } : told;
}
