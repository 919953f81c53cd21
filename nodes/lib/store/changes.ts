/** A row, and what the events of mo_events tell about its values: every change of them is an event. */
import type { Batch } from '../domain/batch';
import { SILO_COLUMNS, silosIn, type SiloTag } from '../domain/silos';

/** A row of the queue or of the history, as far as an audit reads it. */
export type AuditedRow = Omit<Batch, 'state'> & {
  /** null: taken over from the replaced system. */
  queued_at?: Date | null;
  status?: string;
  notes?: string | null;
  archived_at?: Date | null;
};

/** A line of mo_events. */
export interface TrailEvent {
  at: Date;
  batch_id: string | null;
  line: string;
  kind: string;
  detail: Record<string, unknown>;
}

/** A change of a row's silo, as one event tells it. `known` is false where it may have been so before the event. */
export interface Change {
  at: string;
  column: string;
  before: unknown;
  after: unknown;
  source: string;
  known: boolean;
}

export const FINISHED = 'actual_weight_quantity_finished_goods';
export const LOCKED = 'status_manufacturing';
/** A change names every silo as if it had a column of its own. */
export const READ = SILO_COLUMNS.actual.of;
const OF_SILO = READ('');
/** The silo of a column; '': it is of none. */
export const siloOf = (column: string): SiloTag => (column.startsWith(OF_SILO) ? column.slice(OF_SILO.length) : '');
/** The silos of a change, by tag. */
const weightsOf = (values: object): object =>
  Object.fromEntries(Object.entries(values).flatMap(([column, kg]) => (siloOf(column) ? [[siloOf(column), kg]] : [])));

// What a detail holds, as far as it is of the kind that is asked for.
export const object = <T>(value: unknown = {}): Partial<Record<string, T>> => value as Partial<Record<string, T>>;
export const textIn = (value: unknown): string => (typeof value === 'string' ? value : '');
export const kgIn = (value: unknown): number | null => (typeof value === 'number' ? value : null);
export const iso = (at: Date): string => new Date(at).toISOString();

/** What one event changed of a row's values. Every change is an event, so that two following ones tell all. */
export function changesIn({ at, detail }: TrailEvent, last: TrailEvent | undefined): Change[] {
  const [before, after] = [object(last?.detail.values), object(detail.values)];
  // Else events between are missing: deleted by age, never written (taken over), or kept under another name of the order.
  const known = detail.revision === Number(last?.detail.revision ?? 0) + 1;
  const differs = (column: string): boolean =>
    column === LOCKED ? Boolean(before[column]) !== Boolean(after[column]) : before[column] !== after[column];
  const silos = silosIn(...[before, after].map(weightsOf)).map(READ);
  return [...silos, FINISHED, LOCKED].filter(differs).map((column) => {
    const change = { column, before: before[column], after: after[column] };
    return { at: iso(at), ...change, source: textIn(detail.source), known };
  });
}

export function changesOf(events: readonly TrailEvent[]): Change[] {
  const changed = events.filter(({ kind }) => kind === 'changed');
  return changed.flatMap((event, n) => changesIn(event, changed[n - 1]));
}
