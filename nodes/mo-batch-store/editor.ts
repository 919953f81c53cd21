/** The dialog of mo-batch-store. */
import {
  current,
  field,
  labelOf,
  onlyIf,
  type Property,
  register,
  rule,
  type Validate,
  whole,
} from '../lib/editor/dialog';

const TYPE = 'mo-batch-store';
const LIMITED = ['enqueue', 'due', 'completed'];
/** A year (minutes). */
const LONGEST = 525_600;

const operationOf = (node: EditorNode): string => String(current(node, 'operation'));

const wholeLimit = rule(whole(1, Number.MAX_SAFE_INTEGER), 'mo-batch-store.error.limit');
const limit: Validate = function (value, options) {
  const type = current(this, 'limitType');
  return type === 'num' ? wholeLimit.call(this, value, options) : RED.utils.validateTypedProperty(value, type, options);
};

const minutes = (key: string): Property => ({
  label: labelOf(TYPE, key),
  validate: onlyIf(
    (node) => operationOf(node) === 'health',
    rule((given) => Number(given) > 0 && Number(given) <= LONGEST, 'mo-batch-store.error.minutes'),
  ),
});

register(TYPE, {
  color: '#A9BECF',
  properties: {
    database: { type: 'mo-database', required: true, label: labelOf(TYPE, 'database') },
    operation: {},
    line: {},
    limit: { label: labelOf(TYPE, 'limit'), validate: onlyIf((node) => LIMITED.includes(operationOf(node)), limit) },
    limitType: {},
    stalled: minutes('stalled'),
    unread: minutes('unread'),
    unconfirmed: minutes('unconfirmed'),
    outputs: {},
  },
  label: (node) => node._(`mo-batch-store.operation.${String(node.operation)}`),
  ports: {
    outputs: 1,
    input: (node) => node._(`mo-batch-store.input.${String(node.operation)}`),
    output: (node, index) =>
      index === 1 ? node._('mo-batch-store.output.held') : node._(`mo-batch-store.output.${String(node.operation)}`),
  },
  open(node) {
    field('limit').typedInput({
      default: 'num',
      types: ['num', 'msg', 'flow', 'global', 'env'],
      typeField: '#node-input-limitType',
    });
    const before = Number(node.outputs);
    const show = (): void => {
      const chosen = operationOf(node);
      $('#node-row-limit').toggle(LIMITED.includes(chosen));
      $('#mo-batch-store-minutes').toggle(chosen === 'health');
      $('#mo-batch-store-tip').text(node._(`mo-batch-store.tip.${chosen}`));
      const outputs = chosen === 'record' ? 2 : 1;
      // Node-RED removes the wires of an output only when a map of old to new outputs says that it went.
      field('outputs').val(outputs < before ? '{"0":"0","1":"-1"}' : String(outputs));
    };
    field('operation').on('change', show);
    show();
  },
});
