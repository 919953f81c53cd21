msg.statusCode = 503;
msg.headers = { 'Content-Type': 'text/plain; charset=utf-8', 'X-Content-Type-Options': 'nosniff' };
msg.payload = 'The audit cannot be read now. The status of the store node in Node-RED tells why.';
return msg;
