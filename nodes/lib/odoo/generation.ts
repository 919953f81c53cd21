/**
 * What the generations of Odoo call the same things, and what keeps a late write off a done order. The only file that knows
 * a generation's field names; it is told by the fields that are there, not by a version number (contract, "What differs").
 */

export interface Generation {
  /** The versions of Odoo that are like it, for people. */
  versions: string;
  /** On stock.move: what was consumed. */
  figure: 'quantity_done' | 'quantity';
  /** On stock.move and its lines: without it the figure is a reservation. '': a figure always counts. */
  picked: 'picked' | '';
  /** On stock.move: what keeps a person's typing in the form from replacing the figure. '': nothing does. */
  manual: 'manual_consumption' | '';
  /** The figure is written on the move's line: a rise on the move would come from the parent location, without a lot. */
  byLine: boolean;
  line: {
    /** On stock.move.line: what was consumed. */
    figure: 'qty_done' | 'quantity';
    /** What is reserved of it; the figure itself, until it is picked. */
    reserved: 'product_uom_qty' | 'reserved_uom_qty' | 'quantity';
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
  /** On uom.uom: how a unit is told by what it hangs on. */
  unit: {
    parent: 'category_id' | 'relative_uom_id';
    factor: 'factor' | 'relative_factor';
    /** It hangs on a category, not on another unit. */
    byCategory: boolean;
  };
}

/** 14 and 15, and what the SCADA addon's Odoo is like. */
export const CLASSIC: Generation = {
  versions: '14 and 15',
  figure: 'quantity_done',
  ...{ picked: '', manual: '', byLine: false },
  line: { figure: 'qty_done', reserved: 'product_uom_qty' },
  ...{ start: 'date_planned_start', startGuards: true },
  finishedLot: { field: 'lot_producing_id', many: false, model: 'stock.production.lot' },
  unit: { parent: 'category_id', factor: 'factor', byCategory: true },
};

const SIXTEEN: Generation = {
  ...CLASSIC,
  versions: '16',
  ...{ manual: 'manual_consumption', startGuards: false },
  line: { figure: 'qty_done', reserved: 'reserved_uom_qty' },
  finishedLot: { ...CLASSIC.finishedLot, model: 'stock.lot' },
};

const PICKED: Generation = {
  ...SIXTEEN,
  versions: '17 and 18',
  figure: 'quantity',
  ...{ picked: 'picked', byLine: true, start: 'date_start' },
  line: { figure: 'quantity', reserved: 'quantity' },
};

const NINETEEN: Generation = {
  ...PICKED,
  versions: '19',
  finishedLot: { field: 'lot_producing_ids', many: true, model: 'stock.lot' },
  unit: { parent: 'relative_uom_id', factor: 'relative_factor', byCategory: false },
};

/** On res.users.apikeys, from 18 on: when a key ends (naive UTC); earlier ones last for ever. */
export const KEY_ENDS = 'expiration_date';

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

type Fields = Readonly<Record<string, unknown>>;

/** Of stock.move: what tells what was consumed. */
export const moveFields = ({ figure, picked }: Generation): string[] => [figure, ...marks(picked)];

/** Of stock.move.line: what tells what is reserved and what was consumed. */
export const lineFields = ({ line, picked }: Generation): string[] => [
  ...new Set([line.figure, line.reserved, ...marks(picked)]),
];

const marks = (...fields: string[]): string[] => fields.filter(Boolean);
const marked = (...fields: string[]): Record<string, true> =>
  Object.fromEntries(marks(...fields).map((field) => [field, true]));

/** Whether a record of stock.move or of its line says that its figure is consumed. */
export const isConsumed = (record: Fields, { picked }: Generation): boolean => !picked || record[picked] === true;

/** What a move has consumed, in its unit: a figure that is not picked is only reserved. */
export const consumedBy = (move: Fields, generation: Generation): number =>
  isConsumed(move, generation) ? Number(move[generation.figure] ?? 0) : 0;

/** Whether a line holds a figure by now; where it stands for the reservation, too, that one is gone then. */
export const holdsFigure = (line: Fields, generation: Generation): boolean =>
  isConsumed(line, generation) && Number(line[generation.line.figure] ?? 0) !== 0;

/** What is reserved of a line, in the move's unit; of one that holds a figure and no reservation, that. */
export const reservedOn = (line: Fields, { line: { reserved, figure } }: Generation): number =>
  Number(line[reserved] || line[figure] || 0);

/** What marks a move as consumed, and as entered by hand. */
export const moveMarks = ({ picked, manual }: Generation): Fields => marked(picked, manual);

/** A figure as it is written on the move. */
export const onMove = (quantity: number, { figure }: Generation): Fields => ({ [figure]: quantity });

/** A figure as it is written on one of the move's lines. */
export const onLine = (quantity: number, { line, picked }: Generation): Fields => ({
  [line.figure]: quantity,
  ...marked(picked),
});

/** The lot of what an order makes: whether it has one, and how it is written. */
export const hasLot = (production: Fields, { finishedLot: { field } }: Generation): boolean => {
  const lot = production[field];
  return Array.isArray(lot) && lot.length > 0;
};
export const withLot = (id: number, { finishedLot: { field, many } }: Generation): Fields => ({
  [field]: many ? [[6, 0, [id]]] : id,
});

/** Its own planned start, which a done order refuses to take. */
export const startGuard = (production: Fields, { start }: Generation): Fields => ({ [start]: production[start] });
/** '': none. */
export const startOf = (production: Fields, { start }: Generation): string => {
  const planned = production[start];
  return typeof planned === 'string' ? planned : '';
};

/** Of a unit of measure: what it hangs on, and how many of it make one of that (or one of it makes of the other unit). */
export const unitFields = ({ unit }: Generation): string[] => [unit.parent, unit.factor];
export const parentOf = (record: Fields, { unit }: Generation): [id: number, name: string] | undefined => {
  const parent = record[unit.parent];
  return Array.isArray(parent) ? (parent as [number, string]) : undefined;
};
export const factorOf = (record: Fields, { unit }: Generation): number => Number(record[unit.factor]);
