// ?mo_id=…&csv=…; a parameter that stands twice is no text.
const asked = (value) => (typeof value === 'string' ? value.trim() : '');
msg.mo_id = asked(msg.req.query.mo_id);
msg.csv = asked(msg.req.query.csv);
msg.payload = null;
return msg;
