msg.bad = false;
msg.payload = `MO ${msg.order}: its reading is thrown away: ${msg.note}`;
return msg;
