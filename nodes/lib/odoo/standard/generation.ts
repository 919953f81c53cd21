/**
 * What the generations of Odoo call the same things, and what keeps a late write off a done order. The only file that knows
 * a generation's field names; it is told by the fields that are there, not by a version number (contract, "What differs").
 */

export interface Generation {
  /** The versions of Odoo that are like it, for people. */
  versions: string;
  /** On stock.move: what was consumed. */
  figure: 'quantity_done' | 'quantity';
  /** The figure is a reservation as long as the move is not `picked`. */
  picked: boolean;
  /** On stock.move: what keeps a person's typing in the form from replacing the figure. */
  manual: boolean;
  /** The figure is written on the move's line: a rise on the move would come from the parent location, without a lot. */
  byLine: boolean;
  line: {
    /** On stock.move.line: what was consumed. */
    figure: 'qty_done' | 'quantity';
    /** What is reserved of it; undefined: the figure itself, until it is picked. */
    reserved?: 'product_uom_qty' | 'reserved_uom_qty';
  };
  /** On mrp.production: the planned start. */
  start: 'date_planned_start' | 'date_start';
  /** Its own planned start keeps a write off a done order (14:098), unless a work order was begun (14:180). */
  startGuards: boolean;
  /** On mrp.production: lots of what is made. */
  finishedLot: {
    field: 'lot_producing_id' | 'lot_producing_ids';
    many: boolean;
    model: 'stock.production.lot' | 'stock.lot';
  };
  /** On uom.uom: how a unit is told by its relation to another. */
  unit: { parent: 'category_id' | 'relative_uom_id'; factor: 'factor' | 'relative_factor' };
}

const CLASSIC: Generation = {
  versions: '14 and 15',
  figure: 'quantity_done',
  ...{ picked: false, manual: false, byLine: false },
  line: { figure: 'qty_done', reserved: 'product_uom_qty' },
  ...{ start: 'date_planned_start', startGuards: true },
  finishedLot: { field: 'lot_producing_id', many: false, model: 'stock.production.lot' },
  unit: { parent: 'category_id', factor: 'factor' },
};

const SIXTEEN: Generation = {
  ...CLASSIC,
  versions: '16',
  ...{ manual: true, startGuards: false },
  line: { figure: 'qty_done', reserved: 'reserved_uom_qty' },
  finishedLot: { ...CLASSIC.finishedLot, model: 'stock.lot' },
};

const PICKED: Generation = {
  ...SIXTEEN,
  versions: '17 and 18',
  figure: 'quantity',
  ...{ picked: true, byLine: true, start: 'date_start' },
  line: { figure: 'quantity' },
};

const NINETEEN: Generation = {
  ...PICKED,
  versions: '19',
  finishedLot: { field: 'lot_producing_ids', many: true, model: 'stock.lot' },
  unit: { parent: 'relative_uom_id', factor: 'relative_factor' },
};

/** What is asked of `fields_get` to tell them apart. */
export const TELLING = {
  'stock.move': ['quantity_done', 'quantity', 'picked', 'manual_consumption'],
  'mrp.production': ['lot_producing_id', 'lot_producing_ids'],
} as const;

/** @param has whether a model has a field; undefined: it is none that this package knows */
export function generationOf(has: (model: keyof typeof TELLING, field: string) => boolean): Generation | undefined {
  if (has('stock.move', 'picked') && has('stock.move', 'quantity')) {
    return has('mrp.production', 'lot_producing_ids') ? NINETEEN : PICKED;
  }
  if (!has('stock.move', 'quantity_done')) return undefined;
  return has('stock.move', 'manual_consumption') ? SIXTEEN : CLASSIC;
}
