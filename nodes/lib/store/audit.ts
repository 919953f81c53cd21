/**
 * What the trail of one order tells about each silo: planned, read, sent and confirmed, when and by whom; and line by line
 * what happened. Times come from the events alone: a figure that no event explains has none.
 */
import { type Batch, siloFigures, type SiloFigures } from '../domain/batch';
import { SILO_TAGS, type SiloTag } from '../domain/silos';
import { sumForOdoo } from '../domain/weight';

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

/** The four figures of one silo (kg), each with its time (ISO 8601; null: no event tells it). */
export interface SiloAudit extends SiloFigures {
  planned_at: string | null;
  read_at: string | null;
  /** Who gave the figure under `read`: 'plc', 'manual' (the manual API) or 'sql'; '' when no event tells it. */
  source: string;
  sent_at: string | null;
  /** Conclusion of the last push that carried the figure under `sent`, and its reason ('' when confirmed). */
  outcome: string;
  reason: string;
  confirmed_at: string | null;
}

/** One line of the timeline: an event, and the silo of which it changed something. */
export interface TimelineEntry {
  at: string;
  /** Kind of the event, e.g. changed, push, archived. */
  event: string;
  batch_no: number | null;
  line: string;
  source: string;
  silo: SiloTag | '';
  component: string;
  /** kg before and after: as the row held them, or with a push as sent; null: nothing was said. */
  before: number | null;
  kg: number | null;
  /** kg that Odoo confirmed with this push. */
  confirmed: number | null;
  outcome: string;
  text: string;
}

export interface Audit {
  audit: SiloAudit[];
  /** Sums over the silos (kg), each weight rounded as Odoo keeps it. */
  totals: { planned: number; read: number; sent: number; confirmed: number };
  /** Oldest first. */
  timeline: TimelineEntry[];
  /** What the figures cannot tell, and which other rows the order has. */
  notes: string[];
}

/** A change of a row's silo, as one event tells it. `known` is false where it may have been so before the event. */
interface Change {
  at: string;
  column: string;
  before: unknown;
  after: unknown;
  source: string;
  known: boolean;
}

const FINISHED = 'actual_weight_quantity_finished_goods';
const LOCKED = 'status_manufacturing';
const READ = (silo: SiloTag): string => `actual_consumption_${silo}`;

const object = <T>(value: unknown = {}): Partial<Record<string, T>> => value as Partial<Record<string, T>>;
const words = (value: unknown): string => (typeof value === 'string' ? value : '');
const iso = (at: Date): string => new Date(at).toISOString();
const kg = (value: unknown): number | null => (typeof value === 'number' ? value : null);

/**
 * The audit of one order.
 * @param trail its row in the queue or null, its rows in the history and its events, each oldest first
 */
export function auditOf({
  batch,
  history,
  events,
}: {
  batch: AuditedRow | null;
  history: readonly AuditedRow[];
  events: readonly TrailEvent[];
}): Audit {
  const rows = batch ? [...history, batch] : history;
  const row = rows.at(-1);
  const audit = row ? siloFigures(row).map((figures) => explained(row, figures, events)) : [];
  const sum = (key: keyof Audit['totals']): number => sumForOdoo(audit.map((silo) => silo[key]));
  return {
    audit,
    totals: { planned: sum('planned'), read: sum('read'), sent: sum('sent'), confirmed: sum('confirmed') },
    timeline: timelineOf(rows, events),
    notes: row ? notesOn(row, rows.slice(0, -1), audit, events) : [],
  };
}

/** The figures of one silo with what the events of its row tell of them. */
function explained(row: AuditedRow, figures: SiloFigures, events: readonly TrailEvent[]): SiloAudit {
  const { silo, planned, read, sent, confirmed } = figures;
  const own = events.filter(({ batch_id }) => batch_id === row.id);
  // The last change has to lead to the figure: else it was written past the events, and nobody knows when.
  const change = changesOf(own).findLast(({ column }) => column === READ(silo));
  const told = read !== null && change?.known && change.after === read ? change : undefined;
  const carrying = (key: 'sent' | 'confirmed', figure: number | null): TrailEvent | undefined => {
    const last = own.findLast(({ kind, detail }) => kind === 'push' && object(detail[key])[silo] !== undefined);
    return figure !== null && object(last?.detail[key])[silo] === figure ? last : undefined;
  };
  const [push, confirmation] = [carrying('sent', sent), carrying('confirmed', confirmed)];
  return {
    ...figures,
    planned_at: planned !== null && row.queued_at ? iso(row.queued_at) : null,
    read_at: told?.at ?? null,
    source: told?.source ?? '',
    sent_at: push ? iso(push.at) : null,
    outcome: words(push?.detail.conclusion),
    reason: words(push?.detail.reason),
    confirmed_at: confirmation ? iso(confirmation.at) : null,
  };
}

/** What one event changed of a row's values. Every change is an event, so that two following ones tell all. */
function changesIn({ at, detail }: TrailEvent, last: TrailEvent | undefined): Change[] {
  const [before, after] = [object(last?.detail.values), object(detail.values)];
  // Else events between are missing: deleted by age, never written (taken over), or kept under another name of the order.
  const known = detail.revision === Number(last?.detail.revision ?? 0) + 1;
  const differs = (column: string): boolean =>
    column === LOCKED ? Boolean(before[column]) !== Boolean(after[column]) : before[column] !== after[column];
  return [...SILO_TAGS.map(READ), FINISHED, LOCKED].filter(differs).map((column) => {
    const change = { column, before: before[column], after: after[column] };
    return { at: iso(at), ...change, source: words(detail.source), known };
  });
}

function changesOf(events: readonly TrailEvent[]): Change[] {
  const changed = events.filter(({ kind }) => kind === 'changed');
  return changed.flatMap((event, n) => changesIn(event, changed[n - 1]));
}

/** What the events so far said of one row. */
interface Said {
  changed?: TrailEvent;
  sent: Partial<Record<string, number>>;
  confirmed: Partial<Record<string, number>>;
}

type Line = Partial<Omit<TimelineEntry, 'at' | 'event' | 'batch_no' | 'line' | 'component' | 'source'>>;

/** Every event of the order, one line for each silo that it changed, one at least. */
function timelineOf(rows: readonly AuditedRow[], events: readonly TrailEvent[]): TimelineEntry[] {
  const byId = new Map<string | null, AuditedRow>(rows.map((row) => [row.id, row]));
  const saidOf = new Map<string | null, Said>();
  return events.flatMap((event) => {
    const { at, batch_id, kind, line, detail } = event;
    const said = saidOf.get(batch_id) ?? { sent: {}, confirmed: {} };
    saidOf.set(batch_id, said);
    const row = byId.get(batch_id);
    const told = kind === 'changed' ? changedLines(said, event) : kind === 'push' ? pushLines(said, event) : [];
    const lines: Line[] = told.length > 0 ? told : [{ text: textOf(event) }];
    return lines.map(({ silo = '', ...more }) => ({
      ...{ at: iso(at), event: kind, batch_no: row?.batch_no ?? null, line, source: words(detail.source), silo },
      ...{ component: (silo && row?.[`component_${silo}_name`]) || '', before: null, kg: null, confirmed: null },
      ...{ outcome: words(detail.conclusion), text: '', ...more },
    }));
  });
}

function changedLines(said: Said, event: TrailEvent): Line[] {
  const changes = changesIn(event, said.changed);
  said.changed = event;
  return changes.map(({ column, before, after, known }) => {
    const silo = SILO_TAGS.find((tag) => READ(tag) === column) ?? '';
    const what = silo ? '' : column === FINISHED ? 'finished goods' : after ? 'completed: locked' : 'not completed';
    const doubt = known ? '' : 'the oldest event that is kept: the value may be older';
    return { silo, before: kg(before), kg: kg(after), text: [what, doubt].filter(Boolean).join('; ') };
  });
}

/** A push carries the whole set each time: told is what differs from what was sent, and confirmed, before. */
function pushLines(said: Said, event: TrailEvent): Line[] {
  const [sent, confirmed] = [object<number>(event.detail.sent), object<number>(event.detail.confirmed)];
  const lines = SILO_TAGS.filter(
    (silo) =>
      (sent[silo] !== undefined && sent[silo] !== said.sent[silo]) ||
      (confirmed[silo] !== undefined && confirmed[silo] !== said.confirmed[silo]),
  ).map((silo): Line => ({
    ...{ silo, before: said.sent[silo] ?? null, kg: sent[silo] ?? null, confirmed: confirmed[silo] ?? null },
    text: reasonOf(event),
  }));
  Object.assign(said.sent, sent);
  Object.assign(said.confirmed, confirmed);
  return lines.length > 0 && event.detail.done ? [...lines, { text: textOf(event) }] : lines;
}

const reasonOf = ({ detail }: TrailEvent): string => `${detail.set_aside ? 'set aside: ' : ''}${words(detail.reason)}`;

/** What an event says as a whole. */
function textOf(event: TrailEvent): string {
  const { kind, detail } = event;
  const done = object(detail.done);
  switch (kind) {
    case 'queued':
      return `planned ${kg(detail.consumption) ?? '?'} kg of finished goods`;
    case 'taken-over':
      return 'taken over from the replaced system';
    case 'changed':
      return detail.renamed_from ? `the row named ${words(detail.renamed_from)} before` : '';
    case 'push':
      return detail.done
        ? `read back as "${words(done.state)}", ${kg(done.finished) ?? '?'} kg finished`
        : reasonOf(event) || 'the same values as before';
    default:
      return [detail.status, detail.reason, detail.note].map(words).filter(Boolean).join(': ');
  }
}

function notesOn(
  row: AuditedRow,
  earlier: readonly AuditedRow[],
  audit: readonly SiloAudit[],
  events: readonly TrailEvent[],
): string[] {
  const timeless = audit.filter(
    ({ planned, planned_at, read, read_at, sent, sent_at, confirmed, confirmed_at }) =>
      (planned !== null && !planned_at) ||
      (read !== null && !read_at) ||
      (sent !== null && !sent_at) ||
      (confirmed !== null && !confirmed_at),
  );
  const why = !row.queued_at
    ? 'the row was taken over from the replaced system, which kept none'
    : events.some(({ batch_id }) => batch_id === row.id)
      ? 'no event that is kept leads to them (deleted by age, or the table was changed past the queue)'
      : 'its events were deleted by age';
  const others = earlier.map(({ batch_no, status, archived_at, notes }) => {
    const when = archived_at ? ` at ${iso(archived_at)}` : '';
    return `an earlier row of this order: batch ${batch_no}, ${status ?? 'queued'}${when}${notes ? `: ${notes}` : ''}`;
  });
  const { consumption = {}, finished, mark_done, at } = row.pending_call ?? {};
  const sent = Object.entries(consumption).map(([silo, kg]) => `${silo} ${kg} kg`);
  if (finished !== undefined) sent.push(`finished goods ${finished} kg`);
  if (mark_done) sent.push('mark-done');
  const unsettled =
    sent.length > 0
      ? [`unsettled since ${at ?? ''}: a call by hand sent ${sent.join(', ')}, and nobody knows whether Odoo has it`]
      : [];
  const untimed = `figures without a time (${timeless.map(({ silo }) => silo).join(', ')}): ${why}`;
  return [...unsettled, ...(timeless.length > 0 ? [untimed] : []), ...others];
}
