/** The dialog of plc-order-write. */
import { current, field, labelOf, onlyIf, register, rule, type Validate, whole } from '../lib/editor/dialog';
import { startLive, stopLive } from '../lib/editor/live';
import { preparePaste } from '../lib/editor/paste';
import { usable } from '../lib/editor/plc-choice';
import type { Sight } from '../lib/editor/field-table';
import { ORDER_WORDS, proposeArrays } from '../lib/plc/source/field-proposal';
import { asked, readNow } from './editor-read-now';
import { type SavedRow, table } from './editor-table';

const TYPE = 'plc-order-write';

/** A node that withdraws has nothing of this: the one that hands over has it. */
const handsOver = (node: EditorNode): boolean => current(node, 'operation') !== 'withdraw';
const ofWriter = (validate: Validate): { validate: Validate } => ({ validate: onlyIf(handsOver, validate) });
const aboveZero = rule((kg) => Number(kg) > 0, 'plc-order-write.error.limit');

register(TYPE, {
  color: '#8FC1BC',
  properties: {
    operation: {},
    database: { type: 'mo-database', required: true, label: labelOf(TYPE, 'database') },
    line: {},
    endpoint: { type: 's7 endpoint', ...ofWriter(usable(TYPE, 'endpoint')) },
    silos: { type: 'silo-map', ...ofWriter(usable(TYPE, 'silos')) },
    db: ofWriter(rule(whole(1, 65535), 'plc-order-write.error.db')),
    base: ofWriter(rule(whole(0, 65535), 'plc-order-write.error.base')),
    stride: ofWriter(rule(whole(1, 65536), 'plc-order-write.error.stride')),
    slots: ofWriter(rule(whole(1, 64), 'plc-order-write.error.slots')),
    fields: {
      value: table.preset('record'),
      ...ofWriter(function (fields, _options) {
        return table.judged(this, (fields as SavedRow[] | undefined) ?? []);
      }),
    },
    clearing: {},
    settle: ofWriter(rule(whole(0, 10000), 'plc-order-write.error.settle')),
    timeout: ofWriter(rule(whole(100, 60000), 'plc-order-write.error.timeout')),
    maxSilo: ofWriter(aboveZero),
  },
  label: (node) => node._(handsOver(node) ? 'plc-order-write.palette' : 'plc-order-write.operation.withdraw'),
  ports: {
    outputs: 2,
    input: (node) => node._(handsOver(node) ? 'plc-order-write.input.triggerOrOrder' : 'plc-order-write.input.named'),
    output(node, index) {
      if (index === 1) return node._('plc-order-write.output.refused');
      return node._(handsOver(node) ? 'plc-order-write.output.handed' : 'plc-order-write.output.wanted');
    },
  },
  open(node) {
    const showOperation = (): void => {
      const operation = field('operation').val() === 'withdraw' ? 'withdraw' : 'hand-over';
      $('#plc-order-write-tip').text(node._(`plc-order-write.tip.${operation}`));
      $('#plc-order-write-of-writer').toggle(operation === 'hand-over');
    };
    field('operation').on('change', showOperation);
    showOperation();
    table.open(node);
    preparePaste(node, { table, propose: (source, silos) => proposeArrays(source, silos, ORDER_WORDS) });
    startLive<SavedRow, Sight>(node, {
      ...{ table, asked },
      wanted: () => field('operation').val() !== 'withdraw',
      sight: (_node, told) => told,
    });
    $('#plc-order-write-test').on('click', () => readNow(node));
  },
  save(node) {
    node.fields = table.rows();
  },
  close: stopLive,
});
