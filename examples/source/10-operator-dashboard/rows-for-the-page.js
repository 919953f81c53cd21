// Only what the page shows, in a new message: it goes to every page, whoever asked. What needs a look comes first.
const shown = [
  'id',
  'mo_id',
  'equipment_id_batch',
  'finished_goods',
  'state',
  'slot',
  'planned',
  'read',
  'confirmed',
  'silos',
  'last_seen',
  'last_attempt_at',
  'next_attempt_at',
  'last_conclusion',
  'last_reason',
  'set_aside_reason',
];
const order = ['set-aside', 'completed', 'confirmed', 'done', 'running', 'taken', 'handed', 'queued'];
const rows = [...msg.payload].sort((one, other) => order.indexOf(one.state) - order.indexOf(other.state));
const payload = rows.map((row) => Object.fromEntries(shown.map((key) => [key, row[key]])));
return { payload, at: Date.now(), problem: '' };
