/** "Read now" in the dialog of plc-consumption-read: the decoded slots, before anything is deployed. */
import { ask, field, say } from '../lib/editor/dialog';
import { askedOf } from '../lib/editor/live';
import { plainName } from '../lib/editor/plain-names';
import { isPosition, isWeight } from '../lib/plc/slot-layout';
import type { SlotProblem } from '../lib/plc/slot-problem';
import { problemWords } from '../lib/plc/slot-words';
import { table } from './editor-table';

/** What the dialog shows of a read. */
interface Answer {
  readings: {
    slot: number;
    mo_id: string;
    status_manufacturing: boolean;
    status_operation: boolean;
    actual_weight_quantity_finished_goods: number | null;
    consumption: Record<string, number>;
    plc_time?: string;
  }[];
  rejected: { slot: number; mo_id: string | null; problems: (SlotProblem & { field: string; value: unknown })[] }[];
  empty: number;
  duration_ms: number;
}

const FINISHED = 'actual_weight_quantity_finished_goods';
const SETTINGS = [
  'db',
  'base',
  'stride',
  'slots',
  'settle',
  'timeout',
  'maxSilo',
  'maxFinished',
  'zeroBand',
  'moPattern',
];

/** The weights of a read, each once: those of the table's rows, and of a list the silos that it names. */
const weightsOf = (fields: readonly string[], readings: Answer['readings']): string[] => {
  const rows = fields.filter((name) => isWeight(name) && !isPosition(name));
  const listed = fields.some(isPosition) ? readings.flatMap(({ consumption }) => Object.keys(consumption)) : [];
  return [...new Set([...rows, ...listed])];
};

/** The slots as a table: a row for each reading, and one with the reason for each that was rejected. */
function tableOf(node: EditorNode, { readings, rejected, empty, duration_ms }: Answer, fields: string[]): JQuery[] {
  const weights = weightsOf(fields, readings);
  const text = (key: string, values?: Record<string, unknown>): string =>
    node._(`plc-consumption-read.test.${key}`, values);
  const slots = $('<table>');
  const addRow = (cells: (string | number)[], tag: '<th>' | '<td>'): JQuery =>
    $('<tr>')
      .append(cells.map((cell) => $(tag).text(cell)))
      .appendTo(slots);
  const names = weights.map((name) => (name === FINISHED ? text('finished') : plainName(node, name)));
  addRow([text('slot'), text('order'), text('state'), ...names], '<th>');
  for (const { slot, mo_id, status_manufacturing, status_operation, consumption, plc_time = '', ...rest } of readings) {
    const state = text(status_manufacturing ? 'complete' : status_operation ? 'running' : 'idle');
    const kg = (name: string): number | null | undefined => (name === FINISHED ? rest[FINISHED] : consumption[name]);
    addRow([slot, mo_id, `${state} ${plc_time}`.trim(), ...weights.map((name) => kg(name) ?? '')], '<td>');
  }
  for (const { slot, mo_id, problems } of rejected) {
    const words = (problem: SlotProblem): string =>
      problemWords((key, values) => node._(`plc-consumption-read.${key}`, values), problem);
    const why = problems
      .map((each) => `${plainName(node, each.field)} = ${String(each.value)}, ${words(each)}`)
      .join('; ');
    const reason = $('<td class="text">')
      .attr('colspan', weights.length + 1)
      .text(text('rejected', { why }));
    addRow([slot, mo_id ?? '?'], '<td>').append(reason);
  }
  const values = { count: readings.length, rejected: rejected.length, empty, ms: duration_ms };
  return [say(text('read', values)), slots];
}

/** What stands in the dialog; undefined: PLC and silo map are not both chosen. */
export function asked(): object | undefined {
  const values = askedOf(SETTINGS);
  return values && { ...values, fields: table.rows(), checkMode: field('checkMode').prop('checked') as boolean };
}

/** Reads with what stands in the dialog. */
export function readNow(node: EditorNode): void {
  const values = asked();
  if (!values) return RED.notify(node._('plc-consumption-read.test.choose'), 'error');
  const names = table.rows().map((row) => row.field);
  ask<Answer>(node, ['plc-consumption-read', 'read'], values, (answer) => tableOf(node, answer, names));
}
