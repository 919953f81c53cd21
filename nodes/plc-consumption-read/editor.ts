/** The dialog of plc-consumption-read. */
import { current, field, onlyIf, register, rule, text, type Validate, whole } from '../lib/editor/dialog';
import { startLive, stopLive } from '../lib/editor/live';
import { preparePaste } from '../lib/editor/paste';
import { usable } from '../lib/editor/plc-choice';
import type { SlotProblem } from '../lib/plc/slot-problem';
import { problemWords } from '../lib/plc/slot-words';
import { proposeArrays } from '../lib/plc/source/field-proposal';
import { asked, readNow } from './editor-read-now';
import { type SavedRow, table } from './editor-table';

/** A node that was saved before there was a choice reads. */
const operationOf = ({ operation }: EditorNode): string => (operation === 'acknowledge' ? operation : 'read');

/** A node that acknowledges has nothing of this: the one that reads has it. */
const reads = (node: EditorNode): boolean => current(node, 'operation') !== 'acknowledge';
const ofReader = (validate: Validate): { validate: Validate } => ({ validate: onlyIf(reads, validate) });

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

/** What a field says now, as it comes from Node-RED. */
type Told = { field: string; value: string; hex: string; problem?: SlotProblem };

register('plc-consumption-read', {
  color: '#8FC1BC',
  properties: {
    operation: {},
    endpoint: { type: 's7 endpoint', ...ofReader(usable('plc-consumption-read', 'endpoint')) },
    silos: { type: 'silo-map', ...ofReader(usable('plc-consumption-read', 'silos')) },
    db: ofReader(rule(whole(1, 65535), 'plc-consumption-read.error.db')),
    base: ofReader(rule(whole(0, 65535), 'plc-consumption-read.error.base')),
    stride: ofReader(rule(whole(1, 65536), 'plc-consumption-read.error.stride')),
    slots: ofReader(rule(whole(1, 64), 'plc-consumption-read.error.slots')),
    fields: {
      value: table.preset('record'),
      ...ofReader(function (fields, _options) {
        return table.judged(this, (fields as SavedRow[] | undefined) ?? []);
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
    table.open(node);
    preparePaste(node, { table, propose: proposeArrays });
    startLive<SavedRow, Told>(node, {
      ...{ table, asked },
      wanted: () => field('operation').val() === 'read',
      sight: (_node, { problem, ...told }) => ({
        ...told,
        ...(problem && { problem: problemWords((key, values) => text(node, key, values), problem) }),
      }),
    });
    $('#plc-consumption-read-test').on('click', () => readNow(node));
  },
  save(node) {
    node.fields = table.rows();
  },
  close: stopLive,
});
