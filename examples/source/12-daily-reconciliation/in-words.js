const of = (entry) => `${entry.mo_id}${entry.batch_no === null ? '' : `, batch ${entry.batch_no}`}`;
msg.differences = msg.payload;
const orders = msg.differences.filter(
  (entry, n, all) => all.findIndex(({ mo_id }) => mo_id === entry.mo_id) === n,
).length;
msg.topic = `${orders} of ${msg.compared} archived orders differ from Odoo`;
msg.payload = msg.differences.map((entry) => `${of(entry)}: ${entry.reason}`).join('\n');
return msg;
