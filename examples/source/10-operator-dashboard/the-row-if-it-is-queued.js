// What was accepted before its order is queued waits for it: there is no row to push yet.
const { batch } = msg.payload;
if (batch) return [{ ...msg, payload: [batch] }, null];
return [
  null,
  { ...msg, bad: false, payload: `MO ${msg.order}: accepted. It is applied as soon as its order is queued.` },
];
