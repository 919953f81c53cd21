import type { SlotProblem } from './slot-problem';

/** A field's value as it stands in the PLC; `problem` says why it cannot be read as one. */
export interface Decoded {
  value: number | boolean | string;
  problem?: SlotProblem;
  /** A STRING that nobody has ever given a header, with characters in it all the same. */
  headless?: true;
  /** A text that fills its place in the PLC: a longer one would be cut. */
  full?: true;
}
