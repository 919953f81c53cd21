msg.bad = true;
msg.payload = `MO ${msg.order}: nothing to retry. It is neither set aside nor waiting for another attempt.`;
return msg;
