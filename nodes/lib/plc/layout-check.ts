/**
 * Whether slots can be read by a layout at all: every fault of its settings and rows, as a value; the words are the shell's.
 */
import {
  fault,
  type Fault,
  inRange,
  type KnownSilos,
  type LayoutFault,
  type LayoutProblem,
  MAX_BLOCK_BYTES,
} from './layout-fault';
import { overlaps } from './layout-overlap';
import { placeFaults } from './layout-place';
import { rowFaults } from './layout-row';
import { isSilo, type SlotField, type SlotLayout, slotBytes, slotStart } from './slot-layout';

export type { KnownSilos, LayoutFault, LayoutProblem } from './layout-fault';

const MAX_SLOTS = 64;
/** Rows of one field: of a weight, several that are marked as its parts; of anything else one. */
const isTwice = (row: SlotField, earlier: SlotField): boolean =>
  row.field === earlier.field && !(row.part === true && earlier.part === true);

/** What is missing in the table as a whole. */
function missing(fields: readonly SlotField[]): Omit<LayoutProblem, 'row'>[] {
  const has = (wanted: string): boolean => fields.some(({ field }) => field === wanted);
  const problems = ['mo_id', 'status_manufacturing']
    .filter((field) => !has(field))
    .map((field) => ({ field, ...fault('missing') }));
  for (const [one, other] of [
    ['position_material', 'position_weight'],
    ['position_weight', 'position_material'],
  ] as const)
    if (has(one) && !has(other)) problems.push({ field: other, ...fault('missing') });
  if (!fields.some(({ field }) => isSilo(field)) && !has('position_weight'))
    problems.push({ field: 'fields', ...fault('noSilo') });
  return problems;
}

/** What a kind of slot asks of its rows. */
interface RowRules {
  row: (row: SlotField) => { unplaced?: Fault; faults: Fault[] };
  isTwice: (row: SlotField, earlier: SlotField) => boolean;
  /** Why two rows cannot lie as they do. */
  meeting: (earlier: SlotField, row: SlotField) => LayoutFault | undefined;
}

/** Checks settings and rows of a layout. @returns every problem, those of the rows in their order */
export function checkLayout(layout: SlotLayout, rules: RowRules): LayoutProblem[] {
  const { db, base, stride, slots, fields } = layout;
  const problems: LayoutProblem[] = [];
  const settings = [
    ['db', db, 1, 65_535],
    ['base', base, 0, MAX_BLOCK_BYTES - 1],
    ['stride', stride, 1, MAX_BLOCK_BYTES],
    ['slots', slots, 1, MAX_SLOTS],
  ] as const;
  for (const [field, value, least, most] of settings)
    if (!inRange(value, least, most))
      problems.push({ row: null, field, ...fault('setting', { value: String(value), least, most }) });
  const end = slotStart(layout, slots) + slotBytes(layout);
  if (problems.length === 0 && end > MAX_BLOCK_BYTES)
    problems.push({ row: null, field: 'slots', ...fault('block', { slots, end, most: MAX_BLOCK_BYTES }) });

  const sound: number[] = [];
  fields.forEach((row, index) => {
    const place = { row: index + 1, field: row.field };
    const { unplaced, faults } = rules.row(row);
    const found = unplaced ? [unplaced] : [...faults, ...placeFaults(row, layout)];
    const twin = fields.findIndex((earlier, at) => at < index && rules.isTwice(row, earlier));
    if (twin >= 0) found.push(fault('twice', { other: twin + 1 }));
    problems.push(...found.map((one) => ({ ...place, ...one })));
    // Offsets of a row that is itself unsound prove nothing about its neighbours.
    if (found.length > 0) return;
    for (const other of sound) {
      const earlier = fields[other]!;
      const meeting = rules.meeting(earlier, row);
      if (meeting) problems.push({ ...place, ...fault(meeting, { other: other + 1, otherField: earlier.field }) });
    }
    sound.push(index);
  });
  return problems;
}

/**
 * Checks a layout before anything is read with it.
 * @param silos the silos in use; undefined: not known yet
 * @returns every problem, those of the rows in their order
 */
export function validateLayout(layout: SlotLayout, silos: KnownSilos | undefined): LayoutProblem[] {
  const problems = checkLayout(layout, {
    row: (row) => rowFaults(row, silos),
    isTwice,
    meeting: (earlier, row) => (overlaps(earlier, row, layout) ? 'overlap' : undefined),
  });
  return [...problems, ...missing(layout.fields).map((problem) => ({ row: null, ...problem }))];
}

/** A layout that cannot be read with; whoever shows it has the words. */
export class LayoutError extends Error {
  override readonly name = 'LayoutError';

  constructor(readonly problems: readonly LayoutProblem[]) {
    const list = problems.map(({ fault, row, field }) => `${row === null ? field : `row ${row} (${field})`}: ${fault}`);
    super(`The slot layout is not valid: ${list.join('; ')}`);
  }
}
