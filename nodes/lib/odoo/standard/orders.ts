/**
 * Orders of a standard Odoo, 14 to 19, without any addon: everything by id, over its models.
 */
import type { Calling, FoundOrder, LineFilter, OdooOrders, OrderVisit, VisitOptions } from '../../domain/odoo-orders';
import type { OrderKey, OrderMove, Production, Unit } from '../../domain/order';
import type { SiloMap } from '../../domain/silos';
import { startOf } from '../generation';
import { CHUNK, namedOrders } from '../search';
import { keyDaysLeft } from './api-key';
import { KnownOrders } from './known';
import { Reader, type SiloKey } from './reader';
import { type ProductionRecord, productionOf, type Related } from './records';
import { type StandardAddress, StandardRpc } from './rpc';
import { StandardVisit } from './visit';

/** Orders that may be weighed: one that was begun too, by an operator's work order or by us. */
const OPEN = ['state', 'in', ['confirmed', 'progress', 'to_close']];

export class StandardOrders implements OdooOrders {
  readonly rpc: StandardRpc;
  readonly reader: Reader;
  readonly #known = new KnownOrders();
  readonly #isKey: boolean;

  /** @param silo what of a product says on which silo it is */
  constructor(address: StandardAddress, silo: SiloKey = { by: 'reference' }, now?: () => number) {
    this.rpc = new StandardRpc(address, now);
    this.#isKey = address.isKey;
    this.reader = new Reader(this.rpc, silo);
  }

  get place(): string {
    return this.rpc.place;
  }

  get timeoutMs(): number {
    return this.rpc.timeoutMs;
  }

  close(): void {
    this.rpc.close();
  }

  keyDaysLeft(call?: Calling): Promise<number | undefined> {
    return this.#isKey ? keyDaysLeft(this.rpc, call) : Promise.resolve(undefined);
  }

  async orders(which: LineFilter | { productions: readonly Production[] }, call?: Calling): Promise<FoundOrder[]> {
    const line = 'line' in which ? which.line : '';
    const domain = 'line' in which ? [OPEN, ...ofLine(which)] : [['id', 'in', which.productions.map(({ id }) => id)]];
    const records = await this.reader.productions(domain, call);
    const found: FoundOrder[] = [];
    for (let first = 0; first < records.length; first += CHUNK) {
      found.push(...(await this.#withMoves(records.slice(first, first + CHUNK), line, call)));
    }
    return found;
  }

  async #withMoves(records: readonly ProductionRecord[], line: string, call?: Calling): Promise<FoundOrder[]> {
    const productions = await this.#productions(records, call);
    const ids = productions.map(({ id }) => id);
    const made = productions.flatMap(({ move_byproduct_ids = [] }) => move_byproduct_ids);
    const moves = await this.reader.moves([['raw_material_production_id', 'in', ids]], call);
    const byproducts = made.length > 0 ? await this.reader.moves([['id', 'in', made]], call) : [];
    // What a person has given another reference since is on another silo now.
    const products = await this.reader.products(
      moves.map(({ product_id }) => product_id),
      call,
      true,
    );
    const generation = await this.reader.generation(call);
    return records.map((record, index) => {
      const production = productions[index] as Production;
      const own = moves.filter(({ orderId }) => orderId === record.id);
      return {
        listed: {
          ...{ mo_id: record.name, quantity: production.product_qty, equipment: line ? { code: line } : null },
          ...{ product_name: nameIn(record.product_id), uom: nameIn(record.product_uom_id) },
          schedule_start: startOf(record, generation) || false,
        },
        production,
        moves: own.map((move) => ({ ...move, code: products.get(move.product_id)?.code ?? '' })),
        byproducts: byproducts.filter(({ id }) => production.move_byproduct_ids?.includes(id)),
      };
    });
  }

  async states(
    { ids, names }: { ids?: readonly number[]; names?: readonly string[] },
    call?: Calling,
  ): Promise<Production[]> {
    const domain = namedOrders(ids, names);
    if (!domain) return [];
    return this.#productions(await this.reader.productions(domain, call), call);
  }

  async #productions(records: readonly ProductionRecord[], call?: Calling): Promise<Production[]> {
    const units = await this.reader.units([], call);
    return records.map((record) => productionOf(record, units.get((record.product_uom_id || [0])[0])));
  }

  async moves(ids: readonly number[], call?: Calling): Promise<Map<number, OrderMove[]>> {
    const byOrder = new Map<number, OrderMove[]>(ids.map((id) => [id, []]));
    for (let first = 0; first < ids.length; first += CHUNK) {
      const domain = [['raw_material_production_id', 'in', ids.slice(first, first + CHUNK)]];
      for (const { orderId, ...move } of await this.reader.moves(domain, call)) byOrder.get(orderId)?.push(move);
    }
    return byOrder;
  }

  units(ids: readonly number[], call?: Calling): Promise<Map<number, Unit>> {
    return this.reader.units(ids, call);
  }

  visit(key: OrderKey, silos: SiloMap, how: VisitOptions): OrderVisit {
    return new StandardVisit(this.reader, this.#known, key, silos, how);
  }
}

/** What of an order tells that it is a line's (contract, "Which line, which silo"). */
function ofLine({ line, by = 'operation-type', field = '' }: LineFilter): unknown[] {
  if (!line) return [];
  const path = {
    'operation-type': 'picking_type_id.sequence_code',
    'work-center': 'workorder_ids.workcenter_id.code',
    field,
  };
  return [[path[by], '=', line]];
}

/** The code before a product's name is the silo's, not part of it. */
const nameIn = (related: Related): string => (related ? related[1].replace(/^\[[^\]]*\] /, '') : '');
