/** Products, units, places, lots and stock of the simulated standard Odoo. */
import { RECIPE, RECIPE_PRODUCT, UNITS, UNIT_CATEGORIES } from '../catalogue';
import type { Named, Product, Unit } from '../catalogue';
import { Register } from '../records';
import type { Line, Lot, Move, StockProduct } from './records';

/** Where every component of an order lies at the latest. */
export const STOCK: Named = { id: 8, name: 'WH/Stock' };
/** What a silo holds when nobody says: more than a test consumes. */
const FULL = 1_000_000;

const byName = ({ name }: Named): string => name;
const keyOf = (product: Named, location: Named, lot: Named | null): string =>
  `${product.id} ${location.id} ${lot?.id ?? 0}`;

/** What lies in one place. */
export interface Place {
  location: Named;
  lot: Named | null;
}

export class Warehouse {
  readonly products = new Register<StockProduct>([], byName);
  readonly units: Register<Unit>;
  readonly lots = new Register<Lot>([], byName);
  readonly locations = new Register<Named>([STOCK], byName);
  readonly categories = new Register<Named>(
    UNIT_CATEGORIES.map((name, index) => ({ id: index + 1, name })),
    byName,
  );
  private readonly places = new Map<number, Place[]>();
  private readonly stock = new Map<string, number>();

  /** @param ids of units, where a generation's are known */
  constructor(ids: Readonly<Record<string, number>> = {}) {
    this.units = new Register(
      UNITS.map((unit) => ({ ...unit, id: ids[unit.name] ?? unit.id })),
      byName,
    );
    this.product(RECIPE_PRODUCT, false);
    for (const { product, code } of RECIPE) this.product(product, code ?? false);
  }

  /** A product; a silo's own lies in the place `WH/Stock/<reference>`. */
  product(name: string, code: string | false, uom = 'kg', tracking: Product['tracking'] = 'none'): StockProduct {
    const found = this.products.find(name);
    const unit = found?.uom ?? this.unit(uom).id;
    const product = this.products.get(name, (id) => ({ id, name, code, tracking, uom: unit }));
    const known = { ...product, code: code || product.code, tracking: found ? found.tracking : tracking };
    if (tracking !== 'none') known.tracking = tracking;
    this.products.keep(known);
    if (known.code !== false && !this.places.has(known.id) && known.tracking === 'none')
      this.put(known, `${STOCK.name}/${known.code.toUpperCase()}`, null, FULL);
    return known;
  }

  unit(name = 'kg'): Unit {
    return this.units.get(name, (id) => ({ id, name, category: name, factor: 1, rounding: 0.01 }));
  }

  category({ category }: Unit): Named {
    return this.categories.get(category, (id) => ({ id, name: category }));
  }

  location(name: string): Named {
    return this.locations.get(name, (id) => ({ id: Math.max(id, 19), name }));
  }

  lot(name: string, product: Named): Lot {
    return this.lots.get(name, (id) => ({ id, name, product: product.id }));
  }

  /** Puts so much of a product into a place, in the product's unit. */
  put(product: Named, location: string, lot: string | null, quantity: number): Place {
    const place = { location: this.location(location), lot: lot === null ? null : this.lot(lot, product) };
    const key = keyOf(product, place.location, place.lot);
    if (!this.stock.has(key)) this.places.set(product.id, [...(this.places.get(product.id) ?? []), place]);
    this.stock.set(key, quantity);
    return place;
  }

  onHand(product: Named, { location, lot }: Place): number {
    return this.stock.get(keyOf(product, location, lot)) ?? 0;
  }

  /** Everything that lies somewhere, or lacks there. */
  quants(): { product: number; location: number; lot: number; quantity: number }[] {
    return [...this.stock].map(([key, quantity]) => {
      const [product = 0, location = 0, lot = 0] = key.split(' ').map(Number);
      return { product, location, lot, quantity };
    });
  }

  /** A place within the move's own that holds so much; undefined: none does. */
  holding({ product, location }: Move, quantity: number): Place | undefined {
    const within = (place: Place): boolean => isWithin(place.location, location);
    return this.places.get(product.id)?.find((place) => within(place) && this.onHand(product, place) >= quantity);
  }

  /** Takes from stock what the lines say; it may go below 0. @returns what was taken, to give it back */
  take(moves: readonly Move[]): [string, number][] {
    const taken = moves.flatMap((move) =>
      move.lines.map(({ location, lot, figure }): [string, number] => [keyOf(move.product, location, lot), figure]),
    );
    for (const [key, quantity] of taken) this.stock.set(key, (this.stock.get(key) ?? 0) - quantity);
    return taken;
  }

  giveBack(taken: readonly [string, number][]): void {
    for (const [key, quantity] of taken) this.stock.set(key, (this.stock.get(key) ?? 0) + quantity);
  }
}

export const isWithin = (inner: Named, outer: Named): boolean =>
  inner.name === outer.name || inner.name.startsWith(`${outer.name}/`);

/** A line without anything on it. */
export const emptyLine = (id: number, { location, lot }: Place, picked: boolean): Line => ({
  id,
  location,
  lot,
  reserved: 0,
  figure: 0,
  picked,
});
