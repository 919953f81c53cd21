/** The field table in the dialog of plc-consumption-read: rows to edit, their addresses, and what is wrong with them. */
import { current } from '../lib/editor/dialog';
import { type LayoutProblem, validateLayout } from '../lib/plc/layout-check';
import {
  addresses,
  isText,
  isWeight,
  LAYOUT_PRESETS,
  SLOT_FIELDS,
  SLOT_TYPES,
  type SlotField,
  type SlotLayout,
  type SlotType,
  toLayout,
} from '../lib/plc/slot-layout';
import { chosenSilos, fieldOptions } from './editor-fields';
import type { SlotProblem } from '../lib/plc/slot-problem';
import { addDetails, type Details, enteredDetails, showDetails } from './editor-row-details';
import { layoutWords } from './layout-words';
import { problemWords } from './slot-words';

/** A row as it is saved: only what its type uses. BOOL offsets are text, so that 22.0 shows its bit. */
export type SavedRow = Pick<SlotField, 'field' | 'type'> &
  Details & { offset: string | number; length?: number; scale?: number };

/** What a field says now: its value, its bytes, and why it cannot be read as one. */
export interface Sight {
  field: string;
  value: string;
  hex: string;
  problem?: SlotProblem;
}

const COLUMNS = ['field', 'type', 'offset', 'length', 'scale', 'address'] as const;
/** The slot whose addresses and values are shown. */
const shownSlot = (): number => Number($('#plc-consumption-read-live-slot').val()) || 1;

const saved = ({ field, type, offset, length, scale }: SlotField): SavedRow => ({
  field,
  type,
  ...(length && { length }),
  ...(scale && { scale }),
  offset: type === 'BOOL' ? offset.toFixed(1) : offset,
});

export const PRESETS = {
  record: LAYOUT_PRESETS['S7 batch record'],
  packed: LAYOUT_PRESETS['packed words'],
} as const;

/** The rows that a preset brings. */
export const rowsOf = (preset: keyof typeof PRESETS): SavedRow[] => PRESETS[preset].fields.map(saved);

const layoutOf = (node: EditorNode, fields: readonly SavedRow[]): SlotLayout => {
  const of = (key: string): string | number => current(node, key) as string | number;
  const layout = { db: of('db'), base: of('base'), stride: of('stride'), slots: of('slots'), fields };
  return toLayout(layout);
};

/** What is wrong with the rows, by the node's own rules; the settings have fields of their own. */
export function rowProblems(node: EditorNode, fields: readonly SavedRow[]): LayoutProblem[] {
  const found = validateLayout(layoutOf(node, fields), chosenSilos(node));
  return found.filter(({ fault }) => fault !== 'setting' && fault !== 'block');
}

/** Whether slots can be read with what stands in the dialog. */
export const isSound = (node: EditorNode): boolean =>
  validateLayout(layoutOf(node, enteredRows()), chosenSilos(node)).length === 0;

const words = (node: EditorNode, problem: LayoutProblem): string =>
  layoutWords((key, values) => node._(`plc-consumption-read.${key}`, values), problem);

/** A validator's verdict on the saved rows. */
export function judged(node: EditorNode, fields: readonly SavedRow[]): true | string[] {
  const problems = rowProblems(node, fields);
  return problems.length === 0 || problems.map((problem) => words(node, problem));
}

const list = (): JQuery => $('#node-input-fields-container');
const elements = (): JQuery[] => list().editableList('items').toArray();

function exportRow(element: JQuery): SavedRow {
  const value = (key: string): string => String(element.find(`.${key}`).val()).trim();
  const [field, type, offset] = [value('field') as SlotField['field'], value('type') as SlotType, value('offset')];
  return {
    field,
    type,
    offset: type === 'BOOL' || !/^\d+$/.test(offset) ? offset : Number(offset),
    ...(isText(type) ? { length: Number(value('length')) } : {}),
    ...(isWeight(field) && value('scale') !== '' ? { scale: Number(value('scale')) } : {}),
    ...enteredDetails(element, { field, type }),
  };
}

/** The rows as they stand in the dialog. */
export const enteredRows = (): SavedRow[] => elements().map(exportRow);

/** Shows of every row what it uses, its address in slot 1, and what is wrong. */
function check(node: EditorNode): void {
  const fields = enteredRows();
  const problems = rowProblems(node, fields);
  const shown = addresses(layoutOf(node, fields), shownSlot());
  elements().forEach((element, index) => {
    const row = fields[index]!;
    element.find('.length').css('visibility', isText(row.type) ? '' : 'hidden');
    element.find('.scale').css('visibility', isWeight(row.field) ? '' : 'hidden');
    showDetails(element, row);
    element.find('.offset').toggleClass(
      'input-error',
      problems.some((problem) => problem.row === index + 1),
    );
    element.find('.address').text(shown[index]?.address ?? '');
  });
  $('#plc-consumption-read-problems')
    .empty()
    .append(problems.map((problem) => $('<div>').text(words(node, problem))));
}

/** Draws one row; one that was added by hand has no field yet. */
function addRow(node: EditorNode, container: JQuery, row: Partial<SavedRow>): void {
  const grid = $('<div class="plc-consumption-read-row">').appendTo(container);
  const select = (key: string, options: JQuery[], chosen: string): JQuery =>
    $('<select>').addClass(key).append(options).val(chosen).appendTo(grid);
  const input = (key: string, value: string | number = ''): JQuery =>
    $('<input type="text">').addClass(key).val(value).appendTo(grid);
  const used = elements()
    .filter((element) => element[0] !== container[0])
    .map((element) => String(element.find('.field').val()));
  const free = SLOT_FIELDS.find((field) => !used.includes(field)) ?? SLOT_FIELDS[0];
  select('field', fieldOptions(node, SLOT_FIELDS), row.field ?? free);
  const types = SLOT_TYPES.map((type) => $('<option>').val(type).text(type));
  select('type', types, row.type ?? 'REAL');
  input('offset', row.offset);
  input('length', row.length);
  input('scale', row.scale);
  $('<div>')
    .append($('<code class="address">'), $('<div class="live">').append($('<b>'), ' ', $('<code>')))
    .appendTo(grid);
  addDetails(node, container, row);
}

/** Puts what the fields say now beside their rows; a row that has been moved or changed since shows nothing. */
export function showLive(node: EditorNode, sights: readonly Sight[]): void {
  elements().forEach((element, index) => {
    const sight = sights[index];
    const of = sight?.field === element.find('.field').val() ? sight : undefined;
    const why = of?.problem && problemWords((key, values) => node._(`plc-consumption-read.${key}`, values), of.problem);
    const live = element.find('.live').attr('title', why ?? '');
    live.toggleClass('input-error', why !== undefined);
    live.children('b').text(of?.value ?? '');
    live.children('code').text(of?.hex ?? '');
  });
}

/** Puts other rows into the table. */
export const fillTable = (rows: readonly SavedRow[]): void =>
  void list().editableList('empty').editableList('addItems', rows);

/** Fills the table when the dialog opens, and keeps it checked. */
export function openTable(node: EditorNode): void {
  const header = $('<div class="plc-consumption-read-row head">');
  for (const column of COLUMNS)
    $('<span>')
      .text(node._(`plc-consumption-read.column.${column}`))
      .appendTo(header);
  const again = (): void => check(node);
  list().editableList({
    header,
    height: 'auto', // all rows
    sortable: true,
    removable: true,
    scrollOnAdd: false, // a loaded list starts at its top
    addItem: (container: JQuery, _index: number, row: Partial<SavedRow>) => {
      addRow(node, container, row);
      container.on('input change', again);
      again();
      if (!row.field) container[0]?.scrollIntoView(); // added by hand
    },
    removeItem: again,
    sortItems: again,
  });
  list().editableList('addItems', (node.fields as SavedRow[] | undefined) ?? []);
  $('.plc-consumption-read-form [data-preset]')
    .addClass('red-ui-button')
    .on('click', (event) => {
      const preset = $(event.currentTarget).data('preset') as keyof typeof PRESETS;
      $('#node-input-stride').val(PRESETS[preset].stride).trigger('change');
      fillTable(rowsOf(preset));
    });
  const places = ['#node-input-db', '#node-input-base', '#node-input-stride', '#node-input-slots', '#node-input-silos'];
  $([...places, '#plc-consumption-read-live-slot'].join()).on('input change', again);
  // Silos are called as the chosen map calls them.
  $('#node-input-silos').on('change', () => {
    for (const element of elements()) {
      const select = element.find('.field');
      const chosen = String(select.val());
      select.empty().append(fieldOptions(node, SLOT_FIELDS)).val(chosen);
    }
  });
  again();
}
