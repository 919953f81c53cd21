// The newest first, and of each only what the page shows.
const shown = ['id', 'mo_id', 'status', 'read', 'planned', 'archived_at', 'notes'];
const rows = msg.payload.slice(-10).reverse();
return { payload: rows.map((row) => Object.fromEntries(shown.map((key) => [key, row[key]]))) };
