// Without an order: the page with its search field only. Output 1: page, output 2: CSV.
const trail = msg.payload;
const known = Boolean(trail && (trail.batch || trail.history.length > 0 || trail.held || trail.events.length > 0));
msg.statusCode = trail && !known ? 404 : 200;

const COLUMNS = {
  silos: [
    'mo_id',
    'silo',
    'component',
    'planned',
    'planned_at',
    'read',
    'read_at',
    'source',
    'sent',
    'sent_at',
    'outcome',
    'reason',
    'confirmed',
    'confirmed_at',
  ],
  timeline: [
    'mo_id',
    'at',
    'event',
    'batch_no',
    'line',
    'source',
    'silo',
    'component',
    'before',
    'kg',
    'confirmed',
    'outcome',
    'text',
  ],
};
const columns = Object.prototype.hasOwnProperty.call(COLUMNS, msg.csv) ? COLUMNS[msg.csv] : null;

if (known && columns) {
  // A spreadsheet would run a text that begins like a formula. Numbers stay numbers, with a decimal point.
  const cell = (value) => (typeof value === 'string' && /^[=+\-@\t\r]/.test(value) ? `'${value}` : (value ?? ''));
  const rows = msg.csv === 'silos' ? trail.audit : trail.timeline;
  // What people call the silos, where they gave a label: last, so that every other column keeps its place.
  if (rows.some(({ label }) => label)) columns.push('label');
  msg.payload = rows.map((row) =>
    Object.fromEntries(columns.map((column) => [column, cell(column === 'mo_id' ? msg.mo_id : row[column])])),
  );
  msg.columns = columns.join(',');
  const file = `${msg.mo_id}-${msg.csv}`.replace(/[^\w.-]+/g, '_');
  msg.headers = {
    'Content-Type': 'text/csv; charset=utf-8; header=present',
    'Content-Disposition': `attachment; filename="${file}.csv"`,
    'X-Content-Type-Options': 'nosniff',
    'Cache-Control': 'no-store',
  };
  return [null, msg];
}

// 2026-03-02 08:15:00 in the zone of this machine; two decimals at least: 825.500 could be read as 825 thousand.
const time = (at) => (at ? new Date(at).toLocaleString('sv-SE') : '');
const kg = (value) => {
  if (value === null || value === undefined) return '';
  return Number(value.toFixed(2)) === value ? value.toFixed(2) : String(value);
};
const row = known ? trail.batch || trail.history[trail.history.length - 1] : null;
const facts = row && [
  ['State', row.state || (row.status ? `archived as ${row.status}` : 'archived')],
  ['Reason', row.set_aside_reason || row.notes || row.last_reason],
  ['Product', row.finished_goods],
  ['Line', row.equipment_id_batch],
  ['Batch', row.batch_no],
  ['Planned', kg(row.consumption) && `${kg(row.consumption)} kg`],
  ['Finished', kg(row.actual_weight_quantity_finished_goods) && `${kg(row.actual_weight_quantity_finished_goods)} kg`],
  ['Queued', time(row.queued_at)],
  ['Completed', time(row.completed_at)],
  ['Read back as done', row.done_readback && time(row.done_readback.read_at)],
  ['Archived', time(row.archived_at)],
];
const timed = (value, ...words) => ({ kg: kg(value), note: words.filter(Boolean).join(' · ') });
const held = known && trail.held;
msg.payload = {
  mo_id: msg.mo_id,
  link: encodeURIComponent(msg.mo_id),
  known,
  unknown: Boolean(trail) && !known,
  zone: String(new Date()).replace(/^.*GMT/, 'GMT'),
  now: time(new Date()),
  facts: (facts || []).flatMap(([name, value]) => (value || value === 0 ? [{ name, value: String(value) }] : [])),
  notes: known
    ? trail.notes.concat(held ? [`a reading of ${time(held.read_at)} is held until the order is queued`] : [])
    : [],
  silos:
    known &&
    trail.audit.map((silo) => ({
      silo: silo.label || silo.silo,
      component: silo.component || '',
      planned: timed(silo.planned, time(silo.planned_at)),
      read: timed(silo.read, time(silo.read_at), silo.source),
      sent: timed(silo.sent, time(silo.sent_at), silo.outcome, silo.reason),
      confirmed: timed(silo.confirmed, time(silo.confirmed_at)),
    })),
  totals: known && Object.fromEntries(Object.entries(trail.totals).map(([key, sum]) => [key, kg(sum)])),
  timeline:
    known &&
    trail.timeline.map((entry) => ({
      at: time(entry.at),
      event: entry.event,
      who: entry.source,
      silo: entry.label || entry.silo,
      component: entry.component,
      before: kg(entry.before),
      kg: kg(entry.kg),
      confirmed: kg(entry.confirmed),
      said: [entry.outcome, entry.text].filter(Boolean).join(': '),
    })),
};
msg.headers = {
  'Content-Type': 'text/html; charset=utf-8',
  // Nothing is loaded and nothing runs, whatever a name or a reason contains.
  'Content-Security-Policy': "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'",
  'X-Content-Type-Options': 'nosniff',
  'Cache-Control': 'no-store',
};
return [msg, null];
