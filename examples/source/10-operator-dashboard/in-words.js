const text = msg.error.message.replace(/^Error: /, '');
msg.bad = true;
msg.payload = text.startsWith('MO ') ? text : `MO ${msg.order}: ${text}`;
return msg;
