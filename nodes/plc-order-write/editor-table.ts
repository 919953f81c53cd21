/** The field table of the order slots. */
import { FieldTable, type Places, type TableRow } from '../lib/editor/field-table';
import { chosenSilos } from '../lib/editor/plain-names';
import { text } from '../lib/editor/dialog';
import { validateOrderLayout } from '../lib/plc/order-check';
import {
  isOrderWeight,
  isPlan,
  ORDER_FIELDS,
  ORDER_PRESETS,
  ORDER_TYPES,
  type OrderLayout,
} from '../lib/plc/order-layout';
import { addresses, toLayout } from '../lib/plc/slot-layout';

/** `limit`: the highest plan of a silo (kg). */
export type SavedRow = TableRow & { limit?: string };

const layoutOf = (places: Places, fields: readonly SavedRow[]): OrderLayout =>
  toLayout({ ...places, fields: fields.map(({ limit: _, ...row }) => row) }) as OrderLayout;

export const table = new FieldTable<SavedRow>({
  type: 'plc-order-write',
  fields: ORDER_FIELDS,
  types: ORDER_TYPES,
  presets: { record: ORDER_PRESETS['S7 order record'], packed: ORDER_PRESETS['packed words'] },
  isWeight: isOrderWeight,
  faults: (node, places, rows) => validateOrderLayout(layoutOf(places, rows), chosenSilos(node)),
  addresses: (places, rows, slot) => addresses(layoutOf(places, rows), slot),
  details: {
    add: (node, container, { limit = '' }) => {
      const line = $('<div class="mo-bridge-details">').appendTo(container);
      const input = $('<input type="text" data-detail="limit">').val(limit);
      $('<label>')
        .append($('<span>').text(text(node, 'detail.limit')), input)
        .appendTo(line);
      $('<button type="button" class="red-ui-button red-ui-button-small"><i class="fa fa-ellipsis-h"></i></button>')
        .attr('title', text(node, 'detail.limit'))
        .on('click', () => line.toggleClass('open'))
        .appendTo(container.find('.mo-bridge-row'));
      line.toggleClass('open', limit !== '');
    },
    show: (container, { field }) => void container.find('.mo-bridge-row > button').toggle(isPlan(field)),
    entered: (container, { field }) => {
      const limit = String(container.find('[data-detail="limit"]').val()).trim();
      return isPlan(field) && limit ? { limit } : {};
    },
  },
});
