const clock = (hour) => `${String(new Date(hour).getHours()).padStart(2, '0')}:00`;
return { payload: msg.payload.map(({ hour, kg }) => ({ hour: clock(hour), tonnes: Math.round(kg) / 1000 })) };
