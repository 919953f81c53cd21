/** What a row of the field table has besides its place and type: a second line, of what its field and type can use. */
import { isFlag, isPosition, isText, isWeight, type SlotField, UNITS } from '../lib/plc/slot-layout';
import { isWhole } from '../lib/plc/slot-types';

/** As they are saved: numbers as they were entered, boxes as true. */
export type Details = Partial<Record<DetailName, string | true>>;
export type DetailName = (typeof DETAILS)[number];
type RowKind = Pick<SlotField, 'field' | 'type'>;

const DETAILS = [
  'prefix',
  'width',
  'values',
  'bit',
  'inverted',
  'unit',
  'part',
  'count',
  'step',
  'db',
  'stride',
] as const;
const BOXES: readonly DetailName[] = ['inverted', 'part'];

/** Which of them a row can use. */
const USES: Record<DetailName, (row: RowKind) => boolean> = {
  prefix: ({ field }) => field === 'mo_id',
  width: ({ field }) => field === 'mo_id',
  values: ({ field, type }) => isFlag(field) && isWhole(type),
  bit: ({ field, type }) => isFlag(field) && isWhole(type) && !type.startsWith('BCD'),
  inverted: ({ field }) => isFlag(field),
  unit: ({ field }) => isWeight(field),
  part: ({ field }) => isWeight(field) && !isPosition(field),
  count: ({ field }) => isPosition(field),
  step: ({ field }) => isPosition(field),
  db: () => true,
  stride: () => true,
};

/** Whether a row needs the second line to be read at all. */
const needs = ({ field, type }: RowKind): boolean => isPosition(field) || (field === 'mo_id' && !isText(type));

const isBox = (name: DetailName): boolean => BOXES.includes(name);
const inputOf = (line: JQuery, name: DetailName): JQuery => line.find(`[data-detail="${name}"]`);

function control(name: DetailName, value: string | number | boolean | undefined): JQuery {
  if (isBox(name)) return $('<input type="checkbox">').prop('checked', value === true || value === 'true');
  if (name !== 'unit') return $('<input type="text">').val(String(value ?? ''));
  const units = Object.keys(UNITS).map((unit) => $('<option>').val(unit).text(unit));
  return $('<select>')
    .append(units)
    .val(String(value ?? 'kg'));
}

/** Draws the second line of a row, and the button that shows it. */
export function addDetails(node: EditorNode, container: JQuery, row: Partial<SlotField> | Details): void {
  const line = $('<div class="mo-bridge-details">').appendTo(container);
  const saved = row as Record<string, string | number | boolean | undefined>;
  for (const name of DETAILS) {
    const words = $('<span>').text(node._(`plc-consumption-read.detail.${name}`));
    $('<label>').append(words, control(name, saved[name]).attr('data-detail', name)).appendTo(line);
  }
  const more = $(
    '<button type="button" class="red-ui-button red-ui-button-small"><i class="fa fa-ellipsis-h"></i></button>',
  )
    .attr('title', node._('plc-consumption-read.detail.more'))
    .on('click', () => line.toggleClass('open'));
  container.find('.mo-bridge-row').append(more);
  line.toggleClass(
    'open',
    DETAILS.some((name) => saved[name] !== undefined && saved[name] !== ''),
  );
}

/** Shows what the row's field and type can use. */
export function showDetails(container: JQuery, row: RowKind): void {
  const line = container.find('.mo-bridge-details');
  for (const name of DETAILS) inputOf(line, name).parent().toggle(USES[name](row));
  if (needs(row)) line.addClass('open');
}

/** What stands in the second line, as far as the row uses it. */
export function enteredDetails(container: JQuery, row: RowKind): Details {
  const line = container.find('.mo-bridge-details');
  const details: Details = {};
  for (const name of DETAILS) {
    if (!USES[name](row)) continue;
    const input = inputOf(line, name);
    const value = isBox(name) ? input.prop('checked') === true : String(input.val() ?? '').trim();
    if (value === true || (value && !(name === 'unit' && value === 'kg'))) details[name] = value;
  }
  return details;
}
