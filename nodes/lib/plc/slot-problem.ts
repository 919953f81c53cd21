/**
 * What can be wrong with a field of a slot: a code, and the values that belong to it. The words are the locale's
 * (`problem.<code>` of plc-consumption-read).
 */

/** Every code, and the one word of few that refused readings are counted by. */
const COUNTED_AS = {
  'not-finite': 'not-finite',
  negative: 'negative',
  /** limit: kg */
  'above-limit': 'above-limit',
  /** sum: of the parts of one silo, kg; limit: kg */
  'sum-above-limit': 'above-limit',
  'not-bcd': 'bad-number',
  /** Beyond 2^53. */
  'too-large': 'bad-number',
  /** kg: what it weighs */
  'no-material': 'bad-material',
  'bad-status': 'bad-status',
  'bad-order': 'bad-order',
  'not-ascii': 'bad-text',
  /** A STRING that nobody has ever given its two length bytes, with characters in it all the same. */
  'no-header': 'bad-text',
  /** current: characters of the text; read: as many as the layout says */
  'longer-text': 'bad-text',
  /** current: the length byte; maximum: of the STRING */
  'bad-length': 'bad-text',
  /** silos, finished: kg */
  'no-number': 'no-number',
  'no-number-complete': 'no-number',
  /** slots: their numbers */
  'two-slots': 'two-slots',
  /** silos, finished: kg */
  'left-slot': 'left-slot',
} as const;

export type SlotFault = keyof typeof COUNTED_AS;
export const SLOT_FAULTS = Object.keys(COUNTED_AS) as SlotFault[];

export interface SlotProblem {
  code: SlotFault;
  values: Readonly<Record<string, string | number>>;
}

export const problem = (code: SlotFault, values: SlotProblem['values'] = {}): SlotProblem => ({ code, values });

/** The word that a refused reading is counted by: that of its first problem. */
export const countedAs = ({ problems: [first] }: { problems: readonly SlotProblem[] }): string =>
  first ? COUNTED_AS[first.code] : 'other';
