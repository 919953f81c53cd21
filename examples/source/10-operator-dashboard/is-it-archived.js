const { archived, kept } = msg.payload;
msg.bad = archived.length === 0;
if (archived.length > 0) msg.payload = `MO ${msg.order} is in the history as ${archived[0].status}: ${msg.note}`;
else
  msg.payload = `MO ${msg.order} stays in the queue: ${kept.length > 0 ? kept[0].reason : 'its row is not there any more'}`;
return msg;
