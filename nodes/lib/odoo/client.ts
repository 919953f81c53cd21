/**
 * The calls that this package makes to Odoo, each returning what its answer means. Knows no Node-RED and no database.
 */
import { type AddonResult, type Answer, concluded, explainError, readAddon, readEnvelope, readUpdate } from '../domain/answer';
import type { Concluded } from '../domain/conclusion';
import type { OrderDetail, OrderMove, Production } from '../domain/order';
import { type OdooAddress, OdooSession } from './session';

/** A read that failed, as an exception: an error is never "no orders". */
export class OdooError extends Error {
  readonly concluded: Concluded;

  constructor(what: string, { conclusion, reason }: Concluded) {
    super(`${what}: ${reason || conclusion}`);
    this.name = 'OdooError';
    this.concluded = { conclusion, reason };
  }
}

/** One page holds them all: paging by offset skips orders, because a first consumption takes one out of the list. */
const ALL = 100_000;

const MOVE_FIELDS = [
  'raw_material_production_id',
  'product_id',
  'product_uom',
  'product_uom_qty',
  'quantity_done',
  'scada_equipment_id',
  'state',
];

const PRODUCTION_FIELDS = ['name', 'state', 'product_qty', 'qty_producing', 'qty_produced', 'consumption'];

type Related = [id: number, name: string] | false;

interface MoveRecord {
  raw_material_production_id: Related;
  product_id: Related;
  product_uom: Related;
  product_uom_qty: number;
  quantity_done: number;
  scada_equipment_id: Related;
  state: string;
}

export class OdooClient {
  readonly session: OdooSession;
  /** Equipment codes by Odoo's id: moves carry only id and name. */
  readonly #codes = new Map<number, string>();

  constructor(address: OdooAddress, now?: () => number) {
    this.session = new OdooSession(address, now);
  }

  close(): void {
    this.session.close();
  }

  /** All orders that are confirmed and not begun. @throws OdooError */
  async confirmedOrders(signal?: AbortSignal): Promise<OrderDetail[]> {
    const { data } = await this.#addon('mo-list-detailed', { limit: ALL, offset: 0 }, 'Fetching the orders', signal);
    return this.#learn(data as OrderDetail[]);
  }

  /** One order in whatever state; undefined when Odoo does not know it. @throws OdooError */
  async order(moId: string, signal?: AbortSignal): Promise<OrderDetail | undefined> {
    const read = readAddon(await this.session.call('/api/scada/mo-detail', { mo_id: moId }, signal));
    const what = `Fetching order ${moId}`;
    if (read.concluded) throw new OdooError(what, asRead(read.concluded));
    if (read.result.status === 'success') return this.#learn([read.result.data as OrderDetail])[0];
    const explained = explainError(read.result.message ?? '');
    if (explained.conclusion === 'unknown-order') return undefined;
    throw new OdooError(what, explained);
  }

  /** State and finished quantity of orders; unknown ones are absent. @throws OdooError */
  async productions(moIds: readonly string[], signal?: AbortSignal): Promise<Map<string, Production>> {
    const records = await this.#searchRead<Production>('mrp.production', [['name', 'in', moIds]], PRODUCTION_FIELDS, signal);
    return new Map(records.map((record) => [record.name, record]));
  }

  /**
   * The raw moves of orders, with their true plan and consumption (the addon's own figures are unscaled and clamped,
   * exchanges 082, 128). @throws OdooError
   */
  async moves(moIds: readonly string[], signal?: AbortSignal): Promise<Map<string, OrderMove[]>> {
    const domain = [['raw_material_production_id.name', 'in', moIds]];
    const records = await this.#searchRead<MoveRecord>('stock.move', domain, MOVE_FIELDS, signal);
    const byOrder = new Map<string, OrderMove[]>(moIds.map((moId) => [moId, []]));
    for (const record of records) {
      const [equipmentId, equipment] = record.scada_equipment_id || [0, ''];
      const moId = record.raw_material_production_id ? record.raw_material_production_id[1] : (moIds[0] ?? '');
      // An order of which no detail was read yet (after a start): one read teaches the codes of all its silos.
      if (equipmentId && !this.#codes.has(equipmentId)) await this.order(moId, signal);
      byOrder.get(moId)?.push({
        code: this.#codes.get(equipmentId) ?? '',
        equipment,
        product_id: record.product_id ? record.product_id[0] : 0,
        product: record.product_id ? record.product_id[1] : '',
        uom: record.product_uom ? record.product_uom[1] : '',
        planned: record.product_uom_qty,
        done: record.quantity_done,
        state: record.state,
      });
    }
    return byOrder;
  }

  /** Sends kg by equipment code and, when given, the finished quantity so far (kg). Replaces, so it may be repeated. */
  async update(
    moId: string,
    weights: Readonly<Record<string, number>>,
    quantity?: number,
    signal?: AbortSignal,
  ): Promise<Concluded> {
    // Nothing else: any other key would be taken for an equipment code (exchange 103).
    const params = { mo_id: moId, ...(quantity ? { quantity } : {}), ...weights };
    return readUpdate(await this.session.call('/api/scada/mo/update-with-consumptions', params, signal), weights);
  }

  /** Sets one component back to 0, which an update cannot (exchanges 093, 212). */
  async setToZero(moId: string, code: string, productId: number, signal?: AbortSignal): Promise<Concluded> {
    const timestamp = new Date().toISOString().slice(0, 19).replace('T', ' ');
    const params = { mo_id: moId, equipment_id: code, product_id: productId, timestamp, quantity: 0, update_mode: 'replace' };
    return succeeded(await this.session.call('/api/scada/material-consumption', params, signal));
  }

  /** Asks to close the order. Its "success" can be false (exchanges 171, 177, 183): read the state back. */
  async markDone(moId: string, finished: number, equipmentId?: string, signal?: AbortSignal): Promise<Concluded> {
    const params = { mo_id: moId, finished_qty: finished, ...(equipmentId ? { equipment_id: equipmentId } : {}) };
    return succeeded(await this.session.call('/api/scada/mo/mark-done', params, signal));
  }

  /** Closes an order although it differs from its bill of materials, without a backorder (exchanges 173, 301, 305). */
  async closeDespiteDifference(productionId: number, signal?: AbortSignal): Promise<Concluded> {
    const context = { skip_consumption: true, skip_backorder: true };
    const read = readEnvelope(
      await this.#callKw('mrp.production', 'button_mark_done', [[productionId]], { context }, signal),
    );
    if (read.concluded) return read.concluded;
    // true: done. A dict is a wizard that waits for a person (exchanges 290, 296).
    return read.result === true ? concluded('confirmed') : concluded('not-done', 'Odoo asks for a decision in its own screen');
  }

  async #addon(route: string, params: object, what: string, signal?: AbortSignal): Promise<AddonResult> {
    const read = readAddon(await this.session.call(`/api/scada/${route}`, params, signal));
    if (read.concluded) throw new OdooError(what, asRead(read.concluded));
    if (read.result.status !== 'success') throw new OdooError(what, explainError(read.result.message ?? ''));
    return read.result;
  }

  async #searchRead<T>(model: string, domain: unknown[], fields: string[], signal?: AbortSignal): Promise<T[]> {
    const read = readEnvelope(await this.#callKw(model, 'search_read', [domain], { fields }, signal));
    if (read.concluded) throw new OdooError(`Reading ${model}`, asRead(read.concluded));
    if (!Array.isArray(read.result)) throw new OdooError(`Reading ${model}`, concluded('unavailable', 'not a list'));
    return read.result as T[];
  }

  #callKw(model: string, method: string, args: unknown[], kwargs: object, signal?: AbortSignal): Promise<Answer> {
    return this.session.call('/web/dataset/call_kw', { model, method, args, kwargs }, signal);
  }

  #learn(orders: OrderDetail[]): OrderDetail[] {
    for (const { components_consumption = [] } of orders) {
      for (const { equipment } of components_consumption) {
        if (equipment) this.#codes.set(equipment.id, equipment.code);
      }
    }
    return orders;
  }
}

/** A read that got no answer has changed nothing: it can simply be repeated. */
const asRead = (outcome: Concluded): Concluded =>
  outcome.conclusion === 'unknown-outcome' ? concluded('unavailable', outcome.reason.replace(/; the same.*$/, '')) : outcome;

function succeeded(answer: Answer): Concluded {
  const read = readAddon(answer);
  if (read.concluded) return read.concluded;
  return read.result.status === 'success' ? concluded('confirmed') : explainError(read.result.message ?? '');
}
