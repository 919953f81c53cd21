// One message of your PLC node (OPC UA, Modbus, FINS ...) becomes one reading per batch.
// Change the names on the right to those of your PLC; the names on the left are the store's.
const plc = msg.payload;

if (!plc.order.trim()) {
  return null; // no batch: nothing to say
}

msg.payload = [
  {
    slot: 0, // the place in the PLC; 0 when it has none
    mo_id: plc.order.trim(), // the order's name in Odoo
    status_manufacturing: plc.complete, // true: the weights are final
    status_operation: plc.running,
    actual_weight_quantity_finished_goods: plc.finished_kg, // kg, or null
    consumption: {
      // kg per silo; leave out what this PLC does not weigh
      silo_a: plc.silo_kg[0],
      silo_b: plc.silo_kg[1],
      lq_fml: plc.liquid_g / 1000,
    },
    read_at: plc.time, // when the PLC said it, not when it arrives
  },
];
return msg;
