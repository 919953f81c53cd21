/** What a slot may say: the guards of a node, worked out once for all its slots. */
import { MO_ID_PATTERN } from '../domain/reading';
import { silosByMaterial } from '../domain/silo-material';
import { type SiloTag } from '../domain/silos';
import { roundDecoded } from '../domain/weight';
import { type SlotFieldName } from './slot-layout';
import { DEFAULT_LIMITS, type Guards } from './slot-outcome';
import { problem, type SlotProblem } from './slot-problem';

const FINISHED = 'actual_weight_quantity_finished_goods';
const ANY_ORDER = new RegExp(MO_ID_PATTERN);
/** No weight on its own is too much for a position: the sum of its silo may be. */
const OF_POSITION = Infinity;

export class Plausible {
  /** The silos in use, and which of them a material number means. */
  readonly silos: readonly SiloTag[];
  readonly siloOf: ReadonlyMap<string, SiloTag>;
  readonly #limits: NonNullable<Guards['limits']>;
  readonly #zeroBand: number;
  readonly #order: RegExp | undefined;

  constructor({ limits = {}, moIdPattern, zeroBand = 0, silos }: Guards) {
    this.#limits = limits;
    this.#zeroBand = zeroBand;
    this.#order = moIdPattern === undefined ? undefined : new RegExp(moIdPattern);
    const { enabled = [] } = silos ?? {};
    this.silos = enabled.map(({ tag }) => tag);
    this.siloOf = silosByMaterial(enabled);
  }

  /** Whether an order may have this name. */
  isOrder(name: string): boolean {
    return ANY_ORDER.test(name) && this.#order?.test(name) !== false;
  }

  /** The highest weight of a field (kg). */
  limitOf(field: SlotFieldName): number {
    if (field === 'position_weight') return OF_POSITION;
    const { [field]: own, silo = DEFAULT_LIMITS.silo } = this.#limits;
    return own ?? (field === FINISHED ? DEFAULT_LIMITS[field] : silo);
  }

  /** A weight as it is judged and kept: 3 decimals, 0 within the zero band (kg). */
  settle(kg: number): number {
    const rounded = roundDecoded(kg);
    return Math.abs(rounded) <= this.#zeroBand ? 0 : rounded;
  }
}

/** Why a weight (kg, settled) is not plausible, or undefined. */
export function weightProblem(kg: number, limit: number): SlotProblem | undefined {
  if (!Number.isFinite(kg)) return problem('not-finite');
  if (kg < 0) return problem('negative');
  return kg > limit ? problem('above-limit', { limit }) : undefined;
}
