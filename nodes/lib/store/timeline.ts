/** What happened to an order, line by line. */
import { componentNames, silosIn, type SiloTag } from '../domain/silos';
import { type AuditedRow, changesIn, FINISHED, iso, kgIn, object, siloOf, textIn, type TrailEvent } from './changes';
import { phrase, type Said } from './phrase';

/** One line of the timeline: an event, and the silo of which it changed something. */
export interface TimelineEntry {
  at: string;
  /** Kind of the event, e.g. changed, push, archived. */
  event: string;
  batch_no: number | null;
  line: string;
  source: string;
  /** '': the event as a whole. */
  silo: SiloTag;
  /** The label that people gave the silo, if they did. */
  label?: string;
  component: string;
  /** kg before and after: as the row held them, or with a push as sent; null: nothing was said. */
  before: number | null;
  kg: number | null;
  /** kg that Odoo confirmed with this push. */
  confirmed: number | null;
  outcome: string;
  said: Said;
}

/** What the events so far said of one row. */
interface SoFar {
  changed?: TrailEvent;
  sent: Partial<Record<string, number>>;
  confirmed: Partial<Record<string, number>>;
}

type Line = Partial<Omit<TimelineEntry, 'at' | 'event' | 'batch_no' | 'line' | 'component' | 'source'>>;

/** Every event of the order, one line for each silo that it changed, one at least. */
export function timelineOf(rows: readonly AuditedRow[], events: readonly TrailEvent[]): TimelineEntry[] {
  const byId = new Map<string | null, AuditedRow>(rows.map((row) => [row.id, row]));
  const toldOf = new Map<string | null, SoFar>();
  return events.flatMap((event) => {
    const { at, batch_id, kind, line, detail } = event;
    const sofar = toldOf.get(batch_id) ?? { sent: {}, confirmed: {} };
    toldOf.set(batch_id, sofar);
    const row = byId.get(batch_id);
    const told = kind === 'changed' ? changedLines(sofar, event) : kind === 'push' ? pushLines(sofar, event) : [];
    const lines: Line[] = told.length > 0 ? told : [{ said: saidBy(event) }];
    return lines.map(({ silo = '', ...more }) => ({
      ...{ at: iso(at), event: kind, batch_no: row?.batch_no ?? null, line, source: textIn(detail.source), silo },
      ...{ component: (row && componentNames(row)[silo]) ?? '', before: null, kg: null, confirmed: null },
      ...{ outcome: textIn(detail.conclusion), said: [], ...more },
    }));
  });
}

function changedLines(sofar: SoFar, event: TrailEvent): Line[] {
  const changes = changesIn(event, sofar.changed);
  sofar.changed = event;
  return changes.map(({ column, before, after, known }) => {
    const silo = siloOf(column);
    const what = column === FINISHED ? 'finished-goods' : after ? 'completed' : 'not-completed';
    const said = [...(silo ? [] : [phrase(what)]), ...(known ? [] : [phrase('may-be-older')])];
    return { silo, before: kgIn(before), kg: kgIn(after), said };
  });
}

/** A push carries the whole set each time: told is what differs from what was sent, and confirmed, before. */
function pushLines(sofar: SoFar, event: TrailEvent): Line[] {
  const [sent, confirmed] = [object<number>(event.detail.sent), object<number>(event.detail.confirmed)];
  const lines = silosIn(sent, confirmed)
    .filter(
      (silo) =>
        (sent[silo] !== undefined && sent[silo] !== sofar.sent[silo]) ||
        (confirmed[silo] !== undefined && confirmed[silo] !== sofar.confirmed[silo]),
    )
    .map((silo): Line => ({
      ...{ silo, before: sofar.sent[silo] ?? null, kg: sent[silo] ?? null, confirmed: confirmed[silo] ?? null },
      said: reasonOf(event),
    }));
  Object.assign(sofar.sent, sent);
  Object.assign(sofar.confirmed, confirmed);
  return lines.length > 0 && event.detail.done ? [...lines, { said: saidBy(event) }] : lines;
}

function reasonOf({ detail }: TrailEvent): Said {
  const reason = textIn(detail.reason);
  if (detail.set_aside) return [phrase('set-aside', { reason })];
  return reason ? [reason] : [];
}

/** What an event says as a whole. */
function saidBy(event: TrailEvent): Said {
  const { kind, detail } = event;
  switch (kind) {
    case 'queued':
      return [phrase('planned', { kg: kgIn(detail.consumption) ?? '?' })];
    case 'taken-over':
      return [phrase('taken-over')];
    case 'changed':
      return detail.renamed_from ? [phrase('renamed', { name: textIn(detail.renamed_from) })] : [];
    case 'push': {
      const { state, finished } = object(detail.done);
      if (detail.done) return [phrase('read-back', { state: textIn(state), kg: kgIn(finished) ?? '?' })];
      const reason = reasonOf(event);
      return reason.length > 0 ? reason : [phrase('same-values')];
    }
    case 'handed':
    case 'offered':
    case 'taken':
    case 'withdrawn':
    case 'withdraw':
    case 'handover-asked':
      return handedOver(detail);
    case 'replanned':
      return [phrase('replanned', { kg: kgIn(object(detail.before).consumption) ?? '?' })];
    case 'never-handed':
      return [phrase('never-handed', { slot: textIn(detail.slot) })];
    case 'belongs-to':
      return [
        phrase('belongs-to', { told: textIn(detail.told), mo_id: textIn(detail.belongs_to) }),
        ...decided(detail),
      ];
    case 'finished-weight':
      return [phrase('sent-finished', { kg: kgIn(detail.kg) ?? '?' }), ...decided(detail)];
    default:
      return decided(detail);
  }
}

/** Why an order was wanted back. */
const BACK: Readonly<Record<string, Said>> = {
  plan: [phrase('back-plan')],
  person: [phrase('back-person')],
  closed: [phrase('back-closed')],
};

/** Where an order stood in the PLC, why it was wanted back, and what a person was asked. */
function handedOver({ slot, back, problem }: TrailEvent['detail']): Said {
  return [
    ...(slot == null ? [] : [phrase('order-slot', { slot: textIn(slot) })]),
    ...(BACK[textIn(back)] ?? []),
    ...(problem ? [phrase(`handover.${textIn(problem)}`)] : []),
  ];
}

/** What was decided or found, why, and by whom. */
function decided(detail: TrailEvent['detail']): Said {
  const stored = [detail.status, detail.reason, detail.note].map(textIn).filter(Boolean).join(': ');
  const by = textIn(detail.by);
  return [...(stored ? [stored] : []), ...(by ? [phrase('by', { by })] : [])];
}
