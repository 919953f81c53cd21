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
/** What each operation takes, unless it is a trigger. */
const TAKES: Readonly<Record<string, string>> = {
  enqueue: 'mo-batch-store.input.orders',
  'set-aside': 'mo-batch-store.input.closed',
  record: 'mo-batch-store.input.readings',
  retry: 'mo-batch-store.input.triggerOrOrder',
  trail: 'mo-batch-store.input.order',
  archived: 'mo-batch-store.input.period',
  export: 'mo-batch-store.input.file',
  import: 'mo-batch-store.input.file',
  accept: 'mo-batch-store.input.order',
  discard: 'mo-batch-store.input.order',
  'close-anyway': 'mo-batch-store.input.order',
  'belongs-to': 'mo-batch-store.input.two-orders',
  'finished-weight': 'mo-batch-store.input.finished',
};
/** What operations give that give the same as another, or what the dialog says anyway. */
const GIVES: Readonly<Record<string, string>> = {
  unread: 'mo-batch-store.input.orders',
  due: 'mo-batch-store.input.batches',
  completed: 'mo-batch-store.input.batches',
  connections: 'mo-batch-store.operation.connections',
  export: 'mo-batch-store.output.file',
  import: 'mo-batch-store.output.file',
  accept: 'mo-batch-store.output.decided',
  discard: 'mo-batch-store.output.decided',
  'belongs-to': 'mo-batch-store.output.due-row',
  'finished-weight': 'mo-batch-store.output.due-row',
};
/** Those that name silos. */
const NAMING = ['trail', 'archived', 'list', 'needs'];
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
    (node) => operationOf(node) === 'health' || (key === 'stalled' && operationOf(node) === 'needs'),
    rule((given) => Number(given) > 0 && Number(given) <= LONGEST, 'mo-batch-store.error.minutes'),
  ),
});

register(TYPE, {
  color: '#A9BECF',
  properties: {
    database: { type: 'mo-database', required: true, label: labelOf(TYPE, 'database') },
    silos: { type: 'silo-map', required: false, label: labelOf(TYPE, 'silos') },
    operation: {},
    line: {},
    limit: { label: labelOf(TYPE, 'limit'), validate: onlyIf((node) => LIMITED.includes(operationOf(node)), limit) },
    limitType: {},
    stalled: minutes('stalled'),
    unread: minutes('unread'),
    unconfirmed: minutes('unconfirmed'),
    handed: minutes('handed'),
    outputs: {},
  },
  label: (node) => node._(`mo-batch-store.operation.${String(node.operation)}`),
  ports: {
    outputs: 1,
    input: (node) => node._(TAKES[String(node.operation)] ?? 'mo-batch-store.input.trigger'),
    output: (node, index) => {
      const operation = String(node.operation);
      return node._(index === 1 ? 'mo-batch-store.output.held' : (GIVES[operation] ?? `${TYPE}.output.${operation}`));
    },
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
      $('#node-row-silos').toggle(NAMING.includes(chosen));
      $('#mo-batch-store-minutes').toggle(['health', 'needs'].includes(chosen));
      $('#mo-batch-store-alarms').toggle(chosen === 'health');
      $('#mo-batch-store-tip').text(node._(`mo-batch-store.tip.${chosen}`));
      const outputs = chosen === 'record' ? 2 : 1;
      // Node-RED removes the wires of an output only when a map of old to new outputs says that it went.
      field('outputs').val(outputs < before ? '{"0":"0","1":"-1"}' : String(outputs));
    };
    field('operation').on('change', show);
    show();
  },
});
