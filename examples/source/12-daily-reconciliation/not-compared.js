msg.topic = 'The archived orders were not compared with Odoo';
msg.payload = msg.error.message;
return msg;
