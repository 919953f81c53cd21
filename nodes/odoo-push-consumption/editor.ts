/** The dialog of odoo-push-consumption. */
import { field, labelOf, register, rule } from '../lib/editor/dialog';

const TYPE = 'odoo-push-consumption';

/** What each operation takes, unless it takes batches. */
const TAKES: Readonly<Record<string, string>> = {
  update: 'odoo-push-consumption.input.update',
  'mark-done': 'odoo-push-consumption.input.mark-done',
};

const isShare = (share: unknown): boolean => /\d/.test(String(share)) && Number(share) >= 0 && Number(share) <= 100;

register(TYPE, {
  color: '#C3A8D1',
  properties: {
    server: { type: 'odoo-server', required: true, label: labelOf(TYPE, 'server') },
    database: { type: 'mo-database', required: false, label: labelOf(TYPE, 'database') },
    silos: { type: 'silo-map', required: true, label: labelOf(TYPE, 'silos') },
    operation: {},
    markDone: {},
    readBack: {},
    closeWarning: {},
    closeStrict: {},
    minFinishedShare: { validate: rule(isShare, 'odoo-push-consumption.error.minFinishedShare') },
    noFinishedWeight: {},
    minWeighedShare: {
      // One that an older version saved has none yet.
      validate: rule((share) => share === undefined || isShare(share), 'odoo-push-consumption.error.minWeighedShare'),
    },
    bookUnweighed: {},
    unreserve: {},
    makeLot: {},
    refuseExcess: {},
  },
  label: (node) => node._(`odoo-push-consumption.operation.${String(node.operation)}`),
  ports: {
    outputs: 2,
    input: (node) => node._(TAKES[String(node.operation)] ?? 'odoo-push-consumption.input.batches'),
    output: (node, index) =>
      node._(index === 0 ? 'odoo-push-consumption.output.confirmed' : 'odoo-push-consumption.output.notConfirmed'),
  },
  open() {
    const show = (): void => {
      const operation = field('operation').val();
      const [processes, marks] = [operation === 'process', operation === 'mark-done'];
      // A config node's select says _ADD_ when nothing is chosen.
      const database = field('database').val();
      $('#odoo-push-consumption-no-database').toggle(!database || database === '_ADD_');
      $('#odoo-push-consumption-sending').toggle(!marks);
      $('#node-row-markDone').toggle(processes);
      $('#odoo-push-consumption-closing').toggle(marks || (processes && Boolean(field('markDone').prop('checked'))));
    };
    for (const key of ['operation', 'markDone', 'database']) field(key).on('change', show);
    show();
  },
});
