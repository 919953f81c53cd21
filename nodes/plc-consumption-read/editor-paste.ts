/** "Paste block" in the dialog of plc-consumption-read: the source of a data block becomes the rows of the field table. */
import { field } from '../lib/editor/dialog';
import { SLOT_FIELDS, SLOT_TYPES, type SlotFieldName, type SlotType } from '../lib/plc/slot-layout';
import { SourceError } from '../lib/plc/source/fault';
import { proposeArrays, type ProposedArray } from '../lib/plc/source/field-proposal';
import type { PlacedMember } from '../lib/plc/source/layout';
import { textOfFile } from '../lib/plc/source/text-file';
import { chosenSilos, fieldOptions } from './editor-fields';
import { fillTable, type SavedRow } from './editor-field-table';
import { sourceWords } from './layout-words';

const TYPE = 'plc-consumption-read';
const MOST_SLOTS = 64;
/** More members than a person looks through. */
const MOST_MEMBERS = 1_000;

const box = (name = ''): JQuery => $(`#${TYPE}-paste${name}`);
/** Types that the field table calls by their long names. */
const LONG_NAMES: Readonly<Record<string, string>> = { DT: 'DATE_AND_TIME' };
const slotType = ({ type }: PlacedMember): SlotType | undefined =>
  SLOT_TYPES.find((each) => each === (LONG_NAMES[type] ?? type));

/** A member as a row of the field table. */
function rowOf(member: PlacedMember, name: SlotFieldName, type: SlotType): SavedRow {
  const { byte, bit, length } = member;
  const offset = type === 'BOOL' ? `${byte}.${bit}` : byte;
  return { field: name, type, offset, ...(length === undefined ? {} : { length }) };
}

/** The members of one batch, each with the field that it is. */
function showMembers(node: EditorNode, { members, proposal }: ProposedArray): void {
  const table = box('-members').empty();
  const shown = members.slice(0, MOST_MEMBERS);
  for (const member of shown) {
    const { path, declared, byte, bit, comment } = member;
    const choice = $('<select>')
      .append($('<option>').val('').text('—'), fieldOptions(node, SLOT_FIELDS))
      .val(proposal.get(path) ?? '')
      .prop('disabled', slotType(member) === undefined);
    const cells = [path, declared, `${byte}.${bit}`].map((text) => $('<td>').text(text).attr('title', comment));
    $('<tr>').append(cells, $('<td>').append(choice)).appendTo(table);
  }
  // A field is one member: choosing it here takes it away there.
  table.find('select').on('change', (event) => {
    const { value } = event.target;
    const others = table.find('select').not(event.target);
    if (value) others.filter((_, other) => other.value === value).val('');
  });
  const more = members.length > shown.length ? { count: shown.length, all: members.length } : undefined;
  box('-more').text(more ? node._(`${TYPE}.paste.more`, more) : '');
}

/** Fills the settings and the table with what was chosen. */
function apply({ db, base, stride, slots, members }: ProposedArray): void {
  const chosen = box('-members')
    .find('select')
    .toArray()
    .map((element) => element.value);
  const rows = members.slice(0, chosen.length).flatMap((member, index) => {
    const type = slotType(member);
    return chosen[index] && type ? [rowOf(member, chosen[index] as SlotFieldName, type)] : [];
  });
  const order = (row: SavedRow): number => SLOT_FIELDS.indexOf(row.field);
  const places = { ...(db === undefined ? {} : { db }), base, stride, slots: Math.min(slots, MOST_SLOTS) };
  for (const [key, value] of Object.entries(places)) field(key).val(value).trigger('change');
  fillTable(rows.sort((a, b) => order(a) - order(b)));
}

/** The rows of batches that the text may mean; undefined while it cannot be read, with the reason shown. */
function analyse(node: EditorNode, text: string): ProposedArray[] | undefined {
  box('-problem').text('');
  if (text.trim() === '') return undefined;
  try {
    return proposeArrays(text, chosenSilos(node)?.enabled ?? []);
  } catch (error) {
    if (!(error instanceof SourceError)) throw error;
    box('-problem').text(sourceWords((key, values) => node._(`${TYPE}.${key}`, values), error));
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
export function preparePaste(node: EditorNode): void {
  let arrays: ProposedArray[] = [];
  const chosen = (): ProposedArray | undefined => arrays[Number(box('-array').val())];
  const show = (): void => {
    const array = chosen();
    box('-found').toggle(array !== undefined);
    if (array) showMembers(node, array);
  };
  const read = (): void => {
    arrays = analyse(node, String(box('-source').val())) ?? [];
    const options = arrays.map(({ path, base, stride, slots }, index) => {
      const name = path || node._(`${TYPE}.paste.whole`);
      return $('<option>')
        .val(index)
        .text(node._(`${TYPE}.paste.array`, { name, base, stride, slots }));
    });
    box('-array').empty().append(options);
    show();
  };
  $(`#${TYPE}-paste-button`).on('click', () => {
    box().toggle();
    box('-source').trigger('focus');
  });
  box('-source').on('input', read);
  box('-file').on('change', (event) => void readFiles(event.target as HTMLInputElement));
  field('silos').on('change', read);
  box('-array').on('change', show);
  box('-apply').on('click', () => {
    const array = chosen();
    if (array) apply(array);
    box().hide();
  });
}
