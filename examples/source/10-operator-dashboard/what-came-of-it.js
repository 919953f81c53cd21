// One row was pushed: confirmed, refused, or not sent at all because it needed no push.
const [{ conclusion, reason, skipped, set_aside }] = msg.payload;
const good = conclusion === 'confirmed' || skipped === 'already-confirmed';
let text = 'Odoo has confirmed its values.';
if (skipped === 'already-confirmed') text = 'Odoo holds its values; it is closed with the next run of Task 3.';
else if (skipped) text = `nothing was sent: ${reason}.`;
else if (!good)
  text = `${reason} (${conclusion}). ${set_aside ? 'It is set aside again.' : 'It is tried again by itself.'}`;
msg.bad = !good;
msg.payload = `MO ${msg.order}: ${text}`;
return msg;
