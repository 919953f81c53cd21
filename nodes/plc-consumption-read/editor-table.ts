/** The field table of the slots that are read. */
import { chosenSilos } from '../lib/editor/plain-names';
import { FieldTable, type Places, type TableRow } from '../lib/editor/field-table';
import { validateLayout } from '../lib/plc/layout-check';
import {
  addresses,
  isWeight,
  LAYOUT_PRESETS,
  SLOT_FIELDS,
  SLOT_TYPES,
  type SlotField,
  type SlotLayout,
  toLayout,
} from '../lib/plc/slot-layout';
import { addDetails, type Details, enteredDetails, showDetails } from './editor-row-details';

export type SavedRow = TableRow & Pick<SlotField, 'field' | 'type'> & Details;

const layoutOf = (places: Places, fields: readonly SavedRow[]): SlotLayout => toLayout({ ...places, fields });

export const table = new FieldTable<SavedRow>({
  type: 'plc-consumption-read',
  fields: SLOT_FIELDS,
  types: SLOT_TYPES,
  presets: { record: LAYOUT_PRESETS['S7 batch record'], packed: LAYOUT_PRESETS['packed words'] },
  isWeight,
  faults: (node, places, rows) => validateLayout(layoutOf(places, rows), chosenSilos(node)),
  addresses: (places, rows, slot) => addresses(layoutOf(places, rows), slot),
  details: { add: addDetails, show: showDetails, entered: enteredDetails },
});
