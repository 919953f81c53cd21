/** The field table of the dialogs that know a PLC's slots: rows to edit, their addresses, what they say, and what is wrong. */
import type { LayoutProblem } from '../plc/layout-fault';
import { isText, type SlotType } from '../plc/slot-layout';
import { current, part, text } from './dialog';
import { chosenSilos, fieldOptions, offered } from './plain-names';

/** A row as it is saved: only what its type uses. BOOL offsets are text, so that 22.0 shows its bit. */
export interface TableRow {
  field: string;
  type: string;
  offset: string | number;
  length?: number;
  scale?: number;
}

/** A row of a layout that a dialog offers to start from. */
type PresetRow = Omit<TableRow, 'offset'> & { offset: number };

/** Where the slots are, as it stands in the dialog or was saved. */
export type Places = Record<'db' | 'base' | 'stride' | 'slots', string | number>;

/** What a field says now: its value, its bytes, and why it cannot be read as one. */
export interface Sight {
  field: string;
  value: string;
  hex: string;
  problem?: string;
}

/** What the fields of one kind of slot are. */
export interface TableKind<Row extends TableRow> {
  type: string;
  fields: readonly string[];
  types: readonly SlotType[];
  presets: Readonly<Record<string, { stride: number; fields: readonly PresetRow[] }>>;
  isWeight: (field: string) => boolean;
  /** Every fault of the layout, by the node's own rules. */
  faults: (node: EditorNode, places: Places, rows: readonly Row[]) => LayoutProblem[];
  /** Where the rows lie in a slot. */
  addresses: (places: Places, rows: readonly Row[], slot: number) => readonly { address: string }[];
  /** What a row has on a second line. */
  details: {
    add: (node: EditorNode, container: JQuery, row: Partial<Row>) => void;
    show: (container: JQuery, row: Row) => void;
    entered: (container: JQuery, row: Pick<Row, 'field' | 'type'>) => Partial<Row>;
  };
}

const COLUMNS = ['field', 'type', 'offset', 'length', 'scale', 'address'] as const;
/** The slot whose addresses and values are shown. */
const shownSlot = (): number => Number(part('live-slot').val()) || 1;
const list = (): JQuery => $('#node-input-fields-container');
const elements = (): JQuery[] => list().editableList('items').toArray();

export const savedRow = ({ field, type, offset, length, scale }: PresetRow): TableRow => ({
  field,
  type,
  ...(length && { length }),
  ...(scale && { scale }),
  offset: type === 'BOOL' ? offset.toFixed(1) : offset,
});

export class FieldTable<Row extends TableRow> {
  readonly kind: TableKind<Row>;

  constructor(kind: TableKind<Row>) {
    this.kind = kind;
  }

  /** The rows that a preset brings. */
  preset = (name: string): TableRow[] => this.kind.presets[name]?.fields.map(savedRow) ?? [];

  /** What is wrong with the rows; the settings have fields of their own. */
  rowProblems(node: EditorNode, rows: readonly Row[]): LayoutProblem[] {
    const found = this.kind.faults(node, this.#places(node), rows);
    return found.filter(({ fault }) => fault !== 'setting' && fault !== 'block');
  }

  /** Whether slots can be read with what stands in the dialog. */
  isSound = (node: EditorNode): boolean => this.kind.faults(node, this.#places(node), this.rows()).length === 0;

  /** A validator's verdict on the saved rows. */
  judged(node: EditorNode, rows: readonly Row[]): true | string[] {
    const problems = this.rowProblems(node, rows);
    return problems.length === 0 || problems.map((problem) => this.#words(node, problem));
  }

  /** The rows as they stand in the dialog. */
  rows = (): Row[] => elements().map((element) => this.#row(element));

  /** Puts other rows into the table. */
  fill = (rows: readonly TableRow[]): void => void list().editableList('empty').editableList('addItems', rows);

  /** Puts what the fields say now beside their rows; a row that has been moved or changed since shows nothing. */
  showLive(sights: readonly Sight[]): void {
    elements().forEach((element, index) => {
      const sight = sights[index];
      const of = sight?.field === element.find('.field').val() ? sight : undefined;
      const live = element.find('.live').attr('title', of?.problem ?? '');
      live.toggleClass('input-error', of?.problem !== undefined);
      live.children('b').text(of?.value ?? '');
      live.children('code').text(of?.hex ?? '');
    });
  }

  /** Fills the table when the dialog opens, and keeps it checked. */
  open(node: EditorNode): void {
    const header = $('<div class="mo-bridge-row head">');
    for (const column of COLUMNS)
      $('<span>')
        .text(text(node, `column.${column}`))
        .appendTo(header);
    const again = (): void => this.#check(node);
    list().editableList({
      header,
      height: 'auto', // all rows
      sortable: true,
      removable: true,
      scrollOnAdd: false, // a loaded list starts at its top
      addItem: (container: JQuery, _index: number, row: Partial<Row>) => {
        this.#addRow(node, container, row);
        container.on('input change', again);
        again();
        if (!row.field) container[0]?.scrollIntoView(); // added by hand
      },
      removeItem: again,
      sortItems: again,
    });
    list().editableList('addItems', (node.fields as Row[] | undefined) ?? []);
    this.#offerPresets(node);
    const places = ['db', 'base', 'stride', 'slots', 'silos'].map((key) => `#node-input-${key}`);
    $(places.join()).add(part('live-slot')).on('input change', again);
    // Silos are called as the chosen map calls them.
    $('#node-input-silos').on('change', () => {
      for (const element of elements()) {
        const select = element.find('.field');
        const chosen = String(select.val());
        select
          .empty()
          .append(fieldOptions(node, this.kind.fields, chosen))
          .val(chosen);
      }
    });
    again();
  }

  #places(node: EditorNode): Places {
    const of = (key: string): string | number => current(node, key) as string | number;
    return { db: of('db'), base: of('base'), stride: of('stride'), slots: of('slots') };
  }

  /** Also of a node whose dialog is not open. */
  #words = (node: EditorNode, { fault, row, field, values }: LayoutProblem): string =>
    node._(`${this.kind.type}.layout.${fault}`, { row, field, ...values });

  #offerPresets(node: EditorNode): void {
    for (const [name, { stride }] of Object.entries(this.kind.presets).reverse())
      $('<button type="button" class="red-ui-button">')
        .attr('data-preset', name)
        .text(text(node, `preset.${name}`))
        .on('click', () => {
          $('#node-input-stride').val(stride).trigger('change');
          this.fill(this.preset(name));
        })
        .insertAfter(part('presets'))
        .after(' ');
  }

  #row(element: JQuery): Row {
    const value = (key: string): string => String(element.find(`.${key}`).val()).trim();
    const [field, type, offset] = [value('field'), value('type'), value('offset')];
    const row = {
      field,
      type,
      offset: type === 'BOOL' || !/^\d+$/.test(offset) ? offset : Number(offset),
      ...(isText(type as SlotType) ? { length: Number(value('length')) } : {}),
      ...(this.kind.isWeight(field) && value('scale') !== '' ? { scale: Number(value('scale')) } : {}),
    };
    return { ...row, ...this.kind.details.entered(element, row) } as Row;
  }

  /** Shows of every row what it uses, its address in the shown slot, and what is wrong. */
  #check(node: EditorNode): void {
    const rows = this.rows();
    const problems = this.rowProblems(node, rows);
    const shown = this.kind.addresses(this.#places(node), rows, shownSlot());
    elements().forEach((element, index) => {
      const row = rows[index]!;
      element.find('.length').css('visibility', isText(row.type as SlotType) ? '' : 'hidden');
      element.find('.scale').css('visibility', this.kind.isWeight(row.field) ? '' : 'hidden');
      this.kind.details.show(element, row);
      element.find('.offset').toggleClass(
        'input-error',
        problems.some((problem) => problem.row === index + 1),
      );
      element.find('.address').text(shown[index]?.address ?? '');
    });
    part('problems')
      .empty()
      .append(problems.map((problem) => $('<div>').text(this.#words(node, problem))));
  }

  /** Draws one row; one that was added by hand has no field yet. */
  #addRow(node: EditorNode, container: JQuery, row: Partial<Row>): void {
    const { fields, types } = this.kind;
    const grid = $('<div class="mo-bridge-row">').appendTo(container);
    const select = (key: string, options: JQuery[], chosen: string): JQuery =>
      $('<select>').addClass(key).append(options).val(chosen).appendTo(grid);
    const input = (key: string, value: string | number = ''): JQuery =>
      $('<input type="text">').addClass(key).val(value).appendTo(grid);
    const used = elements()
      .filter((element) => element[0] !== container[0])
      .map((element) => String(element.find('.field').val()));
    const chosen = row.field ?? offered(fields, chosenSilos(node)).find((field) => !used.includes(field)) ?? fields[0]!;
    select('field', fieldOptions(node, fields, chosen), chosen);
    select(
      'type',
      types.map((type) => $('<option>').val(type).text(type)),
      row.type ?? 'REAL',
    );
    input('offset', row.offset);
    input('length', row.length);
    input('scale', row.scale);
    $('<div>')
      .append($('<code class="address">'), $('<div class="live">').append($('<b>'), ' ', $('<code>')))
      .appendTo(grid);
    this.kind.details.add(node, container, row);
  }
}
