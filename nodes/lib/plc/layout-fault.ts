/** A fault of a slot layout, as a value: what is wrong, in which row, and what the words for it need. */
import type { SiloMap } from '../domain/silos';

/** A data block with standard access holds at most 64 KB (S7-1200/1500 system manual). */
export const MAX_BLOCK_BYTES = 65_536;

export const inRange = (value: unknown, min: number, max: number): boolean =>
  Number.isInteger(value) && (value as number) >= min && (value as number) <= max;

/** What can be wrong with a layout; the words are in the locale of plc-consumption-read, under `layout`. */
export type LayoutFault =
  | 'setting'
  | 'block'
  | 'field'
  | 'unknownType'
  | 'length'
  | 'bit'
  | 'offset'
  | 'text'
  | 'notText'
  | 'type'
  | 'scale'
  | 'unscaled'
  | 'unused'
  | 'beyond'
  | 'odd'
  | 'oddStride'
  | 'twice'
  | 'overlap'
  | 'missing'
  | 'noSilo'
  | 'bitNumber'
  | 'values'
  | 'meaning'
  | 'unit'
  | 'prefix'
  | 'width'
  | 'ownPlace'
  | 'ownBlock'
  | 'list'
  | 'listPair'
  | 'part'
  /** An order slot has neither `taken` nor an echo: nobody could know what the PLC has. */
  | 'noAnswer'
  /** Where both sides write into one byte, one takes back what the other has written. */
  | 'sharedByte';

export interface LayoutProblem {
  fault: LayoutFault;
  /** Number of the row in the field table, from 1; null: of none. */
  row: number | null;
  /** The field of that row, a field that is missing, or the setting. */
  field: string;
  /** What the words need beside row and field. */
  values: Record<string, string | number>;
}

export type Fault = Pick<LayoutProblem, 'fault' | 'values'>;
export const fault = (name: LayoutFault, values: LayoutProblem['values'] = {}): Fault => ({ fault: name, values });

/** The silos in use, as far as a layout asks for them. */
export type KnownSilos = Pick<SiloMap, 'byTag'>;
