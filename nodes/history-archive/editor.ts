/** The dialog of history-archive. */
import { current, field, filled, labelOf, onlyIf, register, type Validate } from '../lib/editor/dialog';

const TYPE = 'history-archive';
const byHand = (node: EditorNode): boolean => current(node, 'operation') !== 'completed';

const note: Validate = function (value, options) {
  if (!filled(value)) return this._('history-archive.error.note');
  return RED.utils.validateTypedProperty(value, current(this, 'noteType'), options);
};

register(TYPE, {
  color: '#A9BECF',
  properties: {
    database: { type: 'mo-database', required: true, label: labelOf(TYPE, 'database') },
    operation: {},
    source: {},
    requires: {},
    note: { label: labelOf(TYPE, 'note'), validate: onlyIf(byHand, note) },
    noteType: {},
    line: {},
  },
  label: (node) => node._(`history-archive.operation.${String(node.operation)}`),
  ports: {
    outputs: 1,
    input: (node) => {
      const takesAll = node.operation === 'completed' && node.source === 'all';
      return node._(takesAll ? 'history-archive.input.trigger' : 'history-archive.input.batchesOrOrder');
    },
    output: (node) => node._('history-archive.output.archived'),
  },
  open() {
    field('note').typedInput({
      default: 'str',
      types: ['str', 'msg', 'flow', 'global', 'env'],
      typeField: '#node-input-noteType',
    });
    const show = (): void => {
      const completed = field('operation').val() === 'completed';
      $('.history-archive-form [data-for=completed]').toggle(completed);
      $('.history-archive-form [data-for=by-hand]').toggle(!completed);
      $('#node-row-line').toggle(field('source').val() === 'all');
    };
    field('operation').add(field('source')).on('change', show);
    show();
  },
});
