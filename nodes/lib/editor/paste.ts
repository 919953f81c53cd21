/** "Paste block" in the dialogs that have a field table: the source of a data block becomes its rows. */
import { SourceError } from '../plc/source/fault';
import type { NamedSilo, ProposedArray } from '../plc/source/field-proposal';
import type { PlacedMember } from '../plc/source/layout';
import { textOfFile } from '../plc/source/text-file';
import type { SlotType } from '../plc/slot-layout';
import { field, part, text } from './dialog';
import type { FieldTable, TableRow } from './field-table';
import { chosenSilos, fieldOptions, offered } from './plain-names';

/** What a dialog takes a source for: its table, and which rows of slots the source may mean. */
export interface Pasting<Row extends TableRow> {
  table: FieldTable<Row>;
  propose: (source: string, silos: readonly NamedSilo[]) => ProposedArray[];
}

const MOST_SLOTS = 64;
/** More members than a person looks through. */
const MOST_MEMBERS = 1_000;

const box = (name = ''): JQuery => part(`paste${name}`);
/** Types that the field table calls by their long names. */
const LONG_NAMES: Readonly<Record<string, string>> = { DT: 'DATE_AND_TIME' };
const typeIn = <Row extends TableRow>({ kind }: FieldTable<Row>, { type }: PlacedMember): SlotType | undefined =>
  kind.types.find((each) => each === (LONG_NAMES[type] ?? type));

/** A member as a row of the field table. */
function rowOf(member: PlacedMember, name: string, type: SlotType): TableRow {
  const { byte, bit, length } = member;
  const offset = type === 'BOOL' ? `${byte}.${bit}` : byte;
  return { field: name, type, offset, ...(length === undefined ? {} : { length }) };
}

/** The members of one slot, each with the field that it is. */
function showMembers<Row extends TableRow>(
  node: EditorNode,
  fields: FieldTable<Row>,
  { members, proposal }: ProposedArray,
): void {
  const table = box('-members').empty();
  const shown = members.slice(0, MOST_MEMBERS);
  for (const member of shown) {
    const { path, declared, byte, bit, comment } = member;
    const choice = $('<select>')
      .append($('<option>').val('').text('—'), fieldOptions(node, fields.kind.fields))
      .val(proposal.get(path) ?? '')
      .prop('disabled', typeIn(fields, member) === undefined);
    const cells = [path, declared, `${byte}.${bit}`].map((cell) => $('<td>').text(cell).attr('title', comment));
    $('<tr>').append(cells, $('<td>').append(choice)).appendTo(table);
  }
  // A field is one member: choosing it here takes it away there.
  table.find('select').on('change', (event) => {
    const { value } = event.target;
    const others = table.find('select').not(event.target);
    if (value) others.filter((_, other) => other.value === value).val('');
  });
  const more = members.length > shown.length ? { count: shown.length, all: members.length } : undefined;
  box('-more').text(more ? text(node, 'paste.more', more) : '');
}

/** Fills the settings and the table with what was chosen. */
function apply<Row extends TableRow>(
  node: EditorNode,
  table: FieldTable<Row>,
  { db, base, stride, slots, members }: ProposedArray,
): void {
  const chosen = box('-members')
    .find('select')
    .toArray()
    .map((element) => element.value);
  const rows = members.slice(0, chosen.length).flatMap((member, index) => {
    const type = typeIn(table, member);
    return chosen[index] && type ? [rowOf(member, chosen[index], type)] : [];
  });
  const order = offered(table.kind.fields, chosenSilos(node));
  const place = (row: TableRow): number => order.indexOf(row.field);
  const places = { ...(db === undefined ? {} : { db }), base, stride, slots: Math.min(slots, MOST_SLOTS) };
  for (const [key, value] of Object.entries(places)) field(key).val(value).trigger('change');
  table.fill(rows.sort((a, b) => place(a) - place(b)));
}

/** The rows of slots that the source may mean; undefined while it cannot be read, with the reason shown. */
function analyse<Row extends TableRow>(
  node: EditorNode,
  { propose }: Pasting<Row>,
  source: string,
): ProposedArray[] | undefined {
  box('-problem').text('');
  if (source.trim() === '') return undefined;
  try {
    return propose(source, chosenSilos(node)?.enabled ?? []);
  } catch (error) {
    if (!(error instanceof SourceError)) throw error;
    box('-problem').text(text(node, `source.${error.fault}`, { ...error.values }));
    return undefined;
  }
}

/** Reads the chosen files into the text, one behind the other: PLC data types and their block. */
async function readFiles(input: HTMLInputElement): Promise<void> {
  const files = await Promise.all([...(input.files ?? [])].map((file) => file.arrayBuffer()));
  const texts = files.map((bytes) => textOfFile(new Uint8Array(bytes)));
  input.value = '';
  box('-source').val(texts.join('\n')).trigger('input');
}

/** Prepares the box when the dialog opens; it is shown by its button. */
export function preparePaste<Row extends TableRow>(node: EditorNode, pasting: Pasting<Row>): void {
  let arrays: ProposedArray[] = [];
  const chosen = (): ProposedArray | undefined => arrays[Number(box('-array').val())];
  const show = (): void => {
    const array = chosen();
    box('-found').toggle(array !== undefined);
    if (array) showMembers(node, pasting.table, array);
  };
  const read = (): void => {
    arrays = analyse(node, pasting, String(box('-source').val())) ?? [];
    const options = arrays.map(({ path, base, stride, slots }, index) => {
      const name = path || text(node, 'paste.whole');
      return $('<option>')
        .val(index)
        .text(text(node, 'paste.array', { name, base, stride, slots }));
    });
    box('-array').empty().append(options);
    show();
  };
  part('paste-button').on('click', () => {
    box().toggle();
    box('-source').trigger('focus');
  });
  box('-source').on('input', read);
  box('-file').on('change', (event) => void readFiles(event.target as HTMLInputElement));
  field('silos').on('change', read);
  box('-array').on('change', show);
  box('-apply').on('click', () => {
    const array = chosen();
    if (array) apply(node, pasting.table, array);
    box().hide();
  });
}
