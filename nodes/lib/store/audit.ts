/**
 * What the trail of one order tells about each silo: planned, read, sent and confirmed, when and by whom; and line by line
 * what happened. Times come from the events alone: a figure that no event explains has none.
 */
import { siloFigures, type SiloFigures } from '../domain/batch';
import { labelled, SiloMap, type SiloNames } from '../domain/silos';
import { sumForOdoo } from '../domain/weight';
import { type AuditedRow, changesOf, iso, object, READ, textIn, type TrailEvent } from './changes';
import { type Phrase, phrase, type Said } from './phrase';
import { type TimelineEntry, timelineOf } from './timeline';

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

export interface Audit {
  audit: SiloAudit[];
  /** Sums over the silos (kg), each weight rounded as Odoo keeps it. */
  totals: { planned: number; read: number; sent: number; confirmed: number };
  /** Oldest first. */
  timeline: TimelineEntry[];
  /** What the figures cannot tell, and which other rows the order has. */
  notes: Said;
}

/**
 * The audit of one order.
 * @param trail its row in the queue or null, its rows in the history and its events, each oldest first
 * @param silos what people call them; without it they are called by their tags
 */
export function auditOf(
  {
    batch,
    history,
    events,
  }: {
    batch: AuditedRow | null;
    history: readonly AuditedRow[];
    events: readonly TrailEvent[];
  },
  silos: SiloNames = new SiloMap([]),
): Audit {
  const rows = batch ? [...history, batch] : history;
  const row = rows.at(-1);
  const audit = row ? siloFigures(row).map((figures) => labelled(explained(row, figures, events), silos)) : [];
  const sum = (key: keyof Audit['totals']): number => sumForOdoo(audit.map((silo) => silo[key]));
  return {
    audit,
    totals: { planned: sum('planned'), read: sum('read'), sent: sum('sent'), confirmed: sum('confirmed') },
    timeline: timelineOf(rows, events).map((entry) => labelled(entry, silos)),
    notes: row ? notesOn(row, rows.slice(0, -1), audit, events, silos) : [],
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
    outcome: textIn(push?.detail.conclusion),
    reason: textIn(push?.detail.reason),
    confirmed_at: confirmation ? iso(confirmation.at) : null,
  };
}

function notesOn(
  row: AuditedRow,
  earlier: readonly AuditedRow[],
  audit: readonly SiloAudit[],
  events: readonly TrailEvent[],
  silos: SiloNames,
): Said {
  const timeless = audit.filter(
    ({ planned, planned_at, read, read_at, sent, sent_at, confirmed, confirmed_at }) =>
      (planned !== null && !planned_at) ||
      (read !== null && !read_at) ||
      (sent !== null && !sent_at) ||
      (confirmed !== null && !confirmed_at),
  );
  const untimed = phrase('untimed', {
    silos: timeless.map(({ silo }) => silos.name(silo)).join(', '),
    why: [phrase(whyUntimed(row, events))],
  });
  return [...unsettledOn(row, silos), ...(timeless.length > 0 ? [untimed] : []), ...earlier.map(earlierRow)];
}

function whyUntimed(row: AuditedRow, events: readonly TrailEvent[]): string {
  if (!row.queued_at) return 'untimed-taken-over';
  return events.some(({ batch_id }) => batch_id === row.id) ? 'untimed-past-the-queue' : 'untimed-by-age';
}

function earlierRow({ batch_no, status = 'queued', archived_at, notes }: AuditedRow): Phrase {
  const when = archived_at ? [phrase('earlier-at', { at: iso(archived_at) })] : [];
  return phrase('earlier-row', { batch_no, status, when, note: notes ? `: ${notes}` : '' });
}

/** A call by hand that nobody knows the outcome of. */
function unsettledOn({ pending_call }: AuditedRow, silos: SiloNames): Phrase[] {
  const { consumption = {}, finished, mark_done, at } = pending_call ?? {};
  const sent: (Phrase | string)[] = Object.entries(consumption).map(([silo, kg]) => `${silos.name(silo)} ${kg} kg`);
  if (finished !== undefined) sent.push(phrase('sent-finished', { kg: finished }));
  if (mark_done) sent.push('mark-done');
  return sent.length > 0 ? [phrase('unsettled', { at: at ?? '', sent })] : [];
}
