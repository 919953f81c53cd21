/** Gathers what the fields of one slot say, with everything that is wrong about it. */
import { roundDecoded } from '../domain/weight';
import type { Decoded } from './decoded';
import { bytesOf } from './slot-decode';
import { type FieldProblem, type SlotReading } from './slot-outcome';
import { type SlotField, type WeightField } from './slot-layout';
import { problem, type SlotProblem } from './slot-problem';
import { flagOf, isOnWhenBlank, kgOf, orderOf } from './slot-meaning';
import { type ImageField } from './slot-places';
import { type Plausible, weightProblem } from './slot-plausible';

const FINISHED = 'actual_weight_quantity_finished_goods';

const shown = (value: Decoded['value']): FieldProblem['value'] =>
  typeof value === 'number' && !Number.isFinite(value) ? String(value) : value;

/** One position of a list: what it names, and what it weighs. */
interface Position {
  material?: { row: SlotField; decoded: Decoded };
  weight?: { row: SlotField; decoded: Decoded; kg: number };
}

export class Collected {
  readonly reading: SlotReading;
  readonly problems: FieldProblem[] = [];
  moIdRaw: Buffer;
  /** No number can be read. */
  numberless = false;
  /** Something was weighed, or the slot says so. */
  weighed = false;
  readonly #bytes: Buffer;
  readonly #plausible: Plausible;
  /** By their place in the list. */
  #positions: Position[] | undefined;
  /** Complete by a value that memory has that nobody wrote. */
  #completeWhenBlank = false;

  constructor(slot: number, bytes: Buffer, readAt: string, plausible: Plausible) {
    this.#bytes = bytes;
    this.#plausible = plausible;
    this.moIdRaw = bytes;
    this.reading = {
      slot,
      mo_id: '',
      status_manufacturing: false,
      status_operation: false,
      actual_weight_quantity_finished_goods: null,
      consumption: {},
      read_at: readAt,
    };
  }

  /** @param limit of a weight (kg) */
  take(row: ImageField, decoded: Decoded, limit: number): void {
    const { field } = row;
    if (field === 'mo_id') this.#takeOrder(row, decoded);
    else if (field === 'status_manufacturing' || field === 'status_operation') this.#takeFlag(row, field, decoded);
    else if (field === 'acknowledged') this.#takeAcknowledged(row, decoded);
    else if (field === 'counter') this.reading.counter = Number(decoded.value);
    else if (field === 'plc_time') this.reading.plc_time = String(decoded.value);
    else if (field === 'position_material') this.#position(row).material = { row, decoded };
    else this.#takeWeight(row, decoded, limit);
  }

  /** What only the whole slot says, after its last field. */
  finish(): void {
    if (this.#positions) {
      for (const position of this.#positions) this.#takePosition(position);
      // A list says of every silo that it does not name that it gave nothing.
      for (const tag of this.#plausible.silos) this.reading.consumption[tag] ??= 0;
    }
    // Where blank memory means complete, an order that has just been entered is no completed one.
    if (this.#completeWhenBlank && !this.weighed) this.reading.status_manufacturing = false;
  }

  #refuse(row: SlotField, { value }: Decoded, found: SlotProblem): void {
    const raw = bytesOf(this.#bytes, row).toString('hex');
    this.problems.push({ field: row.field, ...found, value: shown(value), raw });
  }

  #takeOrder(row: SlotField, decoded: Decoded): void {
    const { name, problem: unfit } = decoded.problem ? { name: String(decoded.value) } : orderOf(row, decoded);
    this.moIdRaw = bytesOf(this.#bytes, row);
    this.numberless = decoded.headless ?? (name === '' && !decoded.problem);
    this.reading.mo_id = name;
    if (decoded.full && name !== '') this.reading.may_be_cut = true;
    const malformed = this.numberless || this.#plausible.isOrder(name) ? undefined : problem('bad-order');
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
    if (!isOnWhenBlank(row)) this.reading.acknowledged = flagOf(row, value) === true;
  }

  #takeWeight(row: ImageField, decoded: Decoded, limit: number): void {
    const { field } = row;
    const kg = this.#plausible.settle(kgOf(row, decoded.value));
    if (!(kg <= 0)) this.weighed = true;
    const found = decoded.problem ?? weightProblem(kg, limit);
    if (found) this.#refuse(row, decoded, found);
    else if (field === 'position_weight') this.#position(row).weight = { row, decoded, kg };
    else this.#add(row, field, kg, decoded, limit);
  }

  /** Parts of one silo add up. */
  #add(row: SlotField, field: WeightField, kg: number, decoded: Decoded, limit: number): void {
    const { reading } = this;
    const before = field === FINISHED ? reading[FINISHED] : reading.consumption[field];
    const sum = before == null ? kg : roundDecoded(before + kg);
    if (sum > limit) this.#refuse(row, decoded, problem('sum-above-limit', { sum, limit }));
    else if (field === FINISHED) reading[FINISHED] = sum;
    else reading.consumption[field] = sum;
  }

  #position({ index = 0 }: ImageField): Position {
    const positions = (this.#positions ??= []);
    return (positions[index] ??= {});
  }

  /** A position weighs what its material's silo gave; one that weighs nothing may name anything. */
  #takePosition({ material, weight }: Position): void {
    if (!material || !weight || weight.kg === 0) return;
    const { value, problem: unreadable } = material.decoded;
    const tag = unreadable ? undefined : this.#plausible.siloOf.get(String(value));
    if (tag) this.#add(weight.row, tag, weight.kg, weight.decoded, this.#plausible.limitOf(tag));
    else this.#refuse(material.row, material.decoded, unreadable ?? problem('no-material', { kg: weight.kg }));
  }
}
