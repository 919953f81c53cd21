/** What a slot of a PLC can turn out to be, and what is plausible. */
import type { Reading } from '../domain/reading';
import type { SiloMap, SiloTag } from '../domain/silos';
import type { WeightField } from './slot-layout';
import type { SlotProblem } from './slot-problem';

/**
 * A reading of this adapter: `falling` names the silos that weigh less than in the slot's last reading of the order;
 * `may_be_cut`: the MO id fills its field, so that a longer one would show as another order's.
 */
export interface SlotReading extends Reading {
  falling?: SiloTag[];
  may_be_cut?: true;
  /** A time that the PLC keeps beside the batch, as its clock says: shown, never judged. */
  plc_time?: string;
}

/** A breach with what the PLC said: the decoded value (NaN and infinities as text, for JSON) and the field's bytes. */
export interface FieldProblem extends SlotProblem {
  field: string;
  value: number | boolean | string;
  /** hex */
  raw: string;
}

/** A slot that was refused whole. */
export interface Rejection {
  slot: number;
  /** null when the id itself cannot be relied on. */
  mo_id: string | null;
  problems: FieldProblem[];
  /** The slot's bytes, hex. */
  raw: string;
  /** ISO 8601, UTC. */
  read_at: string;
  /** It was told before and shows the same: not told again. */
  repeated?: true;
}

/** What is weighed of a batch. */
export type Figures = Pick<Reading, 'consumption' | 'actual_weight_quantity_finished_goods'>;

/** What a slot holds; an empty one (no MO id, nothing weighed, not complete) says nothing. */
export type SlotOutcome =
  | { kind: 'empty' }
  | { kind: 'reading'; reading: SlotReading; raw: Buffer; mo_id_raw: Buffer }
  | {
      kind: 'rejected';
      rejection: Rejection;
      /** The figures of a batch without a readable MO id, as far as they are plausible. */
      unnamed?: Figures & { status_manufacturing: boolean };
    };

/** The highest plausible weights in kg: `silo` holds for every silo without an own limit. */
export type Limits = Partial<Record<WeightField, number>>;
export const DEFAULT_LIMITS = { silo: 5000, actual_weight_quantity_finished_goods: 10_000_000 } as const;

export interface Guards {
  limits?: Limits;
  /** What an MO id must match besides MO_ID_PATTERN, which the store asks of every reading. */
  moIdPattern?: string | RegExp;
  /** A weight that is no further from 0 than this counts as 0 (kg, default 0): scales at rest show −0.2. */
  zeroBand?: number;
  /** What the materials of a list of positions mean. */
  silos?: SiloMap;
}
