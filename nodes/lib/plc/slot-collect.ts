/** Gathers what the fields of one slot say, with everything that is wrong about it. */
import { MO_ID_PATTERN } from '../domain/reading';
import { silosByMaterial } from '../domain/silo-material';
import { type SiloTag } from '../domain/silos';
import { roundDecoded } from '../domain/weight';
import type { Decoded } from './decoded';
import { DEFAULT_LIMITS, type FieldProblem, type Guards, type Marks, type SlotReading } from './slot-outcome';
import { type SlotField, type WeightField } from './slot-layout';
import { problem, type SlotProblem } from './slot-problem';
import { flagOf, isOnWhenBlank, kgOf, orderOf } from './slot-meaning';
import { type ImageField } from './slot-places';

const FINISHED = 'actual_weight_quantity_finished_goods';

/** Why a weight (kg, settled) is not plausible, or undefined. */
function weightProblem(kg: number, limit: number): SlotProblem | undefined {
  if (!Number.isFinite(kg)) return problem('not-finite');
  if (kg < 0) return problem('negative');
  return kg > limit ? problem('above-limit', { limit }) : undefined;
}

const shown = (value: Decoded['value']): FieldProblem['value'] =>
  typeof value === 'number' && !Number.isFinite(value) ? String(value) : value;

/** One position of a list: what it names, and what it weighs. */
interface Position {
  row?: SlotField;
  material?: Decoded;
  kg?: number;
}

export class Collected {
  readonly reading: SlotReading;
  readonly marks: Marks = {};
  readonly problems: FieldProblem[] = [];
  moIdRaw: Buffer;
  /** No number can be read. */
  numberless = false;
  /** Something was weighed, or the slot says so. */
  weighed = false;
  readonly #guards: Guards;
  readonly #positions = new Map<number, Position>();
  /** Complete by a value that memory has that nobody wrote. */
  #completeWhenBlank = false;

  constructor(slot: number, bytes: Buffer, readAt: Date, guards: Guards) {
    this.#guards = guards;
    this.moIdRaw = bytes;
    this.reading = {
      slot,
      mo_id: '',
      status_manufacturing: false,
      status_operation: false,
      actual_weight_quantity_finished_goods: null,
      consumption: {},
      read_at: readAt.toISOString(),
    };
  }

  take(row: ImageField, decoded: Decoded): void {
    const { field } = row;
    if (field === 'mo_id') this.#takeOrder(row, decoded);
    else if (field === 'status_manufacturing' || field === 'status_operation') this.#takeFlag(row, field, decoded);
    else if (field === 'acknowledged') this.#takeAcknowledged(row, decoded);
    else if (field === 'counter') this.marks.counter = Number(decoded.value);
    else if (field === 'plc_time') this.reading.plc_time = String(decoded.value);
    else if (field === 'position_material') this.#position(row).material = decoded;
    else this.#takeWeight(row, field, decoded);
  }

  /** What only the whole slot says, after its last field. @param fields of the layout */
  finish(fields: readonly SlotField[]): void {
    const { enabled = [] } = this.#guards.silos ?? {};
    const byMaterial = silosByMaterial(enabled);
    for (const position of this.#positions.values()) this.#takePosition(position, byMaterial);
    // A list says of every silo that it does not name that it gave nothing.
    if (fields.some(({ field }) => field === 'position_weight'))
      for (const { tag } of enabled) this.reading.consumption[tag] ??= 0;
    // Where blank memory means complete, an order that has just been entered is no completed one.
    if (this.#completeWhenBlank && !this.weighed) this.reading.status_manufacturing = false;
  }

  #refuse({ field }: SlotField, { value, raw }: Decoded, found: SlotProblem): void {
    this.problems.push({ field, ...found, value: shown(value), raw: raw.toString('hex') });
  }

  #takeOrder(row: SlotField, decoded: Decoded): void {
    const { moIdPattern = MO_ID_PATTERN } = this.#guards;
    const { name, problem: unfit } = decoded.problem ? { name: String(decoded.value) } : orderOf(row, decoded);
    this.moIdRaw = decoded.raw;
    this.numberless = decoded.headless ?? (name === '' && !decoded.problem);
    this.reading.mo_id = name;
    if (decoded.full && name !== '') this.reading.may_be_cut = true;
    const wellFormed = [MO_ID_PATTERN, moIdPattern].every((pattern) => new RegExp(pattern).test(name));
    const malformed = wellFormed || this.numberless ? undefined : problem('bad-order');
    const found = decoded.problem ?? unfit ?? malformed;
    if (found) this.#refuse(row, decoded, found);
  }

  #takeFlag(row: SlotField, field: 'status_manufacturing' | 'status_operation', decoded: Decoded): void {
    const on = flagOf(row, decoded.value);
    const found = decoded.problem ?? (on === undefined ? problem('bad-status') : undefined);
    if (found) this.#refuse(row, decoded, found);
    this.reading[field] = on === true;
    if (field !== 'status_manufacturing') return;
    if (on === true && isOnWhenBlank(row) && Number(decoded.value) === 0) this.#completeWhenBlank = true;
    else if (on !== false) this.weighed = true;
  }

  /** A bit that says "acknowledged" also before there was anything to acknowledge tells nothing. */
  #takeAcknowledged(row: SlotField, { value }: Decoded): void {
    if (!isOnWhenBlank(row)) this.marks.acknowledged = flagOf(row, value) === true;
  }

  #takeWeight(row: ImageField, field: WeightField | 'position_weight', decoded: Decoded): void {
    const kg = this.#settle(kgOf(row, decoded.value));
    if (!(kg <= 0)) this.weighed = true;
    const limit = field === 'position_weight' ? Infinity : this.#limitOf(field);
    const found = decoded.problem ?? weightProblem(kg, limit);
    if (found) this.#refuse(row, decoded, found);
    else if (field === 'position_weight') Object.assign(this.#position(row), { row, kg });
    else this.#add(row, field, kg, decoded);
  }

  /** Parts of one silo add up. */
  #add(row: SlotField, field: WeightField, kg: number, decoded: Decoded): void {
    const { reading } = this;
    const before = field === FINISHED ? reading[FINISHED] : reading.consumption[field];
    const sum = roundDecoded((before ?? 0) + kg);
    const limit = this.#limitOf(field);
    if (sum > limit) this.#refuse(row, decoded, problem('sum-above-limit', { sum, limit }));
    else if (field === FINISHED) reading[FINISHED] = sum;
    else reading.consumption[field] = sum;
  }

  #limitOf(field: WeightField): number {
    const { limits = {} } = this.#guards;
    return limits[field] ?? (field === FINISHED ? DEFAULT_LIMITS[field] : (limits.silo ?? DEFAULT_LIMITS.silo));
  }

  #position({ index = 0 }: ImageField): Position {
    const position = this.#positions.get(index) ?? {};
    this.#positions.set(index, position);
    return position;
  }

  /** A position weighs what its material's silo gave; one that weighs nothing may name anything. */
  #takePosition({ row, material, kg }: Position, byMaterial: ReadonlyMap<string, SiloTag>): void {
    if (!row || !material || !kg) return;
    const tag = byMaterial.get(String(material.value));
    if (tag && !material.problem) this.#add(row, tag, kg, material);
    else
      this.#refuse(
        { ...row, field: 'position_material' },
        material,
        material.problem ?? problem('no-material', { kg }),
      );
  }

  /** A weight as it is judged and kept: 3 decimals, 0 within the zero band (kg). */
  #settle(kg: number): number {
    const rounded = roundDecoded(kg);
    return Math.abs(rounded) <= (this.#guards.zeroBand ?? 0) ? 0 : rounded;
  }
}
