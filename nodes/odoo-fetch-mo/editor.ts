/** The dialog of odoo-fetch-mo. */
import { field, labelOf, register } from '../lib/editor/dialog';

const TYPE = 'odoo-fetch-mo';

register(TYPE, {
  color: '#C3A8D1',
  properties: {
    server: { type: 'odoo-server', required: true, label: labelOf(TYPE, 'server') },
    silos: { type: 'silo-map', required: true, label: labelOf(TYPE, 'silos') },
    operation: {},
    line: {},
  },
  label: (node) => node._(`odoo-fetch-mo.operation.${String(node.operation)}`),
  ports: {
    outputs: 1,
    input: (node) => node._(`odoo-fetch-mo.input.${String(node.operation)}`),
    output: (node) => node._(`odoo-fetch-mo.output.${String(node.operation)}`),
  },
  open(node) {
    const show = (): void => {
      const operation = String(field('operation').val());
      $('#node-row-line').toggle(operation === 'fetch');
      $('#odoo-fetch-mo-tip').text(node._(`odoo-fetch-mo.tip.${operation}`));
    };
    field('operation').on('change', show);
    show();
  },
});
