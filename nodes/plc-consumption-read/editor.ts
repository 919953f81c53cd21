/** The dialog of plc-consumption-read. */
import { current, field, onlyIf, register, rule, type Validate, whole } from '../lib/editor/dialog';
import { enteredRows, judged, openTable, rowsOf, type SavedRow } from './editor-field-table';
import { startLive, stopLive } from './editor-live';
import { preparePaste } from './editor-paste';
import { readNow } from './editor-read-now';

/** A node that was saved before there was a choice reads. */
const operationOf = ({ operation }: EditorNode): string => (operation === 'acknowledge' ? operation : 'read');

/** A node that acknowledges has nothing of this: the one that reads has it. */
const reads = (node: EditorNode): boolean => current(node, 'operation') !== 'acknowledge';
const ofReader = (validate: Validate): { validate: Validate } => ({ validate: onlyIf(reads, validate) });

/** One variable of the endpoint's own list. */
type Variable = { name?: string; addr?: string };

/**
 * Whether a config node is sound, as far as this node needs it: the variables of an endpoint are for node-red-contrib-s7's own
 * nodes, and a new endpoint, with none but a blank one, is not valid to them.
 */
function isUsable({ valid, validationErrors, vartable }: EditorNode): boolean {
  if (valid !== false) return true;
  const onlyVariables = Array.isArray(validationErrors) && validationErrors.every((each) => each === 'vartable');
  const variables = Array.isArray(vartable) ? (vartable as Variable[]) : [];
  return onlyVariables && variables.every(({ name, addr }) => !name && !addr);
}

/** Replaces Node-RED's own check of a config node, which asks for it whatever the operation is. */
const chosen = (what: 'endpoint' | 'silos'): Validate =>
  function (id, _options) {
    const found = RED.nodes.node(id);
    if (found && isUsable(found)) return true;
    return this._('plc-consumption-read.error.chosen', { what: this._(`plc-consumption-read.label.${what}`) });
  };

const aboveZero = rule((kg) => Number(kg) > 0, 'plc-consumption-read.error.limit');
const band = (kg: unknown): boolean => kg === undefined || kg === '' || (Number(kg) >= 0 && Number(kg) <= 100);

const pattern: Validate = function (value, _options) {
  try {
    new RegExp(String(value));
    return true;
  } catch (error) {
    return this._('plc-consumption-read.error.moPattern', { reason: (error as Error).message });
  }
};

register('plc-consumption-read', {
  color: '#8FC1BC',
  properties: {
    operation: {},
    endpoint: { type: 's7 endpoint', ...ofReader(chosen('endpoint')) },
    silos: { type: 'silo-map', ...ofReader(chosen('silos')) },
    db: ofReader(rule(whole(1, 65535), 'plc-consumption-read.error.db')),
    base: ofReader(rule(whole(0, 65535), 'plc-consumption-read.error.base')),
    stride: ofReader(rule(whole(1, 65536), 'plc-consumption-read.error.stride')),
    slots: ofReader(rule(whole(1, 64), 'plc-consumption-read.error.slots')),
    fields: {
      value: rowsOf('record'),
      ...ofReader(function (fields, _options) {
        return judged(this, (fields as SavedRow[] | undefined) ?? []);
      }),
    },
    settle: ofReader(rule(whole(0, 10000), 'plc-consumption-read.error.settle')),
    timeout: ofReader(rule(whole(100, 60000), 'plc-consumption-read.error.timeout')),
    maxSilo: ofReader(aboveZero),
    maxFinished: ofReader(aboveZero),
    zeroBand: ofReader(rule(band, 'plc-consumption-read.error.zeroBand')),
    moPattern: ofReader(pattern),
    checkMode: {},
  },
  label: (node) =>
    node._(
      operationOf(node) === 'read' ? 'plc-consumption-read.palette' : 'plc-consumption-read.operation.acknowledge',
    ),
  ports: {
    outputs: 2,
    input: (node) => node._(`plc-consumption-read.input.${operationOf(node) === 'read' ? 'trigger' : 'acknowledge'}`),
    output(node, index) {
      const operation = operationOf(node);
      const second = operation === 'read' ? 'rejected' : 'kept';
      return node._(`plc-consumption-read.output.${index === 0 ? operation : second}`);
    },
  },
  open(node) {
    field('operation').val(operationOf(node));
    if (node.checkMode === undefined) field('checkMode').prop('checked', true);
    const showOperation = (): void => {
      const reading = field('operation').val() === 'read';
      $('#plc-consumption-read-tip').toggle(!reading).nextAll().toggle(reading);
    };
    field('operation').on('change', showOperation);
    showOperation();
    openTable(node);
    preparePaste(node);
    startLive(node);
    $('#plc-consumption-read-test').on('click', () => readNow(node));
  },
  save(node) {
    node.fields = enteredRows();
  },
  close: stopLive,
});
