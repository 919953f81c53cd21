const clock = (hour) => `${String(new Date(hour).getHours()).padStart(2, '0')}:00`;
const payload = msg.payload.flatMap(({ hour, pushes, failed }) => [
  { hour: clock(hour), outcome: 'confirmed', pushes },
  { hour: clock(hour), outcome: 'not confirmed', pushes: failed },
]);
return { payload };
