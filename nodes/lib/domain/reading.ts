/**
 * A reading: what one slot of a PLC said about one manufacturing order. It is the shape at the store's input, so any PLC
 * node (OPC UA, Modbus, FINS …) can feed the store by building it.
 */
import { breaches, type Problem } from './schema';
import { SILO_TAG_PATTERN, silosIn, type SiloWeights } from './silos';
import { LARGEST_WEIGHT, roundDecoded } from './weight';

export interface Reading {
  /** Slot number, from 1; 0 when the source has no slots. */
  slot: number;
  /** The order's name in Odoo, e.g. WH/MO/00001. */
  mo_id: string;
  /** true: the batch is complete, the weights are final. */
  status_manufacturing: boolean;
  status_operation: boolean;
  /** kg of finished goods; null when the source does not tell. */
  actual_weight_quantity_finished_goods: number | null;
  /** kg by silo tag. */
  consumption: SiloWeights;
  /** When it was read, by the clock of whoever read it: ISO 8601, UTC. */
  read_at: string;
  /** Who read it, e.g. the S7 endpoint and data block; slots of one number in two sources are two slots. Absent: ''. */
  source?: string;
  /** The running reader (a uuid), and the number of this reading within it: they order its readings without a clock. */
  reader?: string;
  read_no?: number;
  /** The source told no time: read_at is when the reading arrived, which orders nothing. */
  undated?: boolean;
  /** The slot's own count of its batches, where the PLC keeps one: another number is another batch. */
  counter?: number;
  /** The slot's acknowledge bit as it was read. */
  acknowledged?: boolean;
  /** Complete at the first of two reads and gone at the second: told as running (status_manufacturing is false). */
  seen_once?: boolean;
  /** Why this reading is never applied by itself, only by a person: a code such as 'seen-once'. */
  hold?: string;
}

/** What a reading says about itself rather than about the batch: two readings that differ in these say the same. */
export const ABOUT_READING = [
  'slot',
  'read_at',
  'source',
  'reader',
  'read_no',
  'counter',
  'acknowledged',
  'hold',
  'undated',
] as const;

/**
 * Every name that Odoo can make of a sequence's prefix and suffix and that a PLC can tell: any characters (blanks, dots, '&',
 * parentheses, other scripts), a digit among them, because every sequence counts. A PLC's texts keep no blanks at their ends
 * and no control characters; 64 characters is the column's width. Two slashes in a row are a part that was left empty.
 */
export const MO_ID_PATTERN =
  '^(?=.{1,64}$)(?=.*\\d)(?!\\s)(?!.*//)[^\\x00-\\x1f\\x7f-\\x9f\\u2028\\u2029\\ud800-\\udfff]+(?<!\\s)$';

const weight = { type: 'number', minimum: 0, maximum: LARGEST_WEIGHT } as const;
const flag = { enum: [0, 1, true, false] } as const;

const readingSchema = {
  type: 'object',
  // Without a status a completed batch would pass for a running one for ever.
  required: ['mo_id', 'status_manufacturing', 'consumption'],
  properties: {
    slot: { type: 'integer', minimum: 0 },
    mo_id: { type: 'string', pattern: MO_ID_PATTERN },
    status_manufacturing: flag,
    status_operation: flag,
    actual_weight_quantity_finished_goods: { ...weight, nullable: true },
    consumption: {
      type: 'object',
      minProperties: 1,
      patternProperties: { [SILO_TAG_PATTERN]: weight },
      additionalProperties: false,
    },
    // A time without a zone would be taken for this machine's own.
    read_at: { anyOf: [{ type: 'string', pattern: '(Z|[+-]\\d\\d:?\\d\\d)$' }, { type: 'object' }] },
    source: { type: 'string', maxLength: 128 },
    reader: { type: 'string', minLength: 1, maxLength: 64 },
    read_no: { type: 'integer', minimum: 0 },
    counter: { type: 'number' },
    acknowledged: flag,
    seen_once: flag,
    hold: { type: 'string', pattern: '^[a-z][a-z0-9-]{0,31}$' },
  },
  // A number without its reader, or a reader without a number, orders nothing.
  dependencies: { reader: ['read_no'], read_no: ['reader'] },
};

const breachesOf = breaches(readingSchema);

/**
 * Checks one reading from a message and brings it into the one shape: 0/1 become booleans, weights 3 decimals, a missing
 * read_at the given time.
 * @returns the reading, or every breach with its field; never a partly repaired reading.
 */
export function checkReading(
  candidate: unknown,
  now: Date = new Date(),
): { reading: Reading; problems?: never } | { reading?: never; problems: Problem[] } {
  const problems = breachesOf(candidate);
  if (problems.length > 0) return { problems };
  const raw = candidate as Partial<Reading> & Pick<Reading, 'mo_id' | 'consumption'>;
  if (raw.seen_once && raw.status_manufacturing)
    return { problems: [{ field: 'seen_once', problem: 'contradicts status_manufacturing' }] };
  const readAt = raw.read_at === undefined ? now : new Date(raw.read_at);
  if (Number.isNaN(readAt.getTime())) return { problems: [{ field: 'read_at', problem: 'is not a time' }] };
  const consumption: SiloWeights = {};
  for (const tag of silosIn(raw.consumption)) consumption[tag] = roundDecoded(raw.consumption[tag] as number);
  const finished = raw.actual_weight_quantity_finished_goods;
  return {
    reading: {
      slot: raw.slot ?? 0,
      mo_id: raw.mo_id,
      status_manufacturing: Boolean(raw.status_manufacturing),
      status_operation: Boolean(raw.status_operation),
      actual_weight_quantity_finished_goods: finished == null ? null : roundDecoded(finished),
      consumption,
      read_at: readAt.toISOString(),
      ...aboutReading(raw),
    },
  };
}

/** The optional fields, those that were given. */
const aboutReading = ({ source, reader, read_no, counter, acknowledged, seen_once, hold }: Partial<Reading>) => ({
  ...(source ? { source } : {}),
  ...(reader !== undefined && read_no !== undefined ? { reader, read_no } : {}),
  ...(counter !== undefined ? { counter } : {}),
  ...(acknowledged !== undefined ? { acknowledged: Boolean(acknowledged) } : {}),
  ...(seen_once ? { seen_once: true } : {}),
  ...(hold ? { hold } : {}),
});

/** A reading that is no reading, with all that is wrong about it. */
export interface RefusedReading {
  /** As they were given, where they were. */
  slot?: unknown;
  mo_id?: unknown;
  problems: Problem[];
}

/**
 * Checks the readings of one message. Those that are wrong are refused, each with every breach; the others are not concerned.
 * Two readings of one order are both refused: there is no telling which is right.
 * @returns `problems`: what was refused and why, in words, by position; absent where nothing was
 */
export function checkReadings(candidates: readonly unknown[]): {
  readings: Reading[];
  refused: RefusedReading[];
  problems?: string;
} {
  const checked = candidates.map((candidate) => ({ candidate, ...checkReading(candidate) }));
  const times = new Map<string, number>();
  for (const { reading } of checked) if (reading) times.set(reading.mo_id, (times.get(reading.mo_id) ?? 0) + 1);
  const readings: Reading[] = [];
  const refused: RefusedReading[] = [];
  const told: string[] = [];
  for (const [index, { candidate, reading, problems = [] }] of checked.entries()) {
    if (reading && times.get(reading.mo_id) === 1) {
      readings.push(isDated(candidate) ? reading : { ...reading, undated: true });
      continue;
    }
    const breaches = reading ? [{ field: 'mo_id', problem: `${reading.mo_id} stands twice` }] : problems;
    const { slot, mo_id } = (candidate ?? {}) as { slot?: unknown; mo_id?: unknown };
    refused.push({
      ...(slot === undefined ? {} : { slot }),
      ...(mo_id === undefined ? {} : { mo_id }),
      problems: breaches,
    });
    told.push(...breaches.map(({ field, problem }) => `reading ${index + 1}: ${field} ${problem}`));
  }
  return { readings, refused, ...(told.length > 0 ? { problems: told.join('; ') } : {}) };
}

/** Whether the source gave the time: one that was filled in orders nothing. */
const isDated = (candidate: unknown): boolean => (candidate as Partial<Reading>).read_at !== undefined;
