// A new message: it goes to every page, whoever asked.
return { payload: msg.payload, at: Date.now() };
