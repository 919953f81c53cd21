/**
 * What is read from a standard Odoo, whatever its generation: records as the rules know them, silos' codes and units along.
 */
import { concluded } from '../../domain/conclusion';
import { type Calling, OdooError } from '../../domain/odoo-orders';
import type { OrderMove, Unit } from '../../domain/order';
import { checked, readOf } from '../answer';
import {
  type Generation,
  generationOf,
  holdsFigure,
  lineFields,
  moveFields,
  reservedOn,
  TELLING,
  unitFields,
} from '../generation';
import {
  areLines,
  areMoves,
  areProductions,
  areProducts,
  areUnits,
  moveOf,
  type MoveRecord,
  type ProductionRecord,
  type ProductRecord,
  type UnitRecord,
} from './records';
import type { SeenLine } from './known';
import type { StandardRpc } from './rpc';
import { parentsOf, unitOf } from './units';

/** What of a product says on which silo it is. */
export type SiloKey = { by: 'reference' | 'barcode' } | { by: 'field'; field: string };

export interface Product {
  code: string;
  name: string;
  tracking: ProductRecord['tracking'];
}

export class Reader {
  readonly rpc: StandardRpc;
  readonly #siloField: string;
  #generation: Promise<Generation> | undefined;
  readonly #products = new Map<number, Product>();
  readonly #units = new Map<number, Unit>();

  constructor(rpc: StandardRpc, silo: SiloKey) {
    this.rpc = rpc;
    this.#siloField = silo.by === 'field' ? silo.field : silo.by === 'barcode' ? 'barcode' : 'default_code';
  }

  /** Asked once; again after `forget`: Odoo may have been upgraded. @throws OdooError */
  generation(call?: Calling): Promise<Generation> {
    this.#generation ??= this.#tell(call).catch((error: unknown) => {
      this.#generation = undefined;
      throw error;
    });
    return this.#generation;
  }

  forget(): void {
    this.#generation = undefined;
  }

  /** A person may have changed what products are called. */
  forgetProducts(): void {
    this.#products.clear();
  }

  async #tell(call?: Calling): Promise<Generation> {
    const has = new Set<string>();
    for (const [model, fields] of Object.entries(TELLING)) {
      const found = await this.ask(model, 'fields_get', { allfields: fields, attributes: ['type'] }, call);
      for (const field of Object.keys(found ?? {})) has.add(`${model}.${field}`);
    }
    const generation = generationOf((model, field) => has.has(`${model}.${field}`));
    if (generation) return generation;
    const missing = 'this Odoo has none of the fields of versions 14 to 19: is Manufacturing installed (Apps)?';
    throw new OdooError('Reading the fields', concluded('unavailable', missing));
  }

  /** A read. @throws OdooError */
  async ask(model: string, method: string, named: Readonly<Record<string, unknown>>, call?: Calling): Promise<unknown> {
    const read = await this.rpc.call(model, method, named, call);
    if (read.concluded) throw new OdooError(`Reading ${model}`, readOf(read.concluded));
    return read.result;
  }

  async productions(domain: readonly unknown[], call?: Calling): Promise<ProductionRecord[]> {
    const { start, finishedLot } = await this.generation(call);
    const fields = [
      ...[
        'name',
        'state',
        'product_id',
        'product_qty',
        'product_uom_id',
        'qty_producing',
        'qty_produced',
        'consumption',
      ],
      ...['move_byproduct_ids', 'workorder_ids', 'company_id', start, finishedLot.field],
    ];
    const named = { domain, fields, order: `${start}, id` };
    const found = checked(
      'Reading mrp.production',
      await this.ask('mrp.production', 'search_read', named, call),
      areProductions,
    );
    await this.units(found.flatMap(({ product_uom_id }) => product_uom_id || []).filter(isId), call);
    return found;
  }

  async moves(domain: readonly unknown[], call?: Calling): Promise<(OrderMove & { orderId: number })[]> {
    const generation = await this.generation(call);
    const fields = [
      ...['raw_material_production_id', 'product_id', 'product_uom_qty', 'product_uom', 'state'],
      ...moveFields(generation),
    ];
    const asked = await this.ask('stock.move', 'search_read', { domain, fields, order: 'id' }, call);
    const found: MoveRecord[] = checked('Reading stock.move', asked, areMoves);
    const products = await this.products(
      found.map(({ product_id: [id] }) => id),
      call,
    );
    const units = await this.units(
      found.map(({ product_uom: [id] }) => id),
      call,
    );
    return found.map((move) => {
      const [orderId] = move.raw_material_production_id || [0];
      return { ...moveOf(move, generation, products.get(move.product_id[0]), units.get(move.product_uom[0])), orderId };
    });
  }

  /** The lines of an order's moves, by the move's id. */
  async lines(orderId: number, call?: Calling): Promise<Map<number, SeenLine[]>> {
    const generation = await this.generation(call);
    const domain = [['move_id.raw_material_production_id', '=', orderId]];
    const fields = ['move_id', 'lot_id', ...lineFields(generation)];
    const asked = await this.ask('stock.move.line', 'search_read', { domain, fields, order: 'id' }, call);
    const byMove = new Map<number, SeenLine[]>();
    for (const record of checked('Reading stock.move.line', asked, areLines)) {
      const [move] = record.move_id;
      const seen = { reserved: reservedOn(record, generation), holds: holdsFigure(record, generation) };
      byMove.set(move, [...(byMove.get(move) ?? []), { id: record.id, ...seen }]);
    }
    return byMove;
  }

  /** @param fresh ask for all of them again: a person may have changed what they are called */
  async products(ids: readonly number[], call?: Calling, fresh = false): Promise<Map<number, Product>> {
    const wanted = [...new Set(ids)].filter((id) => fresh || !this.#products.has(id));
    if (wanted.length > 0) {
      const fields = [...new Set(['name', 'default_code', 'barcode', 'tracking', this.#siloField])];
      const found = await this.ask('product.product', 'read', { ids: wanted, fields }, call);
      for (const product of checked('Reading product.product', found, areProducts)) {
        const code = product[this.#siloField];
        const { name, tracking } = product;
        this.#products.set(product.id, { code: typeof code === 'string' ? code : '', name, tracking });
      }
    }
    return this.#products;
  }

  async units(ids: readonly number[], call?: Calling): Promise<Map<number, Unit>> {
    const generation = await this.generation(call);
    const all = new Map<number, UnitRecord>();
    let wanted = [...new Set(ids)].filter((id) => !this.#units.has(id));
    while (wanted.length > 0) {
      const domain = [
        ['id', 'in', wanted],
        ['active', 'in', [true, false]],
      ];
      const named = { domain, fields: ['name', 'rounding', ...unitFields(generation)] };
      const found = checked('Reading uom.uom', await this.ask('uom.uom', 'search_read', named, call), areUnits);
      for (const unit of found) all.set(unit.id, unit);
      wanted = [...new Set(parentsOf(found, generation))].filter((id) => !all.has(id));
    }
    for (const unit of all.values()) this.#units.set(unit.id, unitOf(unit, all, generation));
    return this.#units;
  }
}

const isId = (value: unknown): value is number => typeof value === 'number';
