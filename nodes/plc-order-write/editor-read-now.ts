/** "Read now" in the dialog of plc-order-write: what stands in the order slots, before anything is deployed. */
import { ask, say, text } from '../lib/editor/dialog';
import { askedOf } from '../lib/editor/live';
import { table } from './editor-table';

interface Answer {
  slots: { slot: number; number: string; ready: boolean; taken: boolean; echo: string }[];
}

const SETTINGS = ['db', 'base', 'stride', 'slots', 'settle', 'timeout', 'maxSilo'];

/** What stands in the dialog; undefined: PLC and silo map are not both chosen. */
export function asked(): object | undefined {
  const values = askedOf(SETTINGS);
  return values && { ...values, fields: table.rows() };
}

function tableOf(node: EditorNode, { slots }: Answer): JQuery[] {
  const shown = $('<table>');
  const addRow = (cells: (string | number)[], tag: '<th>' | '<td>'): JQuery =>
    $('<tr>')
      .append(cells.map((cell) => $(tag).text(cell)))
      .appendTo(shown);
  const heads = ['test.slot', 'test.order', 'field.ready', 'field.taken', 'field.echo'];
  addRow(
    heads.map((key) => text(node, key)),
    '<th>',
  );
  for (const { slot, number, ready, taken, echo } of slots)
    addRow([slot, number, Number(ready), Number(taken), echo], '<td>');
  const free = slots.filter(({ number, ready, taken }) => number === '' && !ready && !taken).length;
  return [say(text(node, 'test.free', { count: slots.length, free })), shown];
}

/** Reads with what stands in the dialog. */
export function readNow(node: EditorNode): void {
  const values = asked();
  if (!values) return RED.notify(text(node, 'test.choose'), 'error');
  ask<Answer>(node, ['plc-order-write', 'read'], values, (answer) => tableOf(node, answer));
}
