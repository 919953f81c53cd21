/**
 * What differs between the standard Odoos 14 to 19, as data: names of fields, and what becomes of a call. Everything else
 * is the same for all of them.
 */

export const VERSIONS = [14, 15, 16, 17, 18, 19] as const;
export type Version = (typeof VERSIONS)[number];

/** One value for all versions from 14 on, in their order. */
const TABLE = {
  serverVersion: ['14.0', '15.0-20220616', '16.0', '17.0', '18.0', '19.0'],
  // Names of fields and models; null: there is none.
  figure: ['quantity_done', 'quantity_done', 'quantity_done', 'quantity', 'quantity', 'quantity'],
  reserved: ['reserved_availability', 'reserved_availability', 'reserved_availability', null, null, null],
  lineFigure: ['qty_done', 'qty_done', 'qty_done', 'quantity', 'quantity', 'quantity'],
  lineReserved: ['product_uom_qty', 'product_uom_qty', 'reserved_uom_qty', null, null, null],
  /** A figure counts only where it is picked; before, it is the reservation. */
  picked: [false, false, false, true, true, true],
  manual: [false, false, true, true, true, true],
  start: ['date_planned_start', 'date_planned_start', 'date_planned_start', 'date_start', 'date_start', 'date_start'],
  lot: [
    'lot_producing_id',
    'lot_producing_id',
    'lot_producing_id',
    'lot_producing_id',
    'lot_producing_id',
    'lot_producing_ids',
  ],
  lotModel: ['stock.production.lot', 'stock.production.lot', 'stock.lot', 'stock.lot', 'stock.lot', 'stock.lot'],
  units: ['category', 'category', 'category', 'category', 'category', 'relative'],
  /** Ids by which a client knows what hangs on the gram, as recorded (19:046). */
  unitIds: [{}, {}, {}, {}, {}, { g: 15, kg: 16, t: 17 }] as Record<string, number>[],
  // Reservation, and where a figure is taken from.
  reservesOnConfirm: [false, true, true, true, true, true],
  /** The reservation grows with the figure. */
  reservationFollows: [false, false, true, false, false, false],
  severalLines: ['refused', 'shared', 'shared', 'shared', 'shared', 'shared'],
  aboveReservation: ['line', 'line', 'line', 'parent', 'parent', 'line'],
  unreserved: ['parent', 'parent', 'silo', 'parent', 'parent', 'silo'],
  /** A location other than the reserved one, written on the move along with the figure. */
  otherLocation: ['ignored', 'ignored', 'ignored', 'ignored', 'drops the lines', 'drops the lines'],
  negative: ['refused', 'refused', 'taken', 'taken', 'refused', 'refused'],
  // States.
  /** A begun order stays `progress` when its figures go back to 0. */
  staysBegun: [false, true, true, true, true, true],
  writeOnDraft: ['stays draft', 'confirms', 'confirms', 'confirms', 'confirms', 'confirms'],
  writeOnCancelled: ['taken', 'taken', 'refused', 'refused', 'refused', 'refused'],
  /** A component that is added to an open order. */
  addedMove: ['draft', 'reserved', 'reserved', 'reserved', 'reserved', 'reserved'],
  /** The unit of the move, written along, refuses the whole call on a done order. */
  unitGuard: [false, true, true, true, true, true],
  workOrderStart: ['nothing', 'plan', 'plan', 'plan', 'plan', 'plan'],
  startAnswers: [true, true, true, true, null, null],
  unreserveAnswers: [true, null, null, null, null, null],
  cancelOfDone: ['ignored', 'ignored', 'ignored', 'ignored', 'ignored', 'refused'],
  // Closing.
  /** Mark-done with `qty_producing` 0. */
  nothingProduced: ['wizard', 'wizard', 'wizard', 'all as planned', 'all as planned', 'all as planned'],
  /** What is consumed by hand does not count as written when the wizard is asked for. */
  manualIsNothing: [false, false, true, false, false, false],
  allZero: ['done', 'refused', 'refused', 'done', 'done', 'done'],
  /** A figure that is not picked but manual is consumed. */
  manualIsConsumed: [false, false, false, false, true, true],
  overPlan: ['second move', 'new plan', 'new plan', 'kept', 'kept', 'kept'],
  underPlan: ['second move, done', 'second move, cancel', 'second move, cancel', 'kept', 'kept', 'kept'],
  zero: ['done', 'cancel', 'cancel', 'cancel', 'cancel', 'cancel'],
  planAfterDone: ['produced', 'produced', 'produced', 'kept', 'kept', 'kept'],
  /** What a component's plan is on a backorder. */
  backorderPlan: ['what is left', 'share', 'share', 'share', 'share', 'share'],
  finishedLot: ['refused', 'refused', 'refused', 'refused', 'refused', 'made'],
  // Wire.
  errorCode: [200, 200, 200, 200, 200, 0],
  jsonType: [
    'application/json',
    'application/json',
    'application/json; charset=utf-8',
    'application/json; charset=utf-8',
    'application/json; charset=utf-8',
    'application/json; charset=utf-8',
  ],
  /** Errors of /jsonrpc come as a page when there are several databases, or none. */
  errorPages: [true, false, false, false, false, false],
  /** What a JSON request to an unknown address gets. */
  unknownAddress: ['envelope', 'envelope', 'page', 'page', 'page', 'page'],
  json2: [false, false, false, false, false, true],
  cooldown: ['every login', 'every login', 'web', 'web', 'web, as ValueError', 'web, as ValueError'],
  // Median ms of the calls, measured on two cores.
  msLogin: [20, 39, 473, 424, 396, 381],
  msRead: [2, 12, 14, 16, 14, 12],
  msList: [60, 82, 31, 41, 31, 24],
  msMoves: [28, 32, 23, 33, 33, 31],
  msPush: [100, 144, 210, 750, 712, 232],
  msPushByLine: [100, 144, 210, 277, 159, 163],
  msDone: [377, 523, 732, 152, 187, 191],
} as const;

type Table = typeof TABLE;
export type Generation = { version: Version } & { [K in keyof Table]: Table[K][number] };

export function generation(version: Version): Generation {
  const index = VERSIONS.indexOf(version);
  const values = Object.entries(TABLE).map(([name, row]) => [name, row[index]]);
  return { version, ...Object.fromEntries(values) } as Generation;
}
