/**
 * The calls that this package makes to Odoo, each returning what its answer means. Knows no Node-RED and no database.
 */
import { explainError, readAddon, readUpdate } from './answer';
import { CLASSIC, consumedBy, factorOf, onMove, parentOf, unitFields } from '../generation';
import { namedOrders } from '../search';
import { checked, DONE, type Read, readOf } from '../answer';
import { type Concluded, concluded } from '../../domain/conclusion';
import { OdooError } from '../../domain/odoo-orders';
import type { OrderMove, Production, Unit } from '../../domain/order';
import {
  areMoveLines,
  areMoves,
  areOrderDetails,
  areProductions,
  areUnitRecords,
  codesById,
  isWizard,
  type MoveRecord,
  type OrderDetail,
} from './records';
import { type CallOptions, type OdooAddress, OdooSession } from './session';

/** One page holds them all: paging by offset skips orders, because a first consumption takes one out of the list. */
const ALL = 100_000;

const MOVE_FIELDS = [
  'raw_material_production_id',
  'product_id',
  'product_uom',
  'product_uom_qty',
  CLASSIC.figure,
  'scada_equipment_id',
  'state',
];

const PRODUCTION_FIELDS = [
  'name',
  'state',
  'product_qty',
  'qty_producing',
  'qty_produced',
  'consumption',
  'product_uom_id',
  'move_byproduct_ids',
];

export class OdooClient {
  readonly session: OdooSession;

  constructor(address: OdooAddress, now?: () => number) {
    this.session = new OdooSession(address, now);
  }

  close(): void {
    this.session.close();
  }

  /** The login's own name and the server's version, e.g. "14.0" (exchange 314). @throws OdooError */
  async sessionInfo(options?: CallOptions): Promise<{ user: string; server: string }> {
    const read = await this.session.call('/web/session/get_session_info', {}, options);
    if (read.concluded) throw new OdooError('Logging in', readOf(read.concluded));
    const { username, server_version } = (read.result ?? {}) as { username?: unknown; server_version?: unknown };
    return { user: String(username), server: String(server_version) };
  }

  /** Version of the SCADA addon; undefined where Odoo tells it to administrators only (exchange 006). @throws OdooError */
  async addonVersion(options?: CallOptions): Promise<string | undefined> {
    const read = readAddon(await this.session.call('/api/scada/version', {}, { ...options, method: 'GET' }));
    if (!read.concluded) return (read.result as { version?: string }).version;
    const missing =
      'there is no SCADA addon in this database: install it in Odoo (Apps), check the name of the database, or choose the interface "standard Odoo"';
    const { conclusion } = read.concluded;
    throw new OdooError(
      'Looking for the addon',
      conclusion === 'session' ? concluded(conclusion, missing) : readOf(read.concluded),
    );
  }

  /** All orders that are confirmed and not begun. @throws OdooError */
  async confirmedOrders(options?: CallOptions): Promise<OrderDetail[]> {
    const what = 'Fetching the orders';
    const read = readAddon(await this.session.call('/api/scada/mo-list-detailed', { limit: ALL, offset: 0 }, options));
    if (read.concluded) throw new OdooError(what, readOf(read.concluded));
    if (read.result.status !== 'success') throw new OdooError(what, explainError(read.result.message ?? ''));
    return checked(what, read.result.data, areOrderDetails);
  }

  /** One order in whatever state; undefined when Odoo does not know it. @throws OdooError */
  async order(id: number, options?: CallOptions): Promise<OrderDetail | undefined> {
    const read = readAddon(await this.session.call('/api/scada/mo-detail', { mo_id: id }, options));
    const what = `Fetching order ${id}`;
    if (read.concluded) throw new OdooError(what, readOf(read.concluded));
    if (read.result.status === 'success') return checked(what, [read.result.data], areOrderDetails)[0];
    const explained = explainError(read.result.message ?? '');
    if (explained.conclusion === 'unknown-order') return undefined;
    throw new OdooError(what, explained);
  }

  /**
   * State and finished quantity of the orders with these ids, and of every order that has one of these names: several where
   * the user sees the orders of several companies. Unknown ones are absent. One call. @throws OdooError
   */
  async productions(
    { ids, names }: { ids?: readonly number[]; names?: readonly string[] },
    options?: CallOptions,
  ): Promise<Production[]> {
    const domain = namedOrders(ids, names);
    if (!domain) return [];
    const found = await this.#searchRead('mrp.production', domain, PRODUCTION_FIELDS, options);
    return checked('Reading mrp.production', found, areProductions);
  }

  /**
   * The raw moves of orders by the order's id, with their true plan and consumption: the addon's own figures are unscaled
   * and clamped (exchanges 082, 128).
   * @param details of the same orders, just read: they alone tell the equipment codes, which can be renamed at any time
   * @throws OdooError
   */
  async moves(
    ids: readonly number[],
    details: readonly OrderDetail[],
    options?: CallOptions,
  ): Promise<Map<number, OrderMove[]>> {
    const byOrder = new Map<number, OrderMove[]>(ids.map((id) => [id, []]));
    const codes = codesById(details);
    for (const record of await this.#moveRecords([['raw_material_production_id', 'in', ids]], options)) {
      const [order] = record.raw_material_production_id || [0];
      byOrder.get(order)?.push(moveOf(record, codes));
    }
    return byOrder;
  }

  /** Moves by their ids: by-products. @throws OdooError */
  async movesOf(ids: readonly number[], options?: CallOptions): Promise<OrderMove[]> {
    if (ids.length === 0) return [];
    return (await this.#moveRecords([['id', 'in', ids]], options)).map((record) => moveOf(record, new Map()));
  }

  /** Units of measure by id, archived ones too. One call. @throws OdooError */
  async units(ids: readonly number[], options?: CallOptions): Promise<Map<number, Unit>> {
    if (ids.length === 0) return new Map();
    const domain = [
      ['id', 'in', ids],
      ['active', 'in', [true, false]],
    ];
    const fields = ['name', ...unitFields(CLASSIC), 'rounding'];
    const found = await this.#searchRead('uom.uom', domain, fields, options);
    return new Map(
      checked('Reading uom.uom', found, areUnitRecords).map((record) => {
        const { id, name, rounding } = record;
        const [categoryId, category] = parentOf(record, CLASSIC) ?? [0, ''];
        return [id, { name, categoryId, category, factor: factorOf(record, CLASSIC), rounding }];
      }),
    );
  }

  /** Of how many lots or places each move of an order takes its part: Odoo keeps a line for each. @throws OdooError */
  async linesByMove(orderId: number, options?: CallOptions): Promise<Map<number, number>> {
    const domain = [['move_id.raw_material_production_id', '=', orderId]];
    const found = await this.#searchRead('stock.move.line', domain, ['move_id'], options);
    const lines = new Map<number, number>();
    for (const { move_id } of checked('Reading stock.move.line', found, areMoveLines)) {
      const [move] = move_id || [0];
      lines.set(move, (lines.get(move) ?? 0) + 1);
    }
    return lines;
  }

  /** Gives back what is reserved for an order, as its button "Unreserve" does. */
  async unreserve(orderId: number, options?: CallOptions): Promise<Concluded> {
    return (await this.#callKw('mrp.production', 'do_unreserve', [[orderId]], {}, options)).concluded ?? DONE;
  }

  /** Enters what a move has consumed or made, in its unit. Replaces, so it may be repeated (exchange 265). */
  async enterDone(moveId: number, quantity: number, options?: CallOptions): Promise<Concluded> {
    const args = [[moveId], onMove(quantity, CLASSIC)];
    return (await this.#callKw('stock.move', 'write', args, {}, options)).concluded ?? DONE;
  }

  /**
   * Sends kg by equipment code and, when given, the finished quantity so far (kg). Replaces, so it may be repeated.
   * @param name of the order in Odoo: the addon's routes that write take no id
   */
  async update(
    name: string,
    weights: Readonly<Record<string, number>>,
    quantity?: number,
    options?: CallOptions,
  ): Promise<Concluded> {
    // Nothing else: any other key would be taken for an equipment code (exchange 103).
    const params = { mo_id: name, ...(quantity ? { quantity } : {}), ...weights };
    const answer = await this.session.call('/api/scada/mo/update-with-consumptions', params, options);
    return readUpdate(answer, weights, quantity || undefined);
  }

  /** Sets one component back to 0, which an update cannot (exchanges 093, 212). */
  async setToZero(name: string, code: string, productId: number, options?: CallOptions): Promise<Concluded> {
    // Naive UTC without a T, or the server keeps its own time, or refuses (exchanges 216, 411, 412).
    const timestamp = new Date().toISOString().slice(0, 19).replace('T', ' ');
    const params = {
      mo_id: name,
      equipment_id: code,
      product_id: productId,
      timestamp,
      quantity: 0,
      update_mode: 'replace',
    };
    return succeeded(await this.session.call('/api/scada/material-consumption', params, options));
  }

  /** Asks to close the order. Its "success" can be false (exchanges 171, 177, 183): read the state back. */
  async markDone(name: string, finished: number, options?: CallOptions): Promise<Concluded> {
    return succeeded(
      await this.session.call('/api/scada/mo/mark-done', { mo_id: name, finished_qty: finished }, options),
    );
  }

  /** Closes an order although it differs from its bill of materials, without a backorder (exchanges 173, 301, 305). */
  async closeDespiteDifference(id: number, options?: CallOptions): Promise<Concluded> {
    const context = { skip_consumption: true, skip_backorder: true };
    const read = await this.#callKw('mrp.production', 'button_mark_done', [[id]], { context }, options);
    if (read.concluded) return read.concluded;
    if (read.result === true) return DONE;
    if (!isWizard(read.result))
      return concluded('unexplained', 'Odoo answered the closing with something else than done');
    // Both flags forbid it, so Odoo has lost them (odoo/odoo#79136).
    const { res_model = 'a wizard' } = read.result;
    return concluded('collided', `Odoo asks for a decision (${res_model}) although it was told not to`);
  }

  async #moveRecords(domain: unknown[], options?: CallOptions): Promise<MoveRecord[]> {
    return checked('Reading stock.move', await this.#searchRead('stock.move', domain, MOVE_FIELDS, options), areMoves);
  }

  /** Writes the finished goods so far (kg): 0 too, which an update refuses (exchange 121). Look whether it was kept. */
  async setProducing(productionId: number, finished: number, options?: CallOptions): Promise<Concluded> {
    const values = { qty_producing: finished };
    return (await this.#callKw('mrp.production', 'write', [[productionId], values], {}, options)).concluded ?? DONE;
  }

  async #searchRead(model: string, domain: unknown[], fields: string[], options?: CallOptions): Promise<unknown> {
    const read = await this.#callKw(model, 'search_read', [domain], { fields }, options);
    if (read.concluded) throw new OdooError(`Reading ${model}`, readOf(read.concluded));
    return read.result;
  }

  #callKw(model: string, method: string, args: unknown[], kwargs: object, options?: CallOptions): Promise<Read> {
    return this.session.call('/web/dataset/call_kw', { model, method, args, kwargs }, options);
  }
}

const moveOf = (record: MoveRecord, codes: ReadonlyMap<number, string>): OrderMove => {
  const [equipmentId, equipment] = record.scada_equipment_id || [0, ''];
  const [product_id, product] = record.product_id || [0, ''];
  const [uom_id, uom] = record.product_uom || [0, ''];
  return {
    ...{ id: record.id, code: codes.get(equipmentId) ?? '', equipment, product_id, product, uom_id, uom },
    ...{ planned: record.product_uom_qty, done: consumedBy(record, CLASSIC), state: record.state },
  };
};

function succeeded(answer: Read): Concluded {
  const read = readAddon(answer);
  if (read.concluded) return read.concluded;
  return read.result.status === 'success' ? concluded('confirmed') : explainError(read.result.message ?? '');
}
