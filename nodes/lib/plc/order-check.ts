/** Whether orders can be handed over by a layout at all: every fault of its settings and rows, as a value. */
import { checkLayout } from './layout-check';
import { fault, type Fault, type KnownSilos, type LayoutProblem } from './layout-fault';
import { shapeFault } from './layout-row';
import {
  isHandshake,
  isOrderWeight,
  isPlan,
  ORDER_FIELDS,
  ORDER_FLAGS,
  ORDER_TEXTS,
  ORDER_TYPES,
  orderFieldByte,
  orderFieldBytes,
  type OrderField,
  type OrderLayout,
} from './order-layout';
import { isText } from './slot-types';

const isOrderText = (field: string): boolean => (ORDER_TEXTS as readonly string[]).includes(field);
const isFlag = (field: string): boolean => [...ORDER_FLAGS, 'ready', 'taken'].includes(field);

/** Whether a field can be of a type. */
function typeFault({ field, type }: OrderField): Fault | undefined {
  if (isOrderText(field)) return isText(type) ? undefined : fault('type', { type });
  if (isText(type)) return fault('notText', { type });
  if (type === 'BOOL') return isFlag(field) ? undefined : fault('type', { type });
  return type === 'REAL' && !isOrderWeight(field) ? fault('type', { type }) : undefined;
}

function faultsOf(row: OrderField, silos: KnownSilos | undefined): { unplaced?: Fault; faults: Fault[] } {
  const { field, scale } = row;
  const known = (ORDER_FIELDS as readonly string[]).includes(field) || (silos ? silos.byTag(field) : isPlan(field));
  const unplaced = known ? shapeFault(row, ORDER_TYPES) : fault('field');
  if (unplaced) return { unplaced, faults: [] };
  const faults = [typeFault(row)].flatMap((wrong) => wrong ?? []);
  if (scale !== undefined && !(Number.isFinite(scale) && scale > 0)) faults.push(fault('scale', { scale }));
  else if (scale !== undefined && scale !== 1 && !isOrderWeight(field)) faults.push(fault('unscaled'));
  return { faults };
}

/** The bytes that a row takes: bits of one byte may lie side by side, unless both sides write into it. */
function meeting(one: OrderField, other: OrderField): 'overlap' | 'sharedByte' | undefined {
  const [from, to] = [orderFieldByte(one), orderFieldByte(one) + orderFieldBytes(one)];
  const [start, end] = [orderFieldByte(other), orderFieldByte(other) + orderFieldBytes(other)];
  if (from >= end || start >= to) return undefined;
  if (isHandshake(one) || isHandshake(other)) return 'sharedByte';
  return one.type === 'BOOL' && other.type === 'BOOL' && one.offset !== other.offset ? undefined : 'overlap';
}

/** What nobody could hand over without. */
function missing({ fields }: OrderLayout): LayoutProblem[] {
  const has = (name: string): boolean => fields.some(({ field }) => field === name);
  const problems = ['number', 'ready']
    .filter((field) => !has(field))
    .map((field) => ({ row: null, field, ...fault('missing') }));
  if (!has('taken') && !has('echo')) problems.push({ row: null, field: 'taken', ...fault('noAnswer') });
  return problems;
}

/**
 * Checks a layout before anything is written by it.
 * @param silos the silos in use; undefined: not known yet. A row of one that is switched off is no fault: its plan is 0
 * @returns every problem, those of the rows in their order
 */
export function validateOrderLayout(layout: OrderLayout, silos: KnownSilos | undefined): LayoutProblem[] {
  const problems = checkLayout(layout, {
    row: (row) => faultsOf(row as OrderField, silos),
    isTwice: (row, earlier) => row.field === earlier.field,
    meeting: (earlier, row) => meeting(earlier as OrderField, row as OrderField),
  });
  return [...problems, ...missing(layout)];
}
