msg.bad = true;
msg.payload = `MO ${msg.order}: ${msg.error.message.replace(/^Error: /, '')}`;
return msg;
