import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { auditOf } from '../../../nodes/lib/store/audit';
import type { AuditedRow, TrailEvent } from '../../../nodes/lib/store/changes';
import type { TimelineEntry } from '../../../nodes/lib/store/timeline';
import { auditInWords } from '../../../nodes/mo-batch-store/audit-words';
import { wordsOf } from '../../support/words';

const ROW = '00000000-0000-4000-8000-000000000001';
const time = (minute: number): string => new Date(Date.UTC(2026, 2, 2, 8, minute)).toISOString();

const row = (more: object = {}): AuditedRow =>
  ({
    ...{ id: ROW, mo_id: 'WH/MO/00001', batch_no: 7, queued_at: new Date(time(0)) },
    ...{ component_silo_a_name: 'Pollard', consumption_silo_a: 825, actual_consumption_silo_a: 825.5 },
    ...{ sent_consumption: { silo_a: 825.5 }, confirmed_consumption: { silo_a: 825.5 }, ...more },
  }) as AuditedRow;

const event = (minute: number, kind: string, detail: object = {}, batch_id: string | null = ROW): TrailEvent => ({
  ...{ at: new Date(time(minute)), batch_id, line: 'PLC01', kind, detail: detail as Record<string, unknown> },
});
const changed = (minute: number, revision: number, silo_a: number, source = 'plc', more: object = {}): TrailEvent =>
  event(minute, 'changed', { source, revision, values: { actual_consumption_silo_a: silo_a, ...more } });
const pushed = (
  minute: number,
  sent: object,
  more: object = { conclusion: 'confirmed', confirmed: sent },
): TrailEvent => event(minute, 'push', { sent, ...more });

const QUEUED = event(0, 'queued', { batch_no: 7, consumption: 2500 });
const told = (trail: Parameters<typeof auditOf>[0]) => auditInWords(wordsOf('mo-batch-store'), auditOf(trail));
const auditOfRow = (of: AuditedRow, ...events: TrailEvent[]) => told({ batch: of, history: [], events });

describe('a figure has the time of the event that led to it', () => {
  const CASES: Record<string, { row?: object; events: TrailEvent[]; expected: object }> = {
    'read, sent, confirmed': {
      events: [QUEUED, changed(1, 1, 400), changed(2, 2, 825.5), pushed(3, { silo_a: 825.5 })],
      expected: {
        ...{ planned_at: time(0), read_at: time(2), source: 'plc', sent_at: time(3), confirmed_at: time(3) },
        ...{ outcome: 'confirmed', reason: '' },
      },
    },
    'an event that changed another value': {
      events: [QUEUED, changed(1, 1, 825.5), changed(2, 2, 825.5, 'plc', { actual_consumption_silo_b: 1 })],
      expected: { read_at: time(1), source: 'plc' },
    },
    'corrected by hand': {
      events: [QUEUED, changed(1, 1, 800), changed(2, 2, 825.5, 'manual')],
      expected: { read_at: time(2), source: 'manual' },
    },
    'written by SQL': {
      events: [QUEUED, changed(1, 1, 800), changed(2, 2, 825.5, 'sql')],
      expected: { read_at: time(2), source: 'sql' },
    },
    'the last push failed': {
      row: { confirmed_consumption: null },
      events: [
        changed(1, 1, 825.5),
        pushed(2, { silo_a: 825.5 }, { conclusion: 'unavailable', reason: 'not reachable' }),
        pushed(3, { silo_a: 825.5 }, { conclusion: 'unknown-outcome', reason: 'no answer in 30 s' }),
      ],
      expected: { sent_at: time(3), outcome: 'unknown-outcome', reason: 'no answer in 30 s', confirmed_at: null },
    },
    'a push that carried another silo only': {
      events: [changed(1, 1, 825.5), pushed(2, { silo_a: 825.5 }), pushed(3, { silo_b: 1 })],
      expected: { sent_at: time(2), confirmed_at: time(2) },
    },
  };
  for (const [name, { row: more = {}, events, expected }] of Object.entries(CASES)) {
    test(name, () => {
      const [silo] = auditOfRow(row(more), ...events).audit;
      assert.deepEqual({ ...silo, ...expected }, silo);
      assert.deepEqual([silo?.component, silo?.planned, silo?.read, silo?.sent], ['Pollard', 825, 825.5, 825.5]);
    });
  }
});

describe('a time that no event tells is not invented', () => {
  const CASES: Record<string, { row?: object; events: TrailEvent[]; read_at?: string; note: RegExp }> = {
    'taken over from the replaced system': {
      row: { queued_at: null, sent_consumption: null, confirmed_consumption: null },
      events: [event(0, 'taken-over')],
      note: /without a time \(silo_a\): .*taken over/,
    },
    'taken over, then read: it may have held the value before': {
      row: { queued_at: null, sent_consumption: null, confirmed_consumption: null },
      events: [event(0, 'taken-over'), changed(1, 2, 825.5)],
      note: /taken over/,
    },
    'all events deleted by age': { events: [], note: /its events were deleted by age/ },
    'the first events deleted by age': {
      events: [changed(5, 9, 825.5), pushed(6, { silo_a: 825.5 })],
      note: /no event that is kept leads to them/,
    },
    'events between kept under another name': {
      events: [changed(1, 1, 825), changed(5, 4, 825.5), pushed(6, { silo_a: 825.5 })],
      note: /no event that is kept leads to them/,
    },
    'the history changed by SQL': {
      row: { actual_consumption_silo_a: 999 },
      events: [changed(1, 1, 825.5), pushed(2, { silo_a: 825.5 })],
      note: /changed past the queue/,
    },
  };
  for (const [name, { row: more = {}, events, note }] of Object.entries(CASES)) {
    test(name, () => {
      const { audit, notes } = auditOfRow(row(more), ...events);
      assert.equal(audit[0]?.read_at, null);
      assert.equal(audit[0]?.source, '');
      assert.match(notes.join('\n'), note);
    });
  }

  test('a change after the oldest event that is kept is known all the same', () => {
    const { audit, notes } = auditOfRow(row(), changed(5, 9, 800), changed(6, 10, 825.5), pushed(7, { silo_a: 825.5 }));
    assert.equal(audit[0]?.read_at, time(6));
    assert.deepEqual(notes, []);
  });
});

describe('the timeline', () => {
  const lines = (events: TrailEvent[], of = row()): string[] =>
    auditOfRow(of, ...events).timeline.map(({ event: kind, source, silo, before, kg, confirmed, outcome, text }) =>
      [kind, source, silo, before, kg, confirmed, outcome, text].join(' | '),
    );

  test('has one line for each event and silo that it changed', () => {
    const events = [
      QUEUED,
      changed(1, 1, 400, 'plc', { actual_consumption_silo_b: 5, status_manufacturing: false }),
      pushed(2, { silo_a: 400, silo_b: 5 }, { conclusion: 'unavailable', reason: 'not reachable' }),
      changed(3, 2, 825.5, 'plc', {
        ...{ actual_consumption_silo_b: 5, actual_weight_quantity_finished_goods: 2500, status_manufacturing: true },
      }),
      pushed(
        4,
        { silo_a: 825.5, silo_b: 5 },
        {
          ...{ conclusion: 'confirmed', confirmed: { silo_a: 825.5, silo_b: 5 } },
          ...{ done: { state: 'done', finished: 2500 } },
        },
      ),
      event(5, 'archived', { status: 'completed', note: '' }),
    ];
    assert.deepEqual(lines(events), [
      'queued |  |  |  |  |  |  | planned 2500 kg of finished goods',
      'changed | plc | silo_a |  | 400 |  |  | ',
      'changed | plc | silo_b |  | 5 |  |  | ',
      'push |  | silo_a |  | 400 |  | unavailable | not reachable',
      'push |  | silo_b |  | 5 |  | unavailable | not reachable',
      'changed | plc | silo_a | 400 | 825.5 |  |  | ',
      'changed | plc |  |  | 2500 |  |  | finished goods',
      'changed | plc |  |  |  |  |  | completed: locked',
      'push |  | silo_a | 400 | 825.5 | 825.5 | confirmed | ',
      'push |  | silo_b | 5 | 5 | 5 | confirmed | ',
      'push |  |  |  |  |  | confirmed | read back as "done", 2500 kg finished',
      'archived |  |  |  |  |  |  | completed',
    ]);
  });

  test('tells an event that changed no silo in one line', () => {
    const again = { conclusion: 'order-cancelled', reason: 'cancelled in Odoo', set_aside: true };
    const events = [
      pushed(1, { silo_a: 5 }),
      pushed(2, { silo_a: 5 }),
      pushed(3, { silo_a: 5 }, again),
      event(4, 'retry'),
      changed(5, 1, 5),
      event(6, 'changed', {
        source: 'sql',
        revision: 2,
        renamed_from: 'WH/MO/00009',
        values: { actual_consumption_silo_a: 5 },
      }),
      event(7, 'archived', { status: 'cancelled', note: 'broken' }),
    ];
    assert.deepEqual(lines(events).slice(1), [
      'push |  |  |  |  |  | confirmed | the same values as before',
      'push |  |  |  |  |  | order-cancelled | set aside: cancelled in Odoo',
      'retry |  |  |  |  |  |  | ',
      'changed | plc | silo_a |  | 5 |  |  | ',
      'changed | sql |  |  |  |  |  | the row named WH/MO/00009 before',
      'archived |  |  |  |  |  |  | cancelled: broken',
    ]);
  });

  test('says where a value may be older than the oldest event', () => {
    assert.match(lines([changed(5, 9, 825.5)])[0] ?? '', /825\.5 .*oldest event that is kept/);
  });

  test('keeps two rows of one order apart, names their batches, and the last row gives the figures', () => {
    const earlier = '00000000-0000-4000-8000-000000000002';
    const first = row({
      ...{ id: earlier, batch_no: 3, status: 'failed', notes: 'scale broken', archived_at: new Date(time(2)) },
      ...{ actual_consumption_silo_a: 700, sent_consumption: null, confirmed_consumption: null },
    });
    const other = event(
      1,
      'changed',
      { source: 'plc', revision: 1, values: { actual_consumption_silo_a: 700 } },
      earlier,
    );
    const events = [other, changed(5, 1, 825.5), pushed(6, { silo_a: 825.5 }), event(7, 'discarded', {}, null)];
    const { audit, timeline, notes } = told({ batch: null, history: [first, row({ status: 'completed' })], events });
    assert.equal(audit[0]?.read_at, time(5));
    const kept = ({ batch_no, before, kg }: Omit<TimelineEntry, 'said'>) => [batch_no, before, kg];
    assert.deepEqual(timeline.map(kept), [
      [3, null, 700],
      [7, null, 825.5],
      [7, null, 825.5],
      [null, null, null],
    ]);
    assert.deepEqual(notes, [`an earlier row of this order: batch 3, failed at ${time(2)}: scale broken`]);
  });
});

test('totals add what each silo shows, rounded as Odoo keeps it', () => {
  const more = { consumption_silo_b: 0.1, actual_consumption_silo_b: 0.205, actual_consumption_silo_c: 0.2 };
  const { totals } = auditOfRow(row(more));
  assert.deepEqual(totals, { planned: 825.1, read: 825.91, sent: 825.5, confirmed: 825.5 });
});

test('an order that nobody knows has an empty audit', () => {
  assert.deepEqual(told({ batch: null, history: [], events: [] }), {
    audit: [],
    totals: { planned: 0, read: 0, sent: 0, confirmed: 0 },
    timeline: [],
    notes: [],
  });
});
