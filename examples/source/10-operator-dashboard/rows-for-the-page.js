// Only what the page shows, in a new message: it goes to every page, whoever asked.
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
const payload = msg.payload.map((row) => Object.fromEntries(shown.map((key) => [key, row[key]])));
return { payload, at: Date.now(), problem: '' };
