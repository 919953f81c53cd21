/** The dialog of odoo-fetch-mo. */
import { field, labelOf, register } from '../lib/editor/dialog';

const TYPE = 'odoo-fetch-mo';

/** What each operation takes and gives, unless it takes a trigger and gives orders. */
const TAKES: Readonly<Record<string, string>> = {
  check: 'odoo-fetch-mo.input.orders',
  compare: 'odoo-fetch-mo.input.compare',
};
const GIVES: Readonly<Record<string, string>> = {
  check: 'odoo-fetch-mo.output.check',
  compare: 'odoo-fetch-mo.output.compare',
};

/** With the addon the line is the order's equipment. */
const isStandard = (server: unknown): boolean => RED.nodes.node(String(server))?.interface === 'standard';

register(TYPE, {
  color: '#C3A8D1',
  properties: {
    server: { type: 'odoo-server', required: true, label: labelOf(TYPE, 'server') },
    silos: { type: 'silo-map', required: true, label: labelOf(TYPE, 'silos') },
    operation: {},
    line: {},
    lineBy: {},
    lineField: {},
    plans: {},
  },
  label: (node) => node._(`odoo-fetch-mo.operation.${String(node.operation)}`),
  ports: {
    outputs: 1,
    input: (node) => node._(TAKES[String(node.operation)] ?? 'odoo-fetch-mo.input.triggerOrOrder'),
    output: (node) => node._(GIVES[String(node.operation)] ?? 'odoo-fetch-mo.input.orders'),
  },
  open(node) {
    const show = (): void => {
      const operation = String(field('operation').val());
      const fetches = operation === 'fetch';
      $('#node-row-line').toggle(fetches);
      $('#node-row-lineBy').toggle(fetches && isStandard(field('server').val()));
      $('#node-row-lineField').toggle(
        fetches && isStandard(field('server').val()) && field('lineBy').val() === 'field',
      );
      $('#node-row-plans').toggle(operation === 'check');
      $('#odoo-fetch-mo-tip').text(node._(`odoo-fetch-mo.tip.${operation}`));
    };
    for (const key of ['operation', 'server', 'lineBy']) field(key).on('change', show);
    show();
  },
});
