/** The field table in the dialog of plc-consumption-read: rows to edit, their addresses, and what is wrong with them. */
import { type Silo, SiloMap } from '../lib/domain/silos';
import { current } from '../lib/editor/dialog';
import { type KnownSilos, type LayoutProblem, validateLayout } from '../lib/plc/layout-check';
import {
  addresses,
  type EnteredLayout,
  isText,
  isWeight,
  LAYOUT_PRESETS,
  SLOT_FIELDS,
  SLOT_TYPES,
  type SlotField,
  type SlotType,
  toLayout,
} from '../lib/plc/slot-layout';
import { layoutWords } from './layout-words';

/** A row as it is saved: only what its type uses. BOOL offsets are text, so that 22.0 shows its bit. */
export type SavedRow = Pick<SlotField, 'field' | 'type'> & { offset: string | number; length?: number; scale?: number };

const COLUMNS = ['field', 'type', 'offset', 'length', 'scale', 'address'] as const;

const saved = ({ offset, ...row }: SlotField): SavedRow => ({
  ...row,
  offset: row.type === 'BOOL' ? offset.toFixed(1) : offset,
});

export const PRESETS = {
  record: LAYOUT_PRESETS['S7 batch record'],
  packed: LAYOUT_PRESETS['packed words'],
} as const;

/** The rows that a preset brings. */
export const rowsOf = (preset: keyof typeof PRESETS): SavedRow[] => PRESETS[preset].fields.map(saved);

/** The silos in use of the chosen map; undefined while none is chosen, or while it is wrong itself. */
function silosOf(node: EditorNode): KnownSilos | undefined {
  try {
    const map = RED.nodes.node(current(node, 'silos'));
    return map ? new SiloMap(map.silos as Silo[]) : undefined;
  } catch {
    return undefined;
  }
}

/** What is wrong with the rows, by the node's own rules; the settings have fields of their own. */
export function rowProblems(node: EditorNode, fields: readonly SavedRow[]): LayoutProblem[] {
  const of = (key: string): string | number => current(node, key) as string | number;
  const layout = { db: of('db'), base: of('base'), stride: of('stride'), slots: of('slots'), fields };
  const found = validateLayout(toLayout(layout as EnteredLayout), silosOf(node));
  return found.filter(({ fault }) => fault !== 'setting' && fault !== 'block');
}

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
  };
}

/** The rows as they stand in the dialog. */
export const enteredRows = (): SavedRow[] => elements().map(exportRow);

/** Shows of every row what it uses, its address in slot 1, and what is wrong. */
function check(node: EditorNode): void {
  const fields = enteredRows();
  const problems = rowProblems(node, fields);
  const { db, base } = { db: $('#node-input-db').val(), base: $('#node-input-base').val() };
  const shown = addresses(toLayout({ db, base, stride: 0, slots: 1, fields } as unknown as EnteredLayout), 1);
  elements().forEach((element, index) => {
    const row = fields[index]!;
    element.find('.length').css('visibility', isText(row.type) ? '' : 'hidden');
    element.find('.scale').css('visibility', isWeight(row.field) ? '' : 'hidden');
    element.find('.offset').toggleClass(
      'input-error',
      problems.some((problem) => problem.row === index + 1),
    );
    element.find('code').text(shown[index]?.address ?? '');
  });
  $('#plc-consumption-read-problems')
    .empty()
    .append(problems.map((problem) => $('<div>').text(words(node, problem))));
}

/** Draws one row; one that was added by hand has no field yet. */
function addRow(container: JQuery, row: Partial<SavedRow>): void {
  const grid = $('<div class="plc-consumption-read-row">').appendTo(container);
  const select = (key: string, values: readonly string[], chosen: string): JQuery =>
    $('<select>')
      .addClass(key)
      .append(values.map((value) => $('<option>').val(value).text(value)))
      .val(chosen)
      .appendTo(grid);
  const input = (key: string, value: string | number = ''): JQuery =>
    $('<input type="text">').addClass(key).val(value).appendTo(grid);
  const used = elements()
    .filter((element) => element[0] !== container[0])
    .map((element) => String(element.find('.field').val()));
  select('field', SLOT_FIELDS, row.field ?? SLOT_FIELDS.find((field) => !used.includes(field)) ?? SLOT_FIELDS[0]);
  select('type', SLOT_TYPES, row.type ?? 'REAL');
  input('offset', row.offset);
  input('length', row.length);
  input('scale', row.scale);
  $('<code>').appendTo(grid);
}

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
    height: 320,
    sortable: true,
    removable: true,
    scrollOnAdd: false, // a loaded list starts at its top
    addItem: (container: JQuery, _index: number, row: Partial<SavedRow>) => {
      addRow(container, row);
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
      list().editableList('empty').editableList('addItems', rowsOf(preset));
    });
  $('#node-input-db, #node-input-base, #node-input-stride, #node-input-slots, #node-input-silos').on(
    'input change',
    again,
  );
  again();
}
